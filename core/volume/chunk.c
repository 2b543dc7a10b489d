/* Reference-counted block of samples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/chunk.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/volume/samples.h"

#include <stdatomic.h>
#include <string.h>

struct CxChunk {
    atomic_int n_refs;
    CxDtype dtype;
    CxBox box;
    unsigned n_channels;
    size_t n_voxels;
    size_t size_bytes;
    void *data;
};

CxChunk *
cx_chunk_new(CxDtype dtype, CxBox box, unsigned n_channels, GError **error)
{
    CxVoxel size = cx_box_size(box);
    size_t n_voxels, size_bytes;

    g_return_val_if_fail(n_channels > 0, NULL);
    if (!cx_box_n_voxels(box, &n_voxels) ||
        __builtin_mul_overflow(n_voxels, (size_t)n_channels, &size_bytes) ||
        __builtin_mul_overflow(size_bytes, cx_dtype_size_bytes(dtype),
                               &size_bytes)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "a block of %" G_GINT64_FORMAT " x %" G_GINT64_FORMAT
                    " x %" G_GINT64_FORMAT " voxels of %s is too large",
                    size.x, size.y, size.z, cx_dtype_name(dtype));
        return NULL;
    }

    void *data = cx_try_alloc(size_bytes, 1, error);
    if (data == NULL)
        return NULL;

    CxChunk *chunk = g_new(CxChunk, 1);
    *chunk = (CxChunk){
        .dtype = dtype,
        .box = box,
        .n_channels = n_channels,
        .n_voxels = n_voxels,
        .size_bytes = size_bytes,
        .data = data,
    };
    atomic_init(&chunk->n_refs, 1);
    return chunk;
}

CxChunk *
cx_chunk_ref(CxChunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->n_refs, 1, memory_order_relaxed);
    return chunk;
}

void
cx_chunk_unref(CxChunk *chunk)
{
    if (chunk == NULL || atomic_fetch_sub(&chunk->n_refs, 1) != 1)
        return;
    cx_free(chunk->data);
    g_free(chunk);
}

CxDtype
cx_chunk_dtype(const CxChunk *chunk)
{
    return chunk->dtype;
}

CxBox
cx_chunk_box(const CxChunk *chunk)
{
    return chunk->box;
}

unsigned
cx_chunk_n_channels(const CxChunk *chunk)
{
    return chunk->n_channels;
}

size_t
cx_chunk_n_voxels(const CxChunk *chunk)
{
    return chunk->n_voxels;
}

size_t
cx_chunk_size_bytes(const CxChunk *chunk)
{
    return chunk->size_bytes;
}

const void *
cx_chunk_data(const CxChunk *chunk)
{
    return chunk->data;
}

void *
cx_chunk_data_mut(CxChunk *chunk)
{
    return chunk->data;
}

static size_t
channel_bytes(const CxChunk *chunk)
{
    return chunk->n_voxels * cx_dtype_size_bytes(chunk->dtype);
}

const void *
cx_chunk_channel(const CxChunk *chunk, unsigned channel)
{
    g_return_val_if_fail(channel < chunk->n_channels, NULL);
    return (const uint8_t *)chunk->data + channel * channel_bytes(chunk);
}

uint64_t
cx_chunk_label_at(const CxChunk *chunk, CxVoxel voxel)
{
    g_return_val_if_fail(cx_box_contains(chunk->box, voxel), 0);
    size_t i = cx_box_offset(chunk->box, voxel);

    switch (chunk->dtype) {
    case CX_DTYPE_U8:
        return ((const uint8_t *)chunk->data)[i];
    case CX_DTYPE_U16:
        return ((const uint16_t *)chunk->data)[i];
    case CX_DTYPE_U32:
        return ((const uint32_t *)chunk->data)[i];
    case CX_DTYPE_U64:
        return ((const uint64_t *)chunk->data)[i];
    case CX_DTYPE_I8:
        return (uint64_t)((const int8_t *)chunk->data)[i];
    case CX_DTYPE_I16:
        return (uint64_t)((const int16_t *)chunk->data)[i];
    case CX_DTYPE_I32:
        return (uint64_t)((const int32_t *)chunk->data)[i];
    case CX_DTYPE_I64:
        return (uint64_t)((const int64_t *)chunk->data)[i];
    case CX_DTYPE_F32:
    case CX_DTYPE_F64:
        break;
    }
    g_return_val_if_reached(0);
}

void
cx_chunk_copy_overlap(CxChunk *dst, const CxChunk *src)
{
    g_return_if_fail(dst->dtype == src->dtype &&
                     dst->n_channels == src->n_channels);
    CxBox common = cx_box_intersect(dst->box, src->box);
    size_t sample = cx_dtype_size_bytes(dst->dtype);

    if (cx_box_is_empty(common))
        return;

    size_t row = (size_t)(common.hi.x - common.lo.x) * sample;
    for (unsigned c = 0; c < dst->n_channels; c++) {
        uint8_t *to = (uint8_t *)dst->data + c * channel_bytes(dst);
        const uint8_t *from =
            (const uint8_t *)src->data + c * channel_bytes(src);

        for (int64_t z = common.lo.z; z < common.hi.z; z++) {
            for (int64_t y = common.lo.y; y < common.hi.y; y++) {
                CxVoxel at = {common.lo.x, y, z};

                memcpy(to + cx_box_offset(dst->box, at) * sample,
                       from + cx_box_offset(src->box, at) * sample, row);
            }
        }
    }
}

CxChunk *
cx_chunk_to_u64(CxChunk *chunk, GError **error)
{
    if (chunk->dtype == CX_DTYPE_U64)
        return cx_chunk_ref(chunk);
    if (!cx_dtype_is_integer(chunk->dtype)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "samples are %s, expected an integer type for labels",
                    cx_dtype_name(chunk->dtype));
        return NULL;
    }

    g_autoptr(CxChunk) wide =
        cx_chunk_new(CX_DTYPE_U64, chunk->box, chunk->n_channels, error);
    if (wide == NULL)
        return NULL;
    if (!cx_samples_to_u64(wide->data, chunk->data, chunk->dtype,
                           chunk->n_voxels * chunk->n_channels)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s samples hold negative numbers, expected labels of 0 "
                    "and above",
                    cx_dtype_name(chunk->dtype));
        return NULL;
    }
    return g_steal_pointer(&wide);
}

CxChunk *
cx_chunk_convert(CxChunk *chunk, CxDtype dtype, GError **error)
{
    if (chunk->dtype == dtype)
        return cx_chunk_ref(chunk);

    g_autoptr(CxChunk) result =
        cx_chunk_new(dtype, chunk->box, chunk->n_channels, error);
    if (result == NULL)
        return NULL;
    if (cx_samples_convert(result->data, dtype, chunk->data, chunk->dtype,
                           chunk->n_voxels * chunk->n_channels))
        return g_steal_pointer(&result);
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s samples hold numbers that do not fit into %s",
                cx_dtype_name(chunk->dtype), cx_dtype_name(dtype));
    return NULL;
}

CxChunk *
cx_chunk_move(CxChunk *chunk, CxVoxel by, GError **error)
{
    CxBox box = chunk->box;

    if (by.x == 0 && by.y == 0 && by.z == 0)
        return cx_chunk_ref(chunk);
    box.lo = (CxVoxel){box.lo.x + by.x, box.lo.y + by.y, box.lo.z + by.z};
    box.hi = (CxVoxel){box.hi.x + by.x, box.hi.y + by.y, box.hi.z + by.z};

    CxChunk *moved = cx_chunk_new(chunk->dtype, box, chunk->n_channels, error);
    if (moved != NULL)
        memcpy(moved->data, chunk->data, chunk->size_bytes);
    return moved;
}
