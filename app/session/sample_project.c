/* The sample: a drawn volume with a segmentation that has known errors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/sample_project.h"

#include "core/base/hash64.h"
#include "core/base/union_find.h"
#include "core/segmentation/components.h"
#include "core/volume/sample.h"

#define FILE_NAME "sample.h5"
#define PROJECT_NAME "sample.connexon"

/* Supervoxels are what of a neuron lies nearest to one of the points of a
 * jittered grid of this pitch. */
#define PITCH 44

/* Smaller pieces join a neighbour of the same neuron. */
#define DUST 300

#define N_FALSE_SPLITS 8
#define N_FALSE_MERGERS 6

static int64_t
jitter(CxVoxel cell, unsigned axis)
{
    uint64_t key = (uint64_t)(cell.x & 0xffff) |
                   (uint64_t)(cell.y & 0xffff) << 16 |
                   (uint64_t)(cell.z & 0xffff) << 32 | (uint64_t)axis << 48;

    return (int64_t)(cx_hash64_mix(key + 1) % PITCH);
}

/* Number of the grid point nearest to a voxel: 1 … */
static uint64_t
nearest_point(CxVoxel at)
{
    CxVoxel cell = {at.x / PITCH, at.y / PITCH, at.z / PITCH};
    int64_t least = INT64_MAX;
    uint64_t best = 0;

    for (int i = 0; i < 27; i++) {
        CxVoxel c = {cell.x + i % 3 - 1, cell.y + i / 3 % 3 - 1,
                     cell.z + i / 9 - 1};
        int64_t dx = c.x * PITCH + jitter(c, 0) - at.x;
        int64_t dy = c.y * PITCH + jitter(c, 1) - at.y;
        int64_t dz = c.z * PITCH + jitter(c, 2) - at.z;
        int64_t distance = dx * dx + dy * dy + dz * dz;

        if (distance >= least)
            continue;
        least = distance;
        best = (uint64_t)(c.x + 1) | (uint64_t)(c.y + 1) << 10 |
               (uint64_t)(c.z + 1) << 20;
    }
    return best;
}

/* Each neuron cut into the regions of the grid points, connected pieces of
 * those numbered from 1. */
static CxChunk *
cut_neurons(const CxChunk *truth, CxJob *job, GError **error)
{
    CxBox box = cx_chunk_box(truth);
    g_autoptr(CxChunk) cut = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    const CxId *from = cx_chunk_data(truth);
    CxVoxel at;

    if (cut == NULL)
        return NULL;
    CxId *to = cx_chunk_data_mut(cut);
    for (at.z = box.lo.z; at.z < box.hi.z; at.z++) {
        if (!cx_job_step(job, (uint64_t)at.z, (uint64_t)box.hi.z, error))
            return NULL;
        for (at.y = box.lo.y; at.y < box.hi.y; at.y++)
            for (at.x = box.lo.x; at.x < box.hi.x; at.x++, from++, to++)
                *to = *from != 0 ? *from << 32 | nearest_point(at) : 0;
    }
    return cx_components_of_chunk(cut, 6, NULL, job, error);
}

/* What is known of the pieces while they are put together. */
typedef struct {
    const CxChunk *truth;
    CxFragments *fragments; /* ids 1 … n */
    CxId *neuron_of;        /* by index */
    uint64_t *size_of;      /* of neurons, by id */
    CxId n_neurons;
} Pieces;

static const CxSupervoxel *
piece(const Pieces *pieces, guint i)
{
    return &g_array_index(pieces->fragments->supervoxels, CxSupervoxel, i);
}

static void
measure_neurons(Pieces *pieces)
{
    guint n = pieces->fragments->supervoxels->len;

    pieces->neuron_of = g_new0(CxId, n);
    for (guint i = 0; i < n; i++) {
        CxId neuron =
            cx_chunk_label_at(pieces->truth, piece(pieces, i)->inside);

        pieces->neuron_of[i] = neuron;
        pieces->n_neurons = MAX(pieces->n_neurons, neuron + 1);
    }
    pieces->size_of = g_new0(uint64_t, pieces->n_neurons);
    for (guint i = 0; i < n; i++)
        pieces->size_of[pieces->neuron_of[i]] += piece(pieces, i)->n_voxels;
}

static void
pieces_clear(Pieces *pieces)
{
    g_clear_pointer(&pieces->fragments, cx_fragments_free);
    g_clear_pointer(&pieces->neuron_of, g_free);
    g_clear_pointer(&pieces->size_of, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pieces, pieces_clear)

/* Dust joins the neighbour of its neuron with the longest contact; ids become
 * dense again. */
static void
join_dust(const Pieces *pieces, CxChunk *labels)
{
    guint n = pieces->fragments->supervoxels->len;
    g_autoptr(CxUnionFind) sets = cx_union_find_new(n);
    g_autofree CxEdge *best = g_new0(CxEdge, n);
    g_autofree CxId *id_of = g_new0(CxId, n + 1);
    const GArray *edges = pieces->fragments->edges;
    CxId next = CXUI_SAMPLE_FIRST_ID;

    for (guint e = 0; e < edges->len; e++) {
        CxEdge edge = g_array_index(edges, CxEdge, e);
        guint a = (guint)edge.a - 1, b = (guint)edge.b - 1;

        if (pieces->neuron_of[a] != pieces->neuron_of[b])
            continue;
        if (edge.contacts > best[a].contacts)
            best[a] = edge;
        if (edge.contacts > best[b].contacts)
            best[b] = edge;
    }
    for (guint i = 0; i < n; i++)
        if (piece(pieces, i)->n_voxels < DUST && best[i].contacts > 0)
            cx_union_find_join(sets, (uint32_t)best[i].a - 1,
                               (uint32_t)best[i].b - 1);
    for (guint i = 0; i < n; i++) {
        guint root = cx_union_find_root(sets, i);

        id_of[i + 1] = root == i ? next++ : id_of[root + 1];
    }
    CxId *to = cx_chunk_data_mut(labels);
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        to[i] = id_of[to[i]];
}

/* Neurons by size, largest first (GArray of CxId). */
typedef struct {
    CxId neuron;
    uint64_t n_voxels;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;

    if (x->n_voxels != y->n_voxels)
        return x->n_voxels > y->n_voxels ? -1 : 1;
    return (x->neuron > y->neuron) - (x->neuron < y->neuron);
}

static GArray *
rank_neurons(const Pieces *pieces)
{
    GArray *ranked = g_array_new(FALSE, FALSE, sizeof(Ranked));

    for (CxId i = 1; i < pieces->n_neurons; i++) {
        Ranked entry = {i, pieces->size_of[i]};

        if (entry.n_voxels > 0)
            g_array_append_val(ranked, entry);
    }
    g_array_sort(ranked, compare_ranked);
    return ranked;
}

/* The longest axis of a neuron, and where its middle is. */
static void
find_middle(const Pieces *pieces, CxId neuron, unsigned *axis, int64_t *middle)
{
    CxBox box = {{0, 0, 0}, {0, 0, 0}};

    for (guint i = 0; i < pieces->fragments->supervoxels->len; i++)
        if (pieces->neuron_of[i] == neuron)
            box = cx_box_union(box, piece(pieces, i)->box);
    CxVoxel size = cx_box_size(box);
    *axis = size.x >= size.y && size.x >= size.z ? 0 : size.y >= size.z ? 1 : 2;
    *middle = *axis == 0   ? (box.lo.x + box.hi.x) / 2
              : *axis == 1 ? (box.lo.y + box.hi.y) / 2
                           : (box.lo.z + box.hi.z) / 2;
}

/* Beyond the middle the neuron goes on under another name. */
static void
split_neuron(const Pieces *pieces, CxId neuron, CxId *group_of)
{
    unsigned axis;
    int64_t middle;

    find_middle(pieces, neuron, &axis, &middle);
    for (guint i = 0; i < pieces->fragments->supervoxels->len; i++) {
        CxVoxel at = piece(pieces, i)->inside;
        int64_t place = axis == 0 ? at.x : axis == 1 ? at.y : at.z;

        if (pieces->neuron_of[i] == neuron && place >= middle)
            group_of[i] = neuron + pieces->n_neurons;
    }
}

/* The neighbour with the longest contact among neurons without an error; 0 if
 * there is none. */
static CxId
find_partner(const Pieces *pieces, CxId neuron, const bool *has_error)
{
    g_autofree uint64_t *contacts = g_new0(uint64_t, pieces->n_neurons);
    const GArray *edges = pieces->fragments->edges;
    CxId best = 0;

    for (guint e = 0; e < edges->len; e++) {
        CxEdge edge = g_array_index(edges, CxEdge, e);
        CxId a = pieces->neuron_of[edge.a - CXUI_SAMPLE_FIRST_ID];
        CxId b = pieces->neuron_of[edge.b - CXUI_SAMPLE_FIRST_ID];

        if (a != b && (a == neuron || b == neuron))
            contacts[a == neuron ? b : a] += edge.contacts;
    }
    for (CxId i = 1; i < pieces->n_neurons; i++)
        if (!has_error[i] && i != neuron && contacts[i] > contacts[best])
            best = i;
    return best;
}

static void
merge_neurons(const Pieces *pieces, CxId neuron, CxId partner, CxId *group_of)
{
    for (guint i = 0; i < pieces->fragments->supervoxels->len; i++)
        if (pieces->neuron_of[i] == partner)
            group_of[i] = neuron;
}

/* Large neurons in turn: one is split, the next merged with a neighbour. */
static void
make_errors(const Pieces *pieces, CxId *group_of)
{
    g_autoptr(GArray) ranked = rank_neurons(pieces);
    g_autofree bool *has_error = g_new0(bool, pieces->n_neurons);
    unsigned n_splits = 0, n_mergers = 0;

    for (guint r = 0; r < ranked->len; r++) {
        CxId neuron = g_array_index(ranked, Ranked, r).neuron;
        CxId partner;

        if (has_error[neuron])
            continue;
        if (n_splits <= n_mergers && n_splits < N_FALSE_SPLITS) {
            split_neuron(pieces, neuron, group_of);
            n_splits++;
        } else if (n_mergers < N_FALSE_MERGERS &&
                   (partner = find_partner(pieces, neuron, has_error)) != 0) {
            merge_neurons(pieces, neuron, partner, group_of);
            has_error[partner] = true;
            n_mergers++;
        }
        has_error[neuron] = true;
    }
}

/* A segment has the smallest id of its supervoxels. */
static GArray *
name_segments(const Pieces *pieces, const CxId *group_of)
{
    guint n = pieces->fragments->supervoxels->len;
    g_autofree CxId *name_of = g_new0(CxId, pieces->n_neurons * 2);
    GArray *segments = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (guint i = 0; i < n; i++) {
        if (name_of[group_of[i]] == 0)
            name_of[group_of[i]] = piece(pieces, i)->id;
        g_array_append_val(segments, name_of[group_of[i]]);
    }
    return segments;
}

GArray *
cxui_sample_cut(CxChunk **labels, CxJob *job, GError **error)
{
    g_autoptr(CxChunk) truth = g_steal_pointer(labels);
    g_autoptr(CxChunk) cut = cut_neurons(truth, job, error);
    g_auto(Pieces) raw = {.truth = truth};
    g_auto(Pieces) pieces = {.truth = truth};

    if (cut == NULL ||
        (raw.fragments = cx_fragments_of_labels(cut, 0.5f, error)) == NULL)
        return NULL;
    measure_neurons(&raw);
    join_dust(&raw, cut);
    pieces.fragments = cx_fragments_of_labels(cut, 0.5f, error);
    if (pieces.fragments == NULL)
        return NULL;
    measure_neurons(&pieces);
    g_autofree CxId *group_of = g_memdup2(
        pieces.neuron_of, pieces.fragments->supervoxels->len * sizeof(CxId));
    make_errors(&pieces, group_of);
    *labels = g_steal_pointer(&cut);
    return name_segments(&pieces, group_of);
}

static CxId
segment_of(CxId supervoxel, void *data)
{
    return g_array_index((GArray *)data, CxId,
                         supervoxel - CXUI_SAMPLE_FIRST_ID);
}

static bool
make_image(const char *path, CxJob *job, GError **error)
{
    CxSyntheticOptions options = cx_synthetic_defaults();

    options.size = (CxVoxel){192, 192, 128};
    return cx_sample_write(&options, path, true, NULL, NULL, job, error);
}

static CxChunk *
read_truth(const char *file, CxJob *job, GError **error)
{
    g_autofree char *spec =
        g_strconcat(file, ":/volumes/labels/neuron_ids", NULL);
    g_autoptr(CxVolume) truth = cx_volume_open(spec, job, error);

    if (truth == NULL)
        return NULL;
    return cx_volume_read_labels(truth, 0, cx_volume_bounds(truth, 0), job,
                                 error);
}

static bool
fill_project(CxProject *project, CxVolume *image, const char *file, CxJob *job,
             GError **error)
{
    CxChunk *labels = read_truth(file, job, error);
    g_autoptr(GArray) segments =
        labels != NULL ? cxui_sample_cut(&labels, job, error) : NULL;
    g_autoptr(CxChunk) supervoxels = labels;

    if (segments == NULL)
        return false;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(supervoxels, cx_volume_level(image, 0).voxel_nm,
                             cx_volume_offset_nm(image), true);
    return cx_project_import_supervoxels(project, volume, segment_of, segments,
                                         job, error);
}

/* Under another name until it is whole. */
static bool
make_project(const char *file, const char *path, CxJob *job, GError **error)
{
    g_autofree char *spec = g_strconcat(file, ":/volumes/raw", NULL);
    g_autofree char *partial = g_strconcat(path, ".partial", NULL);
    g_autoptr(CxVolume) image = cx_volume_open(spec, job, error);

    if (image == NULL)
        return false;
    cx_project_delete_files(partial);
    g_autoptr(CxProject) project = cx_project_create(partial, image, error);
    bool done = project != NULL &&
                fill_project(project, image, file, job, error) &&
                cx_project_copy(project, path, true, job, error);
    g_clear_pointer(&project, cx_project_unref);
    cx_project_delete_files(partial);
    return done;
}

bool
cxui_sample_project_make(const char *folder, CxJob *job, GError **error)
{
    g_autofree char *file = g_build_filename(folder, FILE_NAME, NULL);
    g_autofree char *path = g_build_filename(folder, PROJECT_NAME, NULL);

    g_mkdir_with_parents(folder, 0700);
    cx_job_stage(job, "drawing the sample", 0.0, 0.7);
    if (!g_file_test(file, G_FILE_TEST_EXISTS) && !make_image(file, job, error))
        return false;
    cx_job_stage(job, "cutting it into supervoxels", 0.7, 0.95);
    return g_file_test(path, G_FILE_TEST_EXISTS) ||
           make_project(file, path, job, error);
}
