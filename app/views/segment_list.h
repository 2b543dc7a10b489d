/* The searchable list of segments and the facts about the selected one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "app/views/segment_look.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SEGMENT_LIST (cxui_segment_list_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentList, cxui_segment_list, CXUI, SEGMENT_LIST,
                     GtkWidget)

GtkWidget *cxui_segment_list_new(CxuiSession *session, CxuiSegmentLook *look);

/* Puts the cursor into the search entry. */
void cxui_segment_list_find(CxuiSegmentList *self);
