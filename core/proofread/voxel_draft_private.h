/* What voxel_draft.c and voxel_patch.c share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project_private.h"
#include "core/proofread/voxel_draft.h"

typedef struct {
    CxChunkIdx index;
    CxBox box;
    CxChunk *before; /* NULL: nothing stored, all 0 */
    CxChunk *after;  /* NULL: not written to */
    bool is_free;    /* all around is segmented */
} CxDraftChunk;

typedef struct {
    CxId id, segment, parent;
} CxDraftNew;

struct CxVoxelDraft {
    CxProject *project;
    CxHash64 *place_of; /* chunk → index + 1 into chunks */
    GPtrArray *chunks;  /* of CxDraftChunk */
    CxDraftChunk *last; /* met last: most questions are near each other */
    GArray *fresh;      /* of CxDraftNew */
    uint64_t n_refused;
    size_t n_written; /* chunks with `after` */
    bool all_present;
};

/* The chunk of a voxel inside the volume, read if need be. */
CxDraftChunk *cx_voxel_draft_chunk(CxVoxelDraft *draft, CxVoxel at,
                                   GError **error);

static inline CxId
cx_draft_former(const CxDraftChunk *chunk, size_t offset)
{
    return chunk->before != NULL
               ? ((const CxId *)cx_chunk_data(chunk->before))[offset]
               : 0;
}

static inline CxId
cx_draft_label(const CxDraftChunk *chunk, size_t offset)
{
    return chunk->after != NULL
               ? ((const CxId *)cx_chunk_data(chunk->after))[offset]
               : cx_draft_former(chunk, offset);
}
