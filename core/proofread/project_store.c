/* A project: label chunks in the file, and the two volumes over them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/proofread/project_private.h"
#include "core/proofread/store_codec.h"
#include "core/volume/reader.h"

#include <string.h>

static const CxVoxel store_chunk = {CX_STORE_SIDE, CX_STORE_SIDE,
                                    CX_STORE_SIDE};

static bool
is_active(int64_t sequence, void *user_data)
{
    return cx_project_is_done(user_data, sequence);
}

void
cx_project_drop_cache(CxProject *project)
{
    g_atomic_int_inc(&project->cache_generation);
    cx_chunk_cache_remove_volume(project->cache, 1);
}

void
cx_project_drop_chunks(CxProject *project, CxBox box)
{
    CxBox chunks = cx_box_chunks(
        cx_box_intersect(box, cx_project_bounds(project)), store_chunk);
    CxChunkKey key = {.volume_id = 1, .level = 0};
    CxChunkIdx *i = &key.idx;

    g_atomic_int_inc(&project->cache_generation);
    for (i->z = chunks.lo.z; i->z < chunks.hi.z; i->z++) {
        for (i->y = chunks.lo.y; i->y < chunks.hi.y; i->y++) {
            for (i->x = chunks.lo.x; i->x < chunks.hi.x; i->x++)
                cx_chunk_cache_remove(project->cache, &key);
        }
    }
}

/* *chunk NULL if there are no bytes. */
static bool
unpack_chunk(CxProject *project, CxChunkIdx index, GBytes *bytes,
             CxChunk **chunk, GError **error)
{
    *chunk = NULL;
    if (bytes == NULL)
        return true;
    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    CxBox box =
        cx_chunk_box_clipped(index, store_chunk, cx_project_bounds(project));

    if (cx_box_is_empty(box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: chunk %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " lies outside the volume",
                    project->path, index.x, index.y, index.z);
        return false;
    }
    g_autoptr(CxChunk) labels = cx_chunk_new(CX_DTYPE_U64, box, 1, error);

    if (labels == NULL)
        return false;
    if (!cx_store_decode_labels(data, size, cx_chunk_data_mut(labels),
                                cx_chunk_n_voxels(labels), error)) {
        g_prefix_error(error,
                       "%s: chunk %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                       ",%" G_GINT64_FORMAT ": ",
                       project->path, index.x, index.y, index.z);
        return false;
    }
    *chunk = g_steal_pointer(&labels);
    return true;
}

/* Reads and unpacks; *chunk NULL if nothing is stored. */
static bool
read_chunk(CxProject *project, CxChunkIdx index, CxChunk **chunk,
           GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    bool ok = false;

    *chunk = NULL;
    g_rw_lock_reader_lock(&project->journal_lock);
    if (project->journal != NULL)
        ok = cx_journal_get_chunk(project->journal, index, is_active, project,
                                  &bytes, error);
    else
        g_set_error(error, CX_ERROR, CX_ERROR_IO,
                    "the labels of %s cannot be read: the project is closed",
                    project->path);
    g_rw_lock_reader_unlock(&project->journal_lock);
    return ok && unpack_chunk(project, index, bytes, chunk, error);
}

/* State of the history at a tip, for reading what was. */
typedef struct {
    CxProject *project;
    int64_t tip;
} Past;

static bool
was_active(int64_t sequence, void *user_data)
{
    const Past *past = user_data;

    return cx_project_is_below(past->project, sequence, past->tip);
}

CxChunk *
cx_project_load_chunk_at(CxProject *project, CxChunkIdx index, int64_t tip,
                         GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    Past past = {project, tip};
    CxChunk *chunk = NULL;

    if (!cx_journal_get_chunk(project->journal, index, was_active, &past,
                              &bytes, error))
        return NULL;
    return unpack_chunk(project, index, bytes, &chunk, error) ? chunk : NULL;
}

CxChunk *
cx_project_load_chunk(CxProject *project, CxChunkIdx index, GError **error)
{
    CxChunkKey key = {.volume_id = 1, .level = 0, .idx = index};
    CxChunk *chunk = cx_chunk_cache_lookup(project->cache, &key);

    if (chunk != NULL)
        return chunk;
    gint generation = (gint)g_atomic_int_get(&project->cache_generation);

    if (!read_chunk(project, index, &chunk, error) || chunk == NULL)
        return NULL;
    /* What was read before a change must not outlive the change; an insertion
     * between the two looks is taken back by the second. */
    if (generation == (gint)g_atomic_int_get(&project->cache_generation)) {
        cx_chunk_cache_insert(project->cache, &key, chunk);
        if (generation != (gint)g_atomic_int_get(&project->cache_generation))
            cx_chunk_cache_remove(project->cache, &key);
    }
    return chunk;
}

/* Reading. */

static bool
read_supervoxels(void *self, unsigned level, CxBox box, CxChunk *dst,
                 CxJob *job, GError **error)
{
    CxProject *project = self;
    CxBox chunks = cx_box_chunks(box, store_chunk);
    CxChunkIdx i;

    memset(cx_chunk_data_mut(dst), 0, cx_chunk_size_bytes(dst));
    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                GError *reason = NULL;
                g_autoptr(CxChunk) chunk =
                    cx_project_load_chunk(project, i, &reason);

                if (reason != NULL) {
                    g_propagate_error(error, reason);
                    return false;
                }
                if (chunk != NULL)
                    cx_chunk_copy_overlap(dst, chunk);
                if (!cx_job_check(job, error))
                    return false;
            }
        }
    }
    return true;
}

static bool
read_segments(void *self, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
              GError **error)
{
    CxProject *project = self;
    CxId *labels = cx_chunk_data_mut(dst);

    if (!read_supervoxels(self, level, box, dst, job, error))
        return false;
    cx_supervoxel_graph_map(project->graph, labels, labels,
                            cx_chunk_n_voxels(dst));
    return true;
}

static void
release_volume(void *self)
{
    cx_project_release(self);
}

static const CxReader supervoxel_reader = {
    .name = "project",
    .read = read_supervoxels,
    .free = release_volume,
};

static const CxReader segment_reader = {
    .name = "project",
    .read = read_segments,
    .free = release_volume,
};

static CxVolume *
make_volume(CxProject *project, const CxReader *reader, const char *dataset)
{
    CxVolumeInfo info = {
        .dtype = CX_DTYPE_U64,
        .n_channels = 1,
        .n_levels = 1,
        .levels = {{project->note.size, store_chunk, project->note.voxel_nm}},
        .offset_nm = project->note.offset_nm,
        .has_voxel_size = true,
        .is_labels = true,
    };
    g_autofree char *spec = g_strdup_printf("%s:/%s", project->path, dataset);

    g_atomic_ref_count_inc(&project->holds);
    return cx_volume_new(reader, project, &info, spec);
}

void
cx_project_make_volumes(CxProject *project)
{
    project->supervoxels =
        make_volume(project, &supervoxel_reader, "supervoxels");
    project->segments = make_volume(project, &segment_reader, "segments");
}

bool
cx_project_pick(CxProject *project, CxVoxel at, CxId *supervoxel, CxId *segment,
                GError **error)
{
    GError *reason = NULL;
    CxId found = 0;

    if (cx_box_contains(cx_project_bounds(project), at)) {
        g_autoptr(CxChunk) chunk = cx_project_load_chunk(
            project, cx_chunk_of_voxel(at, store_chunk), &reason);

        if (reason != NULL) {
            g_propagate_error(error, reason);
            return false;
        }
        if (chunk != NULL)
            found = cx_chunk_label_at(chunk, at);
    }
    if (supervoxel != NULL)
        *supervoxel = found;
    if (segment != NULL)
        *segment = cx_supervoxel_graph_segment_of(project->graph, found);
    return true;
}

/* Writing. */

static void
clear_encoded(void *data)
{
    CxEncodedChunk *chunk = data;

    g_bytes_unref(chunk->data);
}

GArray *
cx_project_new_encoded(void)
{
    GArray *encoded = g_array_new(FALSE, FALSE, sizeof(CxEncodedChunk));

    g_array_set_clear_func(encoded, clear_encoded);
    return encoded;
}

/* The chunk as it will be: what is stored below the edits, with labels over
 * it. */
static CxChunk *
overlay_labels(CxProject *project, CxChunkIdx index, const CxChunk *labels,
               GError **error)
{
    CxBox box =
        cx_chunk_box_clipped(index, store_chunk, cx_project_bounds(project));
    g_autoptr(CxChunk) out = cx_chunk_new(CX_DTYPE_U64, box, 1, error);

    if (out == NULL)
        return NULL;
    if (!cx_box_contains_box(cx_chunk_box(labels), box)) {
        GError *reason = NULL;
        g_autoptr(CxChunk) stored =
            cx_project_load_chunk_at(project, index, 0, &reason);

        if (reason != NULL) {
            g_propagate_error(error, reason);
            return NULL;
        }
        memset(cx_chunk_data_mut(out), 0, cx_chunk_size_bytes(out));
        if (stored != NULL)
            cx_chunk_copy_overlap(out, stored);
    }
    cx_chunk_copy_overlap(out, labels);
    return g_steal_pointer(&out);
}

static bool
is_background(const CxId *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (labels[i] != 0)
            return false;
    }
    return true;
}

static bool
encode_chunk(CxProject *project, CxChunkIdx index, const CxChunk *labels,
             GArray *encoded, GError **error)
{
    g_autoptr(CxChunk) chunk = overlay_labels(project, index, labels, error);

    if (chunk == NULL)
        return false;
    if (is_background(cx_chunk_data(chunk), cx_chunk_n_voxels(chunk)))
        return true;
    CxEncodedChunk entry = {
        index, cx_store_encode_labels(cx_chunk_data(chunk),
                                      cx_chunk_n_voxels(chunk), error)};

    if (entry.data == NULL)
        return false;
    g_array_append_val(encoded, entry);
    return true;
}

GArray *
cx_project_encode_labels(CxProject *project, const CxChunk *labels, CxJob *job,
                         GError **error)
{
    g_autoptr(GArray) encoded = cx_project_new_encoded();
    CxBox chunks = cx_box_chunks(cx_chunk_box(labels), store_chunk);
    CxChunkIdx i;

    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                if (!encode_chunk(project, i, labels, encoded, error) ||
                    !cx_job_check(job, error))
                    return NULL;
            }
        }
    }
    return g_steal_pointer(&encoded);
}

bool
cx_project_put_chunks(CxProject *project, const GArray *encoded, GError **error)
{
    for (guint i = 0; i < encoded->len; i++) {
        const CxEncodedChunk *chunk =
            &g_array_index(encoded, CxEncodedChunk, i);

        if (!cx_journal_put_chunk(project->journal, chunk->index, chunk->data,
                                  error))
            return false;
    }
    return true;
}

/* One overlay with labels put into it. */
static bool
underlay_one(CxProject *project, CxChunkIdx index, int64_t sequence,
             const CxChunk *labels, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    CxChunk *unpacked = NULL;

    if (!cx_journal_get_overlay(project->journal, index, sequence, &bytes,
                                error) ||
        !unpack_chunk(project, index, bytes, &unpacked, error))
        return false;
    g_autoptr(CxChunk) chunk = unpacked;

    if (chunk == NULL)
        return true;
    cx_chunk_copy_overlap(chunk, labels);
    g_autoptr(GBytes) packed = cx_store_encode_labels(
        cx_chunk_data(chunk), cx_chunk_n_voxels(chunk), error);

    return packed != NULL && cx_journal_put_overlay(project->journal, index,
                                                    sequence, packed, error);
}

static bool
underlay_chunk(CxProject *project, CxChunkIdx index, const CxChunk *labels,
               GError **error)
{
    g_autoptr(GArray) edits =
        cx_journal_list_overlay_edits(project->journal, index, error);

    for (guint i = 0; edits != NULL && i < edits->len; i++) {
        if (!underlay_one(project, index, g_array_index(edits, int64_t, i),
                          labels, error))
            return false;
    }
    return edits != NULL;
}

bool
cx_project_underlay(CxProject *project, const CxChunk *labels, GError **error)
{
    CxBox chunks = cx_box_chunks(cx_chunk_box(labels), store_chunk);
    g_autoptr(GArray) overlays =
        cx_journal_list_overlays(project->journal, 0, error);

    for (guint i = 0; overlays != NULL && i < overlays->len; i++) {
        CxChunkIdx index = g_array_index(overlays, CxChunkIdx, i);
        CxVoxel at = {index.x, index.y, index.z};

        if (cx_box_contains(chunks, at) &&
            !underlay_chunk(project, index, labels, error))
            return false;
    }
    return overlays != NULL;
}
