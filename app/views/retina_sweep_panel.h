/* The protocol's curve over all its conditions: network, simulated retina and
 * baseline.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_SWEEP_PANEL (cxui_retina_sweep_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaSweepPanel, cxui_retina_sweep_panel, CXUI,
                     RETINA_SWEEP_PANEL, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_sweep_panel_new(CxuiRetinaSession *session,
                                       CxuiReplayClock *clock);
