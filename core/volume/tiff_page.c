/* One page of a TIFF file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/tiff_page.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/block.h"

#include <math.h>
#include <string.h>

#define MAX_BLOCK_BYTES ((uint64_t)1 << 30)
#define MAX_SAMPLES 4

static bool
fail(const CxTiffFile *file, GError **error, const char *found,
     const char *expected)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: %s, expected %s",
                file->path, found, expected);
    return false;
}

static bool
choose_dtype(const CxTiffFile *file, CxTiffPage *page, GError **error)
{
    static const CxDtype of_uint[] = {CX_DTYPE_U8, CX_DTYPE_U16, CX_DTYPE_U32,
                                      CX_DTYPE_U64};
    static const CxDtype of_int[] = {CX_DTYPE_I8, CX_DTYPE_I16, CX_DTYPE_I32,
                                     CX_DTYPE_I64};
    unsigned bits = page->bits;
    unsigned i = bits <= 8 ? 0 : bits <= 16 ? 1 : bits <= 32 ? 2 : 3;

    if (page->format == SAMPLEFORMAT_IEEEFP) {
        page->dtype = bits == 64 ? CX_DTYPE_F64 : CX_DTYPE_F32;
        if (bits == 16 || bits == 32 || bits == 64)
            return true;
    } else if (page->format == SAMPLEFORMAT_UINT ||
               page->format == SAMPLEFORMAT_VOID) {
        page->dtype = of_uint[i];
        if (bits >= 1 && (bits <= 32 || bits == 64))
            return true;
    } else if (page->format == SAMPLEFORMAT_INT) {
        page->dtype = of_int[i];
        if (bits == 8 || bits == 16 || bits == 32 || bits == 64)
            return true;
    }
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: samples of %u bits and format %u, expected integers of 1 "
                "to 32 or 64 bits or floats of 16, 32 or 64",
                file->path, bits, page->format);
    return false;
}

/* Images whose samples are not stored one by one. */
static bool
set_converted(CxTiffFile *file, CxTiffPage *page, GError **error)
{
    char reason[1024] = "";

    page->kind = CX_TIFF_CONVERTED;
    page->dtype = CX_DTYPE_U8;
    if (TIFFRGBAImageOK(file->tiff, reason))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: an image of a kind that cannot be shown in grey: %s",
                file->path, reason);
    return false;
}

static bool
choose_kind(CxTiffFile *file, CxTiffPage *page, uint16_t compression,
            GError **error)
{
    uint16_t photometric = PHOTOMETRIC_MINISBLACK;

    TIFFGetField(file->tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    if (photometric == PHOTOMETRIC_YCBCR && compression == COMPRESSION_JPEG &&
        page->n_samples == 3) {
        TIFFSetField(file->tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        photometric = PHOTOMETRIC_RGB;
    }
    switch (photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MASK:
        page->kind = CX_TIFF_GREY;
        break;
    case PHOTOMETRIC_MINISWHITE:
        page->kind = CX_TIFF_INVERTED;
        break;
    case PHOTOMETRIC_PALETTE:
        page->kind = page->bits <= 16 ? CX_TIFF_PALETTE : CX_TIFF_GREY;
        break;
    case PHOTOMETRIC_RGB:
        page->kind = page->n_samples >= 3 ? CX_TIFF_RGB : CX_TIFF_GREY;
        break;
    case PHOTOMETRIC_SEPARATED:
        page->kind = page->n_samples >= 4 ? CX_TIFF_CMYK : CX_TIFF_GREY;
        break;
    default:
        return set_converted(file, page, error);
    }
    if (!choose_dtype(file, page, error))
        return false;
    if (page->kind == CX_TIFF_PALETTE)
        page->dtype = page->bits <= 8 ? CX_DTYPE_U8 : CX_DTYPE_U16;
    return true;
}

static bool
choose_blocks(CxTiffFile *file, CxTiffPage *page, GError **error)
{
    TIFF *tiff = file->tiff;
    uint32_t rows = 0;

    page->is_tiled = TIFFIsTiled(tiff);
    if (page->is_tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &page->block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &page->block_height);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
        page->block_width = page->width;
        page->block_height = MIN(rows, page->height);
    }

    uint64_t bytes =
        page->is_tiled ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
    uint64_t area = (uint64_t)page->block_width * page->block_height;
    if (page->block_width == 0 || page->block_height == 0 || bytes == 0)
        return fail(file, error, "strips or tiles without pixels",
                    "at least one row in each");
    if (bytes > MAX_BLOCK_BYTES || area > MAX_BLOCK_BYTES / 4) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: strips or tiles of %" G_GUINT64_FORMAT
                    " pixels (%" G_GUINT64_FORMAT
                    " bytes), expected at most 1 GiB each",
                    file->path, area, bytes);
        return false;
    }
    return true;
}

/* Uncompressed rows that lie one behind the other can be read without
 * libtiff, from any row on. */
static void
find_plain_rows(CxTiffFile *file, CxTiffPage *page, uint16_t compression)
{
    TIFF *tiff = file->tiff;
    uint64_t row = TIFFScanlineSize64(tiff);
    uint32_t n = page->is_tiled ? 0 : TIFFNumberOfStrips(tiff);
    bool whole_bytes = page->bits == 8 || page->bits == 16 ||
                       page->bits == 32 || page->bits == 64;

    if (compression != COMPRESSION_NONE || page->is_tiled || !whole_bytes ||
        page->kind == CX_TIFF_CONVERTED || n == 0 ||
        (page->is_planar && page->n_samples > 1))
        return;

    uint64_t first = TIFFGetStrileOffset(tiff, 0);
    uint32_t probes[] = {MIN(1, n - 1), n / 2, n - 1};
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++) {
        uint64_t expected = first + row * page->block_height * probes[i];

        if (TIFFGetStrileOffset(tiff, probes[i]) != expected)
            return;
    }
    page->plain_offset = first;
    page->is_plain = first > 0 && row == cx_tiff_page_row_bytes(page);
}

static bool
check_codec(CxTiffFile *file, uint16_t compression, GError **error)
{
    if (TIFFIsCODECConfigured(compression))
        return true;
    const TIFFCodec *codec = TIFFFindCODEC(compression);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: compressed with method %u (%s), which libtiff here cannot "
                "decode",
                file->path, compression,
                codec != NULL ? codec->name : "unknown");
    return false;
}

bool
cx_tiff_page_read(CxTiffFile *file, CxTiffPage *page, GError **error)
{
    TIFF *tiff = file->tiff;
    uint16_t compression = COMPRESSION_NONE, planar = PLANARCONFIG_CONTIG;

    *page = (CxTiffPage){0};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page->n_samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &page->format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    page->needs_swap = TIFFIsByteSwapped(tiff);
    page->is_planar = planar == PLANARCONFIG_SEPARATE;
    if (page->width == 0 || page->height == 0 || page->n_samples == 0)
        return fail(file, error, "an image without pixels",
                    "a width, a height and at least one sample");
    if (page->width > INT32_MAX || page->height > INT32_MAX)
        return fail(file, error, "an image wider or higher than 2^31 pixels",
                    "less");
    if (!check_codec(file, compression, error) ||
        !choose_kind(file, page, compression, error) ||
        !choose_blocks(file, page, error))
        return false;
    find_plain_rows(file, page, compression);
    return true;
}

uint64_t
cx_tiff_page_row_bytes(const CxTiffPage *page)
{
    return (uint64_t)page->width * page->n_samples * (page->bits / 8);
}

/* The raw bits of sample i of a row whose samples are packed without gaps,
 * most significant bit first. */
static uint64_t
get_bits(const uint8_t *row, size_t i, unsigned bits)
{
    switch (bits) {
    case 8:
        return row[i];
    case 16: {
        uint16_t value;
        memcpy(&value, row + 2 * i, 2);
        return value;
    }
    case 32: {
        uint32_t value;
        memcpy(&value, row + 4 * i, 4);
        return value;
    }
    case 64: {
        uint64_t value;
        memcpy(&value, row + 8 * i, 8);
        return value;
    }
    case 24: { /* libtiff swaps these to native order, too */
        uint64_t b0 = row[3 * i], b1 = row[3 * i + 1], b2 = row[3 * i + 2];
        return G_BYTE_ORDER == G_LITTLE_ENDIAN ? b0 | b1 << 8 | b2 << 16
                                               : b2 | b1 << 8 | b0 << 16;
    }
    default:
        break;
    }

    uint64_t value = 0;
    for (size_t bit = i * bits; bit < (i + 1) * bits; bit++)
        value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1);
    return value;
}

static float
half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
    uint32_t bits;
    float value;

    if (exponent == 0) {
        value = (float)mantissa / 16777216.0f; /* 2^-24 */
        return sign != 0 ? -value : value;
    }
    bits = exponent == 31 ? 0x7f800000 | mantissa << 13
                          : (exponent + 112) << 23 | mantissa << 13;
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A sample as a number; only for colours and narrow samples, where a double
 * is exact. */
static double
get_value(const CxTiffPage *page, uint64_t bits)
{
    if (page->format == SAMPLEFORMAT_IEEEFP) {
        uint32_t low = (uint32_t)bits;
        float single;
        double wide;

        if (page->bits == 16)
            return half_to_float((uint16_t)bits);
        memcpy(&single, &low, sizeof single);
        memcpy(&wide, &bits, sizeof wide);
        return page->bits == 32 ? single : wide;
    }
    if (page->format == SAMPLEFORMAT_INT) {
        unsigned shift = 64 - page->bits;

        return (double)((int64_t)(bits << shift) >> shift);
    }
    return (double)bits;
}

static void
put_value(uint8_t *dst, CxDtype dtype, double value)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        *dst = (uint8_t)CLAMP(value + 0.5, 0, UINT8_MAX);
        break;
    case CX_DTYPE_U16:
        *(uint16_t *)dst = (uint16_t)CLAMP(value + 0.5, 0, UINT16_MAX);
        break;
    case CX_DTYPE_U32:
        *(uint32_t *)dst = (uint32_t)CLAMP(value + 0.5, 0, UINT32_MAX);
        break;
    case CX_DTYPE_U64:
        *(uint64_t *)dst = value < 1.8e19 ? (uint64_t)value : UINT64_MAX;
        break;
    case CX_DTYPE_I8:
        *(int8_t *)dst = (int8_t)CLAMP(round(value), INT8_MIN, INT8_MAX);
        break;
    case CX_DTYPE_I16:
        *(int16_t *)dst = (int16_t)CLAMP(round(value), INT16_MIN, INT16_MAX);
        break;
    case CX_DTYPE_I32:
        *(int32_t *)dst = (int32_t)CLAMP(round(value), INT32_MIN, INT32_MAX);
        break;
    case CX_DTYPE_I64:
        *(int64_t *)dst = (int64_t)CLAMP(round(value), -9.2e18, 9.2e18);
        break;
    case CX_DTYPE_F32:
        *(float *)dst = (float)value;
        break;
    case CX_DTYPE_F64:
        *(double *)dst = value;
        break;
    }
}

/* Integer samples that only change width. */
static void
put_bits(uint8_t *dst, CxDtype dtype, uint64_t bits)
{
    size_t size = cx_dtype_size_bytes(dtype);

    if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
        memcpy(dst, &bits, size);
    else
        memcpy(dst, (uint8_t *)&bits + 8 - size, size);
}

static double
luma(double red, double green, double blue)
{
    return (299 * red + 587 * green + 114 * blue) / 1000;
}

/* What colours need beside the page. */
typedef struct {
    const CxTiffPage *page;
    bool as_labels;
    const uint16_t *palette[3]; /* 2^bits entries, or NULL */
} Converter;

/* Pixel x of a row; samples[s] is where sample s of the row's first pixel
 * stands and step what it is to the next pixel, both in samples. */
static void
convert_pixel(const Converter *self, const uint8_t *const rows[MAX_SAMPLES],
              size_t x, size_t step, uint8_t *dst)
{
    const CxTiffPage *page = self->page;
    uint64_t bits = get_bits(rows[0], x * step, page->bits);
    bool is_float = page->format == SAMPLEFORMAT_IEEEFP;
    double max = is_float          ? 1.0
                 : page->bits < 64 ? (double)((UINT64_C(1) << page->bits) - 1)
                                   : 18446744073709551615.0;

    if (page->kind == CX_TIFF_PALETTE && !self->as_labels &&
        self->palette[0] != NULL) {
        double value = luma(self->palette[0][bits], self->palette[1][bits],
                            self->palette[2][bits]);

        put_value(dst, page->dtype,
                  page->dtype == CX_DTYPE_U8 ? value / 257.0 : value);
        return;
    }
    if (page->kind == CX_TIFF_RGB || page->kind == CX_TIFF_CMYK) {
        double v[MAX_SAMPLES] = {0};
        unsigned n = page->kind == CX_TIFF_RGB ? 3 : 4;
        bool planar = rows[1] != NULL;

        for (unsigned s = 0; s < n; s++)
            v[s] = get_value(page,
                             get_bits(rows[planar ? s : 0],
                                      x * step + (planar ? 0 : s), page->bits));
        if (page->kind == CX_TIFF_CMYK)
            for (unsigned s = 0; s < 3; s++)
                v[s] = (max - v[s]) * (max - v[3]) / max;
        double value = luma(v[0], v[1], v[2]);
        if (!is_float && page->bits < 8)
            value = value * 255.0 / max;
        put_value(dst, page->dtype, value);
        return;
    }
    if (is_float) {
        put_value(dst, page->dtype, get_value(page, bits));
        return;
    }
    if (page->kind == CX_TIFF_INVERTED && !self->as_labels &&
        page->format != SAMPLEFORMAT_INT)
        bits =
            (page->bits < 64 ? (UINT64_C(1) << page->bits) - 1 : UINT64_MAX) -
            bits;
    if (page->bits < 8 && !self->as_labels && page->kind != CX_TIFF_PALETTE)
        put_value(dst, page->dtype, (double)bits * 255.0 / max);
    else
        put_bits(dst, page->dtype, bits);
}

/* True if stored samples are the wanted ones, bit by bit. */
static bool
is_identity(const CxTiffPage *page, bool as_labels, size_t step)
{
    bool kind = page->kind == CX_TIFF_GREY ||
                (as_labels && (page->kind == CX_TIFF_INVERTED ||
                               page->kind == CX_TIFF_PALETTE));

    return step == 1 && kind &&
           page->bits == 8 * cx_dtype_size_bytes(page->dtype);
}

static void
convert_row(const Converter *self, const uint8_t *const rows[MAX_SAMPLES],
            size_t step, uint8_t *dst, size_t n)
{
    size_t size = cx_dtype_size_bytes(self->page->dtype);

    if (is_identity(self->page, self->as_labels, step)) {
        memcpy(dst, rows[0], n * size);
        return;
    }
    for (size_t x = 0; x < n; x++)
        convert_pixel(self, rows, x, step, dst + x * size);
}

void
cx_tiff_page_convert_rows(const CxTiffPage *page, bool as_labels, uint8_t *src,
                          size_t src_stride, uint8_t *dst, size_t dst_stride,
                          size_t n_rows, size_t n_columns)
{
    Converter converter = {.page = page, .as_labels = as_labels};

    for (size_t y = 0; y < n_rows; y++) {
        uint8_t *row = src + y * src_stride;
        const uint8_t *rows[MAX_SAMPLES] = {row};

        if (page->needs_swap)
            cx_block_swap(row, n_columns * page->n_samples * (page->bits / 8),
                          page->bits / 8);
        convert_row(&converter, rows, page->n_samples, dst + y * dst_stride,
                    n_columns);
    }
}

static bool
fail_block(const CxTiffFile *file, uint32_t x, uint32_t y, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the pixels from column %u, row %u on cannot be decoded: "
                "%s",
                file->path, x, y,
                file->message[0] != '\0' ? file->message
                                         : "the data end too early");
    return false;
}

/* One block through libtiff's colour conversion; 0xAABBGGRR, last row first.
 */
static bool
decode_converted(CxTiffFile *file, const CxTiffPage *page, uint32_t x,
                 uint32_t y, uint32_t n_columns, uint32_t n_rows, uint8_t *dst,
                 size_t dst_stride, GError **error)
{
    size_t area = (size_t)page->block_width * page->block_height;
    CX_AUTOFREE uint32_t *raster = cx_try_alloc(area, sizeof(uint32_t), error);
    int ok;

    if (raster == NULL)
        return false;
    if (page->is_tiled)
        ok = TIFFReadRGBATileExt(file->tiff, x, y, raster, 1);
    else
        ok = TIFFReadRGBAStripExt(file->tiff, y, raster, 1);
    if (!ok)
        return fail_block(file, x, y, error);

    uint32_t stored_rows = page->is_tiled ? page->block_height : n_rows;
    for (uint32_t row = 0; row < n_rows; row++) {
        const uint32_t *from =
            raster + (size_t)(stored_rows - 1 - row) * page->block_width;

        for (uint32_t column = 0; column < n_columns; column++)
            put_value(dst + row * dst_stride + column, CX_DTYPE_U8,
                      luma(TIFFGetR(from[column]), TIFFGetG(from[column]),
                           TIFFGetB(from[column])));
    }
    return true;
}

static unsigned
n_planes_needed(const CxTiffPage *page)
{
    if (!page->is_planar)
        return 1;
    return page->kind == CX_TIFF_RGB ? 3 : page->kind == CX_TIFF_CMYK ? 4 : 1;
}

/* Reads the stored bytes of a block, one plane after the other. */
static bool
read_block(CxTiffFile *file, const CxTiffPage *page, uint32_t x, uint32_t y,
           uint8_t *buffer, size_t plane_bytes, size_t needed_bytes,
           GError **error)
{
    for (unsigned s = 0; s < n_planes_needed(page); s++) {
        uint8_t *to = buffer + s * plane_bytes;
        uint16_t sample = (uint16_t)s;
        tmsize_t got;

        if (page->is_tiled)
            got = TIFFReadEncodedTile(
                file->tiff, TIFFComputeTile(file->tiff, x, y, 0, sample), to,
                (tmsize_t)plane_bytes);
        else
            got = TIFFReadEncodedStrip(file->tiff,
                                       TIFFComputeStrip(file->tiff, y, sample),
                                       to, (tmsize_t)plane_bytes);
        if (got < 0 || (size_t)got < needed_bytes)
            return fail_block(file, x, y, error);
    }
    return true;
}

static bool
decode_block(CxTiffFile *file, const Converter *converter, uint32_t x,
             uint32_t y, uint32_t n_columns, uint32_t n_rows, uint8_t *dst,
             size_t dst_stride, GError **error)
{
    const CxTiffPage *page = converter->page;

    if (page->kind == CX_TIFF_CONVERTED)
        return decode_converted(file, page, x, y, n_columns, n_rows, dst,
                                dst_stride, error);

    size_t plane_bytes = (size_t)(page->is_tiled ? TIFFTileSize64(file->tiff)
                                                 : TIFFStripSize64(file->tiff));
    size_t row_bytes =
        (size_t)(page->is_tiled ? TIFFTileRowSize64(file->tiff)
                                : TIFFScanlineSize64(file->tiff));
    unsigned n_planes = n_planes_needed(page);
    size_t needed = page->is_planar ? 1 : page->n_samples;

    /* what will be looked at must lie in what libtiff says a row is */
    needed = (needed * page->bits * page->block_width + 7) / 8;
    if (row_bytes < needed || plane_bytes / row_bytes < n_rows)
        return fail_block(file, x, y, error);
    CX_AUTOFREE uint8_t *buffer = cx_try_alloc(plane_bytes, n_planes, error);
    if (buffer == NULL || !read_block(file, page, x, y, buffer, plane_bytes,
                                      row_bytes * n_rows, error))
        return false;
    for (uint32_t row = 0; row < n_rows; row++) {
        const uint8_t *rows[MAX_SAMPLES] = {NULL};

        for (unsigned s = 0; s < n_planes; s++)
            rows[s] = buffer + s * plane_bytes + row * row_bytes;
        convert_row(converter, rows, page->is_planar ? 1 : page->n_samples,
                    dst + row * dst_stride, n_columns);
    }
    return true;
}

bool
cx_tiff_page_decode(CxTiffFile *file, const CxTiffPage *page, bool as_labels,
                    CxChunk *dst, GError **error)
{
    CxBox box = cx_chunk_box(dst);
    size_t sample = cx_dtype_size_bytes(page->dtype);
    size_t stride = (size_t)(box.hi.x - box.lo.x) * sample;
    Converter converter = {.page = page, .as_labels = as_labels};
    uint16_t *red = NULL, *green = NULL, *blue = NULL;

    if (page->kind == CX_TIFF_PALETTE &&
        TIFFGetField(file->tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
        converter.palette[0] = red;
        converter.palette[1] = green;
        converter.palette[2] = blue;
    }
    for (int64_t y = box.lo.y; y < box.hi.y; y += page->block_height) {
        uint32_t n_rows = (uint32_t)MIN(page->block_height, box.hi.y - y);

        for (int64_t x = box.lo.x; x < box.hi.x; x += page->block_width) {
            uint32_t n_columns = (uint32_t)MIN(page->block_width, box.hi.x - x);
            uint8_t *to = (uint8_t *)cx_chunk_data_mut(dst) +
                          (size_t)(y - box.lo.y) * stride +
                          (size_t)(x - box.lo.x) * sample;

            if (!decode_block(file, &converter, (uint32_t)x, (uint32_t)y,
                              n_columns, n_rows, to, stride, error))
                return false;
        }
    }
    return true;
}
