/* The edits, newest on top.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/history_panel.h"

#include "app/views/format.h"

struct _CxuiHistoryPanel {
    GtkWidget parent;

    /* template */
    GtkWidget *box;
    GtkWidget *only_selected;
    GtkWidget *stack;
    GtkWidget *list;
    GtkWidget *start;

    CxuiSession *session; /* owned reference */
};

G_DEFINE_FINAL_TYPE(CxuiHistoryPanel, cxui_history_panel, GTK_TYPE_WIDGET)

static const char *
icon_of(CxEditKind kind)
{
    switch (kind) {
    case CX_EDIT_MERGE:
        return "cx-merge-symbolic";
    case CX_EDIT_SPLIT:
        return "cx-split-symbolic";
    case CX_EDIT_NOTE:
        return "text-editor-symbolic";
    case CX_EDIT_LOCK:
        return "changes-prevent-symbolic";
    case CX_EDIT_PAINT:
        return "document-edit-symbolic";
    case CX_EDIT_REVERT:
        return "document-revert-symbolic";
    case CX_EDIT_ANNOTATE:
        return "mark-location-symbolic";
    default:
        return "text-editor-symbolic";
    }
}

/* Widgets of a row hang on its box by these names. */
#define KEY_ICON "cx-icon"
#define KEY_SENTENCE "cx-sentence"
#define KEY_WHEN "cx-when"
#define KEY_JUMP "cx-jump"

static GtkWidget *
part(GtkWidget *row, const char *key)
{
    return g_object_get_data(G_OBJECT(row), key);
}

static void
on_jump(GtkButton *button, CxuiHistoryPanel *self)
{
    CxuiHistoryItem *item = g_object_get_data(G_OBJECT(button), "cx-item");

    if (item != NULL)
        cxui_edit_controller_go_to(cxui_session_edits(self->session),
                                   cxui_history_item_sequence(item));
}

static GtkWidget *
new_label(const char *css_class)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_widget_add_css_class(label, "numeric");
    if (css_class != NULL)
        gtk_widget_add_css_class(label, css_class);
    return label;
}

static void
setup_row(GtkSignalListItemFactory *factory, GtkListItem *item,
          CxuiHistoryPanel *self)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *icon = gtk_image_new();
    GtkWidget *text = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *sentence = new_label(NULL);
    GtkWidget *when = new_label("caption-dim");
    GtkWidget *jump = gtk_button_new_from_icon_name("edit-undo-symbolic");

    gtk_widget_add_css_class(row, "history-row");
    gtk_label_set_wrap(GTK_LABEL(sentence), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(sentence), PANGO_WRAP_WORD_CHAR);
    gtk_widget_set_hexpand(text, TRUE);
    gtk_box_append(GTK_BOX(text), sentence);
    gtk_box_append(GTK_BOX(text), when);
    gtk_widget_add_css_class(jump, "flat");
    gtk_widget_set_valign(jump, GTK_ALIGN_CENTER);
    g_signal_connect(jump, "clicked", G_CALLBACK(on_jump), self);
    gtk_box_append(GTK_BOX(row), icon);
    gtk_box_append(GTK_BOX(row), text);
    gtk_box_append(GTK_BOX(row), jump);
    g_object_set_data(G_OBJECT(row), KEY_ICON, icon);
    g_object_set_data(G_OBJECT(row), KEY_SENTENCE, sentence);
    g_object_set_data(G_OBJECT(row), KEY_WHEN, when);
    g_object_set_data(G_OBJECT(row), KEY_JUMP, jump);
    gtk_list_item_set_child(item, row);
}

static void
set_class(GtkWidget *widget, const char *css_class, bool on)
{
    if (on)
        gtk_widget_add_css_class(widget, css_class);
    else
        gtk_widget_remove_css_class(widget, css_class);
}

static void
show_state(CxuiHistoryItem *entry, GParamSpec *spec, GtkWidget *row)
{
    GtkWidget *jump = part(row, KEY_JUMP);
    bool undone = cxui_history_item_is_undone(entry);
    bool head = cxui_history_item_is_head(entry);
    const char *tip = undone ? "Redo up to here" : "Undo back to here";

    set_class(row, "undone", undone);
    set_class(row, "head", head);
    gtk_widget_set_opacity(jump, head ? 0 : 1);
    gtk_widget_set_sensitive(jump, !head);
    gtk_button_set_icon_name(GTK_BUTTON(jump), undone ? "edit-redo-symbolic"
                                                      : "edit-undo-symbolic");
    gtk_widget_set_tooltip_text(jump, tip);
    gtk_accessible_update_property(GTK_ACCESSIBLE(jump),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, tip, -1);
}

static void
bind_row(GtkSignalListItemFactory *factory, GtkListItem *item,
         CxuiHistoryPanel *self)
{
    GtkWidget *row = gtk_list_item_get_child(item);
    CxuiHistoryItem *entry = gtk_list_item_get_item(item);
    g_autofree char *time =
        cxui_format_time(cxui_history_item_time_us(entry), g_get_real_time());
    g_autofree char *when =
        g_strdup_printf("%s · %s", time, cxui_history_item_author(entry));

    gtk_image_set_from_icon_name(GTK_IMAGE(part(row, KEY_ICON)),
                                 icon_of(cxui_history_item_kind(entry)));
    gtk_label_set_text(GTK_LABEL(part(row, KEY_SENTENCE)),
                       cxui_history_item_sentence(entry));
    gtk_label_set_text(GTK_LABEL(part(row, KEY_WHEN)), when);
    g_object_set_data(G_OBJECT(part(row, KEY_JUMP)), "cx-item", entry);
    g_signal_connect(entry, "notify", G_CALLBACK(show_state), row);
    show_state(entry, NULL, row);
}

static void
unbind_row(GtkSignalListItemFactory *factory, GtkListItem *item,
           CxuiHistoryPanel *self)
{
    GtkWidget *row = gtk_list_item_get_child(item);

    g_signal_handlers_disconnect_by_func(gtk_list_item_get_item(item),
                                         G_CALLBACK(show_state), row);
    g_object_set_data(G_OBJECT(part(row, KEY_JUMP)), "cx-item", NULL);
}

static void
on_activate(GtkListView *list, guint position, CxuiHistoryPanel *self)
{
    GListModel *model = G_LIST_MODEL(cxui_session_history(self->session));
    g_autoptr(CxuiHistoryItem) item = g_list_model_get_item(model, position);

    if (item != NULL)
        cxui_view_state_set_voxel(cxui_session_view(self->session),
                                  cxui_history_item_at(item));
}

static void
show_length(CxuiHistoryPanel *self)
{
    CxuiHistoryModel *model = cxui_session_history(self->session);
    guint n = g_list_model_get_n_items(G_LIST_MODEL(model));

    gtk_stack_set_visible_child_name(GTK_STACK(self->stack),
                                     n > 0 ? "list" : "none");
    gtk_widget_set_sensitive(self->start, cxui_history_model_head(model) > 0);
}

static void
on_start(GtkButton *button, CxuiHistoryPanel *self)
{
    cxui_edit_controller_go_to(cxui_session_edits(self->session), 0);
}

static void
follow_filter(CxuiHistoryPanel *self)
{
    bool only =
        gtk_check_button_get_active(GTK_CHECK_BUTTON(self->only_selected));
    CxId id = cxui_selection_current(cxui_session_selection(self->session));

    cxui_history_model_set_segment(cxui_session_history(self->session),
                                   only ? id : 0);
}

static void
on_selection_changed(CxuiSelection *selection, guint flags,
                     CxuiHistoryPanel *self)
{
    if (flags & CXUI_SELECTION_IDS)
        follow_filter(self);
}

GtkWidget *
cxui_history_panel_new(CxuiSession *session)
{
    CxuiHistoryPanel *self = g_object_new(CXUI_TYPE_HISTORY_PANEL, NULL);
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    CxuiHistoryModel *model = cxui_session_history(session);

    self->session = g_object_ref(session);
    g_signal_connect(factory, "setup", G_CALLBACK(setup_row), self);
    g_signal_connect(factory, "bind", G_CALLBACK(bind_row), self);
    g_signal_connect(factory, "unbind", G_CALLBACK(unbind_row), self);
    gtk_list_view_set_factory(GTK_LIST_VIEW(self->list), factory);
    g_object_unref(factory);
    g_autoptr(GtkNoSelection) rows =
        gtk_no_selection_new(G_LIST_MODEL(g_object_ref(model)));
    gtk_list_view_set_model(GTK_LIST_VIEW(self->list),
                            GTK_SELECTION_MODEL(rows));

    g_signal_connect_object(model, "items-changed", G_CALLBACK(show_length),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(model, "notify::head", G_CALLBACK(show_length),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    show_length(self);
    return GTK_WIDGET(self);
}

static void
cxui_history_panel_dispose(GObject *object)
{
    CxuiHistoryPanel *self = CXUI_HISTORY_PANEL(object);

    if (self->list != NULL)
        gtk_list_view_set_model(GTK_LIST_VIEW(self->list), NULL);
    self->list = NULL;
    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_history_panel_parent_class)->dispose(object);
}

static void
cxui_history_panel_init(CxuiHistoryPanel *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->list, "activate", G_CALLBACK(on_activate), self);
    g_signal_connect(self->start, "clicked", G_CALLBACK(on_start), self);
    g_signal_connect_swapped(self->only_selected, "toggled",
                             G_CALLBACK(follow_filter), self);
}

static void
cxui_history_panel_class_init(CxuiHistoryPanelClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_history_panel_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/history_panel.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiHistoryPanel, name)
    BIND(box);
    BIND(only_selected);
    BIND(stack);
    BIND(list);
    BIND(start);
#undef BIND
}
