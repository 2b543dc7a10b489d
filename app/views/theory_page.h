/* The Models page: three small models of the theory of memory, of sensory
 * codes and of pruning, each with its controls at the left.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_THEORY_PAGE (cxui_theory_page_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheoryPage, cxui_theory_page, CXUI, THEORY_PAGE,
                     AdwBin)

/* session is borrowed and must outlive the page. */
GtkWidget *cxui_theory_page_new(CxuiSession *session);

/* Space: runs or pauses what is shown. */
void cxui_theory_page_play(CxuiTheoryPage *self);

/* Cancels its jobs; before the session goes. */
void cxui_theory_page_stop(CxuiTheoryPage *self);
