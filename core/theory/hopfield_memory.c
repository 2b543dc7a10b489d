/* What a Hopfield network remembered.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/hopfield_memory.h"

#include <math.h>

void
cx_memory_mixture(const int8_t *patterns, size_t n_units, const size_t *parts,
                  const int *signs, unsigned n_parts, int8_t *state)
{
    for (size_t i = 0; i < n_units; i++) {
        int sum = 0;

        for (unsigned k = 0; k < n_parts; k++)
            sum += signs[k] * patterns[parts[k] * n_units + i];
        state[i] = sum > 0 ? 1 : -1;
    }
}

/* The patterns with the largest |overlap|, largest first. */
static unsigned
find_nearest(const int8_t *patterns, size_t n_patterns, size_t n_units,
             const int8_t *state, CxMemory *memory)
{
    double best[CX_MEMORY_MAX_PARTS];
    unsigned n = 0;

    for (size_t p = 0; p < n_patterns; p++) {
        double m = cx_hopfield_overlap(patterns + p * n_units, state, n_units);
        unsigned at = n;

        while (at > 0 && fabs(m) > fabs(best[at - 1]))
            at--;
        if (at == CX_MEMORY_MAX_PARTS)
            continue;
        n = MIN(n + 1, CX_MEMORY_MAX_PARTS);
        for (unsigned k = n - 1; k > at; k--) {
            best[k] = best[k - 1];
            memory->parts[k] = memory->parts[k - 1];
        }
        best[at] = m;
        memory->parts[at] = p;
    }
    for (unsigned k = 0; k < n; k++)
        memory->signs[k] = best[k] < 0.0 ? -1 : 1;
    return n;
}

static double
overlap_with_mixture(const int8_t *patterns, size_t n_units,
                     const int8_t *state, const CxMemory *memory,
                     unsigned n_parts)
{
    int64_t same = 0;

    for (size_t i = 0; i < n_units; i++) {
        int sum = 0;

        for (unsigned k = 0; k < n_parts; k++)
            sum += memory->signs[k] * patterns[memory->parts[k] * n_units + i];
        same += (sum > 0) == (state[i] > 0);
    }
    return 2.0 * (double)same / (double)n_units - 1.0;
}

CxMemory
cx_memory_name(const int8_t *patterns, size_t n_patterns, size_t n_units,
               const int8_t *state)
{
    CxMemory memory = {.kind = CX_MEMORY_GLASS};
    unsigned n = find_nearest(patterns, n_patterns, n_units, state, &memory);

    for (unsigned parts = 1; parts <= n; parts += 2) {
        double m =
            overlap_with_mixture(patterns, n_units, state, &memory, parts);

        if (parts > 1 && m <= memory.overlap)
            continue;
        memory.overlap = m;
        memory.n_parts = parts;
        if (m < CX_MEMORY_NEAR)
            continue;
        if (parts > 1)
            memory.kind = CX_MEMORY_MIXTURE;
        else
            memory.kind =
                memory.signs[0] > 0 ? CX_MEMORY_PATTERN : CX_MEMORY_REVERSED;
        break;
    }
    return memory;
}

static char *
name_of(size_t pattern, const char *const *names)
{
    return names != NULL ? g_strdup(names[pattern])
                         : g_strdup_printf("%zu", pattern + 1);
}

static char *
describe_mixture(const CxMemory *memory, const char *const *names)
{
    g_autoptr(GString) text = g_string_new("False memory: resembles ");

    for (unsigned k = 0; k < memory->n_parts; k++) {
        g_autofree char *name = name_of(memory->parts[k], names);
        bool last = k + 1 == memory->n_parts;

        if (k > 0)
            g_string_append(text, last ? " and " : ", ");
        g_string_append_printf(text, "%s%s", memory->signs[k] < 0 ? "not " : "",
                               name);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *
cx_memory_describe(const CxMemory *memory, const char *const *names)
{
    g_autofree char *first = name_of(memory->parts[0], names);

    switch (memory->kind) {
    case CX_MEMORY_PATTERN:
        return g_strdup_printf("Remembers %s", first);
    case CX_MEMORY_REVERSED:
        return g_strdup_printf("False memory: %s reversed", first);
    case CX_MEMORY_MIXTURE:
        return describe_mixture(memory, names);
    case CX_MEMORY_GLASS:
        break;
    }
    return g_strdup("False memory: resembles no few patterns (spin glass)");
}
