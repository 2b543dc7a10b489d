/* One row of the segment list: colour, id, size, note, lock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "app/views/segment_look.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SEGMENT_CELL (cxui_segment_cell_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentCell, cxui_segment_cell, CXUI, SEGMENT_CELL,
                     GtkWidget)

GtkWidget *cxui_segment_cell_new(CxuiSession *session, CxuiSegmentLook *look);

/* NULL: shows nothing. */
void cxui_segment_cell_set_item(CxuiSegmentCell *self, CxuiSegmentItem *item);
