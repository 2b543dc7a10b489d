/* The edits as a list model, newest on top.
 *
 * All edits are kept as items in order of sequence number; the shown rows are
 * those of the filtered segment, turned round.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/history_model.h"

#include "app/session/session_private.h"

struct _CxuiHistoryItem {
    GObject parent;
    int64_t sequence;
    CxEditKind kind;
    char *sentence, *author;
    int64_t time_us;
    CxVoxel at;
    bool undone, superseded, is_head;
};

struct _CxuiHistoryModel {
    GObject parent;
    CxuiSession *session; /* owns us */
    GPtrArray *items;     /* of CxuiHistoryItem, oldest first */
    int64_t head;
    CxId segment;
    CxJob *job; /* the reload that runs */
    uint64_t number;
};

enum {
    ITEM_UNDONE = 1,
    ITEM_IS_HEAD,
    N_ITEM_PROPERTIES,
};

enum {
    PROPERTY_HEAD = 1,
    PROPERTY_SEGMENT,
    N_PROPERTIES,
};

static GParamSpec *item_specs[N_ITEM_PROPERTIES];
static GParamSpec *specs[N_PROPERTIES];

static void list_model_init(GListModelInterface *iface);

G_DEFINE_FINAL_TYPE(CxuiHistoryItem, cxui_history_item, G_TYPE_OBJECT)
G_DEFINE_FINAL_TYPE_WITH_CODE(CxuiHistoryModel, cxui_history_model,
                              G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL,
                                                    list_model_init))

static void
item_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiHistoryItem *self = CXUI_HISTORY_ITEM(object);

    g_value_set_boolean(value,
                        id == ITEM_UNDONE ? self->undone : self->is_head);
}

static void
item_finalize(GObject *object)
{
    CxuiHistoryItem *self = CXUI_HISTORY_ITEM(object);

    g_free(self->sentence);
    g_free(self->author);
    G_OBJECT_CLASS(cxui_history_item_parent_class)->finalize(object);
}

static void
cxui_history_item_class_init(CxuiHistoryItemClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object_class->get_property = item_get_property;
    object_class->finalize = item_finalize;
    item_specs[ITEM_UNDONE] =
        g_param_spec_boolean("undone", NULL, NULL, FALSE, flags);
    item_specs[ITEM_IS_HEAD] =
        g_param_spec_boolean("is-head", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(object_class, N_ITEM_PROPERTIES,
                                      item_specs);
}

static void
cxui_history_item_init(CxuiHistoryItem *self)
{
}

static CxuiHistoryItem *
item_new(const CxEdit *edit)
{
    CxuiHistoryItem *item = g_object_new(CXUI_TYPE_HISTORY_ITEM, NULL);

    item->sequence = edit->sequence;
    item->kind = edit->kind;
    item->sentence = g_strdup(edit->sentence != NULL ? edit->sentence : "");
    item->author = g_strdup(edit->author != NULL ? edit->author : "");
    item->time_us = edit->time_us;
    item->at = edit->at;
    item->undone = edit->undone;
    item->superseded = edit->superseded;
    return item;
}

static void
item_set(CxuiHistoryItem *item, bool undone, bool is_head)
{
    if (item->undone != undone) {
        item->undone = undone;
        g_object_notify_by_pspec(G_OBJECT(item), item_specs[ITEM_UNDONE]);
    }
    if (item->is_head != is_head) {
        item->is_head = is_head;
        g_object_notify_by_pspec(G_OBJECT(item), item_specs[ITEM_IS_HEAD]);
    }
}

int64_t
cxui_history_item_sequence(CxuiHistoryItem *self)
{
    return self->sequence;
}

CxEditKind
cxui_history_item_kind(CxuiHistoryItem *self)
{
    return self->kind;
}

const char *
cxui_history_item_sentence(CxuiHistoryItem *self)
{
    return self->sentence;
}

const char *
cxui_history_item_author(CxuiHistoryItem *self)
{
    return self->author;
}

int64_t
cxui_history_item_time_us(CxuiHistoryItem *self)
{
    return self->time_us;
}

CxVoxel
cxui_history_item_at(CxuiHistoryItem *self)
{
    return self->at;
}

bool
cxui_history_item_is_undone(CxuiHistoryItem *self)
{
    return self->undone;
}

bool
cxui_history_item_is_head(CxuiHistoryItem *self)
{
    return self->is_head;
}

static GType
get_item_type(GListModel *model)
{
    return CXUI_TYPE_HISTORY_ITEM;
}

static guint
get_n_items(GListModel *model)
{
    return CXUI_HISTORY_MODEL(model)->items->len;
}

static gpointer
get_item(GListModel *model, guint row)
{
    GPtrArray *items = CXUI_HISTORY_MODEL(model)->items;

    if (row >= items->len)
        return NULL;
    return g_object_ref(g_ptr_array_index(items, items->len - 1 - row));
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
    CxuiHistoryModel *self = CXUI_HISTORY_MODEL(object);

    if (id == PROPERTY_HEAD)
        g_value_set_int64(value, self->head);
    else
        g_value_set_uint64(value, self->segment);
}

static void
set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    cxui_history_model_set_segment(CXUI_HISTORY_MODEL(object),
                                   g_value_get_uint64(value));
}

static void
finalize(GObject *object)
{
    CxuiHistoryModel *self = CXUI_HISTORY_MODEL(object);

    g_ptr_array_unref(self->items);
    g_clear_pointer(&self->job, cx_job_unref);
    G_OBJECT_CLASS(cxui_history_model_parent_class)->finalize(object);
}

static void
cxui_history_model_class_init(CxuiHistoryModelClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object_class->get_property = get_property;
    object_class->set_property = set_property;
    object_class->finalize = finalize;
    specs[PROPERTY_HEAD] =
        g_param_spec_int64("head", NULL, NULL, 0, G_MAXINT64, 0, flags);
    specs[PROPERTY_SEGMENT] =
        g_param_spec_uint64("segment", NULL, NULL, 0, G_MAXUINT64, 0,
                            flags | G_PARAM_WRITABLE | G_PARAM_EXPLICIT_NOTIFY);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
}

static void
cxui_history_model_init(CxuiHistoryModel *self)
{
    self->items = g_ptr_array_new_with_free_func(g_object_unref);
}

CxuiHistoryModel *
cxui_history_model_new(CxuiSession *session)
{
    CxuiHistoryModel *self = g_object_new(CXUI_TYPE_HISTORY_MODEL, NULL);

    self->session = session;
    return self;
}

int64_t
cxui_history_model_head(CxuiHistoryModel *self)
{
    return self->head;
}

bool
cxui_history_model_is_loading(CxuiHistoryModel *self)
{
    return self->job != NULL;
}

void
cxui_history_model_set_segment(CxuiHistoryModel *self, CxId segment)
{
    if (segment == self->segment)
        return;
    self->segment = segment;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_SEGMENT]);
    cxui_history_model_reload(self);
}

bool
cxui_history_model_can_undo(CxuiHistoryModel *self)
{
    return self->head > 0;
}

bool
cxui_history_model_can_redo(CxuiHistoryModel *self)
{
    for (guint i = self->items->len; i > 0; i--) {
        CxuiHistoryItem *item = g_ptr_array_index(self->items, i - 1);

        if (item->sequence <= self->head)
            return false;
        if (item->undone && !item->superseded)
            return true;
    }
    return false;
}

static void
set_head(CxuiHistoryModel *self, int64_t head)
{
    if (head == self->head)
        return;
    self->head = head;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_HEAD]);
}

static void
mark_head(CxuiHistoryModel *self)
{
    for (guint i = 0; i < self->items->len; i++) {
        CxuiHistoryItem *item = g_ptr_array_index(self->items, i);

        item_set(item, item->undone, item->sequence == self->head);
    }
}

typedef struct {
    CxuiHistoryModel *model; /* for the main loop; a reference */
    CxProject *project;
    CxId segment;
    uint64_t number;
    GPtrArray *edits; /* result */
    int64_t head;     /* result */
} Reload;

static void
reload_free(void *data)
{
    Reload *reload = data;

    g_object_unref(reload->model);
    cx_project_unref(reload->project);
    g_clear_pointer(&reload->edits, g_ptr_array_unref);
    g_free(reload);
}

static bool
concerns(const CxEdit *edit, CxId segment)
{
    g_autoptr(GArray) ids = cx_edit_segments(edit);

    for (guint i = 0; i < ids->len; i++)
        if (g_array_index(ids, CxId, i) == segment)
            return true;
    return false;
}

/* Worker thread. */
static bool
run_reload(CxJob *job, void *data, GError **error)
{
    Reload *reload = data;
    bool all = reload->segment == 0;

    reload->head = cx_project_head(reload->project);
    reload->edits = cx_project_edits(
        reload->project, 1, cx_project_n_edits(reload->project), !all, error);
    if (reload->edits == NULL)
        return false;
    for (guint i = 0; !all && i < reload->edits->len;) {
        if (concerns(g_ptr_array_index(reload->edits, i), reload->segment))
            i++;
        else
            g_ptr_array_remove_index(reload->edits, i);
    }
    return true;
}

static void
show(CxuiHistoryModel *self, const GPtrArray *edits, int64_t head)
{
    guint old = self->items->len;

    g_ptr_array_set_size(self->items, 0);
    for (guint i = 0; edits != NULL && i < edits->len; i++)
        g_ptr_array_add(self->items, item_new(g_ptr_array_index(edits, i)));
    set_head(self, head);
    mark_head(self);
    g_list_model_items_changed(G_LIST_MODEL(self), 0, old, self->items->len);
    cxui_edit_controller_notify(cxui_session_edits(self->session));
    cxui_session_state_changed(self->session);
}

static void
on_reloaded(CxJob *job, const GError *error, void *data)
{
    const Reload *reload = data;
    CxuiHistoryModel *self = reload->model;

    if (reload->number != self->number)
        return;
    g_clear_pointer(&self->job, cx_job_unref);
    if (error != NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    show(self, reload->edits, reload->head);
}

void
cxui_history_model_reload(CxuiHistoryModel *self)
{
    CxProject *project = cxui_session_project(self->session);

    self->number++;
    if (self->job != NULL)
        cx_job_cancel(self->job);
    g_clear_pointer(&self->job, cx_job_unref);
    if (project == NULL) {
        show(self, NULL, 0);
        return;
    }
    Reload *reload = g_new0(Reload, 1);
    reload->model = g_object_ref(self);
    reload->project = cx_project_ref(project);
    reload->segment = self->segment;
    reload->number = self->number;
    CxuiJobRequest job = {
        .title = "Reading the history",
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

static CxuiHistoryItem *
find_item(CxuiHistoryModel *self, int64_t sequence)
{
    for (guint i = self->items->len; i > 0; i--) {
        CxuiHistoryItem *item = g_ptr_array_index(self->items, i - 1);

        if (item->sequence == sequence)
            return item;
    }
    return NULL;
}

/* A new edit on top of undone ones puts those aside. */
static void
supersede(CxuiHistoryModel *self, const CxEdit *edit)
{
    for (guint i = self->items->len; i > 0; i--) {
        CxuiHistoryItem *item = g_ptr_array_index(self->items, i - 1);

        if (item->undone && item->sequence > edit->parent)
            item->superseded = true;
    }
}

void
cxui_history_model_edited(CxuiHistoryModel *self, const CxEdit *edit,
                          bool undone)
{
    CxuiHistoryItem *item = find_item(self, edit->sequence);

    set_head(self, undone ? edit->parent : edit->sequence);
    if (item == NULL && self->segment == 0) {
        supersede(self, edit);
        g_ptr_array_add(self->items, item_new(edit));
        g_list_model_items_changed(G_LIST_MODEL(self), 0, 0, 1);
    } else if (item == NULL) {
        cxui_history_model_reload(self);
        return;
    } else {
        item_set(item, undone, item->is_head);
    }
    mark_head(self);
}
