/* The segments as a list model: 10^6 rows without 10^6 objects.
 *
 * Rows are kept as plain numbers; an item is made when somebody asks for it.
 * Sorted by size (largest first), id, or note; filtered by the beginning of
 * the id or by text in the note.  Follows edits row by row; the whole list is
 * made on a worker.  Main thread only.
 *
 * Properties: filter (string), order (uint, CxuiSegmentOrder), n-all (uint64,
 * segments before the filter), loading (boolean).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/segment_item.h"
#include "app/session/segment_rows.h"

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_SEGMENT_MODEL (cxui_segment_model_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentModel, cxui_segment_model, CXUI, SEGMENT_MODEL,
                     GObject)

/* Made by the session, which owns it. */
CxuiSegmentModel *cxui_segment_model_new(CxuiSession *session);

void cxui_segment_model_set_filter(CxuiSegmentModel *self, const char *text);
void cxui_segment_model_set_order(CxuiSegmentModel *self,
                                  CxuiSegmentOrder order);
bool cxui_segment_model_is_loading(CxuiSegmentModel *self);
uint64_t cxui_segment_model_n_all(CxuiSegmentModel *self);

/* Row of an id in the filtered list; false if it is not there. */
bool cxui_segment_model_find(CxuiSegmentModel *self, CxId id, unsigned *row);

/* Facts about a segment by id, whether listed or not; false if unknown. */
bool cxui_segment_model_lookup(CxuiSegmentModel *self, CxId id,
                               CxSegment *segment);

/* Notes and locks as last stored; "" = none. */
const char *cxui_segment_model_note(CxuiSegmentModel *self, CxId id);
bool cxui_segment_model_is_locked(CxuiSegmentModel *self, CxId id);

/* For the session: everything anew; an edit was stored or undone. */
void cxui_segment_model_reload(CxuiSegmentModel *self);
void cxui_segment_model_edited(CxuiSegmentModel *self, const CxEdit *edit,
                               bool undone);
