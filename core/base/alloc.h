/* Allocation whose size comes from data: the product is checked and the call
 * may fail with an error instead of ending the program.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

/* n * size bytes aligned to 64, not cleared; NULL and CX_ERROR_NO_MEMORY if
 * the product overflows or the memory is not to be had.  n = 0 gives a valid
 * pointer.  Free with cx_free(). */
void *cx_try_alloc(size_t n, size_t size, GError **error);

/* The same, cleared to zero. */
void *cx_try_alloc0(size_t n, size_t size, GError **error);

void cx_free(void *memory);

/* Owned local: CX_AUTOFREE uint8_t *buffer = cx_try_alloc(…); */
static inline void
cx_autofree_cleanup(void *pointer)
{
    cx_free(*(void **)pointer);
}
#define CX_AUTOFREE __attribute__((cleanup(cx_autofree_cleanup)))
