/* The Retina page's state: measurements over whole protocols.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/retina_session_private.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/retina/network_responder.h"

void
cxui_retina_sweep_free(CxuiRetinaSweep *sweep)
{
    g_clear_pointer(&sweep->simulator, cx_protocol_run_free);
    g_clear_pointer(&sweep->network, cx_protocol_run_free);
    g_clear_pointer(&sweep->baseline, cx_protocol_run_free);
    g_free(sweep);
}

typedef enum { MEASURE_SWEEP, MEASURE_FAITHFULNESS, MEASURE_REPORT } What;

typedef struct {
    CxuiRetinaSession *owner; /* a reference */
    What what;
    CxuiRetinaWish wish;
    CxuiRetinaNet *net;
    CxuiRetinaBaseline *baseline;
    double *scores; /* of the order, or NULL: by this stimulus */
    CxuiRetinaSweep *sweep;
    CxFaithfulness *faithfulness[2];
    CxRetinaReport *report;
} Run;

static void
run_free(void *data)
{
    Run *run = data;

    cxui_retina_net_unref(run->net);
    cxui_retina_baseline_unref(run->baseline);
    g_clear_pointer(&run->sweep, cxui_retina_sweep_free);
    g_clear_pointer(&run->faithfulness[0], cx_faithfulness_free);
    g_clear_pointer(&run->faithfulness[1], cx_faithfulness_free);
    g_clear_pointer(&run->report, cx_retina_report_free);
    g_free(run->scores);
    g_free(run);
}

/* --- worker */

static bool
measure_sweep(Run *run, CxJob *job, GError **error)
{
    CxProtocolOptions options = cxui_retina_wish_protocol(&run->wish);
    CxNetworkResponder network = {.net = run->net->net};
    CxSimulatorOptions simulator = {.knock_outs = run->wish.knock_outs};

    cx_network_film_size(run->net->net, &options);
    CxResponder net = cx_responder_network(&network, "network");
    CxResponder true_retina =
        cx_responder_simulator(&simulator, options.height, options.width);
    run->sweep = g_new0(CxuiRetinaSweep, 1);
    cx_job_stage(job, "simulated retina", 0.0, 0.3);
    run->sweep->simulator =
        cx_protocol_run(run->wish.kind, &options, &true_retina, job, error);
    if (run->sweep->simulator == NULL)
        return false;
    cx_job_stage(job, "network", 0.3, 0.8);
    run->sweep->network =
        cx_protocol_run(run->wish.kind, &options, &net, job, error);
    if (run->sweep->network == NULL || run->baseline == NULL)
        return run->sweep->network != NULL;
    CxResponder linear =
        cx_responder_ln(run->baseline->model, options.height, options.width);
    cx_job_stage(job, "baseline", 0.8, 1.0);
    run->sweep->baseline =
        cx_protocol_run(run->wish.kind, &options, &linear, job, error);
    return run->sweep->baseline != NULL;
}

static bool
measure_faithfulness(Run *run, CxJob *job, GError **error)
{
    size_t n = cx_retina_cnn_shape(run->net->net)->n_channels[0];
    g_autofree unsigned *order = g_new0(unsigned, n);
    CxFaithfulnessOptions options = {
        .kind = run->wish.kind,
        .options = cxui_retina_wish_protocol(&run->wish),
        .fate = run->wish.fate,
    };

    cx_job_stage(job, "order", 0.0, 0.2);
    CxScoreOptions scores = {.order = run->wish.order,
                             .kind = run->wish.kind,
                             .options = options.options,
                             .seed = 1};
    cx_network_film_size(run->net->net, &scores.options);
    run->scores = g_new0(double, n);
    if (!cx_channel_scores(run->net->net, &scores, run->scores, job, error))
        return false;
    cx_channel_sort(run->scores, n, order);
    cx_job_stage(job, "channels", 0.2, 0.6);
    run->faithfulness[0] =
        cx_faithfulness_channels(run->net->net, &options, order, job, error);
    if (run->faithfulness[0] == NULL)
        return false;
    cx_job_stage(job, "bits", 0.6, 1.0);
    run->faithfulness[1] =
        cx_faithfulness_bits(run->net->net, &options, job, error);
    return run->faithfulness[1] != NULL;
}

static bool
run_measure(CxJob *job, void *data, GError **error)
{
    Run *run = data;

    if (run->what == MEASURE_SWEEP)
        return measure_sweep(run, job, error);
    if (run->what == MEASURE_FAITHFULNESS)
        return measure_faithfulness(run, job, error);
    CxRetinaReportOptions options = {
        .preset = run->wish.preset == CX_PRESET_EBERT ? CX_PRESET_SIMULATED
                                                      : run->wish.preset,
        .knock_outs = true,
        .baseline = run->baseline != NULL ? run->baseline->model : NULL,
    };
    run->report = cx_retina_report_new(run->net->net, &options, job, error);
    return run->report != NULL;
}

/* --- main loop */

static CxuiRetinaSlot *
slot_of(CxuiRetinaSession *self, What what)
{
    return what == MEASURE_SWEEP          ? &self->sweep_slot
           : what == MEASURE_FAITHFULNESS ? &self->faithfulness_slot
                                          : &self->report_slot;
}

static void
take(CxuiRetinaSession *self, Run *run)
{
    switch (run->what) {
    case MEASURE_SWEEP:
        g_clear_pointer(&self->sweep, cxui_retina_sweep_free);
        self->sweep = g_steal_pointer(&run->sweep);
        break;
    case MEASURE_FAITHFULNESS:
        for (int i = 0; i < 2; i++) {
            g_clear_pointer(&self->faithfulness[i], cx_faithfulness_free);
            self->faithfulness[i] = g_steal_pointer(&run->faithfulness[i]);
        }
        break;
    case MEASURE_REPORT:
        g_clear_pointer(&self->report, cx_retina_report_free);
        self->report = g_steal_pointer(&run->report);
        break;
    }
}

static void
on_measured(CxJob *job, const GError *error, void *data)
{
    static const int news[] = {
        [MEASURE_SWEEP] = CXUI_RETINA_SWEEP_CHANGED,
        [MEASURE_FAITHFULNESS] = CXUI_RETINA_FAITHFULNESS_CHANGED,
        [MEASURE_REPORT] = CXUI_RETINA_REPORT_CHANGED,
    };
    Run *run = data;
    CxuiRetinaSession *self = run->owner;

    if (cxui_retina_slot_end(self, slot_of(self, run->what), error)) {
        if (error == NULL)
            take(self, run);
        cxui_retina_emit(self, news[run->what]);
        cxui_retina_pump_measures(self);
    }
    g_object_unref(self);
}

static void
start(CxuiRetinaSession *self, What what, const char *title, CxTier tier)
{
    Run *run = g_new0(Run, 1);

    run->owner = g_object_ref(self);
    run->what = what;
    run->wish = self->wish;
    run->net = cxui_retina_net_ref(cxui_retina_net_in_use(self));
    run->baseline = cxui_retina_baseline_ref(self->baseline);
    CxuiJobRequest request = {
        .title = title,
        .tier = tier,
        .func = run_measure,
        .data = run,
        .destroy = run_free,
        .done = on_measured,
        .user_data = run,
    };
    slot_of(self, what)->job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

static void
remember_net(CxuiRetinaSession *self, CxuiRetinaNet **place)
{
    cxui_retina_net_unref(*place);
    *place = cxui_retina_net_ref(cxui_retina_net_in_use(self));
}

static void
pump_sweep(CxuiRetinaSession *self)
{
    bool has_baseline = self->baseline != NULL;
    bool known = self->sweep_net == cxui_retina_net_in_use(self) &&
                 self->sweep_had_baseline == has_baseline &&
                 self->sweep_wish.knock_outs == self->wish.knock_outs &&
                 cxui_retina_wish_same_protocol(&self->sweep_wish, &self->wish);

    if (known || !cxui_retina_slot_free(self, &self->sweep_slot))
        return;
    if (self->sweep != NULL && self->sweep_wish.kind != self->wish.kind) {
        g_clear_pointer(&self->sweep, cxui_retina_sweep_free);
        cxui_retina_emit(self, CXUI_RETINA_SWEEP_CHANGED);
    }
    self->sweep_wish = self->wish;
    self->sweep_had_baseline = has_baseline;
    remember_net(self, &self->sweep_net);
    start(self, MEASURE_SWEEP, "Sweeping the protocol", CX_TIER_PREFETCH);
}

static void
pump_faithfulness(CxuiRetinaSession *self)
{
    const CxuiRetinaWish *have = &self->faithfulness_wish;
    bool known = self->faithfulness_net == cxui_retina_net_in_use(self) &&
                 have->order == self->wish.order &&
                 have->fate == self->wish.fate &&
                 cxui_retina_wish_same_protocol(have, &self->wish);

    if (known || !cxui_retina_slot_free(self, &self->faithfulness_slot))
        return;
    self->faithfulness_wish = self->wish;
    remember_net(self, &self->faithfulness_net);
    start(self, MEASURE_FAITHFULNESS, "Measuring the faithfulness",
          CX_TIER_BATCH);
}

/* After the replay: that is what one waits for. */
void
cxui_retina_pump_measures(CxuiRetinaSession *self)
{
    if (self->stopped || self->film == NULL || self->replay.job != NULL)
        return;
    if (self->shows_sweep)
        pump_sweep(self);
    if (self->shows_faithfulness)
        pump_faithfulness(self);
}

void
cxui_retina_session_show(CxuiRetinaSession *self, bool sweep, bool faithfulness)
{
    self->shows_sweep = sweep;
    self->shows_faithfulness = faithfulness;
    cxui_retina_pump_measures(self);
}

const CxuiRetinaSweep *
cxui_retina_session_sweep(CxuiRetinaSession *self)
{
    return self->sweep;
}

const CxFaithfulness *
cxui_retina_session_faithfulness(CxuiRetinaSession *self, bool of_bits)
{
    return self->faithfulness[of_bits];
}

void
cxui_retina_session_measure_report(CxuiRetinaSession *self)
{
    if (self->stopped || self->report_slot.job != NULL ||
        cxui_retina_session_net(self) == NULL)
        return;
    start(self, MEASURE_REPORT, "Measuring all four protocols", CX_TIER_BATCH);
    cxui_retina_emit(self, CXUI_RETINA_REPORT_CHANGED);
}

void
cxui_retina_session_cancel_report(CxuiRetinaSession *self)
{
    if (self->report_slot.job != NULL)
        cx_job_cancel(self->report_slot.job);
}

bool
cxui_retina_session_is_reporting(CxuiRetinaSession *self)
{
    return self->report_slot.job != NULL;
}

const CxRetinaReport *
cxui_retina_session_report(CxuiRetinaSession *self)
{
    return self->report;
}
