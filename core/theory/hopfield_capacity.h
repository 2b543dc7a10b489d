/* How many random patterns a Hopfield network finds again: a sweep over the
 * load alpha = P / N.
 *
 * Each trial draws P random patterns, stores them, starts from one of them
 * (with noise, if asked for) and lets units settle in random order.  The same
 * options give the same figures with any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/hopfield.h"

typedef struct {
    CxHopfieldRule rule;
    size_t n_units;
    double load_from, load_to; /* 0.02 … 0.25 */
    unsigned n_loads;          /* points, ends included; at least 2 */
    unsigned n_trials;         /* a point */
    double noise;              /* share of units flipped at the start */
    unsigned max_sweeps;       /* a trial */
    uint64_t seed;
    unsigned n_threads; /* 0 = all cores */
} CxCapacityOptions;

typedef struct {
    double load; /* n_patterns / n_units */
    size_t n_patterns;
    double mean_overlap; /* of the end with the pattern at the start */
    double sd_overlap;   /* over trials */
    double found;        /* share of trials that end above 0.9 */
} CxCapacityPoint;

typedef struct {
    unsigned n_points;
    CxCapacityPoint *points; /* by load */
    /* The load at which half of the trials find their pattern, between the
     * last point above 1/2 and the next; NaN if the sweep does not cross. */
    double capacity;
} CxCapacity;

/* 1000 units, 24 loads from 0.02 to 0.25, 10 trials, no noise. */
CxCapacityOptions cx_capacity_defaults(void);

CxCapacity *cx_capacity_measure(const CxCapacityOptions *options, CxJob *job,
                                GError **error);
void cx_capacity_free(CxCapacity *capacity);

/* "load,patterns,mean_overlap,sd_overlap,found\n…"; owned. */
char *cx_capacity_to_csv(const CxCapacity *capacity);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxCapacity, cx_capacity_free)
