/* Letters made of lines, for pictures drawn without a toolkit.
 *
 * Capitals, digits, a few small letters and signs; unknown characters are
 * blank.  No GL; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

/* Height of a capital and advance of a glyph, in units of the grid that
 * strokes are given in. */
#define CXGL_GLYPH_HEIGHT 6
#define CXGL_GLYPH_ADVANCE 6

/* Strokes of the Unicode character, or NULL: pairs of digits "xy" (y down
 * from the top of a capital), joined by lines; a blank lifts the pen. */
const char *cxgl_glyph(unsigned character);
