/* Names and sizes of sample types.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

size_t cx_dtype_size_bytes(CxDtype dtype);
bool cx_dtype_is_integer(CxDtype dtype);

/* "uint8", "float32", … as numpy names them; never NULL. */
const char *cx_dtype_name(CxDtype dtype);

/* Inverse of cx_dtype_name(); also takes "u8", "f32", ….  False if unknown. */
bool cx_dtype_from_name(const char *name, CxDtype *dtype);
