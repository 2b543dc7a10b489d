/* Zarr arrays (versions 2 and 3) and OME-NGFF multiscales (0.4 and 0.5) in a
 * local folder.
 *
 * NGFF places voxel centres: offset_nm = translation - half a voxel.  Without
 * NGFF metadata the attributes resolution (or voxel_size) and offset, in nm
 * and the order of the array's axes, are taken.  A data set is the path of a
 * group or array below the folder.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

extern const CxReader cx_zarr_reader;
