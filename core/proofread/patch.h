/* What an edit of voxels changes in the graph: how the supervoxels and edges it
 * touches were before, and what they are after.  Undo is the same, the sides
 * exchanged.
 *
 * A supervoxel that is on one side alone appears or vanishes; one on both has
 * other voxels.  An edge on one side alone appears or vanishes; contacts and
 * affinities are absolute values, so that a patch can be carried out any
 * number of times.  What is on neither side is as it was.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/fragments.h"

typedef struct {
    CxSupervoxel supervoxel;
    CxId segment;
} CxPatchNode;

typedef enum {
    CX_BEFORE,
    CX_AFTER,
} CxPatchSide;

typedef struct {
    CxBox box;        /* of the voxels that changed */
    GArray *nodes[2]; /* of CxPatchNode, sorted by id; by CxPatchSide */
    GArray *edges[2]; /* of CxEdge, sorted by ends; contacts 0: a link */
} CxPatch;

CxPatch *cx_patch_new(CxBox box);
void cx_patch_free(CxPatch *patch);

/* Brings both sides into order. */
void cx_patch_sort(CxPatch *patch);

/* The node of a supervoxel on one side, or NULL. */
const CxPatchNode *cx_patch_find(const CxPatch *patch, CxPatchSide side,
                                 CxId supervoxel);

/* The edge between two supervoxels, a < b, on one side, or NULL. */
const CxEdge *cx_patch_find_edge(const CxPatch *patch, CxPatchSide side, CxId a,
                                 CxId b);

/* Bytes for the project file and the log, zstd; decode trusts nothing
 * (CX_ERROR_FORMAT). */
GBytes *cx_patch_encode(const CxPatch *patch, GError **error);
CxPatch *cx_patch_decode(const void *data, size_t n_bytes, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPatch, cx_patch_free)
