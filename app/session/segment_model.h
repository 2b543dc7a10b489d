/* The segments as a list model: 10^6 rows without 10^6 objects.
 *
 * Rows are kept as plain numbers; an item is made when somebody asks for it.
 * Sorted by size (largest first), id, or note; filtered by the beginning of
 * the id or by text in the note.  Follows edits row by row; big lists are
 * sorted on a worker.  Main thread only.
 *
 * Properties: filter (string), order (uint, CxuiSegmentOrder), n-all (uint64,
 * rows before the filter), loading (boolean).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/supervoxel_graph.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

typedef enum {
    CXUI_ORDER_SIZE,
    CXUI_ORDER_ID,
    CXUI_ORDER_NOTE, /* those with a note first, then by size */
} CxuiSegmentOrder;

#define CXUI_TYPE_SEGMENT_ITEM (cxui_segment_item_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentItem, cxui_segment_item, CXUI, SEGMENT_ITEM,
                     GObject)

/* Properties, read-only: id (uint64), note (string, notified), locked
 * (boolean, notified). */
CxId cxui_segment_item_id(CxuiSegmentItem *self);
uint64_t cxui_segment_item_n_voxels(CxuiSegmentItem *self);
unsigned cxui_segment_item_n_supervoxels(CxuiSegmentItem *self);

/* Volume in µm³, from the voxel size. */
double cxui_segment_item_volume_um3(CxuiSegmentItem *self);
const char *cxui_segment_item_note(CxuiSegmentItem *self); /* "" = none */
bool cxui_segment_item_is_locked(CxuiSegmentItem *self);

#define CXUI_TYPE_SEGMENT_MODEL (cxui_segment_model_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentModel, cxui_segment_model, CXUI, SEGMENT_MODEL,
                     GObject)

/* Made by the session, which owns it. */
CxuiSegmentModel *cxui_segment_model_new(CxuiSession *session);

void cxui_segment_model_set_filter(CxuiSegmentModel *self, const char *text);
void cxui_segment_model_set_order(CxuiSegmentModel *self,
                                  CxuiSegmentOrder order);
bool cxui_segment_model_is_loading(CxuiSegmentModel *self);

/* Row of an id in the filtered list; false if it is not there. */
bool cxui_segment_model_find(CxuiSegmentModel *self, CxId id, unsigned *row);

/* Facts about a segment by id, whether listed or not; false if unknown. */
bool cxui_segment_model_lookup(CxuiSegmentModel *self, CxId id,
                               CxSegment *segment);

/* Notes and locks as last stored; "" = none. */
const char *cxui_segment_model_note(CxuiSegmentModel *self, CxId id);
bool cxui_segment_model_is_locked(CxuiSegmentModel *self, CxId id);

/* For the session: everything anew; an edit changed these segments. */
void cxui_segment_model_reload(CxuiSegmentModel *self);
void cxui_segment_model_segments_changed(CxuiSegmentModel *self,
                                         const CxId *ids, size_t n);
void cxui_segment_model_edited(CxuiSegmentModel *self, const CxEdit *edit,
                               bool undone);
