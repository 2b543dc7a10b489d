/* The Export menu of the Retina page: traces as CSV, all panels that are shown
 * as PNG, SVG or CSV into a folder, the settings as a JSON preset, and back;
 * a network from a file.
 *
 * Adds the action group "retina" to the page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/retina_session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_RETINA_EXPORT (cxui_retina_export_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaExport, cxui_retina_export, CXUI, RETINA_EXPORT,
                     GObject)

/* page is borrowed and owns what is returned. */
CxuiRetinaExport *cxui_retina_export_new(CxuiRetinaSession *session,
                                         GtkWidget *page);
GMenuModel *cxui_retina_export_menu(CxuiRetinaExport *self);
