/* The Retina page: the stimulus at the left, what comes out in the middle, the
 * circuit and its measures at the right, one time line below.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_RETINA_PAGE (cxui_retina_page_get_type())
G_DECLARE_FINAL_TYPE(CxuiRetinaPage, cxui_retina_page, CXUI, RETINA_PAGE,
                     AdwBin)

/* session is borrowed and must outlive the page. */
GtkWidget *cxui_retina_page_new(CxuiSession *session);

void cxui_retina_page_play(CxuiRetinaPage *self);
void cxui_retina_page_step(CxuiRetinaPage *self, int frames);

/* Takes channel c (from 0) out or in again. */
void cxui_retina_page_toggle_channel(CxuiRetinaPage *self, unsigned c);

/* Panels beside the traces, hidden on a stage. */
void cxui_retina_page_show_panels(CxuiRetinaPage *self, bool shown);

/* Opens the Export menu. */
void cxui_retina_page_export(CxuiRetinaPage *self);

/* Cancels its jobs; before the session goes. */
void cxui_retina_page_stop(CxuiRetinaPage *self);
