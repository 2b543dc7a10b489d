/* The main window: panes, panels, status.
 *
 * Shows one CxuiSession.  The frame is ui/window.ui; actions are in
 * window_actions.c, opening in window_open.c, words in window_status.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/application.h"

#define CXUI_TYPE_WINDOW (cxui_window_get_type())
G_DECLARE_FINAL_TYPE(CxuiWindow, cxui_window, CXUI, WINDOW,
                     AdwApplicationWindow)

CxuiWindow *cxui_window_new(CxuiApplication *application);

/* True while data are open or being opened. */
bool cxui_window_has_data(CxuiWindow *self);

/* Opens files or folders together (an image, labels, both, a project). */
void cxui_window_open(CxuiWindow *self, GFile *const *files, size_t n_files);
void cxui_window_open_sample(CxuiWindow *self);
