/* Asks responders, and reports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/protocol.h"

#include "core/base/alloc.h"

#include <math.h>

static bool
ask_simulator(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
              float *rates, void *user_data, CxJob *job, GError **error)
{
    CxSimulatorOutput output = {.rate = rates};

    return cx_simulator_run(movie, user_data, cells, n_cells, &output, job,
                            error);
}

CxResponder
cx_responder_simulator(const CxSimulatorOptions *options, size_t height,
                       size_t width)
{
    return (CxResponder){.name = "simulated retina",
                         .respond = ask_simulator,
                         .user_data = (void *)options,
                         .height = height,
                         .width = width};
}

void
cx_protocol_run_free(CxProtocolRun *run)
{
    if (run == NULL)
        return;
    for (size_t i = 0; run->rates != NULL && i < run->protocol->n_conditions;
         i++)
        cx_free(run->rates[i]);
    g_free(run->rates);
    cx_protocol_free(run->protocol);
    cx_protocol_result_free(run->result);
    g_free(run);
}

static bool
ask(CxProtocolRun *run, const CxResponder *responder, CxJob *job,
    GError **error)
{
    const CxProtocol *p = run->protocol;

    run->rates = g_new0(float *, p->n_conditions);
    for (size_t i = 0; i < p->n_conditions; i++) {
        const CxMovie *movie = p->conditions[i].movie;

        run->rates[i] =
            cx_try_alloc0(movie->n_frames, p->n_cells * sizeof(float), error);
        if (run->rates[i] == NULL)
            return false;
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (double)i / (double)p->n_conditions,
                            (double)(i + 1) / (double)p->n_conditions);
        if (!responder->respond(movie, p->cells, p->n_cells, run->rates[i],
                                responder->user_data, part, error)) {
            g_prefix_error(error, "%s, %s: ", cx_protocol_name(p->kind),
                           p->conditions[i].label);
            return false;
        }
        if (!cx_job_step(job, i + 1, p->n_conditions, error))
            return false;
    }
    return true;
}

CxProtocolRun *
cx_protocol_run(CxProtocolKind kind, const CxProtocolOptions *options,
                const CxResponder *responder, CxJob *job, GError **error)
{
    CxProtocolOptions o = {.preset = CX_PRESET_SIMULATED};
    g_autoptr(CxProtocolRun) run = g_new0(CxProtocolRun, 1);

    if (options != NULL)
        o = *options;
    o.height = responder->height;
    o.width = responder->width;
    o.margin = responder->margin;
    run->protocol = cx_protocol_new(kind, &o, error);
    if (run->protocol == NULL || !ask(run, responder, job, error))
        return NULL;
    run->result =
        cx_protocol_measure(run->protocol, (const float *const *)run->rates);
    return g_steal_pointer(&run);
}

void
cx_protocol_report_free(CxProtocolReport *report)
{
    if (report == NULL)
        return;
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++)
        cx_protocol_run_free(report->runs[i]);
    g_free(report);
}

/* Does the baseline answer an omitted flash?  Then answering one proves
 * nothing. */
static bool
ask_baseline(CxProtocolReport *report, const CxProtocolOptions *options,
             const CxResponder *baseline, CxJob *job, GError **error)
{
    CxProtocolResult *result = report->runs[CX_PROTOCOL_OSR]->result;
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(CX_PROTOCOL_OSR, options, baseline, job, error);

    if (run == NULL)
        return false;
    report->baseline_asked = true;
    report->baseline_fails = !(cx_protocol_scalar(run->result, "ratio") >= 1.0);
    if (report->baseline_fails || !result->reproduced)
        return true;
    result->reproduced = false;
    g_free(result->verdict);
    result->verdict =
        g_strdup_printf("%s answers the omitted flash as well", baseline->name);
    return true;
}

CxProtocolReport *
cx_protocol_report_new(const CxProtocolOptions *options,
                       const CxResponder *responder,
                       const CxResponder *baseline, CxJob *job, GError **error)
{
    g_autoptr(CxProtocolReport) report = g_new0(CxProtocolReport, 1);
    double share = 1.0 / (CX_N_PROTOCOLS + 1.0);

    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++) {
        cx_job_stage(job, cx_protocol_name(i), (double)i * share,
                     ((double)i + 1.0) * share);
        report->runs[i] =
            cx_protocol_run((CxProtocolKind)i, options, responder, job, error);
        if (report->runs[i] == NULL)
            return NULL;
    }
    cx_job_stage(job, "baseline", CX_N_PROTOCOLS * share, 1.0);
    if (baseline != NULL &&
        !ask_baseline(report, options, baseline, job, error))
        return NULL;
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++)
        report->n_reproduced += report->runs[i]->result->reproduced;
    return g_steal_pointer(&report);
}
