/* Lets a worker ask the main loop for attention.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/bell.h"

#include <stdatomic.h>
#include <stdbool.h>

struct CxuiBell {
    atomic_bool pending; /* a callback is on its way */
    GWeakRef owner;
    CxuiBellFunc answer;
    GMainContext *context;
};

CxuiBell *
cxui_bell_new(GObject *owner, CxuiBellFunc answer)
{
    CxuiBell *bell = g_atomic_rc_box_new0(CxuiBell);

    atomic_init(&bell->pending, false);
    g_weak_ref_init(&bell->owner, owner);
    bell->answer = answer;
    bell->context = g_main_context_ref_thread_default();
    return bell;
}

CxuiBell *
cxui_bell_ref(CxuiBell *bell)
{
    return g_atomic_rc_box_acquire(bell);
}

static void
clear(void *data)
{
    CxuiBell *bell = data;

    g_weak_ref_clear(&bell->owner);
    g_main_context_unref(bell->context);
}

void
cxui_bell_unref(CxuiBell *bell)
{
    if (bell != NULL)
        g_atomic_rc_box_release_full(bell, clear);
}

static gboolean
call_owner(void *data)
{
    CxuiBell *bell = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&bell->owner);

    /* First: what happens from here on rings again. */
    atomic_store(&bell->pending, false);
    if (owner != NULL)
        bell->answer(owner);
    return G_SOURCE_REMOVE;
}

void
cxui_bell_ring(CxuiBell *bell)
{
    if (atomic_exchange(&bell->pending, true))
        return;
    g_autoptr(GSource) source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, call_owner, cxui_bell_ref(bell),
                          (GDestroyNotify)cxui_bell_unref);
    g_source_attach(source, bell->context);
}
