/* From changed voxels to the patch of the graph.
 *
 * Only voxels that changed are looked at, and their neighbours: each face with
 * a changed voxel is counted once as it was and once as it will be.  A
 * supervoxel that lost voxels at its border or its inner voxel is measured
 * anew, from the border inwards.
 *
 * The affinity of a contact that was there stays.  A new one inherits that of
 * the supervoxels that its ends were made from; else it is where the
 * brightness at its faces lies between the darkest twentieth of the image
 * around and its mean (as for imported labels); else, without an image, it is
 * 0.5.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/voxel_draft_private.h"

#include <string.h>

#define UNKNOWN_AFFINITY 0.5f
#define DARKEST 0.05

/* The image is not read for more voxels than this. */
#define MAX_IMAGE ((size_t)1 << 25)

/* A supervoxel whose voxels or contacts change. */
typedef struct {
    CxId id;
    uint64_t gained, lost;
    CxBox gain_box, loss_box;
} Touched;

typedef struct {
    uint32_t a, b; /* among the touched */
    int64_t delta; /* faces */
    CxBox box;     /* of its new faces */
    uint64_t n_lit, light;
    bool is_dim; /* its brightness is asked for */
} Pair;

typedef struct {
    CxVoxelDraft *draft;
    CxBox bounds, box;
    GArray *touched; /* of Touched */
    CxHash64 *number_of;
    GArray *pairs; /* of Pair */
    CxHash64 *pair_of;
    const CxChunk *image; /* in the second pass */
} Count;

static uint32_t
number_of(Count *count, CxId id)
{
    bool was_new;
    uint64_t number =
        *cx_hash64_at(count->number_of, id, count->touched->len, &was_new);

    if (was_new) {
        Touched fresh = {.id = id};

        g_array_append_val(count->touched, fresh);
    }
    return (uint32_t)number;
}

static Pair *
pair_of(Count *count, CxId a, CxId b)
{
    uint32_t na = number_of(count, a), nb = number_of(count, b);
    uint64_t lo = MIN(na, nb), hi = MAX(na, nb);
    bool was_new;
    uint64_t place = *cx_hash64_at(count->pair_of, (lo + 1) << 32 | (hi + 1),
                                   count->pairs->len, &was_new);

    if (was_new) {
        Pair fresh = {.a = (uint32_t)lo, .b = (uint32_t)hi};

        g_array_append_val(count->pairs, fresh);
    }
    return &g_array_index(count->pairs, Pair, place);
}

/* A voxel and what it was and will be. */
typedef struct {
    CxVoxel at;
    CxId former, label;
} Here;

static void
grow_box(CxBox *box, CxVoxel at)
{
    CxBox one = {at, {at.x + 1, at.y + 1, at.z + 1}};

    *box = cx_box_union(*box, one);
}

static void
light_face(Count *count, Pair *pair, const Here *v, const Here *w)
{
    const uint8_t *samples = cx_chunk_data(count->image);
    CxBox box = cx_chunk_box(count->image);

    if (!pair->is_dim)
        return;
    pair->n_lit += 2;
    pair->light += (uint64_t)samples[cx_box_offset(box, v->at)] +
                   samples[cx_box_offset(box, w->at)];
}

static void
count_face(Count *count, const Here *v, const Here *w)
{
    bool was = v->former != 0 && w->former != 0 && v->former != w->former;
    bool will = v->label != 0 && w->label != 0 && v->label != w->label;

    if (was && count->image == NULL)
        pair_of(count, v->former, w->former)->delta--;
    if (!will)
        return;
    Pair *pair = pair_of(count, v->label, w->label);

    if (count->image != NULL) {
        light_face(count, pair, v, w);
        return;
    }
    pair->delta++;
    grow_box(&pair->box, v->at);
    grow_box(&pair->box, w->at);
}

static bool
look(Count *count, CxVoxel at, Here *here, GError **error)
{
    const CxDraftChunk *chunk = cx_voxel_draft_chunk(count->draft, at, error);

    if (chunk == NULL)
        return false;
    size_t offset = cx_box_offset(chunk->box, at);

    *here = (Here){at, cx_draft_former(chunk, offset),
                   cx_draft_label(chunk, offset)};
    return true;
}

/* The faces of one changed voxel.  One between two changed voxels is counted
 * by the lower of them. */
static bool
count_faces(Count *count, const Here *v, GError **error)
{
    static const CxVoxel steps[6] = {{-1, 0, 0}, {1, 0, 0},  {0, -1, 0},
                                     {0, 1, 0},  {0, 0, -1}, {0, 0, 1}};

    for (int i = 0; i < 6; i++) {
        CxVoxel at = {v->at.x + steps[i].x, v->at.y + steps[i].y,
                      v->at.z + steps[i].z};
        Here w;

        if (!cx_box_contains(count->bounds, at))
            continue;
        if (!look(count, at, &w, error))
            return false;
        if (i % 2 == 1 || w.former == w.label)
            count_face(count, v, &w);
    }
    return true;
}

static void
count_voxel(Count *count, const Here *v)
{
    grow_box(&count->box, v->at);
    if (v->former != 0) {
        uint32_t number = number_of(count, v->former);
        Touched *touched = &g_array_index(count->touched, Touched, number);

        touched->lost++;
        grow_box(&touched->loss_box, v->at);
    }
    if (v->label != 0) {
        uint32_t number = number_of(count, v->label);
        Touched *touched = &g_array_index(count->touched, Touched, number);

        touched->gained++;
        grow_box(&touched->gain_box, v->at);
    }
}

static bool
count_chunk(Count *count, const CxDraftChunk *chunk, GError **error)
{
    CxVoxel v;

    for (v.z = chunk->box.lo.z; v.z < chunk->box.hi.z; v.z++) {
        for (v.y = chunk->box.lo.y; v.y < chunk->box.hi.y; v.y++) {
            v.x = chunk->box.lo.x;
            size_t offset = cx_box_offset(chunk->box, v);

            for (; v.x < chunk->box.hi.x; v.x++, offset++) {
                Here here = {v, cx_draft_former(chunk, offset),
                             cx_draft_label(chunk, offset)};

                if (here.former == here.label)
                    continue;
                if (count->image == NULL)
                    count_voxel(count, &here);
                if (!count_faces(count, &here, error))
                    return false;
            }
        }
    }
    return true;
}

/* Chunks that neighbours bring in meanwhile are not written to. */
static bool
count_all(Count *count, CxJob *job, GError **error)
{
    for (guint i = 0; i < count->draft->chunks->len; i++) {
        const CxDraftChunk *chunk = g_ptr_array_index(count->draft->chunks, i);

        if (chunk->after != NULL &&
            (!cx_job_check(job, error) || !count_chunk(count, chunk, error)))
            return false;
    }
    return true;
}

/* Supervoxels. */

static const CxDraftNew *
find_new(const CxVoxelDraft *draft, CxId id)
{
    for (guint i = 0; i < draft->fresh->len; i++) {
        const CxDraftNew *fresh = &g_array_index(draft->fresh, CxDraftNew, i);

        if (fresh->id == id)
            return fresh;
    }
    return NULL;
}

/* The part of a box's outermost chunks along one axis, from the low or the
 * high end. */
static CxBox
layer_of(CxBox box, int axis, bool high)
{
    int64_t *lo = axis == 0 ? &box.lo.x : axis == 1 ? &box.lo.y : &box.lo.z;
    int64_t *hi = axis == 0 ? &box.hi.x : axis == 1 ? &box.hi.y : &box.hi.z;

    if (high)
        *lo = MAX(*lo, (*hi - 1) / CX_STORE_SIDE * CX_STORE_SIDE);
    else
        *hi = MIN(*hi, (*lo / CX_STORE_SIDE + 1) * CX_STORE_SIDE);
    return box;
}

/* Bounds of a supervoxel inside one chunk's part of a box. */
static void
bound_in_chunk(const CxDraftChunk *chunk, CxBox box, CxId id, CxBox *found)
{
    CxVoxel v;

    box = cx_box_intersect(box, chunk->box);
    for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
        for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
            v.x = box.lo.x;
            size_t offset = cx_box_offset(chunk->box, v);

            for (; v.x < box.hi.x; v.x++, offset++) {
                if (cx_draft_label(chunk, offset) == id)
                    grow_box(found, v);
            }
        }
    }
}

/* Bounds of a supervoxel inside a box; empty if it is not there. */
static bool
bound_in(CxVoxelDraft *draft, CxBox box, CxId id, CxBox *found, GError **error)
{
    const CxVoxel side = {CX_STORE_SIDE, CX_STORE_SIDE, CX_STORE_SIDE};
    CxBox chunks = cx_box_chunks(box, side);
    CxVoxel i;

    *found = (CxBox){{0, 0, 0}, {0, 0, 0}};
    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                CxVoxel at = {i.x * CX_STORE_SIDE, i.y * CX_STORE_SIDE,
                              i.z * CX_STORE_SIDE};
                const CxDraftChunk *chunk =
                    cx_voxel_draft_chunk(draft, at, error);

                if (chunk == NULL)
                    return false;
                bound_in_chunk(chunk, box, id, found);
            }
        }
    }
    return true;
}

/* Cuts a box that became too large down to its supervoxel, along one axis and
 * from one end: layer after layer of chunks until it is found. */
static bool
shrink(CxVoxelDraft *draft, CxBox *box, int axis, bool high, CxId id,
       GError **error)
{
    for (;;) {
        CxBox layer = layer_of(*box, axis, high), found;

        if (cx_box_is_empty(*box))
            return true;
        if (!bound_in(draft, layer, id, &found, error))
            return false;
        bool is_there = !cx_box_is_empty(found);
        CxBox end = is_there ? found : layer;
        int64_t lo = axis == 0 ? end.lo.x : axis == 1 ? end.lo.y : end.lo.z;
        int64_t hi = axis == 0 ? end.hi.x : axis == 1 ? end.hi.y : end.hi.z;
        int64_t limit = high ? (is_there ? hi : lo) : (is_there ? lo : hi);
        CxVoxel *side = high ? &box->hi : &box->lo;

        *(axis == 0 ? &side->x : axis == 1 ? &side->y : &side->z) = limit;
        if (is_there)
            return true;
    }
}

static bool
shrink_box(CxVoxelDraft *draft, CxBox loss, CxBox *box, CxId id, GError **error)
{
    const bool wanted[6] = {
        loss.lo.x <= box->lo.x, loss.hi.x >= box->hi.x, loss.lo.y <= box->lo.y,
        loss.hi.y >= box->hi.y, loss.lo.z <= box->lo.z, loss.hi.z >= box->hi.z,
    };

    for (int i = 0; i < 6; i++) {
        if (wanted[i] && !shrink(draft, box, i / 2, i % 2 == 1, id, error))
            return false;
    }
    return true;
}

/* The middle of the longest run along x in one chunk, the first of equals. */
static int64_t
longest_run(const CxDraftChunk *chunk, CxBox box, CxId id, CxVoxel *inside)
{
    int64_t best = 0;
    CxVoxel v;

    box = cx_box_intersect(box, chunk->box);
    for (v.z = box.lo.z; v.z < box.hi.z; v.z++) {
        for (v.y = box.lo.y; v.y < box.hi.y; v.y++) {
            v.x = box.lo.x;
            size_t offset = cx_box_offset(chunk->box, v);
            int64_t length = 0;

            for (; v.x < box.hi.x; v.x++, offset++) {
                length = cx_draft_label(chunk, offset) == id ? length + 1 : 0;
                if (length <= best)
                    continue;
                best = length;
                *inside = (CxVoxel){v.x - length / 2, v.y, v.z};
            }
        }
    }
    return best;
}

/* An inner voxel in a written chunk, else in the first chunk that has one. */
static bool
find_inside(CxVoxelDraft *draft, CxSupervoxel *supervoxel, GError **error)
{
    const CxVoxel side = {CX_STORE_SIDE, CX_STORE_SIDE, CX_STORE_SIDE};
    CxBox chunks = cx_box_chunks(supervoxel->box, side);
    CxVoxel i;

    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                CxVoxel at = {i.x * CX_STORE_SIDE, i.y * CX_STORE_SIDE,
                              i.z * CX_STORE_SIDE};
                const CxDraftChunk *chunk =
                    cx_voxel_draft_chunk(draft, at, error);

                if (chunk == NULL)
                    return false;
                if (longest_run(chunk, supervoxel->box, supervoxel->id,
                                &supervoxel->inside) > 0)
                    return true;
            }
        }
    }
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "supervoxel %" G_GUINT64_FORMAT " should have voxels but has "
                "none; check the project",
                supervoxel->id);
    return false;
}

static bool
disagree(CxId id, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "the labels hold supervoxel %" G_GUINT64_FORMAT
                ", which the graph does not know or knows smaller; check the "
                "project",
                id);
    return false;
}

/* Its former state, or that of a new one, without voxels. */
static bool
find_former(CxVoxelDraft *draft, const Touched *touched, CxPatchNode *node,
            bool *is_new, GError **error)
{
    const CxDraftNew *fresh = find_new(draft, touched->id);

    *node = (CxPatchNode){0};
    *is_new = !cx_supervoxel_graph_supervoxel(
        draft->project->graph, touched->id, &node->supervoxel, &node->segment);
    if (*is_new && fresh == NULL)
        return disagree(touched->id, error);
    if (*is_new)
        *node = (CxPatchNode){.supervoxel.id = fresh->id,
                              .segment = fresh->segment};
    return true;
}

static bool
add_node(CxVoxelDraft *draft, const Touched *touched, CxPatch *patch,
         GError **error)
{
    CxPatchNode node;
    bool is_new;
    CxId still = 0;

    if (touched->gained == 0 && touched->lost == 0)
        return true;
    if (!find_former(draft, touched, &node, &is_new, error))
        return false;
    CxSupervoxel *supervoxel = &node.supervoxel;

    if (!is_new)
        g_array_append_val(patch->nodes[CX_BEFORE], node);
    if (supervoxel->n_voxels + touched->gained < touched->lost)
        return disagree(touched->id, error);
    supervoxel->n_voxels += touched->gained - touched->lost;
    if (supervoxel->n_voxels == 0)
        return true;
    supervoxel->box = cx_box_union(supervoxel->box, touched->gain_box);
    if (touched->lost > 0 && !shrink_box(draft, touched->loss_box,
                                         &supervoxel->box, touched->id, error))
        return false;
    if (!is_new &&
        !cx_voxel_draft_get(draft, supervoxel->inside, &still, error))
        return false;
    if (still != touched->id && !find_inside(draft, supervoxel, error))
        return false;
    g_array_append_val(patch->nodes[CX_AFTER], node);
    return true;
}

/* Edges. */

static CxId
id_at(const Count *count, uint32_t number)
{
    return g_array_index(count->touched, Touched, number).id;
}

/* The edge as it is; contacts 0 and affinity -1 if there is none. */
static CxEdge
former_edge(const Count *count, const Pair *pair)
{
    CxId a = id_at(count, pair->a), b = id_at(count, pair->b);
    CxEdge edge = {MIN(a, b), MAX(a, b), -1, 0};

    cx_supervoxel_graph_edge(count->draft->project->graph, a, b, &edge);
    return edge;
}

static CxId
parent_of(const Count *count, CxId id)
{
    const CxDraftNew *fresh = find_new(count->draft, id);

    return fresh != NULL && fresh->parent != 0 ? fresh->parent : id;
}

/* Affinity of a contact that is new, or -1. */
static float
inherited(const Count *count, const Pair *pair)
{
    CxId a = parent_of(count, id_at(count, pair->a));
    CxId b = parent_of(count, id_at(count, pair->b));
    CxEdge edge = {0};

    if (a != b &&
        cx_supervoxel_graph_edge(count->draft->project->graph, a, b, &edge) &&
        edge.contacts > 0)
        return edge.affinity;
    return -1;
}

static bool
is_new_contact(const Count *count, const Pair *pair)
{
    return pair->delta > 0 && former_edge(count, pair).contacts == 0;
}

static CxBox
find_dim(Count *count)
{
    CxBox box = {{0, 0, 0}, {0, 0, 0}};

    for (guint i = 0; i < count->pairs->len; i++) {
        Pair *pair = &g_array_index(count->pairs, Pair, i);

        pair->is_dim =
            is_new_contact(count, pair) && inherited(count, pair) < 0;
        if (pair->is_dim)
            box = cx_box_union(box, pair->box);
    }
    return box;
}

/* Level below which the darkest twentieth of the samples lie, and their
 * mean. */
static void
measure_light(const CxChunk *image, double *dark, double *mean)
{
    const uint8_t *samples = cx_chunk_data(image);
    size_t n = cx_chunk_n_voxels(image);
    uint64_t histogram[256] = {0}, sum = 0, below = 0;
    unsigned level = 0;

    for (size_t i = 0; i < n; i++) {
        histogram[samples[i]]++;
        sum += samples[i];
    }
    while (level < 255 &&
           (double)(below += histogram[level]) < DARKEST * (double)n)
        level++;
    *dark = level;
    *mean = (double)sum / (double)n;
}

/* Brightness at the contacts that nothing else is known of.  An image that
 * cannot be read leaves them unknown. */
static bool
light_pairs(Count *count, double *dark, double *mean, CxJob *job,
            GError **error)
{
    CxVolume *image = cx_project_image(count->draft->project);
    const CxVoxel around = {8, 8, 2};
    CxBox box = find_dim(count);
    g_autoptr(GError) ignored = NULL;
    size_t n;

    *dark = *mean = 0;
    if (image == NULL || cx_volume_is_labels(image) || cx_box_is_empty(box))
        return true;
    box = cx_box_intersect(cx_box_grow(box, around), count->bounds);
    if (!cx_box_n_voxels(box, &n) || n > MAX_IMAGE)
        return true;
    g_autoptr(CxChunk) light = cx_volume_read_u8(image, 0, box, job, &ignored);

    if (light == NULL) {
        g_debug("contacts are not weighed: %s", ignored->message);
        return cx_job_check(job, error);
    }
    measure_light(light, dark, mean);
    count->image = light;
    bool ok = count_all(count, job, error);

    count->image = NULL;
    return ok;
}

static float
affinity_of(const Count *count, const Pair *pair, double dark, double mean)
{
    float parents = inherited(count, pair);

    if (parents >= 0)
        return parents;
    if (pair->n_lit == 0 || mean <= dark + 1)
        return UNKNOWN_AFFINITY;
    double light = (double)pair->light / (double)pair->n_lit;

    return (float)CLAMP((light - dark) / (mean - dark), 0, 1);
}

static void
add_pair(const Count *count, const Pair *pair, double dark, double mean,
         CxPatch *patch)
{
    CxEdge edge = former_edge(count, pair);
    bool was = edge.affinity >= 0;
    int64_t contacts = (int64_t)edge.contacts + pair->delta;

    if (pair->delta == 0)
        return;
    if (was)
        g_array_append_val(patch->edges[CX_BEFORE], edge);
    if (contacts <= 0)
        return;
    if (edge.contacts == 0)
        edge.affinity = affinity_of(count, pair, dark, mean);
    edge.contacts = (uint32_t)MIN(contacts, UINT32_MAX);
    g_array_append_val(patch->edges[CX_AFTER], edge);
}

/* Links made by hand to supervoxels that vanish; their contacts are counted
 * already.  The patch is sorted, and must be again. */
static void
add_lost_links(const Count *count, CxPatch *patch)
{
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    g_autoptr(GArray) lost = g_array_new(FALSE, FALSE, sizeof(CxEdge));

    for (guint i = 0; i < patch->nodes[CX_BEFORE]->len; i++) {
        CxId id = g_array_index(patch->nodes[CX_BEFORE], CxPatchNode, i)
                      .supervoxel.id;

        if (cx_patch_find(patch, CX_AFTER, id) != NULL)
            continue;
        g_array_set_size(edges, 0);
        cx_supervoxel_graph_edges_of(count->draft->project->graph, id, edges);
        for (guint k = 0; k < edges->len; k++) {
            CxEdge edge = g_array_index(edges, CxEdge, k);
            bool is_mine = edge.a == id ||
                           cx_patch_find(patch, CX_BEFORE, edge.a) == NULL ||
                           cx_patch_find(patch, CX_AFTER, edge.a) != NULL;

            /* A link between two that vanish is met twice. */
            if (is_mine &&
                cx_patch_find_edge(patch, CX_BEFORE, edge.a, edge.b) == NULL)
                g_array_append_val(lost, edge);
        }
    }
    g_array_append_vals(patch->edges[CX_BEFORE], lost->data, lost->len);
}

static CxPatch *
make_patch(Count *count, CxJob *job, GError **error)
{
    double dark, mean;

    if (!count_all(count, job, error) ||
        !light_pairs(count, &dark, &mean, job, error))
        return NULL;
    g_autoptr(CxPatch) patch = cx_patch_new(count->box);

    for (guint i = 0; i < count->touched->len; i++) {
        if (!add_node(count->draft, &g_array_index(count->touched, Touched, i),
                      patch, error))
            return NULL;
    }
    for (guint i = 0; i < count->pairs->len; i++)
        add_pair(count, &g_array_index(count->pairs, Pair, i), dark, mean,
                 patch);
    cx_patch_sort(patch);
    add_lost_links(count, patch);
    cx_patch_sort(patch);
    return g_steal_pointer(&patch);
}

CxPatch *
cx_voxel_draft_make_patch(CxVoxelDraft *draft, CxJob *job, GError **error)
{
    g_autoptr(GArray) touched = g_array_new(FALSE, FALSE, sizeof(Touched));
    g_autoptr(GArray) pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
    g_autoptr(CxHash64) numbers = cx_hash64_new(64);
    g_autoptr(CxHash64) pair_places = cx_hash64_new(256);
    Count count = {
        .draft = draft,
        .bounds = cx_project_bounds(draft->project),
        .touched = touched,
        .number_of = numbers,
        .pairs = pairs,
        .pair_of = pair_places,
    };
    g_autoptr(CxPatch) patch = make_patch(&count, job, error);

    if (patch == NULL || cx_box_is_empty(patch->box))
        return NULL;
    return g_steal_pointer(&patch);
}
