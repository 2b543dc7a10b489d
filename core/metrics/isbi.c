/* ISBI 2012 scores of a membrane map.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/metrics/isbi.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/metrics/contingency.h"
#include "core/segmentation/components.h"
#include "core/segmentation/watershed.h"

/* Membrane starts at these values of 255. */
static const uint8_t thresholds[] = {2,   5,   10,  15,  20,  26,  38,  51,
                                     64,  77,  89,  102, 115, 128, 140, 153,
                                     166, 179, 191, 204, 217, 230, 242, 250};

#define N_THRESHOLDS G_N_ELEMENTS(thresholds)

typedef struct {
    double v_rand, v_info;
} Pair;

typedef struct {
    CxVolume *truth, *membranes;
    CxVoxel size;
    CxJob *job;
    Pair *pairs; /* sections × thresholds */
    uint64_t *n_voxels;
} Work;

/* The 4-connected pieces of map < threshold, membrane flooded. */
static CxChunk *
cells_at(const CxChunk *map, uint8_t threshold, GError **error)
{
    CxBox box = cx_chunk_box(map);
    size_t n = cx_chunk_n_voxels(map);
    const uint8_t *values = cx_chunk_data(map);
    g_autoptr(CxChunk) inside = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    CX_AUTOFREE uint32_t *labels = cx_try_alloc(n, sizeof(uint32_t), error);

    if (inside == NULL || labels == NULL)
        return NULL;
    CxId *ids = cx_chunk_data_mut(inside);
    for (size_t i = 0; i < n; i++)
        ids[i] = values[i] < threshold;
    g_autoptr(CxChunk) pieces =
        cx_components_of_chunk(inside, 6, NULL, NULL, error);
    if (pieces == NULL)
        return NULL;
    ids = cx_chunk_data_mut(pieces);
    for (size_t i = 0; i < n; i++)
        labels[i] = (uint32_t)ids[i];
    if (!cx_watershed_flood(values, cx_box_size(box), labels, NULL, error))
        return NULL;
    for (size_t i = 0; i < n; i++)
        ids[i] = labels[i];
    return g_steal_pointer(&pieces);
}

static CxChunk *
true_cells(CxVolume *truth, CxBox box, CxJob *job, GError **error)
{
    g_autoptr(CxChunk) labels =
        cx_volume_read_labels(truth, 0, box, job, error);
    if (labels == NULL)
        return NULL;
    g_autoptr(CxChunk) inside = cx_chunk_new(CX_DTYPE_U64, box, 1, error);
    if (inside == NULL)
        return NULL;
    const CxId *from = cx_chunk_data(labels);
    CxId *to = cx_chunk_data_mut(inside);
    for (size_t i = 0; i < cx_chunk_n_voxels(inside); i++)
        to[i] = from[i] > 0;
    return cx_components_of_chunk(inside, 6, NULL, job, error);
}

static bool
score_section(size_t z, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    CxBox box = cx_box((CxVoxel){0, 0, (int64_t)z},
                       (CxVoxel){work->size.x, work->size.y, (int64_t)z + 1});
    g_autoptr(CxChunk) truth = true_cells(work->truth, box, work->job, error);
    if (truth == NULL)
        return false;
    g_autoptr(CxChunk) map =
        cx_volume_read_u8(work->membranes, 0, box, work->job, error);
    if (map == NULL)
        return false;

    for (size_t t = 0; t < N_THRESHOLDS; t++) {
        g_autoptr(CxChunk) cells = cells_at(map, thresholds[t], error);
        g_autoptr(CxContingency) table = cx_contingency_new();
        if (cells == NULL ||
            !cx_job_step(work->job, z, (uint64_t)work->size.z, error))
            return false;
        cx_contingency_add(table, truth, cells);
        CxScores scores = cx_contingency_scores(table);
        work->pairs[z * N_THRESHOLDS + t] =
            (Pair){scores.v_rand, scores.v_info};
        work->n_voxels[z] = scores.n_voxels;
    }
    return true;
}

static CxIsbiScores
best_of(const Work *work)
{
    CxIsbiScores best = {.v_rand = -1, .v_info = -1};

    for (size_t t = 0; t < N_THRESHOLDS; t++) {
        Pair mean = {0, 0};
        for (int64_t z = 0; z < work->size.z; z++) {
            Pair one = work->pairs[(size_t)z * N_THRESHOLDS + t];
            mean.v_rand += one.v_rand / (double)work->size.z;
            mean.v_info += one.v_info / (double)work->size.z;
        }
        if (mean.v_rand > best.v_rand) {
            best.v_rand = mean.v_rand;
            best.threshold = thresholds[t] / 255.0;
        }
        if (mean.v_info > best.v_info) {
            best.v_info = mean.v_info;
            best.threshold_info = thresholds[t] / 255.0;
        }
    }
    for (int64_t z = 0; z < work->size.z; z++)
        best.n_voxels += work->n_voxels[z];
    return best;
}

bool
cx_isbi_score(CxVolume *truth, CxVolume *membranes, unsigned n_threads,
              CxIsbiScores *scores, CxJob *job, GError **error)
{
    CxVoxel size = cx_volume_level(truth, 0).size;
    CxVoxel other = cx_volume_level(membranes, 0).size;

    if (!cx_voxel_equal(size, other)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s has %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT " voxels and %s has "
                    "%" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT "; truth and map must agree",
                    cx_volume_spec(truth), size.x, size.y, size.z,
                    cx_volume_spec(membranes), other.x, other.y, other.z);
        return false;
    }
    size_t n = (size_t)size.z;
    g_autofree Pair *pairs = g_new0(Pair, n * N_THRESHOLDS);
    g_autofree uint64_t *n_voxels = g_new0(uint64_t, n);
    Work work = {truth, membranes, size, job, pairs, n_voxels};

    cx_job_stage(job, "scores", 0, 1);
    if (!cx_parallel_for(n_threads, n, score_section, &work, job, error))
        return false;
    *scores = best_of(&work);
    return true;
}
