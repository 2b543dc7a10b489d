/* Centre lines: in the middle, of the right length, one tree a piece.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/skeleton/skeletonise.h"
#include "core/skeleton/teasar.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* Larger than a double can tell from its neighbours. */
#define BIG ((UINT64_C(1) << 53) + 1)

static const CxNm isotropic = {10, 10, 10};

typedef bool (*Inside)(double x, double y, double z);

static CxVolume *
paint(CxVoxel size, CxNm voxel_nm, CxNm offset_nm, Inside inside)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, &error);

    g_assert_no_error(error);
    CxId *out = cx_chunk_data_mut(chunk);
    for (int64_t z = 0; z < size.z; z++)
        for (int64_t y = 0; y < size.y; y++)
            for (int64_t x = 0; x < size.x; x++)
                *out++ =
                    inside((double)x + 0.5, (double)y + 0.5, (double)z + 0.5)
                        ? BIG
                        : BIG - 1;
    return cx_volume_from_chunk(chunk, voxel_nm, offset_nm, true);
}

static CxSkeleton *
skeletonise(CxVolume *volume, const CxSkeletonOptions *options)
{
    g_autoptr(GError) error = NULL;
    CxSkeletonOptions plain = cx_skeleton_defaults();
    CxSkeleton *skeleton =
        cx_skeletonise(volume, BIG, cx_volume_bounds(volume, 0),
                       options != NULL ? options : &plain, NULL, &error);

    g_assert_no_error(error);
    return skeleton;
}

typedef struct {
    unsigned n_roots, n_ends, n_branchings;
} Shape;

static Shape
shape_of(const CxSkeleton *skeleton)
{
    g_autoptr(GArray) degrees = cx_skeleton_degrees(skeleton);
    Shape shape = {0};

    for (size_t i = 0; i < cx_skeleton_n_nodes(skeleton); i++) {
        uint32_t degree = g_array_index(degrees, uint32_t, i);

        shape.n_roots += cx_skeleton_node(skeleton, i)->parent < 0;
        shape.n_ends += degree == 1;
        shape.n_branchings += degree > 2;
        g_assert_cmpint(cx_skeleton_node(skeleton, i)->parent, <, i);
    }
    return shape;
}

/* Along x, bent in y, of radius 6. */
static double
bend(double x)
{
    return 32 + 14 * sin(x / 18);
}

static bool
in_bent_tube(double x, double y, double z)
{
    double slope = 14.0 / 18 * cos(x / 18);

    return x > 12 && x < 148 &&
           hypot((y - bend(x)) / sqrt(1 + slope * slope), z - 20) < 6;
}

static void
test_tube(void)
{
    g_autoptr(CxVolume) volume = paint((CxVoxel){160, 64, 40}, isotropic,
                                       (CxNm){1e6, 2e6, 3e6}, in_bent_tube);
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, NULL);
    Shape shape = shape_of(skeleton);
    double length = 0, worst = 0;

    g_assert_cmpuint(shape.n_roots, ==, 1);
    g_assert_cmpuint(shape.n_ends, ==, 2);
    for (double x = 12; x < 148; x += 0.01)
        length += hypot(0.01, bend(x + 0.01) - bend(x)) * 10;
    g_test_message("length %.0f nm, drawn %.0f nm",
                   cx_skeleton_length_nm(skeleton), length);
    g_assert_cmpfloat_with_epsilon(cx_skeleton_length_nm(skeleton), length,
                                   0.06 * length);
    for (size_t i = 0; i < cx_skeleton_n_nodes(skeleton); i++) {
        const CxSkeletonNode *node = cx_skeleton_node(skeleton, i);
        double x = (node->at.x - 1e6) / 10;
        double off = hypot((node->at.y - 2e6) / 10 - bend(x),
                           (node->at.z - 3e6) / 10 - 20);

        if (x < 20 || x > 140)
            continue;
        worst = fmax(worst, off);
        g_assert_cmpfloat(node->radius_nm, >, 40);
        g_assert_cmpfloat(node->radius_nm, <, 75);
    }
    g_test_message("at most %.2f voxels off the middle", worst);
    g_assert_cmpfloat(worst, <, 2.5);
}

/* Three arms of 45 voxels from the middle, in a plane. */
static bool
in_star(double x, double y, double z)
{
    for (int arm = 0; arm < 3; arm++) {
        double ux = cos(arm * 2 * G_PI / 3), uy = sin(arm * 2 * G_PI / 3);
        double along = (x - 60) * ux + (y - 60) * uy;
        double across = (y - 60) * ux - (x - 60) * uy;

        if (along >= 0 && along < 45 && hypot(across, z - 15) < 5)
            return true;
    }
    return hypot(hypot(x - 60, y - 60), z - 15) < 5;
}

static void
test_branching(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){120, 120, 30}, isotropic, (CxNm){0}, in_star);
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, NULL);
    Shape shape = shape_of(skeleton);

    g_assert_cmpuint(shape.n_roots, ==, 1);
    g_assert_cmpuint(shape.n_ends, ==, 3);
    g_assert_cmpuint(shape.n_branchings, ==, 1);
    g_assert_cmpfloat_with_epsilon(cx_skeleton_length_nm(skeleton), 3 * 450,
                                   150);
}

static bool
in_two_bars(double x, double y, double z)
{
    return x > 5 && x < 55 &&
           hypot(fmin(fabs(y - 10), fabs(y - 30)), z - 10) < 4;
}

static void
test_pieces(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){60, 40, 20}, isotropic, (CxNm){0}, in_two_bars);
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, NULL);
    Shape shape = shape_of(skeleton);

    g_assert_cmpuint(shape.n_roots, ==, 2);
    g_assert_cmpuint(shape.n_ends, ==, 4);
    g_assert_cmpuint(shape.n_branchings, ==, 0);
}

/* A ball in the frame of nm, cut into voxels of 4 x 4 x 40. */
static bool
in_flat_rod(double x, double y, double z)
{
    return z * 40 > 100 && z * 40 < 1100 &&
           hypot(x * 4 - 200, y * 4 - 200) < 80;
}

static void
test_anisotropy(void)
{
    g_autoptr(CxVolume) volume = paint(
        (CxVoxel){100, 100, 30}, (CxNm){4, 4, 40}, (CxNm){0}, in_flat_rod);
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, NULL);

    g_assert_cmpuint(shape_of(skeleton).n_ends, ==, 2);
    g_assert_cmpfloat_with_epsilon(cx_skeleton_length_nm(skeleton), 1000, 150);
    for (size_t i = 0; i < cx_skeleton_n_nodes(skeleton); i++) {
        CxNm at = cx_skeleton_node(skeleton, i)->at;

        if (at.z > 350 && at.z < 850) /* ends go into the corners */
            g_assert_cmpfloat(hypot(at.x - 200, at.y - 200), <, 45);
    }
}

/* An object that reaches the faces of the volume goes on up to them. */
static bool
in_through_bar(double x, double y, double z)
{
    return hypot(y - 15, z - 15) < 6;
}

static void
test_cut_by_volume(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){90, 30, 30}, isotropic, (CxNm){0}, in_through_bar);
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, NULL);

    g_assert_cmpuint(shape_of(skeleton).n_ends, ==, 2);
    g_assert_cmpfloat(cx_skeleton_length_nm(skeleton), >, 860);
}

static void
test_coarse(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){120, 120, 30}, isotropic, (CxNm){0}, in_star);
    CxSkeletonOptions options = cx_skeleton_defaults();

    options.max_cells = 20000;
    g_autoptr(CxSkeleton) skeleton = skeletonise(volume, &options);
    g_assert_cmpuint(shape_of(skeleton).n_ends, ==, 3);
    g_assert_cmpfloat_with_epsilon(cx_skeleton_length_nm(skeleton), 3 * 450,
                                   200);
}

static void
test_refusals(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){60, 40, 20}, isotropic, (CxNm){0}, in_two_bars);
    CxSkeletonOptions options = cx_skeleton_defaults();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("");

    g_assert_null(cx_skeletonise(volume, 7, cx_volume_bounds(volume, 0),
                                 &options, NULL, &error));
    g_assert_error(error, CX_ERROR, CX_ERROR_NOT_FOUND);
    g_clear_error(&error);
    cx_job_cancel(job);
    g_assert_null(cx_skeletonise(volume, BIG, cx_volume_bounds(volume, 0),
                                 &options, job, &error));
    g_assert_error(error, CX_ERROR, CX_ERROR_CANCELLED);
}

/* --- against slow twins */

static CxObjectMask *
random_mask(CxRng *rng)
{
    g_autoptr(GError) error = NULL;
    CxVoxel size = {(int64_t)(1 + cx_rng_below(rng, 9)),
                    (int64_t)(1 + cx_rng_below(rng, 9)),
                    (int64_t)(1 + cx_rng_below(rng, 9))};
    CxBox box = cx_box_of_size(size);
    CxNm nm = {4, 4 + (double)cx_rng_below(rng, 5), 12};
    CxObjectMask *mask = cx_object_mask_new(1, box, box, nm, 1, 1000, &error);

    g_assert_no_error(error);
    for (int64_t i = 0; i < size.x * size.y * size.z; i++)
        mask->inside[i] = cx_rng_below(rng, 10) < 6;
    return mask;
}

static double
step_length(const CxObjectMask *mask, CxVoxel a, CxVoxel b)
{
    CxVoxel d = {b.x - a.x, b.y - a.y, b.z - a.z};

    if (MAX(MAX(ABS(d.x), ABS(d.y)), ABS(d.z)) > 1)
        return INFINITY;
    return hypot(
        hypot((double)d.x * mask->pitch_nm.x, (double)d.y * mask->pitch_nm.y),
        (double)d.z * mask->pitch_nm.z);
}

/* Bellman and Ford: relax all pairs until nothing changes. */
static void
naive_paths(const CxObjectMask *mask, const CxVoxelGraph *graph, uint32_t from,
            const float *weight, double *distance)
{
    bool changed = true;

    for (uint32_t i = 0; i < graph->n; i++)
        distance[i] = i == from ? 0 : INFINITY;
    while (changed) {
        changed = false;
        for (uint32_t a = 0; a < graph->n; a++)
            for (uint32_t b = 0; b < graph->n; b++) {
                double sum =
                    distance[a] + step_length(mask, cx_voxel_graph_at(graph, a),
                                              cx_voxel_graph_at(graph, b)) *
                                      (double)weight[b];

                if (a != b && sum < distance[b] - 1e-9) {
                    distance[b] = sum;
                    changed = true;
                }
            }
    }
}

static void
test_paths(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 60; round++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CxObjectMask) mask = random_mask(&rng);
        g_autoptr(CxVoxelGraph) graph =
            cx_voxel_graph_new(mask, 1, NULL, &error);

        g_assert_no_error(error);
        if (graph->n == 0)
            continue;
        uint32_t from = (uint32_t)cx_rng_below(&rng, graph->n), n = 0;
        g_autofree float *weight = g_new(float, graph->n);
        g_autofree float *distance = g_new(float, graph->n);
        g_autofree uint32_t *parent = g_new(uint32_t, graph->n);
        g_autofree uint32_t *order = g_new(uint32_t, graph->n);
        g_autofree double *expected = g_new(double, graph->n);

        for (uint32_t i = 0; i < graph->n; i++) {
            weight[i] = 0.1F + (float)cx_rng_below(&rng, 100);
            distance[i] = INFINITY;
        }
        g_assert_true(cx_voxel_graph_paths(graph, from, weight, distance,
                                           parent, order, &n, NULL, &error));
        naive_paths(mask, graph, from, weight, expected);
        for (uint32_t i = 0; i < graph->n; i++) {
            if (isinf(expected[i]))
                g_assert_true(isinf(distance[i]));
            else
                g_assert_cmpfloat_with_epsilon((double)distance[i], expected[i],
                                               1e-4 * (1 + expected[i]));
        }
        for (uint32_t i = 1; i < n; i++)
            g_assert_cmpfloat(distance[order[i - 1]], <=, distance[order[i]]);
    }
}

/* Every node is a cell of the object, each piece has one root, and every cell
 * is within reach of a node. */
static void
check_cover(const CxObjectMask *mask, const CxVoxelGraph *graph,
            const CxTeasarOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxSkeleton) skeleton =
        cx_teasar(mask, graph, (CxNm){0}, options, NULL, &error);

    g_assert_no_error(error);
    for (uint32_t i = 0; i < graph->n; i++) {
        CxVoxel at = cx_voxel_graph_at(graph, i);
        bool found = false;

        for (size_t k = 0; !found && k < cx_skeleton_n_nodes(skeleton); k++) {
            const CxSkeletonNode *node = cx_skeleton_node(skeleton, k);
            double off = hypot(
                hypot(((double)at.x + 0.5) * mask->pitch_nm.x - node->at.x,
                      ((double)at.y + 0.5) * mask->pitch_nm.y - node->at.y),
                ((double)at.z + 0.5) * mask->pitch_nm.z - node->at.z);

            found = off <= options->scale * node->radius_nm +
                               options->constant_nm + 1e-3;
        }
        g_assert_true(found);
    }
}

static void
test_cover(void)
{
    CxRng rng = cx_test_rng();
    CxTeasarOptions options = {1.5, 10};

    for (unsigned round = 0; round < 100; round++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(CxObjectMask) mask = random_mask(&rng);
        g_autoptr(CxVoxelGraph) graph =
            cx_voxel_graph_new(mask, 1, NULL, &error);

        g_assert_no_error(error);
        if (graph->n > 0)
            check_cover(mask, graph, &options);
    }
}

/* The cells of a label are those with a voxel of it, however they come. */
static void
test_mask(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned round = 0; round < 50; round++) {
        g_autoptr(GError) error = NULL;
        CxVoxel size = {20, 17, 9};
        CxBox box = {{3, 2, 1}, {(int64_t)(6 + cx_rng_below(&rng, 12)), 15, 8}};
        g_autoptr(CxChunk) chunk =
            cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, &error);
        g_autoptr(CxObjectMask) mask = cx_object_mask_new(
            BIG, box, cx_box_of_size(size), (CxNm){4, 4, 10},
            (double)(1 + cx_rng_below(&rng, 20)), 100000, &error);

        g_assert_no_error(error);
        CxId *labels = cx_chunk_data_mut(chunk);
        for (int64_t i = 0; i < size.x * size.y * size.z; i++)
            labels[i] = cx_rng_below(&rng, 8) == 0 ? BIG : BIG - 1;
        cx_object_mask_add(mask, chunk);
        for (int64_t z = 0; z < mask->size.z; z++)
            for (int64_t y = 0; y < mask->size.y; y++)
                for (int64_t x = 0; x < mask->size.x; x++) {
                    CxVoxel lo = {mask->box.lo.x + x * mask->factor.x,
                                  mask->box.lo.y + y * mask->factor.y,
                                  mask->box.lo.z + z * mask->factor.z};
                    CxBox cell = cx_box_intersect(
                        cx_box_intersect(
                            cx_box(lo, (CxVoxel){lo.x + mask->factor.x,
                                                 lo.y + mask->factor.y,
                                                 lo.z + mask->factor.z}),
                            mask->box),
                        cx_box_of_size(size));
                    bool any = false;

                    for (int64_t k = cell.lo.z; k < cell.hi.z; k++)
                        for (int64_t j = cell.lo.y; j < cell.hi.y; j++)
                            for (int64_t i = cell.lo.x; i < cell.hi.x; i++)
                                any |= labels[(k * size.y + j) * size.x + i] ==
                                       BIG;
                    g_assert_cmpint(
                        mask->inside[(z * mask->size.y + y) * mask->size.x + x],
                        ==, any);
                }
    }
}

static bool
count(CxId id, CxSkeleton *skeleton, void *data, GError **error)
{
    g_autoptr(CxSkeleton) owned = skeleton;
    GArray *ids = data;

    g_assert_cmpuint(cx_skeleton_n_nodes(owned), >, 0);
    g_array_append_val(ids, id);
    return true;
}

static void
test_all(void)
{
    g_autoptr(CxVolume) volume =
        paint((CxVoxel){60, 40, 20}, isotropic, (CxNm){0}, in_two_bars);
    g_autoptr(GArray) ids = g_array_new(false, false, sizeof(CxId));
    CxSkeletonOptions options = cx_skeleton_defaults();
    g_autoptr(GError) error = NULL;

    g_assert_true(
        cx_skeletonise_all(volume, 10, &options, count, ids, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(ids->len, ==, 2);
    g_assert_cmpuint(g_array_index(ids, CxId, 0), ==, BIG - 1);
    g_assert_cmpuint(g_array_index(ids, CxId, 1), ==, BIG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/skeleton/tube", test_tube);
    g_test_add_func("/skeleton/branching", test_branching);
    g_test_add_func("/skeleton/pieces", test_pieces);
    g_test_add_func("/skeleton/anisotropy", test_anisotropy);
    g_test_add_func("/skeleton/cut-by-volume", test_cut_by_volume);
    g_test_add_func("/skeleton/coarse", test_coarse);
    g_test_add_func("/skeleton/refusals", test_refusals);
    g_test_add_func("/skeleton/paths", test_paths);
    g_test_add_func("/skeleton/cover", test_cover);
    g_test_add_func("/skeleton/mask", test_mask);
    g_test_add_func("/skeleton/all", test_all);
    return g_test_run();
}
