/* How image and segments are drawn: contrast, opacity, borders, dimming.
 *
 * Every control is bound to a property of the view state.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_LAYER_PANEL (cxui_layer_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiLayerPanel, cxui_layer_panel, CXUI, LAYER_PANEL,
                     GtkWidget)

GtkWidget *cxui_layer_panel_new(CxuiSession *session);
