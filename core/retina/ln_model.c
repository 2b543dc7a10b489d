/* One space-time filter and one curve.
 *
 * A sample is what the filter sees at one frame and cell: rows of a padded
 * copy of the film.  The normal equations (X^T X / n + ridge) w = X^T y / n
 * are solved by conjugate gradients with products X w and X^T v alone; X and y
 * are centred.  Samples are dealt with in a fixed number of blocks, each with
 * a sum of its own, so that the result does not depend on the threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/ln_model.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N_BLOCKS 32
#define TINY_NORM 1e-12

CxLnOptions
cx_ln_options_default(void)
{
    return (CxLnOptions){
        .history = 40,
        .size_px = 21,
        .ridge = 1e-3,
        .n_iterations = 40,
        .n_knots = 24,
        .n_samples = 40000,
    };
}

/* ---- a film with its borders ------------------------------------------ */

/* `history` grey frames in front, edges repeated by half a filter. */
typedef struct {
    size_t history, kernel_y, kernel_x;
    size_t height, width; /* padded */
    float *data;
} Padded;

static void
padded_clear(Padded *p)
{
    cx_free(p->data);
}

static bool
padded_init(Padded *p, const CxMovie *movie, size_t history, size_t kernel_y,
            size_t kernel_x, GError **error)
{
    size_t half_y = kernel_y / 2, half_x = kernel_x / 2;

    *p = (Padded){.history = history,
                  .kernel_y = kernel_y,
                  .kernel_x = kernel_x,
                  .height = movie->height + 2 * half_y,
                  .width = movie->width + 2 * half_x};
    p->data = cx_try_alloc0(movie->n_frames + history,
                            p->height * p->width * sizeof(float), error);
    if (p->data == NULL)
        return false;
    for (size_t t = 0; t < movie->n_frames; t++) {
        const float *frame = cx_movie_frame(movie, t);
        float *out = p->data + (t + history) * p->height * p->width;

        for (size_t y = 0; y < p->height; y++) {
            size_t from = y > half_y ? MIN(y - half_y, movie->height - 1) : 0;

            for (size_t x = 0; x < p->width; x++) {
                size_t at = x > half_x ? MIN(x - half_x, movie->width - 1) : 0;

                out[y * p->width + x] = frame[from * movie->width + at];
            }
        }
    }
    return true;
}

/* Row (lag h, dy) of what the filter sees at frame t. */
static inline const float *
row_of(const Padded *p, size_t t, CxCellPosition cell, size_t h, size_t dy)
{
    size_t y = (size_t)cell.y + dy;

    return p->data + ((t + h) * p->height + y) * p->width + (size_t)cell.x;
}

static double
apply_filter(const Padded *p, const float *filter, size_t t,
             CxCellPosition cell)
{
    double sum = 0.0;

    for (size_t h = 0; h < p->history; h++) {
        for (size_t dy = 0; dy < p->kernel_y; dy++) {
            const float *row = row_of(p, t, cell, h, dy);
            float part = 0.0f;

            for (size_t x = 0; x < p->kernel_x; x++)
                part += filter[x] * row[x];
            sum += (double)part;
            filter += p->kernel_x;
        }
    }
    return sum;
}

static void
add_sample(const Padded *p, size_t t, CxCellPosition cell, float weight,
           float *sum)
{
    for (size_t h = 0; h < p->history; h++) {
        for (size_t dy = 0; dy < p->kernel_y; dy++) {
            const float *restrict row = row_of(p, t, cell, h, dy);
            float *restrict to = sum;

            for (size_t x = 0; x < p->kernel_x; x++)
                to[x] += weight * row[x];
            sum += p->kernel_x;
        }
    }
}

/* ---- the fit ---------------------------------------------------------- */

typedef struct {
    Padded film;
    const CxCellPosition *cells;
    size_t n_cells, n_frames;
    size_t n_samples, n_weights;
    float *target; /* [n_samples] */
    double *drive; /* [n_samples]: X w, or what is given back to X^T */
    const float *filter;
    float *sums; /* [N_BLOCKS][n_weights] */
} Fit;

/* Frame and cell of a sample: evenly spread over all pairs. */
static void
find_sample(const Fit *fit, size_t i, size_t *t, size_t *cell)
{
    size_t first = fit->film.history;
    double n = (double)(fit->n_frames - first) * (double)fit->n_cells;
    size_t at = (size_t)(n * ((double)i + 0.5) / (double)fit->n_samples);

    *t = first + at / fit->n_cells;
    *cell = at % fit->n_cells;
}

static void
find_block(const Fit *fit, size_t block, size_t *from, size_t *to)
{
    *from = fit->n_samples * block / N_BLOCKS;
    *to = fit->n_samples * (block + 1) / N_BLOCKS;
}

static bool
drive_block(size_t block, unsigned worker, void *data, GError **error)
{
    Fit *fit = data;
    size_t from, to, t, cell;

    find_block(fit, block, &from, &to);
    for (size_t i = from; i < to; i++) {
        find_sample(fit, i, &t, &cell);
        fit->drive[i] =
            apply_filter(&fit->film, fit->filter, t, fit->cells[cell]);
    }
    return true;
}

static bool
adjoint_block(size_t block, unsigned worker, void *data, GError **error)
{
    Fit *fit = data;
    float *sum = fit->sums + block * fit->n_weights;
    size_t from, to, t, cell;

    memset(sum, 0, fit->n_weights * sizeof(float));
    find_block(fit, block, &from, &to);
    for (size_t i = from; i < to; i++) {
        find_sample(fit, i, &t, &cell);
        add_sample(&fit->film, t, fit->cells[cell], (float)fit->drive[i], sum);
    }
    return true;
}

static double
subtract_mean(double *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    for (size_t i = 0; i < n; i++)
        values[i] -= sum / (double)n;
    return sum / (double)n;
}

/* out = X^T drive / n */
static bool
run_adjoint(Fit *fit, unsigned n_threads, double *out, CxJob *job,
            GError **error)
{
    if (!cx_parallel_for(n_threads, N_BLOCKS, adjoint_block, fit, NULL, error))
        return false;
    memset(out, 0, fit->n_weights * sizeof(double));
    for (size_t b = 0; b < N_BLOCKS; b++)
        for (size_t k = 0; k < fit->n_weights; k++)
            out[k] += (double)fit->sums[b * fit->n_weights + k];
    for (size_t k = 0; k < fit->n_weights; k++)
        out[k] /= (double)fit->n_samples;
    return cx_job_check(job, error);
}

/* drive = X filter, centred; returns the mean that was taken away. */
static bool
run_drive(Fit *fit, const float *filter, unsigned n_threads, double *mean,
          GError **error)
{
    fit->filter = filter;
    if (!cx_parallel_for(n_threads, N_BLOCKS, drive_block, fit, NULL, error))
        return false;
    *mean = subtract_mean(fit->drive, fit->n_samples);
    return true;
}

static double
dot(const double *a, const double *b, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Conjugate gradients from 0; filter holds the solution. */
static bool
solve(Fit *fit, const CxLnOptions *o, double ridge, float *filter, CxJob *job,
      GError **error)
{
    size_t n = fit->n_weights;
    CX_AUTOFREE double *memory = cx_try_alloc0(n, 4 * sizeof(double), error);
    CX_AUTOFREE float *direction = cx_try_alloc0(n, sizeof(float), error);
    double ignored;

    if (memory == NULL || direction == NULL)
        return false;
    double *w = memory, *r = memory + n, *p = memory + 2 * n;
    double *q = memory + 3 * n;
    for (size_t i = 0; i < fit->n_samples; i++)
        fit->drive[i] = (double)fit->target[i];
    subtract_mean(fit->drive, fit->n_samples);
    if (!run_adjoint(fit, o->n_threads, r, job, error))
        return false;
    memcpy(p, r, n * sizeof(double));
    double norm = dot(r, r, n), first = norm;
    for (size_t k = 0; k < o->n_iterations && norm > TINY_NORM * first; k++) {
        for (size_t i = 0; i < n; i++)
            direction[i] = (float)p[i];
        if (!run_drive(fit, direction, o->n_threads, &ignored, error) ||
            !run_adjoint(fit, o->n_threads, q, job, error) ||
            !cx_job_step(job, k + 1, o->n_iterations, error))
            return false;
        for (size_t i = 0; i < n; i++)
            q[i] += ridge * p[i];
        double alpha = norm / dot(p, q, n);
        for (size_t i = 0; i < n; i++) {
            w[i] += alpha * p[i];
            r[i] -= alpha * q[i];
        }
        double next = dot(r, r, n);
        for (size_t i = 0; i < n; i++)
            p[i] = r[i] + next / norm * p[i];
        norm = next;
    }
    for (size_t i = 0; i < n; i++)
        filter[i] = (float)w[i];
    return true;
}

/* ---- the curve -------------------------------------------------------- */

typedef struct {
    double drive, target;
} Pair;

static int
compare_pairs(const void *a, const void *b)
{
    const Pair *p = a, *q = b;

    return (p->drive > q->drive) - (p->drive < q->drive);
}

typedef struct {
    double x, y, weight;
} Knot;

/* Means of equally filled bins, then neighbours that fall are joined until
 * none does (pool adjacent violators). */
static size_t
find_knots(const Pair *pairs, size_t n, size_t n_bins, Knot *knots)
{
    size_t n_knots = 0;

    for (size_t b = 0; b < n_bins; b++) {
        size_t from = n * b / n_bins, to = n * (b + 1) / n_bins;
        Knot knot = {.weight = (double)(to - from)};

        if (to == from)
            continue;
        for (size_t i = from; i < to; i++) {
            knot.x += pairs[i].drive / knot.weight;
            knot.y += pairs[i].target / knot.weight;
        }
        knots[n_knots++] = knot;
        while (n_knots > 1 && (knots[n_knots - 2].y >= knots[n_knots - 1].y ||
                               knots[n_knots - 2].x >= knots[n_knots - 1].x)) {
            Knot *a = &knots[n_knots - 2], *z = &knots[n_knots - 1];
            double sum = a->weight + z->weight;

            a->x = (a->x * a->weight + z->x * z->weight) / sum;
            a->y = (a->y * a->weight + z->y * z->weight) / sum;
            a->weight = sum;
            n_knots--;
        }
    }
    return n_knots;
}

static float
curve(const CxLnModel *m, double drive)
{
    size_t lo = 0, hi = m->n_knots - 1;

    if (!(drive > (double)m->knot_x[0]))
        return m->knot_y[0];
    if (drive >= (double)m->knot_x[hi])
        return m->knot_y[hi];
    while (hi - lo > 1) {
        size_t middle = (lo + hi) / 2;

        if ((double)m->knot_x[middle] <= drive)
            lo = middle;
        else
            hi = middle;
    }
    double x0 = (double)m->knot_x[lo], x1 = (double)m->knot_x[hi];
    double y0 = (double)m->knot_y[lo], y1 = (double)m->knot_y[hi];
    return (float)(y0 + (y1 - y0) * (drive - x0) / (x1 - x0));
}

/* Pearson's r of the model with the target. */
static double
correlate(const CxLnModel *model, const Pair *pairs, size_t n)
{
    double a = 0, b = 0, aa = 0, bb = 0, ab = 0;

    for (size_t i = 0; i < n; i++) {
        double x = (double)curve(model, pairs[i].drive), y = pairs[i].target;

        a += x;
        b += y;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    double va = (double)n * aa - a * a, vb = (double)n * bb - b * b;
    return va > 0.0 && vb > 0.0 ? ((double)n * ab - a * b) / sqrt(va * vb)
                                : 0.0;
}

static void
fit_curve(Fit *fit, const CxLnOptions *o, CxLnModel *model)
{
    g_autofree Pair *pairs = g_new(Pair, fit->n_samples);
    g_autofree Knot *knots = g_new(Knot, o->n_knots);

    for (size_t i = 0; i < fit->n_samples; i++)
        pairs[i] = (Pair){fit->drive[i], (double)fit->target[i]};
    qsort(pairs, fit->n_samples, sizeof(Pair), compare_pairs);
    model->n_knots = find_knots(pairs, fit->n_samples, o->n_knots, knots);
    model->knot_x = g_new(float, model->n_knots);
    model->knot_y = g_new(float, model->n_knots);
    for (size_t i = 0; i < model->n_knots; i++) {
        model->knot_x[i] = (float)knots[i].x;
        model->knot_y[i] = (float)knots[i].y;
    }
    model->correlation = correlate(model, pairs, fit->n_samples);
}

/* ---- fit, respond ----------------------------------------------------- */

static double
variance(const CxMovie *movie)
{
    size_t n = movie->n_frames * cx_movie_frame_size(movie);
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < n; i++) {
        sum += (double)movie->data[i];
        squares += (double)movie->data[i] * (double)movie->data[i];
    }
    double mean = sum / (double)n;
    return squares / (double)n - mean * mean;
}

static bool
check_cells(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
            GError **error)
{
    for (size_t i = 0; i < n_cells; i++) {
        if (cells[i].x >= 0 && cells[i].y >= 0 &&
            (size_t)cells[i].x < movie->width &&
            (size_t)cells[i].y < movie->height)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "cell %zu at %d, %d: expected a pixel of a film of "
                    "%zu x %zu",
                    i, cells[i].x, cells[i].y, movie->width, movie->height);
        return false;
    }
    return true;
}

static bool
check(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
      const CxLnOptions *o, GError **error)
{
    if (o->history == 0 || o->size_px % 2 == 0 || o->n_knots < 2 ||
        o->n_samples == 0 || n_cells == 0 ||
        movie->n_frames <= o->history + 1) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "linear-nonlinear model: a film of %zu frames, %zu cells, "
                    "a filter of %zu frames and %zu pixels, %zu knots; "
                    "expected a film longer than the filter, an odd filter "
                    "and at least 2 knots",
                    movie->n_frames, n_cells, o->history, o->size_px,
                    o->n_knots);
        return false;
    }
    return check_cells(movie, cells, n_cells, error);
}

static void
fit_clear(Fit *fit)
{
    padded_clear(&fit->film);
    cx_free(fit->target);
    cx_free(fit->drive);
    cx_free(fit->sums);
}

static bool
fit_init(Fit *fit, const CxMovie *movie, const float *rates,
         const CxLnOptions *o, GError **error)
{
    size_t kernel_y = movie->height > 1 ? o->size_px : 1;
    size_t n_pairs = (movie->n_frames - o->history) * fit->n_cells;
    size_t t, cell;

    fit->n_frames = movie->n_frames;
    fit->n_samples = MIN(o->n_samples, n_pairs);
    fit->n_weights = o->history * kernel_y * o->size_px;
    if (!padded_init(&fit->film, movie, o->history, kernel_y, o->size_px,
                     error))
        return false;
    fit->target = cx_try_alloc(fit->n_samples, sizeof(float), error);
    if (fit->target != NULL)
        fit->drive = cx_try_alloc(fit->n_samples, sizeof(double), error);
    if (fit->drive != NULL)
        fit->sums =
            cx_try_alloc(fit->n_weights, N_BLOCKS * sizeof(float), error);
    if (fit->sums == NULL)
        return false;
    for (size_t i = 0; i < fit->n_samples; i++) {
        find_sample(fit, i, &t, &cell);
        fit->target[i] = rates[t * fit->n_cells + cell];
    }
    return true;
}

static CxLnModel *
run_fit(Fit *fit, const CxMovie *movie, const CxLnOptions *o, CxJob *job,
        GError **error)
{
    g_autoptr(CxLnModel) model = g_new0(CxLnModel, 1);
    double ridge = o->ridge * MAX(variance(movie), 1e-12), mean;

    model->history = o->history;
    model->height = fit->film.kernel_y;
    model->width = fit->film.kernel_x;
    model->filter = g_new0(float, fit->n_weights);
    if (!solve(fit, o, ridge, model->filter, job, error) ||
        !run_drive(fit, model->filter, o->n_threads, &mean, error))
        return NULL;
    model->offset = (float)-mean;
    fit_curve(fit, o, model);
    return g_steal_pointer(&model);
}

CxLnModel *
cx_ln_model_fit(const CxMovie *movie, const CxCellPosition *cells,
                size_t n_cells, const float *rates, const CxLnOptions *options,
                CxJob *job, GError **error)
{
    CxLnOptions o = options != NULL ? *options : cx_ln_options_default();
    Fit fit = {.cells = cells, .n_cells = n_cells};

    if (!check(movie, cells, n_cells, &o, error))
        return NULL;
    CxLnModel *model = NULL;
    if (fit_init(&fit, movie, rates, &o, error))
        model = run_fit(&fit, movie, &o, job, error);
    fit_clear(&fit);
    return model;
}

void
cx_ln_model_free(CxLnModel *model)
{
    if (model == NULL)
        return;
    g_free(model->filter);
    g_free(model->knot_x);
    g_free(model->knot_y);
    g_free(model);
}

bool
cx_ln_model_respond(const CxLnModel *model, const CxMovie *movie,
                    const CxCellPosition *cells, size_t n_cells, float *rates,
                    CxJob *job, GError **error)
{
    Padded film;

    /* In a film of height 1 the rows of a tall filter see its only row. */
    if (!check_cells(movie, cells, n_cells, error) ||
        !padded_init(&film, movie, model->history, model->height, model->width,
                     error))
        return false;
    bool ok = true;
    for (size_t t = 0; t < movie->n_frames && ok; t++) {
        for (size_t i = 0; i < n_cells; i++) {
            double drive = apply_filter(&film, model->filter, t, cells[i]);

            rates[t * n_cells + i] =
                curve(model, drive + (double)model->offset);
        }
        ok = cx_job_step(job, t + 1, movie->n_frames, error);
    }
    padded_clear(&film);
    return ok;
}

static bool
ask_ln(const CxMovie *movie, const CxCellPosition *cells, size_t n_cells,
       float *rates, void *user_data, CxJob *job, GError **error)
{
    return cx_ln_model_respond(user_data, movie, cells, n_cells, rates, job,
                               error);
}

CxResponder
cx_responder_ln(const CxLnModel *model, size_t height, size_t width)
{
    return (CxResponder){.name = "linear-nonlinear model",
                         .respond = ask_ln,
                         .user_data = (void *)model,
                         .height = height,
                         .width = width};
}
