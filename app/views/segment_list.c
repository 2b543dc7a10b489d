/* The searchable list of segments and the facts about the selected one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/segment_list.h"

#include "app/views/format.h"
#include "app/views/segment_cell.h"
#include "app/views/segment_picks.h"

struct _CxuiSegmentList {
    GtkWidget parent;

    /* template */
    GtkWidget *box;
    GtkWidget *search;
    GtkWidget *order;
    GtkWidget *stack;
    GtkWidget *list;
    GtkWidget *none_page;
    GtkWidget *count;
    GtkWidget *details;
    GtkWidget *selected_title;
    GtkWidget *facts;
    GtkWidget *note_row;
    GtkWidget *note;
    GtkWidget *lock;

    CxuiSession *session; /* owned references */
    CxuiSegmentLook *look;
    CxId shown;   /* segment whose note is in the entry */
    bool showing; /* the program, not the user, moves the widgets */
};

G_DEFINE_FINAL_TYPE(CxuiSegmentList, cxui_segment_list, GTK_TYPE_WIDGET)

static void
setup_row(GtkSignalListItemFactory *factory, GtkListItem *item,
          CxuiSegmentList *self)
{
    gtk_list_item_set_child(item,
                            cxui_segment_cell_new(self->session, self->look));
}

static void
bind_row(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    cxui_segment_cell_set_item(CXUI_SEGMENT_CELL(gtk_list_item_get_child(item)),
                               gtk_list_item_get_item(item));
}

static void
unbind_row(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer data)
{
    cxui_segment_cell_set_item(CXUI_SEGMENT_CELL(gtk_list_item_get_child(item)),
                               NULL);
}

static void
show_count(CxuiSegmentList *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    guint n = g_list_model_get_n_items(G_LIST_MODEL(model));
    guint64 n_all = 0;
    g_object_get(model, "n-all", &n_all, NULL);

    g_autofree char *all = cxui_format_count(n_all, "segment", "segments");
    g_autofree char *found = cxui_format_id(n);
    g_autofree char *text =
        cxui_segment_model_is_loading(model) ? g_strdup("Reading the segments…")
        : n < n_all ? g_strdup_printf("%s of %s", found, all)
                    : g_steal_pointer(&all);
    gtk_label_set_text(GTK_LABEL(self->count), text);
    gtk_stack_set_visible_child_name(GTK_STACK(self->stack),
                                     n_all > 0 ? "list" : "none");
    gtk_widget_set_visible(self->count, n_all > 0);
}

static double
volume_um3(CxuiSegmentList *self, uint64_t n_voxels)
{
    CxNm nm = cxui_view_state_voxel_nm(cxui_session_view(self->session));

    return (double)n_voxels * nm.x * nm.y * nm.z * 1e-9;
}

static void
show_one(CxuiSegmentList *self, CxId id)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    CxNm nm = cxui_view_state_voxel_nm(cxui_session_view(self->session));
    g_autofree char *title = cxui_format_id(id);
    CxSegment segment;

    gtk_label_set_text(GTK_LABEL(self->selected_title), title);
    if (!cxui_segment_model_lookup(model, id, &segment)) {
        gtk_label_set_text(GTK_LABEL(self->facts), "");
        return;
    }
    CxVoxel size = cx_box_size(segment.box);
    g_autofree char *volume =
        cxui_format_volume(volume_um3(self, segment.n_voxels));
    g_autofree char *voxels =
        cxui_format_count(segment.n_voxels, "voxel", "voxels");
    g_autofree char *pieces =
        cxui_format_count(segment.n_supervoxels, "piece", "pieces");
    g_autofree char *x = cxui_format_length_nm((double)size.x * nm.x);
    g_autofree char *y = cxui_format_length_nm((double)size.y * nm.y);
    g_autofree char *z = cxui_format_length_nm((double)size.z * nm.z);
    g_autofree char *facts = g_strdup_printf("%s · %s · %s\n%s × %s × %s",
                                             volume, voxels, pieces, x, y, z);
    gtk_label_set_text(GTK_LABEL(self->facts), facts);
}

static void
show_many(CxuiSegmentList *self, const CxId *ids, size_t n)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    uint64_t n_voxels = 0;
    uint64_t n_pieces = 0;

    for (size_t i = 0; i < n; i++) {
        CxSegment segment;
        if (!cxui_segment_model_lookup(model, ids[i], &segment))
            continue;
        n_voxels += segment.n_voxels;
        n_pieces += segment.n_supervoxels;
    }
    g_autofree char *title = cxui_format_count(n, "segment", "segments");
    g_autofree char *volume = cxui_format_volume(volume_um3(self, n_voxels));
    g_autofree char *pieces = cxui_format_count(n_pieces, "piece", "pieces");
    g_autofree char *facts = g_strdup_printf("%s in all · %s", volume, pieces);
    gtk_label_set_text(GTK_LABEL(self->selected_title), title);
    gtk_label_set_text(GTK_LABEL(self->facts), facts);
}

static void
show_note_and_lock(CxuiSegmentList *self, CxId id)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    const char *note = cxui_segment_model_note(model, id);
    bool locked = cxui_segment_model_is_locked(model, id);
    bool typing =
        gtk_widget_get_focus_child(self->note) != NULL && self->shown == id;

    self->showing = true;
    if (!typing)
        gtk_editable_set_text(GTK_EDITABLE(self->note), note);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(self->lock), locked);
    gtk_button_set_icon_name(GTK_BUTTON(self->lock),
                             locked ? "changes-prevent-symbolic"
                                    : "changes-allow-symbolic");
    self->shown = id;
    self->showing = false;
}

static void
show_details(CxuiSegmentList *self)
{
    CxuiSelection *selection = cxui_session_selection(self->session);
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);

    gtk_widget_set_visible(self->details, n > 0);
    gtk_widget_set_visible(self->note_row, n == 1);
    if (n == 1) {
        show_one(self, ids[0]);
        show_note_and_lock(self, ids[0]);
    } else if (n > 1) {
        show_many(self, ids, n);
    }
}

/* The row of what was picked in a pane comes into sight. */
static void
scroll_to_current(CxuiSegmentList *self)
{
    CxId id = cxui_selection_current(cxui_session_selection(self->session));
    unsigned row = 0;

    if (id == 0 || gtk_widget_get_focus_child(self->list) != NULL ||
        !cxui_segment_model_find(cxui_session_segment_model(self->session), id,
                                 &row))
        return;
    gtk_widget_activate_action(self->list, "list.scroll-to-item", "u", row);
}

static gboolean
scroll_later(GtkWidget *widget, GdkFrameClock *clock, gpointer data)
{
    scroll_to_current(CXUI_SEGMENT_LIST(widget));
    return G_SOURCE_REMOVE;
}

/* The rows have moved: an edit changes sizes. */
static void
on_committed(CxuiSegmentList *self)
{
    show_details(self);
    gtk_widget_add_tick_callback(GTK_WIDGET(self), scroll_later, NULL, NULL);
}

static void
on_selection_changed(CxuiSelection *selection, guint flags,
                     CxuiSegmentList *self)
{
    if ((flags & CXUI_SELECTION_IDS) == 0)
        return;
    show_details(self);
    scroll_to_current(self);
}

static void
on_rows_changed(CxuiSegmentList *self)
{
    show_count(self);
    show_details(self);
}

static void
on_search(GtkSearchEntry *entry, CxuiSegmentList *self)
{
    cxui_segment_model_set_filter(cxui_session_segment_model(self->session),
                                  gtk_editable_get_text(GTK_EDITABLE(entry)));
    show_count(self);
}

/* Enter in the search entry takes the first row. */
static void
on_search_activate(GtkSearchEntry *entry, CxuiSegmentList *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    g_autoptr(CxuiSegmentItem) item =
        g_list_model_get_item(G_LIST_MODEL(model), 0);

    if (item == NULL)
        return;
    cxui_selection_select(cxui_session_selection(self->session),
                          cxui_segment_item_id(item));
    gtk_widget_activate_action(GTK_WIDGET(self), "win.go-to-selected", NULL);
}

static void
on_order(GtkDropDown *order, GParamSpec *spec, CxuiSegmentList *self)
{
    cxui_segment_model_set_order(
        cxui_session_segment_model(self->session),
        (CxuiSegmentOrder)gtk_drop_down_get_selected(order));
}

/* A double-click or Enter on a row goes there. */
static void
on_row_activate(GtkListView *list, guint position, CxuiSegmentList *self)
{
    gtk_widget_activate_action(GTK_WIDGET(self), "win.go-to-selected", NULL);
}

static void
store_note(CxuiSegmentList *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    const char *text = gtk_editable_get_text(GTK_EDITABLE(self->note));

    if (self->shown == 0 ||
        g_str_equal(text, cxui_segment_model_note(model, self->shown)))
        return;
    cxui_edit_controller_set_note(cxui_session_edits(self->session),
                                  self->shown, text);
}

static void
on_lock(GtkToggleButton *lock, CxuiSegmentList *self)
{
    if (self->showing || self->shown == 0)
        return;
    cxui_edit_controller_set_locked(cxui_session_edits(self->session),
                                    self->shown,
                                    gtk_toggle_button_get_active(lock));
}

void
cxui_segment_list_find(CxuiSegmentList *self)
{
    gtk_widget_grab_focus(self->search);
}

static void
add_rows(CxuiSegmentList *self)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    g_signal_connect(factory, "setup", G_CALLBACK(setup_row), self);
    g_signal_connect(factory, "bind", G_CALLBACK(bind_row), self);
    g_signal_connect(factory, "unbind", G_CALLBACK(unbind_row), self);
    gtk_list_view_set_factory(GTK_LIST_VIEW(self->list), factory);
    g_object_unref(factory);

    g_autoptr(CxuiSegmentPicks) rows = cxui_segment_picks_new(self->session);
    gtk_list_view_set_model(GTK_LIST_VIEW(self->list),
                            GTK_SELECTION_MODEL(rows));
}

static void
follow_session(CxuiSegmentList *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);

    g_signal_connect_object(model, "items-changed", G_CALLBACK(on_rows_changed),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(model, "notify", G_CALLBACK(show_count), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(self->session, "segments-changed",
                            G_CALLBACK(show_details), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(cxui_session_edits(self->session), "committed",
                            G_CALLBACK(on_committed), self,
                            G_CONNECT_SWAPPED | G_CONNECT_AFTER);
    g_signal_connect_object(cxui_session_selection(self->session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
}

GtkWidget *
cxui_segment_list_new(CxuiSession *session, CxuiSegmentLook *look)
{
    CxuiSegmentList *self = g_object_new(CXUI_TYPE_SEGMENT_LIST, NULL);

    self->session = g_object_ref(session);
    self->look = g_object_ref(look);
    add_rows(self);
    follow_session(self);
    show_count(self);
    show_details(self);
    return GTK_WIDGET(self);
}

static void
cxui_segment_list_dispose(GObject *object)
{
    CxuiSegmentList *self = CXUI_SEGMENT_LIST(object);

    if (self->list != NULL)
        gtk_list_view_set_model(GTK_LIST_VIEW(self->list), NULL);
    self->list = NULL;
    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->session);
    g_clear_object(&self->look);
    G_OBJECT_CLASS(cxui_segment_list_parent_class)->dispose(object);
}

static void
cxui_segment_list_init(CxuiSegmentList *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->search, "search-changed", G_CALLBACK(on_search),
                     self);
    g_signal_connect(self->search, "activate", G_CALLBACK(on_search_activate),
                     self);
    g_signal_connect(self->order, "notify::selected", G_CALLBACK(on_order),
                     self);
    g_signal_connect(self->list, "activate", G_CALLBACK(on_row_activate), self);
    g_signal_connect_swapped(self->note, "activate", G_CALLBACK(store_note),
                             self);
    GtkEventController *focus = gtk_event_controller_focus_new();
    g_signal_connect_swapped(focus, "leave", G_CALLBACK(store_note), self);
    gtk_widget_add_controller(self->note, focus);
    g_signal_connect(self->lock, "toggled", G_CALLBACK(on_lock), self);
}

static void
cxui_segment_list_class_init(CxuiSegmentListClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_segment_list_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/segment_list.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiSegmentList, name)
    BIND(box);
    BIND(search);
    BIND(order);
    BIND(stack);
    BIND(list);
    BIND(none_page);
    BIND(count);
    BIND(details);
    BIND(selected_title);
    BIND(facts);
    BIND(note_row);
    BIND(note);
    BIND(lock);
#undef BIND
}
