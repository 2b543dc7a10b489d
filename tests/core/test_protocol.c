/* The films of the protocols, frame by frame, against their description; what
 * is measured on answers made up for the purpose; and the simulated retina
 * with each of its parts taken out against the table it is described with.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/retina/protocol.h"
#include "core/retina/stimulus.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static CxProtocol *
build(CxProtocolKind kind, CxProtocolPreset preset, size_t width)
{
    CxProtocolOptions options = {.preset = preset, .width = width, .height = 1};
    g_autoptr(GError) error = NULL;
    CxProtocol *protocol = cx_protocol_new(kind, &options, &error);

    g_assert_no_error(error);
    return protocol;
}

/* Every pixel of every frame is level[t]. */
static void
expect_field(const CxProtocolCondition *c, const float *level, size_t n_frames)
{
    g_assert_cmpuint(c->movie->n_frames, ==, n_frames);
    for (size_t t = 0; t < n_frames; t++)
        for (size_t i = 0; i < c->movie->width; i++)
            g_assert_cmpfloat(cx_movie_frame(c->movie, t)[i], ==, level[t]);
}

/* ---- films ------------------------------------------------------------ */

static void
test_osr_reduction(void)
{
    g_autoptr(CxProtocol) p = build(CX_PROTOCOL_OSR, CX_PRESET_REDUCTION, 9);

    g_assert_cmpuint(p->n_conditions, ==, 7);
    for (int period = 2; period <= 8; period++) {
        const CxProtocolCondition *c = &p->conditions[period - 2];
        float level[140] = {0};

        for (int k = 0; 89 - k * period >= 0; k++)
            level[89 - k * period] = level[90 - k * period] = -2.0f;
        expect_field(c, level, 140);
        g_assert_cmpfloat(c->value, ==, 10.0 * period);
        g_assert_cmpint(c->last_flash_frame, ==, 89);
        g_assert_cmpint(c->omitted_frame, ==, 89 + period);
        g_assert_true(c->control == (period == 2));
    }
}

static void
test_osr_simulated(void)
{
    g_autoptr(CxProtocol) p = build(CX_PROTOCOL_OSR, CX_PRESET_SIMULATED, 9);

    g_assert_cmpuint(p->n_conditions, ==, 6);
    for (int period = 3; period <= 8; period++) {
        float level[200] = {0};

        for (int k = 0; k < 10; k++)
            level[129 - k * period] = level[130 - k * period] = -1.0f;
        expect_field(&p->conditions[period - 3], level, 200);
        g_assert_cmpint(p->conditions[period - 3].onset_frame, >=, 40);
    }
}

static void
test_osr_others(void)
{
    static const double hertz[] = {16, 12, 10, 8, 6};
    float level[270] = {0};
    g_autoptr(CxProtocol) p = build(CX_PROTOCOL_OSR, CX_PRESET_2023, 9);
    g_autoptr(CxProtocol) q = build(CX_PROTOCOL_OSR, CX_PRESET_LIBRARY, 9);
    g_autoptr(CxProtocol) e = build(CX_PROTOCOL_OSR, CX_PRESET_EBERT, 9);

    for (int k = 0; k < 8; k++)
        level[82 + 8 * k] = level[83 + 8 * k] = -2.0f;
    expect_field(&p->conditions[0], level, 182);
    g_assert_cmpint(p->conditions[0].omitted_frame, ==, 146);
    memset(level, 0, sizeof level);
    for (int k = 0; k < 11; k++)
        level[60 + 20 * k] = level[61 + 20 * k] = k == 5 ? 0.0f : -2.0f;
    expect_field(&q->conditions[0], level, 270);
    g_assert_cmpint(q->conditions[0].omitted_frame, ==, 160);
    g_assert_cmpint(q->conditions[0].end_frame, ==, 180);
    g_assert_cmpuint(e->n_conditions, ==, 5);
    for (int i = 0; i < 5; i++) {
        const CxProtocolCondition *c = &e->conditions[i];
        g_autofree float *flashes = g_new0(float, c->movie->n_frames);

        for (int k = 0; k < 12; k++)
            for (int d = 0; d < 4; d++)
                flashes[40 + (int)rint(100.0 * k / hertz[i]) + d] = -1.0f;
        expect_field(c, flashes, c->movie->n_frames);
    }
}

static void
test_latency_films(void)
{
    g_autoptr(CxProtocol) p =
        build(CX_PROTOCOL_LATENCY, CX_PRESET_REDUCTION, 9);
    g_autoptr(CxProtocol) q = build(CX_PROTOCOL_LATENCY, CX_PRESET_2023, 9);

    g_assert_cmpuint(p->n_conditions, ==, 40);
    for (int i = 0; i < 40; i++) {
        float level[80] = {0};

        for (int t = 40; t < 80; t++)
            level[t] = (float)(-0.05 * i);
        expect_field(&p->conditions[i], level, 80);
    }
    g_assert_cmpuint(q->n_conditions, ==, 21);
    for (int i = 0; i < 21; i++) {
        float level[70] = {0};

        level[40] = level[41] = (float)(-0.15 * i);
        expect_field(&q->conditions[i], level, 70);
    }
}

/* Position of a published bar in frame t of a film of a turn at `flip`. */
static double
turning_centre(double flip, size_t n, size_t t)
{
    size_t i = t < 40 + n ? t - 40 : t - 40 - n;
    double from = t < 40 + n ? -40.0 : flip, to = t < 40 + n ? flip : -40.0;

    return i + 1 == n ? to : from + (double)i * ((to - from) / (double)(n - 1));
}

static void
expect_bar(const CxProtocolCondition *c, size_t t, double centre,
           unsigned width, bool exact)
{
    g_autoptr(CxMovie) wanted = cx_movie_new(1, 1, c->movie->width, NULL);

    if (exact)
        cx_stimulus_bar_exact(wanted, 0, centre, width, -1.0f);
    else
        cx_stimulus_bar(wanted, 0, centre, width, -1.0f);
    for (size_t x = 0; x < c->movie->width; x++) {
        float found = cx_movie_frame(c->movie, t)[x];

        if (exact)
            g_assert_cmpfloat_with_epsilon(found, wanted->data[x], 1e-5f);
        else
            g_assert_cmpfloat(found, ==, wanted->data[x]);
    }
    g_assert_cmpfloat_with_epsilon(c->bar_px[t], (float)centre, 1e-5f);
}

static void
test_reversal_films(void)
{
    static const struct {
        CxProtocolPreset preset;
        double speed;
    } presets[] = {{CX_PRESET_REDUCTION, 0.19},
                   {CX_PRESET_2023, 0.14},
                   {CX_PRESET_LIBRARY, 0.24}};

    for (unsigned k = 0; k < G_N_ELEMENTS(presets); k++) {
        double speed = presets[k].speed;
        g_autoptr(CxProtocol) p =
            build(CX_PROTOCOL_REVERSAL, presets[k].preset, 50);

        g_assert_cmpuint(p->n_conditions, ==, 13);
        for (int i = 0; i < 12; i++) {
            const CxProtocolCondition *c = &p->conditions[i];
            double flip = -9.0 + i;
            size_t n = 1 + (size_t)floor((flip + 40.0) / speed);

            g_assert_cmpuint(c->movie->n_frames, ==, 40 + 2 * n);
            g_assert_cmpint(c->flip_frame, ==, (int64_t)(40 + n - 1));
            for (size_t t = 40; t < 40 + 2 * n; t++)
                expect_bar(c, t, turning_centre(flip, n, t), 2, false);
            g_assert_true(isnan(c->bar_px[39]));
        }
        g_assert_true(p->conditions[12].control);
    }
}

static void
test_bars_simulated(void)
{
    g_autoptr(CxProtocol) p =
        build(CX_PROTOCOL_REVERSAL, CX_PRESET_SIMULATED, 80);
    g_autoptr(CxProtocol) q =
        build(CX_PROTOCOL_ANTICIPATION, CX_PRESET_SIMULATED, 80);
    const CxProtocolCondition *c = &p->conditions[0];

    g_assert_cmpint(c->flip_frame, ==, 250);
    for (int64_t t = 40; t < (int64_t)c->movie->n_frames; t++) {
        int64_t i = t <= 250 ? t - 40 : 460 - t;

        expect_bar(c, (size_t)t, -39.5 + 0.19 * (double)i, 4, true);
    }
    g_assert_cmpuint(p->n_cells, ==, 9);
    g_assert_cmpfloat(cx_protocol_cell_px(p, 4), ==, 0.5);
    g_assert_cmpuint(q->n_conditions, ==, 11);
    for (size_t i = 0; i < 751; i++) {
        expect_bar(&q->conditions[0], 40 + i, -29.5 + 0.08 * (double)i, 4,
                   true);
        expect_bar(&q->conditions[1], 40 + i, 30.5 - 0.08 * (double)i, 4, true);
    }
}

static void
test_flashed_bars(void)
{
    g_autoptr(CxProtocol) p =
        build(CX_PROTOCOL_ANTICIPATION, CX_PRESET_REDUCTION, 50);

    g_assert_cmpuint(p->n_conditions, ==, 53);
    for (int i = 0; i < 51; i++) {
        const CxProtocolCondition *c = &p->conditions[2 + i];

        g_assert_cmpuint(c->movie->n_frames, ==, 70);
        for (size_t t = 0; t < 70; t++) {
            if (t == 43 || t == 44)
                expect_bar(c, t, -25.0 + i, 4, false);
            else
                for (size_t x = 0; x < 50; x++)
                    g_assert_cmpfloat(cx_movie_frame(c->movie, t)[x], ==, 0.0f);
        }
    }
    g_assert_cmpuint(p->conditions[0].movie->n_frames, ==, 791);
    g_assert_cmpint(p->conditions[0].direction, ==, 1);
    g_assert_cmpint(p->conditions[1].direction, ==, -1);
}

/* Every film is grey for 40 frames, or is one of the published figure's. */
static void
test_lead(void)
{
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++)
        for (unsigned preset = 0; preset < CX_N_PRESETS; preset++) {
            if (cx_preset_describe(kind, preset) == NULL ||
                (kind == CX_PROTOCOL_OSR && preset == CX_PRESET_REDUCTION))
                continue;
            g_autoptr(CxProtocol) p = build(kind, preset, 40);
            for (size_t i = 0; i < p->n_conditions; i++)
                for (size_t k = 0; k < 40 * 40; k++)
                    g_assert_cmpfloat(p->conditions[i].movie->data[k], ==, 0);
        }
}

static void
test_options(void)
{
    CxProtocolOptions options = {
        .preset = CX_PRESET_EBERT, .width = 30, .height = 1};
    g_autoptr(GError) error = NULL;

    g_assert_null(cx_protocol_new(CX_PROTOCOL_LATENCY, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "ebert", "latency", NULL);
    options = (CxProtocolOptions){.width = 20, .height = 20, .margin = 10};
    g_assert_null(cx_protocol_new(CX_PROTOCOL_OSR, &options, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "20 pixels", NULL);
    options.margin = 8;
    options.amplitude = 0.5;
    g_autoptr(CxProtocol) p = cx_protocol_new(CX_PROTOCOL_OSR, &options, NULL);
    g_assert_cmpuint(p->n_cells, ==, 3);
    g_assert_true(p->cells[1].x == 10 && p->cells[1].y == 10);
    g_assert_cmpfloat(cx_movie_frame(p->conditions[0].movie, 129)[0], ==,
                      -0.5f);
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++) {
        CxProtocolKind kind;

        g_assert_true(cx_protocol_from_name(cx_protocol_name(i), &kind));
        g_assert_cmpuint(kind, ==, i);
        g_assert_nonnull(cx_protocol_title(i));
    }
    for (unsigned i = 0; i < CX_N_PRESETS; i++) {
        CxProtocolPreset preset;

        g_assert_true(cx_preset_from_name(cx_preset_name(i), &preset));
        g_assert_cmpuint(preset, ==, i);
    }
}

/* ---- measures --------------------------------------------------------- */

static void
test_latencies(void)
{
    float y[40] = {0};

    g_assert_true(isnan(cx_latency_argmax(y, 1, 0, 40)));
    g_assert_true(isnan(cx_latency_parabola(y, 1, 0, 40)));
    g_assert_true(isnan(cx_latency_centre(y, 1, 0, 40, 0.0)));
    /* A parabola whose top lies at 12.3, in every second place. */
    for (int t = 0; t < 20; t++)
        y[2 * t] = (float)(50.0 - pow((double)t + 0.5 - 12.3, 2.0));
    g_assert_cmpfloat(cx_latency_argmax(y, 2, 4, 20), ==, 8.5);
    g_assert_cmpfloat_with_epsilon(cx_latency_parabola(y, 2, 4, 20), 8.3, 1e-4);
    g_assert_cmpfloat(cx_latency_parabola(y, 2, 15, 20), ==, 0.5);
    memset(y, 0, sizeof y);
    y[7] = 3.0f;
    y[8] = 1.0f;
    g_assert_cmpfloat(cx_latency_centre(y, 1, 5, 20, 0.0), ==, 2.75);
    g_assert_cmpfloat(cx_latency_centre(y, 1, 5, 20, 0.5), ==, 2.5);
}

/* A made-up cell: a bump of 10 Hz 8 frames + slope x period after the last
 * flash, `train` at that flash, `echo` one frame after the omitted one, which
 * is too early to be an answer to it. */
typedef struct {
    double slope, train, echo;
} Fake;

static bool
ask_fake(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
         float *rates, void *user_data, CxJob *job, GError **error)
{
    const Fake *fake = user_data;
    size_t period = 0, last = 0;

    for (size_t t = 1; t < movie->n_frames; t++) {
        bool onset = cx_movie_frame(movie, t)[0] < 0 &&
                     cx_movie_frame(movie, t - 1)[0] == 0;

        period = onset ? t - last : period;
        last = onset ? t : last;
    }
    double top = (double)last + 8.0 + fake->slope * (double)period;
    for (size_t t = 0; t < movie->n_frames; t++) {
        double z = (double)t + 0.5 - top;
        double bump = 10.0 * exp(-0.5 * z * z / 4.0);

        for (size_t i = 0; i < n_cells; i++)
            rates[t * n_cells + i] =
                (float)(bump + (t == last ? fake->train : 0.0) +
                        (t == last + period + 1 ? fake->echo : 0.0));
    }
    return true;
}

static void
check_fake(double slope, double train, double echo, bool reproduced)
{
    Fake fake = {slope, train, echo};
    CxResponder responder = {.name = "made up",
                             .respond = ask_fake,
                             .user_data = &fake,
                             .height = 1,
                             .width = 20};
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(CX_PROTOCOL_OSR, NULL, &responder, NULL, NULL);

    g_assert_cmpfloat_with_epsilon(cx_protocol_scalar(run->result, "slope"),
                                   slope, 0.02);
    g_assert_true(run->result->reproduced == reproduced);
    g_assert_true(isnan(cx_protocol_scalar(run->result, "no such")));
}

static void
test_fakes(void)
{
    check_fake(1.0, 3.0, 0.0, true);
    check_fake(1.0, 11.0, 0.0, false);
    check_fake(1.0, 3.0, 30.0, false);
    check_fake(0.5, 3.0, 0.0, false);
    check_fake(1.4, 3.0, 0.0, false);
}

static bool
ask_nothing(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
            float *rates, void *user_data, CxJob *job, GError **error)
{
    return true;
}

static bool
ask_failing(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
            float *rates, void *user_data, CxJob *job, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID, "no such retina");
    return false;
}

/* Silence shows nothing, and is no reason to fail. */
static void
test_silence(void)
{
    CxResponder responder = {
        .name = "nothing", .respond = ask_nothing, .height = 1, .width = 20};
    g_autoptr(GError) error = NULL;

    for (unsigned preset = 0; preset < CX_PRESET_EBERT; preset++) {
        CxProtocolOptions options = {.preset = preset};

        if (preset == CX_PRESET_LIBRARY)
            continue;
        g_autoptr(CxProtocolReport) report = cx_protocol_report_new(
            &options, &responder, &responder, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(report->n_reproduced, ==, 0);
        g_assert_true(report->baseline_asked && report->baseline_fails);
        for (unsigned i = 0; i < CX_N_PROTOCOLS; i++)
            g_assert_nonnull(report->runs[i]->result->verdict);
    }
    responder.respond = ask_failing;
    g_assert_null(
        cx_protocol_run(CX_PROTOCOL_OSR, NULL, &responder, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "osr, period 30 ms",
                         "no such retina", NULL);
}

/* ---- the table of the simulated retina -------------------------------- */

#define ANY 1e9

typedef struct {
    unsigned knock_outs;
    bool reproduced[CX_N_PROTOCOLS];
    double osr_slope, osr_ratio;
    double weakest_ms, strongest_ms;
    double position_um;
    double reversal_ratio, reversal_sd;
} Row;

/* As described, NaN: not measurable, ANY: not described.  The ratio of the
 * omitted stimulus is described from 1 ms traces; bins of 10 ms dampen the
 * short answers to the train, so that it comes out higher. */
static const Row table[] = {
    {CX_KNOCK_OUT_NONE,
     {true, true, true, true},
     0.86,
     1.6,
     72,
     51,
     -33,
     1.53,
     8},
    {CX_KNOCK_OUT_GAIN_CONTROL,
     {false, false, false, false},
     0.56,
     1.5,
     72,
     67,
     17,
     0.98,
     101},
    {CX_KNOCK_OUT_SLOW_BRANCH,
     {false, true, false, true},
     0.64,
     0.43,
     74,
     54,
     -14,
     1.10,
     77},
    {CX_KNOCK_OUT_ON_BIPOLAR,
     {false, true, false, true},
     ANY,
     0.15,
     72,
     51,
     -109,
     1.55,
     4},
    {CX_KNOCK_OUT_OFF_BIPOLAR,
     {true, false, true, false},
     0.86,
     99,
     NAN,
     NAN,
     NAN,
     2.06,
     7},
    {CX_KNOCK_OUT_DEPRESSION,
     {true, true, false, false},
     0.79,
     99,
     72,
     49,
     NAN,
     NAN,
     NAN},
};

static void
expect_scalar(const CxProtocolReport *report, CxProtocolKind kind,
              const char *key, double wanted, double tolerance)
{
    double found = cx_protocol_scalar(report->runs[kind]->result, key);

    g_test_message("%s %s: %.2f, described %.2f", cx_protocol_name(kind), key,
                   found, wanted);
    if (wanted == ANY)
        return;
    g_assert_true(isnan(wanted) == isnan(found));
    if (!isnan(wanted))
        g_assert_cmpfloat_with_epsilon(found, wanted, tolerance);
}

static void
check_row(const Row *row, size_t height, size_t width)
{
    CxSimulatorOptions options = {.knock_outs = row->knock_outs,
                                  .n_threads = 1};
    CxResponder responder = cx_responder_simulator(&options, height, width);
    g_autoptr(CxProtocolReport) report =
        cx_protocol_report_new(NULL, &responder, NULL, NULL, NULL);

    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++) {
        g_test_message("%s", report->runs[i]->result->verdict);
        g_assert_true(report->runs[i]->result->reproduced ==
                      row->reproduced[i]);
    }
    expect_scalar(report, CX_PROTOCOL_OSR, "slope", row->osr_slope, 0.03);
    expect_scalar(report, CX_PROTOCOL_OSR, "ratio", row->osr_ratio, 0.1);
    expect_scalar(report, CX_PROTOCOL_LATENCY, "weakest_ms", row->weakest_ms,
                  2.0);
    expect_scalar(report, CX_PROTOCOL_LATENCY, "strongest_ms",
                  row->strongest_ms, 2.0);
    expect_scalar(report, CX_PROTOCOL_ANTICIPATION, "position_um",
                  row->position_um, 3.0);
    expect_scalar(report, CX_PROTOCOL_REVERSAL, "ratio", row->reversal_ratio,
                  0.08);
    expect_scalar(report, CX_PROTOCOL_REVERSAL, "sd_ms", row->reversal_sd, 4.0);
}

static void
test_table(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++)
        check_row(&table[i], 1, 80);
}

/* Bars that vary in x alone: the 2-D retina is the 1-D one. */
static void
test_table_2d(void)
{
    check_row(&table[0], 12, 80);
}

/* Latencies from the last flash, ms: described 134 … 177; delays after the
 * omitted flash 97 to 107; slope 0.86, r^2 0.98; and the scalars' reports. */
static void
test_osr_latencies(void)
{
    static const double described[] = {134, 146, 157, 165, 172, 177};
    CxResponder responder = cx_responder_simulator(NULL, 1, 20);
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(CX_PROTOCOL_OSR, NULL, &responder, NULL, NULL);

    g_assert_cmpuint(run->result->n_points, ==, 6);
    for (size_t i = 0; i < 6; i++) {
        g_test_message("%.1f ms", run->result->points[i].y_sub_bin);
        g_assert_cmpfloat_with_epsilon(run->result->points[i].y_sub_bin,
                                       described[i], 2.0);
        g_assert_cmpfloat(run->result->points[i].sd, <, 0.1);
    }
    /* Up to 60 ms the train is silent. */
    for (size_t i = 0; i < 4; i++)
        g_assert_cmpfloat(run->result->points[i].reference, <, 1e-3);
    g_assert_cmpfloat(cx_protocol_scalar(run->result, "r_squared"), >, 0.965);
}

/* Where the peak lies, the true drive is ON alone. */
static void
test_answer_key(void)
{
    g_autoptr(CxProtocol) p = build(CX_PROTOCOL_OSR, CX_PRESET_SIMULATED, 9);

    for (size_t k = 0; k < p->n_conditions; k++) {
        const CxProtocolCondition *c = &p->conditions[k];
        size_t n = c->movie->n_frames, top = 0;
        g_autofree float *traces = g_new(float, 4 * 9 * n);
        CxSimulatorOutput output = {traces, traces + 9 * n, traces + 18 * n,
                                    traces + 27 * n};

        g_assert_true(
            cx_simulator_run(c->movie, NULL, NULL, 0, &output, NULL, NULL));
        for (size_t t = (size_t)c->omitted_frame; t < n; t++)
            top = traces[t * 9 + 4] > traces[top * 9 + 4] ? t : top;
        float on = output.v_on[top * 9 + 4], slow = output.slow[top * 9 + 4];
        g_test_message("ON %.2f, slow %.2f", (double)on, (double)slow);
        g_assert_cmpfloat(output.v_off[top * 9 + 4], <, 0.01f);
        g_assert_true(on > 5.6f && on < 13.7f);
        g_assert_true(slow > -0.4f && slow < 2.6f);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/osr/reduction", test_osr_reduction);
    g_test_add_func("/protocol/osr/simulated", test_osr_simulated);
    g_test_add_func("/protocol/osr/others", test_osr_others);
    g_test_add_func("/protocol/latency", test_latency_films);
    g_test_add_func("/protocol/reversal", test_reversal_films);
    g_test_add_func("/protocol/bars-simulated", test_bars_simulated);
    g_test_add_func("/protocol/flashed-bars", test_flashed_bars);
    g_test_add_func("/protocol/lead", test_lead);
    g_test_add_func("/protocol/options", test_options);
    g_test_add_func("/protocol/latencies", test_latencies);
    g_test_add_func("/protocol/fakes", test_fakes);
    g_test_add_func("/protocol/silence", test_silence);
    g_test_add_func("/protocol/table", test_table);
    g_test_add_func("/protocol/table-2d", test_table_2d);
    g_test_add_func("/protocol/osr-latencies", test_osr_latencies);
    g_test_add_func("/protocol/answer-key", test_answer_key);
    return g_test_run();
}
