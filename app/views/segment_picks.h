/* The segment model as a GtkSelectionModel: a row is selected when its segment
 * is, so that the list, the panes and 3-D always agree.
 *
 * A thin wrapper: rows come from the model, the truth about what is selected
 * from CxuiSelection.  Main thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SEGMENT_PICKS (cxui_segment_picks_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentPicks, cxui_segment_picks, CXUI, SEGMENT_PICKS,
                     GObject)

CxuiSegmentPicks *cxui_segment_picks_new(CxuiSession *session);
