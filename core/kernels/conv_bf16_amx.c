/* conv_bf16.h with AMX: C[16 pixels][16 outputs] += A[16 pixels][32 channels]
 * B[32 channels][16 outputs].
 *
 * A tile of samples is read where it lies: 16 pixels, 64 bytes each, with the
 * tap's step as stride.  Two groups of outputs against 32 pixels (four sums,
 * as many loads as products), or one group against 64.  The last tile of a row
 * overlaps the one before it; rows of fewer than 16 pixels use lower tiles.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/conv_bf16.h"

#include <immintrin.h>

#define ROWS 16 /* pixels of a tile */
#define PIXEL_BYTES 64

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} TileConfig;

typedef struct {
    const CxConvRowBf16 *row;
    size_t block;    /* of dst */
    size_t n_groups; /* 1 or 2 */
    size_t height;   /* pixels of a tile */
} Work;

/* Tiles 0-3 sums, 4-5 samples, 6-7 weights. */
static void
configure(size_t height)
{
    TileConfig config = {.palette = 1};

    for (int t = 0; t < 8; t++) {
        config.bytes[t] = PIXEL_BYTES;
        config.rows[t] = t < 6 ? (uint8_t)height : ROWS;
    }
    _tile_loadconfig(&config);
}

/* One tile of sums of one or two groups → pixels of dst. */
static void
finish(const Work *work, size_t x, const float *lower, const float *upper)
{
    const CxConvRowBf16 *row = work->row;
    const float *bias = row->bias + work->block * 2 * CX_GROUP_BF16;
    __m512 bias0 = _mm512_loadu_ps(bias);
    __m512 bias1 = upper != NULL ? _mm512_loadu_ps(bias + CX_GROUP_BF16)
                                 : _mm512_setzero_ps();
    __m512 floor =
        row->relu ? _mm512_setzero_ps() : _mm512_set1_ps(-__builtin_inff());
    size_t stride = row->dst_step * CX_BLOCK_BF16;
    uint16_t *dst = row->dst + work->block * row->dst_plane + x * stride;

    for (size_t p = 0; p < work->height; p++) {
        __m512 a = _mm512_add_ps(_mm512_load_ps(lower + p * ROWS), bias0);
        __m512 b = _mm512_setzero_ps();

        if (upper != NULL)
            b = _mm512_max_ps(
                floor, _mm512_add_ps(_mm512_load_ps(upper + p * ROWS), bias1));
        _mm512_storeu_si512(dst + p * stride, (__m512i)_mm512_cvtne2ps_pbh(
                                                  b, _mm512_max_ps(floor, a)));
    }
}

static const uint16_t *
weights_of(const Work *work, const CxConvTapBf16 *tap)
{
    return work->row->weights +
           (work->block * 2 * work->row->n_tiles + tap->tile) * CX_TILE_BF16;
}

/* Two groups, tiles of pixels at x0 and x1. */
static void
run_2x2(const Work *work, size_t x0, size_t x1)
{
    const CxConvRowBf16 *row = work->row;
    size_t group = row->n_tiles * CX_TILE_BF16;
    _Alignas(64) float sums[4][ROWS * ROWS];

    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t t = 0; t < row->n_taps; t++) {
        const CxConvTapBf16 *tap = &row->taps[t];
        const uint16_t *weights = weights_of(work, tap);
        size_t stride = tap->step * PIXEL_BYTES;
        const uint16_t *a = tap->src + x0 * tap->step * CX_BLOCK_BF16;
        const uint16_t *b = tap->src + x1 * tap->step * CX_BLOCK_BF16;

        for (size_t k = 0; k < tap->n_blocks; k++) {
            _tile_loadd(6, weights, PIXEL_BYTES);
            _tile_loadd(4, a, stride);
            _tile_dpbf16ps(0, 4, 6);
            _tile_loadd(7, weights + group, PIXEL_BYTES);
            _tile_dpbf16ps(1, 4, 7);
            _tile_loadd(5, b, stride);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
            weights += CX_TILE_BF16;
            a += tap->plane;
            b += tap->plane;
        }
    }
    _tile_stored(0, sums[0], PIXEL_BYTES);
    _tile_stored(1, sums[1], PIXEL_BYTES);
    _tile_stored(2, sums[2], PIXEL_BYTES);
    _tile_stored(3, sums[3], PIXEL_BYTES);
    finish(work, x0, sums[0], sums[1]);
    finish(work, x1, sums[2], sums[3]);
}

/* One group, four tiles of pixels. */
static void
run_1x4(const Work *work, const size_t x[4])
{
    const CxConvRowBf16 *row = work->row;
    _Alignas(64) float sums[4][ROWS * ROWS];

    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t t = 0; t < row->n_taps; t++) {
        const CxConvTapBf16 *tap = &row->taps[t];
        const uint16_t *weights = weights_of(work, tap);
        size_t stride = tap->step * PIXEL_BYTES;
        const uint16_t *src = tap->src;
        size_t pixel = tap->step * CX_BLOCK_BF16;

        for (size_t k = 0; k < tap->n_blocks; k++) {
            _tile_loadd(6, weights, PIXEL_BYTES);
            _tile_loadd(4, src + x[0] * pixel, stride);
            _tile_dpbf16ps(0, 4, 6);
            _tile_loadd(5, src + x[1] * pixel, stride);
            _tile_dpbf16ps(1, 5, 6);
            _tile_loadd(4, src + x[2] * pixel, stride);
            _tile_dpbf16ps(2, 4, 6);
            _tile_loadd(5, src + x[3] * pixel, stride);
            _tile_dpbf16ps(3, 5, 6);
            weights += CX_TILE_BF16;
            src += tap->plane;
        }
    }
    _tile_stored(0, sums[0], PIXEL_BYTES);
    _tile_stored(1, sums[1], PIXEL_BYTES);
    _tile_stored(2, sums[2], PIXEL_BYTES);
    _tile_stored(3, sums[3], PIXEL_BYTES);
    for (int i = 0; i < 4; i++)
        finish(work, x[i], sums[i], NULL);
}

/* One tile of pixels, one or two groups. */
static void
run_small(const Work *work, size_t x)
{
    const CxConvRowBf16 *row = work->row;
    size_t group = row->n_tiles * CX_TILE_BF16;
    bool pair = work->n_groups == 2;
    _Alignas(64) float sums[2][ROWS * ROWS];

    _tile_zero(0);
    _tile_zero(1);
    for (size_t t = 0; t < row->n_taps; t++) {
        const CxConvTapBf16 *tap = &row->taps[t];
        const uint16_t *weights = weights_of(work, tap);
        const uint16_t *a = tap->src + x * tap->step * CX_BLOCK_BF16;

        for (size_t k = 0; k < tap->n_blocks; k++) {
            _tile_loadd(6, weights, PIXEL_BYTES);
            _tile_loadd(4, a, tap->step * PIXEL_BYTES);
            _tile_dpbf16ps(0, 4, 6);
            if (pair) {
                _tile_loadd(7, weights + group, PIXEL_BYTES);
                _tile_dpbf16ps(1, 4, 7);
            }
            weights += CX_TILE_BF16;
            a += tap->plane;
        }
    }
    _tile_stored(0, sums[0], PIXEL_BYTES);
    _tile_stored(1, sums[1], PIXEL_BYTES);
    finish(work, x, sums[0], pair ? sums[1] : NULL);
}

static void
cover(const Work *work)
{
    size_t n = work->row->n_pixels, height = work->height;
    size_t n_tiles = (n + height - 1) / height, i = 0;

#define AT(k) ((k) + 1 < n_tiles ? (k)*height : n - height)
    if (work->n_groups == 2)
        for (; i + 2 <= n_tiles; i += 2)
            run_2x2(work, AT(i), AT(i + 1));
    else
        for (; i + 4 <= n_tiles; i += 4)
            run_1x4(work,
                    (const size_t[4]){AT(i), AT(i + 1), AT(i + 2), AT(i + 3)});
    for (; i < n_tiles; i++)
        run_small(work, AT(i));
#undef AT
}

void
cx_conv_row_bf16_amx(const CxConvRowBf16 *row)
{
    Work work = {.row = row};

    if (row->n_pixels == 0)
        return;
    work.height = row->n_pixels < ROWS ? row->n_pixels : ROWS;
    configure(work.height);
    for (size_t g = 0; g < row->n_groups; g += 2) {
        work.block = g / 2;
        work.n_groups = g + 1 < row->n_groups ? 2 : 1;
        cover(&work);
    }
    _tile_release();
}
