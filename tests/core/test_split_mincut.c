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
        CxCutProblem p = {w * h, edges, n_edges, sources, sinks, 2, 2, true};
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
    CxCutProblem p = {6, edges, G_N_ELEMENTS(edges), sources, sinks, 2,
                      2, true};
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
    CxCutProblem p = {5, edges, 4, &source, &sink, 1, 1, true};
    uint8_t side[5];
    double value;
    g_autoptr(GError) error = NULL;

    g_assert_true(cx_split_mincut(&p, side, &value, NULL, &error));
    g_assert_cmpfloat(value, ==, 5);
    g_assert_cmpint(side[3], ==, side[4]);
    g_assert_cmpint(side[4], ==, 1);
}

static void
test_impossible_cuts_are_named(void)
{
    CxCutEdge edges[] = {{0, 1, INFINITY}, {1, 2, 1}};
    uint32_t zero = 0, one = 1;
    CxCutProblem same = {3, edges, 2, &zero, &zero, 1, 1, true};
    CxCutProblem welded = {3, edges, 2, &zero, &one, 1, 1, true};
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
    CxCutProblem p = {
        n,   (CxCutEdge *)(void *)edges->data, edges->len, &source, &sink, 1, 1,
        true};

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
                      false};
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
    g_test_add_func("/split-mincut/impossible-cuts-are-named",
                    test_impossible_cuts_are_named);
    g_test_add_func("/split-mincut/cancelled-cut-stops",
                    test_cancelled_cut_stops);
    g_test_add_func("/split-mincut/real-graph-equals-igraph",
                    test_real_graph_equals_igraph);
    return g_test_run();
}
