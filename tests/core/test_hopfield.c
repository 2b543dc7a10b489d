/* The Hopfield network: rules, energy, recall, false memories, capacity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/theory/hopfield_capacity.h"
#include "core/theory/hopfield_memory.h"
#include "core/theory/hopfield_pictures.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

#define N 1000

static int8_t *
new_patterns(CxRng *rng, size_t n_patterns, size_t n)
{
    int8_t *patterns = g_malloc(n_patterns * n);

    cx_hopfield_random_pattern(rng, patterns, n_patterns * n);
    return patterns;
}

static CxHopfield *
new_network(CxHopfieldRule rule, const int8_t *patterns, size_t n_patterns,
            size_t n)
{
    g_autoptr(GError) error = NULL;
    CxHopfield *network = cx_hopfield_new(n, &error);

    g_assert_no_error(error);
    g_assert_true(
        cx_hopfield_store(network, rule, patterns, n_patterns, NULL, &error));
    g_assert_no_error(error);
    return network;
}

/* From the definitions, term by term. */
static void
test_rules(void)
{
    enum { n = 40, p = 5 };
    CxRng rng = cx_test_rng();
    g_autofree int8_t *x = new_patterns(&rng, p, n);
    g_autoptr(CxHopfield) hebb = new_network(CX_HOPFIELD_HEBB, x, p, n);
    g_autoptr(CxHopfield) storkey = new_network(CX_HOPFIELD_STORKEY, x, p, n);
    double w[n][n] = {{0}};

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            int sum = 0;

            for (int m = 0; m < p; m++)
                sum += x[m * n + i] * x[m * n + j];
            g_assert_cmpfloat(cx_hopfield_weights(hebb, i)[j], ==,
                              i == j ? 0 : sum);
        }
    for (int m = 0; m < p; m++) {
        double old[n][n];

        memcpy(old, w, sizeof w);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) {
                double h_ij = 0, h_ji = 0;

                for (int k = 0; k < n; k++) {
                    if (k == i || k == j)
                        continue;
                    h_ij += old[i][k] * x[m * n + k];
                    h_ji += old[j][k] * x[m * n + k];
                }
                if (i != j)
                    w[i][j] += (x[m * n + i] * x[m * n + j] -
                                x[m * n + i] * h_ji - h_ij * x[m * n + j]) /
                               n;
            }
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            g_assert_cmpfloat_with_epsilon(cx_hopfield_weights(storkey, i)[j],
                                           n * w[i][j], 1e-3);
}

/* More patterns than Hebb could hold: each one its own field. */
static void
test_pseudo_inverse(void)
{
    enum { n = 200, p = 120 };
    CxRng rng = cx_test_rng();
    g_autofree int8_t *x = new_patterns(&rng, p, n);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxHopfield) network =
        new_network(CX_HOPFIELD_PSEUDO_INVERSE, x, p, n);

    for (int m = 0; m < p; m++) {
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, x + m * n, 1, &error);

        g_assert_true(cx_hopfield_recall_is_settled(recall));
    }
    memcpy(x, x + n, n);
    g_assert_false(cx_hopfield_store(network, CX_HOPFIELD_PSEUDO_INVERSE, x, p,
                                     NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "linearly independent",
                         NULL);
}

/* A million updates, the energy taken from scratch in whole numbers. */
static void
test_energy(void)
{
    CxRng rng = cx_test_rng();
    g_autofree int8_t *x = new_patterns(&rng, 200, N);
    g_autofree int8_t *start = new_patterns(&rng, 1, N);
    g_autoptr(GError) error = NULL;
    uint64_t n_updates = 0;

    for (unsigned round = 0; n_updates < 1000000; round++) {
        g_autoptr(CxHopfield) network =
            new_network(CX_HOPFIELD_HEBB, x, 1 + cx_rng_below(&rng, 200), N);
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, round, &error);

        for (unsigned restart = 0; restart < 20; restart++) {
            double energy = cx_hopfield_recall_energy(recall);

            for (unsigned i = 0; i < 5 * N; i++) {
                size_t flipped = cx_hopfield_recall_step(recall, 1);
                double now = cx_hopfield_recall_energy(recall);

                if (flipped != 0)
                    g_assert_cmpfloat(now, <, energy);
                else
                    g_assert_cmpfloat(now, ==, energy);
                energy = now;
            }
            g_assert_cmpfloat_with_epsilon(
                energy,
                cx_hopfield_energy(network, cx_hopfield_recall_state(recall)),
                1e-9);
            n_updates += cx_hopfield_recall_n_updates(recall);
            cx_hopfield_random_pattern(&rng, start, N);
            cx_hopfield_recall_set_state(recall, start);
        }
    }
    g_test_message("%" G_GUINT64_FORMAT " updates", n_updates);
}

static void
test_energy_of_other_rules(void)
{
    CxRng rng = cx_test_rng();
    g_autofree int8_t *x = new_patterns(&rng, 60, 300);
    g_autofree int8_t *start = new_patterns(&rng, 1, 300);
    g_autoptr(GError) error = NULL;

    for (unsigned rule = 0; rule < CX_HOPFIELD_N_RULES; rule++) {
        g_autoptr(CxHopfield) network =
            new_network((CxHopfieldRule)rule, x, 60, 300);

        g_assert_true(
            cx_hopfield_unlearn(network, 0.01, 20, &rng, NULL, &error));
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, rule, &error);
        double energy = cx_hopfield_energy(network, start);
        for (unsigned i = 0; i < 3000; i++) {
            cx_hopfield_recall_step(recall, 1);
            double now =
                cx_hopfield_energy(network, cx_hopfield_recall_state(recall));

            g_assert_cmpfloat(now, <=, energy + 1e-9);
            energy = now;
        }
        g_assert_true(cx_hopfield_recall_settle(recall, 1000));
        g_assert_cmpuint(cx_hopfield_recall_step(recall, 300), ==, 0);
    }
}

static void
test_recall(void)
{
    CxRng rng = cx_test_rng();
    g_autofree int8_t *x = new_patterns(&rng, 50, N);
    g_autofree int8_t *start = g_memdup2(x, N);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxHopfield) network = new_network(CX_HOPFIELD_HEBB, x, 50, N);

    cx_hopfield_add_noise(&rng, start, N, 0.2);
    g_assert_cmpfloat_with_epsilon(cx_hopfield_overlap(start, x, N), 0.6, 1e-9);
    g_autoptr(CxHopfieldRecall) recall =
        cx_hopfield_recall_new(network, start, 3, &error);
    g_assert_true(cx_hopfield_recall_settle(recall, 100));
    const int8_t *state = cx_hopfield_recall_state(recall);
    g_assert_cmpfloat(cx_hopfield_overlap(state, x, N), >, 0.99);
    CxMemory memory = cx_memory_name(x, 50, N, state);
    g_assert_cmpint(memory.kind, ==, CX_MEMORY_PATTERN);
    g_assert_cmpuint(memory.parts[0], ==, 0);

    /* the reversed pattern is as stable as the pattern */
    for (size_t i = 0; i < N; i++)
        start[i] = (int8_t)-state[i];
    cx_hopfield_recall_set_state(recall, start);
    g_assert_true(cx_hopfield_recall_is_settled(recall));
    memory = cx_memory_name(x, 50, N, start);
    g_assert_cmpint(memory.kind, ==, CX_MEMORY_REVERSED);
    g_autofree char *text = cx_memory_describe(&memory, NULL);
    g_assert_cmpstr(text, ==, "False memory: 1 reversed");
}

/* Two antiparallel units, all at once: a cycle of two. */
static void
test_together(void)
{
    const int8_t pattern[2] = {1, 1}, start[2] = {1, -1};
    g_autoptr(GError) error = NULL;
    g_autoptr(CxHopfield) network =
        new_network(CX_HOPFIELD_HEBB, pattern, 1, 2);
    g_autoptr(CxHopfieldRecall) recall =
        cx_hopfield_recall_new(network, start, 3, &error);

    for (int i = 0; i < 4; i++) {
        g_assert_cmpuint(cx_hopfield_recall_step_together(recall), ==, 2);
        g_assert_cmpint(cx_hopfield_recall_state(recall)[0], ==,
                        i % 2 == 0 ? -1 : 1);
    }
    cx_hopfield_recall_set_unit(recall, 1, cx_hopfield_recall_state(recall)[0]);
    g_assert_true(cx_hopfield_recall_is_settled(recall));
    g_assert_cmpfloat(cx_hopfield_recall_energy(recall), ==, -0.5);
}

/* Mixtures of three have overlap 1/2, hold themselves and are named. */
static void
test_mixtures(void)
{
    CxRng rng = cx_test_rng();
    const size_t parts[5] = {2, 7, 4, 0, 9};
    const int signs[5] = {1, 1, -1, 1, 1};
    const char *const names[] = {"K", "B", "C", "D", "E",
                                 "F", "G", "H", "I", "J"};
    size_t n = 4000;
    g_autofree int8_t *x = new_patterns(&rng, 10, n);
    g_autofree int8_t *state = g_malloc(n);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxHopfield) network = new_network(CX_HOPFIELD_HEBB, x, 10, n);
    unsigned held = 0;

    cx_memory_mixture(x, n, parts, signs, 3, state);
    for (int k = 0; k < 3; k++)
        g_assert_cmpfloat_with_epsilon(
            signs[k] * cx_hopfield_overlap(state, x + parts[k] * n, n), 0.5,
            0.05);
    g_autoptr(CxHopfieldRecall) recall =
        cx_hopfield_recall_new(network, state, 5, &error);
    g_assert_true(cx_hopfield_recall_settle(recall, 100));
    CxMemory memory =
        cx_memory_name(x, 10, n, cx_hopfield_recall_state(recall));
    g_assert_cmpint(memory.kind, ==, CX_MEMORY_MIXTURE);
    g_assert_cmpuint(memory.n_parts, ==, 3);
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < 3; i++)
            held += memory.parts[k] == parts[i] && memory.signs[k] == signs[i];
    g_assert_cmpuint(held, ==, 3);
    g_autofree char *text = cx_memory_describe(&memory, names);
    g_assert_true(g_str_has_prefix(text, "False memory: resembles "));
    g_assert_nonnull(strstr(text, "not E"));

    cx_memory_mixture(x, n, parts, signs, 5, state);
    for (int k = 0; k < 5; k++)
        g_assert_cmpfloat_with_epsilon(
            signs[k] * cx_hopfield_overlap(state, x + parts[k] * n, n), 0.375,
            0.05);
    memory = cx_memory_name(x, 10, n, state);
    g_assert_cmpuint(memory.n_parts, ==, 5);
    cx_hopfield_random_pattern(&rng, state, n);
    g_assert_cmpint(cx_memory_name(x, 10, n, state).kind, ==, CX_MEMORY_GLASS);
}

static void
test_capacity(void)
{
    CxCapacityOptions options = cx_capacity_defaults();
    g_autoptr(GError) error = NULL;

    options.n_loads = 12;
    options.n_trials = 6;
    g_autoptr(CxCapacity) capacity =
        cx_capacity_measure(&options, NULL, &error);
    g_assert_no_error(error);
    g_test_message("capacity %g at %zu units", capacity->capacity,
                   options.n_units);
    /* 0.138 for large N; 0.165 at 1000 units (README.md) */
    g_assert_cmpfloat(capacity->capacity, >, 0.14);
    g_assert_cmpfloat(capacity->capacity, <, 0.19);
    g_assert_cmpfloat(capacity->points[0].mean_overlap, >, 0.999);
    g_assert_cmpfloat(capacity->points[11].mean_overlap, <, 0.6);

    options.n_threads = 1;
    g_autoptr(CxCapacity) again = cx_capacity_measure(&options, NULL, &error);
    g_autofree char *a = cx_capacity_to_csv(capacity);
    g_autofree char *b = cx_capacity_to_csv(again);
    g_assert_cmpstr(a, ==, b);

    options.load_to = 0.01;
    g_assert_null(cx_capacity_measure(&options, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "rising loads", NULL);
}

static bool
measure(CxJob *job, void *data, GError **error)
{
    g_autoptr(CxCapacity) capacity = cx_capacity_measure(data, job, error);

    return capacity != NULL;
}

static void
test_cancel(void)
{
    CxCapacityOptions options = cx_capacity_defaults();
    g_autoptr(CxJob) job = cx_job_new("sweep");
    g_autoptr(GError) error = NULL;

    cx_job_cancel(job);
    g_assert_false(cx_job_run(job, measure, &options, &error));
    g_assert_true(cx_error_is_cancelled(error));
}

/* Unlearning gives the patterns wider valleys at a load where they are narrow:
 * the mean overlap after noise rises. */
static double
mean_recall(const CxHopfield *network, const int8_t *x, size_t p, size_t n)
{
    CxRng rng;
    double sum = 0.0;
    g_autofree int8_t *start = g_malloc(n);

    cx_rng_init(&rng, 11);
    for (size_t m = 0; m < p; m++) {
        memcpy(start, x + m * n, n);
        cx_hopfield_add_noise(&rng, start, n, 0.1);
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, m, NULL);

        cx_hopfield_recall_settle(recall, 100);
        sum +=
            cx_hopfield_overlap(cx_hopfield_recall_state(recall), x + m * n, n);
    }
    return sum / (double)p;
}

static void
test_unlearning(void)
{
    enum { n = 300, p = 48 };
    CxRng rng;
    g_autoptr(GError) error = NULL;

    cx_rng_init(&rng, 5);
    g_autofree int8_t *x = new_patterns(&rng, p, n);
    g_autoptr(CxHopfield) network = new_network(CX_HOPFIELD_HEBB, x, p, n);
    double before = mean_recall(network, x, p, n);
    g_assert_true(cx_hopfield_unlearn(network, 0.01, 400, &rng, NULL, &error));
    double after = mean_recall(network, x, p, n);
    g_test_message("mean overlap %g, unlearnt %g", before, after);
    g_assert_cmpfloat(after, >, before + 0.1);
}

static void
test_pictures(void)
{
    enum { side = 24, n = side * side, hebb = 6 };
    unsigned count = cx_picture_n_builtin();
    g_autofree int8_t *x = g_malloc((size_t)count * n);
    g_autofree int8_t *start = g_malloc(n);
    CxRng rng = cx_test_rng();
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < count; i++) {
        cx_picture_draw(i, side, x + (size_t)i * n);
        for (unsigned j = 0; j < i; j++)
            g_assert_cmpfloat(fabs(cx_hopfield_overlap(x + (size_t)i * n,
                                                       x + (size_t)j * n, n)),
                              <, j < hebb && i < hebb ? 0.27 : 0.6);
    }
    for (unsigned rule = 0; rule < CX_HOPFIELD_N_RULES; rule++) {
        unsigned stored = rule == CX_HOPFIELD_HEBB ? hebb : count;
        g_autoptr(CxHopfield) network =
            new_network((CxHopfieldRule)rule, x, stored, n);

        for (unsigned i = 0; i < stored; i++) {
            memcpy(start, x + (size_t)i * n, n);
            cx_hopfield_add_noise(&rng, start, n, 0.15);
            g_autoptr(CxHopfieldRecall) recall =
                cx_hopfield_recall_new(network, start, i, &error);

            cx_hopfield_recall_settle(recall, 100);
            CxMemory memory =
                cx_memory_name(x, stored, n, cx_hopfield_recall_state(recall));
            if (memory.parts[0] != i || memory.kind != CX_MEMORY_PATTERN)
                g_test_message("%s: %s is lost",
                               cx_hopfield_rule_name((CxHopfieldRule)rule),
                               cx_picture_name(i));
            g_assert_cmpuint(memory.parts[0], ==, i);
            g_assert_cmpint(memory.kind, ==, CX_MEMORY_PATTERN);
        }
    }
    g_assert_false(cx_picture_load("/nowhere.png", side, x, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "/nowhere.png", NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hopfield/rules", test_rules);
    g_test_add_func("/hopfield/pseudo-inverse", test_pseudo_inverse);
    g_test_add_func("/hopfield/energy", test_energy);
    g_test_add_func("/hopfield/energy-of-other-rules",
                    test_energy_of_other_rules);
    g_test_add_func("/hopfield/recall", test_recall);
    g_test_add_func("/hopfield/together", test_together);
    g_test_add_func("/hopfield/mixtures", test_mixtures);
    g_test_add_func("/hopfield/capacity", test_capacity);
    g_test_add_func("/hopfield/cancel", test_cancel);
    g_test_add_func("/hopfield/unlearning", test_unlearning);
    g_test_add_func("/hopfield/pictures", test_pictures);
    return g_test_run();
}
