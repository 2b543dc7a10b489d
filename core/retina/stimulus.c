/* Flashes, steps and bars.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/stimulus.h"

#include <math.h>

/* Frames [first, first + n) as far as the film has them. */
static size_t
end_frame(const CxMovie *movie, size_t first, size_t n)
{
    if (first >= movie->n_frames)
        return first;
    return first + MIN(n, movie->n_frames - first);
}

void
cx_stimulus_flash(CxMovie *movie, size_t first, size_t n, float amplitude)
{
    size_t end = end_frame(movie, first, n);
    size_t size = cx_movie_frame_size(movie);

    for (size_t t = first; t < end; t++) {
        float *frame = cx_movie_frame(movie, t);

        for (size_t i = 0; i < size; i++)
            frame[i] += amplitude;
    }
}

void
cx_stimulus_step(CxMovie *movie, size_t first, float amplitude)
{
    cx_stimulus_flash(movie, first, movie->n_frames, amplitude);
}

void
cx_stimulus_flash_train(CxMovie *movie, size_t first, size_t n, size_t period,
                        size_t duration, float amplitude)
{
    for (size_t i = 0; i < n; i++)
        cx_stimulus_flash(movie, first + i * period, duration, amplitude);
}

/* The bar's sub-pixels [*lo, *hi) within the film's width. */
static void
find_extent(size_t width, double centre_px, unsigned width_px, int64_t *lo,
            int64_t *hi)
{
    const int64_t fine = CX_STIMULUS_OVERSAMPLING;
    int64_t n = (int64_t)width * fine;
    double middle = trunc(centre_px * (double)fine + (double)(n / 2));
    int64_t half = (int64_t)width_px * fine / 2;
    int64_t centre = (int64_t)CLAMP(middle, -0x1p40, 0x1p40);

    *lo = CLAMP(centre - half, 0, n);
    *hi = CLAMP(centre + half, *lo, n);
}

void
cx_stimulus_bar(CxMovie *movie, size_t frame, double centre_px,
                unsigned width_px, float amplitude)
{
    const int64_t fine = CX_STIMULUS_OVERSAMPLING;
    int64_t lo, hi;

    if (frame >= movie->n_frames)
        return;
    find_extent(movie->width, centre_px, width_px, &lo, &hi);
    for (int64_t x = lo / fine; x * fine < hi; x++) {
        int64_t covered = MIN(hi, (x + 1) * fine) - MAX(lo, x * fine);
        float value = amplitude * (float)covered / (float)fine;
        float *at = cx_movie_frame(movie, frame) + x;

        for (size_t y = 0; y < movie->height; y++)
            at[y * movie->width] += value;
    }
}

void
cx_stimulus_bar_exact(CxMovie *movie, size_t frame, double centre_px,
                      double width_px, float amplitude)
{
    double width = (double)movie->width;
    double lo = CLAMP(centre_px + 0.5 * (width - width_px), 0.0, width);
    double hi = CLAMP(centre_px + 0.5 * (width + width_px), lo, width);

    if (frame >= movie->n_frames)
        return;
    for (size_t x = (size_t)lo; (double)x < hi; x++) {
        double covered = MIN(hi, (double)x + 1.0) - MAX(lo, (double)x);
        float *at = cx_movie_frame(movie, frame) + x;

        for (size_t y = 0; y < movie->height; y++)
            at[y * movie->width] += amplitude * (float)covered;
    }
}

void
cx_stimulus_flash_bar(CxMovie *movie, size_t first, size_t n, double centre_px,
                      unsigned width_px, float amplitude)
{
    size_t end = end_frame(movie, first, n);

    for (size_t t = first; t < end; t++)
        cx_stimulus_bar(movie, t, centre_px, width_px, amplitude);
}

size_t
cx_stimulus_sweep_frames(double from_px, double to_px, double speed_px)
{
    return 1 + (size_t)floor(fabs(to_px - from_px) / speed_px);
}

double
cx_stimulus_sweep_centre(double from_px, double to_px, size_t n_frames,
                         size_t i)
{
    if (i + 1 == n_frames && n_frames > 1)
        return to_px;
    double step = n_frames > 1 ? (to_px - from_px) / (double)(n_frames - 1) : 0;
    return (double)i * step + from_px;
}

void
cx_stimulus_sweep(CxMovie *movie, size_t first, double from_px, double to_px,
                  double speed_px, unsigned width_px, float amplitude,
                  float *centres)
{
    size_t n = cx_stimulus_sweep_frames(from_px, to_px, speed_px);
    size_t end = end_frame(movie, first, n);

    for (size_t t = first; t < end; t++) {
        double centre = cx_stimulus_sweep_centre(from_px, to_px, n, t - first);

        cx_stimulus_bar(movie, t, centre, width_px, amplitude);
        if (centres != NULL)
            centres[t - first] = (float)centre;
    }
}
