/* Pruning compared.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/theory_flow.h"

#include "app/session/session_private.h"
#include "core/base/error.h"

#define N_COMPRESSIONS 13
#define N_SAMPLES 100

struct _CxuiTheoryFlow {
    GObject parent;
    CxuiSession *session; /* borrowed */
    bool stopped;
    CxJob *job;
    CxuiFlowResult *result;
};

typedef struct {
    CxuiTheoryFlow *owner; /* a reference */
    CxuiFlowResult *result;
} Run;

static guint changed_signal;

G_DEFINE_FINAL_TYPE(CxuiTheoryFlow, cxui_theory_flow, G_TYPE_OBJECT)

static void
result_free(CxuiFlowResult *result)
{
    g_clear_pointer(&result->collapse, cx_collapse_free);
    g_free(result->neurons);
    g_free(result);
}

const char *
cxui_theory_flow_net_title(CxuiFlowNet net)
{
    return net == CXUI_FLOW_LENET ? "LeNet-5" : "Perceptron 300-100-10";
}

static bool
measure_neurons(CxFlowNet *net, CxuiFlowResult *result, CxJob *job,
                GError **error)
{
    CxPruneOptions options = cx_prune_defaults();
    g_autofree double *scores = g_new0(double, cx_flow_n_weights(net));

    if (!cx_prune_score(net, &options, scores, job, error))
        return false;
    result->neurons = cx_synflow_neurons(net, scores, &result->n_neurons);
    result->conservation_error =
        cx_synflow_conservation_error(result->neurons, result->n_neurons);
    return true;
}

static bool
run_measure(CxJob *job, void *data, GError **error)
{
    CxuiFlowResult *result = ((Run *)data)->result;
    CxRng rng;

    cx_rng_init(&rng, 1);
    g_autoptr(CxFlowNet) net = result->net == CXUI_FLOW_LENET
                                   ? cx_flow_new_lenet(&rng, error)
                                   : cx_flow_new_mlp(&rng, error);
    if (net == NULL)
        return false;
    g_autoptr(CxFlowSamples) samples = cx_flow_samples_new(N_SAMPLES, 1, error);
    if (samples == NULL)
        return false;
    cx_job_stage(job, "conservation", 0.0, 0.05);
    if (!measure_neurons(net, result, job, error))
        return false;
    cx_job_stage(job, "pruning", 0.05, 1.0);
    CxPruneOptions options = cx_prune_defaults();
    options.loss = cx_flow_samples_loss;
    options.loss_data = samples;
    result->collapse =
        cx_collapse_measure(net, &options, N_COMPRESSIONS, job, error);
    return result->collapse != NULL;
}

static void
run_free(void *data)
{
    Run *run = data;

    g_clear_pointer(&run->result, result_free);
    g_free(run);
}

static void
on_done(CxJob *job, const GError *error, void *data)
{
    Run *run = data;
    CxuiTheoryFlow *self = run->owner;

    g_clear_pointer(&self->job, cx_job_unref);
    if (!self->stopped) {
        if (error == NULL) {
            g_clear_pointer(&self->result, result_free);
            self->result = g_steal_pointer(&run->result);
        } else if (!cx_error_is_cancelled(error)) {
            cxui_session_fail(self->session, error);
        }
        g_signal_emit(self, changed_signal, 0);
    }
    g_object_unref(self);
}

void
cxui_theory_flow_measure(CxuiTheoryFlow *self, CxuiFlowNet net)
{
    if (self->stopped || self->job != NULL)
        return;
    Run *run = g_new0(Run, 1);
    run->owner = g_object_ref(self);
    run->result = g_new0(CxuiFlowResult, 1);
    run->result->net = net;
    CxuiJobRequest request = {
        .title = "Pruning by five scorers",
        .tier = CX_TIER_BATCH,
        .func = run_measure,
        .data = run,
        .destroy = run_free,
        .done = on_done,
        .user_data = run,
    };
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &request);
    g_signal_emit(self, changed_signal, 0);
}

void
cxui_theory_flow_cancel(CxuiTheoryFlow *self)
{
    if (self->job != NULL)
        cx_job_cancel(self->job);
}

void
cxui_theory_flow_stop(CxuiTheoryFlow *self)
{
    self->stopped = true;
    cxui_theory_flow_cancel(self);
}

bool
cxui_theory_flow_is_running(CxuiTheoryFlow *self)
{
    return self->job != NULL;
}

const CxuiFlowResult *
cxui_theory_flow_result(CxuiTheoryFlow *self)
{
    return self->result;
}

CxuiTheoryFlow *
cxui_theory_flow_new(CxuiSession *session)
{
    CxuiTheoryFlow *self = g_object_new(CXUI_TYPE_THEORY_FLOW, NULL);

    self->session = session;
    return self;
}

static void
finalize(GObject *object)
{
    CxuiTheoryFlow *self = CXUI_THEORY_FLOW(object);

    g_clear_pointer(&self->job, cx_job_unref);
    g_clear_pointer(&self->result, result_free);
    G_OBJECT_CLASS(cxui_theory_flow_parent_class)->finalize(object);
}

static void
cxui_theory_flow_class_init(CxuiTheoryFlowClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal =
        g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_theory_flow_init(CxuiTheoryFlow *self)
{
}
