/* Supervoxels, the edges between them, and the current segment of each: the
 * truth while the program runs.
 *
 * Each supervoxel also has a dense index (1, 2, …; never reused while open),
 * which the screen uses in place of the 64-bit id.  Thread-safe: readers run
 * at once, a change waits for them.  The lock is held for the time of copying
 * what a call returns; cx_supervoxel_graph_cut() computes on its own copy.
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
 * the id of its segment (as cx_agglomerate returns them).  Supervoxels that
 * are known, loops and edges to unknown supervoxels are passed over; faces of
 * an edge that is there already are pooled with it. */
void cx_supervoxel_graph_add(CxSupervoxelGraph *graph,
                             const GArray *supervoxels, const GArray *edges,
                             const CxId *segments);

size_t cx_supervoxel_graph_n_supervoxels(CxSupervoxelGraph *graph);
size_t cx_supervoxel_graph_n_segments(CxSupervoxelGraph *graph);

/* Puts supervoxels into other segments (agglomeration, not a person's edit);
 * unknown ones are passed over. */
void cx_supervoxel_graph_assign(CxSupervoxelGraph *graph,
                                const CxId *supervoxels, const CxId *segments,
                                size_t n);

/* Dense indices of n supervoxels at once; 0 for unknown ids.  A supervoxel
 * that an edit removed and an undo brings back has the index it had. */
uint32_t cx_supervoxel_graph_largest_index(CxSupervoxelGraph *graph);
void cx_supervoxel_graph_map_indices(CxSupervoxelGraph *graph,
                                     const CxId *supervoxels, uint32_t *indices,
                                     size_t n);

/* Writes the segment of each supervoxel to by_index[index], for indices
 * first <= index < end; 0 beyond the last and for index 0. */
void cx_supervoxel_graph_copy_table(CxSupervoxelGraph *graph, uint32_t first,
                                    uint32_t end, CxId *by_index);

/* Segment of a supervoxel; 0 if unknown.  Fast: for every voxel of a map. */
CxId cx_supervoxel_graph_segment_of(CxSupervoxelGraph *graph, CxId supervoxel);

/* Maps n supervoxel ids at once, in place or not; unknown ids become 0. */
void cx_supervoxel_graph_map(CxSupervoxelGraph *graph, const CxId *supervoxels,
                             CxId *segments, size_t n);

bool cx_supervoxel_graph_segment(CxSupervoxelGraph *graph, CxId segment,
                                 CxSegment *out);

/* A supervoxel and its segment; either pointer may be NULL. */
bool cx_supervoxel_graph_supervoxel(CxSupervoxelGraph *graph, CxId supervoxel,
                                    CxSupervoxel *out, CxId *segment);

/* All edges of a supervoxel (appended to an array of CxEdge); the edge between
 * two, links made by hand (contacts 0) included. */
void cx_supervoxel_graph_edges_of(CxSupervoxelGraph *graph, CxId supervoxel,
                                  GArray *edges);
bool cx_supervoxel_graph_edge(CxSupervoxelGraph *graph, CxId a, CxId b,
                              CxEdge *out);

/* Supervoxels of a segment (GArray of CxSupervoxel, sorted by id), or NULL. */
GArray *cx_supervoxel_graph_members(CxSupervoxelGraph *graph, CxId segment);

/* All segments (GArray of CxSegment, sorted by id), all supervoxels (GArray of
 * CxSupervoxel, sorted by id), all edges (GArray of CxEdge, sorted by ends). */
GArray *cx_supervoxel_graph_segments(CxSupervoxelGraph *graph);
GArray *cx_supervoxel_graph_supervoxels(CxSupervoxelGraph *graph);
GArray *cx_supervoxel_graph_all_edges(CxSupervoxelGraph *graph);

/* Edges with an end in the segment (GArray of CxEdge, sorted by ends); across:
 * only those that leave it, else only those inside. */
GArray *cx_supervoxel_graph_edges(CxSupervoxelGraph *graph, CxId segment,
                                  bool across);

/* True if an edge joins supervoxels of the two segments. */
bool cx_supervoxel_graph_touch(CxSupervoxelGraph *graph, CxId a, CxId b);

/* Carries out (or with inverse = true takes back) the patch of an edit, its
 * moves and its link. */
void cx_supervoxel_graph_apply(CxSupervoxelGraph *graph, const CxEdit *edit,
                               bool inverse);

/* Carries out a patch alone: the graph as it is on the other side becomes what
 * it is on this one. */
void cx_supervoxel_graph_patch(CxSupervoxelGraph *graph, const CxPatch *patch,
                               CxPatchSide side);

/* Makes sure an edge exists between two supervoxels (a merge by hand), with
 * affinity 1 and no contacts; unlink removes only such an edge. */
void cx_supervoxel_graph_link(CxSupervoxelGraph *graph, CxId a, CxId b);
void cx_supervoxel_graph_unlink(CxSupervoxelGraph *graph, CxId a, CxId b);

/* Cheapest cut of one segment between two groups of its supervoxels.
 *
 * Capacity of an edge = contacts * (affinity / (1 - affinity))^4 (a link made
 * by hand counts as an edge of the segment's mean affinity and contacts); paths
 * that join the seeds of one side are made uncuttable first, and a lone seed
 * takes what is tied to it most strongly with it, so that no seed is isolated
 * (split_mincut.h).  Returns the supervoxels of the
 * sink's side (sorted), every piece that touches neither seed going to the
 * side of its strongest edge.  Errors: seeds of both sides in one supervoxel,
 * or a seed outside the segment (CX_ERROR_INVALID, which one). */
GArray *cx_supervoxel_graph_cut(CxSupervoxelGraph *graph, CxId segment,
                                const CxId *sources, size_t n_sources,
                                const CxId *sinks, size_t n_sinks,
                                double *cut_value, CxJob *job, GError **error);

/* What speaks for a cut. */
typedef struct {
    double value;         /* sum of the capacities cut */
    uint64_t n_faces;     /* contacts cut */
    double cut_affinity;  /* mean over the faces cut */
    double mean_affinity; /* mean over all inner faces of the segment */
    GArray *edges;        /* of CxEdge: those cut, sorted (owned) */
} CxCutEvidence;

void cx_cut_evidence_clear(CxCutEvidence *evidence);

/* The same in the graph as a patch will make it (NULL: as it is); seeds are
 * supervoxels after the patch. */
GArray *cx_supervoxel_graph_cut_patched(CxSupervoxelGraph *graph, CxId segment,
                                        const CxPatch *patch,
                                        const CxId *sources, size_t n_sources,
                                        const CxId *sinks, size_t n_sinks,
                                        CxCutEvidence *evidence, CxJob *job,
                                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSupervoxelGraph, cx_supervoxel_graph_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CxCutEvidence, cx_cut_evidence_clear)
