/* A small project to edit.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/core/proofread_fixture.h"

#include "core/volume/synthetic.h"

#include <string.h>

static const CxVoxel size = {40, 30, 20};
static const CxVoxel cell = {4, 5, 5};

static CxId
id_of_cell(int64_t n)
{
    static const CxId odd[] = {
        (UINT64_C(1) << 32) - 1, (UINT64_C(1) << 32) + 1,
        (UINT64_C(1) << 53) - 1, (UINT64_C(1) << 53) + 1,
        UINT64_C(1) << 63,       UINT64_MAX,
    };

    if (n % 29 == 28)
        return 0;
    return n < (int64_t)G_N_ELEMENTS(odd) ? odd[n] : (CxId)n;
}

static int64_t
cell_at(CxVoxel at)
{
    return at.x / cell.x + (at.y / cell.y + at.z / cell.z * (size.y / cell.y)) *
                               (size.x / cell.x);
}

static CxVolume *
make_volume(CxDtype dtype, bool is_labels)
{
    CxNm nm = {8, 8, 40}, offset = {100, 200, 300};
    CxBox box = cx_box_of_size(size);
    g_autoptr(CxChunk) chunk = cx_chunk_new(dtype, box, 1, NULL);
    CxVoxel v;

    memset(cx_chunk_data_mut(chunk), 7, cx_chunk_size_bytes(chunk));
    for (v.z = 0; is_labels && v.z < size.z; v.z++) {
        for (v.y = 0; v.y < size.y; v.y++) {
            for (v.x = 0; v.x < size.x; v.x++)
                ((CxId *)cx_chunk_data_mut(chunk))[cx_box_offset(box, v)] =
                    id_of_cell(cell_at(v));
        }
    }
    return cx_volume_from_chunk(chunk, nm, offset, is_labels);
}

CxVolume *
cx_fixture_labels(void)
{
    return make_volume(CX_DTYPE_U64, true);
}

CxVolume *
cx_fixture_image(void)
{
    return make_volume(CX_DTYPE_U8, false);
}

CxProject *
cx_fixture_project(const char *path)
{
    g_autoptr(CxVolume) image = cx_fixture_image();
    g_autoptr(CxVolume) labels = cx_fixture_labels();
    g_autoptr(GError) error = NULL;
    CxProject *project = cx_project_create(path, image, &error);

    g_assert_no_error(error);
    g_assert_true(cx_project_import_labels(project, labels, NULL, &error));
    g_assert_no_error(error);
    return project;
}

size_t
cx_fixture_cells(CxFixtureCell cells[CX_FIXTURE_CELLS])
{
    size_t n = 0;
    CxVoxel v;

    for (v.z = 2; v.z < size.z; v.z += cell.z) {
        for (v.y = 2; v.y < size.y; v.y += cell.y) {
            for (v.x = 2; v.x < size.x; v.x += cell.x) {
                CxId id = id_of_cell(cell_at(v));

                if (id != 0)
                    cells[n++] = (CxFixtureCell){id, v};
            }
        }
    }
    return n;
}
