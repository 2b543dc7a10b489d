/* What the simulated retina is shown: network, protocol, its settings, the film
 * at the cursor and as a strip of x and time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_STIMULUS (cxui_retina_stimulus_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaStimulus, cxui_retina_stimulus, CXUI,
                     RETINA_STIMULUS, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_stimulus_new(CxuiRetinaSession *session,
                                    CxuiReplayClock *clock);
