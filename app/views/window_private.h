/* Shared by the window_*.c files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "app/views/hand.h"
#include "app/views/scene_view.h"
#include "app/views/segment_look.h"
#include "app/views/slice_view.h"
#include "app/views/stage.h"
#include "app/views/window.h"

/* Panes by number, as the session counts them. */
#define PANE_SCENE 3
#define N_PANES 4

typedef enum {
    MODE_PROOFREAD,
    MODE_RETINA,
    MODE_MODELS,
    N_MODES,
} CxuiWindowMode;

struct _CxuiWindow {
    AdwApplicationWindow parent;

    /* template */
    GtkWidget *title;
    GtkWidget *open_button;
    GtkWidget *undo_button;
    GtkWidget *redo_button;
    GtkWidget *menu_button;
    GtkWidget *sidebar_button;
    GtkWidget *segment_button;
    GtkWidget *mode_box;
    GtkWidget *drop_overlay;
    GtkWidget *error_box;
    GtkWidget *toasts;
    GtkWidget *stack;
    GtkWidget *empty_page;
    GtkWidget *opening_page;
    GtkWidget *recent_list;
    GtkWidget *rail;
    GtkWidget *main_paned;
    GtkWidget *pane_stack;
    GtkWidget *pane_overlay;
    GtkWidget *no_gl_details;
    GtkWidget *rows;
    GtkWidget *top_row;
    GtkWidget *bottom_row;
    GtkWidget *sidebar;
    GtkWidget *sidebar_stack;
    GtkWidget *drop_hint;
    GtkWidget *status_line;
    GtkWidget *mode_label;
    GtkWidget *hint_label;
    GtkWidget *position_button;
    GtkWidget *hover_label;
    GtkWidget *jobs_box;
    GMenu *recent_section;
    GMenu *model_section;

    /* made in code */
    GtkWidget *slices[3];
    GtkWidget *scene;
    GtkWidget *segment_list;
    GtkWidget *history_panel;
    GtkWidget *error_bar;
    GtkWidget *ask_bar;
    GtkWidget *ask_label;
    GtkWidget *ask_commit;
    GtkWidget *ask_leave;
    GtkWidget *debug;
    GtkWidget *go_to_popover;
    GtkWidget *pane_menu; /* the last one shown in a pane, or NULL */
    GtkWidget *go_to_entry;
    GtkWidget *mode_stack;  /* holds stack and the pages below */
    GtkWidget *retina_page; /* NULL until the first look at it */
    GtkWidget *theory_page;
    GtkEventController *keys; /* bare keys of the mode */
    CxuiStage *stage;
    bool had_sidebar; /* before the stage */
    bool asked_full;  /* full screen, whatever the window manager says */

    CxuiSession *session;
    CxuiSegmentLook *look;
    CxuiHand *hand;

    CxuiWindowMode mode;
    int active; /* pane that keys act on */
    bool space_held;
    int64_t space_at; /* monotonic time of the press */
    int divided; /* borders that have their place: 1 side bar, 2 panes too */
    GtkFileChooserNative *chooser;
    unsigned n_looks; /* files looked into so far: only the last one counts */
    bool is_pointed;  /* the pointer is over a pane, here: */
    CxVoxel pointed;
    bool grow_waits; /* until a network is chosen, at: */
    CxVoxel grow_at;
};

/* window.c */
GtkWidget *cxui_window_pane(CxuiWindow *self, int pane);
void cxui_window_set_active(CxuiWindow *self, int pane);

/* The slice pane that field commands mean: the active one, or xy. */
CxuiSliceView *cxui_window_slice(CxuiWindow *self);
void cxui_window_next_layout(CxuiWindow *self, int pane);

/* window_actions.c */
void cxui_window_add_actions(CxuiWindow *self);
void cxui_window_update_actions(CxuiWindow *self);
void cxui_window_menu_at(CxuiWindow *self, GtkWidget *pane, double x, double y);

/* Positions: flies there. */
void cxui_window_go_to(CxuiWindow *self, CxVoxel voxel);

/* window_open.c */
void cxui_window_add_opening(CxuiWindow *self);
void cxui_window_choose_file(CxuiWindow *self, bool folder);
void cxui_window_save_as(CxuiWindow *self);

/* A chooser of one file; response is that of a GtkNativeDialog. */
void cxui_window_choose_model(CxuiWindow *self, const char *title,
                              GtkFileFilter *filter, GCallback response);
void cxui_window_remember_recent(CxuiWindow *self);

/* window_status.c */
void cxui_window_add_status(CxuiWindow *self);
void cxui_window_update_title(CxuiWindow *self);
void cxui_window_update_mode(CxuiWindow *self);
void cxui_window_show_pointer(CxuiWindow *self, bool inside, CxVoxel at,
                              CxId segment);

/* window_grow.c */
void cxui_window_add_growing(CxuiWindow *self);
void cxui_window_update_growing(CxuiWindow *self);
void cxui_window_add_grow_row(CxuiWindow *self, GMenu *menu);

/* Pango markup, or NULL while nothing grows; owned. */
char *cxui_window_dup_grow_question(CxuiWindow *self);
const char *cxui_window_grow_leave_label(CxuiWindow *self);
const char *cxui_window_grow_commit_label(CxuiWindow *self);

/* window_mode.c: Proofread, Retina, Models; full screen and stage */
void cxui_window_add_modes(CxuiWindow *self);
void cxui_window_set_mode(CxuiWindow *self, CxuiWindowMode mode);
void cxui_window_update_mode_actions(CxuiWindow *self);

/* Full screen, then stage, then the window again; and back at once. */
void cxui_window_next_screen(CxuiWindow *self);
bool cxui_window_leave_screen(CxuiWindow *self);

/* Cancels the pages' jobs, before the session goes. */
void cxui_window_stop_modes(CxuiWindow *self);
