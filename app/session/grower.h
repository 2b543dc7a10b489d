/* Grows one object from one voxel with a flood-filling network, and proposes
 * what the segments should make of it.
 *
 *   idle ──start──► growing ──done, stopped──► review ──commit, cancel──► idle
 *
 * While it grows the mask can be drawn; stopping keeps what is there.  Then
 * the supervoxels that lie mostly inside are looked for (proofread/gather.h),
 * again whenever supervoxels appear or segments change; committing brings them
 * into one segment as one edit with undo.  Objects too small to be any are
 * dropped with a sentence.
 *
 * The network is the setting "grow-model".  Main thread only; nothing blocks.
 *
 * Signals:
 *   changed()        state, figures or plan
 *   mask-changed()   the picture is another one: draw again
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/gather.h"
#include "core/volume/chunk_cache.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_GROWER (cxui_grower_get_type())
G_DECLARE_FINAL_TYPE(CxuiGrower, cxui_grower, CXUI, GROWER, GObject)

typedef enum {
    CXUI_GROWER_IDLE,
    CXUI_GROWER_GROWING,
    CXUI_GROWER_REVIEW,
} CxuiGrowerState;

/* Made by the session, which owns it. */
CxuiGrower *cxui_grower_new(CxuiSession *session);

/* Path of the network, "" if none was chosen; borrowed. */
const char *cxui_grower_model(CxuiGrower *self);

/* Stored in the settings.  What is no network that grows is refused when it
 * is used. */
void cxui_grower_set_model(CxuiGrower *self, const char *path);

/* An image and a model are there, and nothing is growing. */
bool cxui_grower_can_start(CxuiGrower *self);

/* In place of an object under review. */
void cxui_grower_start(CxuiGrower *self, CxVoxel at);

/* Growing: stops, and goes on to the review of what is there.  Review: drops
 * it.  False if there was nothing to leave. */
bool cxui_grower_cancel(CxuiGrower *self);

/* The plan can be carried out. */
bool cxui_grower_is_ready(CxuiGrower *self);

/* Carries it out: one edit; idle again.  False if it is not ready. */
bool cxui_grower_commit(CxuiGrower *self);

CxuiGrowerState cxui_grower_state(CxuiGrower *self);
CxFloodState cxui_grower_flood_state(CxuiGrower *self);

/* In review; NULL while it is made, or without supervoxels in the project.
 * Borrowed until the next signal. */
const CxGather *cxui_grower_plan(CxuiGrower *self);
bool cxui_grower_is_planning(CxuiGrower *self);

/* What to draw: u8, the object while it grows; then what the plan brings
 * together, brighter where it moves.  volume_id 0: nothing; another one
 * whenever old samples are not valid any more. */
typedef struct {
    uint32_t volume_id;
    CxVoxel size, chunk;
    CxNm voxel_nm, offset_nm;
} CxuiGrowerGrid;
CxuiGrowerGrid cxui_grower_grid(CxuiGrower *self);

/* New reference, or NULL. */
CxChunk *cxui_grower_lookup(CxuiGrower *self, const CxChunkKey *key);

/* For the session: other data are opened, nothing is kept. */
void cxui_grower_reset(CxuiGrower *self);
