/* Lets a worker ask the main loop for attention, cheaply and once.
 *
 * However often it is rung, at most one callback is pending; it runs in the
 * main context in which the bell was made, with the owner alive, or not at all
 * once the owner is gone.  Atomically reference counted: a worker that may
 * still ring keeps a reference.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib-object.h>

typedef struct CxuiBell CxuiBell;

typedef void (*CxuiBellFunc)(GObject *owner);

CxuiBell *cxui_bell_new(GObject *owner, CxuiBellFunc answer);
CxuiBell *cxui_bell_ref(CxuiBell *bell);
void cxui_bell_unref(CxuiBell *bell);

/* Any thread. */
void cxui_bell_ring(CxuiBell *bell);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxuiBell, cxui_bell_unref)
