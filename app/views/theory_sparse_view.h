/* Sparse coding: the atoms while they are learnt, and what they are like.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <adwaita.h>

#define CXUI_TYPE_THEORY_SPARSE_VIEW (cxui_theory_sparse_view_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheorySparseView, cxui_theory_sparse_view, CXUI,
                     THEORY_SPARSE_VIEW, AdwBin)

/* session is borrowed. */
GtkWidget *cxui_theory_sparse_view_new(CxuiSession *session);

/* Runs, or stops what runs. */
void cxui_theory_sparse_view_play(CxuiTheorySparseView *self);

/* Cancels its jobs for good. */
void cxui_theory_sparse_view_stop(CxuiTheorySparseView *self);
