/* The synthetic sample as files: an image with its true labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/synthetic.h"

/* Draws a volume and writes it as one HDF5 file in the CREMI layout
 * (/volumes/raw, /volumes/labels/neuron_ids); the file appears whole.
 * CX_ERROR_EXISTS if it is there and overwrite is false.  image (may be NULL)
 * receives the drawn image, owned by the caller; n_neurons may be NULL. */
bool cx_sample_write(const CxSyntheticOptions *options, const char *path,
                     bool overwrite, CxChunk **image, unsigned *n_neurons,
                     CxJob *job, GError **error);
