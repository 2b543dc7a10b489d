/* Centre lines by TEASAR.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/skeleton/teasar.h"

#include "core/base/alloc.h"

#include <math.h>
#include <string.h>

/* Along a path, balls are set this share of their radius apart. */
#define BALL_SPACING 0.2

typedef struct {
    const CxObjectMask *mask;
    const CxVoxelGraph *graph;
    const CxTeasarOptions *options;
    CxNm offset_nm;
    CxSkeleton *skeleton;
    float *weight;     /* of stepping into a cell */
    float *near, *way; /* lengths from the root; costs from the root */
    uint32_t *parent, *order;
    uint8_t *is_covered, *is_seen;
    int64_t *node; /* of each cell in the skeleton, or -1 */
} Teasar;

static void
clear(Teasar *self)
{
    cx_free(self->weight);
    cx_free(self->near);
    cx_free(self->way);
    cx_free(self->parent);
    cx_free(self->order);
    cx_free(self->is_covered);
    cx_free(self->is_seen);
    cx_free(self->node);
    cx_skeleton_free(self->skeleton);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Teasar, clear)

static bool
allocate(Teasar *self, GError **error)
{
    size_t n = (size_t)self->graph->n + 1;

    self->weight = cx_try_alloc(n, sizeof *self->weight, error);
    self->near =
        self->weight ? cx_try_alloc(n, sizeof *self->near, error) : NULL;
    self->way = self->near ? cx_try_alloc(n, sizeof *self->way, error) : NULL;
    self->parent =
        self->way ? cx_try_alloc(n, sizeof *self->parent, error) : NULL;
    self->order =
        self->parent ? cx_try_alloc(n, sizeof *self->order, error) : NULL;
    self->is_covered = self->order ? cx_try_alloc0(n, 1, error) : NULL;
    self->is_seen = self->is_covered ? cx_try_alloc0(n, 1, error) : NULL;
    self->node =
        self->is_seen ? cx_try_alloc(n, sizeof *self->node, error) : NULL;
    return self->node != NULL;
}

static void
set_up(Teasar *self)
{
    float pitch = self->graph->length_nm[0];

    for (uint32_t i = 0; i < self->graph->n; i++) {
        float depth = self->graph->depth_nm[i] / pitch;

        self->weight[i] = 1 / (depth * depth * depth);
        self->near[i] = self->way[i] = INFINITY;
        self->node[i] = -1;
    }
}

/* --- covering */

static double
reach_nm(const Teasar *self, uint32_t cell)
{
    return self->options->scale * (double)self->graph->depth_nm[cell] +
           self->options->constant_nm;
}

static void
cover_row(Teasar *self, CxVoxel at, double half_nm)
{
    const CxVoxelGraph *graph = self->graph;
    int64_t half = (int64_t)(half_nm / self->mask->pitch_nm.x);
    int64_t lo = MAX(at.x - half, 0);
    int64_t hi = MIN(at.x + half, self->mask->size.x - 1);
    const uint32_t *row =
        graph->cell +
        ((at.z + 1) * graph->padded.y + at.y + 1) * graph->padded.x + 1;

    for (int64_t x = lo; x <= hi; x++) {
        if (row[x] != CX_NO_CELL)
            self->is_covered[row[x]] = 1;
    }
}

static void
cover_ball(Teasar *self, uint32_t cell)
{
    CxVoxel c = cx_voxel_graph_at(self->graph, cell), size = self->mask->size;
    CxNm pitch = self->mask->pitch_nm;
    double r = reach_nm(self, cell);
    int64_t rz = (int64_t)(r / pitch.z), ry = (int64_t)(r / pitch.y);

    for (int64_t z = MAX(c.z - rz, 0); z <= MIN(c.z + rz, size.z - 1); z++)
        for (int64_t y = MAX(c.y - ry, 0); y <= MIN(c.y + ry, size.y - 1);
             y++) {
            double dz = (double)(z - c.z) * pitch.z;
            double dy = (double)(y - c.y) * pitch.y;
            double rest = r * r - dz * dz - dy * dy;

            if (rest >= 0)
                cover_row(self, (CxVoxel){c.x, y, z}, sqrt(rest));
        }
}

/* --- paths */

static CxNm
middle_of(const Teasar *self, uint32_t cell)
{
    CxVoxel at = cx_voxel_graph_at(self->graph, cell);
    CxNm pitch = self->mask->pitch_nm;
    CxVoxel lo = self->mask->box.lo, factor = self->mask->factor;

    return (CxNm){
        self->offset_nm.x + ((double)(lo.x / factor.x + at.x) + 0.5) * pitch.x,
        self->offset_nm.y + ((double)(lo.y / factor.y + at.y) + 0.5) * pitch.y,
        self->offset_nm.z + ((double)(lo.z / factor.z + at.z) + 0.5) * pitch.z};
}

static void
add_node(Teasar *self, uint32_t cell, int64_t parent)
{
    self->node[cell] =
        cx_skeleton_add(self->skeleton, middle_of(self, cell),
                        (double)self->graph->depth_nm[cell], parent);
}

/* From the skeleton out to a cell: the way is noted backwards. */
static void
add_path(Teasar *self, uint32_t target, GArray *path)
{
    double since = INFINITY;
    uint32_t cell = target;

    g_array_set_size(path, 0);
    for (; cell != CX_NO_CELL && self->node[cell] < 0;
         cell = self->parent[cell])
        g_array_append_val(path, cell);
    int64_t node = cell != CX_NO_CELL ? self->node[cell] : -1;
    for (guint i = path->len; i-- > 0;) {
        uint32_t next = g_array_index(path, uint32_t, i);

        if (cell != CX_NO_CELL)
            since += fabs((double)(self->near[next] - self->near[cell]));
        add_node(self, next, node);
        node = self->node[next];
        if (since >= BALL_SPACING * reach_nm(self, next) || i == 0) {
            cover_ball(self, next);
            since = 0;
        }
        cell = next;
    }
}

/* The piece that holds a cell; its cells are in order, the farthest last. */
static bool
add_piece(Teasar *self, uint32_t any, CxJob *job, GError **error)
{
    g_autoptr(GArray) path = g_array_new(false, false, sizeof(uint32_t));
    uint32_t root =
        cx_voxel_graph_farthest(self->graph, any, self->order, self->is_seen);
    uint32_t n = 0;

    if (!cx_voxel_graph_paths(self->graph, root, NULL, self->near, self->parent,
                              self->order, &n, job, error) ||
        !cx_voxel_graph_paths(self->graph, root, self->weight, self->way,
                              self->parent, NULL, NULL, job, error))
        return false;
    add_path(self, root, path);
    for (uint32_t i = n; i-- > 0;) {
        if (!self->is_covered[self->order[i]])
            add_path(self, self->order[i], path);
        if (i % 65536 == 0 && !cx_job_check(job, error))
            return false;
    }
    return true;
}

CxSkeleton *
cx_teasar(const CxObjectMask *mask, const CxVoxelGraph *graph, CxNm offset_nm,
          const CxTeasarOptions *options, CxJob *job, GError **error)
{
    g_auto(Teasar) self = {
        .mask = mask,
        .graph = graph,
        .options = options,
        .offset_nm = offset_nm,
        .skeleton = cx_skeleton_new(),
    };

    if (!allocate(&self, error))
        return NULL;
    set_up(&self);
    for (uint32_t i = 0; i < graph->n; i++) {
        /* a ball may cover other pieces too: what was seen decides */
        if (!self.is_seen[i] && !add_piece(&self, i, job, error))
            return NULL;
    }
    return g_steal_pointer(&self.skeleton);
}
