/* Orders, masks, pruned networks, refits and circuits on networks made by
 * hand.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/circuit.h"
#include "core/retina/network_responder.h"
#include "core/retina/reduction.h"

#include "core/base/error.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

enum { HISTORY = 7, N_CHANNELS = 4 };

static CxRetinaCnn *
make_net(CxRng *rng)
{
    g_autoptr(GError) error = NULL;
    CxRetinaShape shape = {
        .history = HISTORY,
        .height = 9,
        .width = 16,
        .n_channels = {N_CHANNELS, 3},
        .n_maps = 2,
        .kernel_y = {3, 3, 2},
        .kernel_x = {5, 3, 4},
    };
    CxRetinaCnn *net = cx_retina_cnn_new(&shape, cx_rng_next(rng), &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(net, i);
        unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

        for (size_t k = 0; k < t->n; k++)
            if (which == 5)
                t->data[k] = 0.3f + (float)cx_rng_uniform(rng);
            else if (which == 2)
                t->data[k] = 0.7f + 0.3f * (float)cx_rng_uniform(rng);
            else if (which != 0)
                t->data[k] = 0.3f * (float)cx_rng_normal(rng);
    }
    cx_retina_cnn_set_text(net, "name", "hand");
    cx_retina_cnn_refresh(net);
    return net;
}

static CxMovie *
make_movie(size_t n_frames, CxRng *rng)
{
    CxMovie *movie = cx_movie_new(n_frames, 9, 16, NULL);

    for (size_t i = 0; i < n_frames * 9 * 16; i++)
        movie->data[i] = (float)cx_rng_normal(rng);
    return movie;
}

static void
scale_channel(CxRetinaCnn *net, size_t channel, float by)
{
    const CxRetinaTensor *w = cx_retina_cnn_tensor(net, 0);
    size_t n = w->n / N_CHANNELS;

    for (size_t i = channel * n; i < (channel + 1) * n; i++)
        w->data[i] *= by;
    cx_retina_cnn_refresh(net);
}

static void
test_sort(void)
{
    static const double scores[] = {0.5, 2.0, 0.5, 3.0, -1.0};
    static const unsigned want[] = {3, 1, 0, 2, 4};
    unsigned order[5];

    cx_channel_sort(scores, 5, order);
    g_assert_cmpmem(order, sizeof order, want, sizeof want);
    CxRetinaMask mask = cx_channel_mask(order, 5, 2, CX_RETINA_HOLD);
    for (unsigned c = 0; c < 5; c++)
        g_assert_cmpuint(mask.layer1[c], ==,
                         c == 3 || c == 1 ? CX_RETINA_KEEP : CX_RETINA_HOLD);
    g_assert_cmpuint(mask.layer2[0], ==, CX_RETINA_KEEP);
}

static void
test_names(void)
{
    CxChannelOrder order;

    for (unsigned i = 0; i < CX_N_ORDERS; i++) {
        g_assert_true(cx_channel_order_from_name(
            cx_channel_order_name((CxChannelOrder)i), &order));
        g_assert_cmpint(order, ==, i);
    }
    g_assert_false(cx_channel_order_from_name("alphabet", &order));
}

/* A channel that nothing above listens to has no attribution, no gradient and
 * no flow, however large its kernel. */
static void
test_scores(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng);
    g_autoptr(CxMovie) movie = make_movie(40, &rng);
    const CxRetinaTensor *w2 = cx_retina_cnn_tensor(net, 6);
    double attribution[N_CHANNELS] = {0}, gradient[N_CHANNELS] = {0};
    double magnitude[N_CHANNELS], flow[N_CHANNELS];
    CxScoreOptions options = {.stride = 2};
    size_t n = 0;

    for (size_t o = 0; o < 3; o++)
        memset(w2->data + (o * N_CHANNELS + 2) * 9, 0, 9 * sizeof(float));
    scale_channel(net, 2, 50.0f);
    g_assert_true(cx_channel_scores_add(net, movie, (CxRetinaPick){0, 1, 1},
                                        &options, attribution, gradient, &n,
                                        NULL, NULL));
    g_assert_cmpuint(n, ==, (40 - HISTORY + 1) / 2);
    cx_channel_scores_magnitude(net, magnitude);
    cx_channel_scores_synflow(net, flow);
    for (unsigned c = 0; c < N_CHANNELS; c++) {
        g_assert_true((attribution[c] == 0.0) == (c == 2));
        g_assert_true((gradient[c] == 0.0) == (c == 2));
        g_assert_true((flow[c] == 0.0) == (c == 2));
        g_assert_cmpfloat(magnitude[2], >=, magnitude[c]);
    }
}

/* The flow of all channels together is the sum of all cells of the network of
 * magnitudes, without biases, for ones: asked of a network made so (its rates
 * are logits while they are large). */
static void
test_synflow(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng);
    g_autoptr(CxMovie) ones = cx_movie_new(HISTORY + 1, 9, 16, NULL);
    size_t n = cx_retina_cnn_layer(net, 2)->n_units;
    g_autofree float *rates = g_new(float, n);
    double flow[N_CHANNELS], sum = 0.0, total = 0.0;

    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(net, i);
        unsigned which = i % CX_RETINA_TENSORS_A_LAYER;

        for (size_t k = 0; k < t->n; k++)
            if (which == 0)
                t->data[k] = fabsf(t->data[k]) + 0.2f;
            else if (which != 2 && which != 5)
                t->data[k] = 0.0f;
    }
    cx_retina_cnn_refresh(net);
    for (size_t i = 0; i < ones->n_frames * 9 * 16; i++)
        ones->data[i] = 1.0f;
    g_assert_true(
        cx_retina_cnn_respond_maps(net, ones, NULL, 1, rates, NULL, NULL));
    cx_channel_scores_synflow(net, flow);
    for (size_t i = 0; i < n; i++)
        total += (double)rates[i];
    for (unsigned c = 0; c < N_CHANNELS; c++)
        sum += flow[c];
    g_assert_cmpfloat(total, >, 1000.0);
    g_assert_cmpfloat_with_epsilon(sum / total, 1.0, 1e-4);
}

/* A pruned network answers as the masked one. */
static void
test_pruned(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng);
    g_autoptr(CxMovie) movie = make_movie(30, &rng);
    size_t n = cx_retina_cnn_layer(net, 2)->n_units * (30 - HISTORY);
    g_autofree float *want = g_new(float, n), *got = g_new(float, n);

    for (unsigned fate = CX_RETINA_ZERO; fate <= CX_RETINA_HOLD; fate++) {
        CxRetinaMask mask = {{(uint8_t)fate, 0, 0, (uint8_t)fate}, {0}};
        g_autoptr(CxRetinaCnn) small = cx_retina_cnn_pruned(net, &mask, NULL);

        g_assert_cmpuint(cx_retina_cnn_layer(small, 0)->n_out, ==, 2);
        g_assert_cmpstr(cx_retina_cnn_text(small, "name"), ==, "hand");
        g_assert_true(
            cx_retina_cnn_respond_maps(net, movie, &mask, 1, want, NULL, NULL));
        g_assert_true(
            cx_retina_cnn_respond_maps(small, movie, NULL, 1, got, NULL, NULL));
        for (size_t i = 0; i < n; i++)
            g_assert_cmpfloat_with_epsilon(got[i], want[i], 1e-4f);
    }
    GError *error = NULL;
    CxRetinaMask none = {{1, 1, 1, 1}, {0}}, second = {{1}, {1}};
    g_assert_null(cx_retina_cnn_pruned(net, &none, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "keep 0 channels", NULL);
    g_assert_null(cx_retina_cnn_pruned(net, &second, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "lose 1", NULL);
}

/* A network whose cells were stretched and shifted gets back what it had. */
static void
test_refit_output(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) teacher = make_net(&rng);
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_copy(teacher, NULL);
    g_autoptr(CxMovie) movie = make_movie(60, &rng);
    float *gain = cx_retina_cnn_tensor(net, 12 + 2)->data;
    float *shift = cx_retina_cnn_tensor(net, 12 + 3)->data;
    float gain0 = gain[1], shift0 = shift[1];
    GError *error = NULL;

    gain[1] *= 1.7f;
    shift[1] -= 0.4f;
    cx_retina_cnn_refresh(net);
    g_assert_true(
        cx_retina_cnn_refit_output(net, teacher, movie, 1, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(gain[1], gain0, 0.01f);
    g_assert_cmpfloat_with_epsilon(shift[1], shift0, 0.01f);
}

static double
distance(const CxRetinaCnn *a, const CxRetinaCnn *b, const CxMovie *movie)
{
    size_t n = cx_retina_cnn_layer(a, 2)->n_units *
               cx_retina_cnn_n_windows(a, movie->n_frames);
    g_autofree float *x = g_new(float, n), *y = g_new(float, n);
    double sum = 0.0;

    cx_retina_cnn_respond_maps(a, movie, NULL, 1, x, NULL, NULL);
    cx_retina_cnn_respond_maps(b, movie, NULL, 1, y, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        sum += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
    return sum / (double)n;
}

/* Refitting brings a pruned network nearer to its teacher. */
static void
test_refit(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) teacher = make_net(&rng);
    g_autoptr(CxMovie) movie = make_movie(400, &rng);
    CxRetinaMask mask = {{0, 0, 0, CX_RETINA_ZERO}, {0}};
    g_autoptr(CxRetinaCnn) net = cx_retina_cnn_pruned(teacher, &mask, NULL);
    GError *error = NULL;
    double before = distance(net, teacher, movie);

    g_assert_true(
        cx_retina_cnn_refit_output(net, teacher, movie, 1, NULL, &error));
    double output = distance(net, teacher, movie);
    g_assert_true(
        cx_retina_cnn_refit_train(net, teacher, movie, 20, 1, NULL, &error));
    g_assert_no_error(error);
    double trained = distance(net, teacher, movie);
    g_test_message("mean square: pruned %g, output %g, trained %g", before,
                   output, trained);
    g_assert_cmpfloat(trained, <, before);
    g_assert_cmpfloat(trained, <, output);
}

/* The form finds itself: data made by a circuit give r = 1. */
static void
test_rectified(void)
{
    CxRng rng = cx_test_rng();
    enum { N = 2000 };
    g_autofree double *m = g_new(double, 3 * N);
    g_autofree double *target = g_new(double, N);
    CxRectifiedCircuit circuit = {0};

    for (size_t t = 0; t < N; t++) {
        for (size_t i = 0; i < 3; i++)
            m[3 * t + i] = cx_rng_normal(&rng);
        target[t] = 5.0 + 3.0 * fmax(m[3 * t] - 0.5, 0.0) -
                    1.0 * fmax(m[3 * t + 2] + 0.3, 0.0);
    }
    cx_rectified_circuit_fit(m, target, N, 3, &circuit);
    g_assert_cmpfloat(circuit.r, >, 0.99);
    g_assert_cmpfloat_with_epsilon(circuit.weight[0], 3.0, 0.5);
    g_assert_cmpfloat_with_epsilon(circuit.weight[2], -1.0, 0.3);
    g_assert_cmpfloat(fabs(circuit.weight[1]), <, 0.1);
    g_assert_cmpfloat_with_epsilon(circuit.threshold[0], 0.5, 0.2);
    static const double far[3] = {2.5, 0.0, 0.7};
    g_assert_cmpfloat_with_epsilon(cx_rectified_circuit_rate(&circuit, far),
                                   10.0, 0.5);
}

/* Two frames, two channels: strengths, signs and shares by hand. */
static void
test_circuit(void)
{
    double rate[] = {1.0, 5.0, 3.0}, sum[] = {0, 0, 6.0, -2.0, 3.0, -1.0};
    bool done[] = {false, true, true};
    CxAttribution a = {
        .n_frames = 3,
        .history = 1,
        .n_channels = {2, 1},
        .rate0 = 1.0,
        .rate = rate,
        .done = done,
        .sum = {sum, NULL},
    };
    CxChannelLabel labels[2] = {{.on = true, .fast = true, .lag_ms = 20.0},
                                {.on = false, .lag_ms = 50.0}};
    g_autoptr(CxCircuit) circuit = cx_circuit_new(&a, labels, 0, 0);

    g_assert_cmpuint(circuit->nodes[0].channel, ==, 0);
    g_assert_cmpfloat(circuit->nodes[0].strength, ==, 4.5);
    g_assert_cmpfloat(circuit->nodes[0].effect, ==, 4.5);
    g_assert_cmpfloat(circuit->nodes[1].effect, ==, -1.5);
    g_assert_cmpfloat(circuit->nodes[0].share, ==, 0.75);
    g_assert_cmpfloat(circuit->nodes[1].at_peak, ==, -2.0);
    g_assert_cmpuint(circuit->peak_frame, ==, 1);
    g_assert_cmpuint(cx_circuit_n_for_share(circuit, 0.7), ==, 1);
    g_assert_cmpuint(cx_circuit_n_for_share(circuit, 0.8), ==, 2);
    g_assert_false(circuit->nodes[1].on);
    g_autoptr(CxCircuit) copy = cx_circuit_copy(circuit);
    g_assert_cmpfloat(copy->nodes[1].share, ==, 0.25);
}

/* A responder's rates are the network's, shifted by its history. */
static void
test_responder(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxRetinaCnn) net = make_net(&rng);
    g_autoptr(CxMovie) flat = cx_movie_new(50, 1, 16, NULL);
    CxNetworkResponder network = {.net = net, .map = 1, .n_threads = 2};
    CxResponder responder = cx_responder_network(&network, "network");
    GError *error = NULL;
    CxCellPosition cells[2];
    CxRetinaPick picks[2];
    float got[100], want[2 * (50 - HISTORY)];

    for (size_t i = 0; i < 50 * 16; i++)
        flat->data[i] = (float)cx_rng_normal(&rng);
    for (int32_t i = 0; i < 2; i++) {
        picks[i] = (CxRetinaPick){.map = 1, .y = 2, .x = 3 + i};
        cells[i] = cx_retina_cnn_pick_centre(net, picks[i]);
    }
    g_assert_true(responder.respond(flat, cells, 2, got, responder.user_data,
                                    NULL, &error));
    g_assert_true(cx_retina_cnn_respond(net, flat, picks, 2, NULL, 1, want,
                                        NULL, &error));
    for (size_t i = 0; i < 2 * (50 - HISTORY); i++)
        g_assert_cmpfloat_with_epsilon(got[2 * HISTORY + i], want[i], 1e-4f);
    g_assert_cmpuint(responder.margin, ==, cx_network_margin(net));
    g_assert_false(cx_network_pick_at(net, 1, 0, picks, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "pixel 0", NULL);
    g_assert_false(cx_network_pick_at(net, 2, 8, picks, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "map 2", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reduction/sort", test_sort);
    g_test_add_func("/reduction/names", test_names);
    g_test_add_func("/reduction/scores", test_scores);
    g_test_add_func("/reduction/synflow", test_synflow);
    g_test_add_func("/reduction/pruned", test_pruned);
    g_test_add_func("/reduction/refit-output", test_refit_output);
    g_test_add_func("/reduction/refit", test_refit);
    g_test_add_func("/reduction/rectified", test_rectified);
    g_test_add_func("/reduction/circuit", test_circuit);
    g_test_add_func("/reduction/responder", test_responder);
    return g_test_run();
}
