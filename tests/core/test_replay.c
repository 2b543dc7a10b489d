/* What the retina screen and the report are made of, on small random
 * networks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/retina/network_responder.h"
#include "core/retina/replay.h"
#include "core/retina/report.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

enum { HISTORY = 40, WIDTH = 50, N_CHANNELS = 3 };

static CxRetinaCnn *
make_net(uint64_t seed, uint32_t height)
{
    g_autoptr(GError) error = NULL;
    uint32_t k = height > 1 ? 3 : 1;
    CxRetinaShape shape = {
        .history = HISTORY,
        .height = height,
        .width = WIDTH,
        .n_channels = {N_CHANNELS, 2},
        .n_maps = 1,
        .kernel_y = {k, k, k},
        .kernel_x = {5, 5, 5},
    };
    CxRetinaCnn *net = cx_retina_cnn_new(&shape, seed, &error);
    CxRng rng;

    g_assert_no_error(error);
    cx_rng_init(&rng, seed);
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        const CxRetinaTensor *shift =
            cx_retina_cnn_tensor(net, l * CX_RETINA_TENSORS_A_LAYER + 3);

        for (size_t i = 0; i < shift->n; i++)
            shift->data[i] = 0.3f * (float)cx_rng_normal(&rng);
    }
    cx_retina_cnn_refresh(net);
    return net;
}

static CxRetinaReplay *
make_replay(const CxRetinaCnn *net, CxProtocolKind kind)
{
    g_autoptr(GError) error = NULL;
    CxRetinaReplayOptions options = {
        .kind = kind,
        .condition = 1,
        .cell = SIZE_MAX,
        .n_threads = 2,
    };
    CxRetinaReplay *replay = cx_retina_replay_new(net, &options, NULL, &error);

    g_assert_no_error(error);
    return replay;
}

static void
check_traces(const CxRetinaReplay *replay)
{
    for (size_t t = 0; t < replay->n_frames; t++) {
        double sum = replay->rate0;

        for (size_t c = 0; c < N_CHANNELS; c++)
            sum += replay->attribution->sum[0][t * N_CHANNELS + c];
        g_assert_cmpfloat_with_epsilon(sum, (double)replay->full[t],
                                       1e-3 * (1.0 + sum));
        g_assert_cmpfloat(replay->full[t], ==, replay->reduced[t]);
        if (t < replay->history)
            g_assert_cmpfloat_with_epsilon((double)replay->full[t],
                                           replay->rate0, 1e-4);
    }
    g_assert_null(replay->baseline);
    g_assert_cmpfloat(replay->reduced_r, ==, 1.0);
    g_assert_cmpuint(replay->circuit->n_nodes, ==, N_CHANNELS);
    g_assert_cmpuint(replay->circuit->nodes[0].channel, ==, replay->order[0]);
}

static void
check_frame(const CxRetinaReplay *replay, size_t frame)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(replay->net, 0);
    g_autofree float *z1 = g_new(float, layer->n_units);
    g_autofree float *a1 = g_new(float, layer->n_units);
    double rate[20], density[20 * N_CHANNELS];

    cx_retina_replay_maps(replay, frame, z1, a1);
    for (size_t u = 0; u < layer->n_units; u++)
        g_assert_cmpfloat(a1[u], >=, 0.0f);
    g_assert_true(cx_retina_replay_parts(replay, frame, z1, NULL));
    for (size_t c = 0; c < N_CHANNELS; c++) {
        double sum = 0.0;

        for (size_t i = 0; i < layer->n_units / N_CHANNELS; i++)
            sum += (double)z1[c * layer->n_units / N_CHANNELS + i];
        g_assert_cmpfloat_with_epsilon(
            sum, replay->attribution->sum[0][frame * N_CHANNELS + c], 1e-4);
    }
    g_assert_true(
        cx_retina_replay_path(replay, frame, 20, rate, density, NULL));
    g_assert_cmpfloat(rate[0], >=, 0.0);
}

static void
test_replay(void)
{
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++) {
        g_autoptr(CxRetinaCnn) net = make_net(5 + kind, kind == 0 ? 9 : 1);
        g_autoptr(CxRetinaReplay) replay =
            make_replay(net, (CxProtocolKind)kind);

        check_traces(replay);
        check_frame(replay, 3);
        check_frame(replay, replay->n_frames - 1);
        check_frame(replay, HISTORY + 15);
    }
}

/* The mean of a channel's map over the cell's field is what is kept. */
static void
test_means(void)
{
    g_autoptr(CxRetinaCnn) net = make_net(11, 9);
    g_autoptr(CxRetinaReplay) replay = make_replay(net, CX_PROTOCOL_LATENCY);
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);
    g_autofree float *z1 = g_new(float, layer->n_units);
    size_t frame = replay->n_frames - 5;

    cx_retina_replay_maps(replay, frame, z1, NULL);
    /* a full field: every place alike */
    for (size_t c = 0; c < N_CHANNELS; c++)
        g_assert_cmpfloat_with_epsilon(
            replay->channel_mean[frame * N_CHANNELS + c],
            z1[c * layer->n_units / N_CHANNELS], 1e-4f);
}

static void
test_changes(void)
{
    GError *error = NULL;
    g_autoptr(CxRetinaCnn) net = make_net(7, 1);
    g_autoptr(CxRetinaReplay) replay = make_replay(net, CX_PROTOCOL_LATENCY);
    CxRetinaMask none = {{CX_RETINA_HOLD, CX_RETINA_HOLD, CX_RETINA_HOLD}, {0}};
    size_t last = replay->n_frames - 5;
    float before = replay->simulated[last];
    double largest = 0.0;

    g_assert_true(cx_retina_replay_reduce(replay, &none, 0, NULL, NULL));
    for (size_t t = 0; t < replay->n_frames; t++)
        g_assert_cmpfloat_with_epsilon((double)replay->reduced[t],
                                       replay->rate0, 1e-4);
    g_assert_cmpfloat(replay->reduced_r, <, 0.5);
    g_assert_true(cx_retina_replay_reduce(replay, NULL, 8, NULL, NULL));
    g_assert_cmpfloat(replay->reduced_r, >, 0.99);
    g_assert_true(cx_retina_replay_attribute(replay, CX_ATTRIBUTION_RIGHT, 3,
                                             NULL, NULL));
    for (size_t t = 0; t < replay->n_frames; t++)
        largest = fmax(largest, fabs(replay->attribution->gap[0][t]));
    g_assert_cmpfloat(largest, >, 1e-6);
    g_assert_true(cx_retina_replay_knock_out(
        replay, CX_KNOCK_OUT_OFF_BIPOLAR | CX_KNOCK_OUT_ON_BIPOLAR, NULL,
        NULL));
    for (size_t t = 0; t < replay->n_frames; t++) {
        g_assert_cmpfloat(replay->drive_off[t], ==, 0.0f);
        g_assert_cmpfloat(replay->drive_on[t], ==, 0.0f);
    }
    g_assert_true(
        cx_retina_replay_knock_out(replay, CX_KNOCK_OUT_NONE, NULL, NULL));
    g_assert_cmpfloat(replay->simulated[last], ==, before);
    CxRetinaReplayOptions options = {
        .kind = CX_PROTOCOL_OSR, .condition = 999, .cell = SIZE_MAX};
    g_assert_null(cx_retina_replay_new(net, &options, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "condition 999", NULL);
}

static void
test_csv(void)
{
    g_autoptr(CxRetinaCnn) net = make_net(3, 1);
    g_autoptr(CxRetinaReplay) replay = make_replay(net, CX_PROTOCOL_OSR);
    g_autofree char *csv = cx_retina_replay_csv(replay);
    g_auto(GStrv) lines = g_strsplit(csv, "\n", -1);
    g_auto(GStrv) names = g_strsplit(lines[0], ",", -1);
    g_auto(GStrv) values = g_strsplit(lines[HISTORY + 21], ",", -1);

    g_assert_cmpuint(g_strv_length(lines), ==, replay->n_frames + 2);
    g_assert_cmpuint(g_strv_length(names), ==, 12 + N_CHANNELS);
    g_assert_cmpuint(g_strv_length(values), ==, 12 + N_CHANNELS);
    g_assert_cmpstr(names[3], ==, "network");
    g_assert_cmpstr(values[0], ==, "60");
    g_assert_cmpfloat_with_epsilon(g_ascii_strtod(values[3], NULL),
                                   (double)replay->full[HISTORY + 20], 1e-4);
}

static void
test_faithfulness(void)
{
    g_autoptr(CxRetinaCnn) net = make_net(21, 1);
    CxFaithfulnessOptions options = {.kind = CX_PROTOCOL_LATENCY,
                                     .n_threads = 2};
    static const unsigned order[N_CHANNELS] = {2, 0, 1};
    g_autoptr(CxFaithfulness) channels =
        cx_faithfulness_channels(net, &options, order, NULL, NULL);
    g_autoptr(CxFaithfulness) bits =
        cx_faithfulness_bits(net, &options, NULL, NULL);

    g_assert_cmpuint(channels->n_points, ==, N_CHANNELS);
    g_assert_cmpuint(channels->points[0].k, ==, N_CHANNELS);
    g_assert_cmpfloat_with_epsilon(channels->points[0].r, 1.0, 1e-9);
    g_assert_cmpfloat_with_epsilon(channels->points[0].explained, 1.0, 1e-9);
    g_assert_cmpuint(channels->k_for_099, >=, 1);
    g_assert_cmpstr(channels->scalar_key, ==, "drop_ms");
    g_assert_cmpuint(strlen(channels->scalar_definition), >, 0);
    for (size_t i = 1; i < N_CHANNELS; i++)
        g_assert_cmpfloat(channels->points[i].explained, <=, 1.0);
    g_assert_cmpuint(bits->n_points, ==, 7);
    g_assert_cmpuint(bits->points[6].k, ==, 2);
    g_assert_cmpfloat(bits->points[0].r, >, 0.99);
    g_assert_cmpfloat(bits->points[0].r, >=, bits->points[6].r);
}

/* Rates made by hand: the answer key finds the condition and the frame. */
static void
test_key(void)
{
    g_autoptr(CxRetinaCnn) net = make_net(2, 1);
    CxNetworkResponder network = {.net = net};
    CxResponder responder = cx_responder_network(&network, "network");
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(CX_PROTOCOL_LATENCY, NULL, &responder, NULL, NULL);
    CxAnswerKey key = {0};

    g_assert_nonnull(run);
    size_t n = run->protocol->n_cells, cell = n / 2;
    for (size_t i = 0; i < run->protocol->n_conditions; i++)
        memset(run->rates[i], 0,
               n * run->protocol->conditions[i].movie->n_frames *
                   sizeof(float));
    size_t frame = (size_t)run->protocol->conditions[2].onset_frame + 7;
    run->rates[2][frame * n + cell] = 3.0f;
    run->rates[3][(frame + 1) * n + (cell + 1) % n] = 9.0f; /* another cell */
    run->rates[3][2 * n + cell] = 9.0f;                     /* too early */
    cx_answer_key_find(run, run, &key);
    g_assert_cmpuint(key.condition, ==, 2);
    g_assert_cmpuint(key.frame, ==, frame);
    g_assert_cmpuint(key.true_frame, ==, frame);
    CxChannelLabel labels[3] = {{.on = true}, {.on = false}, {.on = true}};
    CxRetinaMask mask = cx_polarity_mask(labels, 3, true);
    g_assert_cmpuint(mask.layer1[0], ==, CX_RETINA_ZERO);
    g_assert_cmpuint(mask.layer1[1], ==, CX_RETINA_KEEP);
}

static void
check_part(const CxRetinaReportPart *part)
{
    g_assert_nonnull(part->simulator);
    g_assert_nonnull(part->network);
    g_assert_nonnull(part->circuit);
    g_assert_true(part->exact.worst[0] < 1e-6);
    g_assert_true(part->exact.worst[1] < 1e-6);
    g_assert_cmpuint(part->exact.n_frames, >, 0);
    g_assert_true(part->steps.worst[0] > part->exact.worst[0]);
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++)
        g_assert_nonnull(part->knock_outs[i]);
    g_assert_cmpfloat(part->scores[part->order[0]], >=,
                      part->scores[part->order[N_CHANNELS - 1]]);
    g_assert_cmpuint(part->channels->n_points, ==, N_CHANNELS);
    g_assert_cmpuint(part->bits->n_points, ==, 7);
}

static void
test_report(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) net = make_net(31, 1);
    CxRetinaReportOptions options = {
        .n_frames = 40,
        .n_steps = 20,
        .knock_outs = true,
        .faithfulness = true,
        .n_threads = 2,
    };
    g_autoptr(CxRetinaReport) report =
        cx_retina_report_new(net, &options, NULL, &error);

    g_assert_no_error(error);
    for (unsigned kind = 0; kind < CX_N_PROTOCOLS; kind++)
        check_part(&report->parts[kind]);
    g_assert_cmpuint(report->n_simulator_reproduced, ==, CX_N_PROTOCOLS);
    g_assert_false(report->parts[CX_PROTOCOL_OSR].key.true_without_on);
    g_assert_false(report->parts[CX_PROTOCOL_LATENCY].key.true_without_off);
    g_assert_nonnull(report->circuit_run);
    g_assert_cmpuint(report->circuit.n_channels, ==, 3);
    g_assert_true(report->exact.worst[0] < 1e-6);
}

static void
cancel_at_once(CxJob *job, void *data)
{
    cx_job_cancel(job);
}

static bool
run_report(CxJob *job, void *data, GError **error)
{
    CxRetinaReportOptions options = {.n_threads = 1};
    g_autoptr(CxRetinaReport) report =
        cx_retina_report_new(data, &options, job, error);

    return report != NULL;
}

static void
test_cancel(void)
{
    GError *error = NULL;
    g_autoptr(CxRetinaCnn) net = make_net(31, 1);
    g_autoptr(CxJob) job = cx_job_new("report");

    cx_job_set_hook(job, cancel_at_once, NULL);
    g_assert_false(cx_job_run(job, run_report, net, &error));
    cx_test_expect_error(&error, CX_ERROR_CANCELLED, NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/replay/replay", test_replay);
    g_test_add_func("/replay/means", test_means);
    g_test_add_func("/replay/changes", test_changes);
    g_test_add_func("/replay/csv", test_csv);
    g_test_add_func("/replay/faithfulness", test_faithfulness);
    g_test_add_func("/replay/key", test_key);
    g_test_add_func("/replay/report", test_report);
    g_test_add_func("/replay/cancel", test_cancel);
    return g_test_run();
}
