/* Which segments need surfaces; starts, restarts and drops mesh jobs.
 *
 * Wanted are the selected segments that are not hidden, last picked first, and
 * what cxui_mesh_controller_want() adds.  The old surface stays, marked stale,
 * until the new one is there.  Surfaces that are not wanted any more are kept
 * within the budget, least recently wanted dropped first.  Main thread only.
 *
 * Properties: n-pending (uint): surfaces being built.
 * Signals: mesh-changed(guint64 id): a surface is new, became stale or is gone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/mesh/mesh_builder.h"
#include "core/proofread/project.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_MESH_CONTROLLER (cxui_mesh_controller_get_type())
G_DECLARE_FINAL_TYPE(CxuiMeshController, cxui_mesh_controller, CXUI,
                     MESH_CONTROLLER, GObject)

/* Made by the session, which owns it. */
CxuiMeshController *cxui_mesh_controller_new(CxuiSession *session);

/* More surfaces than the selected ones ("show all"), replaced as a whole. */
void cxui_mesh_controller_want(CxuiMeshController *self, const CxId *ids,
                               size_t n);

/* Every wanted id, selected ones first; borrowed until the next change. */
const CxId *cxui_mesh_controller_wanted(CxuiMeshController *self, size_t *n);

/* The surface of a segment, borrowed until the next mesh-changed of this id;
 * NULL while there is none.  *stale (may be NULL): it shows the state before
 * an edit.  *version (may be NULL) grows with each new surface, over all ids:
 * a key for buffers. */
const CxMesh *cxui_mesh_controller_mesh(CxuiMeshController *self, CxId id,
                                        bool *stale, uint64_t *version);

/* Why there is no surface (one sentence), or NULL. */
const char *cxui_mesh_controller_reason(CxuiMeshController *self, CxId id);
bool cxui_mesh_controller_is_pending(CxuiMeshController *self, CxId id);
unsigned cxui_mesh_controller_n_pending(CxuiMeshController *self);
size_t cxui_mesh_controller_used_bytes(CxuiMeshController *self);

/* For the session: other data (segments may be NULL; project keeps them
 * alive, or NULL); an edit changed segments within a box; labels appeared in a
 * box. */
void cxui_mesh_controller_reset(CxuiMeshController *self, CxVolume *segments,
                                CxProject *project);
void cxui_mesh_controller_edited(CxuiMeshController *self, const CxEdit *edit,
                                 bool undone, CxBox box);
void cxui_mesh_controller_labels_changed(CxuiMeshController *self, CxBox box);
