/* libtiff made safe to call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/tiff_file.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_SINGLE_ALLOC ((tmsize_t)1 << 30)

static int
on_error(TIFF *tiff, void *data, const char *module, const char *format,
         va_list args)
{
    CxTiffFile *file = data;

    if (file->message[0] == '\0') /* the first one tells the cause */
        g_vsnprintf(file->message, sizeof file->message, format, args);
    return 1;
}

static int
on_warning(TIFF *tiff, void *data, const char *module, const char *format,
           va_list args)
{
    return 1;
}

CxTiffFile *
cx_tiff_file_open(const char *path, GError **error)
{
    g_autoptr(CxTiffFile) file = g_new0(CxTiffFile, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        return NULL;
    }

    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_SINGLE_ALLOC);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, file);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, file);
    file->path = g_strdup(path);
    /* m: no mmap (a file that shrinks must not end the program);
     * c: strips as they are; O: their tables on demand */
    file->tiff = TIFFFdOpenExt(fd, path, "rmcO", options);
    TIFFOpenOptionsFree(options);
    if (file->tiff == NULL) {
        close(fd);
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: not a whole TIFF file: %s", path,
                    file->message[0] != '\0' ? file->message
                                             : "the header is damaged");
        return NULL;
    }
    return g_steal_pointer(&file);
}

void
cx_tiff_file_close(CxTiffFile *file)
{
    if (file == NULL)
        return;
    if (file->tiff != NULL)
        TIFFClose(file->tiff);
    g_free(file->path);
    g_free(file);
}

gboolean
cx_tiff_file_seek(CxTiffFile *file, uint64_t directory, GError **error)
{
    file->message[0] = '\0';
    if (directory == file->directory)
        return TRUE;
    if (TIFFSetSubDirectory(file->tiff, directory)) {
        file->directory = directory;
        return TRUE;
    }
    file->directory = UINT64_MAX;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: the directory at byte %" G_GUINT64_FORMAT
                " is damaged: %s",
                file->path, directory, file->message);
    return FALSE;
}
