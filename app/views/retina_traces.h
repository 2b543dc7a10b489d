/* What comes out: rates over time, the channels' maps, attributions, and where
 * they come from at the cursor.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_TRACES (cxui_retina_traces_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaTraces, cxui_retina_traces, CXUI, RETINA_TRACES,
                     AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_traces_new(CxuiRetinaSession *session,
                                  CxuiReplayClock *clock);
