/* Fourier transforms of many small planes at once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/plane_dft.h"

#include "core/base/alloc.h"

#include <math.h>

struct CxPlaneDft {
    size_t height, width, n_fx;
    /* [row of the operand][row of the result]: real and imaginary rows turn
     * about */
    float *x_forward; /* [x][fx, ri] */
    float *y_forward; /* [y, ri][fy, ri] */
    float *y_inverse; /* [fy, ri][y, ri] */
    float *x_inverse; /* [fx, ri][x] */
};

/* exp(sign 2 pi i a b / n), exact in the angle. */
static void
turn(size_t a, size_t b, size_t n, double sign, double *re, double *im)
{
    double angle = 2.0 * G_PI * (double)(a * b % n) / (double)n;

    *re = cos(angle);
    *im = sign * sin(angle);
}

static void
fill_x(CxPlaneDft *dft)
{
    size_t width = dft->width;
    double area = (double)(dft->height * width);

    for (size_t f = 0; f < dft->n_fx; f++) {
        bool own = f == 0 || 2 * f == width; /* its own mirror image */

        for (size_t x = 0; x < width; x++) {
            double re, im, share = (own ? 1.0 : 2.0) / area;

            turn(f, x, width, -1.0, &re, &im);
            dft->x_forward[(x * dft->n_fx + f) * 2] = (float)re;
            dft->x_forward[(x * dft->n_fx + f) * 2 + 1] = (float)im;
            dft->x_inverse[2 * f * width + x] = (float)(share * re);
            dft->x_inverse[(2 * f + 1) * width + x] =
                own ? 0.0f : (float)(share * im);
        }
    }
}

/* (a + bi)(re + im i) as a real 2 x 2 block of a matrix [j][i]. */
static void
put_complex(float *matrix, size_t n, size_t j, size_t i, double re, double im)
{
    matrix[2 * j * n + 2 * i] = (float)re;
    matrix[2 * j * n + 2 * i + 1] = (float)im;
    matrix[(2 * j + 1) * n + 2 * i] = (float)-im;
    matrix[(2 * j + 1) * n + 2 * i + 1] = (float)re;
}

static void
fill_y(CxPlaneDft *dft)
{
    size_t height = dft->height;

    for (size_t f = 0; f < height; f++)
        for (size_t y = 0; y < height; y++) {
            double re, im;

            turn(f, y, height, -1.0, &re, &im);
            put_complex(dft->y_forward, 2 * height, y, f, re, im);
            put_complex(dft->y_inverse, 2 * height, f, y, re, -im);
        }
}

CxPlaneDft *
cx_plane_dft_new(size_t height, size_t width, GError **error)
{
    g_autoptr(CxPlaneDft) dft = g_new0(CxPlaneDft, 1);

    g_return_val_if_fail(height >= 1 && height <= CX_PLANE_MAX_SIDE, NULL);
    g_return_val_if_fail(width >= 1 && width <= CX_PLANE_MAX_SIDE, NULL);
    dft->height = height;
    dft->width = width;
    dft->n_fx = width / 2 + 1;
    size_t n_x = 2 * dft->n_fx * width, n_y = 4 * height * height;
    dft->x_forward = cx_try_alloc(n_x, sizeof(float), error);
    dft->x_inverse =
        dft->x_forward != NULL ? cx_try_alloc(n_x, sizeof(float), error) : NULL;
    dft->y_forward =
        dft->x_inverse != NULL ? cx_try_alloc(n_y, sizeof(float), error) : NULL;
    dft->y_inverse =
        dft->y_forward != NULL ? cx_try_alloc(n_y, sizeof(float), error) : NULL;
    if (dft->y_inverse == NULL)
        return NULL;
    fill_x(dft);
    fill_y(dft);
    return g_steal_pointer(&dft);
}

void
cx_plane_dft_free(CxPlaneDft *dft)
{
    if (dft == NULL)
        return;
    cx_free(dft->x_forward);
    cx_free(dft->y_forward);
    cx_free(dft->y_inverse);
    cx_free(dft->x_inverse);
    g_free(dft);
}

size_t
cx_plane_dft_n_frequencies(const CxPlaneDft *dft)
{
    return dft->n_fx * dft->height;
}

size_t
cx_plane_dft_scratch(const CxPlaneDft *dft, size_t lanes)
{
    return 2 * dft->n_fx * dft->height * lanes;
}

/* Rows step apart. */
static void
fill_table(size_t *at, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i++)
        at[i] = i * step;
}

/* Rows (fx, ri) of one y in [fx][y][ri][lane]. */
static void
fill_fx_table(const CxPlaneDft *dft, size_t *at, size_t n_y, size_t lanes)
{
    for (size_t i = 0; i < 2 * dft->n_fx; i++)
        at[i] = (i / 2 * n_y * 2 + i % 2) * lanes;
}

void
cx_plane_dft_forward(const CxPlaneDft *dft, const CxKernels *kernels,
                     const float *src, size_t n_y, size_t n_x, size_t lanes,
                     float *spectrum, float *scratch)
{
    size_t step[2 * CX_PLANE_MAX_SIDE], fx[CX_PLANE_MAX_SIDE + 2];
    CxGemmRows along_x = {.n_i = 2 * dft->n_fx,
                          .n_j = n_x,
                          .n = lanes,
                          .a = dft->x_forward,
                          .a_i = 1,
                          .a_j = 2 * dft->n_fx,
                          .b = src,
                          .b_at = step,
                          .c = scratch,
                          .c_at = fx,
                          .parts = n_y,
                          .b_part = n_x * lanes,
                          .c_part = 2 * lanes};
    CxGemmRows along_y = {.n_i = 2 * dft->height,
                          .n_j = 2 * n_y,
                          .n = lanes,
                          .a = dft->y_forward,
                          .a_i = 1,
                          .a_j = 2 * dft->height,
                          .b = scratch,
                          .b_at = step,
                          .c = spectrum,
                          .c_at = step,
                          .parts = dft->n_fx,
                          .b_part = 2 * n_y * lanes,
                          .c_part = 2 * dft->height * lanes};

    fill_table(step, MAX(2 * dft->height, n_x), lanes);
    fill_fx_table(dft, fx, n_y, lanes);
    kernels->gemm_rows_f32(&along_x);
    kernels->gemm_rows_f32(&along_y);
}

void
cx_plane_dft_inverse(const CxPlaneDft *dft, const CxKernels *kernels,
                     const float *spectrum, size_t n_y, size_t n_x,
                     size_t lanes, float *dst, float *scratch)
{
    size_t step[2 * CX_PLANE_MAX_SIDE], fx[CX_PLANE_MAX_SIDE + 2];
    CxGemmRows along_y = {.n_i = 2 * n_y,
                          .n_j = 2 * dft->height,
                          .n = lanes,
                          .a = dft->y_inverse,
                          .a_i = 1,
                          .a_j = 2 * dft->height,
                          .b = spectrum,
                          .b_at = step,
                          .c = scratch,
                          .c_at = step,
                          .parts = dft->n_fx,
                          .b_part = 2 * dft->height * lanes,
                          .c_part = 2 * n_y * lanes};
    CxGemmRows along_x = {.n_i = n_x,
                          .n_j = 2 * dft->n_fx,
                          .n = lanes,
                          .a = dft->x_inverse,
                          .a_i = 1,
                          .a_j = dft->width,
                          .b = scratch,
                          .b_at = fx,
                          .c = dst,
                          .c_at = step,
                          .parts = n_y,
                          .b_part = 2 * lanes,
                          .c_part = n_x * lanes};

    fill_table(step, MAX(2 * dft->height, n_x), lanes);
    fill_fx_table(dft, fx, n_y, lanes);
    kernels->gemm_rows_f32(&along_y);
    kernels->gemm_rows_f32(&along_x);
}
