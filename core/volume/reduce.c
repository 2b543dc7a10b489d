/* Sections made coarser.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/reduce.h"

#include <math.h>

/* Each of these takes the (up to 8) samples v[0 … n) that become one. */

#define MODE(type)                                                             \
    static inline type mode_##type(const type *v, unsigned n)                  \
    {                                                                          \
        unsigned best = 0, most = 0;                                           \
        for (unsigned i = 0; i < n && most * 2 <= n; i++) {                    \
            unsigned count = 0;                                                \
            for (unsigned k = i; k < n; k++)                                   \
                count += v[k] == v[i];                                         \
            if (count > most) {                                                \
                most = count;                                                  \
                best = i;                                                      \
            }                                                                  \
        }                                                                      \
        return v[best];                                                        \
    }

#define MEAN_UNSIGNED(type)                                                    \
    static inline type mean_##type(const type *v, unsigned n)                  \
    {                                                                          \
        uint64_t sum = n / 2;                                                  \
        for (unsigned i = 0; i < n; i++)                                       \
            sum += v[i];                                                       \
        return (type)(sum / n);                                                \
    }

#define MEAN_SIGNED(type)                                                      \
    static inline type mean_##type(const type *v, unsigned n)                  \
    {                                                                          \
        double sum = 0;                                                        \
        for (unsigned i = 0; i < n; i++)                                       \
            sum += (double)v[i];                                               \
        return (type)floor(sum / n + 0.5);                                     \
    }

#define MEAN_FLOAT(type)                                                       \
    static inline type mean_##type(const type *v, unsigned n)                  \
    {                                                                          \
        double sum = 0;                                                        \
        for (unsigned i = 0; i < n; i++)                                       \
            sum += (double)v[i];                                               \
        return (type)(sum / n);                                                \
    }

/* 64 bits: parts first, so that no sum overflows. */
#define MEAN_OF_PARTS(type)                                                    \
    static inline type mean_##type(const type *v, unsigned n)                  \
    {                                                                          \
        type sum = 0, rest = 0;                                                \
        for (unsigned i = 0; i < n; i++) {                                     \
            sum += v[i] / (type)n;                                             \
            rest += v[i] % (type)n;                                            \
        }                                                                      \
        return sum + rest / (type)n;                                           \
    }

MODE(uint8_t)
MODE(uint16_t)
MODE(uint32_t)
MODE(uint64_t)
MEAN_UNSIGNED(uint8_t)
MEAN_UNSIGNED(uint16_t)
MEAN_UNSIGNED(uint32_t)
MEAN_OF_PARTS(uint64_t)
MEAN_SIGNED(int8_t)
MEAN_SIGNED(int16_t)
MEAN_SIGNED(int32_t)
MEAN_OF_PARTS(int64_t)
MEAN_FLOAT(float)
MEAN_FLOAT(double)

#define REDUCE(type, combine)                                                  \
    do {                                                                       \
        type *out = dst;                                                       \
        for (size_t y = 0; y < height; y += 2) {                               \
            for (size_t x = 0; x < width; x += 2) {                            \
                type v[8];                                                     \
                unsigned n = 0;                                                \
                for (unsigned s = 0; s < n_sections; s++) {                    \
                    const type *at =                                           \
                        (const type *)sections[s].samples + y * width + x;     \
                    v[n++] = at[0];                                            \
                    if (x + 1 < width)                                         \
                        v[n++] = at[1];                                        \
                    if (y + 1 < height)                                        \
                        v[n++] = at[width];                                    \
                    if (x + 1 < width && y + 1 < height)                       \
                        v[n++] = at[width + 1];                                \
                }                                                              \
                *out++ = combine##_##type(v, n);                               \
            }                                                                  \
        }                                                                      \
    } while (0)

static void
reduce_labels(void *dst, const CxSection *sections, unsigned n_sections,
              size_t sample_bytes)
{
    size_t width = sections[0].width, height = sections[0].height;

    switch (sample_bytes) {
    case 1:
        REDUCE(uint8_t, mode);
        break;
    case 2:
        REDUCE(uint16_t, mode);
        break;
    case 4:
        REDUCE(uint32_t, mode);
        break;
    default:
        REDUCE(uint64_t, mode);
        break;
    }
}

static void
reduce_image(void *dst, const CxSection *sections, unsigned n_sections,
             CxDtype dtype)
{
    size_t width = sections[0].width, height = sections[0].height;

    switch (dtype) {
    case CX_DTYPE_U8:
        REDUCE(uint8_t, mean);
        break;
    case CX_DTYPE_U16:
        REDUCE(uint16_t, mean);
        break;
    case CX_DTYPE_U32:
        REDUCE(uint32_t, mean);
        break;
    case CX_DTYPE_U64:
        REDUCE(uint64_t, mean);
        break;
    case CX_DTYPE_I8:
        REDUCE(int8_t, mean);
        break;
    case CX_DTYPE_I16:
        REDUCE(int16_t, mean);
        break;
    case CX_DTYPE_I32:
        REDUCE(int32_t, mean);
        break;
    case CX_DTYPE_I64:
        REDUCE(int64_t, mean);
        break;
    case CX_DTYPE_F32:
        REDUCE(float, mean);
        break;
    case CX_DTYPE_F64:
        REDUCE(double, mean);
        break;
    }
}

void
cx_reduce_sections(void *dst, const CxSection *sections, unsigned n_sections,
                   CxDtype dtype, bool labels)
{
    if (labels)
        reduce_labels(dst, sections, n_sections, cx_dtype_size_bytes(dtype));
    else
        reduce_image(dst, sections, n_sections, dtype);
}
