/* Supervoxels and region graph of a block.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/fragments.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/segmentation/region_graph.h"

#include <stdlib.h>

void
cx_fragments_free(CxFragments *fragments)
{
    if (fragments == NULL)
        return;
    g_clear_pointer(&fragments->labels, cx_chunk_unref);
    g_clear_pointer(&fragments->supervoxels, g_array_unref);
    g_clear_pointer(&fragments->edges, g_array_unref);
    g_free(fragments);
}

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return x < y ? -1 : x > y;
}

/* The different non-zero labels, sorted: index + 1 is the dense label. */
static GArray *
list_ids(const CxId *labels, size_t n)
{
    g_autoptr(CxHash64) seen = cx_hash64_new(1024);
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    CxId last = 0;

    for (size_t i = 0; i < n; i++) {
        if (labels[i] == last || labels[i] == 0)
            continue;
        bool was_new = false;
        last = labels[i];
        cx_hash64_at(seen, last, 0, &was_new);
        if (was_new)
            g_array_append_val(ids, last);
    }
    if (ids->len > 1)
        qsort(ids->data, ids->len, sizeof(CxId), compare_ids);
    return ids;
}

static void
make_dense(const CxId *labels, size_t n, const GArray *ids, uint32_t *dense)
{
    g_autoptr(CxHash64) index = cx_hash64_new(ids->len);
    CxId last = 0;
    uint64_t value = 0;

    for (guint i = 0; i < ids->len; i++)
        cx_hash64_set(index, g_array_index(ids, CxId, i), i + 1);
    for (size_t i = 0; i < n; i++) {
        if (labels[i] != last) {
            last = labels[i];
            value = 0;
            if (last != 0)
                cx_hash64_get(index, last, &value);
        }
        dense[i] = (uint32_t)value;
    }
}

static void
fill(CxFragments *out, const uint32_t *dense, const GArray *ids, float affinity)
{
    CxBox box = cx_chunk_box(out->labels);
    const uint8_t *const none[3] = {NULL, NULL, NULL};
    g_autoptr(CxContacts) contacts = cx_contacts_new();

    cx_contacts_add_block(contacts, dense, cx_box_size(box), none);
    g_autoptr(GArray) sorted = cx_contacts_sorted(contacts);
    g_array_set_size(out->supervoxels, ids->len);
    if (ids->len > 0)
        cx_supervoxels_measure(dense, box, ids->len,
                               (CxSupervoxel *)(void *)out->supervoxels->data);
    for (guint i = 0; i < ids->len; i++)
        g_array_index(out->supervoxels, CxSupervoxel, i).id =
            g_array_index(ids, CxId, i);
    for (guint i = 0; i < sorted->len; i++) {
        const CxContact *contact = &g_array_index(sorted, CxContact, i);
        CxEdge edge = {g_array_index(ids, CxId, contact->a - 1),
                       g_array_index(ids, CxId, contact->b - 1), affinity,
                       contact->n_faces};
        g_array_append_val(out->edges, edge);
    }
}

CxFragments *
cx_fragments_of_labels(CxChunk *labels, float affinity, GError **error)
{
    size_t n = cx_chunk_n_voxels(labels);
    const CxId *ids = cx_chunk_data(labels);

    g_assert(cx_chunk_dtype(labels) == CX_DTYPE_U64);
    CX_AUTOFREE uint32_t *dense = cx_try_alloc(n, sizeof(uint32_t), error);
    if (dense == NULL)
        return NULL;
    g_autoptr(GArray) list = list_ids(ids, n);
    if (list->len == UINT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "more than %u labels in one block", UINT32_MAX - 1);
        return NULL;
    }
    make_dense(ids, n, list, dense);

    CxFragments *out = g_new0(CxFragments, 1);
    out->labels = cx_chunk_ref(labels);
    out->supervoxels = g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    out->edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    fill(out, dense, list, affinity);
    return out;
}
