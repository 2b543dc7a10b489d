/* The queue: one suspicion after the other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/review_queue.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/review/live_scores.h"

#include <string.h>

#define KEY_ANSWERS "review.answers"
#define LIMIT 500
/* Edits after which the list is made anew. */
#define STALE_EDITS 20
/* A longer silence is no decision but a break. */
#define BREAK_US (120 * G_USEC_PER_SEC)

struct _CxuiReviewQueue {
    GObject parent;
    CxuiSession *session; /* owns us */

    bool is_on;
    CxJob *search;    /* or NULL */
    GArray *list;     /* of CxSuspicion */
    guint place;      /* of what is asked; list->len: nothing */
    unsigned n_edits; /* since the list was made */
    GHashTable *done; /* "a b" */
    GString *answers; /* what is kept with the project */
    CxSuspicionModel model;
    CxJob *store;
    bool store_again;

    unsigned n_answered;
    int64_t last_us, worked_us;

    CxJob *count; /* of the truth, or NULL */
    CxLiveScores *scores;
    CxScores first;
    bool count_again; /* an edit came while it was counted */
    char *truth;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(CxuiReviewQueue, cxui_review_queue, G_TYPE_OBJECT)

static void search(CxuiReviewQueue *self);
static void count_truth(CxuiReviewQueue *self);

static void
emit_changed(CxuiReviewQueue *self)
{
    g_signal_emit(self, changed_signal, 0);
}

static char *
key_of(CxId a, CxId b)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT,
                           MIN(a, b), MAX(a, b));
}

static void
cancel(CxJob **job)
{
    if (*job != NULL)
        cx_job_cancel(*job);
    g_clear_pointer(job, cx_job_unref);
}

/* --- answers, kept as lines "a b same|different|unsure affinity" */

static const char *const answer_names[] = {"same", "different", "unsure"};

static void
learn(CxuiReviewQueue *self, CxuiAnswer answer, float affinity)
{
    if (answer != CXUI_ANSWER_UNSURE)
        cx_suspicion_model_learn(&self->model, affinity,
                                 answer == CXUI_ANSWER_SAME);
}

static void
take_line(CxuiReviewQueue *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);

    if (g_strv_length(words) != 4)
        return;
    g_hash_table_add(self->done, g_strconcat(words[0], " ", words[1], NULL));
    for (int i = 0; i <= CXUI_ANSWER_UNSURE; i++) {
        if (g_str_equal(words[2], answer_names[i]))
            learn(self, (CxuiAnswer)i, (float)g_ascii_strtod(words[3], NULL));
    }
}

static void
load_answers(CxuiReviewQueue *self)
{
    CxProject *project = cxui_session_project(self->session);

    g_hash_table_remove_all(self->done);
    g_string_truncate(self->answers, 0);
    self->model = cx_suspicion_model_default();
    g_autofree char *text =
        project != NULL ? cx_project_dup_text(project, KEY_ANSWERS) : NULL;
    if (text == NULL)
        return;
    g_string_assign(self->answers, text);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        take_line(self, lines[i]);
}

typedef struct {
    CxProject *project;
    char *text;
} Store;

static void
store_free(void *data)
{
    Store *store = data;

    cx_project_unref(store->project);
    g_free(store->text);
    g_free(store);
}

/* Worker thread. */
static bool
run_store(CxJob *job, void *data, GError **error)
{
    Store *store = data;

    return cx_project_set_text(store->project, KEY_ANSWERS, store->text, error);
}

static void store_answers(CxuiReviewQueue *self);

static void
on_stored(CxJob *job, const GError *error, void *data)
{
    g_autoptr(CxuiReviewQueue) self = data;

    if (job != self->store)
        return;
    g_clear_pointer(&self->store, cx_job_unref);
    if (error != NULL)
        cxui_session_fail(self->session, error);
    if (self->store_again)
        store_answers(self);
}

static void
store_answers(CxuiReviewQueue *self)
{
    CxProject *project = cxui_session_project(self->session);

    self->store_again = self->store != NULL;
    if (project == NULL || self->store != NULL)
        return;
    Store *store = g_new0(Store, 1);
    store->project = cx_project_ref(project);
    store->text = g_strdup(self->answers->str);
    CxuiJobRequest job = {
        .title = "Storing the answer",
        .tier = CX_TIER_EDIT,
        .hidden = true,
        .func = run_store,
        .data = store,
        .destroy = store_free,
        .done = on_stored,
        .user_data = g_object_ref(self),
    };
    self->store = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

static void
note_answer(CxuiReviewQueue *self, const CxSuspicion *suspicion,
            CxuiAnswer answer)
{
    char affinity[G_ASCII_DTOSTR_BUF_SIZE];
    g_autofree char *key = key_of(suspicion->a, suspicion->b);

    g_ascii_formatd(affinity, sizeof affinity, "%.4f",
                    (double)suspicion->affinity);
    g_string_append_printf(self->answers, "%s %s %s\n", key,
                           answer_names[answer], affinity);
    g_hash_table_add(self->done, g_steal_pointer(&key));
    learn(self, answer, suspicion->affinity);
    store_answers(self);
}

/* --- the list */

/* True if the question still makes sense; its segments as they are now. */
static bool
refresh(CxuiReviewQueue *self, CxSuspicion *suspicion)
{
    CxId a = cxui_session_segment_of(self->session, suspicion->a);
    CxId b = cxui_session_segment_of(self->session, suspicion->b);
    g_autofree char *key = key_of(suspicion->a, suspicion->b);

    suspicion->segment_a = a;
    suspicion->segment_b = b;
    return a != 0 && b != 0 &&
           (a == b) == (suspicion->kind == CX_SUSPECT_MERGE) &&
           !g_hash_table_contains(self->done, key);
}

const CxSuspicion *
cxui_review_queue_current(CxuiReviewQueue *self)
{
    return self->is_on && self->place < self->list->len
               ? &g_array_index(self->list, CxSuspicion, self->place)
               : NULL;
}

static void
add_seed(CxuiSelection *selection, CxVoxel at, CxuiSide side)
{
    cxui_selection_add_seed(selection, (CxuiSeed){.at = at, .side = side});
}

/* Flies there, selects whom it is about; a false merge shows the cut. */
static void
show(CxuiReviewQueue *self)
{
    const CxSuspicion *suspicion = cxui_review_queue_current(self);
    CxuiSelection *selection = cxui_session_selection(self->session);

    if (suspicion == NULL)
        return;
    const CxId ids[2] = {suspicion->segment_a, suspicion->segment_b};
    bool is_merge = suspicion->kind == CX_SUSPECT_MERGE;
    cxui_selection_set_tool(selection, CXUI_TOOL_POINTER);
    cxui_selection_set(selection, ids, is_merge ? 1 : 2);
    if (is_merge) {
        cxui_selection_set_tool(selection, CXUI_TOOL_SPLIT);
        cxui_selection_set_split_segment(selection, suspicion->segment_a);
        add_seed(selection, suspicion->seed_a, CXUI_SIDE_A);
        add_seed(selection, suspicion->seed_b, CXUI_SIDE_B);
    }
    cxui_view_state_set_voxel(cxui_session_view(self->session), suspicion->at);
}

/* From place on, in direction by, the next question that makes sense. */
static bool
seek(CxuiReviewQueue *self, int64_t place, int by)
{
    for (; place >= 0 && place < self->list->len; place += by) {
        if (!refresh(self,
                     &g_array_index(self->list, CxSuspicion, (guint)place)))
            continue;
        self->place = (guint)place;
        return true;
    }
    return false;
}

static void
go_on(CxuiReviewQueue *self)
{
    if (!seek(self, self->place, 1))
        self->place = self->list->len;
    if (self->n_edits >= STALE_EDITS)
        search(self);
    show(self);
    emit_changed(self);
}

typedef struct {
    CxProject *project;
    CxSuspicionModel model;
    GArray *found;
} Search;

static void
search_free(void *data)
{
    Search *job = data;

    cx_project_unref(job->project);
    g_clear_pointer(&job->found, g_array_unref);
    g_free(job);
}

/* Worker thread. */
static bool
run_search(CxJob *job, void *data, GError **error)
{
    Search *work = data;
    CxSuspicionOptions options = cx_suspicion_defaults();

    options.limit = LIMIT;
    work->found = cx_suspicions_find(cx_project_graph(work->project),
                                     &work->model, &options, job, error);
    return work->found != NULL;
}

typedef struct {
    CxuiReviewQueue *queue;
    Search *work;
} Searched;

static void
on_searched(CxJob *job, const GError *error, void *data)
{
    g_autofree Searched *done = data;
    g_autoptr(CxuiReviewQueue) self = done->queue;

    if (job != self->search)
        return;
    g_clear_pointer(&self->search, cx_job_unref);
    if (error != NULL) {
        cxui_session_fail(self->session, error);
        emit_changed(self);
        return;
    }
    g_array_unref(self->list);
    self->list = g_array_ref(done->work->found);
    self->place = 0;
    self->n_edits = 0;
    go_on(self);
}

static void
search(CxuiReviewQueue *self)
{
    CxProject *project = cxui_session_project(self->session);

    if (project == NULL || self->search != NULL)
        return;
    Search *work = g_new0(Search, 1);
    Searched *done = g_new(Searched, 1);
    work->project = cx_project_ref(project);
    work->model = self->model;
    *done = (Searched){g_object_ref(self), work};
    CxuiJobRequest job = {
        .title = "Looking for suspicious places",
        .tier = CX_TIER_PREFETCH,
        .func = run_search,
        .data = work,
        .destroy = search_free,
        .done = on_searched,
        .user_data = done,
    };
    self->search = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

static void
on_project(CxProject *project, void *data)
{
    g_autoptr(CxuiReviewQueue) self = data;

    if (project == NULL || !self->is_on)
        return;
    load_answers(self);
    search(self);
    emit_changed(self);
}

void
cxui_review_queue_start(CxuiReviewQueue *self)
{
    if (self->is_on)
        return;
    if (cxui_session_segments(self->session) == NULL) {
        g_autoptr(GError) error = g_error_new_literal(
            CX_ERROR, CX_ERROR_INVALID,
            "There is nothing to review: nothing is segmented yet");
        cxui_session_fail(self->session, error);
        return;
    }
    self->is_on = true;
    self->n_answered = 0;
    self->worked_us = 0;
    self->last_us = g_get_monotonic_time();
    cxui_session_need_project(self->session, on_project, g_object_ref(self));
    emit_changed(self);
}

void
cxui_review_queue_stop(CxuiReviewQueue *self)
{
    if (!self->is_on)
        return;
    self->is_on = false;
    cancel(&self->search);
    g_array_set_size(self->list, 0);
    self->place = 0;
    cxui_selection_set_tool(cxui_session_selection(self->session),
                            CXUI_TOOL_POINTER);
    emit_changed(self);
}

bool
cxui_review_queue_is_on(CxuiReviewQueue *self)
{
    return self->is_on;
}

bool
cxui_review_queue_is_searching(CxuiReviewQueue *self)
{
    return self->search != NULL;
}

static void
carry_out(CxuiReviewQueue *self, const CxSuspicion *suspicion,
          CxuiAnswer answer)
{
    CxuiEditController *edits = cxui_session_edits(self->session);

    if (suspicion->kind == CX_SUSPECT_SPLIT && answer == CXUI_ANSWER_SAME)
        cxui_edit_controller_merge(edits, suspicion->segment_a,
                                   suspicion->segment_b, suspicion->at);
    else if (suspicion->kind == CX_SUSPECT_MERGE &&
             answer == CXUI_ANSWER_DIFFERENT)
        cxui_edit_controller_commit_split(edits);
    else
        return;
    self->n_edits++;
}

static void
count_time(CxuiReviewQueue *self)
{
    int64_t now = g_get_monotonic_time(), spent = now - self->last_us;

    self->worked_us += MIN(spent, BREAK_US);
    self->last_us = now;
    self->n_answered++;
}

void
cxui_review_queue_answer(CxuiReviewQueue *self, CxuiAnswer answer)
{
    const CxSuspicion *current = cxui_review_queue_current(self);

    if (current == NULL)
        return;
    CxSuspicion suspicion = *current;
    count_time(self);
    note_answer(self, &suspicion, answer);
    carry_out(self, &suspicion, answer);
    self->place++;
    go_on(self);
}

void
cxui_review_queue_step(CxuiReviewQueue *self, int by)
{
    if (!self->is_on || !seek(self, (int64_t)self->place + by, by))
        return;
    show(self);
    emit_changed(self);
}

unsigned
cxui_review_queue_n_answered(CxuiReviewQueue *self)
{
    return self->n_answered;
}

unsigned
cxui_review_queue_n_left(CxuiReviewQueue *self)
{
    return self->list->len - MIN(self->place, self->list->len);
}

double
cxui_review_queue_per_hour(CxuiReviewQueue *self)
{
    return self->n_answered >= 2 && self->worked_us > 0
               ? (double)self->n_answered * 3600e6 / (double)self->worked_us
               : 0;
}

/* --- scores against a truth */

typedef struct {
    char *spec;
    CxProject *project;
    CxLiveScores *scores;
} Count;

static void
count_free(void *data)
{
    Count *count = data;

    cx_project_unref(count->project);
    cx_live_scores_free(count->scores);
    g_free(count->spec);
    g_free(count);
}

/* Worker thread. */
static bool
run_count(CxJob *job, void *data, GError **error)
{
    Count *count = data;
    g_autoptr(CxContingency) table = cx_contingency_new();
    g_autoptr(CxVolume) truth = cx_volume_open(count->spec, job, error);

    if (truth == NULL ||
        !cx_contingency_add_volumes(table, truth,
                                    cx_project_supervoxels(count->project), 0,
                                    false, job, error))
        return false;
    count->scores = cx_live_scores_new(cx_project_graph(count->project), table);
    return true;
}

typedef struct {
    CxuiReviewQueue *queue;
    Count *work;
} Counted;

static void
on_counted(CxJob *job, const GError *error, void *data)
{
    g_autofree Counted *done = data;
    g_autoptr(CxuiReviewQueue) self = done->queue;
    bool is_stale = self->count_again;

    if (job != self->count)
        return;
    g_clear_pointer(&self->count, cx_job_unref);
    if (error != NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    bool is_first = self->scores == NULL;
    g_clear_pointer(&self->scores, cx_live_scores_free);
    self->scores = g_steal_pointer(&done->work->scores);
    if (is_first)
        self->first = cx_live_scores_get(self->scores);
    self->count_again = false;
    if (is_stale)
        count_truth(self);
    emit_changed(self);
}

static void
count_truth(CxuiReviewQueue *self)
{
    CxProject *project = cxui_session_project(self->session);

    if (project == NULL || self->truth == NULL)
        return;
    Count *work = g_new0(Count, 1);
    Counted *done = g_new(Counted, 1);
    cancel(&self->count);
    work->project = cx_project_ref(project);
    work->spec = g_strdup(self->truth);
    *done = (Counted){g_object_ref(self), work};
    CxuiJobRequest job = {
        .title = "Comparing with the truth",
        .tier = CX_TIER_BATCH,
        .func = run_count,
        .data = work,
        .destroy = count_free,
        .done = on_counted,
        .user_data = done,
    };
    self->count = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

void
cxui_review_queue_set_truth(CxuiReviewQueue *self, const char *spec)
{
    cancel(&self->count);
    g_clear_pointer(&self->scores, cx_live_scores_free);
    g_free(self->truth);
    self->truth = g_strdup(spec);
    self->count_again = false;
    count_truth(self);
    emit_changed(self);
}

bool
cxui_review_queue_scores(CxuiReviewQueue *self, CxScores *now, CxScores *first)
{
    if (self->scores == NULL)
        return false;
    *now = cx_live_scores_get(self->scores);
    *first = self->first;
    return true;
}

/* What is asked may be about segments that an edit has just changed. */
static void
keep_up(CxuiReviewQueue *self)
{
    const CxSuspicion *current = cxui_review_queue_current(self);

    if (current == NULL)
        return;
    CxSuspicion now = *current;
    if (!refresh(self, &now) || now.segment_a != current->segment_a ||
        now.segment_b != current->segment_b)
        go_on(self);
}

/* While the truth is being counted an edit may come before or after its
 * supervoxels were looked up: count once more then. */
static void
on_committed(CxuiEditController *edits, const CxEdit *edit, gboolean undone,
             CxuiReviewQueue *self)
{
    if (self->count != NULL)
        self->count_again = true;
    if (self->scores != NULL) {
        cx_live_scores_apply(self->scores, edit, undone);
        emit_changed(self);
    }
    keep_up(self);
}

/* Other data: the queue and the truth were of the former. */
static void
on_closed(CxuiReviewQueue *self)
{
    cxui_review_queue_stop(self);
    cxui_review_queue_set_truth(self, NULL);
}

CxuiReviewQueue *
cxui_review_queue_new(CxuiSession *session)
{
    CxuiReviewQueue *self = g_object_new(CXUI_TYPE_REVIEW_QUEUE, NULL);

    self->session = session;
    g_signal_connect_object(cxui_session_edits(session), "committed",
                            G_CALLBACK(on_committed), self, 0);
    g_signal_connect_object(session, "closed", G_CALLBACK(on_closed), self,
                            G_CONNECT_SWAPPED);
    return self;
}

static void
dispose(GObject *object)
{
    CxuiReviewQueue *self = CXUI_REVIEW_QUEUE(object);

    cancel(&self->search);
    cancel(&self->count);
    g_clear_pointer(&self->store, cx_job_unref);
    g_clear_pointer(&self->scores, cx_live_scores_free);
    g_clear_pointer(&self->list, g_array_unref);
    g_clear_pointer(&self->done, g_hash_table_unref);
    g_clear_pointer(&self->truth, g_free);
    if (self->answers != NULL)
        g_string_free(g_steal_pointer(&self->answers), TRUE);
    G_OBJECT_CLASS(cxui_review_queue_parent_class)->dispose(object);
}

static void
cxui_review_queue_class_init(CxuiReviewQueueClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
    changed_signal =
        g_signal_new("changed", CXUI_TYPE_REVIEW_QUEUE, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_review_queue_init(CxuiReviewQueue *self)
{
    self->list = g_array_new(FALSE, FALSE, sizeof(CxSuspicion));
    self->done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->answers = g_string_new(NULL);
    self->model = cx_suspicion_model_default();
}
