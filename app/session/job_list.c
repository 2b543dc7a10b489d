/* The jobs that run for the user.
 *
 * A worker only rings the bell; everything else is the main loop's.  A job's
 * data stay alive until its done callback has returned, because the list, not
 * the scheduler, destroys them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/job_list.h"

#include "app/session/bell.h"
#include "core/base/error.h"

struct _CxuiJobItem {
    GObject parent;
    CxJob *job;
    char *cause;
    CxJobState state;
    const char *stage;
    double fraction, seconds_left;
    int64_t start_us;
};

enum {
    ITEM_TITLE = 1,
    ITEM_STAGE,
    ITEM_FRACTION,
    ITEM_STATE,
    ITEM_CAUSE,
    ITEM_SECONDS_LEFT,
    N_ITEM_PROPERTIES,
};

static GParamSpec *item_specs[N_ITEM_PROPERTIES];

G_DEFINE_FINAL_TYPE(CxuiJobItem, cxui_job_item, G_TYPE_OBJECT)

typedef struct {
    CxuiJobRequest request;
    CxJob *job;
    CxuiJobItem *item; /* NULL when hidden */
} Task;

/* What a worker holds; its reference keeps the bell until the job's last hook
 * has run. */
typedef struct {
    CxJobFunc func;
    void *data;
    CxuiBell *bell;
} WorkerSide;

struct _CxuiJobList {
    GObject parent;
    CxScheduler *scheduler;
    CxuiBell *bell;
    GPtrArray *tasks; /* of Task, waiting and running */
    GPtrArray *items; /* of CxuiJobItem, shown */
};

enum {
    LIST_N_RUNNING = 1,
    N_LIST_PROPERTIES,
};

static GParamSpec *list_specs[N_LIST_PROPERTIES];
static guint changed_signal;

static void list_model_init(GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(CxuiJobList, cxui_job_list, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL,
                                                    list_model_init))

static void
item_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiJobItem *self = CXUI_JOB_ITEM(object);

    switch (id) {
    case ITEM_TITLE:
        g_value_set_string(value, cx_job_title(self->job));
        break;
    case ITEM_STAGE:
        g_value_set_string(value, self->stage);
        break;
    case ITEM_FRACTION:
        g_value_set_double(value, self->fraction);
        break;
    case ITEM_STATE:
        g_value_set_uint(value, self->state);
        break;
    case ITEM_CAUSE:
        g_value_set_string(value, self->cause);
        break;
    case ITEM_SECONDS_LEFT:
        g_value_set_double(value, self->seconds_left);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
item_finalize(GObject *object)
{
    CxuiJobItem *self = CXUI_JOB_ITEM(object);

    cx_job_unref(self->job);
    g_free(self->cause);
    G_OBJECT_CLASS(cxui_job_item_parent_class)->finalize(object);
}

static void
cxui_job_item_class_init(CxuiJobItemClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object_class->get_property = item_get_property;
    object_class->finalize = item_finalize;
    item_specs[ITEM_TITLE] =
        g_param_spec_string("title", NULL, NULL, NULL, flags);
    item_specs[ITEM_STAGE] =
        g_param_spec_string("stage", NULL, NULL, NULL, flags);
    item_specs[ITEM_FRACTION] =
        g_param_spec_double("fraction", NULL, NULL, 0, 1, 0, flags);
    item_specs[ITEM_STATE] =
        g_param_spec_uint("state", NULL, NULL, 0, G_MAXUINT, 0, flags);
    item_specs[ITEM_CAUSE] =
        g_param_spec_string("cause", NULL, NULL, NULL, flags);
    item_specs[ITEM_SECONDS_LEFT] = g_param_spec_double(
        "seconds-left", NULL, NULL, -1, G_MAXDOUBLE, -1, flags);
    g_object_class_install_properties(object_class, N_ITEM_PROPERTIES,
                                      item_specs);
}

static void
cxui_job_item_init(CxuiJobItem *self)
{
    self->stage = "";
    self->seconds_left = -1.0;
    self->start_us = g_get_monotonic_time();
}

static void
notify_item(CxuiJobItem *self, guint id)
{
    g_object_notify_by_pspec(G_OBJECT(self), item_specs[id]);
}

/* Time left at the mean speed so far; unknown in the first second. */
static void
estimate(CxuiJobItem *self)
{
    double spent = (double)(g_get_monotonic_time() - self->start_us) * 1e-6;

    self->seconds_left = -1.0;
    if (spent >= 1.0 && self->fraction >= 0.01)
        self->seconds_left = spent / self->fraction * (1.0 - self->fraction);
}

/* Takes over what the job says now; true if anything is different. */
static bool
refresh_item(CxuiJobItem *self)
{
    CxJobState state = cx_job_state(self->job);
    const char *stage = cx_job_stage_name(self->job);
    double fraction = cx_job_fraction(self->job);

    if (state == self->state && stage == self->stage &&
        fraction == self->fraction)
        return false;
    if (self->state == CX_JOB_QUEUED && state != CX_JOB_QUEUED)
        self->start_us = g_get_monotonic_time();
    g_object_freeze_notify(G_OBJECT(self));
    if (state != self->state)
        notify_item(self, ITEM_STATE);
    if (stage != self->stage)
        notify_item(self, ITEM_STAGE);
    if (fraction != self->fraction)
        notify_item(self, ITEM_FRACTION);
    self->state = state;
    self->stage = stage;
    self->fraction = fraction;
    estimate(self);
    notify_item(self, ITEM_SECONDS_LEFT);
    g_object_thaw_notify(G_OBJECT(self));
    return true;
}

const char *
cxui_job_item_title(CxuiJobItem *self)
{
    return cx_job_title(self->job);
}

const char *
cxui_job_item_stage(CxuiJobItem *self)
{
    return self->stage;
}

double
cxui_job_item_fraction(CxuiJobItem *self)
{
    return self->fraction;
}

CxJobState
cxui_job_item_state(CxuiJobItem *self)
{
    return self->state;
}

const char *
cxui_job_item_cause(CxuiJobItem *self)
{
    return self->cause;
}

double
cxui_job_item_seconds_left(CxuiJobItem *self)
{
    return self->seconds_left;
}

void
cxui_job_item_cancel(CxuiJobItem *self)
{
    cx_job_cancel(self->job);
}

static bool
run_worker_side(CxJob *job, void *data, GError **error)
{
    WorkerSide *side = data;

    return side->func(job, side->data, error);
}

static void
worker_side_free(void *data)
{
    WorkerSide *side = data;

    cxui_bell_unref(side->bell);
    g_free(side);
}

static void
task_free(void *data)
{
    Task *task = data;

    if (task->request.destroy != NULL)
        task->request.destroy(task->request.data);
    cx_job_unref(task->job);
    g_clear_object(&task->item);
    g_free(task);
}

static void
remove_item(CxuiJobList *self, CxuiJobItem *item)
{
    guint row;

    if (item == NULL || !g_ptr_array_find(self->items, item, &row))
        return;
    g_ptr_array_remove_index(self->items, row);
    g_list_model_items_changed(G_LIST_MODEL(self), row, 1, 0);
}

/* The last of a task: its callback, and the row if nothing has to be read. */
static void
finish(CxuiJobList *self, Task *task)
{
    g_autoptr(GError) error = cx_job_dup_error(task->job);
    CxJobState state = cx_job_state(task->job);

    if (error == NULL && state == CX_JOB_CANCELLED)
        g_set_error_literal(&error, CX_ERROR, CX_ERROR_CANCELLED, "cancelled");
    if (task->item != NULL && state == CX_JOB_FAILED) {
        task->item->cause = g_strdup(error->message);
        notify_item(task->item, ITEM_CAUSE);
    }
    if (state != CX_JOB_FAILED)
        remove_item(self, task->item);
    if (task->request.done != NULL)
        task->request.done(task->job, error, task->request.user_data);
    task_free(task);
}

/* Callbacks may start new jobs, so those that are over are taken out first. */
static void
deliver(CxuiJobList *self)
{
    g_autoptr(GPtrArray) over = g_ptr_array_new();
    bool changed = false;

    for (guint i = 0; i < self->tasks->len;) {
        Task *task = g_ptr_array_index(self->tasks, i);

        /* First the state that decides, then the rest. */
        bool is_over = cx_job_is_over(task->job);
        if (task->item != NULL)
            changed |= refresh_item(task->item);
        if (is_over)
            g_ptr_array_add(over, g_ptr_array_steal_index(self->tasks, i));
        else
            i++;
    }
    for (guint i = 0; i < over->len; i++)
        finish(self, g_ptr_array_index(over, i));
    if (over->len > 0)
        g_object_notify_by_pspec(G_OBJECT(self), list_specs[LIST_N_RUNNING]);
    if (changed || over->len > 0)
        g_signal_emit(self, changed_signal, 0);
}

static void
answer_bell(GObject *owner)
{
    deliver(CXUI_JOB_LIST(owner));
}

/* Worker thread. */
static void
on_job_changed(CxJob *job, void *data)
{
    cxui_bell_ring(data);
}

static GType
get_item_type(GListModel *model)
{
    return CXUI_TYPE_JOB_ITEM;
}

static guint
get_n_items(GListModel *model)
{
    return CXUI_JOB_LIST(model)->items->len;
}

static gpointer
get_item(GListModel *model, guint row)
{
    CxuiJobList *self = CXUI_JOB_LIST(model);

    if (row >= self->items->len)
        return NULL;
    return g_object_ref(g_ptr_array_index(self->items, row));
}

static void
list_model_init(GListModelInterface *iface)
{
    iface->get_item_type = get_item_type;
    iface->get_n_items = get_n_items;
    iface->get_item = get_item;
}

static void
list_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    g_value_set_uint(value, cxui_job_list_n_running(CXUI_JOB_LIST(object)));
}

static void
list_dispose(GObject *object)
{
    CxuiJobList *self = CXUI_JOB_LIST(object);

    cxui_job_list_drain(self);
    G_OBJECT_CLASS(cxui_job_list_parent_class)->dispose(object);
}

static void
list_finalize(GObject *object)
{
    CxuiJobList *self = CXUI_JOB_LIST(object);

    g_ptr_array_unref(self->tasks);
    g_ptr_array_unref(self->items);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_job_list_parent_class)->finalize(object);
}

static void
cxui_job_list_class_init(CxuiJobListClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = list_get_property;
    object_class->dispose = list_dispose;
    object_class->finalize = list_finalize;
    list_specs[LIST_N_RUNNING] =
        g_param_spec_uint("n-running", NULL, NULL, 0, G_MAXUINT, 0,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_LIST_PROPERTIES,
                                      list_specs);
    changed_signal =
        g_signal_new("changed", CXUI_TYPE_JOB_LIST, G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_job_list_init(CxuiJobList *self)
{
    self->tasks = g_ptr_array_new();
    self->items = g_ptr_array_new_with_free_func(g_object_unref);
    self->bell = cxui_bell_new(G_OBJECT(self), answer_bell);
}

CxuiJobList *
cxui_job_list_new(CxScheduler *scheduler)
{
    CxuiJobList *self = g_object_new(CXUI_TYPE_JOB_LIST, NULL);

    self->scheduler = scheduler;
    return self;
}

static CxuiJobItem *
item_new(CxJob *job)
{
    CxuiJobItem *item = g_object_new(CXUI_TYPE_JOB_ITEM, NULL);

    item->job = cx_job_ref(job);
    return item;
}

CxJob *
cxui_job_list_start(CxuiJobList *self, const CxuiJobRequest *request)
{
    Task *task = g_new0(Task, 1);
    CxJob *job = cx_job_new(request->title);

    task->request = *request;
    task->job = cx_job_ref(job);
    g_ptr_array_add(self->tasks, task);
    if (!request->hidden) {
        task->item = item_new(job);
        g_ptr_array_add(self->items, g_object_ref(task->item));
        g_list_model_items_changed(G_LIST_MODEL(self), self->items->len - 1, 0,
                                   1);
        g_object_notify_by_pspec(G_OBJECT(self), list_specs[LIST_N_RUNNING]);
    }
    WorkerSide *side = g_new(WorkerSide, 1);
    *side =
        (WorkerSide){request->func, request->data, cxui_bell_ref(self->bell)};
    cx_job_set_hook(job, on_job_changed, self->bell);
    cx_scheduler_submit(self->scheduler, job, request->tier, 0, run_worker_side,
                        side, worker_side_free);
    return job;
}

void
cxui_job_list_dismiss(CxuiJobList *self, CxuiJobItem *item)
{
    if (item->state == CX_JOB_FAILED)
        remove_item(self, item);
}

void
cxui_job_list_cancel_all(CxuiJobList *self)
{
    for (guint i = 0; i < self->tasks->len; i++)
        cx_job_cancel(((Task *)g_ptr_array_index(self->tasks, i))->job);
}

void
cxui_job_list_wait(CxuiJobList *self, CxJob *job)
{
    cx_job_wait(job, NULL);
    deliver(self);
}

void
cxui_job_list_drain(CxuiJobList *self)
{
    while (self->tasks->len > 0) {
        cxui_job_list_cancel_all(self);
        Task *task = g_ptr_array_index(self->tasks, 0);
        g_autoptr(CxJob) job = cx_job_ref(task->job);
        cx_job_wait(job, NULL);
        deliver(self);
    }
}

unsigned
cxui_job_list_n_running(CxuiJobList *self)
{
    unsigned n = 0;

    for (guint i = 0; i < self->tasks->len; i++)
        n += ((Task *)g_ptr_array_index(self->tasks, i))->item != NULL;
    return n;
}

double
cxui_job_list_fraction(CxuiJobList *self)
{
    double sum = 0.0;
    unsigned n = 0;

    for (guint i = 0; i < self->tasks->len; i++) {
        Task *task = g_ptr_array_index(self->tasks, i);
        if (task->item == NULL)
            continue;
        sum += task->item->fraction;
        n++;
    }
    return n > 0 ? sum / n : 0.0;
}
