/* Two true neurites fused inside one supervoxel, and split again by seeds.
 *
 * Takes an HDF5 file with /volumes/raw and /volumes/labels/neuron_ids.  For
 * pairs of neurons with a wide contact: the two become one supervoxel; then
 * cx_project_split() with 1 … 3 seeds a side, voxels deep inside the two.
 * Reports the share of the two neurons' voxels that end up right, and VOI over
 * them before and after.
 *
 * Usage: planted_mergers FILE [N_PAIRS [SEED]]
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/hash64.h"
#include "core/base/rng.h"
#include "core/metrics/contingency.h"
#include "core/proofread/project.h"
#include "core/segmentation/distance.h"
#include "core/volume/synthetic.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define LEAST_VOXELS 3000
#define LEAST_CONTACT 60
#define MAX_SEEDS 3

typedef struct {
    CxVolume *raw;
    CxChunk *neurons, *supervoxels;
    GArray *found;       /* of CxSupervoxel */
    GArray *edges;       /* of CxEdge */
    CxHash64 *neuron_of; /* supervoxel → neuron */
    CxRng rng;
} Data;

typedef struct {
    CxId a, b, neuron_a, neuron_b;
} Pair;

static CxVolume *
open_part(const char *file, const char *dataset, GError **error)
{
    g_autofree char *spec = g_strconcat(file, ":", dataset, NULL);

    return cx_volume_open(spec, NULL, error);
}

static CxChunk *
read_part(const char *file, const char *dataset, GError **error)
{
    g_autoptr(CxVolume) volume = open_part(file, dataset, error);

    return volume != NULL
               ? cx_volume_read_labels(volume, 0, cx_volume_bounds(volume, 0),
                                       NULL, error)
               : NULL;
}

static bool
load(Data *data, const char *file, GError **error)
{
    data->raw = open_part(file, "/volumes/raw", error);
    data->neurons = read_part(file, "/volumes/labels/neuron_ids", error);
    data->supervoxels = read_part(file, "/volumes/labels/neuron_ids", error);
    if (data->raw == NULL || data->neurons == NULL || data->supervoxels == NULL)
        return false;
    g_autoptr(CxFragments) fragments =
        cx_fragments_of_labels(data->supervoxels, 0.5f, error);

    if (fragments == NULL)
        return false;
    data->found = g_array_ref(fragments->supervoxels);
    data->edges = g_array_ref(fragments->edges);
    data->neuron_of = cx_hash64_new(1024);
    const CxId *ids = cx_chunk_data(data->supervoxels);
    const CxId *neurons = cx_chunk_data(data->neurons);

    for (size_t i = 0; i < cx_chunk_n_voxels(data->neurons); i++) {
        if (ids[i] != 0 && neurons[i] != 0)
            cx_hash64_set(data->neuron_of, ids[i], neurons[i]);
    }
    return true;
}

static uint64_t
neuron(const Data *data, CxId supervoxel)
{
    uint64_t found = 0;

    cx_hash64_get(data->neuron_of, supervoxel, &found);
    return found;
}

static uint64_t
size_of(const Data *data, CxId id)
{
    for (guint i = 0; i < data->found->len; i++) {
        if (g_array_index(data->found, CxSupervoxel, i).id == id)
            return g_array_index(data->found, CxSupervoxel, i).n_voxels;
    }
    return 0;
}

static GArray *
list_pairs(const Data *data)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));

    for (guint i = 0; i < data->edges->len; i++) {
        const CxEdge *edge = &g_array_index(data->edges, CxEdge, i);
        Pair pair = {edge->a, edge->b, neuron(data, edge->a),
                     neuron(data, edge->b)};

        if (edge->contacts >= LEAST_CONTACT && pair.neuron_a != 0 &&
            pair.neuron_b != 0 && pair.neuron_a != pair.neuron_b &&
            size_of(data, pair.a) >= LEAST_VOXELS &&
            size_of(data, pair.b) >= LEAST_VOXELS)
            g_array_append_val(pairs, pair);
    }
    return pairs;
}

/* Seeds as a person would set them: deep inside, apart from each other. */
static size_t
choose_seeds(Data *data, CxId id, CxVoxel seeds[MAX_SEEDS])
{
    CxVoxel size = cx_box_size(cx_chunk_box(data->supervoxels));
    size_t n = cx_chunk_n_voxels(data->supervoxels), n_seeds = 0;
    g_autofree uint8_t *inside = g_malloc(n);
    g_autofree float *depth = g_new(float, n);
    const CxId *ids = cx_chunk_data(data->supervoxels);
    float deepest = 0;

    for (size_t i = 0; i < n; i++)
        inside[i] = ids[i] == id;
    if (!cx_distance_squared(inside, size, (CxNm){1, 1, 1}, depth, 1, NULL,
                             NULL))
        return 0;
    for (size_t i = 0; i < n; i++)
        deepest = MAX(deepest, depth[i]);
    for (int i = 0; i < 1000000 && n_seeds < MAX_SEEDS; i++) {
        size_t at = cx_rng_below(&data->rng, n);

        if (depth[at] >= deepest / 3)
            seeds[n_seeds++] =
                (CxVoxel){(int64_t)at % size.x, (int64_t)at / size.x % size.y,
                          (int64_t)at / size.x / size.y};
    }
    return n_seeds;
}

/* The segment of a supervoxel: the smallest of its neuron's, both neurons of
 * the pair being one. */
typedef struct {
    const Data *data;
    Pair pair;
    CxHash64 *first_of; /* neuron → smallest supervoxel */
} Births;

static CxId
segment_of(CxId supervoxel, void *user_data)
{
    Births *births = user_data;
    CxId owner = neuron(births->data, supervoxel);

    if (owner == births->pair.neuron_b)
        owner = births->pair.neuron_a;
    return owner == 0
               ? supervoxel
               : *cx_hash64_at(births->first_of, owner, supervoxel, NULL);
}

static CxVolume *
fuse(const Data *data, const Pair *pair)
{
    CxChunk *labels =
        cx_chunk_new(CX_DTYPE_U64, cx_chunk_box(data->supervoxels), 1, NULL);
    CxId *ids = cx_chunk_data_mut(labels);

    memcpy(ids, cx_chunk_data(data->supervoxels), cx_chunk_size_bytes(labels));
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        ids[i] = ids[i] == pair->b ? pair->a : ids[i];
    CxVolume *volume =
        cx_volume_from_chunk(labels, (CxNm){10, 10, 10}, (CxNm){0, 0, 0}, true);

    cx_chunk_unref(labels);
    return volume;
}

/* VOI over the voxels of the two supervoxels, and the share of voxels on the side
 * of most of their neuron. */
static void
score(const Data *data, const Pair *pair, CxProject *project, CxScores *scores,
      double *right)
{
    CxBox box = cx_chunk_box(data->neurons);
    g_autoptr(CxChunk) truth = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    g_autoptr(CxChunk) now =
        cx_volume_read_labels(cx_project_segments(project), 0, box, NULL, NULL);
    g_autoptr(CxContingency) table = cx_contingency_new();
    CxId *ids = cx_chunk_data_mut(truth);
    size_t cursor = 0;
    CxId label, segment;
    uint64_t n, best[2] = {0, 0}, total = 0;

    memcpy(ids, cx_chunk_data(data->neurons), cx_chunk_size_bytes(truth));
    for (size_t i = 0; i < cx_chunk_n_voxels(truth); i++)
        ids[i] =
            ids[i] == pair->neuron_a || ids[i] == pair->neuron_b ? ids[i] : 0;
    cx_contingency_add(table, truth, now);
    *scores = cx_contingency_scores(table);
    while (cx_contingency_next(table, &cursor, &label, &segment, &n)) {
        uint64_t *most = &best[label == pair->neuron_b];

        *most = segment != 0 ? MAX(*most, n) : *most;
        total += segment != 0 ? n : 0;
    }
    *right = total > 0 ? (double)(best[0] + best[1]) / (double)total : 0;
}

typedef struct {
    double right, voi, seconds;
    bool parted, weak;
} Outcome;

static bool
try_split(Data *data, const Pair *pair, const char *path, size_t n_seeds,
          const CxVoxel *sources, const CxVoxel *sinks, Outcome *before,
          Outcome *after, GError **error)
{
    g_autoptr(CxVolume) labels = fuse(data, pair);
    g_autoptr(CxHash64) first_of = cx_hash64_new(64);
    Births births = {data, *pair, first_of};
    g_autoptr(CxProject) project = cx_project_create(path, data->raw, error);
    CxScores scores;
    CxId segment, other;

    if (project == NULL ||
        !cx_project_import_supervoxels(project, labels, segment_of, &births,
                                       NULL, error) ||
        !cx_project_pick(project, sources[0], NULL, &segment, error))
        return false;
    score(data, pair, project, &scores, &before->right);
    before->voi = scores.voi_split + scores.voi_merge;
    int64_t start = g_get_monotonic_time();
    g_autoptr(CxEdit) edit = cx_project_split(
        project, segment, sources, n_seeds, sinks, n_seeds, NULL, error);

    after->seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    if (edit == NULL)
        return false;
    score(data, pair, project, &scores, &after->right);
    after->voi = scores.voi_split + scores.voi_merge;
    after->weak = edit->weak;
    return cx_project_pick(project, sources[0], NULL, &segment, error) &&
           cx_project_pick(project, sinks[0], NULL, &other, error) &&
           (after->parted = segment != other, true);
}

static bool
run(Data *data, const GArray *pairs, size_t n_seeds, GError **error)
{
    g_autofree char *dir = g_dir_make_tmp("planted-XXXXXX", error);
    g_autofree char *path =
        dir != NULL ? g_build_filename(dir, "a.connexon", NULL) : NULL;
    double right = 0, voi_before = 0, voi_after = 0, seconds = 0;
    guint n = 0, n_good = 0, n_parted = 0, n_weak = 0;

    for (guint i = 0; path != NULL && i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        CxVoxel sources[MAX_SEEDS], sinks[MAX_SEEDS];
        Outcome before = {0}, after = {0};

        if (choose_seeds(data, pair->a, sources) < n_seeds ||
            choose_seeds(data, pair->b, sinks) < n_seeds)
            continue;
        bool ok = try_split(data, pair, path, n_seeds, sources, sinks, &before,
                            &after, error);

        cx_project_delete_files(path);
        if (!ok)
            return false;
        n++;
        n_good += after.right >= 0.95;
        n_parted += after.parted;
        n_weak += after.weak;
        right += after.right;
        voi_before += before.voi;
        voi_after += after.voi;
        seconds += after.seconds;
    }
    if (dir != NULL)
        g_rmdir(dir);
    if (n > 0)
        printf("%zu seed%s a side: %u pairs, %u parted, %u repaired (95 %% of "
               "voxels right), mean %.3f right, VOI %.3f -> %.3f, %u called "
               "weak, %.0f ms\n",
               n_seeds, n_seeds == 1 ? "" : "s", n, n_parted, n_good, right / n,
               voi_before / n, voi_after / n, n_weak, 1e3 * seconds / n);
    return dir != NULL;
}

int
main(int argc, char **argv)
{
    Data data = {0};
    g_autoptr(GError) error = NULL;
    guint n_wanted = argc > 2 ? (guint)g_ascii_strtoull(argv[2], NULL, 10) : 20;
    uint64_t seed = argc > 3 ? g_ascii_strtoull(argv[3], NULL, 10) : 1;

    if (argc < 2) {
        fprintf(stderr, "usage: planted_mergers FILE [N_PAIRS [SEED]]\n");
        return 2;
    }
    cx_rng_init(&data.rng, seed);
    bool ok = load(&data, argv[1], &error);
    g_autoptr(GArray) pairs = ok ? list_pairs(&data) : NULL;

    while (ok && pairs->len > n_wanted)
        g_array_remove_index_fast(pairs,
                                  (guint)cx_rng_below(&data.rng, pairs->len));
    for (size_t n = 1; ok && n <= MAX_SEEDS; n++)
        ok = run(&data, pairs, n, &error);
    if (!ok)
        fprintf(stderr, "%s\n", error->message);
    return !ok;
}
