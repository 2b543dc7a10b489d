/* How many random patterns a Hopfield network finds again.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/hopfield_capacity.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"

#include <math.h>
#include <string.h>

#define FOUND_OVERLAP 0.9
#define MAX_LOADS 1000
#define MAX_TRIALS 10000

typedef struct {
    const CxCapacityOptions *options;
    CxHopfield **networks; /* one a worker */
    CxCapacity *capacity;
    double *overlaps; /* [n_points][n_trials] */
    CxJob *job;       /* to be asked within a trial */
} Sweep;

CxCapacityOptions
cx_capacity_defaults(void)
{
    return (CxCapacityOptions){
        .rule = CX_HOPFIELD_HEBB,
        .n_units = 1000,
        .load_from = 0.02,
        .load_to = 0.25,
        .n_loads = 24,
        .n_trials = 10,
        .max_sweeps = 200,
        .seed = 1,
    };
}

void
cx_capacity_free(CxCapacity *capacity)
{
    if (capacity == NULL)
        return;
    g_free(capacity->points);
    g_free(capacity);
}

static bool
check_options(const CxCapacityOptions *o, GError **error)
{
    double most = o->rule == CX_HOPFIELD_PSEUDO_INVERSE ? 1.0 : 4.0;

    if (o->n_loads >= 2 && o->n_loads <= MAX_LOADS && o->n_trials >= 1 &&
        o->n_trials <= MAX_TRIALS && o->load_from > 0.0 &&
        o->load_to > o->load_from && o->load_to <= most && o->noise >= 0.0 &&
        o->noise <= 1.0)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "a capacity sweep of %u loads from %g to %g, %u trials and "
                "noise %g was asked for, expected 2 to %d rising loads of at "
                "most %g, 1 to %d trials and noise 0 to 1",
                o->n_loads, o->load_from, o->load_to, o->n_trials, o->noise,
                MAX_LOADS, most, MAX_TRIALS);
    return false;
}

/* A job cannot be stepped from within cx_parallel_for(); settle in pieces. */
static bool
settle(CxHopfieldRecall *recall, unsigned max_sweeps, CxJob *job,
       GError **error)
{
    for (unsigned sweep = 0; sweep < max_sweeps; sweep++) {
        if (cx_hopfield_recall_settle(recall, 1))
            return true;
        if (!cx_job_check(job, error))
            return false;
    }
    return true;
}

static bool
run_trial(Sweep *sweep, CxHopfield *network, const CxCapacityPoint *point,
          CxRng *rng, double *overlap, GError **error)
{
    const CxCapacityOptions *o = sweep->options;
    size_t n = o->n_units;
    CX_AUTOFREE int8_t *patterns =
        cx_try_alloc(point->n_patterns + 1, n, error);

    if (patterns == NULL)
        return false;
    cx_hopfield_random_pattern(rng, patterns, point->n_patterns * n);
    if (!cx_hopfield_store(network, o->rule, patterns, point->n_patterns, NULL,
                           error))
        return false;
    int8_t *start = patterns + point->n_patterns * n;
    memcpy(start, patterns, n);
    cx_hopfield_add_noise(rng, start, n, o->noise);
    g_autoptr(CxHopfieldRecall) recall =
        cx_hopfield_recall_new(network, start, cx_rng_next(rng), error);
    if (recall == NULL || !settle(recall, o->max_sweeps, sweep->job, error))
        return false;
    *overlap =
        cx_hopfield_overlap(patterns, cx_hopfield_recall_state(recall), n);
    return true;
}

static bool
run_item(size_t item, unsigned worker, void *data, GError **error)
{
    Sweep *sweep = data;
    const CxCapacityOptions *o = sweep->options;
    CxRng rng;

    if (sweep->networks[worker] == NULL)
        sweep->networks[worker] = cx_hopfield_new(o->n_units, error);
    if (sweep->networks[worker] == NULL)
        return false;
    cx_rng_init(&rng, o->seed);
    cx_rng_init(&rng, cx_rng_next(&rng) + item);
    return run_trial(sweep, sweep->networks[worker],
                     &sweep->capacity->points[item / o->n_trials], &rng,
                     &sweep->overlaps[item], error);
}

static void
summarise(CxCapacityPoint *point, const double *overlaps, unsigned n)
{
    double sum = 0.0, squares = 0.0;
    unsigned found = 0;

    for (unsigned t = 0; t < n; t++) {
        sum += overlaps[t];
        squares += overlaps[t] * overlaps[t];
        found += overlaps[t] >= FOUND_OVERLAP;
    }
    point->mean_overlap = sum / n;
    point->sd_overlap = sqrt(
        fmax(0.0, squares / n - point->mean_overlap * point->mean_overlap));
    point->found = (double)found / n;
}

static double
find_crossing(const CxCapacity *capacity)
{
    for (unsigned i = capacity->n_points - 1; i-- > 0;) {
        const CxCapacityPoint *a = &capacity->points[i], *b = a + 1;

        if (a->found >= 0.5 && b->found < 0.5)
            return a->load + (b->load - a->load) * (a->found - 0.5) /
                                 (a->found - b->found);
    }
    return NAN;
}

static CxCapacity *
new_points(const CxCapacityOptions *o)
{
    CxCapacity *capacity = g_new0(CxCapacity, 1);

    capacity->n_points = o->n_loads;
    capacity->points = g_new0(CxCapacityPoint, o->n_loads);
    for (unsigned i = 0; i < o->n_loads; i++) {
        double load =
            o->load_from + (o->load_to - o->load_from) * i / (o->n_loads - 1);
        CxCapacityPoint *point = &capacity->points[i];

        point->n_patterns = (size_t)fmax(1.0, round(load * (double)o->n_units));
        point->load = (double)point->n_patterns / (double)o->n_units;
    }
    return capacity;
}

CxCapacity *
cx_capacity_measure(const CxCapacityOptions *options, CxJob *job,
                    GError **error)
{
    if (!check_options(options, error))
        return NULL;
    unsigned n_threads = cx_parallel_n_threads(options->n_threads);
    size_t n_items = (size_t)options->n_loads * options->n_trials;
    g_autoptr(CxCapacity) capacity = new_points(options);
    g_autofree double *overlaps = g_new0(double, n_items);
    Sweep sweep = {options, g_new0(CxHopfield *, n_threads), capacity, overlaps,
                   job};
    bool ok = cx_parallel_for(n_threads, n_items, run_item, &sweep, job, error);

    for (unsigned i = 0; i < n_threads; i++)
        cx_hopfield_free(sweep.networks[i]);
    g_free(sweep.networks);
    if (!ok)
        return NULL;
    for (unsigned i = 0; i < options->n_loads; i++)
        summarise(&capacity->points[i],
                  overlaps + (size_t)i * options->n_trials, options->n_trials);
    capacity->capacity = find_crossing(capacity);
    return g_steal_pointer(&capacity);
}

static void
append(GString *text, const char *before, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, before);
    g_string_append(text,
                    g_ascii_formatd(number, sizeof number, "%.9g", value));
}

char *
cx_capacity_to_csv(const CxCapacity *capacity)
{
    g_autoptr(GString) text =
        g_string_new("load,patterns,mean_overlap,sd_overlap,found\n");

    for (unsigned i = 0; i < capacity->n_points; i++) {
        const CxCapacityPoint *point = &capacity->points[i];

        append(text, "", point->load);
        append(text, ",", (double)point->n_patterns);
        append(text, ",", point->mean_overlap);
        append(text, ",", point->sd_overlap);
        append(text, ",", point->found);
        g_string_append_c(text, '\n');
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
