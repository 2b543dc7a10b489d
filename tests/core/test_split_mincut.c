/* The cheapest cut: against Edmonds and Karp's flow on random graphs, and on a
 * real supervoxel graph against a recorded value.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/proofread/split_mincut.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* Naive twin: breadth-first augmenting paths over a matrix; node n is the
 * source of all sources, n + 1 the sink of all sinks. */
#define MAX_NODES 40

typedef struct {
    double room[MAX_NODES][MAX_NODES];
    int n;
} Matrix;

static bool
find_path(const Matrix *m, int from, int to, int *parent)
{
    int queue[MAX_NODES], n_queue = 0;

    for (int i = 0; i < m->n; i++)
        parent[i] = -1;
    parent[from] = from;
    queue[n_queue++] = from;
    for (int k = 0; k < n_queue; k++) {
        for (int j = 0; j < m->n; j++) {
            if (parent[j] < 0 && m->room[queue[k]][j] > 0) {
                parent[j] = queue[k];
                queue[n_queue++] = j;
            }
        }
    }
    return parent[to] >= 0;
}

static double
naive_flow(Matrix *m, int from, int to)
{
    int parent[MAX_NODES];
    double total = 0;

    while (find_path(m, from, to, parent)) {
        double amount = INFINITY;

        for (int i = to; i != from; i = parent[i])
            amount = fmin(amount, m->room[parent[i]][i]);
        for (int i = to; i != from; i = parent[i]) {
            m->room[parent[i]][i] -= amount;
            m->room[i][parent[i]] += amount;
        }
        total += amount;
    }
    return total;
}

static double
naive_value(const CxCutProblem *p)
{
    Matrix m = {.n = (int)p->n_nodes + 2};
    int from = (int)p->n_nodes, to = from + 1;

    for (size_t i = 0; i < p->n_edges; i++) {
        double capacity = fmin(p->edges[i].capacity, 1e9);

        m.room[p->edges[i].a][p->edges[i].b] += capacity;
        m.room[p->edges[i].b][p->edges[i].a] += capacity;
    }
    for (size_t i = 0; i < p->n_sources; i++)
        m.room[from][p->sources[i]] = 1e12;
    for (size_t i = 0; i < p->n_sinks; i++)
        m.room[p->sinks[i]][to] = 1e12;
    return naive_flow(&m, from, to);
}

typedef struct {
    CxCutProblem problem;
    CxCutEdge edges[300];
    uint32_t seeds[8];
} Random;

/* Distinct seeds: a shuffle of the nodes, its first ones taken. */
static void
make_random(CxRng *rng, Random *r, bool with_infinite)
{
    uint32_t n = 2 + (uint32_t)cx_rng_below(rng, MAX_NODES - 4);
    uint32_t order[MAX_NODES];
    size_t n_edges = cx_rng_below(rng, 5 * n < 300 ? 5 * n : 300);

    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t k = (uint32_t)cx_rng_below(rng, i + 1), swap = order[i];

        order[i] = order[k];
        order[k] = swap;
    }
    for (size_t i = 0; i < n_edges; i++) {
        r->edges[i] = (CxCutEdge){(uint32_t)cx_rng_below(rng, n),
                                  (uint32_t)cx_rng_below(rng, n),
                                  (double)cx_rng_below(rng, 20)};
        if (with_infinite && cx_rng_below(rng, 30) == 0)
            r->edges[i].capacity = INFINITY;
    }
    size_t n_sources = 1 + cx_rng_below(rng, MIN(4, n / 2));
    size_t n_sinks = 1 + cx_rng_below(rng, MIN(4, n / 2));

    memcpy(r->seeds, order, (n_sources + n_sinks) * sizeof *order);
    r->problem = (CxCutProblem){
        .n_nodes = n,
        .edges = r->edges,
        .n_edges = n_edges,
        .sources = r->seeds,
        .sinks = r->seeds + n_sources,
        .n_sources = n_sources,
        .n_sinks = n_sinks,
    };
}

static void
check_seed_sides(const CxCutProblem *p, const uint8_t *side)
{
    for (size_t i = 0; i < p->n_sources; i++)
        g_assert_cmpint(side[p->sources[i]], ==, 0);
    for (size_t i = 0; i < p->n_sinks; i++)
        g_assert_cmpint(side[p->sinks[i]], ==, 1);
}

static void
test_value_equals_flow(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 3000; round++) {
        Random r;
        uint8_t side[MAX_NODES];
        double value;
        g_autoptr(GError) error = NULL;

        make_random(&rng, &r, round % 3 == 0);
        double expected = naive_value(&r.problem);

        if (!cx_split_mincut(&r.problem, side, &value, NULL, &error)) {
            g_assert_cmpfloat(expected, >=, 1e9);
            cx_test_expect_error(&error, CX_ERROR_INVALID, "cannot be cut",
                                 NULL);
            continue;
        }
        g_assert_cmpfloat_with_epsilon(value, expected, 1e-6);
        check_seed_sides(&r.problem, side);
    }
}

/* Nodes on one side that can be reached from `start` without leaving it. */
static void
reach(const CxCutProblem *p, const uint8_t *side, uint32_t start, bool *seen)
{
    bool grew = true;

    seen[start] = true;
    while (grew) {
        grew = false;
        for (size_t i = 0; i < p->n_edges; i++) {
            uint32_t a = p->edges[i].a, b = p->edges[i].b;

            if (side[a] == side[b] && seen[a] != seen[b]) {
                seen[a] = seen[b] = true;
                grew = true;
            }
        }
    }
}

/* In a grid with seeds in opposite corners of one side there is always room
 * for both sides' paths: each side must hang together. */
static void
test_seeds_of_a_side_stay_joined(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 300; round++) {
        const uint32_t w = 9, h = 4;
        CxCutEdge edges[2 * 9 * 4];
        size_t n_edges = 0;

        for (uint32_t y = 0; y < h; y++) {
            for (uint32_t x = 0; x < w; x++) {
                double c = 0.1 + cx_rng_uniform(&rng) * 10;

                if (x + 1 < w)
                    edges[n_edges++] = (CxCutEdge){y * w + x, y * w + x + 1, c};
                if (y + 1 < h)
                    edges[n_edges++] =
                        (CxCutEdge){y * w + x, (y + 1) * w + x, c};
            }
        }
        uint32_t sources[] = {0, w - 1};
        uint32_t sinks[] = {(h - 1) * w, h * w - 1};
        CxCutProblem p = {w * h, edges, n_edges, sources, sinks,
                          2,     2,     true,    NULL};
        uint8_t side[9 * 4];
        double joined, plain;
        g_autoptr(GError) error = NULL;

        g_assert_true(cx_split_mincut(&p, side, &joined, NULL, &error));
        check_seed_sides(&p, side);
        for (uint32_t s = 0; s < 2; s++) {
            bool seen[9 * 4] = {false};

            reach(&p, side, s == 0 ? sources[0] : sinks[0], seen);
            g_assert_true(seen[s == 0 ? sources[1] : sinks[1]]);
        }
        p.join_seeds = false;
        g_assert_true(cx_split_mincut(&p, side, &plain, NULL, &error));
        g_assert_cmpfloat(joined, >=, plain - 1e-9);
    }
}

/* A cross: both sides' straight ways lead over the middle; one goes round. */
static void
test_crossing_paths_are_parted(void)
{
    /* 0 - 4 - 1 strong, 2 - 4 - 3 strong, 2 - 5 - 3 weak way round. */
    CxCutEdge edges[] = {{0, 4, 9}, {4, 1, 9}, {2, 4, 8},
                         {4, 3, 8}, {2, 5, 1}, {5, 3, 1}};
    uint32_t sources[] = {0, 1}, sinks[] = {2, 3};
    CxCutProblem p = {6,    edges, G_N_ELEMENTS(edges), sources, sinks, 2, 2,
                      true, NULL};
    uint8_t side[6];
    double value;
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_split_mincut(&p, side, &value, NULL, &error));
    g_assert_no_error(error);
    check_seed_sides(&p, side);
    g_assert_cmpint(side[4], ==, 0);
    g_assert_cmpint(side[5], ==, 1);
    g_assert_cmpfloat(value, ==, 16);
}

/* Pieces between full edges go where their strongest edge leads. */
static void
test_free_pieces_follow_strongest_edge(void)
{
    CxCutEdge edges[] = {{0, 2, 5}, {2, 1, 5}, {3, 4, 1}, {4, 1, 0}};
    uint32_t source = 0, sink = 1;
    CxCutProblem p = {5, edges, 4, &source, &sink, 1, 1, true, NULL};
    uint8_t side[5];
    double value;
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_split_mincut(&p, side, &value, NULL, &error));
    g_assert_cmpfloat(value, ==, 5);
    g_assert_cmpint(side[3], ==, side[4]);
    g_assert_cmpint(side[4], ==, 1);
}

/* Two fields of 6 × 6 nodes side by side, a seed in the far corner of each: all
 * edges of a corner together cost less than the border. */
static void
test_lone_seed_takes_its_field(void)
{
    const uint32_t w = 12, h = 6;
    CxCutEdge edges[2 * 12 * 6];
    double strengths[2 * 12 * 6];
    size_t n_edges = 0;
    uint32_t source = 0, sink = h * w - 1;
    uint8_t side[12 * 6];
    double value;
    g_autoptr(GError) error = NULL;

    for (uint32_t y = 0; y < h; y++) {
        for (uint32_t x = 0; x < w; x++) {
            uint32_t at = y * w + x;

            if (x + 1 < w) {
                strengths[n_edges] = x == w / 2 - 1 ? 0.5 : 0.9;
                edges[n_edges++] =
                    (CxCutEdge){at, at + 1, x == w / 2 - 1 ? 0.5 : 1};
            }
            if (y + 1 < h) {
                strengths[n_edges] = 0.9;
                edges[n_edges++] = (CxCutEdge){at, at + w, 1};
            }
        }
    }
    CxCutProblem p = {w * h, edges, n_edges, &source,  &sink,
                      1,     1,     false,   strengths};

    g_assert_true(cx_split_mincut(&p, side, &value, NULL, &error));
    g_assert_cmpfloat(value, ==, 2);
    p.join_seeds = true;
    g_assert_true(cx_split_mincut(&p, side, &value, NULL, &error));
    g_assert_cmpfloat(value, ==, 3);
    for (uint32_t i = 0; i < w * h; i++)
        g_assert_cmpint(side[i], ==, i % w >= w / 2);
}

static int
compare_strength(const void *a, const void *b, void *data)
{
    const double *strengths = data;
    double left = strengths[*(const size_t *)a],
           right = strengths[*(const size_t *)b];

    return left > right ? -1 : left < right;
}

static size_t
count_set(const uint32_t *set, uint32_t n, uint32_t wanted)
{
    size_t count = 0;

    for (uint32_t i = 0; i < n; i++)
        count += set[i] == wanted;
    return count;
}

/* Kruskal's forest, the two seeds kept apart: how many nodes each gets. */
static void
naive_forest(const CxCutProblem *p, size_t size[2])
{
    uint32_t set[MAX_NODES];
    size_t order[300];

    for (uint32_t i = 0; i < p->n_nodes; i++)
        set[i] = i;
    for (size_t i = 0; i < p->n_edges; i++)
        order[i] = i;
    g_qsort_with_data(order, (gint)p->n_edges, sizeof *order, compare_strength,
                      (void *)p->strengths);
    for (size_t i = 0; i < p->n_edges; i++) {
        uint32_t a = set[p->edges[order[i]].a], b = set[p->edges[order[i]].b];
        uint32_t s = set[p->sources[0]], t = set[p->sinks[0]];

        if ((a == s && b == t) || (a == t && b == s))
            continue;
        for (uint32_t k = 0; k < p->n_nodes; k++)
            set[k] = set[k] == a ? b : set[k];
    }
    size[0] = count_set(set, p->n_nodes, set[p->sources[0]]);
    size[1] = count_set(set, p->n_nodes, set[p->sinks[0]]);
}

/* A seed is alone only if nothing is tied to it more than to the other. */
static void
test_no_seed_is_isolated(void)
{
    CxRng rng = cx_test_rng();
    unsigned n_alone = 0, n_plain = 0;

    for (int round = 0; round < 2000; round++) {
        Random r;
        uint8_t side[MAX_NODES];
        double strengths[300];
        size_t expected[2], found[2] = {0};
        g_autoptr(GError) error = NULL;

        make_random(&rng, &r, false);
        r.problem.n_sources = r.problem.n_sinks = 1;
        for (size_t i = 0; i < r.problem.n_edges; i++)
            strengths[i] = cx_rng_uniform(&rng);
        r.problem.strengths = strengths;
        naive_forest(&r.problem, expected);
        for (int join = 0; join < 2; join++) {
            r.problem.join_seeds = join == 1;
            g_assert_true(
                cx_split_mincut(&r.problem, side, NULL, NULL, &error));
            found[0] = found[1] = 0;
            for (uint32_t i = 0; i < r.problem.n_nodes; i++)
                found[side[i]]++;
            if (join == 0)
                n_plain += found[0] == 1 || found[1] == 1;
        }
        check_seed_sides(&r.problem, side);
        n_alone += found[0] == 1 || found[1] == 1;
        for (int k = 0; k < 2; k++)
            g_assert_true(found[k] > 1 || expected[k] == 1);
    }
    g_test_message("alone in %u of 2000 cuts, plain in %u", n_alone, n_plain);
}

static void
test_impossible_cuts_are_named(void)
{
    CxCutEdge edges[] = {{0, 1, INFINITY}, {1, 2, 1}};
    uint32_t zero = 0, one = 1;
    CxCutProblem same = {3, edges, 2, &zero, &zero, 1, 1, true, NULL};
    CxCutProblem welded = {3, edges, 2, &zero, &one, 1, 1, true, NULL};
    uint8_t side[3];
    g_autoptr(GError) error = NULL;

    g_assert_false(cx_split_mincut(&same, side, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "both sides", NULL);
    g_assert_false(cx_split_mincut(&welded, side, NULL, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "may not be cut", NULL);
}

static void
test_cancelled_cut_stops(void)
{
    g_autoptr(GArray) edges = g_array_new(FALSE, FALSE, sizeof(CxCutEdge));
    g_autoptr(CxJob) job = cx_job_new("cut");
    g_autoptr(GError) error = NULL;
    uint32_t n = 20000, source = 0, sink = 19999;
    g_autofree uint8_t *side = g_malloc(n);
    CxRng rng = cx_test_rng();

    for (uint32_t i = 0; i < 5 * n; i++) {
        CxCutEdge edge = {(uint32_t)cx_rng_below(&rng, n),
                          (uint32_t)cx_rng_below(&rng, n),
                          cx_rng_uniform(&rng)};

        g_array_append_val(edges, edge);
    }
    CxCutProblem p = {n,          (CxCutEdge *)(void *)edges->data,
                      edges->len, &source,
                      &sink,      1,
                      1,          true,
                      NULL};

    cx_job_cancel(job);
    g_assert_false(cx_split_mincut(&p, side, NULL, job, &error));
    g_assert_true(cx_error_is_cancelled(error));
}

/* Contents of a .npy file after its header. */
static void *
load_npy(const char *name, gsize *n_bytes)
{
    g_autofree char *relative = g_build_filename("golden/mincut", name, NULL);
    g_autofree char *path = cx_test_data_path(relative);
    g_autofree char *bytes = NULL;

    if (path == NULL || !g_file_get_contents(path, &bytes, n_bytes, NULL))
        return NULL;
    gsize header = 10 + ((guint8)bytes[8] | (gsize)(guint8)bytes[9] << 8);

    *n_bytes -= header;
    return g_memdup2(bytes + header, *n_bytes);
}

static uint32_t
dense(CxHash64 *numbers, uint64_t id)
{
    return (uint32_t)*cx_hash64_at(numbers, id, cx_hash64_size(numbers), NULL);
}

/* The value is igraph's Graph.maxflow() (python3-igraph 0.10.2) with the 960
 * infinite capacities replaced by twice the sum of the others. */
static void
test_real_graph_equals_igraph(void)
{
    gsize n_ends, n_affinities, n_sources, n_sinks;
    g_autofree uint64_t *ends = load_npy("sv_edges.npy", &n_ends);

    if (ends == NULL)
        return;
    g_autofree double *affinity = load_npy("sv_affinity.npy", &n_affinities);
    g_autofree uint64_t *source = load_npy("sv_sources.npy", &n_sources);
    g_autofree uint64_t *sink = load_npy("sv_sinks.npy", &n_sinks);
    size_t n_edges = n_affinities / 8;
    g_autoptr(CxHash64) numbers = cx_hash64_new(4000);
    g_autofree CxCutEdge *edges = g_new(CxCutEdge, n_edges);

    for (size_t i = 0; i < n_edges; i++)
        edges[i] = (CxCutEdge){dense(numbers, ends[2 * i]),
                               dense(numbers, ends[2 * i + 1]), affinity[i]};
    uint32_t sources[] = {dense(numbers, source[0]), dense(numbers, source[1])};
    uint32_t sinks[] = {dense(numbers, sink[0]), dense(numbers, sink[1])};
    CxCutProblem p = {(uint32_t)cx_hash64_size(numbers),
                      edges,
                      n_edges,
                      sources,
                      sinks,
                      2,
                      2,
                      false,
                      NULL};
    g_autofree uint8_t *side = g_malloc(p.n_nodes);
    g_autoptr(GError) error = NULL;
    double plain, joined;

    g_assert_cmpuint(p.n_nodes, ==, 3777);
    g_assert_true(cx_split_mincut(&p, side, &plain, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat_with_epsilon(plain, 33030.4771232605, 1e-6);
    check_seed_sides(&p, side);

    p.join_seeds = true;
    int64_t start = g_get_monotonic_time();

    g_assert_true(cx_split_mincut(&p, side, &joined, NULL, &error));
    g_test_message("joined cut %.4f in %.2f ms", joined,
                   (double)(g_get_monotonic_time() - start) / 1e3);
    check_seed_sides(&p, side);
    g_assert_cmpfloat(joined, >=, plain - 1e-6);
    g_assert_cmpfloat(joined, <, 1e6);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/split-mincut/value-equals-flow", test_value_equals_flow);
    g_test_add_func("/split-mincut/seeds-stay-joined",
                    test_seeds_of_a_side_stay_joined);
    g_test_add_func("/split-mincut/crossing-paths-are-parted",
                    test_crossing_paths_are_parted);
    g_test_add_func("/split-mincut/free-pieces-follow-strongest-edge",
                    test_free_pieces_follow_strongest_edge);
    g_test_add_func("/split-mincut/lone-seed-takes-its-field",
                    test_lone_seed_takes_its_field);
    g_test_add_func("/split-mincut/no-seed-is-isolated",
                    test_no_seed_is_isolated);
    g_test_add_func("/split-mincut/impossible-cuts-are-named",
                    test_impossible_cuts_are_named);
    g_test_add_func("/split-mincut/cancelled-cut-stops",
                    test_cancelled_cut_stops);
    g_test_add_func("/split-mincut/real-graph-equals-igraph",
                    test_real_graph_equals_igraph);
    return g_test_run();
}
