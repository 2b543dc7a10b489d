/* The synthetic volume: the same bytes always, true labels, a likely picture.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/base/union_find.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static CxSyntheticOptions
small_options(uint64_t seed)
{
    CxSyntheticOptions options = cx_synthetic_defaults();

    options.size = (CxVoxel){90, 80, 40};
    options.seed = seed;
    return options;
}

static uint64_t
digest(const CxChunk *chunk)
{
    const uint8_t *bytes = cx_chunk_data(chunk);
    uint64_t hash = 0;

    for (size_t i = 0; i < cx_chunk_size_bytes(chunk); i++)
        hash = cx_hash64_mix(hash ^ bytes[i]) + i;
    return hash;
}

static void
draw(const CxSyntheticOptions *options, CxChunk **image, CxChunk **labels,
     unsigned *n)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_synthetic_draw(options, image, labels, n, NULL, &error));
    g_assert_no_error(error);
}

/* The recorded numbers hold on every machine; a wanted change of the picture
 * changes them. */
static void
test_same_bytes_always(void)
{
    CxSyntheticOptions options = small_options(7);
    g_autoptr(CxChunk) image = NULL;
    g_autoptr(CxChunk) labels = NULL;
    g_autoptr(CxChunk) again = NULL;
    g_autoptr(CxChunk) other = NULL;

    draw(&options, &image, &labels, NULL);
    draw(&options, &again, NULL, NULL);
    g_assert_cmpmem(cx_chunk_data(image), cx_chunk_size_bytes(image),
                    cx_chunk_data(again), cx_chunk_size_bytes(again));
    g_assert_cmphex(digest(image), ==, UINT64_C(0x9490f95d51081897));
    g_assert_cmphex(digest(labels), ==, UINT64_C(0x610f0b9b60027e54));
    options.seed = 8;
    draw(&options, &other, NULL, NULL);
    g_assert_cmphex(digest(other), !=, digest(image));
}

/* Every label is one piece (6-neighbours), and ids are 1 … n. */
static void
test_labels_hang_together(void)
{
    CxSyntheticOptions options = small_options(3);
    g_autoptr(CxChunk) labels = NULL;
    unsigned n = 0, n_pieces = 0;

    draw(&options, NULL, &labels, &n);
    CxVoxel size = options.size;
    const uint64_t *label = cx_chunk_data(labels);
    size_t n_voxels = cx_chunk_n_voxels(labels);
    size_t steps[3] = {1, (size_t)size.x, (size_t)(size.x * size.y)};
    g_autoptr(CxUnionFind) sets = cx_union_find_new((uint32_t)n_voxels);
    for (size_t i = 0; i < n_voxels; i++) {
        size_t at[3] = {i % (size_t)size.x, i / steps[1] % (size_t)size.y,
                        i / steps[2]};

        g_assert_cmpuint(label[i], >=, 1);
        g_assert_cmpuint(label[i], <=, n);
        for (int axis = 0; axis < 3; axis++) {
            if (at[axis] > 0 && label[i] == label[i - steps[axis]])
                cx_union_find_join(sets, (uint32_t)i,
                                   (uint32_t)(i - steps[axis]));
        }
    }
    g_autofree uint32_t *sizes = g_new0(uint32_t, n_voxels);
    for (size_t i = 0; i < n_voxels; i++)
        sizes[cx_union_find_root(sets, (uint32_t)i)]++;
    for (size_t i = 0; i < n_voxels; i++)
        n_pieces += sizes[i] >= 400;
    g_test_message("%u labels", n);
    g_assert_cmpuint(n, >, 5);
    g_assert_cmpuint(n_pieces, ==, n);
}

static double
mean_where(const CxChunk *image, const CxChunk *labels, bool at_border)
{
    CxVoxel size = cx_box_size(cx_chunk_box(image));
    const uint8_t *pixel = cx_chunk_data(image);
    const uint64_t *label = cx_chunk_data(labels);
    double sum = 0, n = 0;

    for (int64_t i = 0; i < size.x * size.y * size.z; i++) {
        int64_t x = i % size.x, y = i / size.x % size.y;

        if (x + 1 >= size.x || y + 1 >= size.y)
            continue;
        bool border = label[i] != label[i + 1] || label[i] != label[i + size.x];
        if (border == at_border) {
            sum += pixel[i];
            n++;
        }
    }
    return sum / n;
}

static void
test_membranes_are_dark(void)
{
    static const CxNm sizes[] = {{10, 10, 10}, {8, 8, 40}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        CxSyntheticOptions options = small_options(5);
        g_autoptr(CxChunk) image = NULL;
        g_autoptr(CxChunk) labels = NULL;

        options.voxel_nm = sizes[i];
        options.size.z = 20;
        draw(&options, &image, &labels, NULL);
        double border = mean_where(image, labels, true);
        double inside = mean_where(image, labels, false);
        g_test_message("border %.1f, inside %.1f", border, inside);
        g_assert_cmpfloat(border, <, inside - 20);
        g_assert_cmpfloat(inside, >, 100);
        g_assert_cmpfloat(inside, <, 180);
    }
}

static void
test_odd_requests(void)
{
    CxSyntheticOptions options = small_options(1);
    g_autoptr(GError) error = NULL;
    static const CxVoxel sizes[] = {{1, 1, 1}, {200, 3, 2}, {2, 90, 60}};

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(CxChunk) image = NULL;
        g_autoptr(CxChunk) labels = NULL;

        options.size = sizes[i];
        draw(&options, &image, &labels, NULL);
        g_assert_true(
            cx_voxel_equal(cx_box_size(cx_chunk_box(image)), sizes[i]));
    }
    options.size = (CxVoxel){0, 10, 10};
    g_assert_false(cx_synthetic_draw(&options, NULL, NULL, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "0 x 10", NULL);
    options = small_options(1);
    options.voxel_nm.z = NAN;
    g_assert_false(cx_synthetic_draw(&options, NULL, NULL, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "nm", NULL);
}

static void
test_more_neurons_when_asked(void)
{
    CxSyntheticOptions options = small_options(1);
    unsigned few = 0, many = 0;
    g_autoptr(CxChunk) a = NULL;
    g_autoptr(CxChunk) b = NULL;

    options.n_neurons = 5;
    draw(&options, NULL, &a, &few);
    options.n_neurons = 60;
    draw(&options, NULL, &b, &many);
    g_test_message("%u and %u", few, many);
    g_assert_cmpuint(many, >, 2 * few);
}

static bool
draw_in_job(CxJob *job, void *data, GError **error)
{
    CxSyntheticOptions options = small_options(1);
    g_autoptr(CxChunk) image = NULL;

    cx_job_cancel(job);
    return cx_synthetic_draw(&options, &image, NULL, NULL, job, error);
}

static void
test_cancel(void)
{
    g_autoptr(CxJob) job = cx_job_new("drawing");
    g_autoptr(GError) error = NULL;

    g_assert_false(cx_job_run(job, draw_in_job, NULL, &error));
    g_assert_true(cx_error_is_cancelled(error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/synthetic/same-bytes", test_same_bytes_always);
    g_test_add_func("/synthetic/one-piece", test_labels_hang_together);
    g_test_add_func("/synthetic/membranes", test_membranes_are_dark);
    g_test_add_func("/synthetic/odd", test_odd_requests);
    g_test_add_func("/synthetic/n-neurons", test_more_neurons_when_asked);
    g_test_add_func("/synthetic/cancel", test_cancel);
    return g_test_run();
}
