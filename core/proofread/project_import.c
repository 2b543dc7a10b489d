/* A project: labels of another volume as supervoxels.
 *
 * One pass over tiles that overlap by one voxel, so that every contact face is
 * seen once: chunks are stored as they come, sizes and contacts are counted on
 * the way and stored at the end, with the mark that makes the import whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"

/* Multiples of the stored chunk's side. */
static const CxVoxel tile_size = {256, 256, 64};

/* Affinity of a contact about which nothing is known. */
#define UNKNOWN_AFFINITY 0.5f

typedef struct {
    CxProject *project;
    CxVolume *labels;
    CxHash64 *number_of; /* label → index into supervoxels */
    GArray *supervoxels;
    CxHash64 *contacts;       /* pair of indices + 1 → faces */
    CxSegmentFunc segment_of; /* NULL: each its own */
    void *user_data;
} Import;

static uint32_t
number_of(Import *import, CxId label, CxVoxel at)
{
    bool was_new;
    uint64_t number = *cx_hash64_at(import->number_of, label,
                                    import->supervoxels->len, &was_new);

    if (was_new) {
        CxSupervoxel fresh = {
            .id = label,
            .box = {at, {at.x + 1, at.y + 1, at.z + 1}},
            .inside = at,
        };

        g_array_append_val(import->supervoxels, fresh);
    }
    return (uint32_t)number;
}

/* A run of equal labels along x. */
static void
count_run(Import *import, CxId label, CxVoxel at, int64_t length)
{
    uint32_t number = number_of(import, label, at);
    CxSupervoxel *supervoxel =
        &g_array_index(import->supervoxels, CxSupervoxel, number);
    CxBox run = {at, {at.x + length, at.y + 1, at.z + 1}};

    supervoxel->n_voxels += (uint64_t)length;
    supervoxel->box = cx_box_union(supervoxel->box, run);
}

static void
count_face(Import *import, CxId a, CxId b, CxVoxel at_b)
{
    if (b == 0 || a == b)
        return;
    uint64_t left = number_of(import, a, at_b) + UINT64_C(1);
    uint64_t right = number_of(import, b, at_b) + UINT64_C(1);
    uint64_t key = MIN(left, right) << 32 | MAX(left, right);

    (*cx_hash64_at(import->contacts, key, 0, NULL))++;
}

/* One row of the tile proper; the tile that was read reaches one voxel
 * further where the volume does. */
static void
count_row(Import *import, const CxChunk *read, CxVoxel at, int64_t end_x)
{
    CxBox box = cx_chunk_box(read);
    CxVoxel size = cx_box_size(box);
    const CxId *row =
        (const CxId *)cx_chunk_data(read) + cx_box_offset(box, at);
    bool has_y = at.y + 1 < box.hi.y, has_z = at.z + 1 < box.hi.z;
    int64_t n = end_x - at.x, n_read = box.hi.x - at.x;

    for (int64_t i = 0, start = 0; i < n; i++) {
        CxId label = row[i];
        bool ends = i + 1 == n || row[i + 1] != label;

        if (label != 0) {
            CxVoxel here = {at.x + i, at.y, at.z};

            if (i == start)
                number_of(import, label, here);
            if (i + 1 < n_read)
                count_face(import, label, row[i + 1],
                           (CxVoxel){here.x + 1, here.y, here.z});
            if (has_y)
                count_face(import, label, row[i + size.x],
                           (CxVoxel){here.x, here.y + 1, here.z});
            if (has_z)
                count_face(import, label, row[i + size.x * size.y],
                           (CxVoxel){here.x, here.y, here.z + 1});
            if (ends)
                count_run(import, label, (CxVoxel){at.x + start, at.y, at.z},
                          i + 1 - start);
        }
        if (ends)
            start = i + 1;
    }
}

static void
count_tile(Import *import, const CxChunk *read, CxBox tile)
{
    for (int64_t z = tile.lo.z; z < tile.hi.z; z++) {
        for (int64_t y = tile.lo.y; y < tile.hi.y; y++)
            count_row(import, read, (CxVoxel){tile.lo.x, y, z}, tile.hi.x);
    }
}

static bool
store_chunks(CxProject *project, const GArray *encoded, GError **error)
{
    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_set_meta(project->journal, "import_pending", 1, error) &&
        cx_project_put_chunks(project, encoded, error))
        return cx_journal_commit(project->journal, error);
    cx_journal_rollback(project->journal);
    return false;
}

static bool
import_tile(Import *import, CxBox tile, CxJob *job, GError **error)
{
    CxBox wanted = cx_box_intersect(
        (CxBox){tile.lo, {tile.hi.x + 1, tile.hi.y + 1, tile.hi.z + 1}},
        cx_project_bounds(import->project));
    g_autoptr(CxChunk) read =
        cx_volume_read_labels(import->labels, 0, wanted, NULL, error);
    g_autoptr(CxChunk) proper =
        read != NULL ? cx_chunk_new(CX_DTYPE_U64, tile, 1, error) : NULL;

    if (proper == NULL)
        return false;
    cx_chunk_copy_overlap(proper, read);

    g_autoptr(GArray) encoded =
        cx_project_encode_labels(import->project, proper, job, error);

    if (encoded == NULL || !store_chunks(import->project, encoded, error))
        return false;
    count_tile(import, read, tile);
    return true;
}

static bool
import_tiles(Import *import, CxJob *job, GError **error)
{
    CxBox bounds = cx_project_bounds(import->project);
    CxBox grid = cx_box_chunks(bounds, tile_size);
    CxVoxel n = cx_box_size(grid);
    uint64_t total = (uint64_t)(n.x * n.y * n.z), done = 0;
    CxChunkIdx i;

    for (i.z = 0; i.z < n.z; i.z++) {
        for (i.y = 0; i.y < n.y; i.y++) {
            for (i.x = 0; i.x < n.x; i.x++) {
                CxBox tile = cx_chunk_box_clipped(i, tile_size, bounds);

                if (!cx_job_step(job, done++, total, error) ||
                    !import_tile(import, tile, job, error))
                    return false;
            }
        }
    }
    return true;
}

static int
compare_supervoxels(const void *a, const void *b)
{
    const CxSupervoxel *left = a, *right = b;

    return left->id < right->id ? -1 : left->id > right->id;
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static void
fill_part(Import *import, CxGraphPart *part)
{
    size_t cursor = 0;
    uint64_t key, faces;

    while (cx_hash64_next(import->contacts, &cursor, &key, &faces)) {
        CxId a =
            g_array_index(import->supervoxels, CxSupervoxel, (key >> 32) - 1)
                .id;
        CxId b = g_array_index(import->supervoxels, CxSupervoxel,
                               (key & UINT32_MAX) - 1)
                     .id;
        CxEdge edge = {MIN(a, b), MAX(a, b), UNKNOWN_AFFINITY,
                       (uint32_t)MIN(faces, UINT32_MAX)};

        g_array_append_val(part->edges, edge);
    }
    g_array_sort(part->edges, compare_edges);
    g_array_append_vals(part->supervoxels, import->supervoxels->data,
                        import->supervoxels->len);
    g_array_sort(part->supervoxels, compare_supervoxels);
    for (guint i = 0; i < part->supervoxels->len; i++) {
        CxId id = g_array_index(part->supervoxels, CxSupervoxel, i).id;
        CxId segment = import->segment_of != NULL
                           ? import->segment_of(id, import->user_data)
                           : id;

        g_array_append_val(part->segments, segment);
    }
}

static CxId
largest_id(const CxGraphPart *part)
{
    guint n = part->supervoxels->len;

    return n > 0 ? g_array_index(part->supervoxels, CxSupervoxel, n - 1).id : 0;
}

/* The whole volume is one block of the grid. */
static bool
store_part(CxProject *project, CxGraphPart *part, GError **error)
{
    CxVoxel first = {0, 0, 0};

    if (!cx_journal_begin(project->journal, error))
        return false;
    if (cx_journal_add_part(project->journal, part, error) &&
        cx_journal_add_block(project->journal, first, part->part, error) &&
        cx_project_init_grid(project, project->note.size, largest_id(part),
                             error) &&
        cx_journal_set_meta(project->journal, "import_pending", 0, error)) {
        if (cx_journal_commit(project->journal, error))
            return true;
    } else {
        cx_journal_rollback(project->journal);
    }
    cx_project_reset_grid(project);
    return false;
}

static bool
import_all(Import *import, CxJob *job, GError **error)
{
    CxProject *project = import->project;
    g_auto(CxGraphPart) part = {0};

    if (!import_tiles(import, job, error))
        return false;
    cx_graph_part_init(&part);
    fill_part(import, &part);
    g_mutex_lock(&project->edit_lock);
    bool ok = store_part(project, &part, error);

    if (ok) {
        cx_supervoxel_graph_add(project->graph, part.supervoxels, part.edges,
                                (const CxId *)(void *)part.segments->data);
        cx_project_note_block(project, (CxVoxel){0, 0, 0});
    }
    g_mutex_unlock(&project->edit_lock);
    return ok;
}

static bool
check_target(CxProject *project, CxVolume *labels, GError **error)
{
    CxVoxel found = cx_volume_level(labels, 0).size;
    CxVoxel expected = project->note.size;

    if (project->read_only) {
        g_set_error(error, CX_ERROR, CX_ERROR_READ_ONLY, "%s is open read-only",
                    project->path);
        return false;
    }
    if (cx_project_n_blocks(project, NULL) > 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s holds a segmentation already; labels can only be "
                    "taken into an empty project",
                    project->path);
        return false;
    }
    if (cx_voxel_equal(found, expected))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s has %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " voxels, expected %" G_GINT64_FORMAT
                " × %" G_GINT64_FORMAT " × %" G_GINT64_FORMAT
                " as in the image",
                cx_volume_spec(labels), found.x, found.y, found.z, expected.x,
                expected.y, expected.z);
    return false;
}

static bool
clear_chunks(CxProject *project, GError **error)
{
    bool ok = cx_journal_begin(project->journal, error);

    if (ok &&
        (!cx_journal_clear_chunks(project->journal, error) ||
         !cx_journal_set_meta(project->journal, "import_pending", 0, error))) {
        cx_journal_rollback(project->journal);
        ok = false;
    } else if (ok) {
        ok = cx_journal_commit(project->journal, error);
    }
    cx_project_drop_cache(project);
    return ok;
}

bool
cx_project_finish_import(CxProject *project, GError **error)
{
    int64_t pending = 0;

    if (!cx_journal_get_meta(project->journal, "import_pending", &pending,
                             error))
        return false;
    return pending == 0 || clear_chunks(project, error);
}

static bool
import_labels(CxProject *project, CxVolume *labels, CxSegmentFunc segment_of,
              void *user_data, CxJob *job, GError **error)
{
    g_autoptr(CxHash64) numbers = cx_hash64_new(1024);
    g_autoptr(CxHash64) contacts = cx_hash64_new(4096);
    g_autoptr(GArray) supervoxels =
        g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    Import import = {project,  labels,     numbers,  supervoxels,
                     contacts, segment_of, user_data};
    g_autoptr(GError) ignored = NULL;

    if (!check_target(project, labels, error))
        return false;
    if (import_all(&import, job, error)) {
        cx_project_drop_cache(project);
        return true;
    }
    /* What cannot be cleared now is cleared when the project is opened. */
    if (!clear_chunks(project, &ignored))
        g_debug("%s", ignored->message);
    return false;
}

bool
cx_project_import_supervoxels(CxProject *project, CxVolume *labels,
                              CxSegmentFunc segment_of, void *user_data,
                              CxJob *job, GError **error)
{
    g_mutex_lock(&project->segment_lock);
    bool ok = import_labels(project, labels, segment_of, user_data, job, error);

    g_mutex_unlock(&project->segment_lock);
    return ok;
}

bool
cx_project_import_labels(CxProject *project, CxVolume *labels, CxJob *job,
                         GError **error)
{
    return cx_project_import_supervoxels(project, labels, NULL, NULL, job,
                                         error);
}
