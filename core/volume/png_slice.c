/* One PNG image as a section.
 *
 * libpng leaves by longjmp: each function with a setjmp keeps what it frees
 * afterwards in a struct that the caller owns.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/png_slice.h"

#include "core/base/error.h"
#include "core/volume/reader_util.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *path;
    FILE *file;
    png_structp png;
    png_infop info;
    png_bytep *rows;
    uint8_t *pixels;
    size_t row_bytes;
    char message[160];
} Decoder;

static void
on_error(png_structp png, png_const_charp message)
{
    Decoder *self = png_get_error_ptr(png);

    g_strlcpy(self->message, message, sizeof self->message);
    png_longjmp(png, 1);
}

static void
on_warning(png_structp png, png_const_charp message)
{
}

static void
decoder_clear(Decoder *self)
{
    if (self->png != NULL)
        png_destroy_read_struct(&self->png, &self->info, NULL);
    if (self->file != NULL)
        fclose(self->file);
    g_free(self->rows);
    g_free(self->pixels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Decoder, decoder_clear)

static void
set_error(const Decoder *self, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: not a whole PNG image: %s", self->path, self->message);
}

bool
cx_png_probe(const char *path)
{
    uint8_t head[8];

    return cx_reader_peek(path, head, 8) == 8 && png_sig_cmp(head, 0, 8) == 0;
}

#define MAX_PIXELS ((uint64_t)1 << 31)

static bool
open_header(Decoder *self, const char *path, GError **error)
{
    self->path = path;
    self->file = fopen(path, "rbe");
    if (self->file == NULL) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return false;
    }
    self->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, self, on_error,
                                       on_warning);
    self->info = png_create_info_struct(self->png);
    if (setjmp(png_jmpbuf(self->png)) != 0) {
        set_error(self, error);
        return false;
    }
    png_set_user_limits(self->png, 1 << 24, 1 << 24);
    png_set_chunk_malloc_max(self->png, 64 << 20);
    png_init_io(self->png, self->file);
    png_read_info(self->png, self->info);

    uint64_t n = (uint64_t)png_get_image_width(self->png, self->info) *
                 png_get_image_height(self->png, self->info);
    if (n > MAX_PIXELS) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: %" G_GUINT64_FORMAT
                    " pixels, expected at most 2^31 in one PNG image",
                    path, n);
        return false;
    }
    return true;
}

static CxDtype
dtype_of(const Decoder *self)
{
    return png_get_bit_depth(self->png, self->info) == 16 ? CX_DTYPE_U16
                                                          : CX_DTYPE_U8;
}

bool
cx_png_read_size(const char *path, int64_t *width, int64_t *height,
                 CxDtype *dtype, GError **error)
{
    g_auto(Decoder) self = {0};

    if (!open_header(&self, path, error))
        return false;
    *width = png_get_image_width(self.png, self.info);
    *height = png_get_image_height(self.png, self.info);
    *dtype = dtype_of(&self);
    return true;
}

/* Brings every kind of image to 1 or 3 samples of 8 or 16 bits. */
static void
set_transforms(Decoder *self, bool as_labels)
{
    png_byte colour = png_get_color_type(self->png, self->info);

    if (colour == PNG_COLOR_TYPE_PALETTE && !as_labels)
        png_set_palette_to_rgb(self->png);
    else if (colour == PNG_COLOR_TYPE_GRAY && !as_labels)
        png_set_expand_gray_1_2_4_to_8(self->png);
    else
        png_set_packing(self->png);
    png_set_strip_alpha(self->png);
    if (G_BYTE_ORDER == G_LITTLE_ENDIAN)
        png_set_swap(self->png);
    png_set_interlace_handling(self->png);
}

/* False with error if the image is damaged; rows then stay unread. */
static bool
decode(Decoder *self, bool as_labels, GError **error)
{
    if (setjmp(png_jmpbuf(self->png)) != 0) {
        set_error(self, error);
        return false;
    }
    set_transforms(self, as_labels);
    png_read_update_info(self->png, self->info);

    size_t height = png_get_image_height(self->png, self->info);
    self->row_bytes = png_get_rowbytes(self->png, self->info);
    self->pixels = g_try_malloc_n(height, self->row_bytes);
    self->rows = g_try_new(png_bytep, height);
    if (self->pixels == NULL || self->rows == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: not enough memory for the image", self->path);
        return false;
    }
    for (size_t y = 0; y < height; y++)
        self->rows[y] = self->pixels + y * self->row_bytes;
    png_read_image(self->png, self->rows);
    return true;
}

static unsigned
luma(unsigned red, unsigned green, unsigned blue)
{
    return (299 * red + 587 * green + 114 * blue + 500) / 1000;
}

static void
convert_row(void *dst, const uint8_t *src, size_t width, unsigned n_samples,
            CxDtype dtype)
{
    if (n_samples < 3) {
        memcpy(dst, src, width * cx_dtype_size_bytes(dtype));
        return;
    }
    for (size_t x = 0; x < width; x++) {
        if (dtype == CX_DTYPE_U8) {
            const uint8_t *p = src + 3 * x;

            ((uint8_t *)dst)[x] = (uint8_t)luma(p[0], p[1], p[2]);
        } else {
            uint16_t p[3];

            memcpy(p, src + 6 * x, sizeof p);
            ((uint16_t *)dst)[x] = (uint16_t)luma(p[0], p[1], p[2]);
        }
    }
}

CxChunk *
cx_png_read(const char *path, int64_t z, bool as_labels, GError **error)
{
    g_auto(Decoder) self = {0};

    if (!open_header(&self, path, error))
        return NULL;

    int64_t width = png_get_image_width(self.png, self.info);
    int64_t height = png_get_image_height(self.png, self.info);
    CxDtype dtype = dtype_of(&self);
    CxBox box = {{0, 0, z}, {width, height, z + 1}};
    if (!decode(&self, as_labels, error))
        return NULL;

    unsigned n_samples = png_get_channels(self.png, self.info);
    CxChunk *chunk = cx_chunk_new(dtype, box, 1, error);
    if (chunk == NULL)
        return NULL;
    for (int64_t y = 0; y < height; y++)
        convert_row((uint8_t *)cx_chunk_data_mut(chunk) +
                        (size_t)(y * width) * cx_dtype_size_bytes(dtype),
                    self.rows[y], (size_t)width, n_samples, dtype);
    return chunk;
}
