/* Pruning compared: five scorers over a range of compressions, and SynFlow's
 * conservation, on a small network.
 *
 * Everything is one job; its result is read-only afterwards.  Main thread.
 *
 * Signals:
 *   changed()   result, or whether it runs
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "core/theory/flow_models.h"
#include "core/theory/synflow.h"

#define CXUI_TYPE_THEORY_FLOW (cxui_theory_flow_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheoryFlow, cxui_theory_flow, CXUI, THEORY_FLOW,
                     GObject)

typedef enum {
    CXUI_FLOW_MLP,
    CXUI_FLOW_LENET,
    CXUI_N_FLOW_NETS,
} CxuiFlowNet;

typedef struct {
    CxuiFlowNet net;
    CxCollapse *collapse;
    CxFlowNeuron *neurons; /* SynFlow before pruning */
    size_t n_neurons;
    double conservation_error;
} CxuiFlowResult;

CxuiTheoryFlow *cxui_theory_flow_new(CxuiSession *session);
void cxui_theory_flow_stop(CxuiTheoryFlow *self);

const char *cxui_theory_flow_net_title(CxuiFlowNet net);
void cxui_theory_flow_measure(CxuiTheoryFlow *self, CxuiFlowNet net);
void cxui_theory_flow_cancel(CxuiTheoryFlow *self);
bool cxui_theory_flow_is_running(CxuiTheoryFlow *self);

/* Borrowed, NULL before the first. */
const CxuiFlowResult *cxui_theory_flow_result(CxuiTheoryFlow *self);
