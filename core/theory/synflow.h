/* Pruning before or after training: SynFlow and four scorers to compare.
 *
 * SynFlow (Tanaka, Kunin, Yamins and Ganguli, 2020) scores a weight by
 * |w dR/dw| with R the sum of outputs of the network of absolute weights for
 * an input of ones.  The scores that enter a hidden neuron sum to those that
 * leave it, so that a layer cannot lose all of its weights as long as the score
 * is taken anew after each small removal.  No data is needed.  The method is
 * described in US patent 12406185; it is here for teaching.
 *
 * Scores are double; one thread at a time works on a net.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/flow_net.h"

typedef enum {
    CX_SCORER_SYNFLOW,
    CX_SCORER_MAGNITUDE, /* |w| */
    CX_SCORER_RANDOM,
    CX_SCORER_SNIP,  /* |w dL/dw| (Lee, Ajanthan and Torr, 2019) */
    CX_SCORER_GRASP, /* w (H dL/dw), signed (Wang, Zhang and Grosse, 2020) */
} CxScorer;

#define CX_N_SCORERS 5

/* "synflow", "magnitude", "random", "snip", "grasp". */
const char *cx_scorer_name(CxScorer scorer);
bool cx_scorer_parse(const char *name, CxScorer *scorer);

/* Where the loss L of SNIP and GraSP comes from: adds the gradient of the mean
 * loss to the weights of net (cx_flow_forward, cx_flow_backward) and returns
 * the loss. */
typedef double (*CxFlowLoss)(CxFlowNet *net, void *data);

typedef struct {
    CxScorer scorer;
    double compression; /* rho = weights before / after, at least 1 */
    unsigned n_rounds;  /* 100; scores are taken anew before each */
    bool linear;        /* equal shares a round, not equal factors */
    CxFlowLoss loss;    /* for SNIP and GraSP */
    void *loss_data;
    uint64_t seed; /* for random scores */
} CxPruneOptions;

/* SynFlow, compression 10, 100 rounds. */
CxPruneOptions cx_prune_defaults(void);

/* Scores of all prunable weights, layer after layer; masked ones 0 (lowest for
 * GraSP).  scores: cx_flow_n_weights(net). */
bool cx_prune_score(CxFlowNet *net, const CxPruneOptions *options,
                    double *scores, CxJob *job, GError **error);

/* Masks all but the n_keep weights with the largest of these scores; equal ones
 * go from the back. */
bool cx_prune_keep(CxFlowNet *net, const double *scores, size_t n_keep,
                   GError **error);

/* Sets masks: after round k of n the largest rho^(-k / n) of all weights
 * remain.  Exactly round(N / rho) remain at the end, whatever ties there are;
 * values stay as they are. */
bool cx_prune(CxFlowNet *net, const CxPruneOptions *options, CxJob *job,
              GError **error);

/* The same, and calls hook after each round. */
typedef void (*CxPruneHook)(CxFlowNet *net, unsigned round, void *data);
bool cx_prune_rounds(CxFlowNet *net, const CxPruneOptions *options,
                     CxPruneHook hook, void *hook_data, CxJob *job,
                     GError **error);

/* All masks 1. */
void cx_prune_reset(CxFlowNet *net);

/* ---- What came of it, layer by layer ---- */

typedef struct {
    unsigned node;    /* index in the net */
    const char *name; /* borrowed from the net */
    size_t n_weights, n_kept;
    double mean_score; /* of all its weights before pruning, if asked for */
} CxPruneLayer;

/* Owned array of cx_flow_n_layers(net); scores may be NULL. */
CxPruneLayer *cx_prune_layers(const CxFlowNet *net, const double *scores);

/* Layers without any weight left. */
unsigned cx_prune_n_empty(const CxFlowNet *net);

/* One hidden neuron (a channel): scores that enter and that leave. */
typedef struct {
    unsigned node;
    uint32_t channel;
    double in, out;
} CxFlowNeuron;

/* For all hidden channels of layers with weights whose way out has no sum of
 * several layers (CX_FLOW_ADD of more than one); *n of them, owned.  scores of
 * SynFlow. */
CxFlowNeuron *cx_synflow_neurons(const CxFlowNet *net, const double *scores,
                                 size_t *n);

/* Largest |in - out| / max(in, out) over the neurons. */
double cx_synflow_conservation_error(const CxFlowNeuron *neurons, size_t n);

/* ---- Layer collapse: five scorers over a range of compressions ---- */

typedef struct {
    CxScorer scorer;
    double compression;
    unsigned n_empty;
    unsigned n_layers;
    size_t *n_kept; /* [n_layers] */
} CxCollapsePoint;

typedef struct {
    unsigned n_layers;
    size_t *n_weights; /* [n_layers] */
    char **names;      /* [n_layers] */
    double largest;    /* N / L, the most any scorer could reach */
    unsigned n_points; /* by scorer, then compression */
    CxCollapsePoint *points;
    /* the largest compression at which no layer is empty, up to there */
    double critical[CX_N_SCORERS];
} CxCollapse;

/* n_steps compressions up to N / L, equal factors apart.  options gives loss,
 * seed and rounds: SynFlow is run once to the end and looked at on the way, the
 * others score once, as published; without a loss SNIP and GraSP are left out.
 * Masks are all 1 afterwards. */
CxCollapse *cx_collapse_measure(CxFlowNet *net, const CxPruneOptions *options,
                                unsigned n_steps, CxJob *job, GError **error);
void cx_collapse_free(CxCollapse *collapse);

/* "scorer,compression,empty,<a column a layer: share kept>\n…"; owned. */
char *cx_collapse_to_csv(const CxCollapse *collapse);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCollapse, cx_collapse_free)
