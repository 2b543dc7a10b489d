/* winograd_u8.h with AVX2: 8 outputs a register.
 *
 * A run of blocks at a time: samples to points, [point][block][channel] in 16
 * bits; for one or two groups of outputs the products of each point, [block]
 * [point][group][output] in 32 bits; points to sums.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/unroll.h"
#include "core/kernels/winograd_u8.h"

#include <immintrin.h>

typedef __m256i Vec;
#define LANES 8
#define MAX_BLOCKS 6 /* against two registers of outputs */
#define v_load(at) _mm256_load_si256((const __m256i *)(const void *)(at))
#define v_store(at, v) _mm256_store_si256((__m256i *)(void *)(at), v)
#define v_add(a, b) _mm256_add_epi32(a, b)
#define v_sub(a, b) _mm256_sub_epi32(a, b)
/* Exact division by 9 * 2^shift. */
#define v_ninth(v, shift)                                                      \
    _mm256_srai_epi32(_mm256_mullo_epi32(v, _mm256_set1_epi32(0x38e38e39)),    \
                      shift)

#define INLINE static inline __attribute__((always_inline))
#define POINTS CX_WINOGRAD_U8_POINTS
#define N 6 /* points along an axis */

/* A run of blocks. */
typedef struct {
    const CxWinogradU8 *sums;
    size_t first, n_blocks;
    int16_t *points;   /* [POINTS][n_blocks][16 n_in] */
    int32_t *products; /* [n_blocks][POINTS][2][16] */
} Run;

/* B^T along one axis. */
INLINE void
transform_samples(const __m256i d[N], __m256i v[N])
{
    __m256i far = _mm256_sub_epi16(d[4], _mm256_slli_epi16(d[2], 2));
    __m256i odd = _mm256_sub_epi16(d[3], _mm256_slli_epi16(d[1], 2));
    __m256i near = _mm256_sub_epi16(d[4], d[2]);
    __m256i rise = _mm256_sub_epi16(d[3], d[1]);

    rise = _mm256_add_epi16(rise, rise);
    v[0] = _mm256_add_epi16(_mm256_slli_epi16(_mm256_sub_epi16(d[0], d[2]), 2),
                            near);
    v[1] = _mm256_add_epi16(far, odd);
    v[2] = _mm256_sub_epi16(far, odd);
    v[3] = _mm256_add_epi16(near, rise);
    v[4] = _mm256_sub_epi16(near, rise);
    v[5] = _mm256_sub_epi16(_mm256_sub_epi16(d[5], d[3]),
                            _mm256_add_epi16(rise, rise));
}

/* A column of six samples of 16 channels, transformed along y. */
INLINE void
transform_column(const CxWinogradU8 *sums, size_t in, size_t at, __m256i v[N])
{
    __m256i d[N];

    CX_UNROLL
    for (size_t y = 0; y < N; y++)
        d[y] = _mm256_cvtepu8_epi16(_mm_loadu_si128(
            (const __m128i *)(const void *)(sums->src[y * sums->n_in + in] +
                                            at)));
    transform_samples(d, v);
}

/* Points of all blocks of the run for one group of channels; neighbouring
 * blocks share two columns. */
INLINE void
points_of_group(const Run *run, size_t in)
{
    const CxWinogradU8 *sums = run->sums;
    size_t step = sums->steps[in], stride = run->n_blocks * sums->n_in * 16;
    size_t at = 4 * run->first * step - step;
    __m256i columns[N][N];

    transform_column(sums, in, at, columns[0]);
    transform_column(sums, in, at + step, columns[1]);
    for (size_t b = 0; b < run->n_blocks; b++, at += 4 * step) {
        int16_t *to = run->points + (b * sums->n_in + in) * 16;

        CX_UNROLL
        for (size_t x = 2; x < N; x++)
            transform_column(sums, in, at + x * step, columns[x]);
        CX_UNROLL
        for (size_t y = 0; y < N; y++) {
            __m256i d[N], v[N];

            CX_UNROLL
            for (size_t x = 0; x < N; x++)
                d[x] = columns[x][y];
            transform_samples(d, v);
            CX_UNROLL
            for (size_t x = 0; x < N; x++)
                _mm256_store_si256(
                    (__m256i *)(void *)(to + (y * N + x) * stride), v[x]);
        }
        CX_UNROLL
        for (size_t y = 0; y < N; y++) {
            columns[0][y] = columns[4][y];
            columns[1][y] = columns[5][y];
        }
    }
}

/* A^T T along one axis, as the reference has it. */
INLINE void
transform_products(const Vec m[N], Vec y[4])
{
    Vec a = v_add(m[1], m[2]), b = v_sub(m[1], m[2]);
    Vec c = v_add(m[3], m[4]), d = v_sub(m[3], m[4]);
    Vec near = v_sub(m[0], a), end = v_add(m[5], m[5]);

    near = v_add(v_add(near, near), m[0]); /* 3 m0 - 2 a */
    y[0] = v_add(v_add(near, near), c);
    y[1] = v_sub(d, v_add(b, b));
    y[2] = v_sub(c, a);
    end = v_add(v_add(end, m[5]), d); /* 3 m5 + d */
    y[3] = v_sub(v_add(end, end), b);
}

INLINE void
sums_of_block(const Run *run, size_t b, size_t group, size_t part)
{
    const CxWinogradU8 *sums = run->sums;
    const int32_t *from = run->products + b * POINTS * 32 + part * LANES;
    size_t pixel = 16 * sums->n_out;
    int32_t *to =
        sums->dst + 4 * (run->first + b) * pixel + 16 * group + part * LANES;
    Vec half[4][N];

    CX_UNROLL
    for (size_t x = 0; x < N; x++) {
        Vec m[N], y[4];

        CX_UNROLL
        for (size_t i = 0; i < N; i++)
            m[i] = v_load(from + (i * N + x) * 32);
        transform_products(m, y);
        CX_UNROLL
        for (size_t i = 0; i < 4; i++)
            half[i][x] = y[i];
    }
    CX_UNROLL
    for (size_t i = 0; i < 4; i++) {
        static const int shift[4] = {3, 2, 1, 1};
        Vec y[4];

        transform_products(half[i], y);
        CX_UNROLL
        for (size_t x = 0; x < 4; x++)
            v_store(to + i * sums->dst_row + x * pixel,
                    v_ninth(y[x], shift[i] + shift[x]));
    }
}

INLINE __m256i
broadcast(const int16_t *at)
{
    int32_t pair;

    __builtin_memcpy(&pair, at, sizeof pair);
    return _mm256_set1_epi32(pair);
}

/* One point of n blocks from `first` on, 16 outputs. */
INLINE void
multiply_point(const Run *run, size_t point, size_t first, size_t group,
               size_t side, int n)
{
    const CxWinogradU8 *sums = run->sums;
    size_t n_pairs = 8 * sums->n_in, channels = 16 * sums->n_in;
    const int16_t *w =
        sums->weights + (point * sums->n_out + group) * n_pairs * 32;
    const int16_t *from =
        run->points + (point * run->n_blocks + first) * channels;
    int32_t *to = run->products + (first * POINTS + point) * 32 + 16 * side;
    __m256i a[MAX_BLOCKS], b[MAX_BLOCKS];

    CX_UNROLL
    for (int i = 0; i < n; i++)
        a[i] = b[i] = _mm256_setzero_si256();
    for (size_t p = 0; p < n_pairs; p++) {
        CX_UNROLL
        for (int i = 0; i < n; i++) {
            __m256i s = broadcast(from + (size_t)i * channels + 2 * p);

            a[i] = v_add(a[i], _mm256_madd_epi16(s, v_load(w + p * 32)));
            b[i] = v_add(b[i], _mm256_madd_epi16(s, v_load(w + p * 32 + 16)));
        }
    }
    CX_UNROLL
    for (int i = 0; i < n; i++) {
        v_store(to + (size_t)i * POINTS * 32, a[i]);
        v_store(to + (size_t)i * POINTS * 32 + LANES, b[i]);
    }
}

typedef void MultiplyFn(const Run *run, size_t first, size_t group,
                        size_t side);

#define MULTIPLY(n)                                                            \
    static __attribute__((noinline)) void multiply_##n(                        \
        const Run *run, size_t first, size_t group, size_t side)               \
    {                                                                          \
        for (size_t p = 0; p < POINTS; p++)                                    \
            multiply_point(run, p, first, group, side, n);                     \
    }

MULTIPLY(1)
MULTIPLY(2)
MULTIPLY(3)
MULTIPLY(4)
MULTIPLY(5)
MULTIPLY(6)

static MultiplyFn *const multiplies[MAX_BLOCKS + 1] = {
    NULL,       multiply_1, multiply_2, multiply_3,
    multiply_4, multiply_5, multiply_6,
};

/* Products of n_groups groups of outputs from `group` on, at every point. */
static void
multiply(const Run *run, size_t group, size_t n_groups)
{
    for (size_t side = 0; side < n_groups; side++)
        for (size_t first = 0; first < run->n_blocks; first += MAX_BLOCKS) {
            size_t n = run->n_blocks - first;

            multiplies[n < MAX_BLOCKS ? n : MAX_BLOCKS](run, first,
                                                        group + side, side);
        }
}

static void
run_blocks(const Run *run)
{
    const CxWinogradU8 *sums = run->sums;

    for (size_t in = 0; in < sums->n_in; in++)
        points_of_group(run, in);
    for (size_t g = 0; g < sums->n_out; g += 2) {
        size_t n_groups = g + 1 < sums->n_out ? 2 : 1;

        multiply(run, g, n_groups);
        for (size_t b = 0; b < run->n_blocks; b++)
            for (size_t part = 0; part < n_groups * 16 / LANES; part++)
                sums_of_block(run, b, g, part);
    }
}

/* Near-equal runs over the rows. */
INLINE void
run_all(const CxWinogradU8 *sums, size_t most)
{
    size_t n = (sums->n_pixels + 3) / 4, n_runs = (n + most - 1) / most;

    for (size_t i = 0; i < n_runs; i++) {
        size_t first = n * i / n_runs, end = n * (i + 1) / n_runs;
        Run run = {sums, first, end - first, sums->scratch, NULL};

        run.products = (int32_t *)(void *)(run.points + POINTS * run.n_blocks *
                                                            16 * sums->n_in);
        run_blocks(&run);
    }
}

void
cx_winograd_u8_avx2(const CxWinogradU8 *sums)
{
    run_all(sums, 2 * MAX_BLOCKS);
}
