/* Switch, channel, opacity and state of the live prediction: a part of the
 * layer panel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_PREDICTION_GROUP (cxui_prediction_group_get_type())
G_DECLARE_FINAL_TYPE(CxuiPredictionGroup, cxui_prediction_group, CXUI,
                     PREDICTION_GROUP, GtkWidget)

/* Made by a template; shows nothing before it has a session. */
void cxui_prediction_group_set_session(CxuiPredictionGroup *self,
                                       CxuiSession *session);
