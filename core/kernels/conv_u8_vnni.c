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

/* Words [from, to) of a K block into the sums of one group or both. */
INLINE void
add_words(__m512i sums[2 * MAX_PIXELS], const uint8_t *src, size_t step,
          const uint8_t *w0, const uint8_t *w1, size_t from, size_t to,
          int n_px, bool first, bool second)
{
    const uint8_t *at[THIRDS];

    /* Pixel p from base p / 3, so that the address is base + {0, 1, 2} step. */
    CX_UNROLL
    for (int i = 0; i < THIRDS; i++)
        at[i] = src + (size_t)(3 * i) * step + 4 * from;
    for (size_t w = from; w < to; w++) {
        __m512i a = _mm512_setzero_si512(), b = a;

        if (first)
            a = _mm512_load_si512(w0 + w * WORD_BYTES);
        if (second)
            b = _mm512_load_si512(w1 + w * WORD_BYTES);
        CX_UNROLL
        for (int p = 0; p < n_px; p++) {
            __m512i s = broadcast(at[p / 3] + (size_t)(p % 3) * step);

            if (first)
                sums[p] = _mm512_dpbusd_epi32(sums[p], s, a);
            if (second)
                sums[MAX_PIXELS + p] =
                    _mm512_dpbusd_epi32(sums[MAX_PIXELS + p], s, b);
        }
        CX_UNROLL
        for (int i = 0; i < THIRDS; i++)
            at[i] += 4;
    }
}

/* A K block of two groups: words of one, of both, of one. */
INLINE void
add_pair(__m512i sums[2 * MAX_PIXELS], const uint8_t *src, size_t step,
         const uint8_t *w0, const uint8_t *w1, CxConvSpan s0, CxConvSpan s1,
         int n_px)
{
    size_t from = s0.first > s1.first ? s0.first : s1.first;
    size_t to = s0.last < s1.last ? s0.last : s1.last;

    if (from >= to)
        from = to = s0.last; /* nothing in common */
    if (s0.first < from)
        add_words(sums, src, step, w0, w1, s0.first, from, n_px, true, false);
    if (from == to) {
        add_words(sums, src, step, w0, w1, s1.first, s1.last, n_px, false,
                  true);
        return;
    }
    if (s1.first < from)
        add_words(sums, src, step, w0, w1, s1.first, from, n_px, false, true);
    add_words(sums, src, step, w0, w1, from, to, n_px, true, true);
    if (to < s0.last)
        add_words(sums, src, step, w0, w1, to, s0.last, n_px, true, false);
    if (to < s1.last)
        add_words(sums, src, step, w0, w1, to, s1.last, n_px, false, true);
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

INLINE void
run(const Place *place, size_t x, int n_px, bool pair)
{
    const CxConvRows *rows = place->rows;
    size_t n_k = rows->n_k, g = place->group;
    const uint8_t *const *src = rows->src + place->row * n_k;
    const uint8_t *w0 = rows->weights + g * n_k * CX_TILE_BYTES;
    const uint8_t *w1 = w0 + n_k * CX_TILE_BYTES;
    const CxConvSpan *spans = rows->spans + g * n_k;
    const uint8_t *bias = (const uint8_t *)rows->bias + g * CX_K_BYTES;
    const float *scale = rows->scale + g * CX_GROUP;
    uint8_t *dst = cx_conv_rows_dst(rows, place->row, g, rows->logits ? 2 : 1) +
                   x * rows->dst_pixel;
    __m512i sums[2 * MAX_PIXELS];

    CX_UNROLL
    for (int p = 0; p < n_px; p++) {
        sums[p] = _mm512_load_si512(bias);
        if (pair)
            sums[MAX_PIXELS + p] = _mm512_load_si512(bias + CX_K_BYTES);
    }
    for (size_t k = 0; k < n_k; k++) {
        size_t step = rows->steps[k], at = k * CX_TILE_BYTES;

        if (pair)
            add_pair(sums, src[k] + x * step, step, w0 + at, w1 + at, spans[k],
                     spans[n_k + k], n_px);
        else
            add_words(sums, src[k] + x * step, step, w0 + at, NULL,
                      spans[k].first, spans[k].last, n_px, true, false);
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
