/* What the window says: title, tool rail, hints, position, the question that
 * waits for Enter, toasts and failures.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include "app/views/bindings.h"
#include "app/views/error_bar.h"
#include "app/views/format.h"

void
cxui_window_update_title(CxuiWindow *self)
{
    const char *title = cxui_session_title(self->session);
    const char *subtitle = cxui_session_subtitle(self->session);
    bool open =
        cxui_session_is_open(self->session) && self->mode == MODE_PROOFREAD;
    g_autofree char *full =
        open ? g_strdup_printf("%s — Connexon", title) : g_strdup("Connexon");

    if (self->mode == MODE_RETINA)
        subtitle = "simulated retina";
    adw_window_title_set_title(ADW_WINDOW_TITLE(self->title),
                               open ? title : "Connexon");
    adw_window_title_set_subtitle(ADW_WINDOW_TITLE(self->title),
                                  open || self->mode == MODE_RETINA ? subtitle
                                                                    : "");
    gtk_window_set_title(GTK_WINDOW(self), full);
}

/* --- rail of tools */

static GtkWidget *
add_rail_button(CxuiWindow *self, GtkWidget *button, const char *icon,
                const char *action, const char *label)
{
    g_autofree char *tooltip = cxui_bindings_dup_tooltip(action);

    gtk_button_set_icon_name(GTK_BUTTON(button), icon);
    gtk_actionable_set_detailed_action_name(GTK_ACTIONABLE(button), action);
    gtk_widget_set_tooltip_text(button, tooltip != NULL ? tooltip : label);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
    gtk_widget_add_css_class(button, "flat");
    gtk_widget_set_focus_on_click(button, FALSE);
    gtk_box_append(GTK_BOX(self->rail), button);
    return button;
}

static void
add_rail(CxuiWindow *self)
{
    add_rail_button(self, gtk_toggle_button_new(), "cx-pointer-symbolic",
                    "win.tool::pointer", "Pointer");
    gtk_widget_add_css_class(add_rail_button(self, gtk_toggle_button_new(),
                                             "cx-merge-symbolic",
                                             "win.tool::merge", "Merge tool"),
                             "merge");
    gtk_widget_add_css_class(add_rail_button(self, gtk_toggle_button_new(),
                                             "cx-split-symbolic",
                                             "win.tool::split", "Split tool"),
                             "split");
    gtk_box_append(GTK_BOX(self->rail),
                   gtk_separator_new(GTK_ORIENTATION_HORIZONTAL));
    add_rail_button(self, gtk_button_new(), "view-conceal-symbolic",
                    "win.hide-selected", "Hide selected");
    add_rail_button(self, gtk_toggle_button_new(), "cx-isolate-symbolic",
                    "win.isolate-selected", "Selected alone");
    add_rail_button(self, gtk_button_new(), "color-select-symbolic",
                    "win.recolour-selected", "Recolour selected");
    add_rail_button(self, gtk_button_new(), "changes-prevent-symbolic",
                    "win.lock-selected", "Lock selected");
    gtk_box_append(GTK_BOX(self->rail),
                   gtk_separator_new(GTK_ORIENTATION_HORIZONTAL));
    add_rail_button(self, gtk_button_new(), "zoom-fit-best-symbolic",
                    "win.zoom-fit", "Show all");
    add_rail_button(self, gtk_button_new(), "cx-layout-symbolic",
                    "win.next-layout", "Next layout");
}

/* --- hints and mode */

static void
set_mode_class(GtkWidget *widget, CxuiTool tool)
{
    gtk_widget_remove_css_class(widget, "merge");
    gtk_widget_remove_css_class(widget, "split");
    if (tool == CXUI_TOOL_MERGE)
        gtk_widget_add_css_class(widget, "merge");
    if (tool == CXUI_TOOL_SPLIT)
        gtk_widget_add_css_class(widget, "split");
}

static void
update_ask_bar(CxuiWindow *self, CxuiTool tool)
{
    g_autofree char *grown = cxui_window_dup_grow_question(self);
    bool ready = grown != NULL
                     ? cxui_grower_is_ready(cxui_session_grower(self->session))
                     : cxui_hand_is_ready(self->hand);
    g_autofree char *question =
        grown != NULL ? g_strdup(grown) : cxui_hand_dup_question(self->hand);

    gtk_widget_set_visible(self->ask_bar, question != NULL);
    if (question == NULL)
        return;
    gtk_label_set_markup(GTK_LABEL(self->ask_label), question);
    set_mode_class(self->ask_bar, grown != NULL ? CXUI_TOOL_POINTER : tool);
    gtk_button_set_label(GTK_BUTTON(self->ask_commit),
                         grown != NULL ? cxui_window_grow_commit_label(self)
                         : tool == CXUI_TOOL_MERGE ? "Merge"
                                                   : "Cut");
    gtk_widget_set_visible(self->ask_commit, ready);
    gtk_button_set_label(GTK_BUTTON(self->ask_leave),
                         cxui_window_grow_leave_label(self));
}

void
cxui_window_update_mode(CxuiWindow *self)
{
    CxuiTool tool = cxui_selection_tool(cxui_session_selection(self->session));
    unsigned mode = tool == CXUI_TOOL_MERGE   ? CXUI_HINT_MERGE
                    : tool == CXUI_TOOL_SPLIT ? CXUI_HINT_SPLIT
                                              : CXUI_HINT_POINTER;

    if (cxui_hand_is_ready(self->hand) ||
        cxui_grower_is_ready(cxui_session_grower(self->session)))
        mode |= CXUI_HINT_READY;
    if (self->mode != MODE_PROOFREAD)
        mode = self->mode == MODE_RETINA ? CXUI_HINT_RETINA : CXUI_HINT_MODELS;
    g_autofree char *hint = cxui_bindings_dup_hint(mode);
    gtk_label_set_text(GTK_LABEL(self->hint_label), hint);
    gtk_widget_set_visible(self->mode_label, tool != CXUI_TOOL_POINTER &&
                                                 self->mode == MODE_PROOFREAD);
    gtk_label_set_text(GTK_LABEL(self->mode_label),
                       tool == CXUI_TOOL_MERGE ? "Merge" : "Split");
    set_mode_class(self->mode_label, tool);
    update_ask_bar(self, tool);
    cxui_window_update_actions(self);
}

static void
add_ask_bar(CxuiWindow *self)
{
    self->ask_bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    gtk_widget_add_css_class(self->ask_bar, "ask-bar");
    gtk_widget_set_halign(self->ask_bar, GTK_ALIGN_CENTER);
    gtk_widget_set_valign(self->ask_bar, GTK_ALIGN_END);
    gtk_widget_set_visible(self->ask_bar, FALSE);
    self->ask_label = gtk_label_new(NULL);
    gtk_label_set_wrap(GTK_LABEL(self->ask_label), TRUE);
    gtk_widget_add_css_class(self->ask_label, "numeric");
    self->ask_commit = gtk_button_new_with_label("Merge");
    self->ask_leave = gtk_button_new_with_label("Leave");
    gtk_widget_add_css_class(self->ask_commit, "suggested-action");
    gtk_actionable_set_action_name(GTK_ACTIONABLE(self->ask_commit),
                                   "win.commit");
    gtk_widget_set_focus_on_click(self->ask_commit, FALSE);
    gtk_actionable_set_action_name(GTK_ACTIONABLE(self->ask_leave),
                                   "win.cancel");
    gtk_widget_set_focus_on_click(self->ask_leave, FALSE);
    gtk_box_append(GTK_BOX(self->ask_bar), self->ask_label);
    gtk_box_append(GTK_BOX(self->ask_bar), self->ask_commit);
    gtk_box_append(GTK_BOX(self->ask_bar), self->ask_leave);
    gtk_overlay_add_overlay(GTK_OVERLAY(self->pane_overlay), self->ask_bar);
}

/* --- position */

static void
show_position(CxuiWindow *self)
{
    CxuiViewState *view = cxui_session_view(self->session);
    g_autofree char *text = cxui_format_voxel(cxui_view_state_voxel(view));

    gtk_menu_button_set_label(GTK_MENU_BUTTON(self->position_button), text);
}

void
cxui_window_show_pointer(CxuiWindow *self, bool inside, CxVoxel at,
                         CxId segment)
{
    self->is_pointed = inside;
    self->pointed = at;
    if (!inside) {
        show_position(self);
        gtk_label_set_text(GTK_LABEL(self->hover_label), "");
        return;
    }
    g_autofree char *text = cxui_format_voxel(at);
    g_autofree char *id = segment != 0 ? cxui_format_id(segment) : NULL;
    g_autofree char *hover =
        id != NULL ? g_strdup_printf("id %s", id) : g_strdup("");
    gtk_menu_button_set_label(GTK_MENU_BUTTON(self->position_button), text);
    gtk_label_set_text(GTK_LABEL(self->hover_label), hover);
}

static void
on_view_changed(CxuiViewState *view, guint flags, CxuiWindow *self)
{
    if (flags & (CXUI_VIEW_POSITION | CXUI_VIEW_SPACE))
        show_position(self);
}

static void
on_go_to(GtkEntry *entry, CxuiWindow *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    const char *text = gtk_editable_get_text(GTK_EDITABLE(entry));
    CxVoxel voxel = {0, 0, 0};
    CxId id = 0;
    CxSegment segment;

    gtk_widget_remove_css_class(GTK_WIDGET(entry), "error");
    switch (cxui_parse_place(text, &voxel, &id)) {
    case CXUI_PLACE_VOXEL:
        cxui_window_go_to(self, voxel);
        gtk_popover_popdown(GTK_POPOVER(self->go_to_popover));
        return;
    case CXUI_PLACE_ID:
        if (!cxui_segment_model_lookup(model, id, &segment))
            break;
        cxui_selection_select(cxui_session_selection(self->session), id);
        cxui_window_go_to(self, segment.inside);
        gtk_popover_popdown(GTK_POPOVER(self->go_to_popover));
        return;
    case CXUI_PLACE_NONE:
        break;
    }
    gtk_widget_add_css_class(GTK_WIDGET(entry), "error");
}

/* After the popover has placed its own focus. */
static gboolean
select_position(GtkWidget *entry, GdkFrameClock *clock, gpointer data)
{
    gtk_widget_grab_focus(entry);
    gtk_editable_select_region(GTK_EDITABLE(entry), 0, -1);
    return G_SOURCE_REMOVE;
}

static void
on_go_to_shown(GtkPopover *popover, CxuiWindow *self)
{
    CxVoxel at = cxui_view_state_voxel(cxui_session_view(self->session));
    g_autofree char *text = g_strdup_printf(
        "%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT, at.x,
        at.y, at.z);

    gtk_widget_remove_css_class(self->go_to_entry, "error");
    gtk_editable_set_text(GTK_EDITABLE(self->go_to_entry), text);
    gtk_widget_add_tick_callback(self->go_to_entry, select_position, NULL,
                                 NULL);
}

static void
add_go_to(CxuiWindow *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    GtkWidget *label = gtk_label_new("Position x, y, z or a segment's id");
    GtkWidget *popover = gtk_popover_new();

    self->go_to_entry = gtk_entry_new();
    gtk_editable_set_width_chars(GTK_EDITABLE(self->go_to_entry), 24);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->go_to_entry),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Go to", -1);
    g_signal_connect(self->go_to_entry, "activate", G_CALLBACK(on_go_to), self);
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), self->go_to_entry);
    gtk_popover_set_child(GTK_POPOVER(popover), box);
    gtk_widget_set_halign(popover, GTK_ALIGN_END);
    g_signal_connect(popover, "map", G_CALLBACK(on_go_to_shown), self);
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->position_button),
                                popover);
    self->go_to_popover = popover;
}

/* --- news */

static void
on_toast(CxuiSession *session, const char *sentence, guint n_undo,
         CxuiWindow *self)
{
    AdwToast *toast = adw_toast_new("");
    g_autofree char *escaped = g_markup_escape_text(sentence, -1);

    adw_toast_set_title(toast, escaped);
    if (n_undo > 0) {
        adw_toast_set_button_label(toast, "Undo");
        adw_toast_set_action_name(toast, "win.undo-n");
        adw_toast_set_action_target(toast, "u", n_undo);
    }
    adw_toast_overlay_add_toast(ADW_TOAST_OVERLAY(self->toasts), toast);
}

static void
on_failed(CxuiSession *session, const char *sentence, const char *details,
          CxuiWindow *self)
{
    cxui_error_bar_show(CXUI_ERROR_BAR(self->error_bar), sentence, details);
}

/* --- the model in the Segment menu */

static void
show_model(CxuiWindow *self)
{
    const CxuiModelInfo *info =
        cxui_segmenter_info(cxui_session_segmenter(self->session));
    g_autofree char *label =
        g_strdup_printf("_Model: %s…", info != NULL ? info->title : "none");

    g_menu_remove_all(self->model_section);
    g_menu_append(self->model_section, label, "win.choose-model");
    g_menu_append(self->model_section, "_Live Prediction",
                  "win.live-prediction");
}

static void
set_tooltip(GtkWidget *widget, const char *action)
{
    g_autofree char *text = cxui_bindings_dup_tooltip(action);

    gtk_widget_set_tooltip_text(widget, text);
}

void
cxui_window_add_status(CxuiWindow *self)
{
    CxuiSession *session = self->session;

    add_rail(self);
    add_ask_bar(self);
    add_go_to(self);
    show_model(self);
    set_tooltip(self->undo_button, "win.undo");
    set_tooltip(self->redo_button, "win.redo");
    set_tooltip(self->open_button, "win.open");
    set_tooltip(self->sidebar_button, "win.show-sidebar");
    set_tooltip(self->position_button, "win.go-to");
    g_signal_connect_object(session, "toast", G_CALLBACK(on_toast), self, 0);
    g_signal_connect_object(session, "failed", G_CALLBACK(on_failed), self, 0);
    g_signal_connect_object(session, "volumes-changed", G_CALLBACK(show_model),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_segmenter(session), "notify::model",
                            G_CALLBACK(show_model), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_view(session), "changed",
                            G_CALLBACK(on_view_changed), self, 0);
    g_signal_connect_object(self->hand, "changed",
                            G_CALLBACK(cxui_window_update_mode), self,
                            G_CONNECT_SWAPPED);
}
