/* Grows one object and proposes what the segments should make of it.
 *
 * Two jobs, one after the other: a Run grows, a Plan looks for supervoxels and
 * paints them.  Both hold what they use; the main loop drops results whose
 * run or generation is over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/grower.h"

#include "app/session/bell.h"
#include "app/session/grower_paint.h"
#include "app/session/session_private.h"
#include "core/base/error.h"

#include <string.h>

#define CHUNK 64 /* side of what is drawn at once */
#define MAX_DRAWN 512
#define FIRST_ID 0x40000000u /* above the ids of loaders and predictions */
#define OBJECT 200           /* how strongly it is drawn, of 255 */

/* Reference counted: the main loop draws from the flood while it grows and
 * afterwards. */
typedef struct {
    gatomicrefcount refs;
    CxVolume *image;
    char *model;
    CxVoxel at;
    uint64_t generation;
    CxuiBell *bell;
    CxuiGrower *grower; /* a reference, until the job is over */

    GMutex lock;    /* guards what follows */
    CxFlood *flood; /* once the network is read */
    CxBox changed;  /* since the main loop looked */
} Run;

typedef struct {
    Run *run;
    CxProject *project;
    CxuiGrower *grower; /* a reference */
    uint64_t number;
    /* results */
    CxGather gather;
    CxuiGrowerPaint *paint;
} Plan;

struct _CxuiGrower {
    GObject parent;
    CxuiSession *session; /* owns us */
    CxuiGrowerState state;
    CxuiBell *bell;
    Run *run;   /* growing or under review */
    CxJob *job; /* of the run */
    Plan *plan; /* the one that holds, or NULL */
    CxJob *planning;
    uint64_t plan_number; /* of the latest call */
    uint32_t grid_id;
    GHashTable *drawn; /* CxChunkIdx → CxChunk */
};

enum { CHANGED, MASK_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiGrower, cxui_grower, G_TYPE_OBJECT)

static Run *
run_ref(Run *run)
{
    g_atomic_ref_count_inc(&run->refs);
    return run;
}

static void
run_unref(void *data)
{
    Run *run = data;

    if (run == NULL || !g_atomic_ref_count_dec(&run->refs))
        return;
    cx_flood_free(run->flood);
    cx_volume_unref(run->image);
    cxui_bell_unref(run->bell);
    g_mutex_clear(&run->lock);
    g_free(run->model);
    g_free(run);
}

static void
plan_free(void *data)
{
    Plan *plan = data;

    if (plan == NULL)
        return;
    run_unref(plan->run);
    cx_project_unref(plan->project);
    g_clear_object(&plan->grower);
    cx_gather_clear(&plan->gather);
    cxui_grower_paint_free(plan->paint);
    g_free(plan);
}

/* Valid until the run is let go. */
static CxFlood *
flood_of(Run *run)
{
    g_mutex_lock(&run->lock);
    CxFlood *flood = run->flood;
    g_mutex_unlock(&run->lock);
    return flood;
}

/* ---- what is drawn */

static guint
hash_index(const void *key)
{
    const CxChunkIdx *i = key;

    return (guint)(i->x * 73856093 ^ i->y * 19349663 ^ i->z * 83492791);
}

static gboolean
equal_index(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(CxChunkIdx)) == 0;
}

static gboolean
lies_in(void *key, void *chunk, void *box)
{
    return !cx_box_is_empty(
        cx_box_intersect(cx_chunk_box(chunk), *(const CxBox *)box));
}

/* Inside of the box the picture is another one. */
static void
redraw(CxuiGrower *self, CxBox box)
{
    g_hash_table_foreach_remove(self->drawn, lies_in, &box);
    self->grid_id++;
    g_signal_emit(self, signals[MASK_CHANGED], 0);
}

static void
redraw_all(CxuiGrower *self)
{
    g_hash_table_remove_all(self->drawn);
    self->grid_id++;
    g_signal_emit(self, signals[MASK_CHANGED], 0);
}

CxuiGrowerGrid
cxui_grower_grid(CxuiGrower *self)
{
    CxVolume *image = cxui_session_image(self->session);

    if (self->run == NULL || image == NULL)
        return (CxuiGrowerGrid){0};
    return (CxuiGrowerGrid){
        .volume_id = self->grid_id,
        .size = cx_volume_level(image, 0).size,
        .chunk = {CHUNK, CHUNK, CHUNK},
        .voxel_nm = cx_volume_level(image, 0).voxel_nm,
        .offset_nm = cx_volume_offset_nm(image),
    };
}

static CxChunk *
draw_flood(CxFlood *flood, CxBox box)
{
    CxChunk *chunk = cx_flood_read(flood, box, NULL);

    if (chunk == NULL)
        return NULL;
    uint8_t *samples = cx_chunk_data_mut(chunk);
    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        samples[i] = samples[i] != 0 ? OBJECT : 0;
    return chunk;
}

static CxChunk *
draw_nothing(CxBox box)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U8, box, 1, NULL);

    if (chunk != NULL)
        memset(cx_chunk_data_mut(chunk), 0, cx_chunk_size_bytes(chunk));
    return chunk;
}

static CxChunk *
draw(CxuiGrower *self, CxBox box)
{
    CxFlood *flood = flood_of(self->run);

    if (self->plan != NULL && self->plan->paint != NULL)
        return cxui_grower_paint_read(self->plan->paint, box);
    if (flood == NULL ||
        cx_box_is_empty(cx_box_intersect(box, cx_flood_state(flood).box)))
        return draw_nothing(box);
    return draw_flood(flood, box);
}

CxChunk *
cxui_grower_lookup(CxuiGrower *self, const CxChunkKey *key)
{
    CxVolume *image = cxui_session_image(self->session);
    CxChunk *chunk = g_hash_table_lookup(self->drawn, &key->idx);

    if (self->run == NULL || image == NULL || key->volume_id != self->grid_id)
        return NULL;
    if (chunk != NULL)
        return cx_chunk_ref(chunk);
    chunk = draw(self,
                 cx_chunk_box_clipped(key->idx, (CxVoxel){CHUNK, CHUNK, CHUNK},
                                      cx_volume_bounds(image, 0)));
    if (chunk == NULL)
        return NULL;
    if (g_hash_table_size(self->drawn) >= MAX_DRAWN)
        g_hash_table_remove_all(self->drawn);
    g_hash_table_insert(self->drawn, g_memdup2(&key->idx, sizeof key->idx),
                        chunk);
    return cx_chunk_ref(chunk);
}

/* ---- states */

static void
set_state(CxuiGrower *self, CxuiGrowerState state)
{
    self->state = state;
    g_signal_emit(self, signals[CHANGED], 0);
}

static void
let_go(CxuiGrower *self)
{
    if (self->job != NULL)
        cx_job_cancel(self->job);
    if (self->planning != NULL)
        cx_job_cancel(self->planning);
    g_clear_pointer(&self->job, cx_job_unref);
    g_clear_pointer(&self->planning, cx_job_unref);
    g_clear_pointer(&self->run, run_unref);
    g_clear_pointer(&self->plan, plan_free);
    self->plan_number++;
    redraw_all(self);
    set_state(self, CXUI_GROWER_IDLE);
}

void
cxui_grower_reset(CxuiGrower *self)
{
    if (self->state != CXUI_GROWER_IDLE)
        let_go(self);
}

/* ---- the plan */

/* Worker thread. */
static bool
run_plan(CxJob *job, void *data, GError **error)
{
    Plan *plan = data;
    CxSupervoxelGraph *graph = cx_project_graph(plan->project);
    CxVolume *labels = cx_project_supervoxels(plan->project);

    cx_job_stage(job, "finding its segments", 0.0, 0.6);
    g_autoptr(GArray) overlaps =
        cx_flood_overlaps(flood_of(plan->run), labels, job, error);
    if (overlaps == NULL)
        return false;
    cx_gather_plan(graph, overlaps, &plan->gather);
    if (plan->gather.inside->len == 0)
        return true;
    cx_job_stage(job, "painting them", 0.6, 1.0);
    plan->paint =
        cxui_grower_paint_new(graph, labels, &plan->gather, job, error);
    return plan->paint != NULL;
}

static void
on_planned(CxJob *job, const GError *error, void *data)
{
    Plan *plan = data;
    CxuiGrower *self = plan->grower;

    if (plan->number != self->plan_number) {
        plan_free(plan);
        return;
    }
    g_clear_pointer(&self->planning, cx_job_unref);
    g_clear_pointer(&self->plan, plan_free);
    if (error == NULL) {
        g_clear_object(&plan->grower);
        self->plan = plan;
    } else {
        cxui_session_fail(self->session, error);
        plan_free(plan);
    }
    redraw_all(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void
start_plan(CxuiGrower *self)
{
    CxProject *project = cxui_session_project(self->session);

    self->plan_number++;
    if (self->planning != NULL)
        cx_job_cancel(self->planning);
    g_clear_pointer(&self->planning, cx_job_unref);
    if (project == NULL) {
        g_clear_pointer(&self->plan, plan_free);
        return;
    }
    Plan *plan = g_new0(Plan, 1);
    plan->run = run_ref(self->run);
    plan->project = cx_project_ref(project);
    plan->grower = g_object_ref(self);
    plan->number = self->plan_number;
    CxuiJobRequest request = {
        .title = "Finding the segments of the object",
        .tier = CX_TIER_VISIBLE,
        .hidden = true,
        .func = run_plan,
        .data = plan,
        .done = on_planned,
        .user_data = plan,
    };
    self->planning =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

/* Supervoxels appeared, or segments are others. */
static void
on_segments_changed(CxuiGrower *self)
{
    if (self->state != CXUI_GROWER_REVIEW)
        return;
    start_plan(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- the run */

/* Worker thread. */
static void
on_step(void *data, const CxFloodState *state)
{
    Run *run = data;

    g_mutex_lock(&run->lock);
    run->changed = cx_box_union(run->changed, state->changed);
    g_mutex_unlock(&run->lock);
    cxui_bell_ring(run->bell);
}

/* Worker thread. */
static bool
run_run(CxJob *job, void *data, GError **error)
{
    Run *run = data;
    CxFloodOptions options = {.hook = on_step, .hook_data = run};

    cx_job_stage(job, "reading the network", 0.0, 0.02);
    g_autoptr(CxNetwork) network = cx_network_load(run->model, error);
    if (network == NULL)
        return false;
    CxFlood *flood = cx_flood_new(network, run->image, &options, error);
    if (flood == NULL)
        return false;
    g_mutex_lock(&run->lock);
    run->flood = flood;
    g_mutex_unlock(&run->lock);
    cx_job_stage(job, "growing", 0.02, 1.0);
    return cx_flood_grow(flood, run->at, job, error);
}

/* Main loop: some steps have been made. */
static void
on_bell(GObject *object)
{
    CxuiGrower *self = CXUI_GROWER(object);

    if (self->run == NULL || self->state != CXUI_GROWER_GROWING)
        return;
    g_mutex_lock(&self->run->lock);
    CxBox changed = self->run->changed;
    self->run->changed = (CxBox){{0, 0, 0}, {0, 0, 0}};
    g_mutex_unlock(&self->run->lock);
    redraw(self, changed);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void
say_too_small(CxuiGrower *self, CxFloodState state, uint64_t least)
{
    CxVoxel at = self->run->at;
    g_autoptr(GError) error = g_error_new(
        CX_ERROR, CX_ERROR_NOT_FOUND,
        "No object grew from %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT ": found %" G_GUINT64_FORMAT
        " voxels, expected at least %" G_GUINT64_FORMAT,
        at.x, at.y, at.z, state.n_voxels, least);

    cxui_session_fail(self->session, error);
}

static void
on_run_done(CxJob *job, const GError *error, void *data)
{
    Run *run = data;
    CxuiGrower *self = run->grower;
    bool ours = self->run == run &&
                run->generation == cxui_session_generation(self->session);
    bool stopped = error != NULL && cx_error_is_cancelled(error);
    CxFlood *flood = flood_of(run);

    if (ours) {
        CxFloodState state = cxui_grower_flood_state(self);
        uint64_t least = flood != NULL ? cx_flood_min_voxels(flood) : 0;

        least = MAX(least, 1);
        g_clear_pointer(&self->job, cx_job_unref);
        if (error != NULL && !stopped)
            cxui_session_fail(self->session, error);
        else if (state.n_voxels < least && !stopped)
            say_too_small(self, state, least);
        if ((error != NULL && !stopped) || state.n_voxels < least) {
            let_go(self);
        } else {
            start_plan(self);
            redraw_all(self);
            set_state(self, CXUI_GROWER_REVIEW);
        }
    }
    run->grower = NULL;
    g_object_unref(self);
}

void
cxui_grower_start(CxuiGrower *self, CxVoxel at)
{
    CxVolume *image = cxui_session_image(self->session);

    if (!cxui_grower_can_start(self))
        return;
    cxui_grower_reset(self);
    Run *run = g_new0(Run, 1);
    g_atomic_ref_count_init(&run->refs);
    run->image = cx_volume_ref(image);
    run->model = g_strdup(cxui_grower_model(self));
    run->at = at;
    run->generation = cxui_session_generation(self->session);
    run->bell = cxui_bell_ref(self->bell);
    run->grower = g_object_ref(self);
    g_mutex_init(&run->lock);
    CxuiJobRequest request = {
        .title = "Growing an object",
        .tier = CX_TIER_VISIBLE,
        .func = run_run,
        .data = run,
        .destroy = run_unref,
        .done = on_run_done,
        .user_data = run,
    };
    self->run = run_ref(run);
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &request);
    set_state(self, CXUI_GROWER_GROWING);
}

bool
cxui_grower_cancel(CxuiGrower *self)
{
    if (self->state == CXUI_GROWER_IDLE)
        return false;
    if (self->state == CXUI_GROWER_GROWING)
        cx_job_cancel(self->job);
    else
        let_go(self);
    return true;
}

bool
cxui_grower_is_ready(CxuiGrower *self)
{
    return self->state == CXUI_GROWER_REVIEW && self->planning == NULL &&
           self->plan != NULL && self->plan->gather.movers->len > 0;
}

bool
cxui_grower_commit(CxuiGrower *self)
{
    if (!cxui_grower_is_ready(self))
        return false;
    const CxGather *gather = &self->plan->gather;
    CxId keep = gather->keep;

    cxui_edit_controller_gather(
        cxui_session_edits(self->session), keep,
        (const CxId *)(const void *)gather->movers->data, gather->movers->len,
        self->run->at);
    let_go(self);
    if (keep != 0)
        cxui_selection_select(cxui_session_selection(self->session), keep);
    return true;
}

CxuiGrowerState
cxui_grower_state(CxuiGrower *self)
{
    return self->state;
}

CxFloodState
cxui_grower_flood_state(CxuiGrower *self)
{
    CxFlood *flood = self->run != NULL ? flood_of(self->run) : NULL;

    return flood != NULL ? cx_flood_state(flood) : (CxFloodState){0};
}

const CxGather *
cxui_grower_plan(CxuiGrower *self)
{
    return self->state == CXUI_GROWER_REVIEW && self->planning == NULL &&
                   self->plan != NULL
               ? &self->plan->gather
               : NULL;
}

bool
cxui_grower_is_planning(CxuiGrower *self)
{
    return self->planning != NULL;
}

/* ---- the network */

const char *
cxui_grower_model(CxuiGrower *self)
{
    return cxui_settings_grow_model(cxui_session_settings(self->session));
}

void
cxui_grower_set_model(CxuiGrower *self, const char *path)
{
    g_object_set(cxui_session_settings(self->session), "grow-model", path,
                 NULL);
    g_signal_emit(self, signals[CHANGED], 0);
}

bool
cxui_grower_can_start(CxuiGrower *self)
{
    return cxui_session_image(self->session) != NULL &&
           self->state != CXUI_GROWER_GROWING &&
           cxui_grower_model(self)[0] != '\0';
}

/* ---- the object */

CxuiGrower *
cxui_grower_new(CxuiSession *session)
{
    CxuiGrower *self = g_object_new(CXUI_TYPE_GROWER, NULL);

    self->session = session;
    g_signal_connect_object(session, "block-segmented",
                            G_CALLBACK(on_segments_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "segments-changed",
                            G_CALLBACK(on_segments_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed",
                            G_CALLBACK(on_segments_changed), self,
                            G_CONNECT_SWAPPED);
    return self;
}

static void
finalize(GObject *object)
{
    CxuiGrower *self = CXUI_GROWER(object);

    g_clear_pointer(&self->job, cx_job_unref);
    g_clear_pointer(&self->planning, cx_job_unref);
    g_clear_pointer(&self->run, run_unref);
    g_clear_pointer(&self->plan, plan_free);
    g_hash_table_unref(self->drawn);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_grower_parent_class)->finalize(object);
}

static void
cxui_grower_class_init(CxuiGrowerClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] =
        g_signal_new("changed", CXUI_TYPE_GROWER, G_SIGNAL_RUN_LAST, 0, NULL,
                     NULL, NULL, G_TYPE_NONE, 0);
    signals[MASK_CHANGED] =
        g_signal_new("mask-changed", CXUI_TYPE_GROWER, G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_grower_init(CxuiGrower *self)
{
    self->grid_id = FIRST_ID;
    self->bell = cxui_bell_new(G_OBJECT(self), on_bell);
    self->drawn = g_hash_table_new_full(hash_index, equal_index, g_free,
                                        (GDestroyNotify)cx_chunk_unref);
}
