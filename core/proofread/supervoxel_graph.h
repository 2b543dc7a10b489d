/* Supervoxels, the edges between them, and the current segment of each: the
 * truth while the program runs.
 *
 * Each supervoxel also has a dense index (1, 2, …; never reused while open),
 * which the screen uses in place of the 64-bit id.  Thread-safe: readers run
 * at once, a change waits for them; no call holds the lock over 5 ms but
 * cx_supervoxel_graph_cut().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/proofread/edit.h"
#include "core/segmentation/fragments.h"

typedef struct CxSupervoxelGraph CxSupervoxelGraph;

typedef struct {
    CxId id;
    uint64_t n_voxels;
    uint32_t n_supervoxels;
    CxBox box;
    CxVoxel inside;
} CxSegment;

CxSupervoxelGraph *cx_supervoxel_graph_new(void);
void cx_supervoxel_graph_free(CxSupervoxelGraph *graph);

/* Adds the supervoxels and edges of a block.  segments: for each supervoxel
 * the id of its segment (as cx_agglomerate returns them). */
void cx_supervoxel_graph_add(CxSupervoxelGraph *graph,
                             const GArray *supervoxels, const GArray *edges,
                             const CxId *segments);

size_t cx_supervoxel_graph_n_supervoxels(CxSupervoxelGraph *graph);
size_t cx_supervoxel_graph_n_segments(CxSupervoxelGraph *graph);

/* Segment of a supervoxel; 0 if unknown.  Fast: for every voxel of a map. */
CxId cx_supervoxel_graph_segment_of(CxSupervoxelGraph *graph, CxId supervoxel);

/* Maps n supervoxel ids at once, in place or not; unknown ids become 0. */
void cx_supervoxel_graph_map(CxSupervoxelGraph *graph, const CxId *supervoxels,
                             CxId *segments, size_t n);

bool cx_supervoxel_graph_segment(CxSupervoxelGraph *graph, CxId segment,
                                 CxSegment *out);

/* Supervoxels of a segment (GArray of CxSupervoxel, sorted by id), or NULL. */
GArray *cx_supervoxel_graph_members(CxSupervoxelGraph *graph, CxId segment);

/* All segments (GArray of CxSegment, sorted by id). */
GArray *cx_supervoxel_graph_segments(CxSupervoxelGraph *graph);

/* Edges with an end in the segment (GArray of CxEdge); across: only those
 * that leave it, else only those inside. */
GArray *cx_supervoxel_graph_edges(CxSupervoxelGraph *graph, CxId segment,
                                  bool across);

/* Carries out (or with inverse = true takes back) the moves of an edit. */
void cx_supervoxel_graph_apply(CxSupervoxelGraph *graph, const CxEdit *edit,
                               bool inverse);

/* Makes sure an edge exists between two supervoxels (a merge by hand). */
void cx_supervoxel_graph_link(CxSupervoxelGraph *graph, CxId a, CxId b);

/* Cheapest cut of one segment between two groups of its supervoxels.
 *
 * Capacity of an edge = affinity * contacts; paths that join the seeds of one
 * side are made uncuttable first, so that no seed is ever isolated (as in
 * PyChunkedGraph's path-augmented min-cut).  Returns the supervoxels of the
 * sink's side (sorted), every piece that touches neither seed going to the
 * side of its strongest edge.  Errors: seeds of both sides in one supervoxel,
 * or a seed outside the segment (CX_ERROR_INVALID, which one). */
GArray *cx_supervoxel_graph_cut(CxSupervoxelGraph *graph, CxId segment,
                                const CxId *sources, size_t n_sources,
                                const CxId *sinks, size_t n_sinks,
                                double *cut_value, CxJob *job, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSupervoxelGraph, cx_supervoxel_graph_free)
