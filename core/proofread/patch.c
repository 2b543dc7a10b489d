/* What an edit of voxels changes in the graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/patch.h"

#include "core/base/error.h"
#include "core/proofread/store_codec.h"

#include <stdlib.h>
#include <string.h>

/* As stored: the structs lie in memory without gaps. */
typedef struct {
    CxBox box;
    uint32_t n_nodes[2], n_edges[2];
} Header;

G_STATIC_ASSERT(sizeof(Header) == 64);
G_STATIC_ASSERT(sizeof(CxPatchNode) == 96);
G_STATIC_ASSERT(sizeof(CxEdge) == 24);

CxPatch *
cx_patch_new(CxBox box)
{
    CxPatch *patch = g_new0(CxPatch, 1);

    patch->box = box;
    for (int side = 0; side < 2; side++) {
        patch->nodes[side] = g_array_new(FALSE, FALSE, sizeof(CxPatchNode));
        patch->edges[side] = g_array_new(FALSE, FALSE, sizeof(CxEdge));
    }
    return patch;
}

void
cx_patch_free(CxPatch *patch)
{
    if (patch == NULL)
        return;
    for (int side = 0; side < 2; side++) {
        g_array_unref(patch->nodes[side]);
        g_array_unref(patch->edges[side]);
    }
    g_free(patch);
}

static int
compare_nodes(const void *a, const void *b)
{
    CxId left = ((const CxPatchNode *)a)->supervoxel.id;
    CxId right = ((const CxPatchNode *)b)->supervoxel.id;

    return left < right ? -1 : left > right;
}

static int
compare_edges(const void *a, const void *b)
{
    const CxEdge *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

void
cx_patch_sort(CxPatch *patch)
{
    for (int side = 0; side < 2; side++) {
        g_array_sort(patch->nodes[side], compare_nodes);
        g_array_sort(patch->edges[side], compare_edges);
    }
}

const CxPatchNode *
cx_patch_find(const CxPatch *patch, CxPatchSide side, CxId supervoxel)
{
    CxPatchNode wanted = {.supervoxel.id = supervoxel};
    const GArray *nodes = patch->nodes[side];

    return nodes->len > 0 ? bsearch(&wanted, nodes->data, nodes->len,
                                    sizeof wanted, compare_nodes)
                          : NULL;
}

const CxEdge *
cx_patch_find_edge(const CxPatch *patch, CxPatchSide side, CxId a, CxId b)
{
    CxEdge wanted = {a, b, 0, 0};
    const GArray *edges = patch->edges[side];

    return edges->len > 0 ? bsearch(&wanted, edges->data, edges->len,
                                    sizeof wanted, compare_edges)
                          : NULL;
}

GBytes *
cx_patch_encode(const CxPatch *patch, GError **error)
{
    g_autoptr(GByteArray) raw = g_byte_array_new();
    Header header = {.box = patch->box};

    for (int side = 0; side < 2; side++) {
        header.n_nodes[side] = patch->nodes[side]->len;
        header.n_edges[side] = patch->edges[side]->len;
    }
    g_byte_array_append(raw, (const uint8_t *)&header, sizeof header);
    for (int side = 0; side < 2; side++) {
        const GArray *nodes = patch->nodes[side], *edges = patch->edges[side];

        g_byte_array_append(raw, (const uint8_t *)nodes->data,
                            nodes->len * (guint)sizeof(CxPatchNode));
        g_byte_array_append(raw, (const uint8_t *)edges->data,
                            edges->len * (guint)sizeof(CxEdge));
    }
    return cx_store_pack(raw->data, raw->len, error);
}

/* Sorted, each once, no id 0, boxes that hold something. */
static bool
is_sound(const CxPatch *patch)
{
    for (int side = 0; side < 2; side++) {
        const GArray *nodes = patch->nodes[side], *edges = patch->edges[side];

        for (guint i = 0; i < nodes->len; i++) {
            const CxPatchNode *node = &g_array_index(nodes, CxPatchNode, i);

            if (node->supervoxel.id == 0 || node->segment == 0 ||
                node->supervoxel.n_voxels == 0 ||
                cx_box_is_empty(node->supervoxel.box) ||
                (i > 0 && compare_nodes(node - 1, node) >= 0))
                return false;
        }
        for (guint i = 0; i < edges->len; i++) {
            const CxEdge *edge = &g_array_index(edges, CxEdge, i);

            if (edge->a == 0 || edge->a >= edge->b ||
                !(edge->affinity >= 0 && edge->affinity <= 1) ||
                (i > 0 && compare_edges(edge - 1, edge) >= 0))
                return false;
        }
    }
    return !cx_box_is_empty(patch->box);
}

static bool
fill(CxPatch *patch, const uint8_t *raw, size_t size)
{
    Header header;

    if (size < sizeof header)
        return false;
    memcpy(&header, raw, sizeof header);
    uint64_t n_nodes = (uint64_t)header.n_nodes[0] + header.n_nodes[1];
    uint64_t n_edges = (uint64_t)header.n_edges[0] + header.n_edges[1];

    if (sizeof header + n_nodes * sizeof(CxPatchNode) +
            n_edges * sizeof(CxEdge) !=
        size)
        return false;
    raw += sizeof header;
    patch->box = header.box;
    for (int side = 0; side < 2; side++) {
        g_array_append_vals(patch->nodes[side], raw, header.n_nodes[side]);
        raw += header.n_nodes[side] * sizeof(CxPatchNode);
        g_array_append_vals(patch->edges[side], raw, header.n_edges[side]);
        raw += header.n_edges[side] * sizeof(CxEdge);
    }
    return is_sound(patch);
}

CxPatch *
cx_patch_decode(const void *data, size_t n_bytes, GError **error)
{
    g_autoptr(GBytes) bytes = cx_store_unpack(data, n_bytes, error);

    if (bytes == NULL)
        return NULL;
    CxBox none = {{0, 0, 0}, {0, 0, 0}};
    g_autoptr(CxPatch) patch = cx_patch_new(none);
    gsize size;
    const uint8_t *raw = g_bytes_get_data(bytes, &size);

    if (fill(patch, raw, size))
        return g_steal_pointer(&patch);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "the record of changed supervoxels is damaged");
    return NULL;
}
