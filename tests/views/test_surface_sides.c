/* A surface divided between the sides of a split, against what was drawn.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/surface_sides.h"
#include "core/mesh/mesh_builder.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

/* A bar along x: supervoxel 5 up to x = cut, 9 beyond, in a free margin. */
static CxVolume *
new_bar(int64_t cut, CxNm voxel_nm)
{
    CxBox box = cx_box_of_size((CxVoxel){80, 20, 20});
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    uint64_t *data = cx_chunk_data_mut(chunk);

    for (int64_t z = 0; z < 20; z++) {
        for (int64_t y = 0; y < 20; y++) {
            for (int64_t x = 0; x < 80; x++) {
                CxVoxel at = {x, y, z};
                bool inside =
                    x >= 4 && x < 76 && y >= 4 && y < 16 && z >= 4 && z < 16;
                data[cx_box_offset(box, at)] = !inside ? 0 : x < cut ? 5 : 9;
            }
        }
    }
    CxVolume *volume =
        cx_volume_from_chunk(chunk, voxel_nm, (CxNm){100, 0, -50}, true);
    cx_chunk_unref(chunk);
    return volume;
}

/* The same bar as one segment, for its surface. */
static CxMesh *
surface_of_bar(CxNm voxel_nm)
{
    g_autoptr(CxVolume) whole = new_bar(80, voxel_nm);
    CxMeshOptions options = cx_mesh_defaults();
    options.simplify = 1;
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(whole, &options);
    g_autoptr(GError) error = NULL;
    CxMesh *mesh = cx_mesh_builder_run(builder, 5, cx_volume_bounds(whole, 0),
                                       NULL, &error);

    g_assert_no_error(error);
    return mesh;
}

/* Every triangle lies on its side of the cut, up to a voxel. */
static void
expect_side(const CxMesh *part, double cut_nm, double voxel_nm, bool below)
{
    for (uint32_t t = 0; t < part->n_triangles; t++) {
        double x = part->origin_nm.x;
        for (size_t k = 0; k < 3; k++)
            x += part->positions[part->indices[t * 3 + k] * 3] / 3.0;
        if (below)
            g_assert_cmpfloat(x, <=, cut_nm + voxel_nm);
        else
            g_assert_cmpfloat(x, >=, cut_nm - voxel_nm);
    }
}

static void
test_triangles_go_to_the_voxel_below(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 6; round++) {
        CxNm voxel_nm = {8, 8, round % 2 == 0 ? 8 : 40};
        int64_t cut = 12 + (int64_t)(cx_rng_next(&rng) % 56);
        g_autoptr(CxVolume) supervoxels = new_bar(cut, voxel_nm);
        g_autoptr(CxMesh) mesh = surface_of_bar(voxel_nm);
        CxId moved_id = 9;
        CxuiSurfaceSides sides = {
            .mesh = mesh,
            .supervoxels = supervoxels,
            .moved = &moved_id,
            .n_moved = 1,
            .moved_box = {{cut - 1, 3, 3}, {77, 17, 17}},
        };
        CxMesh *rest = NULL;
        CxMesh *moved = NULL;
        g_autoptr(GError) error = NULL;
        bool ok = cxui_surface_sides(&sides, &rest, &moved, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(ok);
        g_assert_cmpuint(rest->n_triangles + moved->n_triangles, ==,
                         mesh->n_triangles);
        g_assert_cmpuint(moved->n_triangles, >, 0);
        g_assert_cmpuint(rest->n_triangles, >, 0);
        double cut_nm = 100 + (double)cut * voxel_nm.x;
        expect_side(rest, cut_nm, voxel_nm.x, true);
        expect_side(moved, cut_nm, voxel_nm.x, false);
        cx_mesh_free(rest);
        cx_mesh_free(moved);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/surface-sides/bar", test_triangles_go_to_the_voxel_below);
    return g_test_run();
}
