/* conv_rows.h with AVX-512 VNNI, u8 samples: 16 outputs a register.
 *
 * Two groups of outputs against 14 pixels: 28 sums, two words of weights, a
 * broadcast word of samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/requantise_avx512.h"
#include "core/kernels/unroll.h"

#define INLINE static inline __attribute__((always_inline))
#define MAX_PIXELS 14
#define THIRDS 5 /* of MAX_PIXELS, rounded up */
#define WORD_BYTES (4 * CX_GROUP)

/* Which part of a call is at work. */
typedef struct {
    const CxConvRows *rows;
    size_t row, group;
} Place;

INLINE __m512i
broadcast(const uint8_t *at)
{
    int32_t word;

    __builtin_memcpy(&word, at, sizeof word);
    return _mm512_set1_epi32(word);
}

typedef enum { BOTH, FIRST, SECOND } Side;

/* Words [from, to) of a K block into the sums of both groups or one. */
INLINE void
add_words(__m512i sums[2 * MAX_PIXELS], const uint8_t *src, size_t step,
          const uint8_t *w0, const uint8_t *w1, size_t from, size_t to,
          int n_px, Side side)
{
    const uint8_t *at[THIRDS];

    /* Pixel p from base p / 3, so that the address is base + {0, 1, 2} step. */
    CX_UNROLL
    for (int i = 0; i < THIRDS; i++)
        at[i] = src + (size_t)(3 * i) * step;
    for (size_t w = from; w < to; w++) {
        __m512i a =
            _mm512_load_si512((side == SECOND ? w1 : w0) + w * WORD_BYTES);
        __m512i b = side == BOTH ? _mm512_load_si512(w1 + w * WORD_BYTES) : a;

        CX_UNROLL
        for (int p = 0; p < n_px; p++) {
            __m512i s = broadcast(at[p / 3] + (size_t)(p % 3) * step + 4 * w);

            if (side != SECOND)
                sums[p] = _mm512_dpbusd_epi32(sums[p], s, a);
            if (side != FIRST)
                sums[MAX_PIXELS + p] =
                    _mm512_dpbusd_epi32(sums[MAX_PIXELS + p], s, b);
        }
    }
}

/* Words of a K block that both groups have, or one of them alone: those lie
 * before and behind. */
INLINE void
cut_spans(CxConvSpan s0, CxConvSpan s1, Side side, CxConvSpan cut[2])
{
    CxConvSpan own = side == FIRST ? s0 : s1;
    uint8_t from = s0.first > s1.first ? s0.first : s1.first;
    uint8_t to = s0.last < s1.last ? s0.last : s1.last;

    if (from >= to) /* nothing in common */
        from = to = own.last;
    cut[0] =
        side == BOTH ? (CxConvSpan){from, to} : (CxConvSpan){own.first, from};
    cut[1] = (CxConvSpan){to, own.last};
}

/* All K blocks, the words of one side: loops of their own for each side let
 * the compiler keep the sums in registers. */
INLINE void
add_side(__m512i sums[2 * MAX_PIXELS], const Place *place, size_t x, int n_px,
         Side side)
{
    const CxConvRows *rows = place->rows;
    size_t n_k = rows->n_k;
    const uint8_t *const *src = rows->src + place->row * n_k;
    const uint8_t *w0 = rows->weights + place->group * n_k * CX_TILE_BYTES;
    const CxConvSpan *spans = rows->spans + place->group * n_k;

    for (size_t k = 0; k < n_k; k++, w0 += CX_TILE_BYTES) {
        CxConvSpan cut[2];

        cut_spans(spans[k], spans[n_k + k], side, cut);

        for (int i = 0; i < (side == BOTH ? 1 : 2); i++)
            add_words(sums, src[k] + x * rows->steps[k], rows->steps[k], w0,
                      w0 + n_k * CX_TILE_BYTES, cut[i].first, cut[i].last, n_px,
                      side);
    }
}

/* The same of a single group. */
INLINE void
add_single(__m512i sums[2 * MAX_PIXELS], const Place *place, size_t x, int n_px)
{
    const CxConvRows *rows = place->rows;
    size_t n_k = rows->n_k;
    const uint8_t *const *src = rows->src + place->row * n_k;
    const uint8_t *w0 = rows->weights + place->group * n_k * CX_TILE_BYTES;
    const CxConvSpan *spans = rows->spans + place->group * n_k;

    for (size_t k = 0; k < n_k; k++, w0 += CX_TILE_BYTES)
        add_words(sums, src[k] + x * rows->steps[k], rows->steps[k], w0, w0,
                  spans[k].first, spans[k].last, n_px, FIRST);
}

INLINE void
finish_pair(const __m512i sums[2 * MAX_PIXELS], uint8_t *dst, size_t stride,
            __m512 s0, __m512 s1, int n_px, bool logits)
{
    if (logits) {
        CX_UNROLL
        for (int p = 0; p < n_px; p++)
            _mm512_storeu_si512(dst + (size_t)p * stride,
                                cx_requantise_pack_logits(
                                    cx_requantise(sums[p], s0),
                                    cx_requantise(sums[MAX_PIXELS + p], s1)));
        return;
    }
    CX_UNROLL
    for (int p = 0; p < n_px; p += 2) {
        int q = p + 1 < n_px ? p + 1 : p;
        __m512i bytes = cx_requantise_pack_u8(
            cx_requantise(sums[p], s0), cx_requantise(sums[MAX_PIXELS + p], s1),
            cx_requantise(sums[q], s0),
            cx_requantise(sums[MAX_PIXELS + q], s1));

        cx_store_half(dst + (size_t)p * stride, bytes);
        if (q > p)
            _mm256_storeu_si256((__m256i *)(void *)(dst + (size_t)q * stride),
                                _mm512_extracti64x4_epi64(bytes, 1));
    }
}

/* The bias, and the sums there are already. */
INLINE void
start_sums(__m512i *sums, const Place *place, size_t x, int n_px, int side)
{
    const CxConvRows *rows = place->rows;
    size_t g = place->group + (size_t)side;
    __m512i bias =
        _mm512_load_si512((const uint8_t *)rows->bias + g * CX_K_BYTES);

    CX_UNROLL
    for (int p = 0; p < n_px; p++)
        sums[p] = bias;
    if (rows->sums == NULL)
        return;
    const int32_t *from =
        rows->sums[place->row] + x * rows->sums_pixel + g * CX_GROUP;
    CX_UNROLL
    for (int p = 0; p < n_px; p++)
        sums[p] = _mm512_add_epi32(
            bias, _mm512_loadu_si512(from + (size_t)p * rows->sums_pixel));
}

INLINE void
run(const Place *place, size_t x, int n_px, bool pair)
{
    const CxConvRows *rows = place->rows;
    size_t g = place->group;
    const float *scale = rows->scale + g * CX_GROUP;
    uint8_t *dst = cx_conv_rows_dst(rows, place->row, g, rows->logits ? 2 : 1) +
                   x * rows->dst_pixel;
    __m512i sums[2 * MAX_PIXELS];

    start_sums(sums, place, x, n_px, 0);
    if (pair) {
        add_side(sums, place, x, n_px, FIRST);
        start_sums(sums + MAX_PIXELS, place, x, n_px, 1);
        add_side(sums, place, x, n_px, SECOND);
        add_side(sums, place, x, n_px, BOTH);
    } else {
        add_single(sums, place, x, n_px);
    }
    __m512 s0 = _mm512_load_ps(scale);
    if (pair) {
        finish_pair(sums, dst, rows->dst_pixel, s0,
                    _mm512_load_ps(scale + CX_GROUP), n_px, rows->logits);
        return;
    }
    CX_UNROLL
    for (int p = 0; p < n_px; p++)
        cx_requantise_store_one(dst + (size_t)p * rows->dst_pixel,
                                cx_requantise(sums[p], s0), rows->logits);
}

#define RUN(n)                                                                 \
    static                                                                     \
        __attribute__((noinline)) void run_1_##n(const Place *place, size_t x) \
    {                                                                          \
        run(place, x, n, false);                                               \
    }                                                                          \
    static                                                                     \
        __attribute__((noinline)) void run_2_##n(const Place *place, size_t x) \
    {                                                                          \
        run(place, x, n, true);                                                \
    }

RUN(1)
RUN(2)
RUN(3)
RUN(4)
RUN(5)
RUN(6)
RUN(7)
RUN(8)
RUN(9)
RUN(10)
RUN(11)
RUN(12)
RUN(13)
RUN(14)

typedef void RunFn(const Place *place, size_t x);

/* By number of groups and pixels. */
static RunFn *const runs[2][MAX_PIXELS + 1] = {
    {NULL, run_1_1, run_1_2, run_1_3, run_1_4, run_1_5, run_1_6, run_1_7,
     run_1_8, run_1_9, run_1_10, run_1_11, run_1_12, run_1_13, run_1_14},
    {NULL, run_2_1, run_2_2, run_2_3, run_2_4, run_2_5, run_2_6, run_2_7,
     run_2_8, run_2_9, run_2_10, run_2_11, run_2_12, run_2_13, run_2_14},
};

/* Near-equal runs of pixels over a row. */
static void
cover(const Place *place)
{
    size_t n = place->rows->n_pixels;
    size_t n_runs = (n + MAX_PIXELS - 1) / MAX_PIXELS;
    bool pair = place->group + 1 < place->rows->n_groups;

    for (size_t i = 0; i < n_runs; i++) {
        size_t x = n * i / n_runs;

        runs[pair][n * (i + 1) / n_runs - x](place, x);
    }
}

void
cx_conv_rows_u8_vnni(const CxConvRows *rows)
{
    Place place = {.rows = rows};

    for (; place.group < rows->n_groups; place.group += 2)
        for (place.row = 0; place.row < rows->n_rows; place.row++)
            cover(&place);
}
