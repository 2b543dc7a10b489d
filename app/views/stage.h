/* Stage mode: for a hall rather than a desk.  Large type, thick lines, a ring
 * around the pointer, and keys shown as they are pressed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>

#define CXUI_TYPE_STAGE (cxui_stage_get_type())
G_DECLARE_FINAL_TYPE(CxuiStage, cxui_stage, CXUI, STAGE, GObject)

/* Both are borrowed; keys and ring are shown over the overlay. */
CxuiStage *cxui_stage_new(GtkWindow *window, GtkOverlay *overlay);

/* Also after the page has changed: its plots follow. */
void cxui_stage_set_active(CxuiStage *self, bool active);
bool cxui_stage_is_active(CxuiStage *self);
