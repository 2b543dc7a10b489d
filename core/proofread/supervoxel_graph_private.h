/* What the files of the supervoxel graph share: its arrays.
 *
 * supervoxel_graph.c changes them, supervoxel_query.c reads them.  All fields
 * are guarded by the lock.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/hash64.h"
#include "core/proofread/supervoxel_graph.h"

typedef struct {
    CxSupervoxel supervoxel;
    uint32_t slot;           /* segment; 0: an edit removed it */
    uint32_t next, previous; /* members of the segment; 0 = none */
    uint32_t first_half;     /* list of edge ends; 0 = none */
} Vertex;

/* End e of edge i is half 2 * i + 1 + e.  affinity < 0: taken back. */
typedef struct {
    uint32_t end[2];  /* vertices */
    uint32_t next[2]; /* next half in the list of that end's vertex */
    float affinity;
    uint32_t contacts;
} Edge;

typedef struct {
    CxId id;
    uint64_t n_voxels;
    CxBox box;
    uint32_t first; /* member; in a free slot: the next free slot */
    uint32_t n_members;
    uint32_t largest;
    bool is_stale; /* box and largest must be found anew */
} Slot;

struct CxSupervoxelGraph {
    GRWLock lock;
    CxHash64 *vertex_of; /* supervoxel id → vertex */
    CxHash64 *slot_of;   /* segment id → slot */
    Vertex *vertices;    /* from 1 */
    Edge *edges;
    Slot *slots; /* from 1 */
    size_t n_vertices, room_vertices;
    size_t n_removed; /* of the vertices */
    size_t n_edges, room_edges;
    size_t n_slots, room_slots;
    uint32_t free_slot;
};

/* Of a supervoxel that is there. */
static inline uint32_t
cx_graph_vertex(const CxSupervoxelGraph *graph, CxId supervoxel)
{
    uint64_t vertex;

    if (supervoxel == 0 ||
        !cx_hash64_get(graph->vertex_of, supervoxel, &vertex) ||
        graph->vertices[vertex].slot == 0)
        return 0;
    return (uint32_t)vertex;
}

static inline const Slot *
cx_graph_slot(const CxSupervoxelGraph *graph, CxId segment)
{
    uint64_t slot;

    if (segment == 0 || !cx_hash64_get(graph->slot_of, segment, &slot))
        return NULL;
    return &graph->slots[slot];
}

static inline const Edge *
cx_graph_edge(const CxSupervoxelGraph *graph, uint32_t half)
{
    return &graph->edges[(half - 1) / 2];
}

static inline unsigned
cx_graph_end(uint32_t half)
{
    return (half - 1) & 1;
}
