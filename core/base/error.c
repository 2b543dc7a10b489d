/* The one error domain of the core.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"

#include <errno.h>
#include <stdarg.h>

G_DEFINE_QUARK(cx - error - quark, cx_error)

bool
cx_error_is_cancelled(const GError *error)
{
    return g_error_matches(error, CX_ERROR, CX_ERROR_CANCELLED);
}

static CxErrorCode
code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return CX_ERROR_NO_SPACE;
    case ENOENT:
    case ENOTDIR:
        return CX_ERROR_NOT_FOUND;
    case EEXIST:
        return CX_ERROR_EXISTS;
    case EROFS:
    case EACCES:
    case EPERM:
        return CX_ERROR_READ_ONLY;
    case ENOMEM:
        return CX_ERROR_NO_MEMORY;
    default:
        return CX_ERROR_IO;
    }
}

void
cx_error_set_errno(GError **error, int errnum, const char *what, ...)
{
    va_list args;

    va_start(args, what);
    g_autofree char *text = g_strdup_vprintf(what, args);
    va_end(args);
    g_set_error(error, CX_ERROR, code_of_errno(errnum), "%s: %s", text,
                g_strerror(errnum));
}
