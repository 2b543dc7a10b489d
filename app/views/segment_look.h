/* How segments look in every pane: colours, selection, hover, hidden, the two
 * sides of a merge or split that waits.
 *
 * One table for all panes; it follows the session by itself and says when the
 * panes have to be drawn again.  Main thread; no GL calls.
 *
 * Signals: changed(gboolean only_hover): only what is under the pointer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/segment_table.h"
#include "app/session/session.h"

#define CXUI_TYPE_SEGMENT_LOOK (cxui_segment_look_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentLook, cxui_segment_look, CXUI, SEGMENT_LOOK,
                     GObject)

CxuiSegmentLook *cxui_segment_look_new(CxuiSession *session);

/* Borrowed; lives as long as the look. */
CxglSegmentTable *cxui_segment_look_table(CxuiSegmentLook *self);

/* Colour as it is drawn now, sides included; for lists and 3-D. */
CxglColour cxui_segment_look_colour(CxuiSegmentLook *self, CxId segment);

/* Side of the pieces that a split preview would move: the project keeps the id
 * with the larger part, so they may lie on either side. */
CxuiSide cxui_preview_side(CxuiSession *session);
