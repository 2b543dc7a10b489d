/* Runs the network and the pipeline over what the user points at.
 *
 * Blocks appear as they are finished, nearest to the focus first; what is
 * segmented already is left alone.  Makes an untitled project when there is
 * none.  One run at a time.  Main thread only.
 *
 * Properties: model (string, name or path), running (boolean), mvox-per-s
 * (double, of the present or last run), models-read (boolean: the cards of the
 * shipped models have been read).
 * Signals: finished(gboolean whole): the run ended; whole = nothing is left
 * in its box.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/model_list.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_SEGMENTER (cxui_segmenter_get_type())
G_DECLARE_FINAL_TYPE(CxuiSegmenter, cxui_segmenter, CXUI, SEGMENTER, GObject)

/* Made by the session, which owns it. */
CxuiSegmenter *cxui_segmenter_new(CxuiSession *session);

/* Models to choose from, GPtrArray of CxuiModelInfo, borrowed until models-read
 * or model is notified; empty until they are read. */
const GPtrArray *cxui_segmenter_infos(CxuiSegmenter *self);

/* The chosen model; at first the one whose voxel size is nearest to the
 * image's.  "" if none can be found. */
const char *cxui_segmenter_model(CxuiSegmenter *self);

/* A shipped name or the path of a .h5 file. */
void cxui_segmenter_set_model(CxuiSegmenter *self, const char *model);

/* Card of the chosen model, borrowed as above, or NULL. */
const CxuiModelInfo *cxui_segmenter_info(CxuiSegmenter *self);

/* The type of number to compute with, from the setting model-type; "auto": as
 * connexon-cli does (NULL, for segmenting). */
const char *cxui_segmenter_type(CxuiSegmenter *self);

/* A sentence when the image's voxel size is far (factor 1.5 on any axis) from
 * the model's or unknown, else NULL. */
char *cxui_segmenter_dup_warning(CxuiSegmenter *self);

/* Segments the blocks that touch box (voxels), nearest to focus first.  An
 * empty box means the whole volume. */
void cxui_segmenter_run(CxuiSegmenter *self, CxBox box, CxVoxel focus);
void cxui_segmenter_cancel(CxuiSegmenter *self);
bool cxui_segmenter_is_running(CxuiSegmenter *self);

/* Voxels finished per microsecond in the present or last run. */
double cxui_segmenter_mvox_per_s(CxuiSegmenter *self);
