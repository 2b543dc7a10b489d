/* theory hopfield: energy, recall, false memories, capacity.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/theory.h"
#include "core/base/alloc.h"
#include "core/theory/hopfield_capacity.h"
#include "core/theory/hopfield_memory.h"
#include "core/theory/hopfield_pictures.h"

#include <math.h>
#include <string.h>

#define N_UPDATES 1000000
#define MIXTURE_UNITS 4000
#define MIXTURE_PATTERNS 10
#define PICTURE_SIDE 24
#define SWEEPS 200

typedef struct {
    CxHopfieldRule rule;
    size_t n_units, n_patterns;
    double noise;
    CxRng rng;
} Setup;

static bool
read_setup(const CxcliContext *context, Setup *setup, GError **error)
{
    const char *rule = cxcli_text(context, "rule", "hebb");

    setup->n_units = cxcli_count(context, "units", 1000);
    setup->n_patterns = cxcli_count(context, "patterns", 50);
    setup->noise = cxcli_real(context, "noise", 0.1);
    cx_rng_init(&setup->rng, cxcli_integer(context, "seed", 1));
    if (!cx_hopfield_rule_parse(rule, &setup->rule)) {
        cxcli_set_usage_error(error,
                              "--rule: found \"%s\", expected hebb, "
                              "pseudo-inverse or storkey",
                              rule);
        return false;
    }
    if (setup->n_patterns == 0 || setup->n_patterns > 100 * setup->n_units ||
        setup->noise < 0.0 || setup->noise > 1.0) {
        cxcli_set_usage_error(error,
                              "found %zu patterns of %zu units and noise %g, "
                              "expected 1 to 100 a unit and noise 0 to 1",
                              setup->n_patterns, setup->n_units, setup->noise);
        return false;
    }
    return true;
}

static int8_t *
new_patterns(Setup *setup, size_t n_patterns, size_t n_units, GError **error)
{
    int8_t *patterns = cx_try_alloc(n_patterns, n_units, error);

    if (patterns != NULL)
        cx_hopfield_random_pattern(&setup->rng, patterns, n_patterns * n_units);
    return patterns;
}

/* Updates from random states, the energy looked at after each. */
static bool
watch_energy(CxcliContext *context, Setup *setup, const CxHopfield *network,
             GError **error)
{
    CX_AUTOFREE int8_t *start = new_patterns(setup, 1, setup->n_units, error);
    g_autoptr(CxHopfieldRecall) recall =
        start != NULL ? cx_hopfield_recall_new(network, start, 1, error) : NULL;
    uint64_t n_rises = 0, n_flips = 0;

    if (recall == NULL)
        return false;
    for (uint64_t i = 0; i < N_UPDATES; i++) {
        double before = cx_hopfield_recall_energy(recall);

        n_flips += cx_hopfield_recall_step(recall, 1);
        n_rises += cx_hopfield_recall_energy(recall) > before;
        if ((i + 1) % (5 * setup->n_units) != 0)
            continue;
        cx_hopfield_random_pattern(&setup->rng, start, setup->n_units);
        cx_hopfield_recall_set_state(recall, start);
        if (!cx_job_step(context->job, i + 1, N_UPDATES, error))
            return false;
    }
    cxcli_report_integer(context->report, "updates", N_UPDATES);
    cxcli_report_integer(context->report, "flips", (int64_t)n_flips);
    cxcli_report_integer(context->report, "energy_rises", (int64_t)n_rises);
    return true;
}

/* Every pattern from a noisy copy. */
static bool
recall_all(CxcliContext *context, Setup *setup, const CxHopfield *network,
           const int8_t *patterns, GError **error)
{
    size_t n = setup->n_units;
    CX_AUTOFREE int8_t *start = cx_try_alloc(n, 1, error);
    double sum = 0.0;

    for (size_t p = 0; p < setup->n_patterns; p++) {
        if (start == NULL)
            return false;
        memcpy(start, patterns + p * n, n);
        cx_hopfield_add_noise(&setup->rng, start, n, setup->noise);
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, p, error);
        if (recall == NULL)
            return false;
        cx_hopfield_recall_settle(recall, SWEEPS);
        sum += cx_hopfield_overlap(patterns + p * n,
                                   cx_hopfield_recall_state(recall), n);
        if (!cx_job_step(context->job, p + 1, setup->n_patterns, error))
            return false;
    }
    cxcli_report_real(context->report, "recall_overlap",
                      sum / (double)setup->n_patterns);
    return true;
}

static bool
run_network(CxcliContext *context, Setup *setup, GError **error)
{
    g_autoptr(CxHopfield) network = cx_hopfield_new(setup->n_units, error);
    CX_AUTOFREE int8_t *patterns =
        network != NULL
            ? new_patterns(setup, setup->n_patterns, setup->n_units, error)
            : NULL;

    cx_job_stage(context->job, "energy", 0.0, 0.3);
    return patterns != NULL &&
           cx_hopfield_store(network, setup->rule, patterns, setup->n_patterns,
                             context->job, error) &&
           watch_energy(context, setup, network, error) &&
           recall_all(context, setup, network, patterns, error);
}

/* Does a mixture of three of few patterns hold, and how near is it to each? */
static bool
run_mixture(CxcliContext *context, Setup *setup, GError **error)
{
    const size_t parts[3] = {0, 1, 2}, n = MIXTURE_UNITS;
    const int signs[3] = {1, 1, 1};
    g_autoptr(CxHopfield) network = cx_hopfield_new(n, error);
    CX_AUTOFREE int8_t *patterns =
        network != NULL ? new_patterns(setup, MIXTURE_PATTERNS + 1, n, error)
                        : NULL;

    cx_job_stage(context->job, "mixtures", 0.3, 0.4);
    if (patterns == NULL ||
        !cx_hopfield_store(network, CX_HOPFIELD_HEBB, patterns,
                           MIXTURE_PATTERNS, context->job, error))
        return false;
    int8_t *state = patterns + MIXTURE_PATTERNS * n;
    cx_memory_mixture(patterns, n, parts, signs, 3, state);
    g_autoptr(CxHopfieldRecall) recall =
        cx_hopfield_recall_new(network, state, 1, error);
    if (recall == NULL)
        return false;
    cx_hopfield_recall_settle(recall, SWEEPS);
    const int8_t *end = cx_hopfield_recall_state(recall);
    cxcli_report_begin_array(context->report, "mixture_overlaps");
    for (unsigned k = 0; k < 3; k++)
        cxcli_report_real(context->report, NULL,
                          cx_hopfield_overlap(patterns + k * n, end, n));
    cxcli_report_end_array(context->report);
    CxMemory memory = cx_memory_name(patterns, MIXTURE_PATTERNS, n, end);
    g_autofree char *text = cx_memory_describe(&memory, NULL);
    cxcli_report_text(context->report, "mixture", text);
    return true;
}

/* The built-in pictures and the user's, each from a noisy copy. */
static bool
run_pictures(CxcliContext *context, Setup *setup, GError **error)
{
    unsigned n_builtin = cx_picture_n_builtin();
    const char *own = cxcli_text(context, "picture", NULL);
    size_t n = PICTURE_SIDE * PICTURE_SIDE, count = n_builtin + (own != NULL);
    CX_AUTOFREE int8_t *patterns = cx_try_alloc(count + 1, n, error);
    g_autofree const char **names = g_new0(const char *, count + 1);
    g_autoptr(CxHopfield) network = cx_hopfield_new(n, error);

    if (patterns == NULL || network == NULL)
        return false;
    for (unsigned i = 0; i < n_builtin; i++) {
        cx_picture_draw(i, PICTURE_SIDE, patterns + i * n);
        names[i] = cx_picture_name(i);
    }
    names[n_builtin] = own;
    if ((own != NULL && !cx_picture_load(own, PICTURE_SIDE,
                                         patterns + n_builtin * n, error)) ||
        !cx_hopfield_store(network, setup->rule, patterns, count, NULL, error))
        return false;
    cxcli_report_begin_array(context->report, "pictures");
    for (size_t i = 0; i < count; i++) {
        int8_t *start = patterns + count * n;

        memcpy(start, patterns + i * n, n);
        cx_hopfield_add_noise(&setup->rng, start, n, setup->noise);
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, i, error);
        if (recall == NULL)
            return false;
        cx_hopfield_recall_settle(recall, SWEEPS);
        CxMemory memory = cx_memory_name(patterns, count, n,
                                         cx_hopfield_recall_state(recall));
        g_autofree char *text = cx_memory_describe(&memory, names);
        cxcli_report_begin_object(context->report, NULL);
        cxcli_report_text(context->report, "shown", names[i]);
        cxcli_report_text(context->report, "found", text);
        cxcli_report_real(context->report, "overlap", memory.overlap);
        cxcli_report_end_object(context->report);
    }
    cxcli_report_end_array(context->report);
    return true;
}

static bool
run_capacity(CxcliContext *context, const Setup *setup, GError **error)
{
    CxCapacityOptions options = cx_capacity_defaults();
    const char *path = cxcli_text(context, "csv", NULL);

    options.rule = setup->rule;
    options.n_units = setup->n_units;
    options.n_trials = cxcli_count(context, "trials", options.n_trials);
    options.n_loads = cxcli_count(context, "loads", options.n_loads);
    options.seed = cxcli_integer(context, "seed", 1);
    options.n_threads = context->n_threads;
    if (setup->rule != CX_HOPFIELD_HEBB)
        options.load_to = 0.9;
    cx_job_stage(context->job, "capacity", 0.4, 1.0);
    g_autoptr(CxCapacity) capacity =
        cx_capacity_measure(&options, context->job, error);
    if (capacity == NULL)
        return false;
    cxcli_report_real(context->report, "capacity", capacity->capacity);
    cxcli_report_real(context->report, "capacity_theory",
                      setup->rule == CX_HOPFIELD_HEBB
                          ? CX_HOPFIELD_CRITICAL_LOAD
                      : setup->rule == CX_HOPFIELD_PSEUDO_INVERSE ? 1.0
                                                                  : NAN);
    if (path == NULL)
        return true;
    g_autofree char *csv = cx_capacity_to_csv(capacity);
    return cxcli_write_text(path, csv, strlen(csv), error);
}

bool
cxcli_theory_hopfield(CxcliContext *context, GError **error)
{
    const char *path = cxcli_text(context, "csv", NULL);
    Setup setup;

    if (!read_setup(context, &setup, error) ||
        (path != NULL && !cxcli_check_output(context, path, NULL, error)))
        return false;
    cxcli_report_text(context->report, "rule",
                      cx_hopfield_rule_name(setup.rule));
    cxcli_report_integer(context->report, "units", (int64_t)setup.n_units);
    return run_network(context, &setup, error) &&
           run_mixture(context, &setup, error) &&
           run_pictures(context, &setup, error) &&
           run_capacity(context, &setup, error);
}
