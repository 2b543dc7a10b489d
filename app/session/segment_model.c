/* The segments as a list model.
 *
 * At most one reload runs; a wish for another one meanwhile is remembered and
 * starts when it is home.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segment_model.h"

#include "app/session/session_private.h"

struct _CxuiSegmentModel {
    GObject parent;
    CxuiSession *session; /* owns us */
    CxuiSegmentQuery query;
    GHashTable *locked; /* set of CxId */
    CxuiSegmentRows *rows;
    GHashTable *live; /* CxId → CxuiSegmentItem, not owned */
    uint64_t n_all;
    CxJob *job; /* the reload that runs */
    bool again;
    uint64_t generation; /* of the data the rows belong to */
};

enum {
    PROPERTY_FILTER = 1,
    PROPERTY_ORDER,
    PROPERTY_N_ALL,
    PROPERTY_LOADING,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];

static void list_model_init(GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(CxuiSegmentModel, cxui_segment_model,
                              G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL,
                                                    list_model_init))

static GHashTable *
notes_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

static GHashTable *
ids_new(void)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

static void *
key_of(CxId id)
{
    return g_memdup2(&id, sizeof id);
}

static double
voxel_um3(CxuiSegmentModel *self)
{
    CxNm size = cxui_view_state_voxel_nm(cxui_session_view(self->session));

    return size.x * size.y * size.z * 1e-9;
}

static GType
get_item_type(GListModel *model)
{
    return CXUI_TYPE_SEGMENT_ITEM;
}

static guint
get_n_items(GListModel *model)
{
    return cxui_segment_rows_n(CXUI_SEGMENT_MODEL(model)->rows);
}

typedef struct {
    GHashTable *live; /* a reference */
    CxId id;
} Obituary;

/* The item is gone; the table may outlive the model for this. */
static void
on_item_gone(void *data, GObject *item)
{
    g_autofree Obituary *obituary = data;

    if (g_hash_table_lookup(obituary->live, &obituary->id) == (void *)item)
        g_hash_table_remove(obituary->live, &obituary->id);
    g_hash_table_unref(obituary->live);
}

static gpointer
get_item(GListModel *model, guint index)
{
    CxuiSegmentModel *self = CXUI_SEGMENT_MODEL(model);

    if (index >= cxui_segment_rows_n(self->rows))
        return NULL;
    CxuiSegmentRow row = cxui_segment_rows_get(self->rows, index);
    CxuiSegmentItem *item = g_hash_table_lookup(self->live, &row.id);
    if (item != NULL)
        return g_object_ref(item);
    item = cxui_segment_item_new(row.id, voxel_um3(self));
    cxui_segment_item_set_size(item, row.n_voxels, row.n_supervoxels);
    cxui_segment_item_set_note(item, cxui_segment_model_note(self, row.id));
    cxui_segment_item_set_locked(item,
                                 cxui_segment_model_is_locked(self, row.id));
    Obituary *obituary = g_new(Obituary, 1);
    *obituary = (Obituary){g_hash_table_ref(self->live), row.id};
    g_hash_table_insert(self->live, key_of(row.id), item);
    g_object_weak_ref(G_OBJECT(item), on_item_gone, obituary);
    return item;
}

static void
list_model_init(GListModelInterface *iface)
{
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiSegmentModel *self = CXUI_SEGMENT_MODEL(object);

    switch (id) {
    case PROPERTY_FILTER:
        g_value_set_string(value, self->query.filter);
        break;
    case PROPERTY_ORDER:
        g_value_set_uint(value, self->query.order);
        break;
    case PROPERTY_N_ALL:
        g_value_set_uint64(value, self->n_all);
        break;
    case PROPERTY_LOADING:
        g_value_set_boolean(value, cxui_segment_model_is_loading(self));
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    CxuiSegmentModel *self = CXUI_SEGMENT_MODEL(object);

    if (id == PROPERTY_FILTER)
        cxui_segment_model_set_filter(self, g_value_get_string(value));
    else if (id == PROPERTY_ORDER)
        cxui_segment_model_set_order(self, g_value_get_uint(value));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

static void
finalize(GObject *object)
{
    CxuiSegmentModel *self = CXUI_SEGMENT_MODEL(object);

    g_free(self->query.filter);
    g_hash_table_unref(self->query.notes);
    g_hash_table_unref(self->locked);
    g_hash_table_unref(self->live);
    cxui_segment_rows_free(self->rows);
    g_clear_pointer(&self->job, cx_job_unref);
    G_OBJECT_CLASS(cxui_segment_model_parent_class)->finalize(object);
}

static void
cxui_segment_model_class_init(CxuiSegmentModelClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
    GParamFlags both = readable | G_PARAM_WRITABLE | G_PARAM_EXPLICIT_NOTIFY;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    object_class->finalize = finalize;
    specs[PROPERTY_FILTER] =
        g_param_spec_string("filter", NULL, NULL, "", both);
    specs[PROPERTY_ORDER] =
        g_param_spec_uint("order", NULL, NULL, 0, CXUI_ORDER_NOTE, 0, both);
    specs[PROPERTY_N_ALL] =
        g_param_spec_uint64("n-all", NULL, NULL, 0, G_MAXUINT64, 0, readable);
    specs[PROPERTY_LOADING] =
        g_param_spec_boolean("loading", NULL, NULL, FALSE, readable);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
}

static void
cxui_segment_model_init(CxuiSegmentModel *self)
{
    self->query.filter = g_strdup("");
    self->query.notes = notes_new();
    self->locked = ids_new();
    self->live = ids_new();
    self->rows = cxui_segment_rows_new(CXUI_ORDER_SIZE);
}

CxuiSegmentModel *
cxui_segment_model_new(CxuiSession *session)
{
    CxuiSegmentModel *self = g_object_new(CXUI_TYPE_SEGMENT_MODEL, NULL);

    self->session = session;
    return self;
}

static void
set_n_all(CxuiSegmentModel *self, uint64_t n_all)
{
    if (n_all == self->n_all)
        return;
    self->n_all = n_all;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_N_ALL]);
}

/* A reload: query and graph in, rows, notes and locks out. */
typedef struct {
    CxuiSegmentModel *model; /* a reference, for the main loop */
    CxProject *project;
    CxuiSegmentQuery query; /* notes: read from the project if NULL */
    uint64_t generation;
    GHashTable *locked;
    CxuiSegmentRows *rows;
    uint64_t n_all;
} Reload;

static void
reload_free(void *data)
{
    Reload *reload = data;

    g_object_unref(reload->model);
    cx_project_unref(reload->project);
    g_free(reload->query.filter);
    g_clear_pointer(&reload->query.notes, g_hash_table_unref);
    g_clear_pointer(&reload->locked, g_hash_table_unref);
    g_clear_pointer(&reload->rows, cxui_segment_rows_free);
    g_free(reload);
}

static void
apply_mark(GHashTable *notes, GHashTable *locked, const CxEdit *edit,
           bool undone)
{
    const char *text = undone ? edit->old_text : edit->text;
    bool is_locked = edit->locked != undone;

    if (edit->kind == CX_EDIT_NOTE && text != NULL && text[0] != '\0')
        g_hash_table_replace(notes, key_of(edit->segment), g_strdup(text));
    else if (edit->kind == CX_EDIT_NOTE)
        g_hash_table_remove(notes, &edit->segment);
    else if (edit->kind == CX_EDIT_LOCK && is_locked)
        g_hash_table_add(locked, key_of(edit->segment));
    else if (edit->kind == CX_EDIT_LOCK)
        g_hash_table_remove(locked, &edit->segment);
}

/* Notes and locks are what the edits that hold say. */
static bool
read_marks(Reload *reload, GError **error)
{
    g_autoptr(GPtrArray) edits = cx_project_edits(
        reload->project, 1, cx_project_n_edits(reload->project), false, error);

    if (edits == NULL)
        return false;
    for (guint i = 0; i < edits->len; i++) {
        const CxEdit *edit = g_ptr_array_index(edits, i);

        if (!edit->undone)
            apply_mark(reload->query.notes, reload->locked, edit, false);
    }
    return true;
}

/* Worker thread. */
static bool
run_reload(CxJob *job, void *data, GError **error)
{
    Reload *reload = data;
    CxSupervoxelGraph *graph = cx_project_graph(reload->project);

    reload->query.notes = notes_new();
    reload->locked = ids_new();
    if (!read_marks(reload, error))
        return false;
    reload->n_all = cx_supervoxel_graph_n_segments(graph);
    reload->rows = cxui_segment_query_run(&reload->query, graph, job, error);
    return reload->rows != NULL;
}

static void
update_live(CxuiSegmentModel *self, CxId id)
{
    CxuiSegmentItem *item = g_hash_table_lookup(self->live, &id);
    CxSegment segment;

    if (item == NULL)
        return;
    if (cxui_segment_model_lookup(self, id, &segment))
        cxui_segment_item_set_size(item, segment.n_voxels,
                                   segment.n_supervoxels);
    cxui_segment_item_set_note(item, cxui_segment_model_note(self, id));
    cxui_segment_item_set_locked(item, cxui_segment_model_is_locked(self, id));
}

static void
update_all_live(CxuiSegmentModel *self)
{
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, self->live);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        update_live(self, *(CxId *)key);
}

/* Takes over rows, which it owns then; NULL = none. */
static void
show_rows(CxuiSegmentModel *self, CxuiSegmentRows *rows, uint64_t n_all)
{
    unsigned old = cxui_segment_rows_n(self->rows);

    cxui_segment_rows_free(self->rows);
    self->rows = rows != NULL ? rows : cxui_segment_rows_new(self->query.order);
    update_all_live(self);
    unsigned n = cxui_segment_rows_n(self->rows);
    if (old > 0 || n > 0)
        g_list_model_items_changed(G_LIST_MODEL(self), 0, old, n);
    set_n_all(self, n_all);
}

static void start_reload(CxuiSegmentModel *self);

static void
on_reloaded(CxJob *job, const GError *error, void *data)
{
    Reload *reload = data;
    CxuiSegmentModel *self = reload->model;

    g_clear_pointer(&self->job, cx_job_unref);
    if (self->again) {
        self->again = false;
        start_reload(self);
    } else if (error == NULL &&
               reload->generation == cxui_session_generation(self->session)) {
        g_hash_table_unref(self->query.notes);
        self->query.notes = g_hash_table_ref(reload->query.notes);
        g_hash_table_unref(self->locked);
        self->locked = g_hash_table_ref(reload->locked);
        show_rows(self, g_steal_pointer(&reload->rows), reload->n_all);
    } else if (error != NULL) {
        cxui_session_fail(self->session, error);
    }
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_LOADING]);
}

static void
start_reload(CxuiSegmentModel *self)
{
    CxProject *project = cxui_session_project(self->session);

    if (project == NULL) {
        show_rows(self, NULL, 0);
        return;
    }
    Reload *reload = g_new0(Reload, 1);
    reload->model = g_object_ref(self);
    reload->project = cx_project_ref(project);
    reload->query.order = self->query.order;
    reload->query.filter = g_strdup(self->query.filter);
    reload->generation = cxui_session_generation(self->session);
    CxuiJobRequest job = {
        .title = "Listing segments",
        .tier = CX_TIER_EDIT,
        .hidden = true,
        .func = run_reload,
        .data = reload,
        .destroy = reload_free,
        .done = on_reloaded,
        .user_data = reload,
    };
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

void
cxui_segment_model_reload(CxuiSegmentModel *self)
{
    uint64_t generation = cxui_session_generation(self->session);

    if (generation != self->generation) {
        g_hash_table_remove_all(self->query.notes);
        g_hash_table_remove_all(self->locked);
        show_rows(self, NULL, 0);
        self->generation = generation;
    }
    if (self->job != NULL)
        self->again = true;
    else
        start_reload(self);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_LOADING]);
}

void
cxui_segment_model_set_filter(CxuiSegmentModel *self, const char *text)
{
    g_autofree char *filter = g_strdup(text != NULL ? text : "");

    g_strstrip(filter);
    if (g_strcmp0(filter, self->query.filter) == 0)
        return;
    g_free(self->query.filter);
    self->query.filter = g_steal_pointer(&filter);
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_FILTER]);
    cxui_segment_model_reload(self);
}

void
cxui_segment_model_set_order(CxuiSegmentModel *self, CxuiSegmentOrder order)
{
    if (order == self->query.order || order > CXUI_ORDER_NOTE)
        return;
    self->query.order = order;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_ORDER]);
    cxui_segment_model_reload(self);
}

bool
cxui_segment_model_is_loading(CxuiSegmentModel *self)
{
    return self->job != NULL;
}

uint64_t
cxui_segment_model_n_all(CxuiSegmentModel *self)
{
    return self->n_all;
}

bool
cxui_segment_model_find(CxuiSegmentModel *self, CxId id, unsigned *row)
{
    return cxui_segment_rows_find(self->rows, id, row);
}

bool
cxui_segment_model_lookup(CxuiSegmentModel *self, CxId id, CxSegment *segment)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);

    return graph != NULL && id != 0 &&
           cx_supervoxel_graph_segment(graph, id, segment);
}

const char *
cxui_segment_model_note(CxuiSegmentModel *self, CxId id)
{
    const char *note = g_hash_table_lookup(self->query.notes, &id);

    return note != NULL ? note : "";
}

bool
cxui_segment_model_is_locked(CxuiSegmentModel *self, CxId id)
{
    return g_hash_table_contains(self->locked, &id);
}

static void
remove_row(CxuiSegmentModel *self, CxId id)
{
    unsigned index;

    if (cxui_segment_rows_remove(self->rows, id, &index))
        g_list_model_items_changed(G_LIST_MODEL(self), index, 1, 0);
}

static void
insert_row(CxuiSegmentModel *self, const CxSegment *segment)
{
    CxuiSegmentRow row = cxui_segment_query_row(&self->query, segment);
    unsigned index;

    if (cxui_segment_query_matches(&self->query, segment->id) &&
        cxui_segment_rows_insert(self->rows, row, &index))
        g_list_model_items_changed(G_LIST_MODEL(self), index, 0, 1);
}

static void
refresh_row(CxuiSegmentModel *self, CxId id)
{
    CxSegment segment;

    remove_row(self, id);
    if (cxui_segment_model_lookup(self, id, &segment))
        insert_row(self, &segment);
    update_live(self, id);
}

void
cxui_segment_model_edited(CxuiSegmentModel *self, const CxEdit *edit,
                          bool undone)
{
    g_autoptr(GArray) ids = cx_edit_segments(edit);
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);

    apply_mark(self->query.notes, self->locked, edit, undone);
    if (self->job != NULL) {
        /* What is being read may be older than this edit. */
        self->again = true;
        update_all_live(self);
        return;
    }
    for (guint i = 0; i < ids->len; i++)
        refresh_row(self, g_array_index(ids, CxId, i));
    if (edit->segment != 0)
        refresh_row(self, edit->segment);
    if (graph != NULL)
        set_n_all(self, cx_supervoxel_graph_n_segments(graph));
}
