/* Names and sizes of sample types.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/dtype.h"

#include <glib.h>

static const struct {
    const char *name;
    const char *alias;
    size_t size_bytes;
} table[] = {
    [CX_DTYPE_U8] = {"uint8", "u8", 1},
    [CX_DTYPE_U16] = {"uint16", "u16", 2},
    [CX_DTYPE_U32] = {"uint32", "u32", 4},
    [CX_DTYPE_U64] = {"uint64", "u64", 8},
    [CX_DTYPE_I8] = {"int8", "i8", 1},
    [CX_DTYPE_I16] = {"int16", "i16", 2},
    [CX_DTYPE_I32] = {"int32", "i32", 4},
    [CX_DTYPE_I64] = {"int64", "i64", 8},
    [CX_DTYPE_F32] = {"float32", "f32", 4},
    [CX_DTYPE_F64] = {"float64", "f64", 8},
};

size_t
cx_dtype_size_bytes(CxDtype dtype)
{
    return table[dtype].size_bytes;
}

bool
cx_dtype_is_integer(CxDtype dtype)
{
    return dtype != CX_DTYPE_F32 && dtype != CX_DTYPE_F64;
}

const char *
cx_dtype_name(CxDtype dtype)
{
    return table[dtype].name;
}

bool
cx_dtype_from_name(const char *name, CxDtype *dtype)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_str_equal(name, table[i].name) ||
            g_str_equal(name, table[i].alias)) {
            *dtype = (CxDtype)i;
            return true;
        }
    }
    return false;
}
