/* Ten kinds of drawn figures, and small networks that learn to tell them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/flow_models.h"

#include <math.h>
#include <string.h>

#define SIDE 28
#define PIXELS (SIDE * SIDE)
#define CLASSES 10
#define NOISE 0.35
#define MOMENTUM 0.9
#define MINI_BATCH 20
#define MAX_SAMPLES 1000000

struct CxFlowSamples {
    size_t n;
    float *pixels; /* [n][PIXELS] */
    uint8_t *kinds;
};

/* Each has about the same ink; u, v in [-1, 1] within the figure. */
static bool
is_ink(unsigned kind, double u, double v)
{
    double r = hypot(u, v), most = fmax(fabs(u), fabs(v));

    switch (kind) {
    case 0:
        return r > 0.6 && r < 1.0; /* ring */
    case 1:
        return fabs(u) < 0.25 && fabs(v) < 1.0; /* post */
    case 2:
        return fabs(v) < 0.25 && fabs(u) < 1.0; /* beam */
    case 3:
        return most < 1.0 && fmin(fabs(u), fabs(v)) < 0.2; /* plus */
    case 4:
        return most < 1.0 && fabs(fabs(u) - fabs(v)) < 0.3; /* cross */
    case 5:
        return most > 0.65 && most < 1.0; /* frame */
    case 6:
        return r < 0.7; /* disc */
    case 7:
        return most < 1.0 && (v > 0.6 || u < -0.6); /* corner */
    case 8:
        return v < 0.8 && fabs(u) < (v + 1.0) / 2.0; /* triangle */
    default:
        return hypot(u - 0.6, v) < 0.45 || hypot(u + 0.6, v) < 0.45; /* two */
    }
}

static void
draw_figure(unsigned kind, CxRng *rng, float *pixels)
{
    double x0 = SIDE / 2.0 + (cx_rng_uniform(rng) - 0.5) * 8.0;
    double y0 = SIDE / 2.0 + (cx_rng_uniform(rng) - 0.5) * 8.0;
    double radius = 6.0 + 4.0 * cx_rng_uniform(rng);
    double angle = (cx_rng_uniform(rng) - 0.5) * 0.5;
    double c = cos(angle) / radius, s = sin(angle) / radius;

    for (unsigned i = 0; i < PIXELS; i++) {
        double dx = i % SIDE + 0.5 - x0, dy = i / SIDE + 0.5 - y0;
        double ink = is_ink(kind, dx * c + dy * s, dy * c - dx * s) ? 1.0 : 0.0;

        pixels[i] = (float)(ink - 0.25 + NOISE * cx_rng_normal(rng));
    }
}

CxFlowSamples *
cx_flow_samples_new(size_t n, uint64_t seed, GError **error)
{
    g_autoptr(CxFlowSamples) samples = g_new0(CxFlowSamples, 1);
    CxRng rng;

    if (n == 0 || n > MAX_SAMPLES) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%zu samples were asked for, expected 1 to %d", n,
                    MAX_SAMPLES);
        return NULL;
    }
    cx_rng_init(&rng, seed);
    samples->n = n;
    samples->pixels = cx_try_alloc(n, PIXELS * sizeof(float), error);
    if (samples->pixels == NULL)
        return NULL;
    samples->kinds = cx_try_alloc(n, 1, error);
    if (samples->kinds == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        samples->kinds[i] = (uint8_t)(i % CLASSES);
        draw_figure(samples->kinds[i], &rng, samples->pixels + i * PIXELS);
    }
    return g_steal_pointer(&samples);
}

void
cx_flow_samples_free(CxFlowSamples *samples)
{
    if (samples == NULL)
        return;
    cx_free(samples->pixels);
    cx_free(samples->kinds);
    g_free(samples);
}

static void
run_sample(CxFlowNet *net, const CxFlowSamples *samples, size_t i)
{
    double input[PIXELS];

    g_assert(cx_flow_shape_size(net->nodes[0].shape) == PIXELS &&
             cx_flow_shape_size(cx_flow_net_output(net)->shape) == CLASSES);
    for (unsigned k = 0; k < PIXELS; k++)
        input[k] = samples->pixels[i * PIXELS + k];
    cx_flow_forward(net, input, false);
}

/* Cross-entropy of one sample and its gradient, times factor. */
static double
add_sample(CxFlowNet *net, const CxFlowSamples *samples, size_t i,
           double factor)
{
    const double *logits = cx_flow_net_output(net)->value;
    double gradient[CLASSES], most = -HUGE_VAL, sum = 0.0;

    run_sample(net, samples, i);
    for (unsigned k = 0; k < CLASSES; k++)
        most = fmax(most, logits[k]);
    for (unsigned k = 0; k < CLASSES; k++)
        sum += exp(logits[k] - most);
    for (unsigned k = 0; k < CLASSES; k++)
        gradient[k] = factor * (exp(logits[k] - most) / sum -
                                (k == samples->kinds[i] ? 1.0 : 0.0));
    cx_flow_backward(net, gradient, false);
    return factor * (most + log(sum) - logits[samples->kinds[i]]);
}

double
cx_flow_samples_loss(CxFlowNet *net, void *samples)
{
    const CxFlowSamples *from = samples;
    double loss = 0.0;

    for (size_t i = 0; i < from->n; i++)
        loss += add_sample(net, from, i, 1.0 / (double)from->n);
    return loss;
}

double
cx_flow_samples_accuracy(CxFlowNet *net, const CxFlowSamples *samples)
{
    const double *logits = cx_flow_net_output(net)->value;
    size_t n_right = 0;

    for (size_t i = 0; i < samples->n; i++) {
        unsigned best = 0;

        run_sample(net, samples, i);
        for (unsigned k = 1; k < CLASSES; k++)
            if (logits[k] > logits[best])
                best = k;
        n_right += best == samples->kinds[i];
    }
    return (double)n_right / (double)samples->n;
}

/* ---- Training ---- */

typedef struct {
    double *weights, *biases; /* speeds, layer after layer */
} Speeds;

static void
step_values(double *values, double *speeds, const double *gradient,
            const uint8_t *mask, size_t n, double rate)
{
    for (size_t k = 0; k < n; k++) {
        if (mask != NULL && !mask[k])
            continue;
        speeds[k] = MOMENTUM * speeds[k] - rate * gradient[k];
        values[k] += speeds[k];
    }
}

static void
step_net(CxFlowNet *net, const Speeds *speeds, double rate)
{
    double *weights = speeds->weights, *biases = speeds->biases;

    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        step_values(node->weight, weights, node->weight_gradient, node->mask,
                    node->n_weights, rate);
        step_values(node->bias, biases, node->bias_gradient, NULL,
                    node->shape.n_channels, rate);
        weights += node->n_weights;
        biases += node->shape.n_channels;
    }
}

static void
shuffle(size_t *order, size_t n, CxRng *rng)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = cx_rng_below(rng, i), other = order[j];

        order[j] = order[i - 1];
        order[i - 1] = other;
    }
}

static bool
train_epoch(CxFlowNet *net, const CxFlowSamples *samples, const size_t *order,
            const Speeds *speeds, double rate, CxJob *job, GError **error)
{
    for (size_t first = 0; first < samples->n; first += MINI_BATCH) {
        size_t n = MIN(MINI_BATCH, samples->n - first);

        cx_flow_clear_gradients(net);
        for (size_t i = 0; i < n; i++)
            add_sample(net, samples, order[first + i], 1.0 / (double)n);
        step_net(net, speeds, rate);
        if (!cx_job_check(job, error))
            return false;
    }
    return true;
}

bool
cx_flow_samples_train(CxFlowNet *net, const CxFlowSamples *samples,
                      unsigned n_epochs, double rate, uint64_t seed, CxJob *job,
                      GError **error)
{
    size_t n_biases = 0;
    CxRng rng;

    for (unsigned i = 0; i < net->n_nodes; i++)
        n_biases += net->nodes[i].shape.n_channels;
    CX_AUTOFREE double *weights =
        cx_try_alloc0(cx_flow_n_weights(net), sizeof(double), error);
    CX_AUTOFREE double *biases =
        weights != NULL ? cx_try_alloc0(n_biases, sizeof(double), error) : NULL;
    CX_AUTOFREE size_t *order =
        biases != NULL ? cx_try_alloc(samples->n, sizeof(size_t), error) : NULL;
    const Speeds speeds = {weights, biases};

    if (order == NULL)
        return false;
    cx_rng_init(&rng, seed);
    for (size_t i = 0; i < samples->n; i++)
        order[i] = i;
    for (unsigned epoch = 0; epoch < n_epochs; epoch++) {
        double now = epoch * 3 < n_epochs * 2 ? rate : rate * 0.2;

        shuffle(order, samples->n, &rng);
        if (!train_epoch(net, samples, order, &speeds, now, job, error) ||
            !cx_job_step(job, epoch + 1, n_epochs, error))
            return false;
    }
    return true;
}
