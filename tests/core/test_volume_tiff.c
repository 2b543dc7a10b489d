/* TIFF in all layouts that libtiff writes, ImageJ's and OME's descriptions,
 * folders of slices.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/volume/tiff_meta.h"
#include "core/volume/volume.h"
#include "tests/support/check.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <png.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

/* How a test file is laid out. */
typedef struct {
    uint32_t width, height, n_pages;
    uint16_t bits, format, compression, predictor, planar, n_samples;
    uint32_t tile;  /* side, or 0 for strips … */
    uint32_t strip; /* … of so many rows */
    const char *mode;
    const char *description;
} Form;

static uint16_t
pick(CxRng *rng, const uint16_t *list, size_t n)
{
    return list[cx_rng_below(rng, n)];
}

static Form
random_form(CxRng *rng)
{
    static const uint16_t bits[] = {8, 16, 32, 64};
    static const uint16_t formats[] = {SAMPLEFORMAT_UINT, SAMPLEFORMAT_INT,
                                       SAMPLEFORMAT_IEEEFP};
    static const uint16_t compressions[] = {
        COMPRESSION_NONE, COMPRESSION_LZW,  COMPRESSION_ADOBE_DEFLATE,
        COMPRESSION_ZSTD, COMPRESSION_NONE, COMPRESSION_PACKBITS};
    static const char *const modes[] = {"w", "wb", "wl", "w8", "w8b"};
    Form form = {
        .width = 1 + (uint32_t)cx_rng_below(rng, 90),
        .height = 1 + (uint32_t)cx_rng_below(rng, 90),
        .n_pages = 1 + (uint32_t)cx_rng_below(rng, 5),
        .bits = pick(rng, bits, G_N_ELEMENTS(bits)),
        .format = pick(rng, formats, G_N_ELEMENTS(formats)),
        .compression = pick(rng, compressions, G_N_ELEMENTS(compressions)),
        .predictor = 1,
        .planar = PLANARCONFIG_CONTIG,
        .n_samples = 1,
        .tile = cx_rng_below(rng, 2) == 0
                    ? 16 * (1 + (uint32_t)cx_rng_below(rng, 4))
                    : 0,
        .strip = 1 + (uint32_t)cx_rng_below(rng, 100),
        .mode = modes[cx_rng_below(rng, G_N_ELEMENTS(modes))],
    };

    if (form.format == SAMPLEFORMAT_IEEEFP && form.bits < 32)
        form.bits = 32;
    if (form.compression >= COMPRESSION_LZW &&
        form.compression != COMPRESSION_PACKBITS && cx_rng_below(rng, 2) == 0)
        form.predictor = form.format == SAMPLEFORMAT_IEEEFP ? 3 : 2;
    /* libtiff 4.5 writes this wrong in the other byte order, and reads it
     * right */
    if (form.predictor == 3)
        form.mode = "w";
    if (form.predictor == 1 && cx_rng_below(rng, 4) == 0) {
        form.n_samples = 2;
        form.planar = cx_rng_below(rng, 2) == 0 ? PLANARCONFIG_CONTIG
                                                : PLANARCONFIG_SEPARATE;
    }
    return form;
}

static void
set_tags(TIFF *tiff, const Form *form)
{
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, form->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, form->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, form->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, form->n_samples);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, form->format);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, form->planar);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, form->compression);
    if (form->predictor > 1)
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, form->predictor);
    if (form->tile > 0) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, form->tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, form->tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, form->strip);
    }
    if (form->description != NULL)
        TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, form->description);
}

/* Sample s of pixel x, y of a page of dense first samples; the second sample
 * is noise that must not come through. */
static void
get_sample(const uint8_t *page, const Form *form, uint32_t x, uint32_t y,
           unsigned s, uint8_t *to)
{
    size_t n = form->bits / 8;

    memset(to, 0xa5, n);
    if (s == 0 && x < form->width && y < form->height)
        memcpy(to, page + ((size_t)y * form->width + x) * n, n);
}

/* One strip or tile from x0, y0 on. */
static void
write_block(TIFF *tiff, const Form *form, const uint8_t *page, uint32_t x0,
            uint32_t y0)
{
    bool separate = form->planar == PLANARCONFIG_SEPARATE;
    uint32_t width = form->tile > 0 ? form->tile : form->width;
    uint32_t height =
        form->tile > 0 ? form->tile : MIN(form->strip, form->height - y0);
    unsigned n_planes = separate ? form->n_samples : 1;
    unsigned n_inside = separate ? 1 : form->n_samples;
    size_t bytes = form->bits / 8;
    size_t total = (size_t)width * height * n_inside * bytes;
    g_autofree uint8_t *buffer = g_malloc(total);

    for (unsigned plane = 0; plane < n_planes; plane++) {
        uint8_t *to = buffer;

        for (uint32_t y = y0; y < y0 + height; y++)
            for (uint32_t x = x0; x < x0 + width; x++)
                for (unsigned s = 0; s < n_inside; s++, to += bytes)
                    get_sample(page, form, x, y, separate ? plane : s, to);
        tmsize_t done =
            form->tile > 0
                ? TIFFWriteEncodedTile(
                      tiff, TIFFComputeTile(tiff, x0, y0, 0, (uint16_t)plane),
                      buffer, (tmsize_t)total)
                : TIFFWriteEncodedStrip(
                      tiff, TIFFComputeStrip(tiff, y0, (uint16_t)plane), buffer,
                      (tmsize_t)total);
        g_assert_cmpint(done, ==, (tmsize_t)total);
    }
}

static void
write_page(TIFF *tiff, const Form *form, const uint8_t *page)
{
    uint32_t step_x = form->tile > 0 ? form->tile : form->width;
    uint32_t step_y = form->tile > 0 ? form->tile : form->strip;

    set_tags(tiff, form);
    for (uint32_t y = 0; y < form->height; y += step_y)
        for (uint32_t x = 0; x < form->width; x += step_x)
            write_block(tiff, form, page, x, y);
    g_assert_true(TIFFWriteDirectory(tiff));
}

static size_t
page_bytes(const Form *form)
{
    return (size_t)form->width * form->height * (form->bits / 8);
}

/* All pages dense, in native order. */
static uint8_t *
make_pixels(CxRng *rng, const Form *form)
{
    size_t n = page_bytes(form) * form->n_pages;
    uint8_t *pixels = g_malloc(n);

    for (size_t i = 0; i < n; i++)
        pixels[i] = (uint8_t)(i % 7 == 0 ? cx_rng_next(rng) : i / 13);
    if (form->format == SAMPLEFORMAT_IEEEFP) {
        for (size_t i = 0; i < n / 4 && form->bits == 32; i++)
            ((float *)(void *)pixels)[i] = (float)i * 0.37f;
        for (size_t i = 0; i < n / 8 && form->bits == 64; i++)
            ((double *)(void *)pixels)[i] = (double)i * 0.37;
    }
    return pixels;
}

static void
write_file(const char *path, const Form *form, const uint8_t *pixels)
{
    TIFF *tiff = TIFFOpen(path, form->mode);

    g_assert_nonnull(tiff);
    for (uint32_t i = 0; i < form->n_pages; i++)
        write_page(tiff, form, pixels + i * page_bytes(form));
    TIFFClose(tiff);
}

/* Any box of the volume against the pixels. */
static void
check_box(CxRng *rng, CxVolume *volume, const Form *form, const uint8_t *pixels)
{
    int64_t w = form->width, h = form->height, d = form->n_pages;
    CxVoxel lo = {(int64_t)cx_rng_below(rng, (uint64_t)w),
                  (int64_t)cx_rng_below(rng, (uint64_t)h),
                  (int64_t)cx_rng_below(rng, (uint64_t)d)};
    CxBox box = {lo,
                 {lo.x + 1 + (int64_t)cx_rng_below(rng, (uint64_t)(w - lo.x)),
                  lo.y + 1 + (int64_t)cx_rng_below(rng, (uint64_t)(h - lo.y)),
                  lo.z + 1 + (int64_t)cx_rng_below(rng, (uint64_t)(d - lo.z))}};
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) chunk = cx_volume_read(volume, 0, box, NULL, &error);
    size_t bytes = form->bits / 8;

    g_assert_no_error(error);
    const uint8_t *at = cx_chunk_data(chunk);
    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            size_t n = (size_t)(box.hi.x - box.lo.x) * bytes;
            const uint8_t *expected =
                pixels + (size_t)((z * h + y) * w + box.lo.x) * bytes;

            g_assert_cmpmem(at, n, expected, n);
            at += n;
        }
}

static void
test_layouts(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.tif", NULL);
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 400; round++) {
        Form form = random_form(&rng);
        g_autofree uint8_t *pixels = make_pixels(&rng, &form);
        g_autoptr(GError) error = NULL;

        g_test_message("%u x %u x %u, %u bits, format %u, compression %u, "
                       "predictor %u, planar %u, %u samples, tile %u, strip "
                       "%u, mode %s",
                       form.width, form.height, form.n_pages, form.bits,
                       form.format, form.compression, form.predictor,
                       form.planar, form.n_samples, form.tile, form.strip,
                       form.mode);
        write_file(path, &form, pixels);
        g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, form.n_pages);
        for (int i = 0; i < 4; i++)
            check_box(&rng, volume, &form, pixels);
    }
    cx_test_remove_dir(dir);
}

static const Form plain = {.width = 20,
                           .height = 10,
                           .n_pages = 6,
                           .bits = 16,
                           .format = SAMPLEFORMAT_UINT,
                           .compression = COMPRESSION_NONE,
                           .predictor = 1,
                           .planar = PLANARCONFIG_CONTIG,
                           .n_samples = 1,
                           .strip = 10,
                           .mode = "w"};

static void
test_imagej_channels(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.tif", NULL);
    CxRng rng = cx_test_rng();
    Form form = plain;
    g_autoptr(GError) error = NULL;

    form.description = "ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\n"
                       "hyperstack=true\nunit=micron\nspacing=0.04\n"
                       "min=100.0\nmax=300.0\n";
    g_autofree uint8_t *pixels = make_pixels(&rng, &form);
    write_file(path, &form, pixels);
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cx_volume_n_channels(volume), ==, 2);
    g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, 3);
    g_autoptr(CxChunk) chunk =
        cx_volume_read(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    size_t n = page_bytes(&form);
    for (size_t c = 0; c < 2; c++)
        for (size_t z = 0; z < 3; z++)
            g_assert_cmpmem(
                (const uint8_t *)cx_chunk_channel(chunk, (unsigned)c) + z * n,
                n, pixels + (z * 2 + c) * n, n);
    g_autoptr(CxChunk) shown =
        cx_volume_read_u8(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error); /* from ImageJ's min and max */
    uint16_t first = *(const uint16_t *)cx_chunk_data(chunk);
    double scaled = CLAMP((first - 100.0) * 255 / 200, 0, 255);
    g_assert_cmpfloat_with_epsilon(*(const uint8_t *)cx_chunk_data(shown),
                                   scaled, 0.51);
    cx_test_remove_dir(dir);
}

/* ImageJ's files of more than 4 GB: one directory, then all planes. */
static void
test_imagej_planes_behind(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.tif", NULL);
    CxRng rng = cx_test_rng();
    Form form = plain;
    g_autoptr(GError) error = NULL;

    g_autofree uint8_t *pixels = make_pixels(&rng, &form);
    form.n_pages = 1;
    form.mode = "wb";
    form.description = "ImageJ=1.53t\nimages=6\nslices=6\n";
    write_file(path, &form, pixels);
    form.n_pages = 6;

    /* bring the planes behind the first, which libtiff put at byte 8 */
    g_autofree char *content = NULL;
    size_t length, n = page_bytes(&form);
    g_assert_true(g_file_get_contents(path, &content, &length, NULL));
    GString *whole = g_string_new_len(content, 8);
    uint32_t end = (uint32_t)(8 + 6 * n);
    uint32_t directory = GUINT32_TO_BE(end);
    uint32_t old = 0;
    memcpy(&old, content + 4, 4);
    old = GUINT32_FROM_BE(old);
    memcpy(whole->str + 4, &directory, 4);
    for (size_t i = 0; i < 6 * n; i += 2) {
        g_string_append_c(whole, (char)pixels[i + 1]);
        g_string_append_c(whole, (char)pixels[i]);
    }
    size_t shift = 8 + 6 * n - old;
    g_string_append_len(whole, content + old, (gssize)(length - old));
    /* entries that point behind the directory move with it */
    uint16_t n_entries = (uint16_t)((uint8_t)whole->str[8 + 6 * n] << 8 |
                                    (uint8_t)whole->str[9 + 6 * n]);
    for (uint16_t i = 0; i < n_entries; i++) {
        uint8_t *entry = (uint8_t *)whole->str + 10 + 6 * n + 12 * i;
        uint16_t tag = (uint16_t)(entry[0] << 8 | entry[1]);

        if (tag == TIFFTAG_IMAGEDESCRIPTION) {
            uint32_t offset = 0;

            memcpy(&offset, entry + 8, 4);
            offset = GUINT32_FROM_BE(offset);
            offset += (uint32_t)shift;
            offset = GUINT32_TO_BE(offset);
            memcpy(entry + 8, &offset, 4);
        }
    }
    g_assert_true(
        g_file_set_contents(path, whole->str, (gssize)whole->len, NULL));
    g_string_free(whole, TRUE);

    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, 6);
    for (int i = 0; i < 20; i++)
        check_box(&rng, volume, &form, pixels);
    cx_test_remove_dir(dir);
}

static void
test_descriptions(void)
{
    static const char *const ome =
        "<?xml version=\"1.0\"?><OME><Image ID=\"Image:0\"><Pixels "
        "DimensionOrder=\"XYZCT\" SizeX=\"9\" SizeY=\"8\" SizeZ=\"7\" "
        "SizeC=\"2\" SizeT=\"1\" PhysicalSizeX=\"0.004\" "
        "PhysicalSizeY=\"4.6\" PhysicalSizeYUnit=\"nm\" PhysicalSizeZ=\"0.045\""
        "><Channel SamplesPerPixel=\"1\"/></Pixels></Image></OME>";
    CxTiffMeta meta = cx_tiff_meta_parse(ome, 0, 0);

    g_assert_cmpuint(meta.n_z, ==, 7);
    g_assert_cmpuint(meta.n_channels, ==, 2);
    g_assert_cmpuint(meta.z_step, ==, 1);
    g_assert_cmpuint(meta.channel_step, ==, 7);
    g_assert_cmpfloat_with_epsilon(meta.voxel_nm.x, 4, 1e-9);
    g_assert_cmpfloat_with_epsilon(meta.voxel_nm.y, 4.6, 1e-9);
    g_assert_cmpfloat_with_epsilon(meta.voxel_nm.z, 45, 1e-9);

    meta = cx_tiff_meta_parse("ImageJ=1.53t\nimages=10\nframes=10\nunit=nm\n"
                              "spacing=-40\nyunit=um\n",
                              0.25, 250);
    g_assert_cmpuint(meta.n_z, ==, 10);
    g_assert_cmpuint(meta.n_times, ==, 1);
    g_assert_cmpfloat(meta.voxel_nm.x, ==, 4);
    g_assert_cmpfloat(meta.voxel_nm.y, ==, 4);
    g_assert_cmpfloat(meta.voxel_nm.z, ==, 40);

    /* neither entities nor broken text do harm */
    cx_tiff_meta_parse("<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]"
                       "><OME>&a;</OME>",
                       0, 0);
    cx_tiff_meta_parse("<OME><Image><Pixels SizeZ=\"1e300\"", 0, 0);
    meta = cx_tiff_meta_parse("ImageJ=1\nimages=99999999999999999999\n"
                              "slices=-3\nunit=\n",
                              0, 0);
    g_assert_cmpuint(meta.n_z, ==, 1);
}

static void
test_pages_of_other_size(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.tif", NULL);
    CxRng rng = cx_test_rng();
    Form form = plain;
    g_autofree uint8_t *pixels = make_pixels(&rng, &form);
    g_autoptr(GError) error = NULL;
    TIFF *tiff = TIFFOpen(path, "w");

    write_page(tiff, &form, pixels);
    write_page(tiff, &form, pixels);
    form.width = 19;
    write_page(tiff, &form, pixels);
    TIFFClose(tiff);
    g_assert_null(cx_volume_open(path, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_FORMAT, "page 3", "19 x 10",
                         "20 x 10", NULL);
    cx_test_remove_dir(dir);
}

static void
write_slice(const char *dir, const char *name, Form form, uint8_t value)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree uint8_t *pixels = g_malloc(page_bytes(&form));

    memset(pixels, value, page_bytes(&form));
    form.n_pages = 1;
    write_file(path, &form, pixels);
}

static void
remove_slice(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_remove(path);
}

static void
expect_slices_error(const char *dir, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(dir, NULL, &error);

    g_assert_null(volume);
    cx_test_expect_error(&error, CX_ERROR_FORMAT, part, NULL);
}

static void
test_slices(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autoptr(GError) error = NULL;
    Form form = plain, other = plain;

    form.bits = other.bits = 8;
    for (int i = 8; i <= 12; i++) { /* 8, 9, 10: not in alphabetic order */
        g_autofree char *name = g_strdup_printf("sec%d_a.tif", i);

        write_slice(dir, name, form, (uint8_t)i);
    }
    write_slice(dir, ".hidden.tif", form, 0);
    g_autoptr(CxVolume) volume = cx_volume_open(dir, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, 5);
    g_autoptr(CxChunk) chunk =
        cx_volume_read(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    for (int64_t z = 0; z < 5; z++)
        g_assert_cmpuint(cx_chunk_label_at(chunk, (CxVoxel){3, 3, z}), ==,
                         (uint64_t)z + 8);

    remove_slice(dir, "sec10_a.tif");
    expect_slices_error(dir, "slice 10 is missing");
    other.width = 21;
    write_slice(dir, "sec10_a.tif", other, 1);
    expect_slices_error(dir, "slice 10 ");
    remove_slice(dir, "sec10_a.tif");
    write_slice(dir, "sec10_a.tif", form, 1);
    write_slice(dir, "sec09_a.tif", form, 1);
    expect_slices_error(dir, "slice 9 is there twice");
    remove_slice(dir, "sec09_a.tif");
    write_slice(dir, "overview.tif", form, 1);
    expect_slices_error(dir, "overview.tif");
    remove_slice(dir, "overview.tif");
    cx_test_remove_dir(dir);
}

/* Every tenth section is a stack as well. */
static void
test_slices_in_steps(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autoptr(GError) error = NULL;

    write_slice(dir, "a0010.tif", plain, 1);
    write_slice(dir, "a0020.tif", plain, 1);
    write_slice(dir, "a0030.tif", plain, 1);
    g_autoptr(CxVolume) volume = cx_volume_open(dir, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, 3);
    cx_test_remove_dir(dir);
}

static void
write_png(const char *path, int colour, int bits, const uint8_t *row)
{
    FILE *file = fopen(path, "wb");
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_color palette[4] = {
        {0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {255, 255, 255}};

    png_init_io(png, file);
    png_set_IHDR(png, info, 4, 2, bits, colour, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 4);
    png_write_info(png, info);
    png_write_row(png, row);
    png_write_row(png, row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void
check_png(const char *path, CxDtype dtype, const uint64_t expected[4])
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(cx_volume_dtype(volume), ==, dtype);
    g_autoptr(CxChunk) chunk =
        cx_volume_read(volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    for (int64_t x = 0; x < 4; x++)
        g_assert_cmpuint(cx_chunk_label_at(chunk, (CxVoxel){x, 1, 0}), ==,
                         expected[x]);
}

static void
test_png_kinds(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *image = g_build_filename(dir, "raw.png", NULL);
    g_autofree char *labels = g_build_filename(dir, "labels.png", NULL);
    static const uint8_t grey8[] = {0, 7, 200, 255};
    static const uint8_t grey16[] = {0, 1, 1, 0, 255, 255, 0, 0};
    static const uint8_t packed2[] = {0x1b}; /* 0 1 2 3 */
    static const uint8_t rgb[] = {0, 0, 0, 255, 0, 0, 0, 255, 0, 9, 9, 9};

    write_png(image, PNG_COLOR_TYPE_GRAY, 8, grey8);
    check_png(image, CX_DTYPE_U8, (uint64_t[4]){0, 7, 200, 255});
    write_png(image, PNG_COLOR_TYPE_GRAY, 16, grey16);
    check_png(image, CX_DTYPE_U16, (uint64_t[4]){1, 256, 65535, 0});
    write_png(image, PNG_COLOR_TYPE_GRAY, 2, packed2);
    check_png(image, CX_DTYPE_U8, (uint64_t[4]){0, 85, 170, 255});
    write_png(labels, PNG_COLOR_TYPE_GRAY, 2, packed2);
    check_png(labels, CX_DTYPE_U8, (uint64_t[4]){0, 1, 2, 3});
    write_png(image, PNG_COLOR_TYPE_PALETTE, 2, packed2);
    check_png(image, CX_DTYPE_U8, (uint64_t[4]){0, 76, 150, 255});
    write_png(labels, PNG_COLOR_TYPE_PALETTE, 2, packed2);
    check_png(labels, CX_DTYPE_U8, (uint64_t[4]){0, 1, 2, 3});
    write_png(image, PNG_COLOR_TYPE_RGB, 8, rgb);
    check_png(image, CX_DTYPE_U8, (uint64_t[4]){0, 76, 150, 9});
    cx_test_remove_dir(dir);
}

/* A long stack opens by its directories alone. */
static void
test_many_pages(void)
{
    g_autofree char *dir = cx_test_make_dir();
    g_autofree char *path = g_build_filename(dir, "a.tif", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    static const uint8_t head[8] = {'I', 'I', 42, 0, 8};
    const uint32_t n_pages = 200000, n_entries = 9;
    const uint32_t step = 2 + n_entries * 12 + 4;

    g_byte_array_append(bytes, head, 8);
    for (uint32_t i = 0; i < n_pages; i++) {
        const uint32_t entries[][3] = {{256, 3, 1}, {257, 3, 1}, {258, 3, 8},
                                       {259, 3, 1}, {262, 3, 1}, {273, 4, 8},
                                       {277, 3, 1}, {278, 3, 1}, {279, 4, 1}};
        uint16_t count = n_entries;
        uint32_t next = i + 1 < n_pages ? 8 + (i + 1) * step : 0, one = 1;

        g_byte_array_append(bytes, (uint8_t *)&count, 2);
        for (size_t k = 0; k < n_entries; k++) {
            uint16_t tag = (uint16_t)entries[k][0];
            uint16_t type = (uint16_t)entries[k][1];

            g_byte_array_append(bytes, (uint8_t *)&tag, 2);
            g_byte_array_append(bytes, (uint8_t *)&type, 2);
            g_byte_array_append(bytes, (uint8_t *)&one, 4);
            g_byte_array_append(bytes, (const uint8_t *)&entries[k][2], 4);
        }
        g_byte_array_append(bytes, (uint8_t *)&next, 4);
    }
    g_assert_true(g_file_set_contents(path, (char *)bytes->data,
                                      (gssize)bytes->len, NULL));
    int64_t start = g_get_monotonic_time();
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(cx_volume_level(volume, 0).size.z, ==, n_pages);
    CxBox last = {{0, 0, n_pages - 1}, {1, 1, n_pages}};
    g_autoptr(CxChunk) chunk = cx_volume_read(volume, 0, last, NULL, &error);
    g_assert_no_error(error);
    g_test_message("%u pages in %.3f s", n_pages,
                   (double)(g_get_monotonic_time() - start) / 1e6);
    cx_test_remove_dir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tiff/layouts", test_layouts);
    g_test_add_func("/tiff/imagej-channels", test_imagej_channels);
    g_test_add_func("/tiff/imagej-planes", test_imagej_planes_behind);
    g_test_add_func("/tiff/descriptions", test_descriptions);
    g_test_add_func("/tiff/other-size", test_pages_of_other_size);
    g_test_add_func("/tiff/slices", test_slices);
    g_test_add_func("/tiff/slices-in-steps", test_slices_in_steps);
    g_test_add_func("/tiff/png", test_png_kinds);
    g_test_add_func("/tiff/many-pages", test_many_pages);
    return g_test_run();
}
