/* Neuroglancer's precomputed volumes: the label codec, shards, damage.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/compressed_seg.h"
#include "core/volume/precomputed_shard.h"
#include "core/volume/synthetic.h"
#include "core/volume/writer.h"
#include "tests/support/check.h"

#include <glib/gstdio.h>
#include <string.h>
#include <zlib.h>

/* Values of an independent program. */
static void
test_hash(void)
{
    g_assert_cmphex(cx_shard_murmur(0), ==, UINT64_C(0x4772b084e028ae41));
    g_assert_cmphex(cx_shard_murmur(1), ==, UINT64_C(0xe8bd67d616d4ce9a));
    g_assert_cmphex(cx_shard_murmur(123456789), ==,
                    UINT64_C(0x126576fc191a1827));
    g_assert_cmphex(cx_shard_murmur(UINT64_C(0xfedcba9876543210)), ==,
                    UINT64_C(0xf0949b52d9382e84));
}

static void
test_morton(void)
{
    static const uint64_t grid[3] = {8, 2, 3};

    /* bits: x0 y0 z0 x1 z1 x2; y has one bit only */
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){1, 0, 0}, grid), ==, 0x01);
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){0, 1, 0}, grid), ==, 0x02);
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){0, 0, 1}, grid), ==, 0x04);
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){2, 0, 0}, grid), ==, 0x08);
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){0, 0, 2}, grid), ==, 0x10);
    g_assert_cmphex(cx_shard_morton((uint64_t[3]){7, 1, 2}, grid), ==, 0x3b);
}

static void
check_codec(const void *labels, CxVoxel size, CxVoxel brick, size_t label_bytes,
            size_t *n_packed)
{
    size_t n = (size_t)(size.x * size.y * size.z) * label_bytes;
    g_autofree uint8_t *back = g_malloc(n);
    g_autoptr(GByteArray) packed =
        cx_compressed_seg_encode(labels, size, brick, label_bytes);

    g_assert_nonnull(packed);
    *n_packed = packed->len;
    memset(back, 0xcc, n);
    g_assert_true(cx_compressed_seg_decode(packed->data, packed->len, size,
                                           brick, 1, label_bytes, back));
    g_assert_cmpmem(back, n, labels, n);
}

static void
test_codec_gives_labels_back(void)
{
    CxRng rng = cx_test_rng();
    size_t n_packed;

    for (int round = 0; round < 200; round++) {
        CxVoxel size = {1 + (int64_t)cx_rng_below(&rng, 40),
                        1 + (int64_t)cx_rng_below(&rng, 40),
                        1 + (int64_t)cx_rng_below(&rng, 20)};
        CxVoxel brick = {1 + (int64_t)cx_rng_below(&rng, 9),
                         1 + (int64_t)cx_rng_below(&rng, 9),
                         1 + (int64_t)cx_rng_below(&rng, 9)};
        size_t n = (size_t)(size.x * size.y * size.z);
        uint64_t n_labels = 1 + cx_rng_below(&rng, round % 2 == 0 ? 5 : 2000);
        g_autofree uint64_t *wide = g_new(uint64_t, n);
        g_autofree uint32_t *narrow = g_new(uint32_t, n);

        for (size_t i = 0; i < n; i++) {
            wide[i] =
                cx_rng_below(&rng, n_labels) * UINT64_C(0x9e3779b97f4a7c15);
            narrow[i] = (uint32_t)wide[i];
        }
        check_codec(wide, size, brick, 8, &n_packed);
        check_codec(narrow, size, brick, 4, &n_packed);
    }
}

static void
test_codec_on_real_labels(void)
{
    g_autofree char *path =
        cx_test_data_path("formats/codec/compressed_segmentation/"
                          "64x64x64-raw-uint64-segmentation.dat");
    g_autofree char *content = NULL;
    size_t length, n_packed;

    if (path == NULL)
        return;
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    g_assert_cmpuint(length, ==, 64 * 64 * 64 * 8);
    check_codec(content, (CxVoxel){64, 64, 64}, (CxVoxel){8, 8, 8}, 8,
                &n_packed);
    g_test_message("%zu of %zu bytes", n_packed, length);
    g_assert_cmpuint(n_packed, <, length / 20);
}

static void
test_codec_survives_damage(void)
{
    CxRng rng = cx_test_rng();
    CxVoxel size = {30, 20, 10}, brick = {8, 8, 8};
    size_t n = 6000, n_good = 0;
    g_autofree uint64_t *labels = g_new(uint64_t, n);
    g_autofree uint64_t *back = g_new(uint64_t, n * 3);

    for (size_t i = 0; i < n; i++)
        labels[i] = cx_rng_below(&rng, 9);
    g_autoptr(GByteArray) packed =
        cx_compressed_seg_encode(labels, size, brick, 8);
    for (int round = 0; round < 3000; round++) {
        size_t length =
            round % 3 == 0 ? cx_rng_below(&rng, packed->len) : packed->len;
        g_autofree uint8_t *copy = g_memdup2(packed->data, length);

        for (int k = 0; k < 3 && length > 0; k++)
            copy[cx_rng_below(&rng, length)] = (uint8_t)cx_rng_next(&rng);
        n_good += cx_compressed_seg_decode(copy, length, size, brick,
                                           1 + round % 3, 8, back);
    }
    g_test_message("%zu of 3000 decoded", n_good);
}

static CxChunk *
read_all(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);

    g_assert_no_error(error);
    CxChunk *chunk =
        cx_volume_read(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    return chunk;
}

static const char *const raw_info =
    "{\"type\":\"image\",\"data_type\":\"uint16\",\"num_channels\":1,"
    "\"scales\":[{\"key\":\"s\",\"size\":[6,4,2],\"voxel_offset\":[-3,0,7],"
    "\"chunk_sizes\":[[4,4,4]],\"resolution\":[4,4,40],\"encoding\":\"raw\"%s}]"
    "}";

static void
put_file(const char *dir, const char *name, const void *bytes, size_t n)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
}

static void
put_info(const char *dir, const char *sharding)
{
    g_autofree char *text = g_strdup_printf(raw_info, sharding);

    put_file(dir, "info", text, strlen(text));
}

static size_t
gzip(const void *src, size_t n, uint8_t *dst, size_t room)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)src,
                       .avail_in = (uInt)n,
                       .next_out = dst,
                       .avail_out = (uInt)room};

    g_assert_cmpint(
        deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
        ==, Z_OK);
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    size_t done = room - stream.avail_out;
    deflateEnd(&stream);
    return done;
}

/* The first chunk of raw_info is 4 x 4 x 2, the second 2 x 4 x 2. */
static void
fill_chunks(uint16_t first[32], uint16_t second[16])
{
    for (uint16_t i = 0; i < 32; i++)
        first[i] = (uint16_t)(i % 4 + 10 * (i / 4 % 4) + 100 * (i / 16));
    for (uint16_t i = 0; i < 16; i++)
        second[i] = (uint16_t)(4 + i % 2 + 10 * (i / 2 % 4) + 100 * (i / 8));
}

static void
check_counting(const char *dir, bool has_second)
{
    g_autoptr(CxChunk) chunk = read_all(dir);
    CxVoxel size = cx_box_size(cx_chunk_box(chunk));

    g_assert_cmpint(size.x, ==, 6);
    for (int64_t z = 0; z < 2; z++)
        for (int64_t y = 0; y < 4; y++)
            for (int64_t x = 0; x < 6; x++) {
                uint64_t expected = (uint64_t)(x + 10 * y + 100 * z);

                if (x >= 4 && !has_second)
                    expected = 0;
                g_assert_cmpuint(cx_chunk_label_at(chunk, (CxVoxel){x, y, z}),
                                 ==, expected);
            }
}

static void
test_files(void)
{
    g_autofree char *dir = cx_test_make_dir();
    uint16_t first[32], second[16];
    uint8_t packed[512];
    g_autoptr(GError) error = NULL;

    fill_chunks(first, second);
    put_info(dir, "");
    put_file(dir, "s/-3-1_0-4_7-9", first, sizeof first);
    check_counting(dir, false); /* a chunk that is not there is zero */
    size_t n = gzip(second, sizeof second, packed, sizeof packed);
    put_file(dir, "s/1-3_0-4_7-9.gz", packed, n);
    check_counting(dir, true);
    n = gzip(first, sizeof first, packed, sizeof packed);
    put_file(dir, "s/-3-1_0-4_7-9", packed, n); /* gzip without the name */
    check_counting(dir, true);

    g_autoptr(CxVolume) volume = cx_volume_open(dir, NULL, &error);
    g_assert_cmpstr(cx_volume_format(volume), ==, "precomputed");
    g_assert_cmpfloat(cx_volume_offset_nm(volume).x, ==, -12);
    g_assert_cmpfloat(cx_volume_offset_nm(volume).z, ==, 280);
    put_file(dir, "s/-3-1_0-4_7-9", first, 63);
    g_autoptr(CxVolume) cut = cx_volume_open(dir, NULL, &error);
    g_assert_null(
        cx_volume_read(cut, 0, cx_volume_bounds(cut, 0), NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "63 bytes", "64", NULL);
    cx_test_remove_dir(dir);
}

static void
put_u64(GByteArray *bytes, uint64_t value)
{
    uint64_t little = GUINT64_TO_LE(value);

    g_byte_array_append(bytes, (const uint8_t *)&little, 8);
}

/* Both chunks (ids 0 and 1) in one shard of two minishards. */
static void
test_shards(void)
{
    static const char *const kinds[] = {
        ",\"sharding\":{\"@type\":\"neuroglancer_uint64_sharded_v1\","
        "\"preshift_bits\":0,\"hash\":\"identity\",\"minishard_bits\":1,"
        "\"shard_bits\":0,\"minishard_index_encoding\":\"raw\","
        "\"data_encoding\":\"gzip\"}",
        ",\"sharding\":{\"preshift_bits\":1,\"hash\":\"identity\","
        "\"minishard_bits\":1,\"shard_bits\":0,"
        "\"minishard_index_encoding\":\"gzip\",\"data_encoding\":\"raw\"}"};
    uint16_t first[32], second[16];

    fill_chunks(first, second);
    for (int kind = 0; kind < 2; kind++) {
        g_autofree char *dir = cx_test_make_dir();
        g_autoptr(GByteArray) data = g_byte_array_new();
        g_autoptr(GByteArray) head = g_byte_array_new();
        uint8_t packed[512];
        size_t sizes[2] = {sizeof first, sizeof second};
        uint64_t ranges[4] = {0};

        put_info(dir, kinds[kind]);
        for (int i = 0; i < 2; i++) {
            const void *from = i == 0 ? (void *)first : (void *)second;

            if (kind == 0)
                sizes[i] = gzip(from, sizes[i], packed, sizeof packed);
            g_byte_array_append(data, kind == 0 ? packed : from,
                                (guint)sizes[i]);
        }
        if (kind == 0) { /* id 0 in minishard 0, id 1 in minishard 1 */
            for (uint64_t i = 0; i < 2; i++) {
                ranges[2 * i] = data->len;
                put_u64(data, i);
                put_u64(data, i == 0 ? 0 : sizes[0]);
                put_u64(data, sizes[i]);
                ranges[2 * i + 1] = data->len;
            }
        } else { /* both in minishard 0; ids and starts as differences */
            uint64_t index[6] = {0, 1, 0, 0, sizes[0], sizes[1]};
            size_t n = gzip(index, sizeof index, packed, sizeof packed);

            ranges[0] = data->len;
            g_byte_array_append(data, packed, (guint)n);
            ranges[1] = data->len;
        }
        for (int i = 0; i < 4; i++)
            put_u64(head, ranges[i]);
        g_byte_array_append(head, data->data, data->len);
        put_file(dir, "s/0.shard", head->data, head->len);
        check_counting(dir, true);
        put_file(dir, "s/0.shard", head->data, 20);
        g_autoptr(GError) error = NULL;
        g_autoptr(CxVolume) cut = cx_volume_open(dir, NULL, &error);
        g_assert_null(
            cx_volume_read(cut, 0, cx_volume_bounds(cut, 0), NULL, &error));
        cx_test_expect_error(&error, CX_ERROR_FORMAT, "0.shard", NULL);
        cx_test_remove_dir(dir);
    }
}

static void
expect_info(const char *dir, const char *text, const char *part)
{
    g_autoptr(GError) error = NULL;

    put_file(dir, "info", text, strlen(text));
    g_assert_null(cx_volume_open(dir, NULL, &error));
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, part));
}

static void
test_hostile_info(void)
{
    g_autofree char *dir = cx_test_make_dir();

    expect_info(dir, "{\"scales\":[]}", "no scales");
    expect_info(dir, "{\"scales\":[1],\"data_type\":\"uint8\"}", "key");
    expect_info(dir,
                "{\"scales\":[{\"key\":\"../x\"}],\"data_type\":\"uint8\"}",
                "leaves the folder");
    expect_info(dir,
                "{\"scales\":[{\"key\":\"a\",\"size\":[9e11,9e11,9e11],"
                "\"chunk_sizes\":[[1,1,1]],\"resolution\":[1,1,1],"
                "\"encoding\":\"raw\"}],\"data_type\":\"uint64\"}",
                "beyond any file");
    expect_info(dir,
                "{\"scales\":[{\"key\":\"a\",\"size\":[9,9,9],"
                "\"chunk_sizes\":[[9e11,9e11,1]],\"resolution\":[1,1,1],"
                "\"encoding\":\"raw\"}],\"data_type\":\"uint8\"}",
                "1 GiB");
    expect_info(dir,
                "{\"scales\":[{\"key\":\"a\",\"size\":[9,9,9],"
                "\"chunk_sizes\":[[9,9,9]],\"resolution\":[1,1,1],"
                "\"encoding\":\"jpeg\"}],\"data_type\":\"uint8\"}",
                "jpeg");
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/precomputed/hash", test_hash);
    g_test_add_func("/precomputed/morton", test_morton);
    g_test_add_func("/precomputed/codec", test_codec_gives_labels_back);
    g_test_add_func("/precomputed/codec-real", test_codec_on_real_labels);
    g_test_add_func("/precomputed/codec-damage", test_codec_survives_damage);
    g_test_add_func("/precomputed/files", test_files);
    g_test_add_func("/precomputed/shards", test_shards);
    g_test_add_func("/precomputed/hostile", test_hostile_info);
    return g_test_run();
}
