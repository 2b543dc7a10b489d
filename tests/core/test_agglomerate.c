/* Agglomeration against a naive twin that looks at all pairs at each merge.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/segmentation/agglomerate.h"
#include "tests/support/check.h"

#include <math.h>

typedef struct {
    unsigned n;
    GArray *supervoxels, *edges;
    CxId *units;
} Problem;

static void
problem_clear(Problem *p)
{
    g_array_unref(p->supervoxels);
    g_array_unref(p->edges);
    g_free(p->units);
}

static CxId
id_of(unsigned i)
{
    return ((CxId)(1 + i % 3) << 32) + 5 + i / 3;
}

/* Affinities in steps, so that there are many ties. */
static Problem
random_problem(CxRng *rng, unsigned n, unsigned n_edges)
{
    Problem p = {n, g_array_new(FALSE, TRUE, sizeof(CxSupervoxel)),
                 g_array_new(FALSE, TRUE, sizeof(CxEdge)), g_new0(CxId, n)};

    for (unsigned i = 0; i < n; i++) {
        CxSupervoxel one = {.id = id_of(i),
                            .n_voxels = 1 + cx_rng_below(rng, 100)};
        g_array_append_val(p.supervoxels, one);
    }
    for (unsigned e = 0; e < n_edges; e++) {
        CxId a = id_of((unsigned)cx_rng_below(rng, n));
        CxId b = id_of((unsigned)cx_rng_below(rng, n));
        if (a == b)
            continue;
        CxEdge edge = {MIN(a, b), MAX(a, b), (float)cx_rng_below(rng, 11) / 10,
                       (uint32_t)cx_rng_below(rng, 20)};
        g_array_append_val(p.edges, edge);
    }
    for (unsigned i = 0; i < n; i++) {
        if (cx_rng_below(rng, 4) == 0)
            p.units[i] = 1000 + cx_rng_below(rng, 3);
    }
    return p;
}

/* --- the twin: clusters by name, pooled pairs in a dense matrix ----------- */

typedef struct {
    unsigned n;
    CxId *ids; /* sorted */
    uint64_t *sizes;
    unsigned *cluster;
    uint64_t *sum, *faces; /* n × n, between supervoxels */
} Twin;

static int
compare_ids(const void *a, const void *b)
{
    CxId x = *(const CxId *)a, y = *(const CxId *)b;

    return x < y ? -1 : x > y;
}

static unsigned
index_of(const Twin *t, CxId id)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (t->ids[i] == id)
            return i;
    }
    g_assert_not_reached();
}

static Twin
twin_new(const Problem *p)
{
    Twin t = {p->n,
              g_new(CxId, p->n),
              g_new0(uint64_t, p->n),
              g_new(unsigned, p->n),
              g_new0(uint64_t, p->n * p->n),
              g_new0(uint64_t, p->n * p->n)};

    for (unsigned i = 0; i < p->n; i++) {
        t.ids[i] = id_of(i);
        t.cluster[i] = i;
    }
    qsort(t.ids, t.n, sizeof(CxId), compare_ids);
    for (unsigned i = 0; i < p->n; i++)
        t.sizes[index_of(&t, id_of(i))] =
            g_array_index(p->supervoxels, CxSupervoxel, i).n_voxels;
    for (guint e = 0; e < p->edges->len; e++) {
        const CxEdge *edge = &g_array_index(p->edges, CxEdge, e);
        unsigned a = index_of(&t, edge->a), b = index_of(&t, edge->b);
        t.sum[a * t.n + b] +=
            (uint64_t)llround(edge->affinity * 67108864.0) * edge->contacts;
        t.faces[a * t.n + b] += edge->contacts;
    }
    return t;
}

static void
twin_free(Twin *t)
{
    g_free(t->ids);
    g_free(t->sizes);
    g_free(t->cluster);
    g_free(t->sum);
    g_free(t->faces);
}

static void
twin_join(Twin *t, unsigned a, unsigned b)
{
    unsigned ca = t->cluster[a], cb = t->cluster[b];

    for (unsigned i = 0; i < t->n; i++) {
        if (t->cluster[i] == MAX(ca, cb))
            t->cluster[i] = MIN(ca, cb);
    }
}

static uint64_t
twin_size(const Twin *t, unsigned cluster)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < t->n; i++)
        size += t->cluster[i] == cluster ? t->sizes[i] : 0;
    return size;
}

typedef struct {
    float score;
    unsigned a, b; /* clusters; the first original edge breaks ties */
    unsigned first;
} Best;

/* The mean over all faces between two clusters. */
static bool
twin_score(const Twin *t, unsigned a, unsigned b, float *score, unsigned *first)
{
    uint64_t sum = 0, faces = 0;

    *first = UINT_MAX;
    for (unsigned i = 0; i < t->n; i++)
        for (unsigned j = 0; j < t->n; j++) {
            bool between = (t->cluster[i] == a && t->cluster[j] == b) ||
                           (t->cluster[i] == b && t->cluster[j] == a);
            if (!between || t->faces[i * t->n + j] == 0)
                continue;
            sum += t->sum[i * t->n + j];
            faces += t->faces[i * t->n + j];
            *first = MIN(*first, i * t->n + j);
        }
    *score =
        faces > 0 ? (float)((double)sum / ((double)faces * 67108864.0)) : -1;
    return faces > 0;
}

static bool
allowed(const Twin *t, const CxAgglomerateOptions *o, bool dust, unsigned a,
        unsigned b, float score)
{
    uint64_t smaller = MIN(twin_size(t, a), twin_size(t, b));

    if (dust)
        return smaller < o->dust_voxels;
    return o->large_voxels == 0 || smaller <= o->large_voxels ||
           score >= (float)o->large_threshold;
}

static void
twin_merge(Twin *t, const CxAgglomerateOptions *o, bool dust, float lowest,
           GArray *tree)
{
    for (;;) {
        Best best = {-1, 0, 0, 0};
        for (unsigned a = 0; a < t->n; a++)
            for (unsigned b = a + 1; b < t->n; b++) {
                float score;
                unsigned first;
                if (t->cluster[a] != a || t->cluster[b] != b ||
                    !twin_score(t, a, b, &score, &first) || score < lowest ||
                    !allowed(t, o, dust, a, b, score))
                    continue;
                if (score > best.score ||
                    (score == best.score && first < best.first))
                    best = (Best){score, a, b, first};
            }
        if (best.score < 0)
            return;
        CxMerge merge = {t->ids[best.a], t->ids[best.b], best.score};
        g_array_append_val(tree, merge);
        twin_join(t, best.a, best.b);
    }
}

static void
compare_with_twin(const Problem *p, const CxId *units,
                  const CxAgglomerateOptions *o)
{
    Twin t = twin_new(p);
    g_autoptr(GArray) expected = g_array_new(FALSE, FALSE, sizeof(CxMerge));
    g_autoptr(GArray) tree = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) segments =
        cx_agglomerate(p->supervoxels, p->edges, units, o, &tree, NULL, &error);

    g_assert_no_error(error);
    for (unsigned i = 0; units != NULL && i < p->n; i++)
        for (unsigned j = 0; j < i; j++)
            if (units[i] != 0 && units[i] == units[j])
                twin_join(&t, index_of(&t, id_of(i)), index_of(&t, id_of(j)));
    twin_merge(&t, o, false, (float)o->threshold, expected);
    if (o->dust_voxels > 0)
        twin_merge(&t, o, true, (float)o->dust_threshold, expected);
    for (unsigned i = 0; i < p->n; i++) {
        unsigned cluster = t.cluster[index_of(&t, id_of(i))];
        g_assert_cmpuint(g_array_index(segments, CxId, i), ==, t.ids[cluster]);
    }
    twin_merge(&t, o, false, (float)o->tree_threshold, expected);
    g_assert_cmpuint(tree->len, ==, expected->len);
    for (guint i = 0; i < tree->len; i++) {
        CxMerge x = g_array_index(tree, CxMerge, i);
        CxMerge y = g_array_index(expected, CxMerge, i);
        g_assert_cmpuint(x.a, ==, y.a);
        g_assert_cmpuint(x.b, ==, y.b);
        g_assert_cmpfloat(x.score, ==, y.score);
    }
    twin_free(&t);
}

static void
test_random(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 400; round++) {
        unsigned n = 2 + (unsigned)cx_rng_below(&rng, 22);
        Problem p = random_problem(&rng, n, 3 * n);
        CxAgglomerateOptions o = {
            .threshold = 0.1 * (double)cx_rng_below(&rng, 11),
            .large_voxels = round % 3 == 1 ? 120 : 0,
            .large_threshold = 0.8,
            .dust_voxels = round % 3 == 2 ? 60 : 0,
            .dust_threshold = 0.2,
        };
        o.tree_threshold = round % 2 ? o.threshold : 0;
        compare_with_twin(&p, round % 5 == 0 ? p.units : NULL, &o);
        problem_clear(&p);
    }
}

/* The order of supervoxels and edges does not matter. */
static void
test_order(void)
{
    CxRng rng = cx_test_rng();
    Problem p = random_problem(&rng, 60, 250);
    CxAgglomerateOptions o = {.threshold = 0.5, .tree_threshold = 0.5};
    g_autoptr(GArray) first =
        cx_agglomerate(p.supervoxels, p.edges, NULL, &o, NULL, NULL, NULL);
    g_autoptr(GArray) back = g_array_new(FALSE, FALSE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxEdge));

    for (guint i = p.supervoxels->len; i-- > 0;)
        g_array_append_val(back, g_array_index(p.supervoxels, CxSupervoxel, i));
    for (guint i = p.edges->len; i-- > 0;)
        g_array_append_val(edges, g_array_index(p.edges, CxEdge, i));
    g_autoptr(GArray) second =
        cx_agglomerate(back, edges, NULL, &o, NULL, NULL, NULL);
    for (guint i = 0; i < first->len; i++)
        g_assert_cmpuint(g_array_index(first, CxId, i), ==,
                         g_array_index(second, CxId, first->len - 1 - i));
    problem_clear(&p);
}

/* Odd values: none is a crash; strangers and NaN are left out or count 0. */
static void
test_odd(void)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, TRUE, sizeof(CxEdge));
    CxAgglomerateOptions o = {.threshold = 0.7, .tree_threshold = 0.7};
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) none =
        cx_agglomerate(nodes, edges, NULL, &o, NULL, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(none->len, ==, 0);
    for (CxId id = 1; id <= 4; id++) {
        CxSupervoxel one = {.id = id * UINT64_C(0x4000000000000000) | 1,
                            .n_voxels = 1};
        one.id = id == 4 ? 2 : one.id;
        g_array_append_val(nodes, one);
    }
    CxId a = g_array_index(nodes, CxSupervoxel, 0).id;
    CxId b = g_array_index(nodes, CxSupervoxel, 1).id;
    CxEdge odd[] = {
        {a, b, 0.7F, 3}, {b, 2, NAN, 5}, {a, 77, 1, 1}, {2, a, 9.0F, 0}};
    g_array_append_vals(edges, odd, G_N_ELEMENTS(odd));
    g_autoptr(GArray) some =
        cx_agglomerate(nodes, edges, NULL, &o, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_array_index(some, CxId, 1), ==, MIN(a, b));
    g_assert_cmpuint(g_array_index(some, CxId, 3), ==, 2);

    g_array_append_val(nodes, g_array_index(nodes, CxSupervoxel, 0));
    g_assert_null(cx_agglomerate(nodes, edges, NULL, &o, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "twice", NULL);
}

/* One hub with many neighbours that all merge: lists, tables and heap grow
 * and shrink. */
static void
test_hub(void)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, TRUE, sizeof(CxSupervoxel));
    g_autoptr(GArray) edges = g_array_new(FALSE, TRUE, sizeof(CxEdge));
    CxAgglomerateOptions o = {.threshold = 0.5, .tree_threshold = 0.5};
    unsigned n = 20000;

    for (unsigned i = 0; i < n; i++) {
        CxSupervoxel one = {.id = i + 1, .n_voxels = 1};
        g_array_append_val(nodes, one);
        for (unsigned k = 1; k <= 3 && i + k < n; k++) {
            CxEdge edge = {i + 1, i + 1 + k, 0.6F, 1};
            g_array_append_val(edges, edge);
        }
        CxEdge hub = {1, i + 2, 0.9F, 1};
        if (i + 2 <= n)
            g_array_append_val(edges, hub);
    }
    g_autoptr(GArray) tree = NULL;
    g_autoptr(GArray) segments =
        cx_agglomerate(nodes, edges, NULL, &o, &tree, NULL, NULL);
    g_assert_cmpuint(tree->len, ==, n - 1);
    for (unsigned i = 0; i < n; i++)
        g_assert_cmpuint(g_array_index(segments, CxId, i), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agglomerate/random", test_random);
    g_test_add_func("/agglomerate/order", test_order);
    g_test_add_func("/agglomerate/odd", test_odd);
    g_test_add_func("/agglomerate/hub", test_hub);
    return g_test_run();
}
