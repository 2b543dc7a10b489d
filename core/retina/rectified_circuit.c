/* A few channels, each above its threshold, added up: the network in one
 * line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/retina/circuit.h"
#include "core/retina/film_drive.h"
#include "core/retina/network_responder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHANNELS CX_CIRCUIT_MAX_CHANNELS
#define N_THRESHOLDS 17 /* quantiles tried for each channel */
#define N_SWEEPS 4
#define N_CANDIDATES 10

double
cx_rectified_circuit_rate(const CxRectifiedCircuit *circuit, const double *m)
{
    double sum = circuit->offset;

    for (size_t i = 0; i < circuit->n_channels; i++)
        sum += circuit->weight[i] * fmax(m[i] - circuit->threshold[i], 0.0);
    return fmax(sum, 0.0);
}

/* Features: what lies above the thresholds.  Sums of products about the
 * means. */
typedef struct {
    double gram[MAX_CHANNELS][MAX_CHANNELS], cross[MAX_CHANNELS];
    double mean[MAX_CHANNELS], mean_target, power;
} Moments;

static Moments
take_moments(const double *m, const double *target, size_t n, size_t k,
             const double *threshold)
{
    Moments s = {0};
    double f[MAX_CHANNELS];

    for (size_t t = 0; t < n; t++) {
        s.mean_target += target[t] / (double)n;
        for (size_t i = 0; i < k; i++)
            s.mean[i] += fmax(m[t * k + i] - threshold[i], 0.0) / (double)n;
    }
    for (size_t t = 0; t < n; t++) {
        double y = target[t] - s.mean_target;

        for (size_t i = 0; i < k; i++)
            f[i] = fmax(m[t * k + i] - threshold[i], 0.0) - s.mean[i];
        for (size_t i = 0; i < k; i++) {
            s.cross[i] += f[i] * y;
            for (size_t j = 0; j <= i; j++)
                s.gram[i][j] = s.gram[j][i] += f[i] * f[j];
        }
        s.power += y * y;
    }
    return s;
}

/* Least squares by coordinate descent; returns what is left of the target's
 * power. */
static double
solve_weights(const Moments *s, size_t k, double *weight)
{
    memset(weight, 0, k * sizeof(double));
    for (unsigned sweep = 0; sweep < 200; sweep++)
        for (size_t i = 0; i < k; i++) {
            double rest = s->cross[i];

            for (size_t j = 0; j < k; j++)
                rest -= j == i ? 0.0 : s->gram[i][j] * weight[j];
            weight[i] = s->gram[i][i] > 0.0 ? rest / s->gram[i][i] : 0.0;
        }
    double left = s->power;
    for (size_t i = 0; i < k; i++) {
        left -= 2.0 * weight[i] * s->cross[i];
        for (size_t j = 0; j < k; j++)
            left += weight[i] * s->gram[i][j] * weight[j];
    }
    return left;
}

static int
compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* candidates[q]: evenly spaced quantiles of column i. */
static void
find_quantiles(const double *m, size_t n, size_t k, size_t i,
               double *candidates)
{
    g_autofree double *column = g_new(double, n);

    for (size_t t = 0; t < n; t++)
        column[t] = m[t * k + i];
    qsort(column, n, sizeof(double), compare_reals);
    for (size_t q = 0; q < N_THRESHOLDS; q++)
        candidates[q] = column[q * (n - 1) / N_THRESHOLDS];
}

static double
residual(const double *m, const double *target, size_t n, size_t k,
         const double *threshold, double *weight)
{
    Moments s = take_moments(m, target, n, k, threshold);

    return solve_weights(&s, k, weight);
}

static void
finish_fit(const double *m, const double *target, size_t n,
           CxRectifiedCircuit *circuit)
{
    size_t k = circuit->n_channels;
    Moments s = take_moments(m, target, n, k, circuit->threshold);
    g_autofree float *pair = g_new(float, 2 * n);

    solve_weights(&s, k, circuit->weight);
    circuit->offset = s.mean_target;
    for (size_t i = 0; i < k; i++)
        circuit->offset -= circuit->weight[i] * s.mean[i];
    for (size_t t = 0; t < n; t++) {
        pair[2 * t] = (float)cx_rectified_circuit_rate(circuit, m + t * k);
        pair[2 * t + 1] = (float)target[t];
    }
    circuit->r = cx_retina_pearson(pair, 2, pair + 1, 2, n);
}

void
cx_rectified_circuit_fit(const double *m, const double *target, size_t n,
                         size_t n_channels, CxRectifiedCircuit *circuit)
{
    size_t k = circuit->n_channels = n_channels;
    double candidates[MAX_CHANNELS][N_THRESHOLDS], weight[MAX_CHANNELS];
    double best = (double)INFINITY;

    g_assert(k > 0 && k <= MAX_CHANNELS && n > 0);
    for (size_t i = 0; i < k; i++) {
        find_quantiles(m, n, k, i, candidates[i]);
        circuit->threshold[i] = candidates[i][N_THRESHOLDS / 2];
    }
    for (unsigned sweep = 0; sweep < N_SWEEPS; sweep++)
        for (size_t i = 0; i < k; i++) {
            double kept = circuit->threshold[i];

            for (size_t q = 0; q < N_THRESHOLDS; q++) {
                circuit->threshold[i] = candidates[i][q];
                double left =
                    residual(m, target, n, k, circuit->threshold, weight);
                if (left < best) {
                    best = left;
                    kept = candidates[i][q];
                }
            }
            circuit->threshold[i] = kept;
        }
    finish_fit(m, target, n, circuit);
}

/* ---- from a network --------------------------------------------------- */

/* What the circuit is fitted to: m of every channel, and the target. */
typedef struct {
    GArray *m, *target; /* double */
    size_t n_channels;
} Samples;

/* What is measured: of the omitted stimulus the last two periods and all that
 * follows, else everything. */
static size_t
first_frame(const CxProtocolCondition *condition)
{
    int64_t first = condition->last_flash_frame - 2 * condition->period_frames;

    return condition->last_flash_frame >= 0 && first > 0 ? (size_t)first : 0;
}

static bool
add_condition(const CxRetinaCnn *net, const CxProtocolCondition *condition,
              const float *rates, size_t n_cells, Samples *samples,
              GError **error)
{
    size_t history = cx_retina_cnn_shape(net)->history;
    size_t first = first_frame(condition);
    size_t n_frames = condition->movie->n_frames - first;
    g_autoptr(CxMovie) film =
        cx_film_for_network(net, condition->movie, history, error);
    g_autoptr(CxFilmDrive) drive =
        film != NULL ? cx_film_drive_new(net, film, error) : NULL;
    CxRetinaScratch *scratch = cx_retina_scratch_new(net);
    size_t at = samples->m->len;

    g_array_set_size(samples->m, (guint)(at + n_frames * samples->n_channels));
    bool done =
        drive != NULL &&
        cx_film_drive_means(drive, scratch, history + first, n_frames,
                            &g_array_index(samples->m, double, at), error);
    cx_retina_scratch_free(scratch);
    for (size_t t = 0; done && t < n_frames; t++) {
        double rate = (double)rates[(first + t) * n_cells + n_cells / 2];

        g_array_append_val(samples->target, rate);
    }
    return done;
}

/* The channels whose m varies most, at most N_CANDIDATES, in order of index. */
static size_t
choose_candidates(const Samples *samples, unsigned *chosen)
{
    size_t n = samples->target->len, k = samples->n_channels, n_chosen = 0;
    g_autofree double *variance = g_new0(double, k);
    const double *m = (const double *)(const void *)samples->m->data;

    for (size_t c = 0; c < k; c++) {
        double mean = 0.0;

        for (size_t t = 0; t < n; t++)
            mean += m[t * k + c] / (double)n;
        for (size_t t = 0; t < n; t++)
            variance[c] += (m[t * k + c] - mean) * (m[t * k + c] - mean);
    }
    for (unsigned c = 0; c < k; c++) {
        size_t larger = 0;

        for (unsigned d = 0; d < k; d++)
            larger += variance[d] > variance[c] ||
                      (d < c && variance[d] == variance[c]);
        if (larger < N_CANDIDATES)
            chosen[n_chosen++] = c;
    }
    return n_chosen;
}

static void
try_subset(const Samples *samples, const unsigned *channels, size_t k,
           double *columns, CxRectifiedCircuit *best)
{
    size_t n = samples->target->len;
    const double *m = (const double *)(const void *)samples->m->data;
    CxRectifiedCircuit circuit = {0};

    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < k; i++)
            columns[t * k + i] = m[t * samples->n_channels + channels[i]];
    cx_rectified_circuit_fit(
        columns, (const double *)(const void *)samples->target->data, n, k,
        &circuit);
    memcpy(circuit.channel, channels, k * sizeof(unsigned));
    if (best->n_channels == 0 || circuit.r > best->r)
        *best = circuit;
}

/* Every set of k of the candidates, counted as digits that rise. */
static bool
try_all(const Samples *samples, size_t k, CxRectifiedCircuit *best, CxJob *job,
        GError **error)
{
    unsigned chosen[N_CANDIDATES], digit[MAX_CHANNELS], channels[MAX_CHANNELS];
    size_t n = choose_candidates(samples, chosen);
    g_autofree double *columns = g_new(double, samples->target->len *k);

    k = MIN(k, n);
    for (unsigned i = 0; i < k; i++)
        digit[i] = i;
    for (;;) {
        size_t i = k;

        for (size_t j = 0; j < k; j++)
            channels[j] = chosen[digit[j]];
        try_subset(samples, channels, k, columns, best);
        if (!cx_job_check(job, error))
            return false;
        while (i > 0 && digit[i - 1] + (k - i) + 1 >= n)
            i--;
        if (i == 0)
            return true;
        digit[i - 1]++;
        for (; i < k; i++)
            digit[i] = digit[i - 1] + 1;
    }
}

bool
cx_rectified_circuit_new(const CxRetinaCnn *net,
                         const CxProtocolOptions *options, CxProtocolKind kind,
                         size_t n_channels, unsigned n_threads,
                         CxRectifiedCircuit *circuit, CxJob *job,
                         GError **error)
{
    CxNetworkResponder network = {.net = net, .n_threads = n_threads};
    CxResponder responder = cx_responder_network(&network, "network");
    CxProtocolOptions films = *options;

    g_assert(n_channels >= 1 && n_channels <= 3);
    cx_network_film_size(net, &films);
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(kind, &films, &responder, job, error);
    if (run == NULL)
        return false;
    g_autoptr(GArray) m = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) target = g_array_new(FALSE, FALSE, sizeof(double));
    Samples samples = {m, target, cx_retina_cnn_layer(net, 0)->n_out};
    for (size_t i = 0; i < run->protocol->n_conditions; i++)
        if (!add_condition(net, &run->protocol->conditions[i], run->rates[i],
                           run->protocol->n_cells, &samples, error))
            return false;
    memset(circuit, 0, sizeof(*circuit));
    return try_all(&samples, n_channels, circuit, job, error);
}

/* ---- as a responder --------------------------------------------------- */

static bool
respond(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
        float *rates, void *user_data, CxJob *job, GError **error)
{
    const CxCircuitResponder *self = user_data;
    size_t history = cx_retina_cnn_shape(self->net)->history;
    size_t n_channels = cx_retina_cnn_layer(self->net, 0)->n_out;
    g_autoptr(CxMovie) film =
        cx_film_for_network(self->net, movie, history, error);
    g_autoptr(CxFilmDrive) drive =
        film != NULL ? cx_film_drive_new(self->net, film, error) : NULL;

    if (drive == NULL)
        return false;
    g_autofree double *all = g_new(double, movie->n_frames *n_channels);
    CxRetinaScratch *scratch = cx_retina_scratch_new(self->net);
    bool done = cx_film_drive_means(drive, scratch, history, movie->n_frames,
                                    all, error);
    cx_retina_scratch_free(scratch);
    for (size_t t = 0; done && t < movie->n_frames; t++) {
        double m[MAX_CHANNELS];

        for (size_t i = 0; i < self->circuit.n_channels; i++)
            m[i] = all[t * n_channels + self->circuit.channel[i]];
        float rate = (float)cx_rectified_circuit_rate(&self->circuit, m);
        for (size_t i = 0; i < n_cells; i++)
            rates[t * n_cells + i] = rate;
    }
    return done && cx_job_check(job, error);
}

CxResponder
cx_responder_circuit(const CxCircuitResponder *circuit)
{
    return (CxResponder){
        .name = "circuit",
        .respond = respond,
        .user_data = (void *)circuit,
        .height = 1,
        .width = cx_retina_cnn_shape(circuit->net)->width,
        .margin = cx_network_margin(circuit->net),
    };
}
