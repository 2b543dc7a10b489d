/* HDF5 data sets, read in this process: CREMI (resolution and offset in nm, z, y, x), ilastik
 * (axistags), bare ones of any name.
 *
 * Axes: by axistags if there are any; else z, y, x; with four axes the channel
 * is first, or last if only the last is 16 or less; axes of one entry are
 * dropped first where that decides it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

/* Behind hdf5.h, which runs it in processes of its own. */
extern const CxReader cx_hdf5_local_reader;
