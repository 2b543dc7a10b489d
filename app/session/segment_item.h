/* One row of the segment list, made when somebody asks for it.
 *
 * Properties, read-only: id (uint64); note (string), locked (boolean), voxels
 * (uint64), notified.  Main thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <gio/gio.h>

#define CXUI_TYPE_SEGMENT_ITEM (cxui_segment_item_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmentItem, cxui_segment_item, CXUI, SEGMENT_ITEM,
                     GObject)

CxuiSegmentItem *cxui_segment_item_new(CxId id, double voxel_um3);

/* By the model. */
void cxui_segment_item_set_size(CxuiSegmentItem *self, uint64_t n_voxels,
                                unsigned n_supervoxels);
void cxui_segment_item_set_note(CxuiSegmentItem *self, const char *note);
void cxui_segment_item_set_locked(CxuiSegmentItem *self, bool locked);

CxId cxui_segment_item_id(CxuiSegmentItem *self);
uint64_t cxui_segment_item_n_voxels(CxuiSegmentItem *self);
unsigned cxui_segment_item_n_supervoxels(CxuiSegmentItem *self);

/* Volume in µm³, from the voxel size. */
double cxui_segment_item_volume_um3(CxuiSegmentItem *self);
const char *cxui_segment_item_note(CxuiSegmentItem *self); /* "" = none */
bool cxui_segment_item_is_locked(CxuiSegmentItem *self);
