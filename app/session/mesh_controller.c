/* Which segments need surfaces.
 *
 * Each id has an entry.  An edit raises the entry's epoch: a surface that
 * comes home from an older epoch is shown as stale and built again.  At most
 * MAX_JOBS jobs run, so that slices get the workers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/mesh_controller.h"

#include "app/session/session_private.h"
#include "core/base/error.h"

#include <string.h>

#define MAX_JOBS 2

/* Label volumes larger than this are meshed from a coarser level. */
#define MAX_MESHED_VOXELS ((size_t)1 << 30)

/* What a job needs of the open data; outlives a change of data. */
typedef struct {
    CxMeshBuilder *builder;
    CxProject *project; /* keeps the labels alive; or NULL */
} Source;

typedef struct {
    CxMesh *mesh; /* or NULL */
    bool stale;
    uint64_t version;
    char *reason;
    CxJob *job;
    uint64_t epoch;
    int64_t wanted_us; /* when it was last wanted */
} Entry;

struct _CxuiMeshController {
    GObject parent;
    CxuiSession *session; /* owns us */
    Source *source;       /* or NULL */
    GHashTable *entries;  /* CxId → Entry */
    GArray *extra;        /* of CxId: asked for by want() */
    GArray *wanted;       /* of CxId: selected, then extra */
    uint64_t last_version;
    unsigned n_jobs;
    size_t used_bytes;
};

enum {
    PROPERTY_N_PENDING = 1,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];
static guint mesh_changed_signal;

G_DEFINE_FINAL_TYPE(CxuiMeshController, cxui_mesh_controller, G_TYPE_OBJECT)

static void
source_clear(void *data)
{
    Source *source = data;

    cx_mesh_builder_free(source->builder);
    g_clear_pointer(&source->project, cx_project_unref);
}

static void
source_unref(void *source)
{
    g_atomic_rc_box_release_full(source, source_clear);
}

static size_t
mesh_bytes(const CxMesh *mesh)
{
    if (mesh == NULL)
        return 0;
    return (size_t)mesh->n_vertices * 6 * sizeof(float) +
           (size_t)mesh->n_triangles * 3 * sizeof(uint32_t);
}

static void
entry_free(void *data)
{
    Entry *entry = data;

    cx_mesh_free(entry->mesh);
    g_free(entry->reason);
    if (entry->job != NULL)
        cx_job_cancel(entry->job);
    g_clear_pointer(&entry->job, cx_job_unref);
    g_free(entry);
}

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    g_value_set_uint(
        value, cxui_mesh_controller_n_pending(CXUI_MESH_CONTROLLER(object)));
}

static void
finalize(GObject *object)
{
    CxuiMeshController *self = CXUI_MESH_CONTROLLER(object);

    g_hash_table_unref(self->entries);
    g_array_unref(self->extra);
    g_array_unref(self->wanted);
    g_clear_pointer(&self->source, source_unref);
    G_OBJECT_CLASS(cxui_mesh_controller_parent_class)->finalize(object);
}

static void
cxui_mesh_controller_class_init(CxuiMeshControllerClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);

    object_class->get_property = get_property;
    object_class->finalize = finalize;
    specs[PROPERTY_N_PENDING] =
        g_param_spec_uint("n-pending", NULL, NULL, 0, G_MAXUINT, 0,
                          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
    mesh_changed_signal = g_signal_new(
        "mesh-changed", CXUI_TYPE_MESH_CONTROLLER, G_SIGNAL_RUN_LAST, 0, NULL,
        NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);
}

static void
cxui_mesh_controller_init(CxuiMeshController *self)
{
    self->entries =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, entry_free);
    self->extra = g_array_new(FALSE, FALSE, sizeof(CxId));
    self->wanted = g_array_new(FALSE, FALSE, sizeof(CxId));
}

static Entry *
find_entry(CxuiMeshController *self, CxId id)
{
    return g_hash_table_lookup(self->entries, &id);
}

static Entry *
make_entry(CxuiMeshController *self, CxId id)
{
    Entry *entry = find_entry(self, id);

    if (entry == NULL) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(self->entries, g_memdup2(&id, sizeof id), entry);
    }
    return entry;
}

static void
emit_mesh_changed(CxuiMeshController *self, CxId id)
{
    g_signal_emit(self, mesh_changed_signal, 0, id);
}

static void
notify_pending(CxuiMeshController *self)
{
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_N_PENDING]);
}

static void
set_mesh(CxuiMeshController *self, Entry *entry, CxMesh *mesh, bool stale)
{
    self->used_bytes -= mesh_bytes(entry->mesh);
    self->used_bytes += mesh_bytes(mesh);
    cx_mesh_free(entry->mesh);
    entry->mesh = mesh;
    entry->stale = stale;
    entry->version = ++self->last_version;
}

static bool
is_wanted(CxuiMeshController *self, CxId id)
{
    for (guint i = 0; i < self->wanted->len; i++)
        if (g_array_index(self->wanted, CxId, i) == id)
            return true;
    return false;
}

static void
drop_entry(CxuiMeshController *self, CxId id)
{
    Entry *entry = find_entry(self, id);

    if (entry == NULL)
        return;
    bool shown = entry->mesh != NULL;
    self->used_bytes -= mesh_bytes(entry->mesh);
    g_hash_table_remove(self->entries, &id);
    if (shown)
        emit_mesh_changed(self, id);
}

/* Drops surfaces nobody wants, the one that was wanted longest ago first. */
static void
keep_budget(CxuiMeshController *self)
{
    size_t budget =
        cxui_settings_mesh_budget_bytes(cxui_session_settings(self->session));

    while (self->used_bytes > budget) {
        GHashTableIter iter;
        void *key, *value;
        CxId oldest = 0;
        int64_t oldest_us = G_MAXINT64;

        g_hash_table_iter_init(&iter, self->entries);
        while (g_hash_table_iter_next(&iter, &key, &value)) {
            const Entry *entry = value;
            CxId id = *(CxId *)key;

            if (entry->mesh == NULL || entry->wanted_us >= oldest_us ||
                is_wanted(self, id))
                continue;
            oldest = id;
            oldest_us = entry->wanted_us;
        }
        if (oldest == 0)
            return;
        drop_entry(self, oldest);
    }
}

/* A job: its input, and the surface it makes. */
typedef struct {
    CxuiMeshController *controller; /* a reference, for the main loop */
    Source *source;
    CxId id;
    CxBox box;
    uint64_t epoch;
    CxMesh *mesh;
} Build;

static void
build_free(void *data)
{
    Build *build = data;

    g_object_unref(build->controller);
    source_unref(build->source);
    cx_mesh_free(build->mesh);
    g_free(build);
}

/* Worker thread. */
static bool
run_build(CxJob *job, void *data, GError **error)
{
    Build *build = data;

    build->mesh = cx_mesh_builder_run(build->source->builder, build->id,
                                      build->box, job, error);
    return build->mesh != NULL;
}

static void start_builds(CxuiMeshController *self);

/* What came home for an entry that is still there. */
static void
take_build(CxuiMeshController *self, Entry *entry, Build *build,
           const GError *error)
{
    bool late = build->epoch != entry->epoch;

    g_clear_pointer(&entry->job, cx_job_unref);
    if (error == NULL)
        set_mesh(self, entry, g_steal_pointer(&build->mesh), late);
    else if (!late && !cx_error_is_cancelled(error))
        entry->reason = g_strdup(error->message);
    emit_mesh_changed(self, build->id);
}

static void
on_build_done(CxJob *job, const GError *error, void *data)
{
    Build *build = data;
    CxuiMeshController *self = build->controller;
    Entry *entry = find_entry(self, build->id);

    self->n_jobs--;
    if (build->source == self->source && entry != NULL && entry->job == job)
        take_build(self, entry, build, error);
    keep_budget(self);
    start_builds(self);
    notify_pending(self);
}

static CxBox
box_of(CxuiMeshController *self, CxId id)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);
    CxSegment segment;

    if (graph != NULL && cx_supervoxel_graph_segment(graph, id, &segment))
        return segment.box;
    return cx_volume_bounds(cxui_session_segments(self->session), 0);
}

static void
start_build(CxuiMeshController *self, CxId id, Entry *entry)
{
    Build *build = g_new0(Build, 1);
    g_autofree char *title =
        g_strdup_printf("Surface of %" G_GUINT64_FORMAT, id);

    build->controller = g_object_ref(self);
    build->source = g_atomic_rc_box_acquire(self->source);
    build->id = id;
    build->box = box_of(self, id);
    build->epoch = entry->epoch;
    CxuiJobRequest job = {
        .title = title,
        .tier = CX_TIER_PREFETCH,
        .hidden = true,
        .func = run_build,
        .data = build,
        .destroy = build_free,
        .done = on_build_done,
        .user_data = build,
    };
    self->n_jobs++;
    entry->job = cxui_job_list_start(cxui_session_jobs(self->session), &job);
}

static bool
needs_build(const Entry *entry)
{
    return entry->job == NULL && entry->reason == NULL &&
           (entry->mesh == NULL || entry->stale);
}

static void
start_builds(CxuiMeshController *self)
{
    size_t budget =
        cxui_settings_mesh_budget_bytes(cxui_session_settings(self->session));

    for (guint i = 0; self->source != NULL && i < self->wanted->len; i++) {
        CxId id = g_array_index(self->wanted, CxId, i);
        Entry *entry = make_entry(self, id);

        if (self->n_jobs >= MAX_JOBS)
            return;
        if (!needs_build(entry))
            continue;
        if (self->used_bytes > budget) {
            entry->reason = g_strdup("The memory for surfaces is used up: "
                                     "select fewer segments or raise it in "
                                     "Preferences");
            emit_mesh_changed(self, id);
            continue;
        }
        start_build(self, id, entry);
    }
}

static void
append_wanted(CxuiMeshController *self, CxId id)
{
    if (cxui_selection_is_hidden(cxui_session_selection(self->session), id) ||
        is_wanted(self, id))
        return;
    g_array_append_val(self->wanted, id);
    make_entry(self, id)->wanted_us = g_get_monotonic_time();
}

/* Jobs for what is not wanted any more make room. */
static void
cancel_unwanted(CxuiMeshController *self)
{
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const Entry *entry = value;

        if (entry->job != NULL && !is_wanted(self, *(CxId *)key))
            cx_job_cancel(entry->job);
    }
}

static void
update_wanted(CxuiMeshController *self)
{
    size_t n;
    const CxId *ids =
        cxui_selection_ids(cxui_session_selection(self->session), &n);

    g_array_set_size(self->wanted, 0);
    for (size_t i = n; i > 0; i--)
        append_wanted(self, ids[i - 1]);
    for (guint i = 0; i < self->extra->len; i++)
        append_wanted(self, g_array_index(self->extra, CxId, i));
    cancel_unwanted(self);
    keep_budget(self);
    start_builds(self);
    notify_pending(self);
}

static void
on_selection_changed(CxuiSelection *selection, guint what,
                     CxuiMeshController *self)
{
    if (what & (CXUI_SELECTION_IDS | CXUI_SELECTION_HIDDEN))
        update_wanted(self);
}

CxuiMeshController *
cxui_mesh_controller_new(CxuiSession *session)
{
    CxuiMeshController *self = g_object_new(CXUI_TYPE_MESH_CONTROLLER, NULL);

    self->session = session;
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    return self;
}

void
cxui_mesh_controller_want(CxuiMeshController *self, const CxId *ids, size_t n)
{
    g_array_set_size(self->extra, 0);
    if (n > 0)
        g_array_append_vals(self->extra, ids, (guint)n);
    update_wanted(self);
}

const CxId *
cxui_mesh_controller_wanted(CxuiMeshController *self, size_t *n)
{
    *n = self->wanted->len;
    return (const CxId *)self->wanted->data;
}

const CxMesh *
cxui_mesh_controller_mesh(CxuiMeshController *self, CxId id, bool *stale,
                          uint64_t *version)
{
    const Entry *entry = find_entry(self, id);

    if (entry == NULL || entry->mesh == NULL)
        return NULL;
    if (stale != NULL)
        *stale = entry->stale;
    if (version != NULL)
        *version = entry->version;
    return entry->mesh;
}

const char *
cxui_mesh_controller_reason(CxuiMeshController *self, CxId id)
{
    const Entry *entry = find_entry(self, id);

    return entry != NULL ? entry->reason : NULL;
}

bool
cxui_mesh_controller_is_pending(CxuiMeshController *self, CxId id)
{
    const Entry *entry = find_entry(self, id);

    return entry != NULL && is_wanted(self, id) &&
           (entry->job != NULL || needs_build(entry));
}

unsigned
cxui_mesh_controller_n_pending(CxuiMeshController *self)
{
    unsigned n = 0;

    for (guint i = 0; i < self->wanted->len; i++) {
        const Entry *entry =
            find_entry(self, g_array_index(self->wanted, CxId, i));

        n += entry != NULL && (entry->job != NULL || needs_build(entry));
    }
    return n;
}

size_t
cxui_mesh_controller_used_bytes(CxuiMeshController *self)
{
    return self->used_bytes;
}

/* The finest level that is not too large. */
static unsigned
level_to_mesh(CxVolume *segments)
{
    unsigned n_levels = cx_volume_n_levels(segments);

    for (unsigned level = 0; level < n_levels; level++) {
        size_t n;

        if (cx_box_n_voxels(cx_volume_bounds(segments, level), &n) &&
            n <= MAX_MESHED_VOXELS)
            return level;
    }
    return 0;
}

static Source *
source_new(CxuiMeshController *self, CxVolume *segments, CxProject *project)
{
    Source *source = g_atomic_rc_box_new0(Source);
    CxMeshOptions options = cx_mesh_defaults();

    options.n_threads = 1;
    options.level = project != NULL ? 0 : level_to_mesh(segments);
    options.cache_bytes =
        cxui_settings_mesh_budget_bytes(cxui_session_settings(self->session)) /
        2;
    source->builder = cx_mesh_builder_new(segments, &options);
    source->project = project != NULL ? cx_project_ref(project) : NULL;
    return source;
}

void
cxui_mesh_controller_reset(CxuiMeshController *self, CxVolume *segments,
                           CxProject *project)
{
    g_hash_table_remove_all(self->entries);
    self->used_bytes = 0;
    g_array_set_size(self->extra, 0);
    g_clear_pointer(&self->source, source_unref);
    if (segments != NULL)
        self->source = source_new(self, segments, project);
    update_wanted(self);
}

static void
mark_stale(CxuiMeshController *self, CxId id)
{
    Entry *entry = find_entry(self, id);

    if (entry == NULL)
        return;
    entry->epoch++;
    entry->stale = true;
    g_clear_pointer(&entry->reason, g_free);
    if (entry->job != NULL)
        cx_job_cancel(entry->job);
    if (entry->mesh != NULL)
        emit_mesh_changed(self, id);
}

/* Both surfaces as one, in the frame of the first; nothing is welded, it only
 * bridges the time until the true one is there. */
static CxMesh *
put_together(const CxMesh *a, const CxMesh *b)
{
    CxMesh *both = cx_mesh_new(a->n_vertices + b->n_vertices,
                               a->n_triangles + b->n_triangles);
    float shift[3] = {(float)(b->origin_nm.x - a->origin_nm.x),
                      (float)(b->origin_nm.y - a->origin_nm.y),
                      (float)(b->origin_nm.z - a->origin_nm.z)};
    size_t n_a = (size_t)a->n_vertices * 3, n_b = (size_t)b->n_vertices * 3;
    size_t t_a = (size_t)a->n_triangles * 3, t_b = (size_t)b->n_triangles * 3;

    both->origin_nm = a->origin_nm;
    memcpy(both->positions, a->positions, n_a * sizeof(float));
    memcpy(both->normals, a->normals, n_a * sizeof(float));
    memcpy(both->normals + n_a, b->normals, n_b * sizeof(float));
    memcpy(both->indices, a->indices, t_a * sizeof(uint32_t));
    for (size_t i = 0; i < n_b; i++)
        both->positions[n_a + i] = b->positions[i] + shift[i % 3];
    for (size_t i = 0; i < t_b; i++)
        both->indices[t_a + i] = b->indices[i] + a->n_vertices;
    return both;
}

/* A merged segment shows the union at once. */
static void
show_union(CxuiMeshController *self, CxId gone, CxId kept)
{
    const Entry *from = find_entry(self, gone);
    Entry *to = find_entry(self, kept);

    if (from == NULL || from->mesh == NULL || to == NULL || to->mesh == NULL)
        return;
    set_mesh(self, to, put_together(to->mesh, from->mesh), true);
    emit_mesh_changed(self, kept);
}

static bool
exists(CxuiMeshController *self, CxId id)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);
    CxSegment segment;

    return graph == NULL || cx_supervoxel_graph_segment(graph, id, &segment);
}

void
cxui_mesh_controller_edited(CxuiMeshController *self, const CxEdit *edit,
                            bool undone, CxBox box)
{
    if (self->source == NULL || edit->moves == NULL || edit->moves->len == 0)
        return;
    cx_mesh_builder_invalidate(self->source->builder, box);
    for (guint i = 0; i < edit->moves->len; i++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, i);
        CxId from = undone ? move->to : move->from;
        CxId to = undone ? move->from : move->to;

        mark_stale(self, from);
        mark_stale(self, to);
        if (!exists(self, from)) {
            show_union(self, from, to);
            drop_entry(self, from);
        }
    }
    start_builds(self);
    notify_pending(self);
}

void
cxui_mesh_controller_labels_changed(CxuiMeshController *self, CxBox box)
{
    if (self->source == NULL)
        return;
    cx_mesh_builder_invalidate(self->source->builder, box);
    for (guint i = 0; i < self->wanted->len; i++) {
        CxId id = g_array_index(self->wanted, CxId, i);

        if (!cx_box_is_empty(cx_box_intersect(box_of(self, id), box)))
            mark_stale(self, id);
    }
    start_builds(self);
    notify_pending(self);
}
