/* The queue in the side bar: what is asked, how likely it is wrong, how far
 * one has come, and the scores against a truth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_QUEUE_PANEL (cxui_queue_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiQueuePanel, cxui_queue_panel, CXUI, QUEUE_PANEL,
                     GtkWidget)

GtkWidget *cxui_queue_panel_new(CxuiSession *session);
