/* libtiff made safe to call: no message on stderr, memory capped, no mmap.
 *
 * A file belongs to one thread at a time; cx_tiff_pool in tiff_stack.c lends
 * them out.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <tiffio.h>

typedef struct {
    char *path;
    TIFF *tiff;
    uint64_t directory; /* offset of the current one; 0: the first */
    char message[240];  /* libtiff's last complaint; "" if none */
} CxTiffFile;

CxTiffFile *cx_tiff_file_open(const char *path, GError **error);
void cx_tiff_file_close(CxTiffFile *file);

/* Makes the directory at an offset current (0: the first). */
gboolean cx_tiff_file_seek(CxTiffFile *file, uint64_t directory,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxTiffFile, cx_tiff_file_close)
