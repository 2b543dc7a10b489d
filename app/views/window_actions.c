/* win.* actions: each is a call of the session.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include "app/views/export_dialog.h"
#include "app/views/format.h"
#include "app/views/model_dialog.h"
#include "app/views/retina_page.h"
#include "app/views/segment_box.h"
#include "app/views/segment_list.h"

#include <string.h>

static CxuiSelection *
selection_of(CxuiWindow *self)
{
    return cxui_session_selection(self->session);
}

static CxuiViewState *
view_of(CxuiWindow *self)
{
    return cxui_session_view(self->session);
}

/* --- files */

static void
on_open(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_window_choose_file(data, false);
}

static void
on_open_folder(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_window_choose_file(data, true);
}

static void
on_open_recent(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    g_autoptr(GFile) file =
        g_file_new_for_uri(g_variant_get_string(parameter, NULL));

    cxui_window_open(data, &file, 1);
}

static void
on_open_sample(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_window_open_sample(data);
}

static void
on_cancel_open(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_session_cancel_open(CXUI_WINDOW(data)->session);
}

static void
on_save_as(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_window_save_as(data);
}

static void
on_export(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->mode == MODE_RETINA) {
        cxui_retina_page_export(CXUI_RETINA_PAGE(self->retina_page));
        return;
    }
    GtkWidget *dialog = cxui_export_dialog_new(self->session);

    gtk_window_set_transient_for(GTK_WINDOW(dialog), GTK_WINDOW(self));
    gtk_window_present(GTK_WINDOW(dialog));
}

static void
on_close(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_window_close(GTK_WINDOW(data));
}

/* --- moving */

static void
on_step(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    cxui_slice_view_step(cxui_window_slice(self),
                         g_variant_get_int32(parameter));
}

static void
zoom(CxuiWindow *self, double factor)
{
    if (self->active == PANE_SCENE)
        cxui_scene_view_zoom(CXUI_SCENE_VIEW(self->scene), factor);
    else
        cxui_slice_view_zoom(cxui_window_slice(self), factor);
}

static void
on_zoom_in(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    zoom(data, 1.25);
}

static void
on_zoom_out(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    zoom(data, 1 / 1.25);
}

static void
on_zoom_fit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->active == PANE_SCENE)
        cxui_scene_view_reset(CXUI_SCENE_VIEW(self->scene));
    else
        cxui_slice_view_fit(cxui_window_slice(self));
}

static void
on_reset_scene(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_scene_view_reset(CXUI_SCENE_VIEW(CXUI_WINDOW(data)->scene));
}

void
cxui_window_go_to(CxuiWindow *self, CxVoxel voxel)
{
    cxui_view_state_set_voxel(view_of(self), voxel);
}

static void
on_go_to(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_menu_button_popup(GTK_MENU_BUTTON(CXUI_WINDOW(data)->position_button));
}

static void
on_go_to_selected(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;
    CxId id = cxui_selection_current(selection_of(self));
    CxSegment segment;

    if (cxui_segment_model_lookup(cxui_session_segment_model(self->session), id,
                                  &segment))
        cxui_window_go_to(self, segment.inside);
}

/* --- segments */

static void
on_find(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    gtk_widget_set_visible(self->sidebar, TRUE);
    gtk_stack_set_visible_child_name(GTK_STACK(self->sidebar_stack),
                                     "segments");
    cxui_segment_list_find(CXUI_SEGMENT_LIST(self->segment_list));
}

static void
on_clear_selection(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_selection_clear(selection_of(data));
}

static void
on_selection_back(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_selection_go_back(selection_of(data));
}

/* Hides them; if all are hidden already, shows them again. */
static void
on_hide_selected(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiSelection *selection = selection_of(data);
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);
    g_autofree CxId *copy = g_memdup2(ids, n * sizeof *ids);
    bool hide = false;

    for (size_t i = 0; i < n; i++)
        hide = hide || !cxui_selection_is_hidden(selection, copy[i]);
    for (size_t i = 0; i < n; i++)
        cxui_selection_set_hidden(selection, copy[i], hide);
}

static void
on_isolate_selected(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiViewState *view = view_of(data);
    CxuiLayers layers = *cxui_view_state_layers(view);

    layers.only_selected = !layers.only_selected;
    cxui_view_state_set_layers(view, &layers);
}

static void
on_recolour_selected(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiSelection *selection = selection_of(data);
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);

    cxui_selection_recolour(selection, ids, n);
}

/* Locks them; if all are locked already, unlocks them. */
static void
on_lock_selected(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection_of(self), &n);
    g_autofree CxId *copy = g_memdup2(ids, n * sizeof *ids);
    bool lock = false;

    for (size_t i = 0; i < n; i++)
        lock = lock || !cxui_segment_model_is_locked(model, copy[i]);
    for (size_t i = 0; i < n; i++)
        cxui_edit_controller_set_locked(cxui_session_edits(self->session),
                                        copy[i], lock);
}

static void
on_show_all(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiViewState *view = view_of(data);
    CxuiLayers layers = *cxui_view_state_layers(view);

    layers.only_selected = false;
    cxui_view_state_set_layers(view, &layers);
    cxui_selection_show_all(selection_of(data));
}

static void
on_copy_ids(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection_of(self), &n);
    g_autoptr(GString) text = g_string_new(NULL);

    for (size_t i = 0; i < n; i++)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "",
                               ids[i]);
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)),
                           text->str);
}

/* --- corrections */

static const char *const tool_names[] = {
    [CXUI_TOOL_POINTER] = "pointer",
    [CXUI_TOOL_MERGE] = "merge",
    [CXUI_TOOL_SPLIT] = "split",
};

/* The key of a tool that is held puts it down again. */
static void
on_tool(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiSelection *selection = selection_of(data);
    const char *name = g_variant_get_string(parameter, NULL);

    for (guint i = 0; i < G_N_ELEMENTS(tool_names); i++) {
        if (!g_str_equal(name, tool_names[i]))
            continue;
        bool again = cxui_selection_tool(selection) == (CxuiTool)i;
        cxui_selection_set_tool(selection,
                                again ? CXUI_TOOL_POINTER : (CxuiTool)i);
    }
}

static void
on_swap_side(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_hand_swap_side(CXUI_WINDOW(data)->hand);
}

static void
on_commit(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (!cxui_grower_commit(cxui_session_grower(self->session)))
        cxui_hand_commit(self->hand);
}

static void
on_cancel(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    if (self->mode != MODE_PROOFREAD ||
        (!cxui_grower_cancel(cxui_session_grower(self->session)) &&
         !cxui_hand_cancel(self->hand)))
        cxui_window_leave_screen(self);
}

static void
on_undo(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_edit_controller_undo(cxui_session_edits(CXUI_WINDOW(data)->session),
                              1);
}

/* The Undo of a toast takes back what the toast speaks of. */
static void
on_undo_n(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_edit_controller_undo(cxui_session_edits(CXUI_WINDOW(data)->session),
                              g_variant_get_uint32(parameter));
}

static void
on_redo(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_edit_controller_redo(cxui_session_edits(CXUI_WINDOW(data)->session),
                              1);
}

/* --- segmenting */

static void
run_segmenter(CxuiWindow *self, CxBox box)
{
    cxui_segmenter_run(cxui_session_segmenter(self->session), box,
                       cxui_view_state_voxel(view_of(self)));
}

static void
on_segment_field(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    run_segmenter(self, cxui_slice_view_field(cxui_window_slice(self)));
}

static void
on_segment_volume(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    run_segmenter(self, cxui_view_state_bounds(view_of(self)));
}

static void
on_segment_box(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_segment_box_present(data);
}

static void
on_choose_model(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;
    GtkWidget *dialog = cxui_model_dialog_new(self->session);

    gtk_window_set_transient_for(GTK_WINDOW(dialog), GTK_WINDOW(self));
    gtk_window_present(GTK_WINDOW(dialog));
}

/* --- window */

static const char *const layout_names[CXUI_N_LAYOUTS] = {
    [CXUI_LAYOUT_FOUR] = "four",
    [CXUI_LAYOUT_XY] = "xy",
    [CXUI_LAYOUT_XZ] = "xz",
    [CXUI_LAYOUT_YZ] = "yz",
    [CXUI_LAYOUT_SCENE] = "scene",
    [CXUI_LAYOUT_XY_SCENE] = "xy-scene",
    [CXUI_LAYOUT_XZ_SCENE] = "xz-scene",
    [CXUI_LAYOUT_YZ_SCENE] = "yz-scene",
};

static void
on_layout(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    const char *name = g_variant_get_string(parameter, NULL);

    for (int i = 0; i < CXUI_N_LAYOUTS; i++) {
        if (g_str_equal(name, layout_names[i]))
            cxui_view_state_set_layout(view_of(data), (CxuiLayout)i);
    }
}

static void
on_next_layout(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    cxui_window_next_layout(self, self->active);
}

static void
on_answer(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    static const char *const names[] = {"same", "different", "unsure"};
    const char *name = g_variant_get_string(parameter, NULL);
    CxuiReviewQueue *queue = cxui_session_review(CXUI_WINDOW(data)->session);

    for (int i = 0; i <= CXUI_ANSWER_UNSURE; i++) {
        if (g_str_equal(name, names[i]))
            cxui_review_queue_answer(queue, (CxuiAnswer)i);
    }
}

static void
on_candidate(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_review_queue_step(cxui_session_review(CXUI_WINDOW(data)->session),
                           g_variant_get_int32(parameter));
}

static void
on_full_screen(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    cxui_window_next_screen(data);
}

static void
on_main_menu(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    gtk_menu_button_popup(GTK_MENU_BUTTON(CXUI_WINDOW(data)->menu_button));
}

static void
on_debug(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    GtkWidget *debug = CXUI_WINDOW(data)->debug;

    gtk_widget_set_visible(debug, !gtk_widget_get_visible(debug));
}

static const GActionEntry actions[] = {
    {"open", on_open, NULL, NULL, NULL, {0}},
    {"open-folder", on_open_folder, NULL, NULL, NULL, {0}},
    {"open-recent", on_open_recent, "s", NULL, NULL, {0}},
    {"open-sample", on_open_sample, NULL, NULL, NULL, {0}},
    {"cancel-open", on_cancel_open, NULL, NULL, NULL, {0}},
    {"save-as", on_save_as, NULL, NULL, NULL, {0}},
    {"export", on_export, NULL, NULL, NULL, {0}},
    {"close", on_close, NULL, NULL, NULL, {0}},
    {"step", on_step, "i", NULL, NULL, {0}},
    {"zoom-in", on_zoom_in, NULL, NULL, NULL, {0}},
    {"zoom-out", on_zoom_out, NULL, NULL, NULL, {0}},
    {"zoom-fit", on_zoom_fit, NULL, NULL, NULL, {0}},
    {"reset-scene", on_reset_scene, NULL, NULL, NULL, {0}},
    {"go-to", on_go_to, NULL, NULL, NULL, {0}},
    {"go-to-selected", on_go_to_selected, NULL, NULL, NULL, {0}},
    {"find", on_find, NULL, NULL, NULL, {0}},
    {"clear-selection", on_clear_selection, NULL, NULL, NULL, {0}},
    {"selection-back", on_selection_back, NULL, NULL, NULL, {0}},
    {"hide-selected", on_hide_selected, NULL, NULL, NULL, {0}},
    {"isolate-selected", on_isolate_selected, NULL, "false", NULL, {0}},
    {"recolour-selected", on_recolour_selected, NULL, NULL, NULL, {0}},
    {"lock-selected", on_lock_selected, NULL, NULL, NULL, {0}},
    {"show-all", on_show_all, NULL, NULL, NULL, {0}},
    {"copy-ids", on_copy_ids, NULL, NULL, NULL, {0}},
    {"tool", on_tool, "s", "'pointer'", NULL, {0}},
    {"swap-side", on_swap_side, NULL, NULL, NULL, {0}},
    {"commit", on_commit, NULL, NULL, NULL, {0}},
    {"cancel", on_cancel, NULL, NULL, NULL, {0}},
    {"answer", on_answer, "s", NULL, NULL, {0}},
    {"candidate", on_candidate, "i", NULL, NULL, {0}},
    {"undo", on_undo, NULL, NULL, NULL, {0}},
    {"undo-n", on_undo_n, "u", NULL, NULL, {0}},
    {"redo", on_redo, NULL, NULL, NULL, {0}},
    {"segment-field", on_segment_field, NULL, NULL, NULL, {0}},
    {"segment-box", on_segment_box, NULL, NULL, NULL, {0}},
    {"segment-volume", on_segment_volume, NULL, NULL, NULL, {0}},
    {"choose-model", on_choose_model, NULL, NULL, NULL, {0}},
    {"layout", on_layout, "s", "'four'", NULL, {0}},
    {"next-layout", on_next_layout, NULL, NULL, NULL, {0}},
    {"full-screen", on_full_screen, NULL, NULL, NULL, {0}},
    {"main-menu", on_main_menu, NULL, NULL, NULL, {0}},
    {"debug", on_debug, NULL, NULL, NULL, {0}},
};

static void
set_enabled(CxuiWindow *self, const char *name, bool enabled)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), name);

    g_simple_action_set_enabled(G_SIMPLE_ACTION(action), enabled);
}

static void
set_state(CxuiWindow *self, const char *name, GVariant *state)
{
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self), name);

    g_simple_action_set_state(G_SIMPLE_ACTION(action), state);
}

static void
update_selection_actions(CxuiWindow *self, bool has_segments)
{
    static const char *const names[] = {
        "hide-selected",  "recolour-selected", "lock-selected",
        "go-to-selected", "copy-ids",          "clear-selection",
    };
    size_t n = 0;
    gboolean can_go_back = FALSE;

    cxui_selection_ids(selection_of(self), &n);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        set_enabled(self, names[i], has_segments && n > 0);
    g_object_get(selection_of(self), "can-go-back", &can_go_back, NULL);
    set_enabled(self, "selection-back", can_go_back);
    set_enabled(self, "isolate-selected", has_segments);
    set_enabled(self, "show-all", has_segments);
    set_enabled(self, "find", has_segments);
}

void
cxui_window_update_actions(CxuiWindow *self)
{
    CxuiSession *session = self->session;
    CxuiEditController *edits = cxui_session_edits(session);
    CxuiSegmenter *segmenter = cxui_session_segmenter(session);
    CxuiViewState *view = view_of(self);
    bool proofread = self->mode == MODE_PROOFREAD;
    bool open = cxui_session_is_open(session) && proofread;
    bool has_segments = open && cxui_session_segments(session) != NULL;
    bool can_segment = open && cxui_session_image(session) != NULL &&
                       !cxui_segmenter_is_running(segmenter) &&
                       cxui_segmenter_model(segmenter)[0] != '\0';

    set_enabled(self, "cancel-open", cxui_session_is_opening(session));
    set_enabled(self, "save-as", open);
    set_enabled(self, "export", has_segments || self->mode == MODE_RETINA);
    set_enabled(self, "go-to", open);
    set_enabled(self, "step", open);
    set_enabled(self, "layout", open);
    set_enabled(self, "next-layout", open);
    set_enabled(self, "tool", has_segments);
    set_enabled(self, "commit",
                cxui_hand_is_ready(self->hand) ||
                    cxui_grower_is_ready(cxui_session_grower(session)));
    cxui_window_update_growing(self);
    set_enabled(self, "undo",
                proofread && cxui_edit_controller_can_undo(edits));
    set_enabled(self, "redo",
                proofread && cxui_edit_controller_can_redo(edits));
    set_enabled(self, "segment-field", can_segment);
    set_enabled(self, "segment-box", can_segment);
    set_enabled(self, "segment-volume", can_segment);
    gtk_widget_set_sensitive(self->segment_button, open);
    update_selection_actions(self, has_segments);
    set_state(self, "tool",
              g_variant_new_string(
                  tool_names[cxui_selection_tool(selection_of(self))]));
    set_state(self, "layout",
              g_variant_new_string(layout_names[cxui_view_state_layout(view)]));
    set_state(
        self, "isolate-selected",
        g_variant_new_boolean(cxui_view_state_layers(view)->only_selected));
}

static GMenu *
new_context_menu(void)
{
    static const char *const rows[][2] = {
        {"_Go to Segment", "win.go-to-selected"},
        {"_Hide or Show", "win.hide-selected"},
        {"Show _Alone", "win.isolate-selected"},
        {"Re_colour", "win.recolour-selected"},
        {"_Lock or Unlock", "win.lock-selected"},
        {"Copy _Id", "win.copy-ids"},
        {"_Merge…", "win.tool::merge"},
        {"_Split…", "win.tool::split"},
        {"Segment _Field", "win.segment-field"},
    };
    GMenu *menu = g_menu_new();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_menu_append(menu, rows[i][0], rows[i][1]);
    return menu;
}

void
cxui_window_menu_at(CxuiWindow *self, GtkWidget *pane, double x, double y)
{
    g_autoptr(GMenu) menu = new_context_menu();
    GtkWidget *popover = gtk_popover_menu_new_from_model(G_MENU_MODEL(menu));
    CxId hover = cxui_selection_hover(selection_of(self));

    if (hover != 0 && !cxui_selection_contains(selection_of(self), hover))
        cxui_selection_select(selection_of(self), hover);
    cxui_window_add_grow_row(self, menu);
    /* The one before lives until now: events on their way may still mean it
     * after it has closed. */
    g_clear_pointer(&self->pane_menu, gtk_widget_unparent);
    self->pane_menu = popover;
    gtk_widget_set_parent(popover, pane);
    gtk_popover_set_has_arrow(GTK_POPOVER(popover), FALSE);
    gtk_popover_set_pointing_to(GTK_POPOVER(popover),
                                &(GdkRectangle){(int)x, (int)y, 1, 1});
    gtk_popover_popup(GTK_POPOVER(popover));
}

void
cxui_window_add_actions(CxuiWindow *self)
{
    CxuiSession *session = self->session;
    g_autoptr(GPropertyAction) sidebar =
        g_property_action_new("show-sidebar", self->sidebar, "visible");
    g_autoptr(GPropertyAction) live = g_property_action_new(
        "live-prediction", cxui_session_settings(session), "live-prediction");

    g_action_map_add_action_entries(G_ACTION_MAP(self), actions,
                                    G_N_ELEMENTS(actions), self);
    g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(sidebar));
    g_action_map_add_action(G_ACTION_MAP(self), G_ACTION(live));

    g_signal_connect_object(selection_of(self), "changed",
                            G_CALLBACK(cxui_window_update_actions), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_edits(session), "notify",
                            G_CALLBACK(cxui_window_update_actions), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_segmenter(session), "notify",
                            G_CALLBACK(cxui_window_update_actions), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed",
                            G_CALLBACK(cxui_window_update_actions), self,
                            G_CONNECT_SWAPPED);
}
