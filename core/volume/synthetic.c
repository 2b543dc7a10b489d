/* Draws its own EM volume with true labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/synthetic.h"

#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/volume/reader_util.h"
#include "core/volume/synthetic_parts.h"

#include <math.h>

CxSyntheticOptions
cx_synthetic_defaults(void)
{
    return (CxSyntheticOptions){
        .size = {250, 250, 250},
        .voxel_nm = {10, 10, 10},
        .seed = 1,
        .noise = 1,
    };
}

static bool
check_options(const CxSyntheticOptions *options, GError **error)
{
    CxNm nm = options->voxel_nm;

    if (!cx_reader_check_size("synthetic volume", options->size, CX_DTYPE_U64,
                              1, error))
        return false;
    if (nm.x >= 0.5 && nm.y >= 0.5 && nm.z >= 0.5 && nm.x <= 200 &&
        nm.y <= 200 && nm.z <= 200 && options->noise >= 0 &&
        options->noise <= 100)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "synthetic volume: voxels of %g x %g x %g nm and noise %g, "
                "expected 0.5 to 200 nm and 0 to 100",
                nm.x, nm.y, nm.z, options->noise);
    return false;
}

typedef struct {
    const CxPainter *painter;
    CxChunk *image;
} Painting;

static bool
paint_section(size_t z, unsigned worker, void *data, GError **error)
{
    Painting *painting = data;
    CxVoxel size = cx_box_size(cx_chunk_box(painting->image));
    uint8_t *pixels = cx_chunk_data_mut(painting->image);

    return cx_painter_section(painting->painter, (int64_t)z,
                              pixels + z * (size_t)(size.x * size.y), error);
}

static bool
draw_image(const CxCells *cells, const GArray *tubes, uint32_t n_cells,
           const CxSyntheticOptions *options, CxRng *rng, CxChunk **image,
           CxJob *job, GError **error)
{
    g_autoptr(GArray) organelles = cx_synthetic_place(cells, tubes, rng);
    g_autoptr(CxPainter) painter =
        cx_painter_new(cells, organelles, n_cells, options, rng, error);
    g_autoptr(CxChunk) chunk =
        painter != NULL
            ? cx_chunk_new(CX_DTYPE_U8, cx_box_of_size(options->size), 1, error)
            : NULL;
    Painting painting = {painter, chunk};

    if (chunk == NULL || !cx_parallel_for(0, (size_t)options->size.z,
                                          paint_section, &painting, job, error))
        return false;
    *image = g_steal_pointer(&chunk);
    return true;
}

/* Ids from 1. */
static bool
write_labels(const CxCells *cells, CxChunk **labels, GError **error)
{
    CxChunk *chunk =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(cells->size), 1, error);

    if (chunk == NULL)
        return false;
    uint64_t *to = cx_chunk_data_mut(chunk);
    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        to[i] = (uint64_t)cells->cell[i] + 1;
    *labels = chunk;
    return true;
}

bool
cx_synthetic_draw(const CxSyntheticOptions *options, CxChunk **image,
                  CxChunk **labels, unsigned *n_neurons, CxJob *job,
                  GError **error)
{
    CxNm nm = options->voxel_nm;
    unsigned n_grown = options->n_neurons;
    uint32_t n_cells = 0;
    CxCells cells;
    CxRng rng;

    if (!check_options(options, error))
        return false;
    cx_rng_init(&rng, options->seed);
    cx_job_stage(job, "growing neurites", 0, 0.1);
    CxVec3 extent = {(float)options->size.x * (float)nm.x,
                     (float)options->size.y * (float)nm.y,
                     (float)options->size.z * (float)nm.z};
    g_autoptr(GArray) tubes = cx_synthetic_grow(extent, &n_grown, &rng);
    cx_job_stage(job, "filling space", 0.1, 0.6);
    bool ok = cx_cells_init(&cells, options, &rng, error) &&
              cx_cells_fill(&cells, tubes, &rng, job, error) &&
              cx_cells_separate(&cells, &n_cells, error);
    cx_job_stage(job, "painting", 0.6, 1);
    ok = ok && (image == NULL || draw_image(&cells, tubes, n_cells, options,
                                            &rng, image, job, error));
    if (ok && labels != NULL && !write_labels(&cells, labels, error)) {
        ok = false;
        if (image != NULL)
            g_clear_pointer(image, cx_chunk_unref);
    }
    if (ok && n_neurons != NULL)
        *n_neurons = n_cells;
    cx_cells_clear(&cells);
    return ok;
}
