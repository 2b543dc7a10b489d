/* A Hopfield network to play with.
 *
 * A network that is stored replaces the one before when it is whole; until
 * then the old one goes on falling.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/theory_hopfield.h"

#include "app/session/session_private.h"
#include "core/base/error.h"
#include "core/theory/hopfield_pictures.h"

#include <math.h>

#define TICK_MS 33

/* Updates a tick, as a share of the units: a sweep takes a second. */
#define SHARE_A_TICK 30

#define MAX_TRACE 4000

struct _CxuiTheoryHopfield {
    GObject parent;
    CxuiSession *session; /* borrowed */
    bool stopped;

    CxHopfieldRule rule;
    size_t n_wanted;
    CxJob *storing; /* or NULL */
    bool store_again;

    CxHopfield *network; /* holds the patterns */
    CxHopfieldRecall *recall;
    int8_t *patterns;
    size_t n_patterns;
    GArray *energies, *sweeps; /* of double */
    bool together;
    guint tick;
    uint64_t seed;

    CxJob *measuring;
    CxCapacity *capacity;
};

enum {
    CHANGED,
    STATE_CHANGED,
    N_SIGNALS,
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(CxuiTheoryHopfield, cxui_theory_hopfield, G_TYPE_OBJECT)

static size_t
n_units(void)
{
    return (size_t)CXUI_HOPFIELD_SIDE * CXUI_HOPFIELD_SIDE;
}

static void
say_changed(CxuiTheoryHopfield *self)
{
    g_signal_emit(self, signals[CHANGED], 0);
}

/* --- the trace */

static void
note_energy(CxuiTheoryHopfield *self)
{
    double n = (double)n_units();
    double energy = cx_hopfield_recall_energy(self->recall) / n;
    double sweeps = (double)cx_hopfield_recall_n_updates(self->recall) / n;

    if (self->energies->len < MAX_TRACE) {
        g_array_append_val(self->energies, energy);
        g_array_append_val(self->sweeps, sweeps);
    }
    g_signal_emit(self, signals[STATE_CHANGED], 0);
}

static void
begin_trace(CxuiTheoryHopfield *self)
{
    g_array_set_size(self->energies, 0);
    g_array_set_size(self->sweeps, 0);
    note_energy(self);
}

/* --- storing */

typedef struct {
    CxuiTheoryHopfield *owner; /* a reference */
    CxHopfieldRule rule;
    int8_t *patterns;
    size_t n_patterns;
    CxHopfield *network;
} Store;

static void
store_free(void *data)
{
    Store *store = data;

    g_clear_pointer(&store->network, cx_hopfield_free);
    g_free(store->patterns);
    g_free(store);
}

static bool
run_store(CxJob *job, void *data, GError **error)
{
    Store *store = data;
    CxRng rng;

    cx_rng_init(&rng, 20);
    for (size_t i = 0; i < store->n_patterns; i++) {
        int8_t *pattern = store->patterns + i * n_units();
        if (i < cx_picture_n_builtin())
            cx_picture_draw((unsigned)i, CXUI_HOPFIELD_SIDE, pattern);
        else
            cx_hopfield_random_pattern(&rng, pattern, n_units());
    }
    store->network = cx_hopfield_new(n_units(), error);
    return store->network != NULL &&
           cx_hopfield_store(store->network, store->rule, store->patterns,
                             store->n_patterns, job, error);
}

static void start_store(CxuiTheoryHopfield *self);

static void
take_network(CxuiTheoryHopfield *self, Store *store)
{
    g_autofree int8_t *state = NULL;

    if (self->recall != NULL)
        state = g_memdup2(cx_hopfield_recall_state(self->recall), n_units());
    g_clear_pointer(&self->recall, cx_hopfield_recall_free);
    g_clear_pointer(&self->network, cx_hopfield_free);
    g_free(self->patterns);
    self->network = g_steal_pointer(&store->network);
    self->patterns = g_steal_pointer(&store->patterns);
    self->n_patterns = store->n_patterns;
    self->rule = store->rule;

    g_autoptr(GError) error = NULL;
    self->recall = cx_hopfield_recall_new(
        self->network, state != NULL ? state : self->patterns, self->seed++,
        &error);
    if (self->recall == NULL) {
        cxui_session_fail(self->session, error);
        return;
    }
    if (state == NULL)
        cxui_theory_hopfield_start(self, 0, 0.3);
    else
        begin_trace(self);
}

static void
on_stored(CxJob *job, const GError *error, void *data)
{
    Store *store = data;
    CxuiTheoryHopfield *self = store->owner;

    g_clear_pointer(&self->storing, cx_job_unref);
    if (self->stopped) {
        g_object_unref(self);
        return;
    }
    if (error == NULL)
        take_network(self, store);
    else if (!cx_error_is_cancelled(error))
        cxui_session_fail(self->session, error);
    if (self->store_again)
        start_store(self);
    say_changed(self);
    g_object_unref(self);
}

static void
start_store(CxuiTheoryHopfield *self)
{
    if (self->stopped)
        return;
    self->store_again = self->storing != NULL;
    if (self->storing != NULL) {
        cx_job_cancel(self->storing);
        return;
    }
    Store *store = g_new0(Store, 1);
    store->owner = g_object_ref(self);
    store->rule = self->rule;
    store->n_patterns = self->n_wanted;
    store->patterns = g_new(int8_t, self->n_wanted * n_units());
    CxuiJobRequest request = {
        .title = "Storing patterns",
        .tier = CX_TIER_VISIBLE,
        .func = run_store,
        .data = store,
        .destroy = store_free,
        .done = on_stored,
        .user_data = store,
    };
    self->storing =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
    say_changed(self);
}

void
cxui_theory_hopfield_set_n_patterns(CxuiTheoryHopfield *self, size_t n)
{
    n = CLAMP(n, 1, n_units() / 4);
    if (n == self->n_wanted)
        return;
    self->n_wanted = n;
    start_store(self);
}

void
cxui_theory_hopfield_set_rule(CxuiTheoryHopfield *self, CxHopfieldRule rule)
{
    if (rule == self->rule)
        return;
    self->rule = rule;
    start_store(self);
}

size_t
cxui_theory_hopfield_n_patterns(CxuiTheoryHopfield *self)
{
    return self->n_patterns;
}

size_t
cxui_theory_hopfield_n_units(CxuiTheoryHopfield *self)
{
    return n_units();
}

CxHopfieldRule
cxui_theory_hopfield_rule(CxuiTheoryHopfield *self)
{
    return self->rule;
}

const int8_t *
cxui_theory_hopfield_pattern(CxuiTheoryHopfield *self, size_t i)
{
    g_return_val_if_fail(i < self->n_patterns, NULL);
    return self->patterns + i * n_units();
}

char *
cxui_theory_hopfield_dup_name(CxuiTheoryHopfield *self, size_t i)
{
    if (i < cx_picture_n_builtin())
        return g_strdup(cx_picture_name((unsigned)i));
    return g_strdup_printf("random %zu", i + 1 - cx_picture_n_builtin());
}

bool
cxui_theory_hopfield_is_ready(CxuiTheoryHopfield *self)
{
    return self->recall != NULL && self->storing == NULL;
}

/* --- recall */

static void
fall(CxuiTheoryHopfield *self, size_t n)
{
    bool settled;

    if (self->together) {
        size_t flips = cx_hopfield_recall_step_together(self->recall);
        settled = flips == 0;
    } else {
        cx_hopfield_recall_step(self->recall, n);
        settled = cx_hopfield_recall_is_settled(self->recall);
    }
    if (settled)
        g_clear_handle_id(&self->tick, g_source_remove);
    note_energy(self);
    if (settled)
        say_changed(self);
}

static gboolean
on_tick(void *data)
{
    CxuiTheoryHopfield *self = data;

    fall(self, n_units() / SHARE_A_TICK);
    return self->tick != 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
cxui_theory_hopfield_set_running(CxuiTheoryHopfield *self, bool running)
{
    if (running == (self->tick != 0) || (running && self->recall == NULL))
        return;
    if (running)
        self->tick = g_timeout_add(TICK_MS, on_tick, self);
    else
        g_clear_handle_id(&self->tick, g_source_remove);
    say_changed(self);
}

bool
cxui_theory_hopfield_is_running(CxuiTheoryHopfield *self)
{
    return self->tick != 0;
}

void
cxui_theory_hopfield_sweep(CxuiTheoryHopfield *self)
{
    if (self->recall != NULL)
        fall(self, n_units());
}

void
cxui_theory_hopfield_set_together(CxuiTheoryHopfield *self, bool together)
{
    self->together = together;
}

static void
set_state(CxuiTheoryHopfield *self, const int8_t *state)
{
    cx_hopfield_recall_set_state(self->recall, state);
    begin_trace(self);
    say_changed(self);
}

void
cxui_theory_hopfield_start(CxuiTheoryHopfield *self, size_t pattern,
                           double noise)
{
    CxRng rng;

    if (self->recall == NULL || pattern >= self->n_patterns)
        return;
    g_autofree int8_t *state =
        g_memdup2(self->patterns + pattern * n_units(), n_units());
    cx_rng_init(&rng, self->seed++);
    cx_hopfield_add_noise(&rng, state, n_units(), noise);
    set_state(self, state);
}

void
cxui_theory_hopfield_start_mixture(CxuiTheoryHopfield *self)
{
    const size_t parts[] = {0, 1, 2};
    const int signs[] = {1, 1, 1};
    g_autofree int8_t *state = g_new(int8_t, n_units());

    if (self->recall == NULL || self->n_patterns < 3)
        return;
    cx_memory_mixture(self->patterns, n_units(), parts, signs, 3, state);
    set_state(self, state);
}

void
cxui_theory_hopfield_paint(CxuiTheoryHopfield *self, size_t unit, int8_t value)
{
    if (self->recall == NULL || unit >= n_units())
        return;
    cx_hopfield_recall_set_unit(self->recall, unit, value);
    note_energy(self);
}

const int8_t *
cxui_theory_hopfield_state(CxuiTheoryHopfield *self)
{
    return self->recall != NULL ? cx_hopfield_recall_state(self->recall) : NULL;
}

double
cxui_theory_hopfield_overlap(CxuiTheoryHopfield *self, size_t pattern)
{
    if (self->recall == NULL || pattern >= self->n_patterns)
        return 0.0;
    return cx_hopfield_overlap(self->patterns + pattern * n_units(),
                               cx_hopfield_recall_state(self->recall),
                               n_units());
}

const double *
cxui_theory_hopfield_energies(CxuiTheoryHopfield *self, const double **sweeps,
                              size_t *n)
{
    *n = self->energies->len;
    *sweeps = (const double *)(const void *)self->sweeps->data;
    return (const double *)(const void *)self->energies->data;
}

char *
cxui_theory_hopfield_dup_memory(CxuiTheoryHopfield *self)
{
    if (self->recall == NULL || self->tick != 0 ||
        !cx_hopfield_recall_is_settled(self->recall))
        return g_strdup("");
    CxMemory memory =
        cx_memory_name(self->patterns, self->n_patterns, n_units(),
                       cx_hopfield_recall_state(self->recall));
    g_auto(GStrv) names = g_new0(char *, self->n_patterns + 1);
    for (size_t i = 0; i < self->n_patterns; i++)
        names[i] = cxui_theory_hopfield_dup_name(self, i);
    return cx_memory_describe(&memory, (const char *const *)names);
}

/* --- capacity */

typedef struct {
    CxuiTheoryHopfield *owner; /* a reference */
    CxCapacityOptions options;
    CxCapacity *capacity;
} Measure;

static bool
run_measure(CxJob *job, void *data, GError **error)
{
    Measure *measure = data;

    measure->capacity = cx_capacity_measure(&measure->options, job, error);
    return measure->capacity != NULL;
}

static void
measure_free(void *data)
{
    Measure *measure = data;

    g_clear_pointer(&measure->capacity, cx_capacity_free);
    g_free(measure);
}

static void
on_measured(CxJob *job, const GError *error, void *data)
{
    Measure *measure = data;
    CxuiTheoryHopfield *self = measure->owner;

    g_clear_pointer(&self->measuring, cx_job_unref);
    if (!self->stopped) {
        if (error == NULL) {
            g_clear_pointer(&self->capacity, cx_capacity_free);
            self->capacity = g_steal_pointer(&measure->capacity);
        } else if (!cx_error_is_cancelled(error)) {
            cxui_session_fail(self->session, error);
        }
        say_changed(self);
    }
    g_object_unref(self);
}

void
cxui_theory_hopfield_measure(CxuiTheoryHopfield *self, size_t units)
{
    if (self->measuring != NULL || self->stopped)
        return;
    Measure *measure = g_new0(Measure, 1);
    measure->owner = g_object_ref(self);
    measure->options = cx_capacity_defaults();
    measure->options.n_units = units;
    measure->options.rule = self->rule;
    CxuiJobRequest request = {
        .title = "Measuring the capacity",
        .tier = CX_TIER_BATCH,
        .func = run_measure,
        .data = measure,
        .destroy = measure_free,
        .done = on_measured,
        .user_data = measure,
    };
    self->measuring =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
    say_changed(self);
}

void
cxui_theory_hopfield_cancel_measure(CxuiTheoryHopfield *self)
{
    if (self->measuring != NULL)
        cx_job_cancel(self->measuring);
}

bool
cxui_theory_hopfield_is_measuring(CxuiTheoryHopfield *self)
{
    return self->measuring != NULL;
}

const CxCapacity *
cxui_theory_hopfield_capacity(CxuiTheoryHopfield *self)
{
    return self->capacity;
}

void
cxui_theory_hopfield_stop(CxuiTheoryHopfield *self)
{
    self->stopped = true;
    g_clear_handle_id(&self->tick, g_source_remove);
    if (self->storing != NULL)
        cx_job_cancel(self->storing);
    if (self->measuring != NULL)
        cx_job_cancel(self->measuring);
}

CxuiTheoryHopfield *
cxui_theory_hopfield_new(CxuiSession *session)
{
    CxuiTheoryHopfield *self = g_object_new(CXUI_TYPE_THEORY_HOPFIELD, NULL);

    self->session = session;
    cxui_theory_hopfield_set_n_patterns(self, cx_picture_n_builtin());
    return self;
}

static void
finalize(GObject *object)
{
    CxuiTheoryHopfield *self = CXUI_THEORY_HOPFIELD(object);

    g_clear_handle_id(&self->tick, g_source_remove);
    g_clear_pointer(&self->storing, cx_job_unref);
    g_clear_pointer(&self->measuring, cx_job_unref);
    g_clear_pointer(&self->recall, cx_hopfield_recall_free);
    g_clear_pointer(&self->network, cx_hopfield_free);
    g_clear_pointer(&self->capacity, cx_capacity_free);
    g_free(self->patterns);
    g_array_unref(self->energies);
    g_array_unref(self->sweeps);
    G_OBJECT_CLASS(cxui_theory_hopfield_parent_class)->finalize(object);
}

static void
cxui_theory_hopfield_class_init(CxuiTheoryHopfieldClass *class)
{
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] = g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL,
                                    NULL, NULL, G_TYPE_NONE, 0);
    signals[STATE_CHANGED] =
        g_signal_new("state-changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                     NULL, G_TYPE_NONE, 0);
}

static void
cxui_theory_hopfield_init(CxuiTheoryHopfield *self)
{
    self->energies = g_array_new(FALSE, FALSE, sizeof(double));
    self->sweeps = g_array_new(FALSE, FALSE, sizeof(double));
    self->seed = 1;
}
