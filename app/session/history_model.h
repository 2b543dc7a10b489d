/* The edits as a list model, newest on top.
 *
 * Undone edits stay in the list, marked, above the pointer line.  Main thread
 * only.
 *
 * Properties: head (int64, read-only, notified): sequence number of the last
 * edit that holds; segment (uint64): show only edits of this segment, 0 = all.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/edit.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_HISTORY_ITEM (cxui_history_item_get_type())
G_DECLARE_FINAL_TYPE(CxuiHistoryItem, cxui_history_item, CXUI, HISTORY_ITEM,
                     GObject)

/* Properties: undone (boolean, notified), is-head (boolean, notified). */
int64_t cxui_history_item_sequence(CxuiHistoryItem *self);
CxEditKind cxui_history_item_kind(CxuiHistoryItem *self);
const char *cxui_history_item_sentence(CxuiHistoryItem *self);
const char *cxui_history_item_author(CxuiHistoryItem *self);

/* UTC, microseconds since 1970. */
int64_t cxui_history_item_time_us(CxuiHistoryItem *self);

/* Where it happened, to fly to (voxels of level 0). */
CxVoxel cxui_history_item_at(CxuiHistoryItem *self);
bool cxui_history_item_is_undone(CxuiHistoryItem *self);

/* The undo pointer stands here: this is the last edit that holds. */
bool cxui_history_item_is_head(CxuiHistoryItem *self);

#define CXUI_TYPE_HISTORY_MODEL (cxui_history_model_get_type())
G_DECLARE_FINAL_TYPE(CxuiHistoryModel, cxui_history_model, CXUI, HISTORY_MODEL,
                     GObject)

/* Made by the session, which owns it. */
CxuiHistoryModel *cxui_history_model_new(CxuiSession *session);

int64_t cxui_history_model_head(CxuiHistoryModel *self);
bool cxui_history_model_is_loading(CxuiHistoryModel *self);
void cxui_history_model_set_segment(CxuiHistoryModel *self, CxId segment);

/* For the session: everything anew. */
void cxui_history_model_reload(CxuiHistoryModel *self);

/* For the session: an edit was stored, done again or undone. */
void cxui_history_model_edited(CxuiHistoryModel *self, const CxEdit *edit,
                               bool undone);
bool cxui_history_model_can_undo(CxuiHistoryModel *self);
bool cxui_history_model_can_redo(CxuiHistoryModel *self);
