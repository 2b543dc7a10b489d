/* Sparse coding: learning a dictionary batch by batch.
 *
 * Each atom steps along the gradient of the squared error divided by the mean
 * square of its own coefficient over the last batches, so that rarely used
 * atoms learn as fast as often used ones.  Atoms begin as patches; one that
 * stays unused begins again as another.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/nn/choose.h"
#include "core/theory/matrix.h"
#include "core/theory/sparse_coding.h"

#include <math.h>
#include <string.h>

#define MEMORY 0.95 /* of the mean squares, a batch */
#define LEAST_SQUARE 1e-9
#define UNUSED 0.05   /* of the mean square of all coefficients */
#define LAST_RATE 0.1 /* of the first */
#define MAX_BATCH 100000
#define MAX_STEPS 10000

struct CxSparseLearner {
    CxSparseOptions options;
    const CxImageSet *images;
    CxRng rng;
    CxKernels kernels;
    CxDictionary *dictionary;
    float *patches;  /* [batch][pixels], later the residual */
    float *codes;    /* [batch][atoms] */
    float *turned;   /* [atoms][batch] */
    float *gradient; /* [atoms][pixels], also [batch][pixels] */
    double *squares; /* [atoms] */
    CxSparseProgress progress;
};

CxSparseOptions
cx_sparse_defaults(void)
{
    return (CxSparseOptions){
        .side = 12,
        .n_atoms = 192,
        .lambda = 0.3,
        .rate = 0.3,
        .batch = 100,
        .n_batches = 1000,
        .n_steps = 50,
        .seed = 1,
    };
}

static bool
check_options(const CxSparseOptions *o, GError **error)
{
    if (o->lambda > 0.0 && o->rate > 0.0 && o->batch > 0 &&
        o->batch <= MAX_BATCH && o->n_steps > 0 && o->n_steps <= MAX_STEPS)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "sparse coding with lambda %g, rate %g, batches of %u and %u "
                "steps was asked for, expected positive numbers, batches of "
                "at most %d and at most %d steps",
                o->lambda, o->rate, o->batch, o->n_steps, MAX_BATCH, MAX_STEPS);
    return false;
}

static bool
take_memory(CxSparseLearner *l, GError **error)
{
    size_t n_pixels = (size_t)l->options.side * l->options.side;
    size_t k = l->options.n_atoms, b = l->options.batch;

    return (l->patches = cx_try_alloc(b * n_pixels, sizeof(float), error)) !=
               NULL &&
           (l->codes = cx_try_alloc(b * k, sizeof(float), error)) != NULL &&
           (l->turned = cx_try_alloc(b * k, sizeof(float), error)) != NULL &&
           (l->gradient = cx_try_alloc(MAX(k, b) * n_pixels, sizeof(float),
                                       error)) != NULL &&
           (l->squares = cx_try_alloc0(k, sizeof(double), error)) != NULL;
}

static double
sum_of_squares(const float *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)values[i] * values[i];
    return sum;
}

/* An atom to length 1; one of a flat patch becomes noise. */
static void
normalise(CxSparseLearner *l, size_t k)
{
    size_t n = (size_t)l->options.side * l->options.side;
    float *atom = l->dictionary->atoms + k * n;
    double length = sqrt(sum_of_squares(atom, n));

    while (!(length > 1e-6)) {
        for (size_t i = 0; i < n; i++)
            atom[i] = (float)cx_rng_normal(&l->rng);
        length = sqrt(sum_of_squares(atom, n));
    }
    for (size_t i = 0; i < n; i++)
        atom[i] = (float)(atom[i] / length);
}

CxSparseLearner *
cx_sparse_learner_new(const CxSparseOptions *options, const CxImageSet *images,
                      GError **error)
{
    CxLayerType type;

    if (!check_options(options, error))
        return NULL;
    g_autoptr(CxSparseLearner) learner = g_new0(CxSparseLearner, 1);
    learner->options = *options;
    learner->images = images;
    cx_rng_init(&learner->rng, options->seed);
    learner->dictionary = cx_dictionary_new(options->side, options->n_atoms,
                                            &learner->rng, error);
    if (learner->dictionary == NULL || !take_memory(learner, error) ||
        !cx_nn_choose(NULL, NULL, &type, &learner->kernels, error) ||
        !cx_image_set_patches(images, options->side, options->n_atoms,
                              &learner->rng, learner->dictionary->atoms, error))
        return NULL;
    for (size_t k = 0; k < options->n_atoms; k++)
        normalise(learner, k);
    return g_steal_pointer(&learner);
}

void
cx_sparse_learner_free(CxSparseLearner *learner)
{
    if (learner == NULL)
        return;
    cx_dictionary_free(learner->dictionary);
    cx_free(learner->patches);
    cx_free(learner->codes);
    cx_free(learner->turned);
    cx_free(learner->gradient);
    cx_free(learner->squares);
    g_free(learner);
}

/* patches become what the codes leave over. */
static void
subtract_codes(CxSparseLearner *l)
{
    size_t n_pixels = (size_t)l->options.side * l->options.side;
    size_t b = l->options.batch;
    double before = sum_of_squares(l->patches, b * n_pixels), sum = 0.0;
    size_t n_codes = b * l->options.n_atoms, n_active = 0;

    cx_matrix_multiply(l->kernels.gemm_rows_f32, l->gradient, l->codes,
                       l->dictionary->atoms, b, l->options.n_atoms, n_pixels);
    for (size_t i = 0; i < b * n_pixels; i++)
        l->patches[i] -= l->gradient[i];
    for (size_t i = 0; i < n_codes; i++) {
        sum += fabsf(l->codes[i]);
        n_active += l->codes[i] != 0.0f;
    }
    double after = sum_of_squares(l->patches, b * n_pixels);
    l->progress.objective = (0.5 * after + l->options.lambda * sum) / (double)b;
    l->progress.error = before > 0.0 ? after / before : 0.0;
    l->progress.active = (double)n_active / (double)n_codes;
}

static double
learning_rate(const CxSparseLearner *l)
{
    double done = (double)l->progress.n_batches / l->options.n_batches;

    return l->options.rate * pow(LAST_RATE, done);
}

static void
step_atom(CxSparseLearner *l, size_t k, double rate)
{
    size_t n_pixels = (size_t)l->options.side * l->options.side;
    size_t b = l->options.batch;
    float *atom = l->dictionary->atoms + k * n_pixels;
    double square = sum_of_squares(l->turned + k * b, b) / (double)b;

    l->squares[k] = l->progress.n_batches == 0
                        ? square
                        : MEMORY * l->squares[k] + (1.0 - MEMORY) * square;
    float step =
        (float)(rate / ((double)b * fmax(l->squares[k], LEAST_SQUARE)));
    for (size_t i = 0; i < n_pixels; i++)
        atom[i] += step * l->gradient[k * n_pixels + i];
    normalise(l, k);
}

/* In place of an atom that nothing uses: a patch. */
static bool
begin_again(CxSparseLearner *l, size_t k, double mean_square, GError **error)
{
    size_t n_pixels = (size_t)l->options.side * l->options.side;

    l->squares[k] = mean_square;
    if (!cx_image_set_patches(l->images, l->options.side, 1, &l->rng,
                              l->dictionary->atoms + k * n_pixels, error))
        return false;
    normalise(l, k);
    return true;
}

static bool
run_batch(CxSparseLearner *l, CxJob *part, GError **error)
{
    size_t n_pixels = (size_t)l->options.side * l->options.side;
    size_t n_atoms = l->options.n_atoms, b = l->options.batch;
    double rate = learning_rate(l), mean_square = 0.0;

    if (!cx_image_set_patches(l->images, l->options.side, b, &l->rng,
                              l->patches, error) ||
        !cx_sparse_infer(l->dictionary, l->patches, b, l->options.lambda,
                         CX_SPARSE_FISTA, l->options.n_steps, l->codes, NULL,
                         l->options.n_threads, part, error))
        return false;
    subtract_codes(l);
    cx_matrix_transpose(l->turned, l->codes, b, n_atoms);
    cx_matrix_multiply(l->kernels.gemm_rows_f32, l->gradient, l->turned,
                       l->patches, n_atoms, b, n_pixels);
    for (size_t k = 0; k < n_atoms; k++) {
        step_atom(l, k, rate);
        mean_square += l->squares[k] / (double)n_atoms;
    }
    for (size_t k = 0; k < n_atoms; k++)
        if (l->squares[k] < UNUSED * mean_square &&
            !begin_again(l, k, mean_square, error))
            return false;
    l->progress.n_batches++;
    return true;
}

bool
cx_sparse_learner_run(CxSparseLearner *learner, unsigned n, CxJob *job,
                      GError **error)
{
    n = MIN(n, learner->options.n_batches - learner->progress.n_batches);
    for (unsigned i = 0; i < n; i++) {
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (double)i / n, (i + 1.0) / n);

        if (!run_batch(learner, part, error) ||
            !cx_job_step(job, i + 1, n, error))
            return false;
    }
    return true;
}

bool
cx_sparse_learner_is_done(const CxSparseLearner *learner)
{
    return learner->progress.n_batches >= learner->options.n_batches;
}

CxSparseProgress
cx_sparse_learner_progress(const CxSparseLearner *learner)
{
    return learner->progress;
}

const CxDictionary *
cx_sparse_learner_dictionary(const CxSparseLearner *learner)
{
    return learner->dictionary;
}
