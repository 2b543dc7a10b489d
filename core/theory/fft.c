/* The discrete Fourier transform: radix 2, bits reversed first (Cooley and
 * Tukey, 1965).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/fft.h"

#include <glib.h>
#include <math.h>

typedef struct {
    double re, im;
} Complex;

static void
reverse_bits(Complex *x, unsigned n)
{
    for (unsigned i = 1, j = 0; i < n; i++) {
        unsigned bit = n >> 1;

        for (; (j & bit) != 0; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            Complex other = x[i];

            x[i] = x[j];
            x[j] = other;
        }
    }
}

/* turns[k] = exp(sign 2 pi i k / n), k < n / 2. */
static void
transform(Complex *x, unsigned n, const Complex *turns)
{
    reverse_bits(x, n);
    for (unsigned half = 1; half < n; half *= 2)
        for (unsigned from = 0; from < n; from += 2 * half)
            for (unsigned k = 0; k < half; k++) {
                Complex turn = turns[k * (n / (2 * half))];
                Complex *a = &x[from + k], *b = a + half;
                double re = b->re * turn.re - b->im * turn.im;
                double im = b->re * turn.im + b->im * turn.re;

                *b = (Complex){a->re - re, a->im - im};
                a->re += re;
                a->im += im;
            }
}

/* n_lines lines of n values, `step` apart, beginning `between` apart. */
static void
transform_lines(double *re, double *im, unsigned n, size_t step,
                unsigned n_lines, size_t between, bool inverse)
{
    g_autofree Complex *turns = g_new(Complex, n / 2 + 1);
    g_autofree Complex *line = g_new(Complex, n);
    double angle = (inverse ? 2.0 : -2.0) * G_PI / n;

    for (unsigned k = 0; k < n / 2; k++)
        turns[k] = (Complex){cos(angle * k), sin(angle * k)};
    for (unsigned i = 0; i < n_lines; i++) {
        double *a = re + i * between, *b = im + i * between;

        for (unsigned k = 0; k < n; k++)
            line[k] = (Complex){a[k * step], b[k * step]};
        transform(line, n, turns);
        for (unsigned k = 0; k < n; k++) {
            a[k * step] = line[k].re;
            b[k * step] = line[k].im;
        }
    }
}

void
cx_fft_2d(double *re, double *im, unsigned width, unsigned height, bool inverse)
{
    g_assert(width <= CX_FFT_MAX_SIDE && height <= CX_FFT_MAX_SIDE);
    transform_lines(re, im, width, 1, height, width, inverse);
    transform_lines(re, im, height, width, width, 1, inverse);
    if (!inverse)
        return;
    double scale = 1.0 / ((double)width * height);
    for (size_t i = 0; i < (size_t)width * height; i++) {
        re[i] *= scale;
        im[i] *= scale;
    }
}

double
cx_fft_frequency(unsigned i, unsigned n)
{
    return (i < (n + 1) / 2 ? (double)i : (double)i - n) / n;
}

unsigned
cx_fft_size(unsigned n)
{
    unsigned size = 1;

    while (size < n)
        size *= 2;
    return size;
}
