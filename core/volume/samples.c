/* Arrays of samples of any type.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/samples.h"

#include <float.h>
#include <math.h>

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

/* NaN becomes 0.  unit: 1, or 0.5 where max - min is more than a double. */
static inline uint8_t
to_byte(double sample, double min, double unit, double scale)
{
    double scaled = (sample * unit - min) * scale + 0.5;

    return scaled >= 255.0 ? 255 : scaled > 0.0 ? (uint8_t)scaled : 0;
}

#define TO_BYTES(type)                                                         \
    do {                                                                       \
        const type *from = src;                                                \
        for (size_t i = 0; i < n; i++)                                         \
            dst[i] = to_byte((double)from[i], min, unit, scale);               \
    } while (0)

void
cx_samples_to_u8(uint8_t *dst, const void *src, CxDtype dtype, size_t n,
                 double min, double max)
{
    double unit = isfinite(max - min) ? 1.0 : 0.5;
    double range = max * unit - min * unit;
    double scale = max > min ? 255.0 / range : 0.0;

    min *= unit;
    /* A range of denormals: 255 / range may be too large, too. */
    scale = fmin(scale, DBL_MAX);
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

/* Conversion goes by blocks through the widest type of the source's kind. */
#define BLOCK 1024

typedef union {
    uint64_t u[BLOCK];
    int64_t i[BLOCK];
    double f[BLOCK];
} Block;

#define LOAD(type, field)                                                      \
    for (size_t k = 0; k < n; k++)                                             \
    block->field[k] = ((const type *)src)[k]

static void
load(Block *block, const void *src, CxDtype dtype, size_t n)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        LOAD(uint8_t, u);
        break;
    case CX_DTYPE_U16:
        LOAD(uint16_t, u);
        break;
    case CX_DTYPE_U32:
        LOAD(uint32_t, u);
        break;
    case CX_DTYPE_U64:
        LOAD(uint64_t, u);
        break;
    case CX_DTYPE_I8:
        LOAD(int8_t, i);
        break;
    case CX_DTYPE_I16:
        LOAD(int16_t, i);
        break;
    case CX_DTYPE_I32:
        LOAD(int32_t, i);
        break;
    case CX_DTYPE_I64:
        LOAD(int64_t, i);
        break;
    case CX_DTYPE_F32:
        LOAD(float, f);
        break;
    case CX_DTYPE_F64:
        LOAD(double, f);
        break;
    }
}

/* lo and hi as the limits of an integer type; hi_open is hi + 1. */
#define STORE(type, lo, hi, hi_open)                                           \
    do {                                                                       \
        type *to = dst;                                                        \
        bool fits = true;                                                      \
        for (size_t k = 0; k < n && kind == CX_DTYPE_U64; k++) {               \
            fits &= block->u[k] <= (uint64_t)(hi);                             \
            to[k] = (type)block->u[k];                                         \
        }                                                                      \
        for (size_t k = 0; k < n && kind == CX_DTYPE_I64; k++) {               \
            int64_t v = block->i[k];                                           \
            fits &=                                                            \
                v < 0 ? v >= (int64_t)(lo) : (uint64_t)v <= (uint64_t)(hi);    \
            to[k] = (type)v;                                                   \
        }                                                                      \
        for (size_t k = 0; k < n && kind == CX_DTYPE_F64; k++) {               \
            double v = rint(block->f[k]);                                      \
            bool good = v >= (double)(lo) && v < (hi_open);                    \
            fits &= good;                                                      \
            to[k] = good ? (type)v : 0;                                        \
        }                                                                      \
        return fits;                                                           \
    } while (0)

#define STORE_FLOAT(type)                                                      \
    do {                                                                       \
        type *to = dst;                                                        \
        for (size_t k = 0; k < n; k++)                                         \
            to[k] = kind == CX_DTYPE_U64   ? (type)block->u[k]                 \
                    : kind == CX_DTYPE_I64 ? (type)block->i[k]                 \
                                           : (type)block->f[k];                \
        return true;                                                           \
    } while (0)

/* kind: U64, I64 or F64, what the block holds. */
static bool
store(void *dst, CxDtype dtype, const Block *block, CxDtype kind, size_t n)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        STORE(uint8_t, 0, UINT8_MAX, 0x1p8);
    case CX_DTYPE_U16:
        STORE(uint16_t, 0, UINT16_MAX, 0x1p16);
    case CX_DTYPE_U32:
        STORE(uint32_t, 0, UINT32_MAX, 0x1p32);
    case CX_DTYPE_U64:
        STORE(uint64_t, 0, UINT64_MAX, 0x1p64);
    case CX_DTYPE_I8:
        STORE(int8_t, INT8_MIN, INT8_MAX, 0x1p7);
    case CX_DTYPE_I16:
        STORE(int16_t, INT16_MIN, INT16_MAX, 0x1p15);
    case CX_DTYPE_I32:
        STORE(int32_t, INT32_MIN, INT32_MAX, 0x1p31);
    case CX_DTYPE_I64:
        STORE(int64_t, INT64_MIN, INT64_MAX, 0x1p63);
    case CX_DTYPE_F32:
        STORE_FLOAT(float);
    case CX_DTYPE_F64:
        STORE_FLOAT(double);
    }
    return false;
}

bool
cx_samples_convert(void *dst, CxDtype dst_type, const void *src,
                   CxDtype src_type, size_t n)
{
    size_t dst_size = cx_dtype_size_bytes(dst_type);
    size_t src_size = cx_dtype_size_bytes(src_type);
    CxDtype kind = !cx_dtype_is_integer(src_type) ? CX_DTYPE_F64
                   : src_type >= CX_DTYPE_I8      ? CX_DTYPE_I64
                                                  : CX_DTYPE_U64;
    bool fits = true;
    Block block;

    for (size_t at = 0; at < n && fits; at += BLOCK) {
        size_t part = n - at < BLOCK ? n - at : BLOCK;

        load(&block, (const uint8_t *)src + at * src_size, src_type, part);
        fits =
            store((uint8_t *)dst + at * dst_size, dst_type, &block, kind, part);
    }
    return fits;
}
