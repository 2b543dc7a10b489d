/* The manual in a window: offline, nothing else needed.
 *
 * Shows the compiled-in Markdown of data/help; the chapter of keys is made
 * from the table of bindings.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>

void cxui_help_present(GtkWindow *parent);
