/* Allocation whose size comes from data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"

#include "core/base/error.h"

#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

void *
cx_try_alloc(size_t n, size_t size, GError **error)
{
    size_t bytes;

    if (!__builtin_mul_overflow(n, size, &bytes) && bytes <= SIZE_MAX / 2) {
        void *memory = NULL;

        bytes = (bytes + ALIGNMENT) & ~(size_t)(ALIGNMENT - 1);
        if (posix_memalign(&memory, ALIGNMENT, bytes) == 0)
            return memory;
    }
    g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                "not enough memory for %zu items of %zu bytes", n, size);
    return NULL;
}

void *
cx_try_alloc0(size_t n, size_t size, GError **error)
{
    void *memory = cx_try_alloc(n, size, error);

    if (memory != NULL)
        memset(memory, 0, n * size);
    return memory;
}

void
cx_free(void *memory)
{
    free(memory); /* lint-ok: the wrapper itself */
}
