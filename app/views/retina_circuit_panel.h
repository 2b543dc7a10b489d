/* The circuit the network reduces to, beside the answer key: the parts of the
 * simulated retina. A click on a node takes it out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_CIRCUIT_PANEL (cxui_retina_circuit_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaCircuitPanel, cxui_retina_circuit_panel, CXUI,
                     RETINA_CIRCUIT_PANEL, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_circuit_panel_new(CxuiRetinaSession *session,
                                         CxuiReplayClock *clock);
