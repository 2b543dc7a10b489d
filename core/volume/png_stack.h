/* A PNG image, or a folder of numbered PNG slices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

extern const CxReader cx_png_reader;
