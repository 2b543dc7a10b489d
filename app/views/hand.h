/* What the user's hand does to segments: the meaning of a click for the tool
 * that is held, and the question that waits for Enter.
 *
 * Shared by the slice panes and the 3-D pane, so that a click means the same
 * in all of them.  Main thread.
 *
 * Signals: changed(): tool, side, question or readiness.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"

#include <gdk/gdk.h>

#define CXUI_TYPE_HAND (cxui_hand_get_type())
G_DECLARE_FINAL_TYPE(CxuiHand, cxui_hand, CXUI, HAND, GObject)

CxuiHand *cxui_hand_new(CxuiSession *session);

typedef struct {
    CxId segment; /* 0 = background */
    CxVoxel at;
    unsigned pane; /* 0 xy, 1 xz, 2 yz, 3 scene */
    GdkModifierType modifiers;
    int n_press; /* 2 = second click of a double-click */
} CxuiClick;

void cxui_hand_click(CxuiHand *self, const CxuiClick *click);

/* Side that Ctrl+click sets now. */
CxuiSide cxui_hand_side(CxuiHand *self);
void cxui_hand_swap_side(CxuiHand *self);

/* Something is ready to be carried out. */
bool cxui_hand_is_ready(CxuiHand *self);

/* Carries it out; false if there is nothing. */
bool cxui_hand_commit(CxuiHand *self);

/* Clears seeds or partners first, then goes back to the pointer; false if
 * there was nothing to leave. */
bool cxui_hand_cancel(CxuiHand *self);

/* What would happen, with the partners or sides by name, as Pango markup;
 * NULL with the pointer in hand.  Owned. */
char *cxui_hand_dup_question(CxuiHand *self);
