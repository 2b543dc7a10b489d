/* Arrays of samples of any type.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/samples.h"

#include <float.h>

#define WIDEN(type)                                                            \
    do {                                                                       \
        const type *from = src;                                                \
        for (size_t i = 0; i < n; i++)                                         \
            dst[i] = from[i];                                                  \
        return true;                                                           \
    } while (0)

/* False if a sample is negative. */
#define WIDEN_SIGNED(type)                                                     \
    do {                                                                       \
        const type *from = src;                                                \
        type low = 0;                                                          \
        for (size_t i = 0; i < n; i++) {                                       \
            low = from[i] < low ? from[i] : low;                               \
            dst[i] = (uint64_t)from[i];                                        \
        }                                                                      \
        return low == 0;                                                       \
    } while (0)

bool
cx_samples_to_u64(uint64_t *dst, const void *src, CxDtype dtype, size_t n)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        WIDEN(uint8_t);
    case CX_DTYPE_U16:
        WIDEN(uint16_t);
    case CX_DTYPE_U32:
        WIDEN(uint32_t);
    case CX_DTYPE_U64:
        WIDEN(uint64_t);
    case CX_DTYPE_I8:
        WIDEN_SIGNED(int8_t);
    case CX_DTYPE_I16:
        WIDEN_SIGNED(int16_t);
    case CX_DTYPE_I32:
        WIDEN_SIGNED(int32_t);
    case CX_DTYPE_I64:
        WIDEN_SIGNED(int64_t);
    case CX_DTYPE_F32:
    case CX_DTYPE_F64:
        break;
    }
    return false;
}

/* NaN becomes 0. */
static inline uint8_t
to_byte(double sample, double min, double scale)
{
    double scaled = (sample - min) * scale + 0.5;

    return scaled >= 255.0 ? 255 : scaled > 0.0 ? (uint8_t)scaled : 0;
}

#define TO_BYTES(type)                                                         \
    do {                                                                       \
        const type *from = src;                                                \
        for (size_t i = 0; i < n; i++)                                         \
            dst[i] = to_byte((double)from[i], min, scale);                     \
    } while (0)

void
cx_samples_to_u8(uint8_t *dst, const void *src, CxDtype dtype, size_t n,
                 double min, double max)
{
    double scale = max > min ? 255.0 / (max - min) : 0.0;

    switch (dtype) {
    case CX_DTYPE_U8:
        TO_BYTES(uint8_t);
        break;
    case CX_DTYPE_U16:
        TO_BYTES(uint16_t);
        break;
    case CX_DTYPE_U32:
        TO_BYTES(uint32_t);
        break;
    case CX_DTYPE_U64:
        TO_BYTES(uint64_t);
        break;
    case CX_DTYPE_I8:
        TO_BYTES(int8_t);
        break;
    case CX_DTYPE_I16:
        TO_BYTES(int16_t);
        break;
    case CX_DTYPE_I32:
        TO_BYTES(int32_t);
        break;
    case CX_DTYPE_I64:
        TO_BYTES(int64_t);
        break;
    case CX_DTYPE_F32:
        TO_BYTES(float);
        break;
    case CX_DTYPE_F64:
        TO_BYTES(double);
        break;
    }
}

#define EXTREMES(type)                                                         \
    do {                                                                       \
        const type *from = src;                                                \
        for (size_t i = 0; i < n; i++) {                                       \
            double sample = (double)from[i];                                   \
            if (sample < *min && sample >= -DBL_MAX)                           \
                *min = sample;                                                 \
            if (sample > *max && sample <= DBL_MAX)                            \
                *max = sample;                                                 \
        }                                                                      \
    } while (0)

void
cx_samples_add_range(const void *src, CxDtype dtype, size_t n, double *min,
                     double *max)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        EXTREMES(uint8_t);
        break;
    case CX_DTYPE_U16:
        EXTREMES(uint16_t);
        break;
    case CX_DTYPE_U32:
        EXTREMES(uint32_t);
        break;
    case CX_DTYPE_U64:
        EXTREMES(uint64_t);
        break;
    case CX_DTYPE_I8:
        EXTREMES(int8_t);
        break;
    case CX_DTYPE_I16:
        EXTREMES(int16_t);
        break;
    case CX_DTYPE_I32:
        EXTREMES(int32_t);
        break;
    case CX_DTYPE_I64:
        EXTREMES(int64_t);
        break;
    case CX_DTYPE_F32:
        EXTREMES(float);
        break;
    case CX_DTYPE_F64:
        EXTREMES(double);
        break;
    }
}
