/* Coarser levels against a naive twin; the cache file found again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/pyramid.h"
#include "core/volume/synthetic.h"
#include "core/volume/writer.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <string.h>
#include <utime.h>

static CxChunk *
make_chunk(CxRng *rng, CxDtype dtype, CxVoxel size, unsigned n_channels,
           bool labels)
{
    CxChunk *chunk =
        cx_chunk_new(dtype, cx_box_of_size(size), n_channels, NULL);
    size_t n = cx_chunk_n_voxels(chunk) * n_channels;
    void *data = cx_chunk_data_mut(chunk);

    for (size_t i = 0; i < n; i++) {
        uint64_t value = labels ? cx_rng_below(rng, 3) : cx_rng_next(rng);

        if (dtype == CX_DTYPE_F32)
            ((float *)data)[i] = (float)cx_rng_uniform(rng);
        else if (dtype == CX_DTYPE_U8)
            ((uint8_t *)data)[i] = (uint8_t)value;
        else if (dtype == CX_DTYPE_I16)
            ((int16_t *)data)[i] = (int16_t)value;
        else
            ((uint64_t *)data)[i] = labels ? value << 60 : value;
    }
    return chunk;
}

/* The inputs of an output voxel, as doubles and as bits. */
typedef struct {
    unsigned n;
    double value[8];
    uint64_t bits[8];
} Inputs;

static void
add_input(Inputs *inputs, const CxChunk *chunk, unsigned channel, CxVoxel v)
{
    size_t at = cx_box_offset(cx_chunk_box(chunk), v);
    const void *data = cx_chunk_channel(chunk, channel);
    unsigned i = inputs->n++;

    if (cx_chunk_dtype(chunk) == CX_DTYPE_F32)
        inputs->value[i] = (double)((const float *)data)[at];
    else if (cx_chunk_dtype(chunk) == CX_DTYPE_U8)
        inputs->value[i] = ((const uint8_t *)data)[at];
    else if (cx_chunk_dtype(chunk) == CX_DTYPE_I16)
        inputs->value[i] = ((const int16_t *)data)[at];
    else
        inputs->bits[i] = ((const uint64_t *)data)[at];
}

static Inputs
collect(const CxChunk *chunk, unsigned channel, CxVoxel out, CxVoxel factor)
{
    CxVoxel size = cx_box_size(cx_chunk_box(chunk));
    Inputs inputs = {0};

    for (int64_t z = out.z * factor.z; z < MIN((out.z + 1) * factor.z, size.z);
         z++)
        for (int64_t y = out.y * 2; y < MIN(out.y * 2 + 2, size.y); y++)
            for (int64_t x = out.x * 2; x < MIN(out.x * 2 + 2, size.x); x++)
                add_input(&inputs, chunk, channel, (CxVoxel){x, y, z});
    return inputs;
}

static void
check_voxel(const CxChunk *coarse, unsigned channel, CxVoxel v,
            const Inputs *inputs, bool labels)
{
    Inputs found = {0};
    double sum = 0;

    add_input(&found, coarse, channel, v);
    if (labels) {
        unsigned most = 0;
        uint64_t best = 0;

        for (unsigned i = 0; i < inputs->n; i++) {
            unsigned count = 0;

            for (unsigned k = 0; k < inputs->n; k++)
                count += inputs->bits[k] == inputs->bits[i];
            if (count > most) {
                most = count;
                best = inputs->bits[i];
            }
        }
        g_assert_cmphex(found.bits[0], ==, best);
        return;
    }
    for (unsigned i = 0; i < inputs->n; i++)
        sum += inputs->value[i];
    g_assert_cmpfloat_with_epsilon(found.value[0], sum / inputs->n, 0.5001);
}

/* Every level against the one before it. */
static void
check_levels(CxVolume *volume, bool labels)
{
    g_autoptr(GError) error = NULL;

    for (unsigned i = 1; i < cx_volume_n_levels(volume); i++) {
        CxLevel fine = cx_volume_level(volume, i - 1);
        CxLevel coarse = cx_volume_level(volume, i);
        CxVoxel factor = {2, 2, coarse.voxel_nm.z > fine.voxel_nm.z ? 2 : 1};
        g_autoptr(CxChunk) a = cx_volume_read(
            volume, i - 1, cx_box_of_size(fine.size), NULL, &error);
        g_assert_no_error(error);
        g_autoptr(CxChunk) b = cx_volume_read(
            volume, i, cx_box_of_size(coarse.size), NULL, &error);
        g_assert_no_error(error);

        g_assert_cmpint(coarse.size.x, ==, (fine.size.x + 1) / 2);
        g_assert_cmpint(coarse.size.z, ==,
                        (fine.size.z + factor.z - 1) / factor.z);
        for (unsigned c = 0; c < cx_chunk_n_channels(b); c++)
            for (int64_t z = 0; z < coarse.size.z; z++)
                for (int64_t y = 0; y < coarse.size.y; y++)
                    for (int64_t x = 0; x < coarse.size.x; x++) {
                        CxVoxel v = {x, y, z};
                        Inputs inputs = collect(a, c, v, factor);

                        check_voxel(b, c, v, &inputs, labels);
                    }
    }
}

static void
test_same_as_naive(void)
{
    static const CxDtype dtypes[] = {CX_DTYPE_U8, CX_DTYPE_F32, CX_DTYPE_I16,
                                     CX_DTYPE_U64};
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < 8; i++) {
        CxDtype dtype = dtypes[i % 4];
        bool labels = dtype == CX_DTYPE_U64;
        CxVoxel size = {270 + (int64_t)cx_rng_below(&rng, 300),
                        1 + (int64_t)cx_rng_below(&rng, 300),
                        1 + (int64_t)cx_rng_below(&rng, 40)};
        CxNm nm = {4, 4, i < 4 ? 40 : 4};
        unsigned n_channels = 1 + (unsigned)cx_rng_below(&rng, 2);
        g_autoptr(CxChunk) chunk =
            make_chunk(&rng, dtype, size, n_channels, labels);
        g_autoptr(CxVolume) volume =
            cx_volume_from_chunk(chunk, nm, (CxNm){0, 0, 0}, labels);

        g_assert_true(cx_pyramid_build(volume, NULL, NULL, &error));
        g_assert_no_error(error);
        check_levels(volume, labels);
    }
}

static void
test_small_needs_none(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        make_chunk(&rng, CX_DTYPE_U8, (CxVoxel){256, 256, 50}, 1, false);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 40}, (CxNm){0, 0, 0}, false);

    g_assert_false(cx_pyramid_is_needed(volume));
    g_assert_true(cx_pyramid_build(volume, NULL, NULL, &error));
    g_assert_cmpuint(cx_volume_n_levels(volume), ==, 1);
}

static void
test_z_is_halved_when_isotropic(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk =
        make_chunk(&rng, CX_DTYPE_U8, (CxVoxel){4000, 600, 9}, 1, false);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 16}, (CxNm){0, 0, 0}, false);

    g_assert_true(cx_pyramid_build(volume, NULL, NULL, &error));
    g_assert_cmpuint(cx_volume_n_levels(volume), >=, 4);
    g_assert_cmpint(cx_volume_level(volume, 1).size.z, ==, 9);
    g_assert_cmpint(cx_volume_level(volume, 2).size.z, ==, 9);
    g_assert_cmpint(cx_volume_level(volume, 3).size.z, ==, 5);
    g_assert_cmpfloat(cx_volume_level(volume, 3).voxel_nm.z, ==, 32);
    g_assert_false(cx_pyramid_is_needed(volume));
}

static size_t
count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    size_t n = 0;

    while (dir != NULL && g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

static char *
write_volume(CxRng *rng, const char *dir, const char *name)
{
    char *path = g_build_filename(dir, name, NULL);
    g_autoptr(CxChunk) chunk =
        make_chunk(rng, CX_DTYPE_U8, (CxVoxel){600, 500, 20}, 1, false);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 4}, (CxNm){0, 0, 0}, false);
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_writer_copy(volume, cx_chunk_box(chunk), path, NULL, NULL,
                                 NULL, &error));
    return path;
}

static void
build_and_check(const char *path, const CxPyramidOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);

    g_assert_no_error(error);
    g_assert_true(cx_pyramid_build(volume, options, NULL, &error));
    g_assert_no_error(error);
    check_levels(volume, false);
}

static void
test_cache_file(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *cache = g_build_filename(dir, "cache", NULL);
    CxRng rng = cx_test_rng();
    g_autofree char *path = write_volume(&rng, dir, "a.h5");
    CxPyramidOptions options = {.cache_dir = cache, .memory_bytes = 1};
    struct utimbuf later = {2000000000, 2000000000};

    build_and_check(path, &options);
    g_assert_cmpuint(count_entries(cache), ==, 1);
    build_and_check(path, &options); /* found again */
    g_assert_cmpuint(count_entries(cache), ==, 1);
    g_assert_cmpint(utime(path, &later), ==, 0);
    build_and_check(path, &options); /* the source has changed */
    g_assert_cmpuint(count_entries(cache), ==, 2);
    options.cache_bytes = 7 << 20; /* a pyramid takes up to 6.5 MiB */
    g_assert_cmpint(utime(path, NULL), ==, 0);
    build_and_check(path, &options);
    g_assert_cmpuint(count_entries(cache), ==, 1);
    cx_test_remove_dir(dir);
}

static void
test_cache_too_small(void)
{
    g_autofree char *dir = cx_test_make_dir();
    CxRng rng = cx_test_rng();
    g_autofree char *path = write_volume(&rng, dir, "a.tif");
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    CxPyramidOptions options = {
        .cache_dir = dir, .memory_bytes = 1, .cache_bytes = 1000};

    g_assert_false(cx_pyramid_build(volume, &options, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NO_SPACE, dir, NULL);
    g_assert_cmpuint(cx_volume_n_levels(volume), ==, 1);
    cx_test_remove_dir(dir);
}

static void
test_behind(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxScheduler) scheduler = cx_scheduler_new(2);
    g_autoptr(CxChunk) chunk =
        make_chunk(&rng, CX_DTYPE_U8, (CxVoxel){700, 700, 30}, 1, false);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 4}, (CxNm){0, 0, 0}, false);
    g_autoptr(CxJob) job = cx_pyramid_submit(scheduler, volume, NULL, NULL);

    g_assert_nonnull(job);
    g_assert_true(cx_job_wait(job, NULL));
    g_assert_cmpuint(cx_volume_n_levels(volume), >, 1);
    g_assert_null(cx_pyramid_submit(scheduler, volume, NULL, NULL));
}

static bool
build_cancelled(CxJob *job, void *data, GError **error)
{
    cx_job_cancel(job);
    return cx_pyramid_build(data, NULL, job, error);
}

static void
test_cancel(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("levels");
    g_autoptr(CxChunk) chunk =
        make_chunk(&rng, CX_DTYPE_U8, (CxVoxel){700, 700, 30}, 1, false);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, (CxNm){4, 4, 4}, (CxNm){0, 0, 0}, false);

    g_assert_false(cx_job_run(job, build_cancelled, volume, &error));
    g_assert_true(cx_error_is_cancelled(error));
    g_assert_cmpuint(cx_volume_n_levels(volume), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pyramid/naive", test_same_as_naive);
    g_test_add_func("/pyramid/small", test_small_needs_none);
    g_test_add_func("/pyramid/z", test_z_is_halved_when_isotropic);
    g_test_add_func("/pyramid/cache", test_cache_file);
    g_test_add_func("/pyramid/cache-too-small", test_cache_too_small);
    g_test_add_func("/pyramid/behind", test_behind);
    g_test_add_func("/pyramid/cancel", test_cancel);
    return g_test_run();
}
