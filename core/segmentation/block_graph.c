/* Region graph of a block.
 *
 * Labels of the block and those beyond its faces share one dense numbering:
 * 1 … count for the block, then the strangers in order of first sight.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/block_graph.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/jobs/parallel.h"
#include "core/segmentation/region_graph.h"

#include <stdlib.h>
#include <string.h>

#define SLAB 16 /* slices a thread takes at once */

typedef struct {
    const CxBlockInput *input;
    const CxBlockOptions *options;
    CxBox box, grown;
    CxVoxel size;
    const uint32_t *labels; /* dense, over box */
    uint32_t count;
    const CxAffinities *affinities;
    const GArray *links; /* of CxEdge, instead of contacts along z; or NULL */
    GArray *strangers;   /* of CxId: label count + 1 + index */
    CxContacts **per_thread;
    int64_t slab; /* slices */
} Graph;

static const uint8_t *
at_or_null(const uint8_t *values, size_t offset)
{
    return values != NULL ? values + offset : NULL;
}

/* Faces whose lower voxel lies in the row; the row's labels start at `at`. */
static void
add_near_row(Graph *graph, CxContacts *contacts, size_t at, CxVoxel first)
{
    size_t nx = (size_t)graph->size.x;
    size_t steps[3] = {1, nx, nx * (size_t)graph->size.y};
    bool has_next[3] = {true, first.y + 1 < graph->box.hi.y,
                        graph->links == NULL && first.z + 1 < graph->box.hi.z};
    size_t from = cx_box_offset(graph->grown, first);

    for (int axis = 0; axis < 3; axis++) {
        if (has_next[axis])
            cx_contacts_add_row(
                contacts, graph->labels + at, graph->labels + at + steps[axis],
                at_or_null(graph->affinities->near_axis[axis], from),
                axis == 0 ? nx - 1 : nx);
    }
}

static void
add_far_row(Graph *graph, CxContacts *contacts, size_t at, CxVoxel first)
{
    const CxOutputRoles *roles = &graph->input->roles;
    CxVoxel size = graph->size;
    size_t from = cx_box_offset(graph->grown, first);

    for (unsigned f = 0; f < roles->n_far; f++) {
        CxVoxel o = roles->far[f].offset;
        if (first.y + o.y >= graph->box.hi.y ||
            first.z + o.z >= graph->box.hi.z || o.x >= size.x)
            continue;
        size_t step = (size_t)((o.z * size.y + o.y) * size.x + o.x);
        cx_contacts_add_far_row(
            contacts, graph->labels + at, graph->labels + at + step,
            graph->affinities->far[f] + from, (size_t)(size.x - o.x));
    }
}

static void
each_row(Graph *graph, int64_t z0, CxContacts *contacts,
         void (*add)(Graph *, CxContacts *, size_t, CxVoxel))
{
    CxBox box = graph->box;
    int64_t z1 = MIN(box.hi.z, box.lo.z + z0 + graph->slab);

    for (int64_t z = box.lo.z + z0; z < z1; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxVoxel first = {box.lo.x, y, z};
            add(graph, contacts, cx_box_offset(box, first), first);
        }
    }
}

static bool
do_near_slab(size_t item, unsigned worker, void *data, GError **error)
{
    Graph *graph = data;

    each_row(graph, (int64_t)item * graph->slab, graph->per_thread[worker],
             add_near_row);
    return true;
}

static bool
do_far_slab(size_t item, unsigned worker, void *data, GError **error)
{
    Graph *graph = data;

    each_row(graph, (int64_t)item * graph->slab, graph->per_thread[worker],
             add_far_row);
    return true;
}

/* Adds up the tables of all threads in the first. */
static void
gather(Graph *graph, unsigned n_threads)
{
    for (unsigned i = 1; i < n_threads; i++) {
        cx_contacts_merge(graph->per_thread[0], graph->per_thread[i]);
        g_clear_pointer(&graph->per_thread[i], cx_contacts_free);
    }
}

static bool
add_inner(Graph *graph, unsigned n_threads, CxJob *job, GError **error)
{
    size_t n_slabs = (size_t)((graph->size.z + graph->slab - 1) / graph->slab);
    bool wants_far =
        graph->input->roles.n_far > 0 && graph->options->long_weight > 0;

    if (!cx_parallel_for(n_threads, n_slabs, do_near_slab, graph, job, error))
        return false;
    gather(graph, n_threads);
    if (!wants_far)
        return true;
    for (unsigned i = 1; i < n_threads; i++)
        graph->per_thread[i] = cx_contacts_dup_pairs(graph->per_thread[0]);
    if (!cx_parallel_for(n_threads, n_slabs, do_far_slab, graph, job, error))
        return false;
    gather(graph, n_threads);
    return true;
}

/* --- faces ------------------------------------------------------------------ */

/* The plane of voxels on either side of face f: coordinate along the axis. */
typedef struct {
    int axis;
    int64_t inner, outer, lower; /* lower of the two */
} Face;

static Face
face_of(const Graph *graph, int f)
{
    int64_t lo[3] = {graph->box.lo.x, graph->box.lo.y, graph->box.lo.z};
    int64_t hi[3] = {graph->box.hi.x, graph->box.hi.y, graph->box.hi.z};
    int axis = f / 2;

    if (f % 2 == 0)
        return (Face){axis, lo[axis], lo[axis] - 1, lo[axis] - 1};
    return (Face){axis, hi[axis] - 1, hi[axis], hi[axis] - 1};
}

static CxBox
plane_box(CxBox box, int axis, int64_t at)
{
    int64_t *lo = axis == 0 ? &box.lo.x : axis == 1 ? &box.lo.y : &box.lo.z;
    int64_t *hi = axis == 0 ? &box.hi.x : axis == 1 ? &box.hi.y : &box.hi.z;

    *lo = at;
    *hi = at + 1;
    return box;
}

static uint32_t
stranger_label(Graph *graph, CxHash64 *index, CxId id)
{
    bool was_new = false;
    uint64_t *at;

    if (id == 0)
        return 0;
    at = cx_hash64_at(index, id, graph->count + 1 + graph->strangers->len,
                      &was_new);
    if (was_new)
        g_array_append_val(graph->strangers, id);
    return (uint32_t)*at;
}

static void
add_face(Graph *graph, int f, CxChunk *beyond, CxHash64 *index)
{
    Face face = face_of(graph, f);
    CxBox plane = cx_box_intersect(plane_box(graph->box, face.axis, face.outer),
                                   cx_chunk_box(beyond));
    const CxId *ids = cx_chunk_data(beyond);
    const uint8_t *values = graph->affinities->near_axis[face.axis];
    bool known = cx_box_contains_box(graph->grown,
                                     plane_box(plane, face.axis, face.lower));

    for (int64_t z = plane.lo.z; z < plane.hi.z; z++) {
        for (int64_t y = plane.lo.y; y < plane.hi.y; y++) {
            for (int64_t x = plane.lo.x; x < plane.hi.x; x++) {
                CxVoxel out = {x, y, z};
                int64_t at[3] = {x, y, z};
                at[face.axis] = face.inner;
                CxVoxel in = {at[0], at[1], at[2]};
                at[face.axis] = face.lower;
                CxVoxel low = {at[0], at[1], at[2]};
                uint32_t a = graph->labels[cx_box_offset(graph->box, in)];
                uint32_t b = stranger_label(
                    graph, index,
                    ids[cx_box_offset(cx_chunk_box(beyond), out)]);

                cx_contacts_add_row(
                    graph->per_thread[0], &a, &b,
                    known ? at_or_null(values, cx_box_offset(graph->grown, low))
                          : NULL,
                    1);
            }
        }
    }
}

static bool
add_faces(Graph *graph, CxJob *job, GError **error)
{
    g_autoptr(CxHash64) index = cx_hash64_new(1024);

    for (int f = 0; graph->input->faces != NULL && f < 6; f++) {
        CxChunk *beyond = graph->input->faces[f];
        if (!cx_job_step(job, (uint64_t)f, 6, error))
            return false;
        bool is_linked = f >= 4 && graph->links != NULL;
        if (beyond != NULL && !is_linked)
            add_face(graph, f, beyond, index);
    }
    return true;
}

/* --- result ------------------------------------------------------------------ */

static CxId
id_of(const Graph *graph, uint32_t label)
{
    if (label <= graph->count)
        return graph->input->first_id + label - 1;
    return g_array_index(graph->strangers, CxId, label - graph->count - 1);
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

static GArray *
edges_of(const Graph *graph)
{
    g_autoptr(GArray) contacts = cx_contacts_sorted(graph->per_thread[0]);
    GArray *edges =
        g_array_sized_new(FALSE, FALSE, sizeof(CxEdge), contacts->len);
    double w = graph->options->long_weight;

    for (guint i = 0; i < contacts->len; i++) {
        const CxContact *c = &g_array_index(contacts, CxContact, i);
        CxId a = id_of(graph, c->a), b = id_of(graph, c->b);
        double sum = (double)c->sum + w * (double)c->far_sum;
        double n = c->n_faces + w * c->n_far;
        CxEdge edge = {MIN(a, b), MAX(a, b), (float)(sum / n / 255),
                       c->n_faces};
        g_array_append_val(edges, edge);
    }
    if (graph->links != NULL && graph->links->len > 0)
        g_array_append_vals(edges, graph->links->data, graph->links->len);
    if (edges->len > 1)
        qsort(edges->data, edges->len, sizeof(CxEdge), compare_edges);
    return edges;
}

static CxFragments *
result_of(const Graph *graph, GError **error)
{
    CxFragments *out = NULL;
    CxChunk *labels = cx_chunk_new(CX_DTYPE_U64, graph->box, 1, error);

    if (labels == NULL)
        return NULL;
    CxId *ids = cx_chunk_data_mut(labels);
    CxId before = graph->input->first_id - 1;
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        ids[i] = graph->labels[i] != 0 ? before + graph->labels[i] : 0;
    out = g_new0(CxFragments, 1);
    out->labels = labels;
    out->supervoxels = g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_array_set_size(out->supervoxels, graph->count);
    if (graph->count > 0)
        cx_supervoxels_measure(graph->labels, graph->box, graph->count,
                               (CxSupervoxel *)(void *)out->supervoxels->data);
    for (uint32_t i = 0; i < graph->count; i++)
        g_array_index(out->supervoxels, CxSupervoxel, i).id =
            graph->input->first_id + i;
    out->edges = edges_of(graph);
    return out;
}

static bool
build(Graph *graph, unsigned n_threads, CxJob *job, GError **error)
{
    return add_inner(graph, n_threads, job, error) &&
           add_faces(graph, job, error);
}

CxFragments *
cx_block_graph(const CxBlockInput *input, const CxBlockOptions *options,
               const CxAffinities *affinities, const uint32_t *labels,
               uint32_t count, const GArray *links, unsigned n_threads,
               CxJob *job, GError **error)
{
    g_autoptr(GArray) strangers = g_array_new(FALSE, FALSE, sizeof(CxId));
    CxFragments *out = NULL;

    n_threads = cx_parallel_n_threads(n_threads);
    g_autofree CxContacts **per_thread = g_new0(CxContacts *, n_threads);
    Graph graph = {
        .input = input,
        .options = options,
        .box = input->box,
        .grown = cx_chunk_box(input->prediction),
        .size = cx_box_size(input->box),
        .labels = labels,
        .count = count,
        .affinities = affinities,
        .links = links,
        .strangers = strangers,
        .per_thread = per_thread,
        .slab = SLAB,
    };
    for (unsigned i = 0; i < n_threads; i++)
        per_thread[i] = cx_contacts_new();
    if (build(&graph, n_threads, job, error))
        out = result_of(&graph, error);
    for (unsigned i = 0; i < n_threads; i++)
        cx_contacts_free(per_thread[i]);
    return out;
}
