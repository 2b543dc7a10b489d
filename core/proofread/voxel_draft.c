/* A working copy of the label chunks that an edit is about to change.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/voxel_draft.h"

#include "core/base/error.h"
#include "core/proofread/store_codec.h"
#include "core/proofread/voxel_draft_private.h"

#include <string.h>

/* Chunks of 2 MiB that one edit may write to. */
#define MAX_WRITTEN 512

static const CxVoxel store_chunk = {CX_STORE_SIDE, CX_STORE_SIDE,
                                    CX_STORE_SIDE};

static void
free_chunk(void *data)
{
    CxDraftChunk *chunk = data;

    g_clear_pointer(&chunk->before, cx_chunk_unref);
    g_clear_pointer(&chunk->after, cx_chunk_unref);
    g_free(chunk);
}

CxVoxelDraft *
cx_voxel_draft_new(CxProject *project)
{
    CxVoxelDraft *draft = g_new0(CxVoxelDraft, 1);
    size_t n_total;

    draft->project = project;
    draft->place_of = cx_hash64_new(64);
    draft->chunks = g_ptr_array_new_with_free_func(free_chunk);
    draft->fresh = g_array_new(FALSE, FALSE, sizeof(CxDraftNew));
    draft->all_present = cx_project_n_blocks(project, &n_total) == n_total;
    return draft;
}

void
cx_voxel_draft_free(CxVoxelDraft *draft)
{
    if (draft == NULL)
        return;
    cx_hash64_free(draft->place_of);
    g_ptr_array_unref(draft->chunks);
    g_array_unref(draft->fresh);
    g_free(draft);
}

/* True if all blocks that touch a box are stored. */
static bool
is_segmented(CxVoxelDraft *draft, CxBox box)
{
    CxVoxel block = cx_project_block_size(draft->project);
    CxVoxel i;

    if (block.x <= 0)
        return false;
    CxBox grid = cx_box_chunks(
        cx_box_intersect(box, cx_project_bounds(draft->project)), block);

    for (i.z = grid.lo.z; i.z < grid.hi.z; i.z++) {
        for (i.y = grid.lo.y; i.y < grid.hi.y; i.y++) {
            for (i.x = grid.lo.x; i.x < grid.hi.x; i.x++) {
                if (!cx_project_has_block(draft->project, i))
                    return false;
            }
        }
    }
    return true;
}

static bool
may_write(CxVoxelDraft *draft, const CxDraftChunk *chunk, CxVoxel at)
{
    CxBox around = {{at.x - 1, at.y - 1, at.z - 1},
                    {at.x + 2, at.y + 2, at.z + 2}};

    return chunk->is_free || is_segmented(draft, around);
}

static CxDraftChunk *
load(CxVoxelDraft *draft, CxChunkIdx index, GError **error)
{
    CxVoxel one = {1, 1, 1};
    GError *reason = NULL;
    CxChunk *before = cx_project_load_chunk(draft->project, index, &reason);

    if (reason != NULL) {
        g_propagate_error(error, reason);
        return NULL;
    }
    CxDraftChunk *chunk = g_new0(CxDraftChunk, 1);

    chunk->index = index;
    chunk->before = before;
    chunk->box = cx_chunk_box_clipped(index, store_chunk,
                                      cx_project_bounds(draft->project));
    chunk->is_free =
        draft->all_present || is_segmented(draft, cx_box_grow(chunk->box, one));
    g_ptr_array_add(draft->chunks, chunk);
    return chunk;
}

CxDraftChunk *
cx_voxel_draft_chunk(CxVoxelDraft *draft, CxVoxel at, GError **error)
{
    if (draft->last != NULL && cx_box_contains(draft->last->box, at))
        return draft->last;
    CxChunkIdx index = cx_chunk_of_voxel(at, store_chunk);
    uint64_t key =
        (uint64_t)(index.z << 42 | index.y << 21 | index.x) + UINT64_C(1);
    uint64_t place;
    CxDraftChunk *chunk;

    if (cx_hash64_get(draft->place_of, key, &place)) {
        chunk = g_ptr_array_index(draft->chunks, place);
    } else {
        chunk = load(draft, index, error);
        if (chunk == NULL)
            return NULL;
        cx_hash64_set(draft->place_of, key, draft->chunks->len - 1);
    }
    draft->last = chunk;
    return chunk;
}

static bool
get(CxVoxelDraft *draft, CxVoxel at, bool former, CxId *id, GError **error)
{
    *id = 0;
    if (!cx_box_contains(cx_project_bounds(draft->project), at))
        return true;
    const CxDraftChunk *chunk = cx_voxel_draft_chunk(draft, at, error);

    if (chunk == NULL)
        return false;
    size_t offset = cx_box_offset(chunk->box, at);

    *id =
        former ? cx_draft_former(chunk, offset) : cx_draft_label(chunk, offset);
    return true;
}

bool
cx_voxel_draft_get(CxVoxelDraft *draft, CxVoxel at, CxId *id, GError **error)
{
    return get(draft, at, false, id, error);
}

bool
cx_voxel_draft_get_former(CxVoxelDraft *draft, CxVoxel at, CxId *id,
                          GError **error)
{
    return get(draft, at, true, id, error);
}

static bool
make_writable(CxVoxelDraft *draft, CxDraftChunk *chunk, GError **error)
{
    if (chunk->after != NULL)
        return true;
    if (draft->n_written == MAX_WRITTEN) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "one edit cannot change voxels in more than %d blocks of "
                    "64 × 64 × 64; do it in several steps",
                    MAX_WRITTEN);
        return false;
    }
    chunk->after = cx_chunk_new(CX_DTYPE_U64, chunk->box, 1, error);
    if (chunk->after == NULL)
        return false;
    draft->n_written++;
    void *data = cx_chunk_data_mut(chunk->after);

    if (chunk->before != NULL)
        memcpy(data, cx_chunk_data(chunk->before),
               cx_chunk_size_bytes(chunk->after));
    else
        memset(data, 0, cx_chunk_size_bytes(chunk->after));
    return true;
}

/* A run inside one chunk. */
static bool
set_run(CxVoxelDraft *draft, CxDraftChunk *chunk, CxVoxel at, int64_t n,
        const CxId *ids, CxId id, GError **error)
{
    size_t offset = cx_box_offset(chunk->box, at);

    for (int64_t i = 0; i < n; i++) {
        CxId wanted = ids != NULL ? ids[i] : id;
        CxVoxel here = {at.x + i, at.y, at.z};

        if (cx_draft_label(chunk, offset + (size_t)i) == wanted)
            continue;
        if (!may_write(draft, chunk, here)) {
            draft->n_refused++;
            continue;
        }
        if (!make_writable(draft, chunk, error))
            return false;
        ((CxId *)cx_chunk_data_mut(chunk->after))[offset + (size_t)i] = wanted;
    }
    return true;
}

static bool
set_row(CxVoxelDraft *draft, CxVoxel at, int64_t n, const CxId *ids, CxId id,
        GError **error)
{
    CxBox bounds = cx_project_bounds(draft->project);
    CxBox row =
        cx_box_intersect((CxBox){at, {at.x + n, at.y + 1, at.z + 1}}, bounds);

    if (cx_box_is_empty(row))
        return true;
    for (CxVoxel v = row.lo; v.x < row.hi.x;) {
        CxDraftChunk *chunk = cx_voxel_draft_chunk(draft, v, error);

        if (chunk == NULL)
            return false;
        int64_t step = MIN(row.hi.x, chunk->box.hi.x) - v.x;

        if (!set_run(draft, chunk, v, step,
                     ids != NULL ? ids + (v.x - at.x) : NULL, id, error))
            return false;
        v.x += step;
    }
    return true;
}

bool
cx_voxel_draft_set(CxVoxelDraft *draft, CxVoxel at, int64_t n, CxId id,
                   GError **error)
{
    return set_row(draft, at, n, NULL, id, error);
}

void
cx_voxel_draft_rename(CxVoxelDraft *draft, CxId from, CxId to)
{
    for (guint i = 0; i < draft->chunks->len; i++) {
        CxDraftChunk *chunk = g_ptr_array_index(draft->chunks, i);
        size_t n = chunk->after != NULL ? cx_chunk_n_voxels(chunk->after) : 0;
        CxId *labels = n > 0 ? cx_chunk_data_mut(chunk->after) : NULL;

        for (size_t k = 0; k < n; k++)
            labels[k] = labels[k] == from ? to : labels[k];
    }
}

/* Brings all chunks of a box in. */
static bool
touch(CxVoxelDraft *draft, CxBox box, GError **error)
{
    CxBox chunks = cx_box_chunks(
        cx_box_intersect(box, cx_project_bounds(draft->project)), store_chunk);
    CxVoxel i;

    for (i.z = chunks.lo.z; i.z < chunks.hi.z; i.z++) {
        for (i.y = chunks.lo.y; i.y < chunks.hi.y; i.y++) {
            for (i.x = chunks.lo.x; i.x < chunks.hi.x; i.x++) {
                CxVoxel at = {i.x * CX_STORE_SIDE, i.y * CX_STORE_SIDE,
                              i.z * CX_STORE_SIDE};

                if (cx_voxel_draft_chunk(draft, at, error) == NULL)
                    return false;
            }
        }
    }
    return true;
}

CxChunk *
cx_voxel_draft_read(CxVoxelDraft *draft, CxBox box, GError **error)
{
    g_autoptr(CxChunk) out = cx_chunk_new(CX_DTYPE_U64, box, 1, error);

    if (out == NULL || !touch(draft, box, error))
        return NULL;
    memset(cx_chunk_data_mut(out), 0, cx_chunk_size_bytes(out));
    for (guint i = 0; i < draft->chunks->len; i++) {
        const CxDraftChunk *chunk = g_ptr_array_index(draft->chunks, i);
        const CxChunk *labels =
            chunk->after != NULL ? chunk->after : chunk->before;

        if (labels != NULL)
            cx_chunk_copy_overlap(out, labels);
    }
    return g_steal_pointer(&out);
}

bool
cx_voxel_draft_write(CxVoxelDraft *draft, const CxChunk *labels, GError **error)
{
    CxBox box = cx_chunk_box(labels);
    const CxId *ids = cx_chunk_data(labels);
    int64_t n = box.hi.x - box.lo.x;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxVoxel at = {box.lo.x, y, z};

            if (!set_row(draft, at, n, ids + cx_box_offset(box, at), 0, error))
                return false;
        }
    }
    return true;
}

void
cx_voxel_draft_add_new(CxVoxelDraft *draft, CxId id, CxId segment, CxId parent)
{
    CxDraftNew fresh = {id, segment, parent};

    g_array_append_val(draft->fresh, fresh);
}

uint64_t
cx_voxel_draft_n_refused(const CxVoxelDraft *draft)
{
    return draft->n_refused;
}

static bool
is_changed(const CxDraftChunk *chunk)
{
    const CxId *after =
        chunk->after != NULL ? cx_chunk_data(chunk->after) : NULL;
    size_t n = after != NULL ? cx_chunk_n_voxels(chunk->after) : 0;

    if (after != NULL && chunk->before != NULL)
        return memcmp(after, cx_chunk_data(chunk->before), n * sizeof *after) !=
               0;
    for (size_t i = 0; i < n; i++) {
        if (after[i] != 0)
            return true;
    }
    return false;
}

/* In order of place, so that the same edit writes the same bytes. */
static int
compare_chunks(const void *a, const void *b)
{
    CxChunkIdx left = ((const CxEncodedChunk *)a)->index;
    CxChunkIdx right = ((const CxEncodedChunk *)b)->index;

    if (left.z != right.z)
        return left.z < right.z ? -1 : 1;
    if (left.y != right.y)
        return left.y < right.y ? -1 : 1;
    return left.x < right.x ? -1 : left.x > right.x;
}

GArray *
cx_voxel_draft_encode(CxVoxelDraft *draft, GError **error)
{
    g_autoptr(GArray) encoded = cx_project_new_encoded();

    for (guint i = 0; i < draft->chunks->len; i++) {
        const CxDraftChunk *chunk = g_ptr_array_index(draft->chunks, i);

        if (!is_changed(chunk))
            continue;
        CxEncodedChunk entry = {
            chunk->index,
            cx_store_encode_labels(cx_chunk_data(chunk->after),
                                   cx_chunk_n_voxels(chunk->after), error)};

        if (entry.data == NULL)
            return NULL;
        g_array_append_val(encoded, entry);
    }
    g_array_sort(encoded, compare_chunks);
    return g_steal_pointer(&encoded);
}
