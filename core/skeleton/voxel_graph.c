/* The cells of an object as a graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/skeleton/voxel_graph.h"

#include "core/base/alloc.h"
#include "core/base/heap.h"
#include "core/segmentation/distance.h"

#include <math.h>
#include <string.h>

#define CHECK_EVERY 65536

void
cx_voxel_graph_free(CxVoxelGraph *graph)
{
    if (graph == NULL)
        return;
    cx_free(graph->place);
    cx_free(graph->cell);
    cx_free(graph->depth_nm);
    g_free(graph);
}

static void
fill_neighbours(CxVoxelGraph *graph, CxNm pitch)
{
    unsigned n = 0;

    for (int64_t z = -1; z <= 1; z++)
        for (int64_t y = -1; y <= 1; y++)
            for (int64_t x = -1; x <= 1; x++) {
                if (x == 0 && y == 0 && z == 0)
                    continue;
                graph->step[n] =
                    (z * graph->padded.y + y) * graph->padded.x + x;
                graph->length_nm[n++] =
                    (float)sqrt((double)(x * x) * pitch.x * pitch.x +
                                (double)(y * y) * pitch.y * pitch.y +
                                (double)(z * z) * pitch.z * pitch.z);
            }
}

/* Calls for each cell inside, in order: its index in the mask and its place. */
static void
number_cells(CxVoxelGraph *graph, const CxObjectMask *mask, const float *square)
{
    size_t i = 0;
    uint32_t n = 0;

    for (int64_t z = 1; z <= mask->size.z; z++)
        for (int64_t y = 1; y <= mask->size.y; y++)
            for (int64_t x = 1; x <= mask->size.x; x++, i++) {
                if (!mask->inside[i])
                    continue;
                int64_t place = (z * graph->padded.y + y) * graph->padded.x + x;
                graph->cell[place] = n;
                graph->place[n] = (uint32_t)place;
                graph->depth_nm[n++] = sqrtf(square[i]);
            }
}

static bool
allocate(CxVoxelGraph *graph, size_t n_places, GError **error)
{
    graph->place = cx_try_alloc(graph->n + 1, sizeof *graph->place, error);
    if (graph->place == NULL)
        return false;
    graph->depth_nm =
        cx_try_alloc(graph->n + 1, sizeof *graph->depth_nm, error);
    if (graph->depth_nm == NULL)
        return false;
    graph->cell = cx_try_alloc(n_places, sizeof *graph->cell, error);
    if (graph->cell == NULL)
        return false;
    memset(graph->cell, 0xff, n_places * sizeof *graph->cell);
    return true;
}

/* An object that fills all of its grid has no border: half the grid's
 * smallest side is deep enough. */
static void
bound_depths(CxVoxelGraph *graph, const CxObjectMask *mask)
{
    double half = fmin((double)mask->size.x * mask->pitch_nm.x,
                       fmin((double)mask->size.y * mask->pitch_nm.y,
                            (double)mask->size.z * mask->pitch_nm.z)) /
                  2;

    for (uint32_t i = 0; i < graph->n; i++)
        graph->depth_nm[i] =
            fminf(graph->depth_nm[i], fmaxf((float)half, graph->length_nm[0]));
}

CxVoxelGraph *
cx_voxel_graph_new(const CxObjectMask *mask, unsigned n_threads, CxJob *job,
                   GError **error)
{
    g_autoptr(CxVoxelGraph) graph = g_new0(CxVoxelGraph, 1);
    size_t n = (size_t)(mask->size.x * mask->size.y * mask->size.z);
    CX_AUTOFREE float *square = cx_try_alloc(n, sizeof *square, error);

    if (square == NULL ||
        !cx_distance_squared(mask->inside, mask->size, mask->pitch_nm, square,
                             n_threads, job, error))
        return NULL;
    graph->padded =
        (CxVoxel){mask->size.x + 2, mask->size.y + 2, mask->size.z + 2};
    for (size_t i = 0; i < n; i++)
        graph->n += mask->inside[i] != 0;
    if (!allocate(graph,
                  (size_t)(graph->padded.x * graph->padded.y * graph->padded.z),
                  error))
        return NULL;
    fill_neighbours(graph, mask->pitch_nm);
    number_cells(graph, mask, square);
    bound_depths(graph, mask);
    return g_steal_pointer(&graph);
}

CxVoxel
cx_voxel_graph_at(const CxVoxelGraph *graph, uint32_t cell)
{
    int64_t place = graph->place[cell];

    return (CxVoxel){place % graph->padded.x - 1,
                     place / graph->padded.x % graph->padded.y - 1,
                     place / graph->padded.x / graph->padded.y - 1};
}

uint32_t
cx_voxel_graph_farthest(const CxVoxelGraph *graph, uint32_t from,
                        uint32_t *queue, uint8_t *seen)
{
    uint32_t n = 1;

    queue[0] = from;
    seen[from] = 1;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *at = graph->cell + graph->place[queue[i]];

        for (unsigned k = 0; k < CX_N_NEIGHBOURS; k++) {
            uint32_t to = at[graph->step[k]];

            if (to == CX_NO_CELL || seen[to])
                continue;
            seen[to] = 1;
            queue[n++] = to;
        }
    }
    return queue[n - 1];
}

bool
cx_voxel_graph_paths(const CxVoxelGraph *graph, uint32_t from,
                     const float *weight, float *distance, uint32_t *parent,
                     uint32_t *order, uint32_t *n_reached, CxJob *job,
                     GError **error)
{
    g_autoptr(CxHeap) heap = cx_heap_new(graph->n);
    uint32_t n = 0;
    float key; /* the heap gives the largest first */

    distance[from] = 0;
    parent[from] = CX_NO_CELL;
    cx_heap_set(heap, from, 0);
    while (!cx_heap_is_empty(heap)) {
        uint32_t cell = cx_heap_pop(heap, &key);

        if (order != NULL)
            order[n] = cell;
        if (++n % CHECK_EVERY == 0 && !cx_job_check(job, error))
            return false;
        const uint32_t *at = graph->cell + graph->place[cell];
        for (unsigned k = 0; k < CX_N_NEIGHBOURS; k++) {
            uint32_t to = at[graph->step[k]];

            if (to == CX_NO_CELL)
                continue;
            float cost = graph->length_nm[k];
            float sum = -key + (weight != NULL ? cost * weight[to] : cost);
            if (sum < distance[to]) {
                distance[to] = sum;
                parent[to] = cell;
                cx_heap_set(heap, to, -sum);
            }
        }
    }
    if (n_reached != NULL)
        *n_reached = n;
    return true;
}
