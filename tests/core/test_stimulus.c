/* Flashes and bars against what the published code would draw, written down
 * again from its description.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/stimulus.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* One row of a bar as the published code draws it: five fine pixels a pixel,
 * the centre cut to a whole one, half the width rounded down, block means. */
static void
draw_naive(double centre, int width_px, float amplitude, int width, float *row)
{
    int n = width * 5;
    int middle = (int)(centre * 5.0 + (double)(n / 2));
    int half = width_px * 5 / 2;
    int from = MAX(0, middle - half), to = MAX(0, MIN(n, middle + half));
    g_autofree float *fine = g_new0(float, n);

    for (int i = from; i < to; i++)
        fine[i] = amplitude;
    for (int x = 0; x < width; x++) {
        float sum = 0.0f;

        for (int i = 0; i < 5; i++)
            sum += fine[5 * x + i];
        row[x] = sum / 5.0f;
    }
}

static void
test_bar(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 2000; round++) {
        int width = 9 + (int)cx_rng_below(&rng, 60);
        int bar = 1 + (int)cx_rng_below(&rng, 8);
        double centre = (cx_rng_uniform(&rng) - 0.5) * 2.4 * (double)width;
        float amplitude = round % 2 == 0 ? -1.0f : -2.0f;
        g_autofree float *row = g_new(float, width);
        g_autoptr(CxMovie) movie = cx_movie_new(2, 3, (size_t)width, NULL);

        draw_naive(centre, bar, amplitude, width, row);
        cx_stimulus_bar(movie, 1, centre, (unsigned)bar, amplitude);
        for (int y = 0; y < 3; y++)
            for (int x = 0; x < width; x++) {
                g_assert_cmpfloat(movie->data[y * width + x], ==, 0.0f);
                g_assert_cmpfloat(movie->data[(3 + y) * width + x], ==, row[x]);
            }
    }
}

/* Area by area, from a grid a thousand times finer. */
static void
test_bar_exact(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 50; round++) {
        double centre = (cx_rng_uniform(&rng) - 0.5) * 24.0;
        double width = 0.3 + 5.0 * cx_rng_uniform(&rng);
        g_autoptr(CxMovie) movie = cx_movie_new(1, 2, 15, NULL);

        cx_stimulus_bar_exact(movie, 0, centre, width, -1.0f);
        for (int x = 0; x < 15; x++) {
            int covered = 0;

            for (int i = 0; i < 1000; i++)
                covered += fabs((double)x + ((double)i + 0.5) / 1000.0 - 7.5 -
                                centre) < 0.5 * width;
            g_assert_cmpfloat_with_epsilon(movie->data[x],
                                           -(float)covered / 1000.0f, 0.0021f);
            g_assert_cmpfloat(movie->data[x], ==, movie->data[15 + x]);
        }
    }
}

static void
test_flashes(void)
{
    g_autoptr(CxMovie) movie = cx_movie_new(30, 2, 2, NULL);

    cx_stimulus_flash_train(movie, 3, 3, 5, 2, -2.0f);
    cx_stimulus_step(movie, 20, -0.5f);
    cx_stimulus_flash(movie, 28, 100, 0.25f);
    cx_stimulus_flash(movie, 40, 2, 1.0f);
    for (size_t t = 0; t < 30; t++) {
        bool flash = t == 3 || t == 4 || t == 8 || t == 9 || t == 13 || t == 14;
        float wanted = (flash ? -2.0f : 0.0f) + (t >= 20 ? -0.5f : 0.0f) +
                       (t >= 28 ? 0.25f : 0.0f);

        for (size_t i = 0; i < 4; i++)
            g_assert_cmpfloat(cx_movie_frame(movie, t)[i], ==, wanted);
    }
}

static void
test_sweep(void)
{
    static const struct {
        double from, to, speed;
        size_t n;
    } cases[] = {
        {-30.0, 30.0, 0.08, 751}, {30.0, -30.0, 0.08, 751},
        {-40.0, 0.0, 0.24, 167},  {-40.0, -9.0, 0.19, 164},
        {-40.0, 40.0, 0.14, 572}, {-30.0, 30.0, 0.176, 341},
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(cases); k++) {
        double from = cases[k].from, to = cases[k].to;
        size_t n = cx_stimulus_sweep_frames(from, to, cases[k].speed);

        g_assert_cmpuint(n, ==, cases[k].n);
        double step = (to - from) / (double)(n - 1);
        for (size_t i = 0; i + 1 < n; i++)
            g_assert_cmpfloat(cx_stimulus_sweep_centre(from, to, n, i), ==,
                              (double)i * step + from);
        g_assert_cmpfloat(cx_stimulus_sweep_centre(from, to, n, n - 1), ==, to);
    }
    g_assert_cmpfloat(cx_stimulus_sweep_centre(2.0, 2.0, 1, 0), ==, 2.0);
}

static void
test_sweep_drawn(void)
{
    g_autoptr(CxMovie) movie = cx_movie_new(200, 1, 50, NULL);
    g_autofree float *centres = g_new0(float, 167);
    float row[50];

    cx_stimulus_sweep(movie, 10, -40.0, 0.0, 0.24, 2, -1.0f, centres);
    for (size_t t = 0; t < 200; t++) {
        memset(row, 0, sizeof row);
        if (t >= 10 && t < 177) {
            double centre = cx_stimulus_sweep_centre(-40.0, 0.0, 167, t - 10);

            draw_naive(centre, 2, -1.0f, 50, row);
            g_assert_cmpfloat(centres[t - 10], ==, (float)centre);
        }
        g_assert_cmpmem(row, sizeof row, cx_movie_frame(movie, t), sizeof row);
    }
}

static void
test_movie(void)
{
    g_autoptr(GError) error = NULL;
    CxRng rng = cx_test_rng();
    size_t n;

    g_assert_null(cx_movie_new(0, 1, 1, &error));
    g_clear_error(&error);
    g_assert_null(cx_movie_new(SIZE_MAX / 2, 4, 4, &error));
    g_assert_nonnull(error);
    g_autoptr(CxMovie) row = cx_movie_new(5, 1, 7, NULL);
    for (size_t i = 0; i < 35; i++)
        row->data[i] = (float)cx_rng_uniform(&rng);
    g_autoptr(CxMovie) tall = cx_movie_repeat_rows(row, 4, NULL);
    g_autoptr(CxMovie) back = cx_movie_first_row(tall, NULL);
    g_autoptr(CxMovie) copy = cx_movie_copy(tall, NULL);
    g_assert_true(cx_movie_is_constant_in_y(tall));
    g_assert_cmpmem(back->data, 140, row->data, 140);
    copy->data[7 * 4 * 3 + 9] += 1.0f;
    g_assert_false(cx_movie_is_constant_in_y(copy));
    g_assert_true(cx_movie_is_constant_in_y(tall));
    g_autofree CxCellPosition *cells = cx_cell_positions_all(6, 9, 2, &n);
    g_assert_cmpuint(n, ==, 10);
    g_assert_true(cells[0].x == 2 && cells[0].y == 2);
    g_assert_true(cells[9].x == 6 && cells[9].y == 3);
    g_autofree CxCellPosition *line = cx_cell_positions_all(1, 9, 2, &n);
    g_assert_cmpuint(n, ==, 5);
    g_assert_null(cx_cell_positions_all(4, 9, 2, &n));
    g_assert_cmpuint(n, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stimulus/bar", test_bar);
    g_test_add_func("/stimulus/bar-exact", test_bar_exact);
    g_test_add_func("/stimulus/flashes", test_flashes);
    g_test_add_func("/stimulus/sweep", test_sweep);
    g_test_add_func("/stimulus/sweep-drawn", test_sweep_drawn);
    g_test_add_func("/stimulus/movie", test_movie);
    return g_test_run();
}
