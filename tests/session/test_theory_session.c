/* The Models page's state: recall, false memories, learning, pruning; all of it
 * in jobs that end soon after they are cancelled.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/theory_flow.h"
#include "app/session/theory_hopfield.h"
#include "app/session/theory_sparse.h"
#include "tests/session/session_fixture.h"

#include <math.h>
#include <string.h>

static void
test_recall(SessionFixture *fixture, const void *data)
{
    CxuiTheoryHopfield *model = cxui_theory_hopfield_new(fixture->session);
    const double *sweeps = NULL;
    size_t n = 0;

    session_fixture_wait(fixture, session_is_idle);
    g_assert_true(cxui_theory_hopfield_is_ready(model));
    cxui_theory_hopfield_start(model, 2, 0.2);
    g_assert_cmpfloat(cxui_theory_hopfield_overlap(model, 2), <, 0.7);
    for (int i = 0; i < 20; i++)
        cxui_theory_hopfield_sweep(model);
    g_assert_cmpfloat(cxui_theory_hopfield_overlap(model, 2), >, 0.9);
    g_autofree char *memory = cxui_theory_hopfield_dup_memory(model);
    g_assert_true(g_str_has_prefix(memory, "Remembers "));
    const double *energies = cxui_theory_hopfield_energies(model, &sweeps, &n);
    g_assert_cmpuint(n, ==, 21);
    for (size_t i = 1; i < n; i++)
        g_assert_cmpfloat(energies[i], <=, energies[i - 1] + 1e-12);

    /* painted: the brush sets single units */
    g_assert_cmpint(cxui_theory_hopfield_state(model)[7], !=, 0);
    cxui_theory_hopfield_paint(model, 7, 1);
    g_assert_cmpint(cxui_theory_hopfield_state(model)[7], ==, 1);
    cxui_theory_hopfield_paint(model, 7, -1);
    g_assert_cmpint(cxui_theory_hopfield_state(model)[7], ==, -1);

    /* more patterns in the place of these; the last wish counts */
    cxui_theory_hopfield_set_n_patterns(model, 100);
    cxui_theory_hopfield_set_n_patterns(model, 30);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(cxui_theory_hopfield_n_patterns(model), ==, 30);
    cxui_theory_hopfield_stop(model);
    g_assert_finalize_object(model);
}

static bool
is_measured(SessionFixture *fixture)
{
    return session_is_idle(fixture);
}

static void
test_capacity(SessionFixture *fixture, const void *data)
{
    CxuiTheoryHopfield *model = cxui_theory_hopfield_new(fixture->session);

    cxui_theory_hopfield_measure(model, 60);
    session_fixture_wait(fixture, is_measured);
    g_assert_nonnull(cxui_theory_hopfield_capacity(model));

    /* a long one stops at once */
    cxui_theory_hopfield_measure(model, 3000);
    for (int i = 0; i < 5; i++)
        g_main_context_iteration(NULL, FALSE);
    g_usleep(100000);
    int64_t start = g_get_monotonic_time();
    cxui_theory_hopfield_cancel_measure(model);
    session_fixture_wait(fixture, is_measured);
    g_test_message("stopped after %.0f ms",
                   (double)(g_get_monotonic_time() - start) / 1e3);
    g_assert_cmpuint(fixture->failures->len, ==, 0);
    cxui_theory_hopfield_stop(model);
    g_assert_finalize_object(model);
}

static void
test_sparse(SessionFixture *fixture, const void *data)
{
    CxuiTheorySparse *model = cxui_theory_sparse_new(fixture->session);
    CxSparseOptions options = cx_sparse_defaults();
    unsigned width = 0;
    unsigned height = 0;

    options.side = 8;
    options.n_atoms = 32;
    options.n_batches = 20;
    cxui_theory_sparse_learn(model, &options, NULL);
    session_fixture_wait(fixture, session_is_idle);
    CxuiSparseFigures figures = cxui_theory_sparse_figures(model);
    g_assert_cmpuint(figures.progress.n_batches, ==, 20);
    g_assert_true(isfinite(figures.kurtosis));
    g_assert_cmpfloat(figures.gabor_share, >=, 0.0);
    g_assert_nonnull(cxui_theory_sparse_mosaic(model, &width, &height));
    g_assert_cmpuint(width, >, 0);

    cxui_theory_sparse_learn(model, &options, "/nowhere/at/all");
    session_fixture_wait(fixture, session_is_idle);
    g_assert_cmpuint(fixture->failures->len, ==, 1);
    cxui_theory_sparse_stop(model);
    g_assert_finalize_object(model);
}

static void
test_flow(SessionFixture *fixture, const void *data)
{
    CxuiTheoryFlow *model = cxui_theory_flow_new(fixture->session);

    cxui_theory_flow_measure(model, CXUI_FLOW_LENET);
    for (int i = 0; i < 5; i++)
        g_main_context_iteration(NULL, FALSE);
    g_usleep(200000);
    cxui_theory_flow_cancel(model);
    session_fixture_wait(fixture, session_is_idle);
    g_assert_false(cxui_theory_flow_is_running(model));
    g_assert_cmpuint(fixture->failures->len, ==, 0);
    cxui_theory_flow_stop(model);
    g_assert_finalize_object(model);
}

int
main(int argc, char **argv)
{
    session_test_init(&argc, &argv);
#define ADD(name, func)                                                        \
    g_test_add("/theory-session/" name, SessionFixture, NULL,                  \
               session_fixture_set_up, func, session_fixture_tear_down)
    ADD("recall", test_recall);
    ADD("capacity", test_capacity);
    ADD("sparse", test_sparse);
    ADD("flow", test_flow);
#undef ADD
    return session_test_run();
}
