/* Chooses the network that segments and predicts, and the type of number it
 * computes with.
 *
 * Each model has its card: what it is for, what it was trained on, licence,
 * scores.  The choice applies at once and is remembered.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_MODEL_DIALOG (cxui_model_dialog_get_type())
G_DECLARE_FINAL_TYPE(CxuiModelDialog, cxui_model_dialog, CXUI, MODEL_DIALOG,
                     AdwWindow)

GtkWidget *cxui_model_dialog_new(CxuiSession *session);
