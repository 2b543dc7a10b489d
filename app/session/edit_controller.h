/* Carries out the user's edits: validate → journal → graph → screen.
 *
 * Each request is a job; jobs run one after the other in the order of the
 * calls, so that what is stored is what was asked for.  Nothing changes on the
 * screen before the commit; then the session emits segments-changed and toast.
 * A refusal is the session's failed signal with one sentence.  Requests
 * without an open project are held until one has been made (cxui_session).
 * Main thread only.
 *
 * Properties: busy (boolean: an edit waits or is being stored), can-undo,
 * can-redo, can-merge, can-split (boolean).
 * Signals: committed(gpointer CxEdit, borrowed; gboolean undone).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

#include <gio/gio.h>

typedef struct _CxuiSession CxuiSession;

#define CXUI_TYPE_EDIT_CONTROLLER (cxui_edit_controller_get_type())
G_DECLARE_FINAL_TYPE(CxuiEditController, cxui_edit_controller, CXUI,
                     EDIT_CONTROLLER, GObject)

/* Made by the session, which owns it. */
CxuiEditController *cxui_edit_controller_new(CxuiSession *session);

/* Merges all selected segments into the first picked one. */
void cxui_edit_controller_merge_selected(CxuiEditController *self);
void cxui_edit_controller_merge(CxuiEditController *self, CxId keep, CxId other,
                                CxVoxel at);

/* Brings supervoxels into one segment (0: a new one) as one edit
 * (proofread/gather.h). */
void cxui_edit_controller_gather(CxuiEditController *self, CxId keep,
                                 const CxId *supervoxels, size_t n, CxVoxel at);

/* Recomputes the preview from the selection's seeds; called on its own when
 * seeds change.  The latest call wins; result in the selection. */
void cxui_edit_controller_preview_split(CxuiEditController *self);

/* Cuts as the seeds say (the preview need not be ready); clears the seeds
 * when it is stored. */
void cxui_edit_controller_commit_split(CxuiEditController *self);

/* Takes back (does again) n edits, as one job. */
void cxui_edit_controller_undo(CxuiEditController *self, unsigned n);
void cxui_edit_controller_redo(CxuiEditController *self, unsigned n);

/* Undoes or redoes until the head is this sequence number; 0 = the start. */
void cxui_edit_controller_go_to(CxuiEditController *self, int64_t sequence);

void cxui_edit_controller_set_note(CxuiEditController *self, CxId segment,
                                   const char *text);
void cxui_edit_controller_set_locked(CxuiEditController *self, CxId segment,
                                     bool locked);

bool cxui_edit_controller_is_busy(CxuiEditController *self);
bool cxui_edit_controller_can_undo(CxuiEditController *self);
bool cxui_edit_controller_can_redo(CxuiEditController *self);

/* True if the selection and seeds make the command possible now. */
bool cxui_edit_controller_can_merge(CxuiEditController *self);
bool cxui_edit_controller_can_split(CxuiEditController *self);

/* For the session: waits until all requests are stored (a project that is
 * still being made: they are dropped); says that can-… may be different. */
void cxui_edit_controller_flush(CxuiEditController *self);
void cxui_edit_controller_notify(CxuiEditController *self);
