/* How few channels and bits are enough: order, sliders, faithfulness.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_PRUNE_PANEL (cxui_retina_prune_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaPrunePanel, cxui_retina_prune_panel, CXUI,
                     RETINA_PRUNE_PANEL, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_prune_panel_new(CxuiRetinaSession *session,
                                       CxuiReplayClock *clock);
