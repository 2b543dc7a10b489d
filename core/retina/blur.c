/* Gaussian blur of one frame.
 *
 * Both passes add whole rows, so that the inner loops run over contiguous
 * memory: in y rows of the frame, in x shifts of a row with its ends repeated.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/blur.h"

#include <math.h>
#include <string.h>

struct CxBlur {
    size_t height, width, radius;
    float *weights; /* [radius + 1], middle first */
    float *row;     /* width + 2 radius */
    float *rows;    /* a frame between the passes */
};

CxBlur *
cx_blur_new(double sigma_px, size_t height, size_t width)
{
    CxBlur *blur = g_new0(CxBlur, 1);
    double sum = 0.0;

    blur->height = height;
    blur->width = width;
    blur->radius = (size_t)ceil(4.0 * sigma_px);
    blur->weights = g_new0(float, blur->radius + 1);
    blur->row = g_new0(float, width + 2 * blur->radius);
    blur->rows = height > 1 ? g_new0(float, height *width) : NULL;
    for (size_t k = 0; k <= blur->radius; k++) {
        double z = sigma_px > 0.0 ? (double)k / sigma_px : 0.0;

        blur->weights[k] = (float)exp(-0.5 * z * z);
        sum += (k == 0 ? 1.0 : 2.0) * (double)blur->weights[k];
    }
    for (size_t k = 0; k <= blur->radius; k++)
        blur->weights[k] = (float)((double)blur->weights[k] / sum);
    return blur;
}

void
cx_blur_free(CxBlur *blur)
{
    if (blur == NULL)
        return;
    g_free(blur->weights);
    g_free(blur->row);
    g_free(blur->rows);
    g_free(blur);
}

/* dst += weight (a + b) */
static void
add_pair(float *restrict dst, const float *restrict a, const float *restrict b,
         float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] += weight * (a[i] + b[i]);
}

static void
scale(float *restrict dst, const float *restrict src, float weight, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = weight * src[i];
}

/* Row y of the frame, blurred in y, into out. */
static void
blur_column(const CxBlur *blur, const float *src, size_t y, float *out)
{
    size_t w = blur->width, last = blur->height - 1;

    scale(out, src + y * w, blur->weights[0], w);
    for (size_t k = 1; k <= blur->radius; k++) {
        size_t above = y > k ? y - k : 0;
        size_t below = MIN(y + k, last);

        add_pair(out, src + above * w, src + below * w, blur->weights[k], w);
    }
}

/* The middle of blur->row, blurred in x. */
static void
blur_row(CxBlur *blur, float *dst)
{
    size_t w = blur->width, r = blur->radius;
    float *middle = blur->row + r;

    for (size_t k = 1; k <= r; k++) {
        middle[-(ptrdiff_t)k] = middle[0];
        middle[w - 1 + k] = middle[w - 1];
    }
    scale(dst, middle, blur->weights[0], w);
    for (size_t k = 1; k <= r; k++)
        add_pair(dst, middle - k, middle + k, blur->weights[k], w);
}

void
cx_blur_apply(CxBlur *blur, const float *src, float *dst)
{
    float *middle = blur->row + blur->radius;
    size_t w = blur->width;

    if (blur->height == 1) {
        memcpy(middle, src, w * sizeof(float));
        blur_row(blur, dst);
        return;
    }
    for (size_t y = 0; y < blur->height; y++) {
        memcpy(middle, src + y * w, w * sizeof(float));
        blur_row(blur, blur->rows + y * w);
    }
    for (size_t y = 0; y < blur->height; y++)
        blur_column(blur, blur->rows, y, dst + y * w);
}
