/* Mirror of a CxglSegmentTable in a texture of one GL context.
 *
 * Rows whose version grew are uploaded again; the rest stays.  GL context
 * current in every call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/gl_texture.h"
#include "app/render/segment_table.h"

typedef struct {
    CxglTexture texture;    /* RG32UI, CXGL_TABLE_WIDTH wide */
    GArray *row_versions;   /* uint64_t: what the texture holds */
    uint64_t table_version; /* of the last sync */
} CxglSegmentTexture;

/* Zeroed structs are valid and empty.  Returns the bytes uploaded. */
size_t cxgl_segment_texture_sync(CxglSegmentTexture *mirror,
                                 const CxglSegmentTable *table);
void cxgl_segment_texture_clear(CxglSegmentTexture *mirror);
