/* The About window, with facts for bug reports.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>

void cxui_about_present(GtkWindow *parent);

/* Called by a pane when it has a GL context, for the facts. */
void cxui_about_note_renderer(GtkWidget *pane, const char *renderer);
