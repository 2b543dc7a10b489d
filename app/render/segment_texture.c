/* Mirror of a segment table; see segment_texture.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/segment_texture.h"

#define ROW_BYTES (CXGL_TABLE_WIDTH * 2 * sizeof(uint32_t))

/* Room for n rows; a larger texture starts empty. */
static void
reserve(CxglSegmentTexture *mirror, uint32_t n_rows)
{
    int height = MAX(mirror->texture.height, 4);

    if (mirror->row_versions == NULL)
        mirror->row_versions = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    while (height < (int)n_rows)
        height *= 2;
    if (height != mirror->texture.height) {
        cxgl_texture_resize(&mirror->texture, CXGL_FORMAT_RG32UI,
                            CXGL_TABLE_WIDTH, height, false);
        g_array_set_size(mirror->row_versions, 0);
    }
    if (mirror->row_versions->len < n_rows)
        g_array_set_size(mirror->row_versions, n_rows);
}

size_t
cxgl_segment_texture_sync(CxglSegmentTexture *mirror,
                          const CxglSegmentTable *table)
{
    uint64_t version = cxgl_segment_table_version(table);
    uint32_t n_rows = cxgl_segment_table_n_rows(table);
    size_t uploaded = 0;

    if (mirror->texture.name != 0 && mirror->table_version == version)
        return 0;
    reserve(mirror, n_rows);
    for (uint32_t r = 0; r < n_rows; r++) {
        uint64_t row_version;
        const uint32_t *words = cxgl_segment_table_row(table, r, &row_version);
        uint64_t *seen = &g_array_index(mirror->row_versions, uint64_t, r);

        if (*seen == row_version)
            continue;
        cxgl_texture_upload(&mirror->texture, 0, (int)r, CXGL_TABLE_WIDTH, 1,
                            words);
        *seen = row_version;
        uploaded += ROW_BYTES;
    }
    mirror->table_version = version;
    return uploaded;
}

void
cxgl_segment_texture_clear(CxglSegmentTexture *mirror)
{
    cxgl_texture_clear(&mirror->texture);
    if (mirror->row_versions != NULL)
        g_array_unref(mirror->row_versions);
    *mirror = (CxglSegmentTexture){0};
}
