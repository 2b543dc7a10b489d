/* What the session's own parts tell it; not for views.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

/* An edit was stored, done again or (undone) taken back: tells models,
 * meshes, selection and views. */
void cxui_session_edited(CxuiSession *self, const CxEdit *edit, bool undone);

/* The edit controller became busy or idle. */
void cxui_session_state_changed(CxuiSession *self);
void cxui_session_toast(CxuiSession *self, unsigned n_undo, const char *format,
                        ...) G_GNUC_PRINTF(3, 4);

/* Says why something failed; a cancellation is not said. */
void cxui_session_fail(CxuiSession *self, const GError *error);

/* Labels appeared in a box. */
void cxui_session_block_segmented(CxuiSession *self, CxBox box);

/* A run of the segmenter ended: any segment may be another one now. */
void cxui_session_resegmented(CxuiSession *self);

/* Calls ready(project, user_data) on the main loop once there is a project
 * that can be written, making an untitled one if need be (labels that are open
 * are taken over: a job).  project is NULL when that failed (said already). */
typedef void (*CxuiProjectReady)(CxProject *project, void *user_data);
void cxui_session_need_project(CxuiSession *self, CxuiProjectReady ready,
                               void *user_data);
