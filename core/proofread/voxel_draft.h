/* Voxels of a project that an edit is about to change: a working copy of the
 * label chunks it touches, which nobody else sees before the commit.
 *
 * Voxels beyond the volume, in blocks that are not segmented yet and right
 * beside such blocks stay as they are: writing there does nothing.  So a block
 * that comes later finds the border it was computed against, whatever was
 * edited and undone meanwhile.
 *
 * With the project's edit lock held; one thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

typedef struct CxVoxelDraft CxVoxelDraft;

CxVoxelDraft *cx_voxel_draft_new(CxProject *project);
void cx_voxel_draft_free(CxVoxelDraft *draft);

/* The supervoxel at a voxel, as it will be (0 beyond the volume), or as it is
 * now. */
bool cx_voxel_draft_get(CxVoxelDraft *draft, CxVoxel at, CxId *id,
                        GError **error);
bool cx_voxel_draft_get_former(CxVoxelDraft *draft, CxVoxel at, CxId *id,
                               GError **error);

/* n voxels along x from `at`. */
bool cx_voxel_draft_set(CxVoxelDraft *draft, CxVoxel at, int64_t n, CxId id,
                        GError **error);

/* Everywhere in the chunks that were written to, one id becomes another. */
void cx_voxel_draft_rename(CxVoxelDraft *draft, CxId from, CxId to);

/* A box as it will be, dense (u64). */
CxChunk *cx_voxel_draft_read(CxVoxelDraft *draft, CxBox box, GError **error);

/* Puts a dense block of labels there; voxels that are equal cost nothing. */
bool cx_voxel_draft_write(CxVoxelDraft *draft, const CxChunk *labels,
                          GError **error);

/* Registers a supervoxel that does not exist yet: the segment it belongs to,
 * and the supervoxel whose contacts' affinities it inherits (0 = none). */
void cx_voxel_draft_add_new(CxVoxelDraft *draft, CxId id, CxId segment,
                            CxId parent);

/* Voxels that could not be written for lack of segmentation around. */
uint64_t cx_voxel_draft_n_refused(const CxVoxelDraft *draft);

/* What the graph will be.  NULL without error if no voxel changes. */
CxPatch *cx_voxel_draft_make_patch(CxVoxelDraft *draft, CxJob *job,
                                   GError **error);

/* The changed chunks, encoded (GArray of CxEncodedChunk). */
GArray *cx_voxel_draft_encode(CxVoxelDraft *draft, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxVoxelDraft, cx_voxel_draft_free)
