/* A failure as a sentence with a Details fold, above the data; stays until it
 * is closed, so that nothing is missed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>

#define CXUI_TYPE_ERROR_BAR (cxui_error_bar_get_type())
G_DECLARE_FINAL_TYPE(CxuiErrorBar, cxui_error_bar, CXUI, ERROR_BAR, GtkWidget)

GtkWidget *cxui_error_bar_new(void);

/* details may be NULL. */
void cxui_error_bar_show(CxuiErrorBar *self, const char *sentence,
                         const char *details);
void cxui_error_bar_dismiss(CxuiErrorBar *self);
