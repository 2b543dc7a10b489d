/* Proofread, Retina, Models: which page the window shows, with its keys; full
 * screen and stage.
 *
 * The pages of science are made when they are first looked at.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include "app/views/bindings.h"
#include "app/views/retina_page.h"
#include "app/views/theory_page.h"

static const char *const mode_names[N_MODES] = {
    [MODE_PROOFREAD] = "proofread",
    [MODE_RETINA] = "retina",
    [MODE_MODELS] = "models",
};

static void
make_page(CxuiWindow *self, CxuiWindowMode mode)
{
    GtkStack *stack = GTK_STACK(self->mode_stack);

    if (mode == MODE_RETINA && self->retina_page == NULL) {
        self->retina_page = cxui_retina_page_new(self->session);
        gtk_stack_add_named(stack, self->retina_page, mode_names[mode]);
    }
    if (mode == MODE_MODELS && self->theory_page == NULL) {
        self->theory_page = cxui_theory_page_new(self->session);
        gtk_stack_add_named(stack, self->theory_page, mode_names[mode]);
    }
}

static void
set_keys(CxuiWindow *self, bool science)
{
    if (self->keys != NULL)
        gtk_widget_remove_controller(GTK_WIDGET(self), self->keys);
    self->keys = cxui_bindings_key_controller(science);
    gtk_widget_add_controller(GTK_WIDGET(self), self->keys);
}

/* What makes no sense on the page goes; on a stage all panels go. */
static void
show_parts(CxuiWindow *self)
{
    bool proofread = self->mode == MODE_PROOFREAD;
    bool open = cxui_session_is_open(self->session);
    bool stage = cxui_stage_is_active(self->stage);

    gtk_widget_set_visible(self->undo_button, proofread);
    gtk_widget_set_visible(self->redo_button, proofread);
    gtk_widget_set_visible(self->segment_button, proofread && !stage);
    gtk_widget_set_visible(self->sidebar_button, proofread && !stage);
    gtk_widget_set_visible(self->position_button, proofread);
    gtk_widget_set_visible(self->hover_label, proofread);
    gtk_widget_set_visible(self->status_line, (!proofread || open) && !stage);
    gtk_widget_set_visible(self->rail, !stage);
    if (self->retina_page != NULL)
        cxui_retina_page_show_panels(CXUI_RETINA_PAGE(self->retina_page),
                                     !stage);
    cxui_stage_set_active(self->stage, stage);
}

void
cxui_window_update_mode_actions(CxuiWindow *self)
{
    static const char *const science[] = {"play", "replay-step",
                                          "toggle-channel"};
    GActionMap *map = G_ACTION_MAP(self);

    for (size_t i = 0; i < G_N_ELEMENTS(science); i++) {
        GAction *action = g_action_map_lookup_action(map, science[i]);
        bool on =
            self->mode == MODE_RETINA || (self->mode == MODE_MODELS && i == 0);
        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), on);
    }
    GAction *mode = g_action_map_lookup_action(map, "mode");
    g_simple_action_set_state(G_SIMPLE_ACTION(mode),
                              g_variant_new_string(mode_names[self->mode]));
}

void
cxui_window_set_mode(CxuiWindow *self, CxuiWindowMode mode)
{
    GtkWidget *page;

    if (mode == self->mode)
        return;
    self->mode = mode;
    make_page(self, mode);
    gtk_stack_set_visible_child_name(GTK_STACK(self->mode_stack),
                                     mode_names[mode]);
    set_keys(self, mode != MODE_PROOFREAD);
    show_parts(self);
    cxui_window_update_mode_actions(self);
    cxui_window_update_title(self);
    cxui_window_update_mode(self);
    page = gtk_stack_get_visible_child(GTK_STACK(self->mode_stack));
    gtk_window_set_focus(GTK_WINDOW(self), NULL);
    if (mode == MODE_PROOFREAD)
        gtk_widget_child_focus(page, GTK_DIR_TAB_FORWARD);
}

/* --- actions */

static void
on_mode(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const char *name = g_variant_get_string(parameter, NULL);

    for (int i = 0; i < N_MODES; i++) {
        if (g_str_equal(name, mode_names[i]))
            cxui_window_set_mode(data, (CxuiWindowMode)i);
    }
}

static void
on_play(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->mode == MODE_RETINA)
        cxui_retina_page_play(CXUI_RETINA_PAGE(self->retina_page));
    else if (self->mode == MODE_MODELS)
        cxui_theory_page_play(CXUI_THEORY_PAGE(self->theory_page));
}

static void
on_replay_step(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->mode == MODE_RETINA)
        cxui_retina_page_step(CXUI_RETINA_PAGE(self->retina_page),
                              g_variant_get_int32(parameter));
}

static void
on_toggle_channel(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->mode == MODE_RETINA)
        cxui_retina_page_toggle_channel(
            CXUI_RETINA_PAGE(self->retina_page),
            (unsigned)g_variant_get_int32(parameter) - 1U);
}

static void
set_stage(CxuiWindow *self, bool active)
{
    /* visibility of the side bar is a setting: put it back afterwards */
    if (active && !cxui_stage_is_active(self->stage))
        self->had_sidebar = gtk_widget_get_visible(self->sidebar);
    gtk_widget_set_visible(self->sidebar, !active && self->had_sidebar);
    cxui_stage_set_active(self->stage, active);
    show_parts(self);
}

static void
on_stage(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;
    bool active = !cxui_stage_is_active(self->stage);

    set_stage(self, active);
    self->asked_full = active;
    if (active)
        gtk_window_fullscreen(GTK_WINDOW(self));
    else
        gtk_window_unfullscreen(GTK_WINDOW(self));
}

static void
on_fullscreened(CxuiWindow *self)
{
    self->asked_full = gtk_window_is_fullscreen(GTK_WINDOW(self));
}

void
cxui_window_next_screen(CxuiWindow *self)
{
    bool full = self->asked_full || gtk_window_is_fullscreen(GTK_WINDOW(self));

    if (cxui_stage_is_active(self->stage)) {
        cxui_window_leave_screen(self);
    } else if (full) {
        set_stage(self, true);
    } else {
        self->asked_full = true;
        gtk_window_fullscreen(GTK_WINDOW(self));
    }
}

bool
cxui_window_leave_screen(CxuiWindow *self)
{
    bool full = self->asked_full || gtk_window_is_fullscreen(GTK_WINDOW(self));
    bool stage = cxui_stage_is_active(self->stage);

    if (stage)
        set_stage(self, false);
    if (full)
        gtk_window_unfullscreen(GTK_WINDOW(self));
    self->asked_full = false;
    return full || stage;
}

static const GActionEntry actions[] = {
    {"mode", on_mode, "s", "'proofread'", NULL, {0}},
    {"play", on_play, NULL, NULL, NULL, {0}},
    {"replay-step", on_replay_step, "i", NULL, NULL, {0}},
    {"toggle-channel", on_toggle_channel, "i", NULL, NULL, {0}},
    {"stage", on_stage, NULL, NULL, NULL, {0}},
};

void
cxui_window_stop_modes(CxuiWindow *self)
{
    if (self->retina_page != NULL)
        cxui_retina_page_stop(CXUI_RETINA_PAGE(self->retina_page));
    if (self->theory_page != NULL)
        cxui_theory_page_stop(CXUI_THEORY_PAGE(self->theory_page));
    self->retina_page = NULL;
    self->theory_page = NULL;
}

void
cxui_window_add_modes(CxuiWindow *self)
{
    GtkOverlay *overlay = GTK_OVERLAY(self->drop_overlay);

    self->mode_stack = gtk_stack_new();
    g_object_ref(self->stack);
    gtk_overlay_set_child(overlay, NULL);
    gtk_stack_add_named(GTK_STACK(self->mode_stack), self->stack,
                        mode_names[MODE_PROOFREAD]);
    g_object_unref(self->stack);
    gtk_overlay_set_child(overlay, self->mode_stack);
    self->stage = cxui_stage_new(GTK_WINDOW(self), overlay);
    g_action_map_add_action_entries(G_ACTION_MAP(self), actions,
                                    G_N_ELEMENTS(actions), self);
    g_signal_connect(self, "notify::fullscreened", G_CALLBACK(on_fullscreened),
                     NULL);
    set_keys(self, false);
    cxui_window_update_mode_actions(self);
}
