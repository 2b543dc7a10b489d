/* What to export, in which format, where to.
 *
 * Asks before it replaces something; the work is a job of the session's
 * exporter.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_EXPORT_DIALOG (cxui_export_dialog_get_type())
G_DECLARE_FINAL_TYPE(CxuiExportDialog, cxui_export_dialog, CXUI, EXPORT_DIALOG,
                     AdwWindow)

GtkWidget *cxui_export_dialog_new(CxuiSession *session);
