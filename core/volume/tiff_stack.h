/* A multi-page TIFF file, one TIFF image, or a folder of numbered TIFF
 * slices.
 *
 * Opening reads directories only, never pixels; of a folder the first header
 * and some others.  Decoded strips and tiles are kept in a small cache, since
 * boxes that follow each other share them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

extern const CxReader cx_tiff_reader;
