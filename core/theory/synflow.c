/* Pruning: scores, masks, conservation.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/synflow.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <math.h>
#include <string.h>

#define HESSIAN_STEP 1e-4 /* of the length of the weights */

static const char *const scorer_names[CX_N_SCORERS] = {
    "synflow", "magnitude", "random", "snip", "grasp"};

const char *
cx_scorer_name(CxScorer scorer)
{
    return scorer_names[scorer];
}

bool
cx_scorer_parse(const char *name, CxScorer *scorer)
{
    for (unsigned i = 0; i < CX_N_SCORERS; i++) {
        if (g_strcmp0(name, scorer_names[i]) != 0)
            continue;
        *scorer = (CxScorer)i;
        return true;
    }
    return false;
}

CxPruneOptions
cx_prune_defaults(void)
{
    return (CxPruneOptions){.scorer = CX_SCORER_SYNFLOW,
                            .compression = 10.0,
                            .n_rounds = 100,
                            .seed = 1};
}

/* ---- Scores ---- */

/* What is done for each weight, in the order of scores. */
typedef double (*WeightFunc)(const CxFlowNode *node, size_t at, void *data);

static void
fill(const CxFlowNet *net, WeightFunc func, void *data, double *scores)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        for (size_t k = 0; k < node->n_weights; k++)
            scores[k] = node->mask[k] ? func(node, k, data) : 0.0;
        scores += node->n_weights;
    }
}

static double
magnitude(const CxFlowNode *node, size_t at, void *data)
{
    return fabs(node->weight[at]);
}

static double
random_score(const CxFlowNode *node, size_t at, void *data)
{
    return cx_rng_uniform(data);
}

static double
flow(const CxFlowNode *node, size_t at, void *data)
{
    return fabs(node->weight[at] * node->weight_gradient[at]);
}

static double
gradient_of(const CxFlowNode *node, size_t at, void *data)
{
    return node->weight_gradient[at];
}

static bool
score_synflow(CxFlowNet *net, double *scores, GError **error)
{
    size_t n_in = cx_flow_shape_size(net->nodes[0].shape);
    size_t n_out = cx_flow_shape_size(cx_flow_net_output(net)->shape);
    CX_AUTOFREE double *ones =
        cx_try_alloc(MAX(n_in, n_out), sizeof *ones, error);

    if (ones == NULL)
        return false;
    for (size_t i = 0; i < MAX(n_in, n_out); i++)
        ones[i] = 1.0;
    cx_flow_clear_gradients(net);
    cx_flow_forward(net, ones, true);
    cx_flow_backward(net, ones, true);
    fill(net, flow, NULL, scores);
    return true;
}

/* weights += factor * direction, those that are there. */
static void
move_weights(CxFlowNet *net, const double *direction, double factor)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        for (size_t k = 0; k < node->n_weights; k++)
            if (node->mask[k])
                node->weight[k] += factor * direction[k];
        direction += node->n_weights;
    }
}

static double
square(const CxFlowNode *node, size_t at, void *sum)
{
    *(double *)sum += node->weight[at] * node->weight[at];
    return 0.0;
}

/* The gradients of the loss with the weights moved along direction. */
static void
gradients_at(CxFlowNet *net, const CxPruneOptions *options,
             const double *direction, double step, double *gradients)
{
    move_weights(net, direction, step);
    cx_flow_clear_gradients(net);
    options->loss(net, options->loss_data);
    fill(net, gradient_of, NULL, gradients);
    move_weights(net, direction, -step);
}

/* scores, until here gradients ahead less those behind, times the weights. */
static void
multiply_by_weights(const CxFlowNet *net, double factor, double *scores)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];

        if (!cx_flow_is_prunable(node))
            continue;
        for (size_t k = 0; k < node->n_weights; k++)
            scores[k] *= factor * node->weight[k];
        scores += node->n_weights;
    }
}

/* The product with the Hessian by a central difference of gradients. */
static bool
score_grasp(CxFlowNet *net, const CxPruneOptions *options, double *scores,
            GError **error)
{
    size_t n = cx_flow_n_weights(net);
    CX_AUTOFREE double *direction = cx_try_alloc(n, sizeof(double), error);
    CX_AUTOFREE double *behind =
        direction != NULL ? cx_try_alloc(n, sizeof(double), error) : NULL;
    double length = 0.0, weights = 0.0;

    if (behind == NULL)
        return false;
    cx_flow_clear_gradients(net);
    options->loss(net, options->loss_data);
    fill(net, gradient_of, NULL, direction);
    fill(net, square, &weights, scores);
    for (size_t i = 0; i < n; i++)
        length += direction[i] * direction[i];
    double step = length > 0.0 ? HESSIAN_STEP * sqrt(weights / length) : 1.0;
    gradients_at(net, options, direction, step, scores);
    gradients_at(net, options, direction, -step, behind);
    for (size_t i = 0; i < n; i++)
        scores[i] -= behind[i];
    multiply_by_weights(net, 1.0 / (2.0 * step), scores);
    return true;
}

bool
cx_prune_score(CxFlowNet *net, const CxPruneOptions *options, double *scores,
               CxJob *job, GError **error)
{
    CxRng rng;

    if (!cx_job_check(job, error))
        return false;
    if (options->loss == NULL && (options->scorer == CX_SCORER_SNIP ||
                                  options->scorer == CX_SCORER_GRASP)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the scorer %s needs a loss, found none",
                    cx_scorer_name(options->scorer));
        return false;
    }
    switch (options->scorer) {
    case CX_SCORER_SYNFLOW:
        return score_synflow(net, scores, error);
    case CX_SCORER_MAGNITUDE:
        fill(net, magnitude, NULL, scores);
        break;
    case CX_SCORER_RANDOM:
        cx_rng_init(&rng, options->seed);
        fill(net, random_score, &rng, scores);
        break;
    case CX_SCORER_SNIP:
        cx_flow_clear_gradients(net);
        options->loss(net, options->loss_data);
        fill(net, flow, NULL, scores);
        break;
    case CX_SCORER_GRASP:
        return score_grasp(net, options, scores, error);
    }
    return true;
}

/* ---- Masks ---- */

typedef struct {
    double score;
    uint32_t at;
} Candidate;

static bool
is_before(const Candidate *a, const Candidate *b)
{
    return a->score > b->score || (a->score == b->score && a->at < b->at);
}

/* Brings the n_first best to the front (Hoare's selection). */
static void
select_best(Candidate *c, size_t n, size_t n_first)
{
    int64_t lo = 0, hi = (int64_t)n - 1, k = (int64_t)n_first;

    while (lo < hi) {
        Candidate middle = c[lo + (hi - lo) / 2];
        int64_t i = lo, j = hi;

        while (i <= j) {
            while (is_before(&c[i], &middle))
                i++;
            while (is_before(&middle, &c[j]))
                j--;
            if (i > j)
                break;
            Candidate other = c[i];
            c[i++] = c[j];
            c[j--] = other;
        }
        if (k <= j)
            hi = j;
        else if (k >= i)
            lo = i;
        else
            break;
    }
}

bool
cx_prune_keep(CxFlowNet *net, const double *scores, size_t n_keep,
              GError **error)
{
    CX_AUTOFREE Candidate *candidates =
        cx_try_alloc(cx_flow_n_weights(net), sizeof *candidates, error);
    size_t n = 0, at = 0;

    if (candidates == NULL)
        return false;
    for (unsigned i = 0; i < net->n_nodes; i++)
        for (size_t k = 0;
             cx_flow_is_prunable(&net->nodes[i]) && k < net->nodes[i].n_weights;
             k++, at++)
            if (net->nodes[i].mask[k])
                candidates[n++] = (Candidate){scores[at], (uint32_t)at};
    if (n_keep >= n)
        return true;
    select_best(candidates, n, n_keep);
    for (size_t i = n_keep; i < n; i++) {
        size_t rest = candidates[i].at;
        unsigned node = 0;

        while (!cx_flow_is_prunable(&net->nodes[node]) ||
               rest >= net->nodes[node].n_weights) {
            if (cx_flow_is_prunable(&net->nodes[node]))
                rest -= net->nodes[node].n_weights;
            node++;
        }
        net->nodes[node].mask[rest] = 0;
    }
    return true;
}

/* Weights that remain after round k of n. */
static size_t
kept_after(const CxPruneOptions *o, size_t n_weights, unsigned k)
{
    double done = (double)k / o->n_rounds, last = 1.0 / o->compression;
    double share = o->linear ? 1.0 - (1.0 - last) * done : pow(last, done);

    return (size_t)llround((double)n_weights * share);
}

void
cx_prune_reset(CxFlowNet *net)
{
    for (unsigned i = 0; i < net->n_nodes; i++)
        if (cx_flow_is_prunable(&net->nodes[i]))
            memset(net->nodes[i].mask, 1, net->nodes[i].n_weights);
}

bool
cx_prune_rounds(CxFlowNet *net, const CxPruneOptions *options, CxPruneHook hook,
                void *hook_data, CxJob *job, GError **error)
{
    size_t n = cx_flow_n_weights(net);

    if (!(options->compression >= 1.0) || options->n_rounds == 0 ||
        n > UINT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "pruning by %g in %u rounds was asked for, expected a "
                    "compression of at least 1 and at least one round",
                    options->compression, options->n_rounds);
        return false;
    }
    CX_AUTOFREE double *scores = cx_try_alloc(n, sizeof *scores, error);
    if (scores == NULL)
        return false;
    for (unsigned k = 1; k <= options->n_rounds; k++) {
        if (!cx_prune_score(net, options, scores, job, error) ||
            !cx_prune_keep(net, scores, kept_after(options, n, k), error))
            return false;
        if (hook != NULL)
            hook(net, k, hook_data);
        if (!cx_job_step(job, k, options->n_rounds, error))
            return false;
    }
    return true;
}

bool
cx_prune(CxFlowNet *net, const CxPruneOptions *options, CxJob *job,
         GError **error)
{
    return cx_prune_rounds(net, options, NULL, NULL, job, error);
}

/* ---- What came of it ---- */

CxPruneLayer *
cx_prune_layers(const CxFlowNet *net, const double *scores)
{
    CxPruneLayer *layers = g_new0(CxPruneLayer, cx_flow_n_layers(net));
    unsigned n = 0;

    for (unsigned i = 0; i < net->n_nodes; i++) {
        const CxFlowNode *node = &net->nodes[i];
        CxPruneLayer *layer = &layers[n];

        if (!cx_flow_is_prunable(node))
            continue;
        n++;
        *layer = (CxPruneLayer){
            .node = i, .name = node->name, .n_weights = node->n_weights};
        for (size_t k = 0; k < node->n_weights; k++) {
            layer->n_kept += node->mask[k];
            if (scores != NULL)
                layer->mean_score += scores[k] / (double)node->n_weights;
        }
        if (scores != NULL)
            scores += node->n_weights;
    }
    return layers;
}

unsigned
cx_prune_n_empty(const CxFlowNet *net)
{
    g_autofree CxPruneLayer *layers = cx_prune_layers(net, NULL);
    unsigned n = 0;

    for (unsigned i = 0; i < cx_flow_n_layers(net); i++)
        n += layers[i].n_kept == 0;
    return n;
}
