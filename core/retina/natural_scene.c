/* A picture with a spectrum of 1/f^2, by one inverse Fourier transform.
 *
 * Complex normal coefficients have Rayleigh amplitudes and uniform phases; the
 * real part of their transform is the picture.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/natural_scene.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <math.h>
#include <string.h>

#define MAX_SIDE 8192

struct CxNaturalScene {
    size_t side, height; /* height 1: a line */
    float *data;
};

/* In place; n a power of two; elements stride complex numbers apart. */
static void
reorder(double *z, size_t n, size_t stride)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;

        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i >= j)
            continue;
        for (unsigned c = 0; c < 2; c++) {
            double swap = z[2 * i * stride + c];

            z[2 * i * stride + c] = z[2 * j * stride + c];
            z[2 * j * stride + c] = swap;
        }
    }
}

static void
butterfly(double *a, double *b, double c, double s)
{
    double re = b[0] * c - b[1] * s, im = b[0] * s + b[1] * c;

    b[0] = a[0] - re;
    b[1] = a[1] - im;
    a[0] += re;
    a[1] += im;
}

static void
transform(double *z, size_t n, size_t stride)
{
    reorder(z, n, stride);
    for (size_t half = 1; half < n; half *= 2) {
        for (size_t k = 0; k < half; k++) {
            double angle = G_PI * (double)k / (double)half;
            double c = cos(angle), s = sin(angle);

            for (size_t i = k; i < n; i += 2 * half)
                butterfly(z + 2 * i * stride, z + 2 * (i + half) * stride, c,
                          s);
        }
    }
}

/* Frequency of index i, in cycles a picture. */
static double
frequency(size_t i, size_t side)
{
    return i <= side / 2 ? (double)i : (double)i - (double)side;
}

static void
fill_spectrum(double *z, size_t side, size_t height, size_t n_waves, CxRng *rng)
{
    double n = (double)n_waves;

    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < side; x++) {
            double f = hypot(frequency(x, side), frequency(y, height));

            /* One half of a line's frequencies is enough. */
            if (f < 1.0 || f > n || (height == 1 && x > side / 2))
                continue;
            z[2 * (y * side + x)] = cx_rng_normal(rng) / f;
            z[2 * (y * side + x) + 1] = cx_rng_normal(rng) / f;
        }
    }
}

/* Real parts, to a mean of 0 and a variance of 1. */
static void
standardise(const double *z, size_t n, float *data)
{
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < n; i++) {
        sum += z[2 * i];
        squares += z[2 * i] * z[2 * i];
    }
    double mean = sum / (double)n;
    double sd = sqrt(MAX(squares / (double)n - mean * mean, 1e-300));
    for (size_t i = 0; i < n; i++)
        data[i] = (float)((z[2 * i] - mean) / sd);
}

CxNaturalScene *
cx_natural_scene_new(size_t side, bool square, size_t n_waves, CxRng *rng,
                     GError **error)
{
    size_t height = square ? side : 1;

    if (side < 2 || side > MAX_SIDE || (side & (side - 1)) != 0 ||
        n_waves == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a scene of %zu pixels with %zu waves: expected a power "
                    "of two up to %d, and at least 1 wave",
                    side, n_waves, MAX_SIDE);
        return NULL;
    }
    CX_AUTOFREE double *z =
        cx_try_alloc0(side * height, 2 * sizeof(double), error);
    float *data =
        z != NULL ? cx_try_alloc(side * height, sizeof(float), error) : NULL;
    if (data == NULL)
        return NULL;
    fill_spectrum(z, side, height, n_waves, rng);
    for (size_t y = 0; y < height; y++)
        transform(z + 2 * y * side, side, 1);
    for (size_t x = 0; square && x < side; x++)
        transform(z + 2 * x, height, side);
    standardise(z, side * height, data);
    CxNaturalScene *scene = g_new0(CxNaturalScene, 1);
    *scene = (CxNaturalScene){side, height, data};
    return scene;
}

void
cx_natural_scene_free(CxNaturalScene *scene)
{
    if (scene == NULL)
        return;
    cx_free(scene->data);
    g_free(scene);
}

size_t
cx_natural_scene_side(const CxNaturalScene *scene)
{
    return scene->side;
}

/* Whole part modulo side, and what remains. */
static size_t
split(double at, size_t side, float *rest)
{
    double whole = floor(at);
    double wrapped = fmod(whole, (double)side);

    *rest = (float)(at - whole);
    return (size_t)(wrapped < 0.0 ? wrapped + (double)side : wrapped);
}

void
cx_natural_scene_add(const CxNaturalScene *scene, double x, double y,
                     float contrast, size_t height, size_t width, float *window)
{
    size_t mask = scene->side - 1, y_mask = scene->height - 1;
    float fx, fy;
    size_t x0 = split(x, scene->side, &fx);
    size_t y0 = split(y, scene->height, &fy);

    for (size_t j = 0; j < height; j++) {
        const float *a = scene->data + ((y0 + j) & y_mask) * scene->side;
        const float *b = scene->data + ((y0 + j + 1) & y_mask) * scene->side;
        float *out = window + j * width;

        for (size_t i = 0; i < width; i++) {
            size_t p = (x0 + i) & mask, q = (p + 1) & mask;
            float upper = a[p] + fx * (a[q] - a[p]);
            float lower = b[p] + fx * (b[q] - b[p]);

            out[i] += contrast * (upper + fy * (lower - upper));
        }
    }
}
