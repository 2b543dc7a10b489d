/* Chunks, volumes in memory, ranges and conversions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/reader.h"
#include "core/volume/reader_util.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

static CxBox
random_box(CxRng *rng, int64_t limit)
{
    CxVoxel lo = {(int64_t)cx_rng_below(rng, (uint64_t)limit),
                  (int64_t)cx_rng_below(rng, (uint64_t)limit),
                  (int64_t)cx_rng_below(rng, (uint64_t)limit)};

    return cx_box(lo, (CxVoxel){lo.x + 1 + (int64_t)cx_rng_below(rng, 9),
                                lo.y + 1 + (int64_t)cx_rng_below(rng, 9),
                                lo.z + 1 + (int64_t)cx_rng_below(rng, 9)});
}

/* A sample that tells where it is. */
static uint64_t
sample_at(CxVoxel v, unsigned channel)
{
    return (uint64_t)(v.x + 100 * v.y + 10000 * v.z) + 1000000 * channel;
}

static void
paint(CxChunk *chunk, unsigned n_channels)
{
    CxBox box = cx_chunk_box(chunk);
    uint64_t *at = cx_chunk_data_mut(chunk);

    for (unsigned c = 0; c < n_channels; c++)
        for (int64_t z = box.lo.z; z < box.hi.z; z++)
            for (int64_t y = box.lo.y; y < box.hi.y; y++)
                for (int64_t x = box.lo.x; x < box.hi.x; x++)
                    *at++ = sample_at((CxVoxel){x, y, z}, c);
}

static void
test_overlap_copies_what_both_share(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 300; round++) {
        unsigned n_channels = 1 + (unsigned)cx_rng_below(&rng, 3);
        g_autoptr(CxChunk) src =
            cx_chunk_new(CX_DTYPE_U64, random_box(&rng, 12), n_channels, NULL);
        g_autoptr(CxChunk) dst =
            cx_chunk_new(CX_DTYPE_U64, random_box(&rng, 12), n_channels, NULL);
        CxBox box = cx_chunk_box(dst);

        paint(src, n_channels);
        memset(cx_chunk_data_mut(dst), 0xff, cx_chunk_size_bytes(dst));
        cx_chunk_copy_overlap(dst, src);
        for (unsigned c = 0; c < n_channels; c++) {
            const uint64_t *at = cx_chunk_channel(dst, c);

            for (int64_t z = box.lo.z; z < box.hi.z; z++)
                for (int64_t y = box.lo.y; y < box.hi.y; y++)
                    for (int64_t x = box.lo.x; x < box.hi.x; x++, at++) {
                        CxVoxel v = {x, y, z};
                        bool shared = cx_box_contains(cx_chunk_box(src), v);

                        g_assert_cmpuint(*at, ==,
                                         shared ? sample_at(v, c) : UINT64_MAX);
                    }
        }
    }
}

static void
test_chunk_refuses_what_cannot_fit(void)
{
    g_autoptr(GError) error = NULL;
    CxBox huge = cx_box_of_size((CxVoxel){INT64_MAX, INT64_MAX, 2});
    CxBox large = cx_box_of_size((CxVoxel){1 << 24, 1 << 24, 1 << 14});

    g_assert_null(cx_chunk_new(CX_DTYPE_U8, huge, 1, &error));
    cx_test_expect_error(&error, CX_ERROR_NO_MEMORY, "too large", NULL);
    g_assert_null(cx_chunk_new(CX_DTYPE_U64, large, 1000, &error));
    cx_test_expect_error(&error, CX_ERROR_NO_MEMORY, NULL);
}

static void
test_labels_widen_exactly(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) narrow =
        cx_chunk_new(CX_DTYPE_I32, cx_box_of_size((CxVoxel){3, 1, 1}), 1, NULL);
    int32_t *samples = cx_chunk_data_mut(narrow);

    samples[0] = 0, samples[1] = INT32_MAX, samples[2] = 7;
    g_autoptr(CxChunk) wide = cx_chunk_to_u64(narrow, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cx_chunk_label_at(wide, (CxVoxel){1, 0, 0}), ==,
                     INT32_MAX);
    g_assert_cmpuint(cx_chunk_label_at(narrow, (CxVoxel){2, 0, 0}), ==, 7);

    samples[1] = -1;
    g_assert_null(cx_chunk_to_u64(narrow, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "negative", NULL);
}

static CxVolume *
make_float_volume(void)
{
    g_autoptr(CxChunk) chunk =
        cx_chunk_new(CX_DTYPE_F32, cx_box_of_size((CxVoxel){4, 2, 1}), 1, NULL);
    static const float samples[8] = {-1, 0, 1, NAN, 3, 2, INFINITY, -INFINITY};

    memcpy(cx_chunk_data_mut(chunk), samples, sizeof samples);
    return cx_volume_from_chunk(chunk, (CxNm){4, 4, 40}, (CxNm){0, 0, 80},
                                false);
}

static void
test_floats_scale_from_their_range(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = make_float_volume();
    static const uint8_t expected[8] = {0, 64, 128, 0, 255, 191, 255, 0};
    double min, max;

    g_assert_true(cx_volume_range(volume, NULL, &min, &max, &error));
    g_assert_cmpfloat(min, ==, -1);
    g_assert_cmpfloat(max, ==, 3);
    g_autoptr(CxChunk) bytes =
        cx_volume_read_u8(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(cx_chunk_data(bytes), 8, expected, 8);

    g_assert_null(cx_volume_read_labels(volume, 0, cx_volume_bounds(volume, 0),
                                        NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "float32", "integer", NULL);
}

static void
test_box_outside_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = make_float_volume();

    g_assert_null(cx_volume_read(volume, 0, cx_box_of_size((CxVoxel){5, 2, 1}),
                                 NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "0,0,0,5,2,1", "4,2,1",
                         NULL);
    g_assert_null(cx_volume_read(volume, 1, cx_box_of_size((CxVoxel){1, 1, 1}),
                                 NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "level 1", NULL);
}

static bool
read_constant(void *data, CxBox box, CxChunk *dst, CxJob *job, GError **error)
{
    float *samples = cx_chunk_data_mut(dst);

    for (size_t i = 0; i < cx_chunk_n_voxels(dst); i++)
        samples[i] = *(const float *)data;
    return true;
}

static void
test_levels_grow_and_scale(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = make_float_volume();
    CxLevel level = {{2, 1, 1}, {2, 1, 1}, {8, 8, 40}};
    static float value = 42;

    g_assert_cmpuint(cx_volume_n_levels(volume), ==, 1);
    g_assert_true(
        cx_volume_add_level(volume, &level, read_constant, &value, NULL));
    g_assert_cmpuint(cx_volume_n_levels(volume), ==, 2);
    g_autoptr(CxChunk) chunk =
        cx_volume_read(volume, 1, cx_volume_bounds(volume, 1), NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(((const float *)cx_chunk_data(chunk))[1], ==, 42);

    cx_volume_set_voxel_nm(volume, (CxNm){5, 6, 30});
    CxNm nm = cx_volume_level(volume, 1).voxel_nm;
    g_assert_cmpfloat_with_epsilon(nm.x, 10, 1e-9);
    g_assert_cmpfloat_with_epsilon(nm.y, 12, 1e-9);
    g_assert_cmpfloat_with_epsilon(nm.z, 30, 1e-9);
}

static void
test_names_sort_by_number(void)
{
    static const char *const order[] = {"a",   "s1",   "s01", "s2",
                                        "s10", "s10a", "s11", "t1"};

    for (size_t i = 0; i + 1 < G_N_ELEMENTS(order); i++) {
        if (i == 1)
            continue; /* equal numbers: any order, but a fixed one */
        g_assert_cmpint(cx_reader_compare_names(order[i], order[i + 1]), <, 0);
        g_assert_cmpint(cx_reader_compare_names(order[i + 1], order[i]), >, 0);
    }
    g_assert_cmpint(cx_reader_compare_names("s1", "s01"), !=, 0);
}

static void
test_specs_that_name_nothing(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(
        cx_volume_open("/nonexistent/a.h5:/volumes/raw", NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/nonexistent/a.h5", NULL);
    g_assert_null(cx_volume_open("", NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, NULL);
    g_assert_null(cx_volume_open("/dev/null", NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "a device", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/volume/overlap", test_overlap_copies_what_both_share);
    g_test_add_func("/volume/too-large", test_chunk_refuses_what_cannot_fit);
    g_test_add_func("/volume/widen", test_labels_widen_exactly);
    g_test_add_func("/volume/float-range", test_floats_scale_from_their_range);
    g_test_add_func("/volume/box-outside", test_box_outside_is_refused);
    g_test_add_func("/volume/levels", test_levels_grow_and_scale);
    g_test_add_func("/volume/natural-order", test_names_sort_by_number);
    g_test_add_func("/volume/no-such", test_specs_that_name_nothing);
    return g_test_run();
}
