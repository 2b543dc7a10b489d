/* PNG files; see png_file.h.  libpng's simplified interface: it reports
 * errors without longjmp().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/png_file.h"

#include "core/base/alloc.h"
#include "core/base/error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <png.h>
#include <string.h>

#define MAX_PIXELS (UINT64_C(1) << 30)

/* PNG bytes of the picture, from cx_try_alloc(). */
static void *
encode(const uint8_t *rgba, int width, int height, size_t *size, GError **error)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGBA};
    png_alloc_size_t bound = PNG_IMAGE_PNG_SIZE_MAX(image);
    void *bytes = cx_try_alloc(bound, 1, error);

    if (bytes == NULL)
        return NULL;
    if (!png_image_write_to_memory(&image, bytes, &bound, 0, rgba, 0, NULL)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a picture of %d × %d pixels cannot be encoded as PNG: %s",
                    width, height, image.message);
        png_image_free(&image);
        cx_free(bytes);
        return NULL;
    }
    *size = bound;
    return bytes;
}

bool
cxgl_png_write(const char *path, const uint8_t *rgba, int width, int height,
               GError **error)
{
    g_autoptr(GError) cause = NULL;
    size_t size = 0;
    CX_AUTOFREE void *bytes = encode(rgba, width, height, &size, error);
    int code;

    if (bytes == NULL)
        return false;
    if (g_file_set_contents_full(path, bytes, (gssize)size,
                                 G_FILE_SET_CONTENTS_CONSISTENT |
                                     G_FILE_SET_CONTENTS_DURABLE,
                                 0666, &cause))
        return true;
    code = g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC)
               ? CX_ERROR_NO_SPACE
               : CX_ERROR_IO;
    g_set_error(error, CX_ERROR, code, "cannot write %s: %s", path,
                cause->message);
    return false;
}

static uint8_t *
refuse(png_image *image, const char *path, GError **error)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: cannot be read as PNG: %s", path, image->message);
    png_image_free(image);
    return NULL;
}

uint8_t *
cxgl_png_read(const char *path, int *width, int *height, GError **error)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t *pixels;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        cx_error_set_errno(error, ENOENT, "cannot read %s", path);
        return NULL;
    }
    if (!png_image_begin_read_from_file(&image, path))
        return refuse(&image, path, error);
    if ((uint64_t)image.width * image.height > MAX_PIXELS) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: has %u × %u pixels, at most 2^30 are read", path,
                    image.width, image.height);
        png_image_free(&image);
        return NULL;
    }
    image.format = PNG_FORMAT_RGBA;
    pixels = g_try_malloc(PNG_IMAGE_SIZE(image));
    if (pixels == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: no memory for %u × %u pixels", path, image.width,
                    image.height);
        png_image_free(&image);
        return NULL;
    }
    if (!png_image_finish_read(&image, NULL, pixels, 0, NULL)) {
        g_free(pixels);
        return refuse(&image, path, error);
    }
    *width = (int)image.width;
    *height = (int)image.height;
    return pixels;
}
