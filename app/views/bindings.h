/* Every key and every gesture of the window, in one table.
 *
 * Accelerators, the shortcuts window, the hints in the status line and the
 * chapter of the manual are made from it, so that they cannot disagree.  Add
 * a row, and all four know it.  Main thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gtk/gtk.h>
#include <stdbool.h>
#include <stddef.h>

/* Who listens. */
typedef enum {
    CXUI_SCOPE_APP,  /* accelerators with a modifier or function key: always */
    CXUI_SCOPE_KEYS, /* bare keys: unless a text entry or list takes them */
    CXUI_SCOPE_HAND, /* pointer and held keys: the panes read them */
} CxuiScope;

typedef enum {
    CXUI_GROUP_FILE,
    CXUI_GROUP_MOVE,
    CXUI_GROUP_SCENE,
    CXUI_GROUP_SELECT,
    CXUI_GROUP_EDIT,
    CXUI_GROUP_SCIENCE, /* keys of the Retina and Models pages */
    CXUI_GROUP_WINDOW,
    CXUI_N_GROUPS,
} CxuiGroup;

/* Modes whose hint line shows a row, as bits. */
typedef enum {
    CXUI_HINT_NONE = 0,
    CXUI_HINT_POINTER = 1 << 0,
    CXUI_HINT_MERGE = 1 << 1,
    CXUI_HINT_SPLIT = 1 << 2,
    CXUI_HINT_READY = 1 << 3, /* a merge or split waits for Enter */
    CXUI_HINT_RETINA = 1 << 4,
    CXUI_HINT_MODELS = 1 << 5,
} CxuiHint;

typedef struct {
    CxuiScope scope;
    CxuiGroup group;
    const char *action; /* detailed name, "win.tool::merge"; NULL for HAND */
    const char *keys;   /* accelerators with blanks between; HAND: prose */
    const char *title;  /* "Undo the last edit" */
    const char *hint;   /* short, follows the key in the hint line, or NULL */
    unsigned hint_modes;
} CxuiBinding;

const CxuiBinding *cxui_bindings(size_t *n);

/* Accelerators of scope APP. */
void cxui_bindings_install(GtkApplication *application);

/* A controller with the keys of scope KEYS, for the window (transfer full):
 * those of the Retina and Models pages, or those of proofreading.  Esc
 * (win.cancel) belongs to both. */
GtkEventController *cxui_bindings_key_controller(bool science);

/* "Click a partner · Enter merge · Esc leave", owned. */
char *cxui_bindings_dup_hint(unsigned mode);

/* First key of an action as people read it ("Ctrl+Z"), or NULL; owned. */
char *cxui_bindings_dup_key_label(const char *action);

/* Tool tip of an action: its title and key; owned. */
char *cxui_bindings_dup_tooltip(const char *action);

GtkWidget *cxui_bindings_shortcuts_window(void);

/* The chapter of the manual, Markdown; owned. */
char *cxui_bindings_dup_manual(void);
