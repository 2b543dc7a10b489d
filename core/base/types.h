/* Ids and sample types used everywhere.  No functions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Type of one sample of a volume. */
typedef enum {
    CX_DTYPE_U8,
    CX_DTYPE_U16,
    CX_DTYPE_U32,
    CX_DTYPE_U64,
    CX_DTYPE_I8,
    CX_DTYPE_I16,
    CX_DTYPE_I32,
    CX_DTYPE_I64,
    CX_DTYPE_F32,
    CX_DTYPE_F64,
} CxDtype;

/* Id of a label, supervoxel or segment.  0 is background, never an object. */
typedef uint64_t CxId;
