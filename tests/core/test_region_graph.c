/* The region graph: NeuroProof's golden, a naive twin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/hash64.h"
#include "core/segmentation/fragments.h"
#include "core/segmentation/region_graph.h"
#include "core/segmentation/relabel.h"
#include "core/volume/volume.h"
#include "tests/support/check.h"

#include <string.h>

/* The number after the next `"key":` from *at, which moves on. */
static bool
next_number(const char **at, const char *key, uint64_t *value)
{
    const char *found = strstr(*at, key);

    if (found == NULL)
        return false;
    *at = found + strlen(key);
    *at += strspn(*at, "\": ");
    *value = g_ascii_strtoull(*at, NULL, 10);
    return true;
}

static const CxEdge *
find_edge(const CxFragments *graph, CxId a, CxId b)
{
    for (guint i = 0; i < graph->edges->len; i++) {
        const CxEdge *edge = &g_array_index(graph->edges, CxEdge, i);
        if (edge->a == MIN(a, b) && edge->b == MAX(a, b))
            return edge;
    }
    return NULL;
}

static const CxSupervoxel *
find_node(const CxFragments *graph, CxId id)
{
    for (guint i = 0; i < graph->supervoxels->len; i++) {
        const CxSupervoxel *one =
            &g_array_index(graph->supervoxels, CxSupervoxel, i);
        if (one->id == id)
            return one;
    }
    return NULL;
}

/* Every edge and every size that NeuroProof wrote down. */
static void
check_neuroproof(const CxFragments *graph, const char *json)
{
    uint64_t a, b, size_a, size_b;
    unsigned n_edges = 0;

    while (next_number(&json, "node1", &a) && next_number(&json, "node2", &b) &&
           next_number(&json, "size1", &size_a) &&
           next_number(&json, "size2", &size_b)) {
        g_assert_nonnull(find_edge(graph, a, b));
        g_assert_cmpuint(find_node(graph, a)->n_voxels, ==, size_a);
        g_assert_cmpuint(find_node(graph, b)->n_voxels, ==, size_b);
        n_edges++;
    }
    g_assert_cmpuint(n_edges, ==, 618);
}

static void
test_neuroproof(void)
{
    g_autofree char *path =
        cx_test_data_path("golden/neuroproof/samp1_labels_processed.h5");
    g_autofree char *json_path = NULL;
    g_autofree char *json = NULL;
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    json_path =
        cx_test_data_path("golden/neuroproof/samp1_graph_processed.json");
    g_assert_true(g_file_get_contents(json_path, &json, NULL, &error));
    g_autofree char *spec = g_strconcat(path, ":/stack", NULL);
    g_autoptr(CxVolume) volume = cx_volume_open(spec, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) labels = cx_volume_read_labels(
        volume, 0, cx_volume_bounds(volume, 0), NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxFragments) graph = cx_fragments_of_labels(labels, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(graph->supervoxels->len, ==, 164);
    g_assert_cmpuint(graph->edges->len, ==, 618);
    check_neuroproof(graph, json);
}

static CxChunk *
random_labels(CxRng *rng, CxBox box, unsigned n_labels)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    CxId *labels = cx_chunk_data_mut(chunk);
    CxId last = 0;

    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++) {
        if (cx_rng_below(rng, 3) == 0)
            last = cx_rng_below(rng, n_labels) * UINT64_C(0x1000000000000001);
        labels[i] = last;
    }
    return chunk;
}

/* Faces between two labels and the sum of affinities on them, voxel by
 * voxel. */
static uint32_t
naive_contact(const CxId *labels, CxVoxel n, const uint8_t *affinity, CxId a,
              CxId b, uint64_t *sum)
{
    int64_t steps[3] = {1, n.x, n.x * n.y};
    uint32_t faces = 0;

    *sum = 0;
    for (int64_t i = 0; i < n.x * n.y * n.z; i++) {
        bool inside[3] = {i % n.x + 1 < n.x, i / n.x % n.y + 1 < n.y,
                          i / (n.x * n.y) + 1 < n.z};
        for (int axis = 0; axis < 3; axis++) {
            if (!inside[axis])
                continue;
            CxId p = labels[i], q = labels[i + steps[axis]];
            if ((p == a && q == b) || (p == b && q == a)) {
                faces++;
                *sum += affinity[axis * n.x * n.y * n.z + i];
            }
        }
    }
    return faces;
}

static void
check_nodes(const CxFragments *graph, const CxChunk *labels)
{
    CxBox box = cx_chunk_box(labels);
    uint64_t total = 0, foreground = 0;

    for (guint i = 0; i < graph->supervoxels->len; i++) {
        const CxSupervoxel *one =
            &g_array_index(graph->supervoxels, CxSupervoxel, i);
        CxBox bounds = {{INT64_MAX, INT64_MAX, INT64_MAX}, {0, 0, 0}};
        uint64_t n = 0;
        for (int64_t z = box.lo.z; z < box.hi.z; z++)
            for (int64_t y = box.lo.y; y < box.hi.y; y++)
                for (int64_t x = box.lo.x; x < box.hi.x; x++) {
                    CxVoxel at = {x, y, z};
                    if (cx_chunk_label_at(labels, at) != one->id)
                        continue;
                    CxBox voxel = {at, {x + 1, y + 1, z + 1}};
                    bounds = n++ == 0 ? voxel : cx_box_union(bounds, voxel);
                }
        g_assert_cmpuint(n, ==, one->n_voxels);
        g_assert_true(cx_box_equal(bounds, one->box));
        g_assert_cmpuint(cx_chunk_label_at(labels, one->inside), ==, one->id);
        total += n;
    }
    const CxId *ids = cx_chunk_data(labels);
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        foreground += ids[i] != 0;
    g_assert_cmpuint(total, ==, foreground);
}

static void
test_random(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 60; round++) {
        CxVoxel size = {1 + (int64_t)cx_rng_below(&rng, 19),
                        1 + (int64_t)cx_rng_below(&rng, 8),
                        1 + (int64_t)cx_rng_below(&rng, 8)};
        CxVoxel lo = {100, 20, 3};
        CxBox box = {lo, {lo.x + size.x, lo.y + size.y, lo.z + size.z}};
        g_autoptr(CxChunk) labels = random_labels(&rng, box, 6);
        g_autofree uint8_t *zeros =
            g_new0(uint8_t, 3 * cx_chunk_n_voxels(labels) + 1);
        g_autoptr(CxFragments) graph =
            cx_fragments_of_labels(labels, 0.25F, NULL);
        guint seen = 0;

        check_nodes(graph, labels);
        for (guint i = 0; i < graph->supervoxels->len; i++)
            for (guint j = i + 1; j < graph->supervoxels->len; j++) {
                CxId a = g_array_index(graph->supervoxels, CxSupervoxel, i).id;
                CxId b = g_array_index(graph->supervoxels, CxSupervoxel, j).id;
                uint64_t sum;
                uint32_t faces = naive_contact(cx_chunk_data(labels), size,
                                               zeros, a, b, &sum);
                const CxEdge *edge = find_edge(graph, a, b);
                g_assert_cmpuint(edge != NULL ? edge->contacts : 0, ==, faces);
                g_assert_true(edge == NULL || edge->affinity == 0.25F);
                seen += faces > 0;
            }
        g_assert_cmpuint(seen, ==, graph->edges->len);
    }
}

/* Affinity sums, and the same when threads' tables are put together. */
static void
test_affinities(void)
{
    CxRng rng = cx_test_rng();
    CxVoxel size = {17, 9, 8};
    size_t n = 17 * 9 * 8;
    g_autoptr(CxChunk) chunk = random_labels(&rng, cx_box_of_size(size), 5);
    g_autofree uint8_t *affinity = g_new(uint8_t, 3 * n);
    g_autofree uint32_t *labels = g_new(uint32_t, n);
    g_autofree CxId *ids = g_new(CxId, n);

    for (size_t i = 0; i < n; i++) {
        CxId label = ((const CxId *)cx_chunk_data(chunk))[i];
        labels[i] = (uint32_t)(label & 0xff);
        ids[i] = labels[i];
    }
    for (size_t i = 0; i < 3 * n; i++)
        affinity[i] = (uint8_t)cx_rng_below(&rng, 256);
    const uint8_t *planes[3] = {affinity, affinity + n, affinity + 2 * n};
    g_autoptr(CxContacts) contacts = cx_contacts_new();
    g_autoptr(CxContacts) twice = cx_contacts_new();
    cx_contacts_add_block(contacts, labels, size, planes);
    cx_contacts_merge(twice, contacts);
    cx_contacts_merge(twice, contacts);
    g_autoptr(GArray) one = cx_contacts_sorted(contacts);
    g_autoptr(GArray) two = cx_contacts_sorted(twice);
    g_assert_cmpuint(one->len, ==, 6);
    for (guint i = 0; i < one->len; i++) {
        const CxContact *a = &g_array_index(one, CxContact, i);
        const CxContact *b = &g_array_index(two, CxContact, i);
        uint64_t sum;
        uint32_t faces = naive_contact(ids, size, affinity, a->a, a->b, &sum);
        g_assert_cmpuint(a->n_faces, ==, faces);
        g_assert_cmpuint(a->sum, ==, sum);
        g_assert_cmpuint(b->n_faces, ==, 2 * faces);
        g_assert_cmpuint(b->sum, ==, 2 * sum);
    }
}

/* Far pairs count only between labels that share a face. */
static void
test_far(void)
{
    static const uint32_t labels[] = {1, 1, 2, 2, 3, 3};
    static const uint8_t near[] = {9, 10, 9, 20, 9, 9};
    static const uint8_t far[] = {5, 6, 7, 8, 9, 10};
    g_autoptr(CxContacts) contacts = cx_contacts_new();

    cx_contacts_add_row(contacts, labels, labels + 1, near, 5);
    cx_contacts_add_far_row(contacts, labels, labels + 3, far, 3);
    g_autoptr(GArray) sorted = cx_contacts_sorted(contacts);
    g_assert_cmpuint(sorted->len, ==, 2);
    const CxContact *first = &g_array_index(sorted, CxContact, 0);
    const CxContact *second = &g_array_index(sorted, CxContact, 1);
    g_assert_cmpuint(first->sum, ==, 10);
    g_assert_cmpuint(first->n_far, ==, 1);
    g_assert_cmpuint(first->far_sum, ==, 5);
    g_assert_cmpuint(second->sum, ==, 20);
    g_assert_cmpuint(second->n_far, ==, 1);
    g_assert_cmpuint(second->far_sum, ==, 7);
}

static void
test_relabel(void)
{
    CxRng rng = cx_test_rng();
    static const CxId from[] = {
        3,          UINT64_C(0x900000001), 7, UINT64_MAX, UINT64_C(0x9fffffff0),
        UINT32_MAX, UINT64_C(0x7f0000000f)};
    static const CxId to[] = {30, UINT64_MAX, 3, 7, 5, 99, 11};
    static const CxId unknown[] = {
        0, 4, UINT64_C(0x900000002), 1000000, UINT64_C(0x7f00000010), 1};
    CxId in[2000], out[2000];

    for (int i = 0; i < 2000; i++) {
        uint64_t k = cx_rng_below(&rng, 13);
        bool again = i > 0 && cx_rng_below(&rng, 4) != 0;
        in[i] = again ? in[i - 1] : k < 7 ? from[k] : unknown[k - 7];
    }
    g_autoptr(CxRelabel) relabel = cx_relabel_new(from, to, 7);
    cx_relabel_apply(relabel, in, out, 2000);
    for (int i = 0; i < 2000; i++) {
        CxId expected = 0;
        for (int k = 0; k < 7; k++)
            expected = in[i] == from[k] ? to[k] : expected;
        g_assert_cmpuint(out[i], ==, expected);
    }
    cx_relabel_apply(relabel, in, in, 2000);
    g_assert_cmpmem(in, sizeof(in), out, sizeof(out));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/region_graph/neuroproof", test_neuroproof);
    g_test_add_func("/region_graph/random", test_random);
    g_test_add_func("/region_graph/affinities", test_affinities);
    g_test_add_func("/region_graph/far", test_far);
    g_test_add_func("/region_graph/relabel", test_relabel);
    return g_test_run();
}
