/* An associative memory: the state and its brush, recall with its energy, overlaps
 * with what is stored, and the capacity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_THEORY_HOPFIELD_VIEW (cxui_theory_hopfield_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheoryHopfieldView, cxui_theory_hopfield_view, CXUI,
                     THEORY_HOPFIELD_VIEW, AdwBin)

/* session is borrowed. */
GtkWidget *cxui_theory_hopfield_view_new(CxuiSession *session);

/* Runs, or stops what runs. */
void cxui_theory_hopfield_view_play(CxuiTheoryHopfieldView *self);

/* Cancels its jobs for good. */
void cxui_theory_hopfield_view_stop(CxuiTheoryHopfieldView *self);
