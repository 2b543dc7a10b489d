/* The linear-nonlinear baseline finds a filter it could have made, and shows
 * none of the four phenomena when it learns from the simulated retina.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/retina/ln_model.h"
#include "core/retina/natural.h"
#include "tests/support/check.h"

#include <math.h>

#define HISTORY 6
#define SIZE 5

static CxMovie *
noise(CxRng *rng, size_t n_frames, size_t height, size_t width)
{
    CxMovie *movie = cx_movie_new(n_frames, height, width, NULL);

    for (size_t i = 0; i < n_frames * height * width; i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

static CxLnOptions
small(void)
{
    CxLnOptions o = cx_ln_options_default();

    o.history = HISTORY;
    o.size_px = SIZE;
    o.n_threads = 1;
    return o;
}

/* What a filter gives at a cell, by the definition. */
static double
filter_naive(const CxMovie *movie, const float *filter, size_t kernel_y, int t,
             CxCellPosition cell)
{
    int half_y = (int)kernel_y / 2, half_x = SIZE / 2;
    double sum = 0.0;

    for (int h = 0; h < HISTORY; h++)
        for (int dy = -half_y; dy <= half_y; dy++)
            for (int dx = -half_x; dx <= half_x; dx++) {
                int frame = t - HISTORY + h;
                int y = CLAMP(cell.y + dy, 0, (int)movie->height - 1);
                int x = CLAMP(cell.x + dx, 0, (int)movie->width - 1);

                if (frame >= 0)
                    sum += (double)*filter *
                           (double)cx_movie_frame(
                               movie, (size_t)frame)[y * (int)movie->width + x];
                filter++;
            }
    return sum;
}

static double
cosine(const float *a, const float *b, size_t n)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;

    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

static void
recover(CxRng *rng, size_t height)
{
    size_t kernel_y = height > 1 ? SIZE : 1, n_weights, n_cells;
    g_autoptr(CxMovie) movie = noise(rng, 1500, height, 11);
    g_autofree CxCellPosition *cells =
        cx_cell_positions_all(height, 11, 0, &n_cells);
    g_autofree float *rates = g_new(float, 1500 * n_cells);
    float filter[HISTORY * SIZE * SIZE];
    CxLnOptions o = small();

    n_weights = HISTORY * kernel_y * SIZE;
    for (size_t i = 0; i < n_weights; i++)
        filter[i] = (float)cx_rng_normal(rng);
    for (int t = 0; t < 1500; t++)
        for (size_t i = 0; i < n_cells; i++) {
            double drive = filter_naive(movie, filter, kernel_y, t, cells[i]);

            rates[(size_t)t * n_cells + i] = (float)MAX(drive - 1.0, 0.0);
        }
    g_autoptr(CxLnModel) model =
        cx_ln_model_fit(movie, cells, n_cells, rates, &o, NULL, NULL);
    g_test_message("r %.4f, cosine %.4f", model->correlation,
                   cosine(model->filter, filter, n_weights));
    g_assert_cmpuint(model->history, ==, HISTORY);
    g_assert_cmpuint(model->height, ==, kernel_y);
    g_assert_cmpfloat(cosine(model->filter, filter, n_weights), >, 0.99);
    g_assert_cmpfloat(model->correlation, >, 0.98);
    for (size_t i = 1; i < model->n_knots; i++)
        g_assert_true(model->knot_x[i] > model->knot_x[i - 1] &&
                      model->knot_y[i] > model->knot_y[i - 1]);
    /* The threads do not change it. */
    o.n_threads = 2;
    g_autoptr(CxLnModel) again =
        cx_ln_model_fit(movie, cells, n_cells, rates, &o, NULL, NULL);
    g_assert_cmpmem(model->filter, n_weights * sizeof(float), again->filter,
                    n_weights * sizeof(float));
}

static void
test_recover(void)
{
    CxRng rng = cx_test_rng();

    recover(&rng, 1);
    recover(&rng, 7);
}

/* A model made by hand answers as the definition says, from the first frame
 * on and at the film's border. */
static void
test_respond(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = noise(&rng, 20, 4, 9);
    float filter[HISTORY * 3 * SIZE], x[] = {-1.0f, 0.5f, 2.0f};
    float y[] = {0.5f, 1.0f, 7.0f};
    CxLnModel model = {.history = HISTORY,
                       .height = 3,
                       .width = SIZE,
                       .filter = filter,
                       .offset = 0.25f,
                       .n_knots = 3,
                       .knot_x = x,
                       .knot_y = y};
    CxResponder responder = cx_responder_ln(&model, 4, 9);
    size_t n;
    g_autofree CxCellPosition *cells = cx_cell_positions_all(4, 9, 0, &n);
    g_autofree float *rates = g_new(float, 20 * n);

    for (size_t i = 0; i < G_N_ELEMENTS(filter); i++)
        filter[i] = 0.3f * (float)cx_rng_normal(&rng);
    g_assert_true(responder.respond(movie, cells, n, rates, responder.user_data,
                                    NULL, NULL));
    for (int t = 0; t < 20; t++)
        for (size_t i = 0; i < n; i++) {
            double z = 0.25 + filter_naive(movie, filter, 3, t, cells[i]);
            double wanted = z <= -1.0  ? 0.5
                            : z <= 0.5 ? 0.5 + (z + 1.0) / 3.0
                            : z <= 2.0 ? 1.0 + 4.0 * (z - 0.5)
                                       : 7.0;

            g_assert_cmpfloat_with_epsilon((double)rates[(size_t)t * n + i],
                                           wanted, 1e-4);
        }
}

/* Filtering and a curve do not make the phenomena. */
static void
test_baseline(void)
{
    CxNaturalOptions n = cx_natural_options_mixture();
    CxLnOptions o = cx_ln_options_default();
    size_t n_cells;

    n.n_frames = 3000;
    n.width = 60;
    o.n_samples = 15000;
    o.n_iterations = 15;
    g_autoptr(CxMovie) movie = cx_natural_new(&n, NULL, NULL);
    g_autofree CxCellPosition *cells =
        cx_cell_positions_all(1, 60, 12, &n_cells);
    g_autofree float *rates = g_new(float, 3000 * n_cells);
    CxSimulatorOutput output = {.rate = rates};
    g_assert_true(
        cx_simulator_run(movie, NULL, cells, n_cells, &output, NULL, NULL));
    g_autoptr(CxLnModel) model =
        cx_ln_model_fit(movie, cells, n_cells, rates, &o, NULL, NULL);
    CxResponder baseline = cx_responder_ln(model, 1, 60);
    CxResponder retina = cx_responder_simulator(NULL, 1, 60);
    g_autoptr(CxProtocolReport) report =
        cx_protocol_report_new(NULL, &retina, &baseline, NULL, NULL);
    g_autoptr(CxProtocolReport) ln =
        cx_protocol_report_new(NULL, &baseline, NULL, NULL, NULL);

    g_test_message("r %.3f", model->correlation);
    g_assert_cmpfloat(model->correlation, >, 0.5);
    g_assert_true(report->baseline_asked && report->baseline_fails);
    g_assert_cmpuint(report->n_reproduced, ==, 4);
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++) {
        g_test_message("%s", ln->runs[i]->result->verdict);
        if (i != CX_PROTOCOL_LATENCY)
            g_assert_false(ln->runs[i]->result->reproduced);
    }
}

static void
test_errors(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxMovie) movie = noise(&rng, 30, 1, 9);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("test");
    CxCellPosition cell = {3, 0}, outside = {3, 1};
    float rates[30] = {0};
    CxLnOptions o = small();

    o.size_px = 4;
    g_assert_null(cx_ln_model_fit(movie, &cell, 1, rates, &o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "odd", NULL);
    o = small();
    o.history = 29;
    g_assert_null(cx_ln_model_fit(movie, &cell, 1, rates, &o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "30 frames", NULL);
    o = small();
    g_assert_null(cx_ln_model_fit(movie, &outside, 1, rates, &o, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "3, 1", NULL);
    /* A cell that is silent throughout has a model as well. */
    g_autoptr(CxLnModel) silent =
        cx_ln_model_fit(movie, &cell, 1, rates, &o, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(
        cx_ln_model_respond(silent, movie, &cell, 1, rates, NULL, &error));
    g_assert_cmpfloat(rates[20], ==, 0.0f);
    cx_job_cancel(job);
    g_assert_null(cx_ln_model_fit(movie, &cell, 1, rates, &o, job, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ln_model/recover", test_recover);
    g_test_add_func("/ln_model/respond", test_respond);
    g_test_add_func("/ln_model/baseline", test_baseline);
    g_test_add_func("/ln_model/errors", test_errors);
    return g_test_run();
}
