/* A Hopfield network: patterns as valleys of an energy (Hopfield, 1982).
 *
 * N units s in {-1, +1}, symmetric weights W without a diagonal.  A unit takes
 * the sign of its field h_i = sum_j W_ij s_j and keeps its state where h_i is
 * 0; then E = -1/2 s^T W s never rises.  Units in random order always end in a
 * state that no unit leaves; all units at once may end in a cycle of two.
 *
 * Patterns and states are int8_t of -1 and +1, N of them; patterns lie one
 * after the other.  A network may be read by many threads at once and changed
 * by one.  N is at most CX_HOPFIELD_MAX_UNITS: weights take 4 N^2 bytes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/jobs/job.h"

#define CX_HOPFIELD_MAX_UNITS 8192

/* The load P / N up to which the Hebbian rule finds random patterns again, for
 * large N (Amit, Gutfreund and Sompolinsky, 1985). */
#define CX_HOPFIELD_CRITICAL_LOAD 0.138

typedef enum {
    CX_HOPFIELD_HEBB,           /* W = X^T X / N */
    CX_HOPFIELD_PSEUDO_INVERSE, /* W projects on the patterns; up to N of them
                                   (Personnaz, Guyon and Dreyfus, 1985) */
    CX_HOPFIELD_STORKEY,        /* one after the other, local (Storkey, 1997) */
} CxHopfieldRule;

#define CX_HOPFIELD_N_RULES 3

typedef struct CxHopfield CxHopfield;

/* "hebb", "pseudo-inverse", "storkey". */
const char *cx_hopfield_rule_name(CxHopfieldRule rule);
bool cx_hopfield_rule_parse(const char *name, CxHopfieldRule *rule);

/* A network that stores nothing. */
CxHopfield *cx_hopfield_new(size_t n_units, GError **error);
void cx_hopfield_free(CxHopfield *network);

size_t cx_hopfield_n_units(const CxHopfield *network);

/* Forgets everything and stores these patterns.  The pseudo-inverse refuses
 * patterns that are not linearly independent (CX_ERROR_INVALID).  After an
 * error the network stores nothing. */
bool cx_hopfield_store(CxHopfield *network, CxHopfieldRule rule,
                       const int8_t *patterns, size_t n_patterns, CxJob *job,
                       GError **error);

/* Takes away a little of the states it falls into from random starts, `times`
 * of them: W -= strength / N s s^T (Hopfield, Feinstein and Palmer, 1983).
 * Small strengths (0.01) flatten false memories first. */
bool cx_hopfield_unlearn(CxHopfield *network, double strength, unsigned times,
                         CxRng *rng, CxJob *job, GError **error);

/* The weights of unit i to all others, times N; borrowed.  Whole numbers after
 * the Hebbian rule. */
const float *cx_hopfield_weights(const CxHopfield *network, size_t unit);

/* From the definition, N^2 products. */
double cx_hopfield_energy(const CxHopfield *network, const int8_t *state);

/* m = a . b / n: 1 the same, -1 reversed, 0 unrelated. */
double cx_hopfield_overlap(const int8_t *a, const int8_t *b, size_t n);

/* Each unit +1 or -1 alike. */
void cx_hopfield_random_pattern(CxRng *rng, int8_t *pattern, size_t n);

/* Flips exactly `share` of the units, other ones each time. */
void cx_hopfield_add_noise(CxRng *rng, int8_t *state, size_t n, double share);

/* ---- Recall: a state on its way down.  One thread at a time. ---- */

typedef struct CxHopfieldRecall CxHopfieldRecall;

/* The network is borrowed and must not change; state is copied. */
CxHopfieldRecall *cx_hopfield_recall_new(const CxHopfield *network,
                                         const int8_t *state, uint64_t seed,
                                         GError **error);
void cx_hopfield_recall_free(CxHopfieldRecall *recall);

/* Begins again from another state. */
void cx_hopfield_recall_set_state(CxHopfieldRecall *recall,
                                  const int8_t *state);

/* The user's brush: one unit to value, -1 or +1. */
void cx_hopfield_recall_set_unit(CxHopfieldRecall *recall, size_t unit,
                                 int8_t value);

/* Looks at the next n units in random order (each once a sweep of N) and
 * returns how many flipped.  N units from a settled state: 0. */
size_t cx_hopfield_recall_step(CxHopfieldRecall *recall, size_t n);

/* All units at once; returns how many flipped.  May go on for ever between two
 * states, and the energy may rise. */
size_t cx_hopfield_recall_step_together(CxHopfieldRecall *recall);

/* Sweeps until a whole one flips nothing, or max_sweeps are done; true when it
 * has settled. */
bool cx_hopfield_recall_settle(CxHopfieldRecall *recall, unsigned max_sweeps);

/* No unit would flip. */
bool cx_hopfield_recall_is_settled(const CxHopfieldRecall *recall);

const int8_t *cx_hopfield_recall_state(const CxHopfieldRecall *recall);
const double *cx_hopfield_recall_fields(const CxHopfieldRecall *recall);

/* Kept up to date by what each flip changes. */
double cx_hopfield_recall_energy(const CxHopfieldRecall *recall);

/* Units looked at, and flips, since the last set_state(). */
uint64_t cx_hopfield_recall_n_updates(const CxHopfieldRecall *recall);
uint64_t cx_hopfield_recall_n_flips(const CxHopfieldRecall *recall);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxHopfield, cx_hopfield_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxHopfieldRecall, cx_hopfield_recall_free)
