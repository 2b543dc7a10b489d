/* Numbers as people read them, and back.
 *
 * Ids are grouped by thin spaces when shown and plain when copied; they never
 * pass through a double.  Results are owned by the caller.  Any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

char *cxui_format_id(CxId id);       /* "18 014 398" */
char *cxui_format_plain_id(CxId id); /* "18014398" */
char *cxui_format_count(uint64_t n, const char *one, const char *many);

/* "1.2 µm³", "340 nm³": three digits at most. */
char *cxui_format_volume(double um3);
char *cxui_format_length_nm(double nm);
char *cxui_format_voxel(CxVoxel voxel); /* "x 1 204  y 877  z 122" */

/* "14:05", "Mon 14:05" or "2024-05-01 14:05", by age. */
char *cxui_format_time(int64_t time_us, int64_t now_us);

/* "4 s left", "3 min left"; NULL if unknown (negative). */
char *cxui_format_left(double seconds);

typedef enum {
    CXUI_PLACE_NONE,
    CXUI_PLACE_VOXEL,
    CXUI_PLACE_ID,
} CxuiPlaceKind;

/* "12, 34, 56", "12 34 56", "x 12 y 34 z 56" is a voxel; a number alone,
 * grouped or not, an id. */
CxuiPlaceKind cxui_parse_place(const char *text, CxVoxel *voxel, CxId *id);
