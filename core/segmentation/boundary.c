/* Boundary maps and affinities from the outputs of a network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/boundary.h"

#include "core/base/alloc.h"
#include "core/jobs/parallel.h"

#include <string.h>

CxOutputRoles
cx_output_roles(const CxOutput *outputs, unsigned n_outputs)
{
    CxOutputRoles roles = {.boundary = -1, .near_axis = {-1, -1, -1}};

    for (unsigned c = 0; c < n_outputs && c < CX_MAX_OUTPUTS; c++) {
        CxVoxel o = outputs[c].offset;
        int n_axes = (o.x != 0) + (o.y != 0) + (o.z != 0);
        int axis = o.x != 0 ? 0 : o.y != 0 ? 1 : 2;

        if (outputs[c].kind == CX_OUTPUT_BOUNDARY) {
            roles.boundary = (int)c;
        } else if (n_axes == 1 && o.x + o.y + o.z == 1) {
            roles.near_axis[axis] = (int)c;
        } else if (n_axes == 1 && o.x + o.y + o.z > 1) {
            roles.far[roles.n_far].channel = c;
            roles.far[roles.n_far++].offset = o;
        }
    }
    return roles;
}

typedef struct {
    const uint8_t *near[3]; /* NULL = none */
    CxVoxel size;
    uint8_t *boundary;
} Work;

static void
add_row(uint16_t *sums, const uint8_t *values, int64_t n)
{
    for (int64_t x = 0; x < n; x++)
        sums[x] = (uint16_t)(sums[x] + values[x]);
}

#define STRIP 256

/* The mean of the faces of each voxel; a face beyond the block counts as the
 * one opposite. */
static void
do_row(const Work *work, int64_t y, int64_t z)
{
    CxVoxel n = work->size;
    int64_t steps[3] = {1, n.x, n.x * n.y};
    int64_t at = z * steps[2] + y * n.x;
    uint16_t sums[STRIP];

    for (int64_t x0 = 0; x0 < n.x; x0 += STRIP) {
        int64_t m = MIN(STRIP, n.x - x0);
        unsigned n_faces = 0;

        memset(sums, 0, sizeof(sums));
        for (int axis = 0; axis < 3; axis++) {
            const uint8_t *values = work->near[axis];
            if (values == NULL)
                continue;
            values += at + x0;
            bool first = axis == 0 ? false : axis == 1 ? y == 0 : z == 0;
            add_row(sums, values, m);
            if (axis == 0 && x0 == 0) {
                sums[0] = (uint16_t)(sums[0] + values[0]);
                add_row(sums + 1, values, m - 1);
            } else {
                add_row(sums, first ? values : values - steps[axis], m);
            }
            n_faces += 2;
        }
        unsigned scale = n_faces > 0 ? 65536 / n_faces : 0;
        for (int64_t x = 0; x < m; x++)
            work->boundary[at + x0 + x] =
                (uint8_t)(255 - ((sums[x] * scale + 32768) >> 16));
    }
}

static bool
do_plane(size_t z, unsigned worker, void *data, GError **error)
{
    const Work *work = data;

    for (int64_t y = 0; y < work->size.y; y++)
        do_row(work, y, (int64_t)z);
    return true;
}

bool
cx_boundary_map(const CxChunk *prediction, const CxOutputRoles *roles,
                uint8_t *boundary, unsigned n_threads, CxJob *job,
                GError **error)
{
    CxVoxel size = cx_box_size(cx_chunk_box(prediction));
    Work work = {{NULL}, size, boundary};

    if (roles->boundary >= 0) {
        memcpy(boundary,
               cx_chunk_channel(prediction, (unsigned)roles->boundary),
               cx_chunk_n_voxels(prediction));
        return cx_job_step(job, 1, 1, error);
    }
    for (int axis = 0; axis < 3; axis++) {
        if (roles->near_axis[axis] >= 0)
            work.near[axis] =
                cx_chunk_channel(prediction, (unsigned)roles->near_axis[axis]);
    }
    return cx_parallel_for(n_threads, (size_t)size.z, do_plane, &work, job,
                           error);
}

void
cx_affinity_of_boundary(const uint8_t *boundary, CxVoxel size, int axis,
                        uint8_t *affinity)
{
    int64_t n = size.x * size.y * size.z;
    int64_t step = axis == 0 ? 1 : axis == 1 ? size.x : size.x * size.y;

    for (int64_t i = 0; i + step < n; i++)
        affinity[i] = (uint8_t)(255 - MAX(boundary[i], boundary[i + step]));
    memset(affinity + MAX(0, n - step), 0, (size_t)MIN(n, step));
}

bool
cx_affinities_init(CxAffinities *affinities, const CxChunk *prediction,
                   const CxOutputRoles *roles, GError **error)
{
    CxVoxel size = cx_box_size(cx_chunk_box(prediction));

    *affinities = (CxAffinities){.near_axis = {NULL}};
    for (int axis = 0; axis < 3; axis++) {
        if (roles->near_axis[axis] >= 0) {
            affinities->near_axis[axis] =
                cx_chunk_channel(prediction, (unsigned)roles->near_axis[axis]);
        } else if (roles->boundary >= 0) {
            uint8_t *made =
                cx_try_alloc(cx_chunk_n_voxels(prediction), 1, error);
            if (made == NULL) {
                cx_affinities_clear(affinities);
                return false;
            }
            cx_affinity_of_boundary(
                cx_chunk_channel(prediction, (unsigned)roles->boundary), size,
                axis, made);
            affinities->made[axis] = made;
            affinities->near_axis[axis] = made;
        }
    }
    for (unsigned f = 0; f < roles->n_far; f++)
        affinities->far[f] =
            cx_chunk_channel(prediction, roles->far[f].channel);
    return true;
}

void
cx_affinities_clear(CxAffinities *affinities)
{
    for (int axis = 0; axis < 3; axis++)
        g_clear_pointer(&affinities->made[axis], cx_free);
}
