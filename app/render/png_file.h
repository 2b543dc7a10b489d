/* PNG files of 8-bit RGBA pixels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

/* Top row first, 4 bytes a pixel.  Written beside the target and renamed, so
 * that the file is whole or absent. */
bool cxgl_png_write(const char *path, const uint8_t *rgba, int width,
                    int height, GError **error);

/* Any PNG, turned into RGBA; g_free() it. */
uint8_t *cxgl_png_read(const char *path, int *width, int *height,
                       GError **error);
