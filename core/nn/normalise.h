/* Brings u8 samples to what a network was trained on.
 *
 * Either one mean and deviation for all, or those of each section, taken over
 * a regular grid of its voxels: every k-th in x and y from 0 on, with
 * k = max(1, min(width, height) / 256), samples of exactly 0 left out unless
 * all are 0; a deviation below 1 counts as 1.  Section statistics are read
 * once and kept.
 *
 * Thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/volume/volume.h"

typedef struct CxNormalise CxNormalise;

/* Takes a reference to the volume and borrows the network. */
CxNormalise *cx_normalise_new(const CxNetwork *network, CxVolume *volume);
void cx_normalise_free(CxNormalise *normalise);

/* Reads what is missing of the statistics of sections [z_lo, z_hi). */
bool cx_normalise_prepare(CxNormalise *normalise, int64_t z_lo, int64_t z_hi,
                          CxJob *job, GError **error);

/* Value of each sample in section z, which must be prepared. */
void cx_normalise_table(CxNormalise *normalise, int64_t z, float table[256]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxNormalise, cx_normalise_free)
