/* A file that appears under its name only when it is whole.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/export_file.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((guint)1 << 18)

struct CxExportFile {
    char *path;
    char *temporary; /* NULL once it has its name */
    bool overwrite;
    int fd;
    GByteArray *buffer;
    uint64_t size_bytes;
};

bool
cx_export_check_absent(const char *path, GError **error)
{
    struct stat status;

    if (lstat(path, &status) != 0)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                "cannot write %s: it is already there", path);
    return false;
}

CxExportFile *
cx_export_file_new(const char *path, bool overwrite, GError **error)
{
    if (!overwrite && !cx_export_check_absent(path, error))
        return NULL;
    g_autofree char *temporary =
        g_strdup_printf("%s.partial-%08x", path, (unsigned)g_random_int());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

    if (fd < 0) {
        cx_error_set_errno(error, errno, "cannot write %s", path);
        return NULL;
    }
    CxExportFile *file = g_new0(CxExportFile, 1);

    file->path = g_strdup(path);
    file->temporary = g_steal_pointer(&temporary);
    file->overwrite = overwrite;
    file->fd = fd;
    file->buffer = g_byte_array_sized_new(BUFFER_BYTES);
    return file;
}

void
cx_export_file_free(CxExportFile *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->temporary != NULL)
        unlink(file->temporary);
    g_byte_array_unref(file->buffer);
    g_free(file->temporary);
    g_free(file->path);
    g_free(file);
}

static bool
write_out(CxExportFile *file, const uint8_t *data, size_t n_bytes,
          GError **error)
{
    while (n_bytes > 0) {
        gssize n = write(file->fd, data, n_bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            cx_error_set_errno(error, errno, "cannot write %s", file->path);
            return false;
        }
        data += n;
        n_bytes -= (size_t)n;
        file->size_bytes += (uint64_t)n;
    }
    return true;
}

static bool
flush(CxExportFile *file, GError **error)
{
    bool ok = write_out(file, file->buffer->data, file->buffer->len, error);

    g_byte_array_set_size(file->buffer, 0);
    return ok;
}

bool
cx_export_file_write(CxExportFile *file, const void *data, size_t n_bytes,
                     GError **error)
{
    if (file->buffer->len + n_bytes > BUFFER_BYTES && !flush(file, error))
        return false;
    if (n_bytes > BUFFER_BYTES)
        return write_out(file, data, n_bytes, error);
    g_byte_array_append(file->buffer, data, (guint)n_bytes);
    return true;
}

bool
cx_export_file_puts(CxExportFile *file, const char *text, GError **error)
{
    return cx_export_file_write(file, text, strlen(text), error);
}

bool
cx_export_file_printf(CxExportFile *file, GError **error, const char *format,
                      ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return cx_export_file_puts(file, text, error);
}

/* An error of fsync is final: the pages may be lost, so nothing is tried
 * again with this file. */
bool
cx_export_file_finish(CxExportFile *file, uint64_t *size_bytes, GError **error)
{
    if (!flush(file, error))
        return false;
    int fd = file->fd;

    file->fd = -1;
    if (fsync(fd) != 0) {
        cx_error_set_errno(error, errno, "cannot write %s", file->path);
        close(fd);
        return false;
    }
    if (close(fd) != 0) {
        cx_error_set_errno(error, errno, "cannot write %s", file->path);
        return false;
    }
    if (!cx_export_install(file->temporary, file->path, file->overwrite, error))
        return false;
    g_clear_pointer(&file->temporary, g_free);
    if (size_bytes != NULL)
        *size_bytes = file->size_bytes;
    return true;
}

static bool
sync_folder(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        cx_error_set_errno(error, errno, "cannot write the folder %s", dir);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Some file systems cannot rename without replacing; a hard link can. */
static bool
rename_to_free_name(const char *temporary, const char *path)
{
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    return errno == EINVAL && link(temporary, path) == 0 &&
           unlink(temporary) == 0;
}

static bool
is_folder(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool
cx_export_install(const char *temporary, const char *path, bool overwrite,
                  GError **error)
{
    bool ok =
        overwrite && is_folder(path)
            ? is_folder(temporary) && renameat2(AT_FDCWD, temporary, AT_FDCWD,
                                                path, RENAME_EXCHANGE) == 0
        : overwrite ? rename(temporary, path) == 0
                    : rename_to_free_name(temporary, path);

    if (ok)
        return sync_folder(path, error);
    if (is_folder(path) && !is_folder(temporary))
        g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                    "cannot write %s: there is a folder of that name", path);
    else
        cx_error_set_errno(error, errno, "cannot write %s", path);
    return false;
}
