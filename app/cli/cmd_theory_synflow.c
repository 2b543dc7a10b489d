/* theory synflow: prunes a network, and compares five ways to score weights.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/theory.h"
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/flow_models.h"
#include "core/theory/flow_retina.h"

#include <string.h>

#define N_SAMPLES 2000
#define N_TEST 1000
#define N_SCORED 100 /* samples for the loss of SNIP and GraSP */
#define COLLAPSE_STEPS 24
#define TRAIN_RATE 0.01

typedef struct {
    CxFlowNet *net;
    char *path; /* of a model file */
    CxRetinaCnn *retina;
    CxFlowSamples *samples, *test, *scored;
    CxRng noise;
    bool is_network;
} Model;

static void
clear_model(Model *model)
{
    cx_flow_net_free(model->net);
    g_free(model->path);
    cx_retina_cnn_free(model->retina);
    cx_flow_samples_free(model->samples);
    cx_flow_samples_free(model->test);
    cx_flow_samples_free(model->scored);
}

static bool
open_small(Model *model, const char *name, uint64_t seed, GError **error)
{
    CxRng rng;

    cx_rng_init(&rng, seed);
    model->net = strcmp(name, "mlp") == 0 ? cx_flow_new_mlp(&rng, error)
                                          : cx_flow_new_lenet(&rng, error);
    if (model->net == NULL)
        return false;
    model->samples = cx_flow_samples_new(N_SAMPLES, seed + 1, error);
    if (model->samples == NULL)
        return false;
    model->test = cx_flow_samples_new(N_TEST, seed + 2, error);
    if (model->test == NULL)
        return false;
    model->scored = cx_flow_samples_new(N_SCORED, seed + 3, error);
    return model->scored != NULL;
}

/* A membrane network, or else a network of the retina. */
static bool
open_file(Model *model, const char *spec, GError **error)
{
    GError *local = NULL;

    model->path = cx_network_find(spec, error);
    if (model->path == NULL)
        return false;
    g_autoptr(CxNetwork) network = cx_network_load(model->path, &local);
    if (network != NULL) {
        model->is_network = true;
        model->net = cx_flow_new_from_network(network, 0, error);
        return model->net != NULL;
    }
    model->retina = cx_retina_cnn_load(model->path, NULL);
    if (model->retina == NULL) {
        g_propagate_error(error, local);
        return false;
    }
    g_clear_error(&local);
    model->net = cx_flow_new_from_retina(model->retina, error);
    return model->net != NULL;
}

static bool
open_model(Model *model, const char *name, uint64_t seed, GError **error)
{
    cx_rng_init(&model->noise, seed);
    if (strcmp(name, "mlp") == 0 || strcmp(name, "lenet") == 0)
        return open_small(model, name, seed, error);
    return open_file(model, name, error);
}

static bool
read_options(CxcliContext *context, Model *model, CxPruneOptions *options,
             GError **error)
{
    const char *scorer = cxcli_text(context, "scorer", "synflow");

    *options = cx_prune_defaults();
    options->compression =
        cxcli_real(context, "compression", options->compression);
    options->n_rounds = cxcli_count(context, "rounds", options->n_rounds);
    options->seed = cxcli_integer(context, "seed", 1);
    options->loss =
        model->scored != NULL ? cx_flow_samples_loss : cx_flow_noise_loss;
    options->loss_data =
        model->scored != NULL ? (void *)model->scored : (void *)&model->noise;
    if (cx_scorer_parse(scorer, &options->scorer))
        return true;
    cxcli_set_usage_error(error,
                          "--scorer: found \"%s\", expected synflow, "
                          "magnitude, random, snip or grasp",
                          scorer);
    return false;
}

/* Conservation, and the size of each layer's mean score, before pruning. */
static bool
report_scores(CxcliContext *context, Model *model, double *scores,
              GError **error)
{
    const CxPruneOptions options = cx_prune_defaults();
    size_t n;

    if (!cx_prune_score(model->net, &options, scores, context->job, error))
        return false;
    g_autofree CxFlowNeuron *neurons =
        cx_synflow_neurons(model->net, scores, &n);
    cxcli_report_integer(context->report, "weights",
                         (int64_t)cx_flow_n_weights(model->net));
    cxcli_report_real(context->report, "largest_compression",
                      (double)cx_flow_n_weights(model->net) /
                          cx_flow_n_layers(model->net));
    cxcli_report_integer(context->report, "neurons", (int64_t)n);
    cxcli_report_real(context->report, "conservation_error",
                      cx_synflow_conservation_error(neurons, n));
    return true;
}

static void
report_layers(CxcliContext *context, const CxFlowNet *net, const double *scores)
{
    g_autofree CxPruneLayer *layers = cx_prune_layers(net, scores);

    cxcli_report_integer(context->report, "kept", (int64_t)cx_flow_n_kept(net));
    cxcli_report_integer(context->report, "empty_layers",
                         cx_prune_n_empty(net));
    cxcli_report_begin_array(context->report, "layers");
    for (unsigned i = 0; i < cx_flow_n_layers(net); i++) {
        cxcli_report_begin_object(context->report, NULL);
        cxcli_report_text(context->report, "layer", layers[i].name);
        cxcli_report_integer(context->report, "weights",
                             (int64_t)layers[i].n_weights);
        cxcli_report_integer(context->report, "kept",
                             (int64_t)layers[i].n_kept);
        cxcli_report_real(context->report, "mean_score", layers[i].mean_score);
        cxcli_report_end_object(context->report);
    }
    cxcli_report_end_array(context->report);
}

static bool
compare(CxcliContext *context, Model *model, const CxPruneOptions *options,
        GError **error)
{
    const char *path = cxcli_text(context, "csv", NULL);

    cx_job_stage(context->job, "comparing", 0.1, 0.6);
    g_autoptr(CxCollapse) collapse = cx_collapse_measure(
        model->net, options, COLLAPSE_STEPS, context->job, error);
    if (collapse == NULL)
        return false;
    cxcli_report_begin_object(context->report, "critical_compression");
    for (unsigned s = 0; s < CX_N_SCORERS; s++)
        cxcli_report_real(context->report, cx_scorer_name((CxScorer)s),
                          collapse->critical[s]);
    cxcli_report_end_object(context->report);
    if (path == NULL)
        return true;
    g_autofree char *csv = cx_collapse_to_csv(collapse);
    return cxcli_write_text(path, csv, strlen(csv), error);
}

static bool
write_pruned(CxcliContext *context, Model *model, GError **error)
{
    const char *to = context->n_args > 2 ? context->args[2] : NULL;

    if (to == NULL)
        return true;
    if (model->is_network)
        return cx_flow_write_masked(model->net, model->path, to, error);
    if (model->retina != NULL) {
        cx_flow_mask_retina(model->net, model->retina);
        return cx_retina_cnn_save(model->retina, to, error);
    }
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s has no model file to be written to %s, expected a network "
                "from a file",
                context->args[1], to);
    return false;
}

static bool
train(CxcliContext *context, Model *model, GError **error)
{
    unsigned n_epochs = cxcli_count(context, "train", 0);

    if (model->samples == NULL || n_epochs == 0)
        return true;
    cx_job_stage(context->job, "training", 0.8, 1.0);
    if (!cx_flow_samples_train(model->net, model->samples, n_epochs, TRAIN_RATE,
                               cxcli_integer(context, "seed", 1), context->job,
                               error))
        return false;
    cxcli_report_real(context->report, "accuracy",
                      cx_flow_samples_accuracy(model->net, model->test));
    return true;
}

static bool
prune(CxcliContext *context, Model *model, GError **error)
{
    CxPruneOptions options;
    CX_AUTOFREE double *scores =
        cx_try_alloc(cx_flow_n_weights(model->net), sizeof *scores, error);

    if (scores == NULL || !read_options(context, model, &options, error) ||
        !report_scores(context, model, scores, error) ||
        (cxcli_has(context, "compare") &&
         !compare(context, model, &options, error)))
        return false;
    cx_job_stage(context->job, "pruning", 0.6, 0.8);
    if (!cx_prune(model->net, &options, context->job, error))
        return false;
    cxcli_report_text(context->report, "scorer",
                      cx_scorer_name(options.scorer));
    report_layers(context, model->net, scores);
    return train(context, model, error) && write_pruned(context, model, error);
}

static bool
prune_channels(CxcliContext *context, const Model *model, GError **error)
{
    CxChannelPruning pruning = {.compression =
                                    cxcli_real(context, "compression", 2.0),
                                .n_rounds = cxcli_count(context, "rounds", 20)};
    CxcliReport *report = context->report;

    if (!model->is_network || context->n_args < 3) {
        cxcli_set_usage_error(error, "--channels: expected a membrane network "
                                     "and the name of the model to write");
        return false;
    }
    if (!cx_flow_write_narrow(model->path, context->args[2], &pruning,
                              context->job, error))
        return false;
    cxcli_report_real(report, "flop_per_voxel_before", pruning.flop_before);
    cxcli_report_real(report, "flop_per_voxel", pruning.flop_after);
    cxcli_report_integer(report, "weights_before",
                         (int64_t)pruning.weights_before);
    cxcli_report_integer(report, "weights", (int64_t)pruning.weights_after);
    cxcli_report_integer(report, "channels_before", pruning.channels_before);
    cxcli_report_integer(report, "channels", pruning.channels_after);
    return true;
}

bool
cxcli_theory_synflow(CxcliContext *context, GError **error)
{
    const char *csv = cxcli_text(context, "csv", NULL);
    g_auto(GStrv) inputs = g_new0(char *, 2);
    Model model = {0};

    if (context->n_args < 2) {
        cxcli_set_usage_error(error, "theory synflow: expected mlp, lenet, a "
                                     "shipped network or a model file");
        return false;
    }
    bool ok = open_model(&model, context->args[1],
                         cxcli_integer(context, "seed", 1), error);
    inputs[0] = g_strdup(model.path);
    for (unsigned i = 0; ok && i < 2; i++) {
        const char *to = i == 0                ? csv
                         : context->n_args > 2 ? context->args[2]
                                               : NULL;

        ok = to == NULL || cxcli_check_output(
                               context, to, (const char *const *)inputs, error);
    }
    if (ok)
        ok = cxcli_has(context, "channels")
                 ? prune_channels(context, &model, error)
                 : prune(context, &model, error);
    clear_model(&model);
    return ok;
}
