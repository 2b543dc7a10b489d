/* What a network says, brought to the two forms the stages need: one boundary
 * map (u8, 255 = membrane) and one affinity between 6-neighbours per axis (u8,
 * 255 = together, stored at the lower voxel of the pair).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/volume/chunk.h"

#define CX_MAX_OUTPUTS 32

/* Which channels are what; channels[…] = -1 where there is none. */
typedef struct {
    int boundary;
    int near_axis[3]; /* affinity at offset 1 along x, y, z */
    unsigned n_far;   /* affinities farther along one axis */
    struct {
        unsigned channel;
        CxVoxel offset; /* positive, one axis */
    } far[CX_MAX_OUTPUTS];
} CxOutputRoles;

/* Affinities at negative offsets and diagonal ones play no role. */
CxOutputRoles cx_output_roles(const CxOutput *outputs, unsigned n_outputs);

/* Membrane at voxel p: the boundary channel if there is one, else what is
 * missing to 1 in the mean of the near affinities on the faces of p. */
bool cx_boundary_map(const CxChunk *prediction, const CxOutputRoles *roles,
                     uint8_t *boundary, unsigned n_threads, CxJob *job,
                     GError **error);

/* Affinity to the next voxel along an axis, made from a boundary map: what is
 * missing to 1 in the larger of the two.  Undefined along the last layer. */
void cx_affinity_of_boundary(const uint8_t *boundary, CxVoxel size, int axis,
                             uint8_t *affinity);

/* Affinities of neighbours over the box of a prediction, u8, stored at the
 * lower voxel; NULL where the network says nothing.  They borrow the
 * prediction. */
typedef struct {
    const uint8_t *near_axis[3];
    const uint8_t *far[CX_MAX_OUTPUTS]; /* as in the roles */
    uint8_t *made[3];                   /* from a boundary map; owned */
} CxAffinities;

bool cx_affinities_init(CxAffinities *affinities, const CxChunk *prediction,
                        const CxOutputRoles *roles, GError **error);
void cx_affinities_clear(CxAffinities *affinities);
