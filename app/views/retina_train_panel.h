/* Trains a small network in the background, with a live loss curve.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_TRAIN_PANEL (cxui_retina_train_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaTrainPanel, cxui_retina_train_panel, CXUI,
                     RETINA_TRAIN_PANEL, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_train_panel_new(CxuiRetinaSession *session,
                                       CxuiReplayClock *clock);
