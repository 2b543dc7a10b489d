/* Labels and graph parts as the bytes that the project file stores.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/store_codec.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"

#include <string.h>
#include <zstd.h>

/* The columns are copied as they lie in memory. */
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

/* Label chunks shrink about a hundredfold at any level; level 1 keeps storing
 * a block far cheaper than segmenting it. */
#define LEVEL 1

static GBytes *
compress(const void *data, size_t n_bytes, GError **error)
{
    size_t bound = ZSTD_compressBound(n_bytes);
    CX_AUTOFREE uint8_t *out = cx_try_alloc(bound, 1, error);

    if (out == NULL)
        return NULL;
    size_t n = ZSTD_compress(out, bound, data, n_bytes, LEVEL);

    if (ZSTD_isError(n)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "cannot compress %" G_GSIZE_FORMAT " bytes: %s", n_bytes,
                    ZSTD_getErrorName(n));
        return NULL;
    }
    return g_bytes_new(out, n);
}

/* The stored size is checked before anything is allocated: at most
 * max_bytes, which the caller knows from the number of records. */
static void *
decompress(const void *data, size_t n_bytes, size_t min_bytes, size_t max_bytes,
           size_t *size, GError **error)
{
    uint64_t stored = ZSTD_getFrameContentSize(data, n_bytes);

    if (stored == ZSTD_CONTENTSIZE_UNKNOWN ||
        stored == ZSTD_CONTENTSIZE_ERROR || stored < min_bytes ||
        stored > max_bytes) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "stored data do not unpack to %" G_GSIZE_FORMAT
                    " … %" G_GSIZE_FORMAT " bytes",
                    min_bytes, max_bytes);
        return NULL;
    }
    CX_AUTOFREE void *out = cx_try_alloc((size_t)stored, 1, error);

    if (out == NULL)
        return NULL;
    *size = ZSTD_decompress(out, (size_t)stored, data, n_bytes);
    if (ZSTD_isError(*size) || *size != stored) {
        g_set_error(
            error, CX_ERROR, CX_ERROR_FORMAT, "stored data are damaged: %s",
            ZSTD_isError(*size) ? ZSTD_getErrorName(*size) : "too short");
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* Labels. */

typedef struct {
    uint32_t n_ids;
    uint32_t width; /* bytes an index */
} LabelHeader;

/* Fills index[] and the table of ids in order of appearance. */
static void
index_labels(const CxId *labels, size_t n, uint32_t *index, GArray *ids)
{
    g_autoptr(CxHash64) seen = cx_hash64_new(64);
    CxId last = 0;
    uint32_t last_index = UINT32_MAX, zero_index = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        if (last_index == UINT32_MAX || labels[i] != last) {
            bool was_new = false;

            last = labels[i];
            if (last == 0) {
                was_new = zero_index == UINT32_MAX;
                zero_index = was_new ? ids->len : zero_index;
                last_index = zero_index;
            } else {
                last_index =
                    (uint32_t)*cx_hash64_at(seen, last, ids->len, &was_new);
            }
            if (was_new)
                g_array_append_val(ids, last);
        }
        index[i] = last_index;
    }
}

static void
narrow(const uint32_t *index, size_t n, uint32_t width, uint8_t *out)
{
    if (width == 1) {
        for (size_t i = 0; i < n; i++)
            out[i] = (uint8_t)index[i];
    } else if (width == 2) {
        for (size_t i = 0; i < n; i++) {
            uint16_t value = (uint16_t)index[i];

            memcpy(out + 2 * i, &value, sizeof value);
        }
    } else if (width == 4) {
        memcpy(out, index, n * sizeof *index);
    }
}

GBytes *
cx_store_encode_labels(const CxId *labels, size_t n, GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    CX_AUTOFREE uint32_t *index = cx_try_alloc(n, sizeof *index, error);

    if (index == NULL)
        return NULL;
    index_labels(labels, n, index, ids);

    LabelHeader header = {.n_ids = ids->len,
                          .width = ids->len <= 1         ? 0
                                   : ids->len <= 1 << 8  ? 1
                                   : ids->len <= 1 << 16 ? 2
                                                         : 4};
    size_t ids_size = ids->len * sizeof(CxId);
    size_t size = sizeof header + ids_size + n * header.width;
    CX_AUTOFREE uint8_t *raw = cx_try_alloc(size, 1, error);

    if (raw == NULL)
        return NULL;
    memcpy(raw, &header, sizeof header);
    memcpy(raw + sizeof header, ids->data, ids_size);
    narrow(index, n, header.width, raw + sizeof header + ids_size);
    return compress(raw, size, error);
}

static uint32_t
index_at(const uint8_t *in, size_t i, uint32_t width)
{
    uint32_t wide = 0;

    memcpy(&wide, in + i * width, width);
    return wide;
}

static bool
expand(const LabelHeader *header, const CxId *ids, const uint8_t *in,
       CxId *labels, size_t n)
{
    switch (header->width) {
    case 0:
        for (size_t i = 0; i < n; i++)
            labels[i] = ids[0];
        return true;
    case 1:
        for (size_t i = 0; i < n; i++) {
            if (in[i] >= header->n_ids)
                return false;
            labels[i] = ids[in[i]];
        }
        return true;
    case 2:
    case 4:
        for (size_t i = 0; i < n; i++) {
            uint32_t k = index_at(in, i, header->width);

            if (k >= header->n_ids)
                return false;
            labels[i] = ids[k];
        }
        return true;
    default:
        return false;
    }
}

bool
cx_store_decode_labels(const void *data, size_t n_bytes, CxId *labels, size_t n,
                       GError **error)
{
    LabelHeader header;
    size_t size, largest = sizeof header + n * (sizeof(CxId) + 4);
    CX_AUTOFREE uint8_t *raw =
        decompress(data, n_bytes, sizeof header, largest, &size, error);

    if (raw == NULL)
        return false;
    memcpy(&header, raw, sizeof header);

    bool fits =
        header.n_ids > 0 && header.n_ids <= n && header.width <= 4 &&
        size == sizeof header + header.n_ids * sizeof(CxId) + n * header.width;

    /* raw is aligned to 64 and the header takes 8 bytes. */
    const CxId *ids = (const CxId *)(const void *)(raw + sizeof header);

    if (!fits || !expand(&header, ids, (const uint8_t *)(ids + header.n_ids),
                         labels, n)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "the stored labels are damaged (%u ids, %u bytes a voxel, "
                    "%" G_GSIZE_FORMAT " bytes)",
                    header.n_ids, header.width, size);
        return false;
    }
    return true;
}

/* Graph parts.  A supervoxel is 11 columns of 8 bytes. */

#define SUPERVOXEL_COLUMNS 11

static void
supervoxel_to_row(const CxSupervoxel *s, uint64_t row[SUPERVOXEL_COLUMNS])
{
    const CxVoxel *v[3] = {&s->box.lo, &s->box.hi, &s->inside};

    row[0] = s->id;
    row[1] = s->n_voxels;
    for (unsigned i = 0; i < 3; i++) {
        row[2 + 3 * i] = (uint64_t)v[i]->x;
        row[3 + 3 * i] = (uint64_t)v[i]->y;
        row[4 + 3 * i] = (uint64_t)v[i]->z;
    }
}

static CxVoxel
voxel_of(const uint64_t *row)
{
    return (CxVoxel){(int64_t)row[0], (int64_t)row[1], (int64_t)row[2]};
}

static CxSupervoxel
supervoxel_of_row(const uint64_t row[SUPERVOXEL_COLUMNS])
{
    return (CxSupervoxel){
        .id = row[0],
        .n_voxels = row[1],
        .box = {voxel_of(row + 2), voxel_of(row + 5)},
        .inside = voxel_of(row + 8),
    };
}

GBytes *
cx_store_encode_supervoxels(const GArray *supervoxels, GError **error)
{
    size_t n = supervoxels->len;
    CX_AUTOFREE uint64_t *raw =
        cx_try_alloc(n, SUPERVOXEL_COLUMNS * sizeof(uint64_t), error);

    if (raw == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        uint64_t row[SUPERVOXEL_COLUMNS];

        supervoxel_to_row(&g_array_index(supervoxels, CxSupervoxel, i), row);
        for (size_t k = 0; k < SUPERVOXEL_COLUMNS; k++)
            raw[k * n + i] = row[k];
    }
    return compress(raw, n * SUPERVOXEL_COLUMNS * sizeof(uint64_t), error);
}

/* Unpacks n records of a fixed size. */
static void *
unpack(const void *data, size_t n_bytes, size_t n, size_t record_size,
       GError **error)
{
    size_t size;

    if (n > SIZE_MAX / record_size) {
        g_set_error(
            error, CX_ERROR, CX_ERROR_FORMAT,
            "a stored part of the graph claims %" G_GSIZE_FORMAT " records", n);
        return NULL;
    }
    return decompress(data, n_bytes, n * record_size, n * record_size, &size,
                      error);
}

bool
cx_store_decode_supervoxels(const void *data, size_t n_bytes, size_t n,
                            GArray *supervoxels, GError **error)
{
    CX_AUTOFREE uint64_t *raw =
        unpack(data, n_bytes, n, SUPERVOXEL_COLUMNS * sizeof(uint64_t), error);

    for (size_t i = 0; raw != NULL && i < n; i++) {
        uint64_t row[SUPERVOXEL_COLUMNS];

        for (size_t k = 0; k < SUPERVOXEL_COLUMNS; k++)
            row[k] = raw[k * n + i];
        CxSupervoxel supervoxel = supervoxel_of_row(row);

        g_array_append_val(supervoxels, supervoxel);
    }
    return raw != NULL;
}

/* Columns a, b, affinity, contacts: 24 bytes an edge, as in memory. */
GBytes *
cx_store_encode_edges(const GArray *edges, GError **error)
{
    size_t n = edges->len;
    CX_AUTOFREE uint64_t *ends = cx_try_alloc(n, sizeof(CxEdge), error);

    if (ends == NULL)
        return NULL;
    float *affinity = (float *)(ends + 2 * n);
    uint32_t *contacts = (uint32_t *)(affinity + n);

    for (size_t i = 0; i < n; i++) {
        const CxEdge *edge = &g_array_index(edges, CxEdge, i);

        ends[i] = edge->a;
        ends[n + i] = edge->b;
        affinity[i] = edge->affinity;
        contacts[i] = edge->contacts;
    }
    return compress(ends, n * sizeof(CxEdge), error);
}

bool
cx_store_decode_edges(const void *data, size_t n_bytes, size_t n, GArray *edges,
                      GError **error)
{
    CX_AUTOFREE uint64_t *ends =
        unpack(data, n_bytes, n, sizeof(CxEdge), error);

    if (ends == NULL)
        return false;
    const float *affinity = (const float *)(ends + 2 * n);
    const uint32_t *contacts = (const uint32_t *)(affinity + n);

    for (size_t i = 0; i < n; i++) {
        CxEdge edge = {ends[i], ends[n + i], affinity[i], contacts[i]};

        g_array_append_val(edges, edge);
    }
    return true;
}

GBytes *
cx_store_encode_ids(const CxId *ids, size_t n, GError **error)
{
    return compress(ids, n * sizeof *ids, error);
}

bool
cx_store_decode_ids(const void *data, size_t n_bytes, size_t n, GArray *ids,
                    GError **error)
{
    CX_AUTOFREE CxId *raw = unpack(data, n_bytes, n, sizeof *raw, error);

    if (raw == NULL)
        return false;
    g_array_append_vals(ids, raw, (guint)n);
    return true;
}

/* Anything. */

#define MAX_UNPACKED ((size_t)1 << 30)

GBytes *
cx_store_pack(const void *data, size_t n_bytes, GError **error)
{
    return compress(data, n_bytes, error);
}

GBytes *
cx_store_unpack(const void *data, size_t n_bytes, GError **error)
{
    size_t size;
    void *raw = decompress(data, n_bytes, 0, MAX_UNPACKED, &size, error);

    return raw != NULL ? g_bytes_new_with_free_func(raw, size, cx_free, raw)
                       : NULL;
}
