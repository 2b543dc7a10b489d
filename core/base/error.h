/* The one error domain of the core.
 *
 * The code says what a program may do; the message says what a person should
 * know, in one sentence: file, place, found, expected.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    CX_ERROR_FORMAT,    /* the content is damaged, foreign or unsupported */
    CX_ERROR_IO,        /* the system refused to read or write */
    CX_ERROR_NO_SPACE,  /* disk full; retry after making room */
    CX_ERROR_NO_MEMORY, /* a budget or the machine's memory is exceeded */
    CX_ERROR_NOT_FOUND, /* no such file, data set, id or voxel */
    CX_ERROR_EXISTS,    /* the output is already there */
    CX_ERROR_INVALID,   /* the request makes no sense for this data */
    CX_ERROR_BUSY,      /* somebody else holds it (second instance) */
    CX_ERROR_READ_ONLY, /* it may be looked at but not changed */
    CX_ERROR_CANCELLED, /* the user said stop: a normal result */
} CxErrorCode;

#define CX_ERROR (cx_error_quark())
GQuark cx_error_quark(void);

bool cx_error_is_cancelled(const GError *error);

/* Sets an error from errno: ENOSPC/EDQUOT → NO_SPACE, ENOENT → NOT_FOUND,
 * EROFS/EACCES → READ_ONLY, else IO.  what: "cannot write /a/b.h5". */
void cx_error_set_errno(GError **error, int errnum, const char *what, ...)
    G_GNUC_PRINTF(3, 4);
