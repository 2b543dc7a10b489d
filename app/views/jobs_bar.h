/* The bar at the bottom while something runs: progress, time left, Cancel; a
 * click opens the list with causes of failures.
 *
 * Hides itself when there is nothing to tell.  Never covers the data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_JOBS_BAR (cxui_jobs_bar_get_type())
G_DECLARE_FINAL_TYPE(CxuiJobsBar, cxui_jobs_bar, CXUI, JOBS_BAR, GtkWidget)

GtkWidget *cxui_jobs_bar_new(CxuiSession *session);
