/* Surfaces from chunks; see mesh_builder.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/mesh_builder.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/jobs/parallel.h"
#include "core/mesh/label_reader.h"
#include "core/mesh/manifold.h"
#include "core/mesh/mesh_piece.h"
#include "core/mesh/piece_cache.h"
#include "core/mesh/simplify.h"
#include "core/mesh/smooth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_CHUNK 64
#define MAX_SIDE (INT64_C(1) << 20)

struct CxMeshBuilder {
    CxVolume *labels;
    CxMeshOptions options;
    CxPieceCache *cache;
    CxLabelReader *reader;
};

/* The level that is meshed, as it was when a run began. */
typedef struct {
    CxMeshBuilder *builder;
    CxVoxel size, chunk;
    CxNm voxel_nm, offset_nm;
    CxBox chunks; /* that take part */
    CxPieceOptions pieces;
} Run;

CxMeshOptions
cx_mesh_defaults(void)
{
    return (CxMeshOptions){
        .simplify = 0.2,
        .smooth = 2,
        .chunk = {DEFAULT_CHUNK, DEFAULT_CHUNK, DEFAULT_CHUNK},
        .cache_bytes = (size_t)384 << 20,
    };
}

static int64_t
chunk_side(int64_t wanted)
{
    return wanted == 0 ? DEFAULT_CHUNK : CLAMP(wanted, 8, 512);
}

CxMeshBuilder *
cx_mesh_builder_new(CxVolume *labels, const CxMeshOptions *options)
{
    CxMeshBuilder *builder = g_new0(CxMeshBuilder, 1);

    builder->labels = cx_volume_ref(labels);
    builder->options = *options;
    builder->options.chunk =
        (CxVoxel){chunk_side(options->chunk.x), chunk_side(options->chunk.y),
                  chunk_side(options->chunk.z)};
    builder->options.smooth = MIN(options->smooth, 16);
    builder->cache = cx_piece_cache_new(options->cache_bytes / 2);
    builder->reader =
        cx_label_reader_new(labels, options->level, options->cache_bytes / 2);
    return builder;
}

void
cx_mesh_builder_free(CxMeshBuilder *builder)
{
    if (builder == NULL)
        return;
    cx_piece_cache_free(builder->cache);
    cx_label_reader_free(builder->reader);
    cx_volume_unref(builder->labels);
    g_free(builder);
}

static CxNm
nm_ratio(CxNm a, CxNm b)
{
    return (CxNm){a.x / b.x, a.y / b.y, a.z / b.z};
}

/* Level-0 voxels to voxels of the run's level, outwards. */
static CxBox
to_level(const Run *run, CxBox box)
{
    CxNm ratio = nm_ratio(cx_volume_level(run->builder->labels, 0).voxel_nm,
                          run->voxel_nm);

    return cx_box((CxVoxel){(int64_t)floor((double)box.lo.x * ratio.x),
                            (int64_t)floor((double)box.lo.y * ratio.y),
                            (int64_t)floor((double)box.lo.z * ratio.z)},
                  (CxVoxel){(int64_t)ceil((double)box.hi.x * ratio.x),
                            (int64_t)ceil((double)box.hi.y * ratio.y),
                            (int64_t)ceil((double)box.hi.z * ratio.z)});
}

/* Chunks whose cells touch voxels of the box (of the level). */
static CxBox
chunks_of(const Run *run, CxBox box)
{
    CxBox bounds = cx_box_of_size(run->size);

    box.lo.x--, box.lo.y--, box.lo.z--;
    box = cx_box_intersect(box, bounds);
    if (cx_box_is_empty(box))
        return (CxBox){0};
    return cx_box_chunks(box, run->chunk);
}

static bool
start_run(CxMeshBuilder *builder, Run *run, GError **error)
{
    const CxMeshOptions *options = &builder->options;
    unsigned n_levels = cx_volume_n_levels(builder->labels);
    CxLevel level;

    if (options->level >= n_levels) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: surfaces of level %u are asked for, but there are "
                    "only %u levels",
                    cx_volume_spec(builder->labels), options->level, n_levels);
        return false;
    }
    level = cx_volume_level(builder->labels, options->level);
    if (MAX(level.size.x, MAX(level.size.y, level.size.z)) > MAX_SIDE) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: a side of level %u is longer than 2^20 voxels; use a "
                    "coarser level for surfaces",
                    cx_volume_spec(builder->labels), options->level);
        return false;
    }
    *run = (Run){
        .builder = builder,
        .size = level.size,
        .chunk = options->chunk,
        .voxel_nm = level.voxel_nm,
        .offset_nm = cx_volume_offset_nm(builder->labels),
        .pieces =
            {
                .voxel_nm = level.voxel_nm,
                .simplify = options->simplify > 0 ? options->simplify : 1,
                .max_error_nm = options->max_error_nm > 0
                                    ? options->max_error_nm
                                    : cbrt(level.voxel_nm.x * level.voxel_nm.y *
                                           level.voxel_nm.z),
                .smooth = options->smooth,
            },
    };
    return true;
}

static size_t
n_chunks(const Run *run)
{
    size_t n = 0;

    if (!cx_box_is_empty(run->chunks))
        cx_box_n_voxels(run->chunks, &n);
    return n;
}

static CxChunkIdx
nth_chunk(const Run *run, size_t item)
{
    CxVoxel n = cx_box_size(run->chunks);
    int64_t i = (int64_t)item;

    return (CxChunkIdx){run->chunks.lo.x + i % n.x,
                        run->chunks.lo.y + i / n.x % n.y,
                        run->chunks.lo.z + i / n.x / n.y};
}

/* Cells of a chunk.  A cell is named by its lowest corner; the first chunk
 * also has the cells below voxel 0, so that surfaces close there. */
static CxBox
cells_of(const Run *run, CxChunkIdx idx)
{
    CxBox box =
        cx_chunk_box_clipped(idx, run->chunk, cx_box_of_size(run->size));

    box.lo.x -= box.lo.x == 0;
    box.lo.y -= box.lo.y == 0;
    box.lo.z -= box.lo.z == 0;
    return box;
}

/* Labels of a chunk's cells with the margin that smoothing needs. */
static CxChunk *
read_block(const Run *run, CxBox cells, CxJob *job, GError **error)
{
    int64_t margin = cx_smooth_margin(run->pieces.smooth);
    CxBox box = cx_box_grow(cells, (CxVoxel){margin, margin, margin});

    box.hi.x++, box.hi.y++, box.hi.z++;
    box = cx_box_intersect(box, cx_box_of_size(run->size));
    return cx_label_reader_read(run->builder->reader, box, job, error);
}

/* Cutting chunks */

typedef struct {
    Run run;
    CxJob *job;
    const CxId *ids; /* sorted; n_ids = 0: all labels */
    size_t n_ids;
    GPtrArray **chunks;   /* CxMeshPiece of each chunk */
    CxMeshPiece **sorted; /* all pieces, by id, then by chunk */
    size_t *starts;       /* of the ids in sorted; one more at the end */
    size_t first;         /* id of item 0 of the batch */
    CxMesh **meshes;      /* of the batch */
} Work;

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return (x > y) - (x < y);
}

/* Sorted labels of a block. */
static GArray *
list_labels(const CxChunk *block)
{
    const CxId *labels = cx_chunk_data(block);
    size_t n = cx_chunk_n_voxels(block);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(CxHash64) known = cx_hash64_new(64);
    CxId last = 0;

    for (size_t i = 0; i < n; i++) {
        bool was_new = false;

        if (labels[i] == last)
            continue;
        last = labels[i];
        if (last != 0)
            cx_hash64_at(known, last, 1, &was_new);
        if (was_new)
            g_array_append_val(list, last);
    }
    g_array_sort(list, compare_ids);
    return list;
}

/* Adds what the cache has of a chunk to pieces; returns the ids it does not
 * know about. */
static GArray *
look_up(const Work *work, CxChunkIdx idx, GPtrArray *pieces)
{
    GArray *unknown = g_array_new(FALSE, FALSE, sizeof(CxId));

    for (size_t i = 0; i < work->n_ids; i++) {
        CxMeshPiece *piece = NULL;
        CxPieceState state = cx_piece_cache_lookup(work->run.builder->cache,
                                                   idx, work->ids[i], &piece);

        if (state == CX_PIECE_PRESENT)
            g_ptr_array_add(pieces, piece);
        else if (state == CX_PIECE_UNKNOWN)
            g_array_append_val(unknown, work->ids[i]);
    }
    return unknown;
}

/* Cuts the unknown ids and puts them into the cache. */
static void
cut_unknown(const Work *work, uint64_t generation, CxChunkIdx idx,
            const CxChunk *block, const GArray *unknown, GPtrArray *pieces)
{
    CxPieceCache *cache = work->run.builder->cache;
    GArray *labels = list_labels(block);
    g_autoptr(GArray) present = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(GPtrArray) cut = NULL;
    guint next = 0;

    for (guint i = 0; labels->len > 0 && i < unknown->len; i++) {
        const CxId *id = &g_array_index(unknown, CxId, i);

        if (bsearch(id, labels->data, labels->len, sizeof *id, compare_ids) !=
            NULL)
            g_array_append_vals(present, id, 1);
    }
    cx_piece_cache_insert_labels(cache, generation, idx, labels);
    if (present->len == 0)
        return;
    cut = cx_mesh_pieces_new(block, cells_of(&work->run, idx),
                             (const CxId *)(void *)present->data, present->len,
                             &work->run.pieces);
    for (guint i = 0; i < present->len; i++) {
        CxId id = g_array_index(present, CxId, i);
        CxMeshPiece *piece = NULL;

        if (next < cut->len &&
            ((CxMeshPiece *)g_ptr_array_index(cut, next))->id == id)
            piece = g_ptr_array_index(cut, next++);
        cx_piece_cache_insert(cache, generation, idx, id, piece);
        if (piece != NULL)
            g_ptr_array_add(pieces, cx_mesh_piece_ref(piece));
    }
}

static bool
cut_chunk(size_t item, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    CxChunkIdx idx = nth_chunk(&work->run, item);
    CxBox cells = cells_of(&work->run, idx);
    uint64_t generation = cx_piece_cache_generation(work->run.builder->cache);
    g_autoptr(CxChunk) block = NULL;
    g_autoptr(GArray) unknown = NULL;

    work->chunks[item] =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_mesh_piece_unref);
    unknown = look_up(work, idx, work->chunks[item]);
    if (work->n_ids > 0 && unknown->len == 0)
        return true;
    block = read_block(&work->run, cells, work->job, error);
    if (block == NULL)
        return false;
    if (work->n_ids > 0) {
        cut_unknown(work, generation, idx, block, unknown, work->chunks[item]);
        return true;
    }
    g_ptr_array_unref(work->chunks[item]);
    work->chunks[item] =
        cx_mesh_pieces_new(block, cells, NULL, 0, &work->run.pieces);
    return true;
}

/* Joining */

typedef struct {
    CxMeshPiece *piece;
    size_t chunk;
} Found;

static int
compare_found(const void *a, const void *b)
{
    const Found *x = a, *y = b;

    if (x->piece->id != y->piece->id)
        return x->piece->id > y->piece->id ? 1 : -1;
    return (x->chunk > y->chunk) - (x->chunk < y->chunk);
}

/* Fills sorted and starts; returns the number of ids. */
static size_t
sort_pieces(Work *work, size_t n_items)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    size_t n_ids = 0;

    for (size_t i = 0; i < n_items; i++) {
        for (guint k = 0; k < work->chunks[i]->len; k++) {
            Found one = {g_ptr_array_index(work->chunks[i], k), i};
            g_array_append_val(found, one);
        }
    }
    g_array_sort(found, compare_found);
    work->sorted = g_new(CxMeshPiece *, found->len + 1);
    work->starts = g_new(size_t, found->len + 1);
    for (guint i = 0; i < found->len; i++) {
        work->sorted[i] = g_array_index(found, Found, i).piece;
        if (i == 0 || work->sorted[i]->id != work->sorted[i - 1]->id)
            work->starts[n_ids++] = i;
    }
    work->starts[n_ids] = found->len;
    return n_ids;
}

/* Joins pieces and takes out what the seams between chunks kept too much. */
static bool
join_one(size_t item, unsigned worker, void *data, GError **error)
{
    Work *work = data;
    const Run *run = &work->run;
    size_t first = work->starts[work->first + item];
    size_t n = work->starts[work->first + item + 1] - first;
    CxMesh *mesh = cx_mesh_pieces_join(work->sorted + first, n, run->voxel_nm,
                                       run->offset_nm);
    double target = 0;

    for (size_t i = 0; i < n; i++)
        target += work->sorted[first + i]->n_full * run->pieces.simplify;
    if (run->pieces.simplify < 1) {
        if (target < mesh->n_triangles)
            cx_mesh_simplify(mesh, target / mesh->n_triangles,
                             run->pieces.max_error_nm);
        cx_mesh_make_manifold(mesh);
        cx_mesh_mix_normals(mesh);
    }
    work->meshes[item] = mesh;
    return true;
}

/* Joins ids in batches on all threads, hands them over in order. */
static bool
join_all(Work *work, size_t n_ids, CxMeshFunc func, void *data, GError **error)
{
    unsigned n_threads = work->run.builder->options.n_threads;
    size_t batch = 16 * (size_t)cx_parallel_n_threads(n_threads);
    g_autofree CxMesh **meshes = g_new0(CxMesh *, batch);
    bool ok = true;

    work->meshes = meshes;
    for (work->first = 0; ok && work->first < n_ids; work->first += batch) {
        size_t n = MIN(batch, n_ids - work->first);

        ok = cx_parallel_for(n_threads, n, join_one, work, NULL, error);
        for (size_t i = 0; i < n; i++) {
            CxMesh *mesh = g_steal_pointer(&meshes[i]);
            size_t at = work->starts[work->first + i];

            if (ok)
                ok = func(work->sorted[at]->id, mesh, data, error) &&
                     cx_job_step(work->job, work->first + i + 1, n_ids, error);
            else
                cx_mesh_free(mesh);
        }
    }
    return ok;
}

static bool
do_work(Work *work, CxMeshFunc func, void *data, GError **error)
{
    size_t n = n_chunks(&work->run);
    bool ok;

    work->chunks = g_new0(GPtrArray *, n + 1);
    cx_job_stage(work->job, "cutting surfaces", 0, 0.8);
    ok = cx_parallel_for(work->run.builder->options.n_threads, n, cut_chunk,
                         work, work->job, error);
    if (ok) {
        cx_job_stage(work->job, "joining surfaces", 0.8, 1);
        ok = join_all(work, sort_pieces(work, n), func, data, error);
    }
    for (size_t i = 0; i < n; i++)
        if (work->chunks[i] != NULL)
            g_ptr_array_unref(work->chunks[i]);
    g_free(work->chunks);
    g_free(work->sorted);
    g_free(work->starts);
    return ok;
}

/* What callers see */

static bool
keep_mesh(CxId id, CxMesh *mesh, void *data, GError **error)
{
    CxMesh **kept = data;

    *kept = mesh;
    return true;
}

CxMesh *
cx_mesh_builder_run(CxMeshBuilder *builder, CxId id, CxBox box, CxJob *job,
                    GError **error)
{
    CxMesh *mesh = NULL;

    if (!cx_mesh_builder_many(builder, &id, 1, box, keep_mesh, &mesh, job,
                              error)) {
        cx_mesh_free(mesh);
        return NULL;
    }
    if (mesh == NULL)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: no voxel of label %" G_GUINT64_FORMAT
                    " between %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
                    cx_volume_spec(builder->labels), id, box.lo.x, box.lo.y,
                    box.lo.z, box.hi.x, box.hi.y, box.hi.z);
    return mesh;
}

bool
cx_mesh_builder_many(CxMeshBuilder *builder, const CxId *ids, size_t n,
                     CxBox box, CxMeshFunc func, void *data, CxJob *job,
                     GError **error)
{
    g_autofree CxId *sorted = g_new(CxId, n + 1);
    Work work = {.job = job, .ids = sorted};

    if (n > 0)
        memcpy(sorted, ids, n * sizeof *ids);
    qsort(sorted, n, sizeof *sorted, compare_ids);
    for (size_t i = 0; i < n; i++)
        if (sorted[i] != 0 && (i == 0 || sorted[i] != sorted[i - 1]))
            sorted[work.n_ids++] = sorted[i];
    if (!start_run(builder, &work.run, error))
        return false;
    if (work.n_ids == 0)
        return true;
    work.run.chunks = chunks_of(&work.run, to_level(&work.run, box));
    return do_work(&work, func, data, error);
}

bool
cx_mesh_builder_all(CxMeshBuilder *builder, CxMeshFunc func, void *data,
                    CxJob *job, GError **error)
{
    Work work = {.job = job};

    if (!start_run(builder, &work.run, error))
        return false;
    work.run.chunks = chunks_of(&work.run, cx_box_of_size(work.run.size));
    return do_work(&work, func, data, error);
}

void
cx_mesh_builder_invalidate(CxMeshBuilder *builder, CxBox box)
{
    int64_t margin = cx_smooth_margin(builder->options.smooth) + 1;
    Run run;

    if (!start_run(builder, &run, NULL))
        return;
    cx_label_reader_invalidate(builder->reader);
    box = cx_box_grow(to_level(&run, box), (CxVoxel){margin, margin, margin});
    cx_piece_cache_invalidate(builder->cache, chunks_of(&run, box));
}
