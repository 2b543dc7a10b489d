/* A Hopfield network.
 *
 * Weights are kept times N, so that those of the Hebbian rule are whole
 * numbers, exact in float, and with them every field and energy in double.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/hopfield.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/linear.h"

#include <math.h>
#include <string.h>

#define WORD 64

/* Sweeps of a random start that is to be unlearnt. */
#define UNLEARN_SWEEPS 100

struct CxHopfield {
    size_t n;
    float *weights; /* [n][n], times n; the diagonal is 0 */
};

struct CxHopfieldRecall {
    const CxHopfield *network;
    CxRng rng;
    int8_t *state;
    double *fields; /* times n */
    double *public_fields;
    uint32_t *order; /* of the units in this sweep */
    size_t at;       /* in order */
    double energy;   /* times n */
    uint64_t n_updates, n_flips;
};

static const char *const rule_names[CX_HOPFIELD_N_RULES] = {
    "hebb", "pseudo-inverse", "storkey"};

const char *
cx_hopfield_rule_name(CxHopfieldRule rule)
{
    return rule_names[rule];
}

bool
cx_hopfield_rule_parse(const char *name, CxHopfieldRule *rule)
{
    for (unsigned i = 0; i < CX_HOPFIELD_N_RULES; i++) {
        if (g_strcmp0(name, rule_names[i]) != 0)
            continue;
        *rule = (CxHopfieldRule)i;
        return true;
    }
    return false;
}

CxHopfield *
cx_hopfield_new(size_t n_units, GError **error)
{
    if (n_units < 2 || n_units > CX_HOPFIELD_MAX_UNITS) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a Hopfield network of %zu units was asked for, expected "
                    "2 to %d",
                    n_units, CX_HOPFIELD_MAX_UNITS);
        return NULL;
    }
    float *weights = cx_try_alloc0(n_units * n_units, sizeof *weights, error);
    if (weights == NULL)
        return NULL;
    CxHopfield *network = g_new0(CxHopfield, 1);
    network->n = n_units;
    network->weights = weights;
    return network;
}

void
cx_hopfield_free(CxHopfield *network)
{
    if (network == NULL)
        return;
    cx_free(network->weights);
    g_free(network);
}

size_t
cx_hopfield_n_units(const CxHopfield *network)
{
    return network->n;
}

const float *
cx_hopfield_weights(const CxHopfield *network, size_t unit)
{
    return network->weights + unit * network->n;
}

/* ---- Rules ---- */

/* Row i holds the bits of unit i over all patterns. */
static uint64_t *
pack_bits(const int8_t *patterns, size_t n_patterns, size_t n, GError **error)
{
    size_t n_words = (n_patterns + WORD - 1) / WORD;
    uint64_t *bits = cx_try_alloc0(n * n_words, sizeof *bits, error);

    for (size_t p = 0; bits != NULL && p < n_patterns; p++)
        for (size_t i = 0; i < n; i++)
            if (patterns[p * n + i] > 0)
                bits[i * n_words + p / WORD] |= UINT64_C(1) << p % WORD;
    return bits;
}

/* N W_ij = P - 2 (number of patterns in which i and j differ). */
static bool
store_hebb(CxHopfield *network, const int8_t *patterns, size_t n_patterns,
           CxJob *job, GError **error)
{
    size_t n = network->n, n_words = (n_patterns + WORD - 1) / WORD;
    CX_AUTOFREE uint64_t *bits = pack_bits(patterns, n_patterns, n, error);

    if (bits == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const uint64_t *a = bits + i * n_words;

        for (size_t j = 0; j < i; j++) {
            const uint64_t *b = bits + j * n_words;
            int differ = 0;

            for (size_t k = 0; k < n_words; k++)
                differ += __builtin_popcountll(a[k] ^ b[k]);
            float w = (float)((int64_t)n_patterns - 2 * differ);
            network->weights[i * n + j] = w;
            network->weights[j * n + i] = w;
        }
        if (!cx_job_step(job, i + 1, n, error))
            return false;
    }
    return true;
}

/* N W = N X^T (X X^T)^-1 X, by Cholesky's factor L of X X^T: with L Y = X it
 * is N Y^T Y. */
static bool
store_pseudo_inverse(CxHopfield *network, const int8_t *patterns,
                     size_t n_patterns, CxJob *job, GError **error)
{
    size_t n = network->n, p = n_patterns;
    CX_AUTOFREE double *gram = cx_try_alloc(p * p, sizeof *gram, error);
    CX_AUTOFREE double *rows =
        gram != NULL ? cx_try_alloc(p * n, sizeof *rows, error) : NULL;

    if (rows == NULL)
        return false;
    for (size_t i = 0; i < p * n; i++)
        rows[i] = patterns[i];
    for (size_t a = 0; a < p; a++)
        for (size_t b = 0; b <= a; b++)
            gram[a * p + b] =
                cx_hopfield_overlap(patterns + a * n, patterns + b * n, n);
    if (!cx_linear_cholesky(gram, p)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the %zu patterns of %zu units are not linearly "
                    "independent, as the pseudo-inverse rule needs them",
                    p, n);
        return false;
    }
    cx_linear_solve_lower(gram, p, rows, n);
    for (size_t i = 0; i < n; i++) {
        float *to = network->weights + i * n;

        for (size_t j = 0; j < n; j++)
            to[j] = 0.0f;
        for (size_t a = 0; a < p; a++) {
            double w = rows[a * n + i];

            for (size_t j = 0; j < n; j++)
                to[j] += (float)(w * rows[a * n + j]);
        }
        to[i] = 0.0f;
        if (!cx_job_step(job, i + 1, n, error))
            return false;
    }
    return true;
}

/* Storkey 1997: with h_ij = sum over k other than i, j of W_ik x_k,
 * W_ij += (x_i x_j - x_i h_ji - h_ij x_j) / N. */
static void
store_storkey_pattern(CxHopfield *network, const int8_t *x, double *h)
{
    size_t n = network->n;

    for (size_t i = 0; i < n; i++) {
        const float *row = network->weights + i * n;

        h[i] = 0.0;
        for (size_t k = 0; k < n; k++)
            h[i] += (double)row[k] * x[k];
        h[i] /= (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        float *row = network->weights + i * n;

        for (size_t j = 0; j < n; j++) {
            double w = row[j] / (double)n;
            double h_ij = h[i] - w * x[j], h_ji = h[j] - w * x[i];

            row[j] += (float)(x[i] * x[j] - x[i] * h_ji - h_ij * x[j]);
        }
        row[i] = 0.0f;
    }
}

/* The two halves differ by what was rounded. */
static void
make_symmetric(CxHopfield *network)
{
    size_t n = network->n;

    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            network->weights[j * n + i] = network->weights[i * n + j];
}

static bool
store_storkey(CxHopfield *network, const int8_t *patterns, size_t n_patterns,
              CxJob *job, GError **error)
{
    CX_AUTOFREE double *h = cx_try_alloc(network->n, sizeof *h, error);

    for (size_t p = 0; h != NULL && p < n_patterns; p++) {
        store_storkey_pattern(network, patterns + p * network->n, h);
        if (!cx_job_step(job, p + 1, n_patterns, error))
            return false;
    }
    return h != NULL;
}

static void
forget(CxHopfield *network)
{
    memset(network->weights, 0,
           network->n * network->n * sizeof *network->weights);
}

bool
cx_hopfield_store(CxHopfield *network, CxHopfieldRule rule,
                  const int8_t *patterns, size_t n_patterns, CxJob *job,
                  GError **error)
{
    bool ok = true;

    forget(network);
    if (n_patterns == 0)
        return true;
    if (rule == CX_HOPFIELD_HEBB)
        ok = store_hebb(network, patterns, n_patterns, job, error);
    else if (rule == CX_HOPFIELD_PSEUDO_INVERSE)
        ok = store_pseudo_inverse(network, patterns, n_patterns, job, error);
    else
        ok = store_storkey(network, patterns, n_patterns, job, error);
    if (ok)
        make_symmetric(network);
    else
        forget(network);
    return ok;
}

static void
unlearn_state(CxHopfield *network, double strength, const int8_t *s)
{
    size_t n = network->n;

    for (size_t i = 0; i < n; i++) {
        float *row = network->weights + i * n;
        float change = (float)(strength * s[i]);

        for (size_t j = 0; j < n; j++)
            row[j] -= change * (float)s[j];
        row[i] = 0.0f;
    }
}

bool
cx_hopfield_unlearn(CxHopfield *network, double strength, unsigned times,
                    CxRng *rng, CxJob *job, GError **error)
{
    CX_AUTOFREE int8_t *start = cx_try_alloc(network->n, 1, error);

    for (unsigned t = 0; start != NULL && t < times; t++) {
        cx_hopfield_random_pattern(rng, start, network->n);
        g_autoptr(CxHopfieldRecall) recall =
            cx_hopfield_recall_new(network, start, cx_rng_next(rng), error);

        if (recall == NULL)
            return false;
        cx_hopfield_recall_settle(recall, UNLEARN_SWEEPS);
        unlearn_state(network, strength, recall->state);
        if (!cx_job_step(job, t + 1, times, error))
            return false;
    }
    return start != NULL;
}

/* ---- States ---- */

static double
field_of(const CxHopfield *network, size_t unit, const int8_t *state)
{
    const float *row = network->weights + unit * network->n;
    double sum = 0.0;

    for (size_t j = 0; j < network->n; j++)
        sum += (double)row[j] * state[j];
    return sum;
}

double
cx_hopfield_energy(const CxHopfield *network, const int8_t *state)
{
    double sum = 0.0;

    for (size_t i = 0; i < network->n; i++)
        sum += state[i] * field_of(network, i, state);
    return -0.5 * sum / (double)network->n;
}

double
cx_hopfield_overlap(const int8_t *a, const int8_t *b, size_t n)
{
    int32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum / (double)n;
}

void
cx_hopfield_random_pattern(CxRng *rng, int8_t *pattern, size_t n)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++) {
        if (i % WORD == 0)
            bits = cx_rng_next(rng);
        pattern[i] = (bits >> i % WORD & 1) != 0 ? 1 : -1;
    }
}

/* Takes each unit with the chance that just fills what is still to be taken
 * from those that are left (Knuth's algorithm S). */
void
cx_hopfield_add_noise(CxRng *rng, int8_t *state, size_t n, double share)
{
    size_t wanted = (size_t)llround(CLAMP(share, 0.0, 1.0) * (double)n);

    for (size_t i = 0; i < n && wanted > 0; i++) {
        if (cx_rng_below(rng, n - i) >= wanted)
            continue;
        state[i] = (int8_t)-state[i];
        wanted--;
    }
}

/* ---- Recall ---- */

CxHopfieldRecall *
cx_hopfield_recall_new(const CxHopfield *network, const int8_t *state,
                       uint64_t seed, GError **error)
{
    g_autoptr(CxHopfieldRecall) recall = g_new0(CxHopfieldRecall, 1);
    size_t n = network->n;

    recall->network = network;
    cx_rng_init(&recall->rng, seed);
    recall->state = cx_try_alloc(n, 1, error);
    if (recall->state == NULL)
        return NULL;
    recall->fields = cx_try_alloc(2 * n, sizeof *recall->fields, error);
    if (recall->fields == NULL)
        return NULL;
    recall->public_fields = recall->fields + n;
    recall->order = cx_try_alloc(n, sizeof *recall->order, error);
    if (recall->order == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        recall->order[i] = (uint32_t)i;
    cx_hopfield_recall_set_state(recall, state);
    return g_steal_pointer(&recall);
}

void
cx_hopfield_recall_free(CxHopfieldRecall *recall)
{
    if (recall == NULL)
        return;
    cx_free(recall->state);
    cx_free(recall->fields);
    cx_free(recall->order);
    g_free(recall);
}

static void
count_fields(CxHopfieldRecall *recall)
{
    double sum = 0.0;

    for (size_t i = 0; i < recall->network->n; i++) {
        recall->fields[i] = field_of(recall->network, i, recall->state);
        sum += recall->state[i] * recall->fields[i];
    }
    recall->energy = -0.5 * sum;
}

void
cx_hopfield_recall_set_state(CxHopfieldRecall *recall, const int8_t *state)
{
    memcpy(recall->state, state, recall->network->n);
    count_fields(recall);
    recall->at = 0;
    recall->n_updates = recall->n_flips = 0;
}

/* The energy changes by 2 s_i h_i; the rows of W are its columns. */
static void
flip(CxHopfieldRecall *recall, size_t unit)
{
    const float *row = cx_hopfield_weights(recall->network, unit);
    double change = -2.0 * recall->state[unit];

    recall->energy += 2.0 * recall->state[unit] * recall->fields[unit];
    recall->state[unit] = (int8_t)-recall->state[unit];
    for (size_t j = 0; j < recall->network->n; j++)
        recall->fields[j] += change * (double)row[j];
}

void
cx_hopfield_recall_set_unit(CxHopfieldRecall *recall, size_t unit, int8_t value)
{
    if (recall->state[unit] != value)
        flip(recall, unit);
}

static void
shuffle(CxHopfieldRecall *recall)
{
    for (size_t i = recall->network->n - 1; i > 0; i--) {
        size_t j = cx_rng_below(&recall->rng, i + 1);
        uint32_t other = recall->order[j];

        recall->order[j] = recall->order[i];
        recall->order[i] = other;
    }
}

size_t
cx_hopfield_recall_step(CxHopfieldRecall *recall, size_t n)
{
    size_t n_flips = 0;

    for (size_t k = 0; k < n; k++) {
        if (recall->at == 0)
            shuffle(recall);
        size_t unit = recall->order[recall->at];

        recall->at = (recall->at + 1) % recall->network->n;
        if (recall->state[unit] * recall->fields[unit] >= 0.0)
            continue;
        flip(recall, unit);
        n_flips++;
    }
    recall->n_updates += n;
    recall->n_flips += n_flips;
    return n_flips;
}

size_t
cx_hopfield_recall_step_together(CxHopfieldRecall *recall)
{
    size_t n = recall->network->n, n_flips = 0;

    for (size_t i = 0; i < n; i++) {
        if (recall->state[i] * recall->fields[i] >= 0.0)
            continue;
        recall->state[i] = (int8_t)-recall->state[i];
        n_flips++;
    }
    if (n_flips > 0)
        count_fields(recall);
    recall->n_updates += n;
    recall->n_flips += n_flips;
    return n_flips;
}

bool
cx_hopfield_recall_is_settled(const CxHopfieldRecall *recall)
{
    for (size_t i = 0; i < recall->network->n; i++)
        if (recall->state[i] * recall->fields[i] < 0.0)
            return false;
    return true;
}

bool
cx_hopfield_recall_settle(CxHopfieldRecall *recall, unsigned max_sweeps)
{
    for (unsigned sweep = 0; sweep < max_sweeps; sweep++)
        if (cx_hopfield_recall_step(recall, recall->network->n) == 0 &&
            cx_hopfield_recall_is_settled(recall))
            return true;
    return cx_hopfield_recall_is_settled(recall);
}

const int8_t *
cx_hopfield_recall_state(const CxHopfieldRecall *recall)
{
    return recall->state;
}

const double *
cx_hopfield_recall_fields(const CxHopfieldRecall *recall)
{
    for (size_t i = 0; i < recall->network->n; i++)
        recall->public_fields[i] =
            recall->fields[i] / (double)recall->network->n;
    return recall->public_fields;
}

double
cx_hopfield_recall_energy(const CxHopfieldRecall *recall)
{
    return recall->energy / (double)recall->network->n;
}

uint64_t
cx_hopfield_recall_n_updates(const CxHopfieldRecall *recall)
{
    return recall->n_updates;
}

uint64_t
cx_hopfield_recall_n_flips(const CxHopfieldRecall *recall)
{
    return recall->n_flips;
}
