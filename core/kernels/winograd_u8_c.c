/* Reference of winograd_u8.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/winograd_u8.h"

#define N 6 /* points along an axis */
#define M 4 /* pixels */

static const int8_t samples_matrix[N][N] = {
    {4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
    {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1},
};

static const int8_t weights_matrix[N][3] = {
    {1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {1, -2, 4}, {0, 0, 1},
};

/* A^T T, divided by what its rows have in common: 24, 12, 6 and 6 times the
 * sums. */
static const int8_t sums_matrix[M][N] = {
    {6, -4, -4, 1, 1, 0},
    {0, -2, 2, 1, -1, 0},
    {0, -1, -1, 1, 1, 0},
    {0, -1, 1, 2, -2, 6},
};

/* 24, 12, 6, 6 are 3 times these powers of two. */
static const uint8_t sums_shift[M] = {3, 2, 1, 1};

void
cx_winograd_u8_weights(const int8_t weights[9],
                       int16_t points[CX_WINOGRAD_U8_POINTS])
{
    int half[N][3];

    for (int i = 0; i < N; i++)
        for (int x = 0; x < 3; x++) {
            half[i][x] = 0;
            for (int y = 0; y < 3; y++)
                half[i][x] += weights_matrix[i][y] * weights[3 * y + x];
        }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            int sum = 0;

            for (int x = 0; x < 3; x++)
                sum += weights_matrix[j][x] * half[i][x];
            points[N * i + j] = (int16_t)sum;
        }
}

/* Adds the products of one channel of a block to the sums of 16 outputs. */
static void
add_channel(uint32_t products[CX_WINOGRAD_U8_POINTS][16],
            const CxWinogradU8 *sums, size_t block, size_t channel,
            size_t group)
{
    size_t in = channel / 16, step = sums->steps[in];
    int half[N][N];

    for (int i = 0; i < N; i++)
        for (int x = 0; x < N; x++) {
            half[i][x] = 0;
            for (int y = 0; y < N; y++)
                half[i][x] +=
                    samples_matrix[i][y] *
                    *(sums->src[(size_t)y * sums->n_in + in] +
                      (4 * block + (size_t)x) * step - step + channel % 16);
        }
    for (size_t p = 0; p < CX_WINOGRAD_U8_POINTS; p++) {
        const int16_t *w =
            sums->weights +
            (((p * sums->n_out + group) * 8 * sums->n_in + channel / 2) * 16) *
                2 +
            channel % 2;
        int value = 0;

        for (int x = 0; x < N; x++)
            value += samples_matrix[p % N][x] * half[p / N][x];
        for (size_t o = 0; o < 16; o++)
            products[p][o] += (uint32_t)(value * w[2 * o]);
    }
}

static void
put_block(const CxWinogradU8 *sums, size_t block, size_t group,
          uint32_t products[CX_WINOGRAD_U8_POINTS][16])
{
    const uint32_t ninth = 0x38e38e39; /* times 9 is 1 modulo 2^32 */

    for (size_t o = 0; o < 16; o++)
        for (size_t y = 0; y < M; y++)
            for (size_t x = 0; x < M; x++) {
                uint32_t sum = 0;

                for (size_t p = 0; p < CX_WINOGRAD_U8_POINTS; p++)
                    sum += (uint32_t)(sums_matrix[y][p / N] *
                                      sums_matrix[x][p % N]) *
                           products[p][o];
                sums->dst[y * sums->dst_row +
                          (4 * block + x) * 16 * sums->n_out + 16 * group + o] =
                    (int32_t)(sum * ninth) >> (sums_shift[y] + sums_shift[x]);
            }
}

void
cx_winograd_u8_c(const CxWinogradU8 *sums)
{
    for (size_t block = 0; 4 * block < sums->n_pixels; block++)
        for (size_t group = 0; group < sums->n_out; group++) {
            uint32_t products[CX_WINOGRAD_U8_POINTS][16] = {{0}};

            for (size_t c = 0; c < 16 * sums->n_in; c++)
                add_channel(products, sums, block, c, group);
            put_block(sums, block, group, products);
        }
}
