/* Surfaces from chunks; see mesh_builder.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/mesh_builder.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/jobs/parallel.h"
#include "core/mesh/manifold.h"
#include "core/mesh/mesh_piece.h"
#include "core/mesh/piece_cache.h"
#include "core/mesh/simplify.h"
#include "core/mesh/smooth.h"

#include <math.h>

#define DEFAULT_CHUNK 64
#define MAX_SIDE (INT64_C(1) << 20)

struct CxMeshBuilder {
    CxVolume *labels;
    CxMeshOptions options;
    CxPieceCache *cache;
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
        .cache_bytes = (size_t)256 << 20,
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
    builder->cache = cx_piece_cache_new(options->cache_bytes);
    return builder;
}

void
cx_mesh_builder_free(CxMeshBuilder *builder)
{
    if (builder == NULL)
        return;
    cx_piece_cache_free(builder->cache);
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
    return cx_volume_read_labels(run->builder->labels,
                                 run->builder->options.level, box, job, error);
}

/* One label */

typedef struct {
    Run run;
    CxId id;
    CxJob *job;
    CxMeshPiece **pieces; /* one per chunk, or NULL */
} OneLabel;

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return (x > y) - (x < y);
}

/* Sorted labels of a block; *has: id is one of them. */
static GArray *
list_labels(const CxChunk *block, CxId id, bool *has)
{
    const CxId *labels = cx_chunk_data(block);
    size_t n = cx_chunk_n_voxels(block);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_autoptr(CxHash64) known = cx_hash64_new(64);
    CxId last = 0;

    *has = false;
    for (size_t i = 0; i < n; i++) {
        bool was_new = false;

        if (labels[i] == last)
            continue;
        last = labels[i];
        if (last != 0)
            cx_hash64_at(known, last, 1, &was_new);
        if (was_new)
            g_array_append_val(list, last);
        *has |= last == id;
    }
    g_array_sort(list, compare_ids);
    return list;
}

static bool
make_one_piece(size_t item, unsigned worker, void *data, GError **error)
{
    OneLabel *one = data;
    CxPieceCache *cache = one->run.builder->cache;
    CxChunkIdx idx = nth_chunk(&one->run, item);
    CxBox cells = cells_of(&one->run, idx);
    uint64_t generation = cx_piece_cache_generation(cache);
    g_autoptr(CxChunk) block = NULL;
    g_autoptr(GPtrArray) pieces = NULL;
    GArray *labels;
    bool has;

    if (cx_piece_cache_lookup(cache, idx, one->id, &one->pieces[item]) !=
        CX_PIECE_UNKNOWN)
        return true;
    block = read_block(&one->run, cells, one->job, error);
    if (block == NULL)
        return false;
    labels = list_labels(block, one->id, &has);
    if (has)
        pieces = cx_mesh_pieces_new(block, cells, one->id, &one->run.pieces);
    if (pieces != NULL && pieces->len > 0)
        one->pieces[item] = cx_mesh_piece_ref(g_ptr_array_index(pieces, 0));
    cx_piece_cache_insert(cache, generation, idx, one->id, one->pieces[item],
                          labels);
    return true;
}

/* Joins pieces and takes out what the seams between chunks kept too much. */
static CxMesh *
finish(const Run *run, CxMeshPiece *const *pieces, size_t n)
{
    CxMesh *mesh =
        cx_mesh_pieces_join(pieces, n, run->voxel_nm, run->offset_nm);
    double n_full = 0, target;

    for (size_t i = 0; i < n; i++)
        n_full += pieces[i]->n_full;
    target = n_full * run->pieces.simplify;
    if (run->pieces.simplify < 1 && target < mesh->n_triangles)
        cx_mesh_simplify(mesh, target / mesh->n_triangles,
                         run->pieces.max_error_nm);
    cx_mesh_make_manifold(mesh);
    return mesh;
}

CxMesh *
cx_mesh_builder_run(CxMeshBuilder *builder, CxId id, CxBox box, CxJob *job,
                    GError **error)
{
    OneLabel one = {.id = id, .job = job};
    g_autofree CxMeshPiece **pieces = NULL;
    CxMesh *mesh = NULL;
    size_t n, n_found = 0;
    bool ok;

    if (!start_run(builder, &one.run, error))
        return NULL;
    one.run.chunks = chunks_of(&one.run, to_level(&one.run, box));
    n = n_chunks(&one.run);
    pieces = one.pieces = g_new0(CxMeshPiece *, n + 1);
    ok = id != 0 && cx_parallel_for(builder->options.n_threads, n,
                                    make_one_piece, &one, job, error);
    for (size_t i = 0; i < n; i++)
        if (pieces[i] != NULL)
            pieces[n_found++] = pieces[i];
    if (ok && n_found > 0)
        mesh = finish(&one.run, pieces, n_found);
    else if (ok || id == 0)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s: no voxel of label %" G_GUINT64_FORMAT
                    " between %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " and %" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
                    cx_volume_spec(builder->labels), id, box.lo.x, box.lo.y,
                    box.lo.z, box.hi.x, box.hi.y, box.hi.z);
    for (size_t i = 0; i < n_found; i++)
        cx_mesh_piece_unref(pieces[i]);
    return mesh;
}

/* All labels */

typedef struct {
    Run run;
    CxJob *job;
    GPtrArray **chunks;   /* pieces of each chunk */
    CxMeshPiece **sorted; /* all pieces, by id, then by chunk */
    size_t *starts;       /* of the ids in sorted; one more at the end */
    size_t first;         /* id of item 0 of the batch */
    CxMesh **meshes;      /* of the batch */
} AllLabels;

static bool
make_all_pieces(size_t item, unsigned worker, void *data, GError **error)
{
    AllLabels *all = data;
    CxBox cells = cells_of(&all->run, nth_chunk(&all->run, item));
    g_autoptr(CxChunk) block = read_block(&all->run, cells, all->job, error);

    if (block == NULL)
        return false;
    all->chunks[item] = cx_mesh_pieces_new(block, cells, 0, &all->run.pieces);
    return true;
}

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
sort_pieces(AllLabels *all, size_t n_items)
{
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Found));
    size_t n_ids = 0;

    for (size_t i = 0; i < n_items; i++) {
        for (guint k = 0; k < all->chunks[i]->len; k++) {
            Found one = {g_ptr_array_index(all->chunks[i], k), i};
            g_array_append_val(found, one);
        }
    }
    g_array_sort(found, compare_found);
    all->sorted = g_new(CxMeshPiece *, found->len + 1);
    all->starts = g_new(size_t, found->len + 1);
    for (guint i = 0; i < found->len; i++) {
        all->sorted[i] = g_array_index(found, Found, i).piece;
        if (i == 0 || all->sorted[i]->id != all->sorted[i - 1]->id)
            all->starts[n_ids++] = i;
    }
    all->starts[n_ids] = found->len;
    return n_ids;
}

static bool
join_one(size_t item, unsigned worker, void *data, GError **error)
{
    AllLabels *all = data;
    size_t first = all->starts[all->first + item];
    size_t last = all->starts[all->first + item + 1];

    all->meshes[item] = finish(&all->run, all->sorted + first, last - first);
    return true;
}

/* Joins ids in batches on all threads, hands them over in order. */
static bool
join_all(AllLabels *all, size_t n_ids, CxMeshFunc func, void *data, CxJob *job,
         GError **error)
{
    unsigned n_threads = all->run.builder->options.n_threads;
    size_t batch = 16 * (size_t)cx_parallel_n_threads(n_threads);
    g_autofree CxMesh **meshes = g_new0(CxMesh *, batch);
    bool ok = true;

    all->meshes = meshes;
    for (all->first = 0; ok && all->first < n_ids; all->first += batch) {
        size_t n = MIN(batch, n_ids - all->first);

        ok = cx_parallel_for(n_threads, n, join_one, all, NULL, error);
        for (size_t i = 0; i < n; i++) {
            CxMesh *mesh = g_steal_pointer(&meshes[i]);
            size_t first = all->starts[all->first + i];

            if (ok)
                ok = func(all->sorted[first]->id, mesh, data, error) &&
                     cx_job_step(job, all->first + i + 1, n_ids, error);
            else
                cx_mesh_free(mesh);
        }
    }
    return ok;
}

bool
cx_mesh_builder_all(CxMeshBuilder *builder, CxMeshFunc func, void *data,
                    CxJob *job, GError **error)
{
    AllLabels all = {.job = job};
    size_t n;
    bool ok;

    if (!start_run(builder, &all.run, error))
        return false;
    all.run.chunks = chunks_of(&all.run, cx_box_of_size(all.run.size));
    n = n_chunks(&all.run);
    all.chunks = g_new0(GPtrArray *, n);
    cx_job_stage(job, "cutting surfaces", 0, 0.8);
    ok = cx_parallel_for(builder->options.n_threads, n, make_all_pieces, &all,
                         job, error);
    if (ok) {
        cx_job_stage(job, "joining surfaces", 0.8, 1);
        ok = join_all(&all, sort_pieces(&all, n), func, data, job, error);
    }
    for (size_t i = 0; i < n; i++)
        if (all.chunks[i] != NULL)
            g_ptr_array_unref(all.chunks[i]);
    g_free(all.chunks);
    g_free(all.sorted);
    g_free(all.starts);
    return ok;
}

void
cx_mesh_builder_invalidate(CxMeshBuilder *builder, CxBox box)
{
    int64_t margin = cx_smooth_margin(builder->options.smooth) + 1;
    Run run;

    if (!start_run(builder, &run, NULL))
        return;
    box = cx_box_grow(to_level(&run, box), (CxVoxel){margin, margin, margin});
    cx_piece_cache_invalidate(builder->cache, chunks_of(&run, box));
}
