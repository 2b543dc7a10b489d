/* Labels and graph parts as the bytes that the project file stores.
 *
 * Labels: the ids that occur (u64 each), then one index a voxel of 0, 1, 2 or
 * 4 bytes.  Graph parts: column after column.  Both little-endian, zstd.  The
 * decoders trust nothing: wrong sizes and counts are CX_ERROR_FORMAT.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/fragments.h"

/* n > 0 labels.  NULL with CX_ERROR_NO_MEMORY. */
GBytes *cx_store_encode_labels(const CxId *labels, size_t n, GError **error);
bool cx_store_decode_labels(const void *data, size_t n_bytes, CxId *labels,
                            size_t n, GError **error);

GBytes *cx_store_encode_supervoxels(const GArray *supervoxels, GError **error);
GBytes *cx_store_encode_edges(const GArray *edges, GError **error);
GBytes *cx_store_encode_ids(const CxId *ids, size_t n, GError **error);

/* n as stored beside the bytes.  Appends to the array. */
bool cx_store_decode_supervoxels(const void *data, size_t n_bytes, size_t n,
                                 GArray *supervoxels, GError **error);
bool cx_store_decode_edges(const void *data, size_t n_bytes, size_t n,
                           GArray *edges, GError **error);
bool cx_store_decode_ids(const void *data, size_t n_bytes, size_t n,
                         GArray *ids, GError **error);

/* Any bytes, zstd and back; at most 1 GiB unpacked. */
GBytes *cx_store_pack(const void *data, size_t n_bytes, GError **error);
GBytes *cx_store_unpack(const void *data, size_t n_bytes, GError **error);
