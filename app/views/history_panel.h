/* The edits, newest on top: fly there, undo or redo up to there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_HISTORY_PANEL (cxui_history_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiHistoryPanel, cxui_history_panel, CXUI, HISTORY_PANEL,
                     GtkWidget)

GtkWidget *cxui_history_panel_new(CxuiSession *session);
