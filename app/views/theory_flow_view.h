/* Pruning: how five scorers empty layers, and what SynFlow conserves.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_THEORY_FLOW_VIEW (cxui_theory_flow_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheoryFlowView, cxui_theory_flow_view, CXUI,
                     THEORY_FLOW_VIEW, AdwBin)

/* session is borrowed. */
GtkWidget *cxui_theory_flow_view_new(CxuiSession *session);

/* Runs, or stops what runs. */
void cxui_theory_flow_view_play(CxuiTheoryFlowView *self);

/* Cancels its jobs for good. */
void cxui_theory_flow_view_stop(CxuiTheoryFlowView *self);
