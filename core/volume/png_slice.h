/* One PNG image as a section.
 *
 * 8 and 16 bits stay as they are; 1, 2 and 4 bits are stretched to 0 … 255;
 * colours become luminance and alpha is dropped.  As labels, palette and
 * narrow images give the stored index instead.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/chunk.h"

bool cx_png_probe(const char *path);

/* Size and type without decoding. */
bool cx_png_read_size(const char *path, int64_t *width, int64_t *height,
                      CxDtype *dtype, GError **error);

/* The image as a chunk of box 0,0,z … width,height,z + 1. */
CxChunk *cx_png_read(const char *path, int64_t z, bool as_labels,
                     GError **error);
