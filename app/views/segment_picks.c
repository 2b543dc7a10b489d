/* The segment model as a GtkSelectionModel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/segment_picks.h"

struct _CxuiSegmentPicks {
    GObject parent;
    CxuiSegmentModel *model; /* owned references */
    CxuiSelection *selection;
};

static GType
get_item_type(GListModel *list)
{
    return CXUI_TYPE_SEGMENT_ITEM;
}

static guint
get_n_items(GListModel *list)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(list);

    return g_list_model_get_n_items(G_LIST_MODEL(self->model));
}

static gpointer
get_item(GListModel *list, guint position)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(list);

    return g_list_model_get_item(G_LIST_MODEL(self->model), position);
}

static CxId
id_of_row(CxuiSegmentPicks *self, guint position)
{
    g_autoptr(CxuiSegmentItem) item =
        g_list_model_get_item(G_LIST_MODEL(self->model), position);

    return item != NULL ? cxui_segment_item_id(item) : 0;
}

static gboolean
is_selected(GtkSelectionModel *model, guint position)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(model);

    return cxui_selection_contains(self->selection, id_of_row(self, position));
}

static GtkBitset *
get_selection_in_range(GtkSelectionModel *model, guint position, guint n_items)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(model);
    GtkBitset *rows = gtk_bitset_new_empty();
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(self->selection, &n);

    for (size_t i = 0; i < n; i++) {
        unsigned row = 0;
        if (cxui_segment_model_find(self->model, ids[i], &row) &&
            row >= position && row - position < n_items)
            gtk_bitset_add(rows, row);
    }
    return rows;
}

static gboolean
select_item(GtkSelectionModel *model, guint position, gboolean unselect_rest)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(model);
    CxId id = id_of_row(self, position);

    if (unselect_rest)
        cxui_selection_select(self->selection, id);
    else
        cxui_selection_add(self->selection, id);
    return TRUE;
}

static gboolean
unselect_item(GtkSelectionModel *model, guint position)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(model);

    cxui_selection_remove(self->selection, id_of_row(self, position));
    return TRUE;
}

/* A range of many thousand rows is not something to draw; it is refused. */
#define MAX_RANGE 1000

static gboolean
select_range(GtkSelectionModel *model, guint position, guint n_items,
             gboolean unselect_rest)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(model);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    size_t n = 0;
    const CxId *old = cxui_selection_ids(self->selection, &n);

    if (n_items > MAX_RANGE)
        return FALSE;
    if (!unselect_rest && n > 0)
        g_array_append_vals(ids, old, (guint)n);
    for (guint i = 0; i < n_items; i++) {
        CxId id = id_of_row(self, position + i);
        if (id != 0 &&
            (unselect_rest || !cxui_selection_contains(self->selection, id)))
            g_array_append_val(ids, id);
    }
    cxui_selection_set(self->selection, (const CxId *)(void *)ids->data,
                       ids->len);
    return TRUE;
}

static gboolean
unselect_all(GtkSelectionModel *model)
{
    cxui_selection_clear(CXUI_SEGMENT_PICKS(model)->selection);
    return TRUE;
}

static void
init_list(GListModelInterface *iface)
{
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

static void
init_selection(GtkSelectionModelInterface *iface)
{
    iface->is_selected = is_selected;
    iface->get_selection_in_range = get_selection_in_range;
    iface->select_item = select_item;
    iface->unselect_item = unselect_item;
    iface->select_range = select_range;
    iface->unselect_all = unselect_all;
}

/* clang-format off: the formatter does not know the macro takes code */
G_DEFINE_FINAL_TYPE_WITH_CODE(
    CxuiSegmentPicks, cxui_segment_picks, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, init_list)
        G_IMPLEMENT_INTERFACE(GTK_TYPE_SELECTION_MODEL, init_selection))
/* clang-format on */

static void
on_items_changed(GListModel *model, guint position, guint removed, guint added,
                 CxuiSegmentPicks *self)
{
    g_list_model_items_changed(G_LIST_MODEL(self), position, removed, added);
}

static void
on_selection_changed(CxuiSelection *selection, guint flags,
                     CxuiSegmentPicks *self)
{
    guint n = get_n_items(G_LIST_MODEL(self));

    if ((flags & CXUI_SELECTION_IDS) && n > 0)
        gtk_selection_model_selection_changed(GTK_SELECTION_MODEL(self), 0, n);
}

CxuiSegmentPicks *
cxui_segment_picks_new(CxuiSession *session)
{
    CxuiSegmentPicks *self = g_object_new(CXUI_TYPE_SEGMENT_PICKS, NULL);

    self->model = g_object_ref(cxui_session_segment_model(session));
    self->selection = g_object_ref(cxui_session_selection(session));
    g_signal_connect_object(self->model, "items-changed",
                            G_CALLBACK(on_items_changed), self, 0);
    g_signal_connect_object(self->selection, "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    return self;
}

static void
cxui_segment_picks_dispose(GObject *object)
{
    CxuiSegmentPicks *self = CXUI_SEGMENT_PICKS(object);

    g_clear_object(&self->model);
    g_clear_object(&self->selection);
    G_OBJECT_CLASS(cxui_segment_picks_parent_class)->dispose(object);
}

static void
cxui_segment_picks_init(CxuiSegmentPicks *self)
{
}

static void
cxui_segment_picks_class_init(CxuiSegmentPicksClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = cxui_segment_picks_dispose;
}
