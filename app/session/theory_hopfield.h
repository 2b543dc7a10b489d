/* A Hopfield network to play with: pictures it stores, a state that falls,
 * and the sweep over its capacity.
 *
 * Storing and the sweep are jobs; recall runs on the main loop, a few units at
 * a time (microseconds), so that the fall can be watched and painted into.
 * Main thread only.
 *
 * Signals:
 *   changed()        patterns, network, capacity, or what is running
 *   state-changed()  state, energy, overlaps
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "core/theory/hopfield_capacity.h"
#include "core/theory/hopfield_memory.h"

#define CXUI_HOPFIELD_SIDE 32

#define CXUI_TYPE_THEORY_HOPFIELD (cxui_theory_hopfield_get_type())
G_DECLARE_FINAL_TYPE(CxuiTheoryHopfield, cxui_theory_hopfield, CXUI,
                     THEORY_HOPFIELD, GObject)

/* session is borrowed and must outlive the jobs (it drains them). */
CxuiTheoryHopfield *cxui_theory_hopfield_new(CxuiSession *session);

/* Cancels what runs; nothing new begins. */
void cxui_theory_hopfield_stop(CxuiTheoryHopfield *self);

/* ---- patterns */

/* Built-in pictures first, random ones fill up to the load.  Starts storing. */
void cxui_theory_hopfield_set_n_patterns(CxuiTheoryHopfield *self, size_t n);
void cxui_theory_hopfield_set_rule(CxuiTheoryHopfield *self,
                                   CxHopfieldRule rule);
size_t cxui_theory_hopfield_n_patterns(CxuiTheoryHopfield *self);
size_t cxui_theory_hopfield_n_units(CxuiTheoryHopfield *self);
CxHopfieldRule cxui_theory_hopfield_rule(CxuiTheoryHopfield *self);
const int8_t *cxui_theory_hopfield_pattern(CxuiTheoryHopfield *self, size_t i);

/* "ring", or "random 12"; owned. */
char *cxui_theory_hopfield_dup_name(CxuiTheoryHopfield *self, size_t i);

/* A network is there and holds these patterns. */
bool cxui_theory_hopfield_is_ready(CxuiTheoryHopfield *self);

/* ---- state */

/* From a pattern with a share of its units flipped. */
void cxui_theory_hopfield_start(CxuiTheoryHopfield *self, size_t pattern,
                                double noise);

/* From the mixture of the first three patterns: a false memory. */
void cxui_theory_hopfield_start_mixture(CxuiTheoryHopfield *self);
void cxui_theory_hopfield_paint(CxuiTheoryHopfield *self, size_t unit,
                                int8_t value);
void cxui_theory_hopfield_set_running(CxuiTheoryHopfield *self, bool running);
bool cxui_theory_hopfield_is_running(CxuiTheoryHopfield *self);

/* One sweep of all units, at once. */
void cxui_theory_hopfield_sweep(CxuiTheoryHopfield *self);

/* All units together instead of one after the other. */
void cxui_theory_hopfield_set_together(CxuiTheoryHopfield *self, bool together);

/* Borrowed; NULL before the first network is there. */
const int8_t *cxui_theory_hopfield_state(CxuiTheoryHopfield *self);
double cxui_theory_hopfield_overlap(CxuiTheoryHopfield *self, size_t pattern);

/* Energies a unit since the start, and the sweeps (updates / N) they belong
 * to; borrowed. */
const double *cxui_theory_hopfield_energies(CxuiTheoryHopfield *self,
                                            const double **sweeps, size_t *n);

/* "Remembers ring", "False memory: …"; "" while it falls; owned. */
char *cxui_theory_hopfield_dup_memory(CxuiTheoryHopfield *self);

/* ---- capacity */

/* Networks of so many units; replaces what was measured. */
void cxui_theory_hopfield_measure(CxuiTheoryHopfield *self, size_t n_units);
void cxui_theory_hopfield_cancel_measure(CxuiTheoryHopfield *self);
bool cxui_theory_hopfield_is_measuring(CxuiTheoryHopfield *self);

/* Borrowed, NULL before the first one. */
const CxCapacity *cxui_theory_hopfield_capacity(CxuiTheoryHopfield *self);
