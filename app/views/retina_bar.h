/* The time line of the Retina page: play, step, loop, speed, and a slider.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_BAR (cxui_retina_bar_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaBar, cxui_retina_bar, CXUI, RETINA_BAR, AdwBin)

GtkWidget *cxui_retina_bar_new(CxuiReplayClock *clock);

/* Frame that counts as time 0. */
void cxui_retina_bar_set_origin(CxuiRetinaBar *self, double frame);
