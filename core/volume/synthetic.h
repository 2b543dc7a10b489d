/* Draws its own EM volume with true labels, from a seed.
 *
 * Branching neurites that fill space, dark membranes, mitochondria, vesicle
 * clouds near synapses, cytoplasm texture, section noise, brightness steps
 * between sections, anisotropy.  The same options give the same bytes on
 * every machine and with any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

typedef struct {
    CxVoxel size;
    CxNm voxel_nm; /* e.g. 10, 10, 10 or 8, 8, 40 */
    uint64_t seed;
    unsigned n_neurons; /* 0: by volume */
    double noise;       /* 1 = as real data */
} CxSyntheticOptions;

CxSyntheticOptions cx_synthetic_defaults(void);

/* image: u8; labels: u64 (0 = membrane between cells only where thick).
 * Either may be NULL. */
bool cx_synthetic_draw(const CxSyntheticOptions *options, CxChunk **image,
                       CxChunk **labels, unsigned *n_neurons, CxJob *job,
                       GError **error);

/* A volume in memory over a chunk whose box begins at 0, 0, 0 (level 0 only);
 * takes a reference. */
CxVolume *cx_volume_from_chunk(CxChunk *chunk, CxNm voxel_nm, CxNm offset_nm,
                               bool is_labels);
