/* Pruning: gradients, SynFlow's conservation, layer collapse, model files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/nn/layer.h"
#include "core/theory/flow_models.h"
#include "core/theory/flow_retina.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static double *
new_normal(CxRng *rng, size_t n)
{
    double *values = g_new(double, n);

    for (size_t i = 0; i < n; i++)
        values[i] = cx_rng_normal(rng);
    return values;
}

/* One of each: conv both ways, upconv, pools, upsample, concat, add, scale. */
static CxFlowNet *
new_mixed(CxRng *rng)
{
    const uint32_t k3[3] = {1, 3, 3}, k1[3] = {1, 1, 1}, f2[3] = {1, 2, 2};
    g_autoptr(GError) error = NULL;
    CxFlowNet *net = cx_flow_net_new((CxFlowShape){2, 1, 8, 8}, &error);
    unsigned a = cx_flow_add_conv(net, "a", 0, 3, k3, true, &error);

    a = cx_flow_add_relu(net, a, &error);
    unsigned b = cx_flow_add_pool(net, CX_FLOW_MAXPOOL, a, f2, &error);
    b = cx_flow_add_conv(net, "b", b, 4, k3, true, &error);
    b = cx_flow_add_scale(net, b, true, &error);
    b = cx_flow_add_relu(net, b, &error);
    unsigned c = cx_flow_add_upconv(net, "c", b, 2, f2, &error);
    unsigned d = cx_flow_add_conv(net, "d", b, 2, k1, true, &error);
    d = cx_flow_add_pool(net, CX_FLOW_UPSAMPLE, d, f2, &error);
    unsigned both[2] = {c, d};
    unsigned sum = cx_flow_add_join(net, CX_FLOW_ADD, both, 2, &error);
    unsigned joined[2] = {a, sum};
    unsigned e = cx_flow_add_join(net, CX_FLOW_CONCAT, joined, 2, &error);
    e = cx_flow_add_conv(net, "e", e, 3, k3, false, &error);
    e = cx_flow_add_relu(net, e, &error);
    e = cx_flow_add_pool(net, CX_FLOW_MEANPOOL, e, f2, &error);
    cx_flow_add_dense(net, "f", e, 2, &error);
    g_assert_no_error(error);
    cx_flow_net_init(net, rng);
    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        for (size_t k = 0; node->op == CX_FLOW_SCALE && k < node->n_weights;
             k++)
            node->weight[k] = 0.5 + cx_rng_uniform(rng);
        for (size_t k = 0;
             cx_flow_is_prunable(node) && k < node->shape.n_channels; k++)
            node->bias[k] = 0.1 * cx_rng_normal(rng);
    }
    return net;
}

static double
weighted_output(CxFlowNet *net, const double *input, const double *weights,
                bool absolute)
{
    const CxFlowNode *output = cx_flow_net_output(net);
    double sum = 0.0;

    cx_flow_forward(net, input, absolute);
    for (size_t i = 0; i < cx_flow_shape_size(output->shape); i++)
        sum += weights[i] * output->value[i];
    return sum;
}

/* Backward against differences of forward. */
static void
test_gradients(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxFlowNet) net = new_mixed(&rng);
    g_autofree double *input = new_normal(&rng, 128);
    g_autofree double *weights = new_normal(&rng, 2);
    const double h = 1e-6;

    weighted_output(net, input, weights, false);
    cx_flow_clear_gradients(net);
    cx_flow_backward(net, weights, false);
    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        for (size_t k = 0; k < node->n_weights; k += 1 + node->n_weights / 9) {
            double old = node->weight[k];

            node->weight[k] = old + h;
            double up = weighted_output(net, input, weights, false);
            node->weight[k] = old - h;
            double down = weighted_output(net, input, weights, false);
            node->weight[k] = old;
            g_assert_cmpfloat_with_epsilon((up - down) / (2 * h),
                                           node->weight_gradient[k], 1e-5);
        }
    }
    for (unsigned k = 0; k < 128; k += 11) {
        double gradient = net->nodes[0].gradient[k], old = input[k];

        input[k] = old + h;
        double up = weighted_output(net, input, weights, false);
        input[k] = old - h;
        double down = weighted_output(net, input, weights, false);
        input[k] = old;
        g_assert_cmpfloat_with_epsilon((up - down) / (2 * h), gradient, 1e-5);
    }
}

static double *
new_scores(CxFlowNet *net)
{
    const CxPruneOptions options = cx_prune_defaults();
    double *scores = g_new(double, cx_flow_n_weights(net));
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_prune_score(net, &options, scores, NULL, &error));
    return scores;
}

static void
check_conservation(CxFlowNet *net, const char *name, size_t n_expected)
{
    g_autofree double *scores = new_scores(net);
    size_t n;
    g_autofree CxFlowNeuron *neurons = cx_synflow_neurons(net, scores, &n);
    double error = cx_synflow_conservation_error(neurons, n);

    g_test_message("%s: %zu neurons, error %.2e", name, n, error);
    g_assert_cmpuint(n, ==, n_expected);
    g_assert_cmpfloat(error, <, 1e-9);
    g_assert_cmpfloat(neurons[0].in, >, 0.0);
}

static void
test_conservation(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFlowNet) mlp = cx_flow_new_mlp(&rng, &error);
    g_autoptr(CxFlowNet) lenet = cx_flow_new_lenet(&rng, &error);
    g_autoptr(CxFlowNet) mixed = new_mixed(&rng);

    g_assert_no_error(error);
    check_conservation(mlp, "mlp", 400);
    check_conservation(lenet, "lenet", 6 + 16 + 120 + 84);
    check_conservation(mixed, "mixed", 3 + 4 + 3);
}

/* The mean score of a cut is the same, so a layer's is as 1 / size. */
static void
test_layers(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxFlowNet) net = cx_flow_new_mlp(&rng, NULL);
    g_autofree double *scores = new_scores(net);
    g_autofree CxPruneLayer *layers = cx_prune_layers(net, scores);

    g_assert_cmpuint(cx_flow_n_layers(net), ==, 3);
    for (int i = 1; i < 3; i++) {
        double a = layers[0].mean_score * (double)layers[0].n_weights;
        double b = layers[i].mean_score * (double)layers[i].n_weights;

        g_assert_cmpfloat(fabs(a - b), <, 1e-9 * a);
    }
}

static double
bowl_loss(CxFlowNet *net, void *input)
{
    const CxFlowNode *output = cx_flow_net_output(net);
    double loss = 0.0;

    cx_flow_forward(net, input, false);
    for (size_t i = 0; i < cx_flow_shape_size(output->shape); i++)
        loss += 0.5 * output->value[i] * output->value[i];
    cx_flow_backward(net, output->value, false);
    return loss;
}

/* y = w x without a bias: L = 1/2 (w x)^2, H g = x^2 (x^2 w). */
static void
test_other_scores(void)
{
    const uint32_t k1[3] = {1, 1, 1};
    double input = 1.5, score;
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFlowNet) net =
        cx_flow_net_new((CxFlowShape){1, 1, 1, 1}, &error);
    CxPruneOptions options = cx_prune_defaults();
    double x2 = input * input, w = -0.7;

    g_assert_cmpuint(cx_flow_add_conv(net, "w", 0, 1, k1, false, &error), ==,
                     1);
    net->nodes[1].weight[0] = w;
    options.loss = bowl_loss;
    options.loss_data = &input;
    const double expected[CX_N_SCORERS] = {input * 0 + fabs(w), fabs(w), -1,
                                           w * w * x2, w * w * x2 * x2};
    for (unsigned s = 0; s < CX_N_SCORERS; s++) {
        CxScorer found;

        options.scorer = (CxScorer)s;
        g_assert_true(cx_prune_score(net, &options, &score, NULL, &error));
        if (expected[s] >= 0.0)
            g_assert_cmpfloat_with_epsilon(score, expected[s], 1e-9);
        g_assert_cmpfloat(net->nodes[1].weight[0], ==, w);
        g_assert_true(cx_scorer_parse(cx_scorer_name(options.scorer), &found));
        g_assert_cmpint(found, ==, options.scorer);
    }
    options.loss = NULL;
    g_assert_false(cx_prune_score(net, &options, &score, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "grasp needs a loss", NULL);
}

/* The best stay, against sorting, with many equal scores. */
static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x < y) - (x > y);
}

static void
test_keep(void)
{
    CxRng rng = cx_test_rng();
    const uint32_t k3[3] = {1, 3, 3};
    g_autoptr(GError) error = NULL;

    for (unsigned round = 0; round < 50; round++) {
        g_autoptr(CxFlowNet) net =
            cx_flow_net_new((CxFlowShape){5, 1, 4, 4}, &error);
        double scores[5 * 7 * 9], sorted[5 * 7 * 9], least = HUGE_VAL;
        size_t n = G_N_ELEMENTS(scores), n_keep = cx_rng_below(&rng, n + 1);

        cx_flow_add_conv(net, "a", 0, 7, k3, true, &error);
        for (size_t i = 0; i < n; i++)
            sorted[i] = scores[i] = (double)cx_rng_below(&rng, 1 + round);
        qsort(sorted, n, sizeof *sorted, compare);
        g_assert_true(cx_prune_keep(net, scores, n_keep, &error));
        g_assert_cmpuint(cx_flow_n_kept(net), ==, n_keep);
        for (size_t i = 0; i < n; i++)
            if (net->nodes[1].mask[i])
                least = fmin(least, scores[i]);
        if (n_keep > 0)
            g_assert_cmpfloat(least, ==, sorted[n_keep - 1]);
    }
}

static bool
is_connected(CxFlowNet *net)
{
    size_t n = cx_flow_shape_size(net->nodes[0].shape);
    g_autofree double *ones = g_new(double, n);
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        ones[i] = 1.0;
    cx_flow_forward(net, ones, true);
    const CxFlowNode *output = cx_flow_net_output(net);
    for (size_t i = 0; i < cx_flow_shape_size(output->shape); i++)
        sum += output->value[i];
    return sum > 0.0;
}

static void
check_collapse(CxFlowNet *net, CxPruneOptions options, const char *name,
               bool others_fail)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxCollapse) collapse =
        cx_collapse_measure(net, &options, 20, NULL, &error);

    g_assert_no_error(error);
    for (unsigned s = 0; s < CX_N_SCORERS; s++)
        g_test_message("%s, %s: no empty layer up to %.4g of %.4g", name,
                       cx_scorer_name((CxScorer)s), collapse->critical[s],
                       collapse->largest);
    g_assert_cmpfloat_with_epsilon(collapse->critical[CX_SCORER_SYNFLOW],
                                   collapse->largest, 1e-6 * collapse->largest);
    double others = fmax(collapse->critical[CX_SCORER_MAGNITUDE],
                         collapse->critical[CX_SCORER_SNIP]);
    if (others_fail)
        g_assert_cmpfloat(others, <, 0.9 * collapse->largest);
    g_assert_cmpuint(cx_flow_n_kept(net), ==, cx_flow_n_weights(net));
    g_autofree char *csv = cx_collapse_to_csv(collapse);
    g_assert_true(g_str_has_prefix(csv, "scorer,compression,empty,"));

    options.scorer = CX_SCORER_SYNFLOW;
    options.compression = collapse->largest;
    g_assert_true(cx_prune(net, &options, NULL, &error));
    g_assert_cmpuint(cx_flow_n_kept(net), ==, cx_flow_n_layers(net));
    g_assert_cmpuint(cx_prune_n_empty(net), ==, 0);
    g_assert_true(is_connected(net));
}

static void
test_collapse(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFlowSamples) samples = cx_flow_samples_new(50, 3, &error);
    g_autoptr(CxFlowNet) mlp = cx_flow_new_mlp(&rng, &error);
    g_autoptr(CxFlowNet) lenet = cx_flow_new_lenet(&rng, &error);
    CxPruneOptions options = cx_prune_defaults();

    options.loss = cx_flow_samples_loss;
    options.loss_data = samples;
    check_collapse(mlp, options, "mlp", true);
    check_collapse(lenet, options, "lenet", true);
}

static void
test_training(void)
{
    CxRng rng;
    g_autoptr(GError) error = NULL;
    g_autoptr(CxFlowSamples) train = cx_flow_samples_new(400, 3, &error);
    g_autoptr(CxFlowSamples) test = cx_flow_samples_new(200, 4, &error);

    cx_rng_init(&rng, 1);
    g_autoptr(CxFlowNet) net = cx_flow_new_lenet(&rng, &error);
    g_assert_true(cx_flow_samples_train(net, train, 8, 0.02, 1, NULL, &error));
    double accuracy = cx_flow_samples_accuracy(net, test);
    g_test_message("LeNet after 8 epochs of 400: %g", accuracy);
    g_assert_cmpfloat(accuracy, >, 0.6);
}

static void
test_retina(void)
{
    CxRetinaShape shape = {6, 12, 12, {4, 4}, 2, {3, 3, 3}, {3, 3, 3}};
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxRetinaCnn) retina = cx_retina_cnn_new(&shape, 3, &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *t = cx_retina_cnn_tensor(retina, i);

        if (g_str_has_suffix(t->name, "gain"))
            for (size_t k = 0; k < t->n; k++)
                t->data[k] = (float)(0.5 + cx_rng_uniform(&rng)) *
                             (k % 2 == 0 ? 1.0f : -1.0f);
    }
    cx_retina_cnn_refresh(retina);
    g_autoptr(CxFlowNet) net = cx_flow_new_from_retina(retina, &error);
    g_assert_no_error(error);
    check_conservation(net, "retina", 8);

    CxPruneOptions options = cx_prune_defaults();
    options.loss = cx_flow_noise_loss;
    options.loss_data = &rng;
    check_collapse(net, options, "retina", false);

    /* the same forward as the network's own, softplus aside */
    cx_prune_reset(net);
    g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(retina);
    size_t n1 = cx_retina_cnn_layer(retina, 0)->n_units;
    g_autofree double *input =
        new_normal(&rng, cx_flow_shape_size(net->nodes[0].shape));
    g_autofree float *z1 = g_new(float, n1);
    float rate;
    cx_flow_forward(net, input, false);
    for (size_t i = 0; i < n1; i++)
        z1[i] = (float)net->nodes[1].value[i];
    CxRetinaPick pick = {1, 2, 3};
    cx_retina_cnn_rates(retina, scratch, NULL, 1, z1, 1, &pick, 1, &rate);
    const CxFlowNode *output = cx_flow_net_output(net);
    double logit =
        output->value[(1 * output->shape.ny + 2) * output->shape.nx + 3];
    g_assert_cmpfloat_with_epsilon(log1p(exp(logit)), rate, 1e-4);

    double scores[4];
    g_assert_true(cx_flow_retina_channels(net, 0, scores, &error));
    g_assert_cmpfloat(scores[0], >, 0.0);
    net->nodes[1].mask[5] = 0;
    cx_flow_mask_retina(net, retina);
    g_assert_cmpfloat(cx_retina_cnn_tensor(retina, 0)->data[5], ==, 0.0);
}

/* ---- Model files ---- */

static CxNetwork *
load_model(const char *name)
{
    g_autoptr(GError) error = NULL;
    CxNetwork *network = cx_network_load(name, &error);

    if (network == NULL)
        g_test_skip(error->message);
    return network;
}

static void
test_membrane(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = load_model("fib");

    if (network == NULL)
        return;
    g_autoptr(CxFlowNet) net = cx_flow_new_from_network(network, 0, &error);
    g_assert_no_error(error);
    size_t n_hidden = 0;
    for (unsigned i = 0; i + 2 < network->n_layers; i++)
        if (network->layers[i].weight != NULL)
            n_hidden += network->layers[i].n_out;
    check_conservation(net, "fib", n_hidden);
    g_assert_null(cx_flow_new_from_network(network, 12, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "multiple of 8", NULL);
}

static void
test_files(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = load_model("sstem");
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *to = g_build_filename(dir, "masked.h5", NULL);
    g_autofree char *narrow = g_build_filename(dir, "narrow.h5", NULL);
    g_autofree char *from = cx_network_find("sstem", NULL);

    if (network == NULL)
        return;
    g_autoptr(CxFlowNet) net = cx_flow_new_from_network(network, 0, &error);
    CxPruneOptions options = {
        .scorer = CX_SCORER_MAGNITUDE, .compression = 4.0, .n_rounds = 1};
    g_assert_true(cx_prune(net, &options, NULL, &error));
    g_assert_true(cx_flow_write_masked(net, from, to, &error));
    g_autoptr(CxNetwork) masked = cx_network_load(to, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(cx_network_name(masked), ==, cx_network_name(network));
    size_t n_zero = 0, n_all = 0;
    for (unsigned i = 0; i < masked->n_layers; i++) {
        const CxLayer *layer = &masked->layers[i];
        size_t n = layer->weight == NULL
                       ? 0
                       : (size_t)layer->n_in * layer->n_out *
                             (size_t)(layer->extent[0] * layer->extent[1] *
                                      layer->extent[2]);

        g_assert_cmpfloat(layer->amax, ==, 0.0);
        for (size_t k = 0; k < n; k++)
            n_zero += layer->weight[k] == 0.0f;
        n_all += n;
    }
    g_assert_cmpuint(n_all, ==, cx_flow_n_weights(net));
    g_assert_cmpuint(n_all - n_zero, ==, cx_flow_n_kept(net));

    CxChannelPruning pruning = {.compression = 2.0, .n_rounds = 2};
    g_assert_true(cx_flow_write_narrow(from, narrow, &pruning, NULL, &error));
    g_autoptr(CxNetwork) small = cx_network_load(narrow, &error);
    g_assert_no_error(error);
    g_test_message("%.0f of %.0f FLOP, %u of %u channels", pruning.flop_after,
                   pruning.flop_before, pruning.channels_after,
                   pruning.channels_before);
    g_assert_cmpfloat(cx_network_flop_per_voxel(small), ==, pruning.flop_after);
    g_assert_cmpfloat(pruning.flop_before, ==,
                      cx_network_flop_per_voxel(network));
    g_assert_cmpfloat(pruning.flop_after, <=, pruning.flop_before / 2.0);
    g_assert_cmpfloat(pruning.flop_after, >, pruning.flop_before / 2.5);
    g_assert_false(
        cx_flow_write_narrow(from, "/nowhere/x.h5", &pruning, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_IO, "/nowhere/x.h5", NULL);
    cx_test_remove_dir(dir);
}

/* A network whose removed channels are constant is the same without them. */
static void
test_narrow_exact(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = load_model("sstem");
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *whole = g_build_filename(dir, "whole.h5", NULL);
    g_autofree char *narrow = g_build_filename(dir, "narrow.h5", NULL);
    g_autofree char *from = cx_network_find("sstem", NULL);
    CxRng rng = cx_test_rng();

    if (network == NULL)
        return;
    g_autoptr(CxFlowNet) net = cx_flow_new_from_network(network, 0, &error);
    for (unsigned i = 0; i < net->n_nodes; i++) /* every third: no inputs */
        for (size_t k = 0;
             cx_flow_is_prunable(&net->nodes[i]) && k < net->nodes[i].n_weights;
             k++) {
            CxFlowNode *node = &net->nodes[i];
            size_t fan_in = node->n_weights / node->shape.n_channels;

            if (node->shape.n_channels > 1 && k / fan_in % 3 == 0)
                node->mask[k] = 0;
        }
    g_assert_true(cx_flow_write_masked(net, from, whole, &error));
    CxChannelPruning pruning = {.compression = 1.9, .n_rounds = 1};
    g_assert_true(cx_flow_write_narrow(whole, narrow, &pruning, NULL, &error));
    g_assert_no_error(error);
    g_autoptr(CxNetwork) a = cx_network_load(whole, &error);
    g_autoptr(CxNetwork) b = cx_network_load(narrow, &error);
    g_autoptr(CxFlowNet) x = cx_flow_new_from_network(a, 0, &error);
    g_autoptr(CxFlowNet) y = cx_flow_new_from_network(b, 0, &error);
    size_t n = cx_flow_shape_size(x->nodes[0].shape);
    g_autofree double *input = new_normal(&rng, n);
    /* their biases give a constant: without one they give nothing */
    for (unsigned i = 0; i < x->n_nodes; i++) {
        CxFlowNode *p = &x->nodes[i], *q = &y->nodes[i];

        if (cx_flow_is_prunable(p)) {
            memset(p->bias, 0, p->shape.n_channels * sizeof(double));
            memset(q->bias, 0, q->shape.n_channels * sizeof(double));
        }
    }
    cx_flow_forward(x, input, false);
    cx_flow_forward(y, input, false);
    n = cx_flow_shape_size(cx_flow_net_output(x)->shape);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(cx_flow_net_output(x)->value[i],
                                       cx_flow_net_output(y)->value[i], 1e-9);
    g_assert_cmpuint(pruning.channels_after, <, pruning.channels_before);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/synflow/gradients", test_gradients);
    g_test_add_func("/synflow/conservation", test_conservation);
    g_test_add_func("/synflow/layers", test_layers);
    g_test_add_func("/synflow/other-scores", test_other_scores);
    g_test_add_func("/synflow/keep", test_keep);
    g_test_add_func("/synflow/collapse", test_collapse);
    g_test_add_func("/synflow/training", test_training);
    g_test_add_func("/synflow/retina", test_retina);
    g_test_add_func("/synflow/membrane", test_membrane);
    g_test_add_func("/synflow/files", test_files);
    g_test_add_func("/synflow/narrow-exact", test_narrow_exact);
    return g_test_run();
}
