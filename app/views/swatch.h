/* A small square in the colour of a segment.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/colour.h"

#include <gtk/gtk.h>

#define CXUI_TYPE_SWATCH (cxui_swatch_get_type())
G_DECLARE_FINAL_TYPE(CxuiSwatch, cxui_swatch, CXUI, SWATCH, GtkWidget)

GtkWidget *cxui_swatch_new(void);

/* hollow: an outline only (hidden segments). */
void cxui_swatch_set(CxuiSwatch *self, CxglColour colour, bool hollow);
