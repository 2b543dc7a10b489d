/* Layer collapse: five scorers over a range of compressions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/synflow.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <math.h>

#define MAX_STEPS 1000

typedef struct {
    CxCollapse *collapse;
    CxScorer scorer;
    unsigned n_steps;
    unsigned n_rounds;
    unsigned done; /* steps */
} Watch;

void
cx_collapse_free(CxCollapse *collapse)
{
    if (collapse == NULL)
        return;
    for (unsigned i = 0; i < collapse->n_points; i++)
        g_free(collapse->points[i].n_kept);
    for (unsigned i = 0; i < collapse->n_layers; i++)
        g_free(collapse->names[i]);
    g_free(collapse->points);
    g_free(collapse->names);
    g_free(collapse->n_weights);
    g_free(collapse);
}

static void
add_point(CxCollapse *collapse, const CxFlowNet *net, CxScorer scorer,
          double compression)
{
    CxCollapsePoint *point = &collapse->points[collapse->n_points++];
    g_autofree CxPruneLayer *layers = cx_prune_layers(net, NULL);

    *point = (CxCollapsePoint){scorer, compression, 0, collapse->n_layers,
                               g_new0(size_t, collapse->n_layers)};
    for (unsigned i = 0; i < collapse->n_layers; i++) {
        point->n_kept[i] = layers[i].n_kept;
        point->n_empty += layers[i].n_kept == 0;
    }
    if (point->n_empty == 0 &&
        collapse->critical[scorer] >= 0.0) /* not empty before */
        collapse->critical[scorer] = compression;
    else
        collapse->critical[scorer] = -fabs(collapse->critical[scorer]);
}

static double
compression_of(const CxCollapse *collapse, unsigned step, unsigned n_steps)
{
    return pow(collapse->largest, (double)step / n_steps);
}

/* After the round that is step n of n_steps. */
static void
watch_round(CxFlowNet *net, unsigned round, void *data)
{
    Watch *watch = data;

    while ((uint64_t)(watch->done + 1) * watch->n_rounds <=
           (uint64_t)round * watch->n_steps) {
        watch->done++;
        add_point(watch->collapse, net, watch->scorer,
                  compression_of(watch->collapse, watch->done, watch->n_steps));
    }
}

/* All rounds on the way to the largest compression. */
static bool
run_rounds(CxCollapse *collapse, CxFlowNet *net, CxPruneOptions options,
           unsigned n_steps, CxJob *job, GError **error)
{
    Watch watch = {collapse, options.scorer, n_steps, options.n_rounds, 0};

    options.compression = collapse->largest;
    return cx_prune_rounds(net, &options, watch_round, &watch, job, error);
}

/* Scores once, then keeps fewer and fewer. */
static bool
run_once(CxCollapse *collapse, CxFlowNet *net, const CxPruneOptions *options,
         unsigned n_steps, CxJob *job, GError **error)
{
    size_t n = cx_flow_n_weights(net);
    CX_AUTOFREE double *scores = cx_try_alloc(n, sizeof *scores, error);

    if (scores == NULL || !cx_prune_score(net, options, scores, job, error))
        return false;
    for (unsigned step = 1; step <= n_steps; step++) {
        double compression = compression_of(collapse, step, n_steps);
        size_t n_keep = (size_t)llround((double)n / compression);

        if (!cx_prune_keep(net, scores, n_keep, error))
            return false;
        add_point(collapse, net, options->scorer, compression);
        if (!cx_job_step(job, step, n_steps, error))
            return false;
    }
    return true;
}

static CxCollapse *
new_collapse(const CxFlowNet *net, unsigned n_steps)
{
    CxCollapse *collapse = g_new0(CxCollapse, 1);
    g_autofree CxPruneLayer *layers = cx_prune_layers(net, NULL);

    collapse->n_layers = cx_flow_n_layers(net);
    collapse->n_weights = g_new(size_t, collapse->n_layers);
    collapse->names = g_new(char *, collapse->n_layers);
    for (unsigned i = 0; i < collapse->n_layers; i++) {
        collapse->n_weights[i] = layers[i].n_weights;
        collapse->names[i] = g_strdup(layers[i].name);
    }
    collapse->largest =
        (double)cx_flow_n_weights(net) / (double)collapse->n_layers;
    collapse->points = g_new0(CxCollapsePoint, CX_N_SCORERS * n_steps);
    for (unsigned s = 0; s < CX_N_SCORERS; s++)
        collapse->critical[s] = 1.0;
    return collapse;
}

CxCollapse *
cx_collapse_measure(CxFlowNet *net, const CxPruneOptions *options,
                    unsigned n_steps, CxJob *job, GError **error)
{
    if (n_steps == 0 || n_steps > MAX_STEPS || cx_flow_n_layers(net) == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "layer collapse at %u compressions of %u layers was asked "
                    "for, expected 1 to %d and at least one layer",
                    n_steps, cx_flow_n_layers(net), MAX_STEPS);
        return NULL;
    }
    g_autoptr(CxCollapse) collapse = new_collapse(net, n_steps);
    bool ok = true;

    for (unsigned s = 0; s < CX_N_SCORERS && ok; s++) {
        CxPruneOptions now = *options;
        bool needs_loss = s == CX_SCORER_SNIP || s == CX_SCORER_GRASP;
        g_autoptr(CxJob) part = cx_job_new_part(job, (double)s / CX_N_SCORERS,
                                                (s + 1.0) / CX_N_SCORERS);

        if (needs_loss && options->loss == NULL)
            continue;
        now.scorer = (CxScorer)s;
        cx_prune_reset(net);
        if (s == CX_SCORER_SYNFLOW)
            ok = run_rounds(collapse, net, now, n_steps, part, error);
        else
            ok = run_once(collapse, net, &now, n_steps, part, error);
    }
    cx_prune_reset(net);
    for (unsigned s = 0; s < CX_N_SCORERS; s++)
        collapse->critical[s] = fabs(collapse->critical[s]);
    return ok ? g_steal_pointer(&collapse) : NULL;
}

char *
cx_collapse_to_csv(const CxCollapse *collapse)
{
    g_autoptr(GString) text = g_string_new("scorer,compression,empty");
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (unsigned i = 0; i < collapse->n_layers; i++)
        g_string_append_printf(text, ",%s", collapse->names[i]);
    g_string_append_c(text, '\n');
    for (unsigned p = 0; p < collapse->n_points; p++) {
        const CxCollapsePoint *point = &collapse->points[p];

        g_string_append_printf(
            text, "%s,%s,%u", cx_scorer_name(point->scorer),
            g_ascii_formatd(number, sizeof number, "%.9g", point->compression),
            point->n_empty);
        for (unsigned i = 0; i < collapse->n_layers; i++) {
            double share =
                (double)point->n_kept[i] / (double)collapse->n_weights[i];

            g_string_append_c(text, ',');
            g_string_append(
                text, g_ascii_formatd(number, sizeof number, "%.9g", share));
        }
        g_string_append_c(text, '\n');
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
