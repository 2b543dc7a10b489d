/* What a Hopfield network remembered: a pattern, or which false memory.
 *
 * False memories are states that hold themselves though nobody stored them:
 * reversed patterns, odd mixtures sign(+-a +-b +-c), which have overlap 1/2
 * with each of three patterns and 3/8 with each of five, and spin-glass states
 * that resemble no few of them (Amit, Gutfreund and Sompolinsky, 1985).
 *
 * Pure functions; any thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/theory/hopfield.h"

typedef enum {
    CX_MEMORY_PATTERN,  /* overlap with one pattern at least CX_MEMORY_NEAR */
    CX_MEMORY_REVERSED, /* with the negative of one */
    CX_MEMORY_MIXTURE,  /* with a mixture of three or five */
    CX_MEMORY_GLASS,    /* none of these */
} CxMemoryKind;

#define CX_MEMORY_NEAR 0.9
#define CX_MEMORY_MAX_PARTS 5

typedef struct {
    CxMemoryKind kind;
    double overlap;   /* with what it was found to be, or (glass) nearest to */
    unsigned n_parts; /* 1, 3 or 5 */
    size_t parts[CX_MEMORY_MAX_PARTS]; /* patterns, nearest first */
    int signs[CX_MEMORY_MAX_PARTS];    /* -1: that pattern reversed */
} CxMemory;

/* n_patterns at least 1. */
CxMemory cx_memory_name(const int8_t *patterns, size_t n_patterns,
                        size_t n_units, const int8_t *state);

/* sign(sum of signs[k] * pattern parts[k]); n_parts odd. */
void cx_memory_mixture(const int8_t *patterns, size_t n_units,
                       const size_t *parts, const int *signs, unsigned n_parts,
                       int8_t *state);

/* "Remembers A", "False memory: A reversed", "False memory: resembles A, B and
 * not C", "False memory: resembles no few patterns (spin glass)"; owned.
 * names: one a pattern, or NULL for numbers from 1 on. */
char *cx_memory_describe(const CxMemory *memory, const char *const *names);
