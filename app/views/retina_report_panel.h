/* The report card: which of the four protocols are reproduced, by which
 * numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_REPORT_PANEL (cxui_retina_report_panel_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaReportPanel, cxui_retina_report_panel, CXUI,
                     RETINA_REPORT_PANEL, AdwBin)

/* Both are referenced. */
GtkWidget *cxui_retina_report_panel_new(CxuiRetinaSession *session,
                                        CxuiReplayClock *clock);
