/* Sparse coding: inference.
 *
 * Patches are the columns of X, codes those of A; a block of them at a time
 * runs through all steps, so that what it needs stays in the cache:
 *     gradient = G Y - D X,  G = D D^T,  A' = soft(Y - gradient / L)
 * with Y = A for ISTA, and ahead of A by momentum for FISTA.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/sparse_coding.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/nn/choose.h"
#include "core/theory/matrix.h"

#include <math.h>
#include <string.h>

#define BLOCK 32 /* patches */
#define POWER_STEPS 40
#define BOUND_MARGIN 1.05 /* the power method ends below the eigenvalue */

/* ---- Dictionaries ---- */

static void
normalise(float *atom, size_t n)
{
    double squares = 0.0;

    for (size_t i = 0; i < n; i++)
        squares += (double)atom[i] * atom[i];
    float scale = squares > 0.0 ? (float)(1.0 / sqrt(squares)) : 0.0f;
    for (size_t i = 0; i < n; i++)
        atom[i] *= scale;
}

static CxDictionary *
new_dictionary(unsigned side, unsigned n_atoms, GError **error)
{
    if (side < 2 || side > CX_DICTIONARY_MAX_SIDE || n_atoms == 0 ||
        n_atoms > CX_DICTIONARY_MAX_ATOMS) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%u atoms of %u pixels a side were asked for, expected 1 "
                    "to %d of 2 to %d",
                    n_atoms, side, CX_DICTIONARY_MAX_ATOMS,
                    CX_DICTIONARY_MAX_SIDE);
        return NULL;
    }
    float *atoms =
        cx_try_alloc((size_t)n_atoms * side * side, sizeof *atoms, error);
    if (atoms == NULL)
        return NULL;
    CxDictionary *dictionary = g_new0(CxDictionary, 1);
    *dictionary = (CxDictionary){side, n_atoms, atoms};
    return dictionary;
}

CxDictionary *
cx_dictionary_new(unsigned side, unsigned n_atoms, CxRng *rng, GError **error)
{
    CxDictionary *dictionary = new_dictionary(side, n_atoms, error);
    size_t n = (size_t)side * side;

    for (size_t k = 0; dictionary != NULL && k < n_atoms; k++) {
        for (size_t i = 0; i < n; i++)
            dictionary->atoms[k * n + i] = (float)cx_rng_normal(rng);
        normalise(dictionary->atoms + k * n, n);
    }
    return dictionary;
}

CxDictionary *
cx_dictionary_copy(const CxDictionary *dictionary, GError **error)
{
    CxDictionary *copy =
        new_dictionary(dictionary->side, dictionary->n_atoms, error);

    if (copy != NULL)
        memcpy(copy->atoms, dictionary->atoms,
               sizeof *copy->atoms * copy->n_atoms * copy->side * copy->side);
    return copy;
}

void
cx_dictionary_free(CxDictionary *dictionary)
{
    if (dictionary == NULL)
        return;
    cx_free(dictionary->atoms);
    g_free(dictionary);
}

/* ---- Inference ---- */

typedef struct {
    const CxDictionary *dictionary;
    const float *patches;
    size_t n;
    float lambda;
    CxSparseMethod method;
    unsigned n_steps;
    float *codes;
    double *objective; /* [n_blocks][n_steps + 1] or NULL */
    float *gram;       /* [n_atoms][n_atoms] */
    float bound;       /* L */
    CxGemmRowsFn *gemm;
    float **scratch; /* one a worker */
    CxJob *job;
} Inference;

/* One worker's memory, parts of a single piece. */
typedef struct {
    float *x;                     /* [pixels][BLOCK] */
    float *dx, *a, *y, *gradient; /* [atoms][BLOCK] */
} Block;

static size_t
scratch_size(const CxDictionary *dictionary)
{
    return BLOCK * ((size_t)dictionary->side * dictionary->side +
                    4 * (size_t)dictionary->n_atoms);
}

static Block
lay_out(float *scratch, const CxDictionary *dictionary)
{
    size_t n_code = (size_t)dictionary->n_atoms * BLOCK;
    float *codes =
        scratch + (size_t)dictionary->side * dictionary->side * BLOCK;

    return (Block){scratch, codes, codes + n_code, codes + 2 * n_code,
                   codes + 3 * n_code};
}

static float
largest_eigenvalue(CxGemmRowsFn *gemm, const float *gram, size_t n,
                   float *vector)
{
    double norm = 0.0;
    float *next = vector + n;

    for (size_t i = 0; i < n; i++)
        vector[i] = 1.0f + 0.37f * (float)(i % 7);
    for (unsigned step = 0; step < POWER_STEPS; step++) {
        cx_matrix_multiply(gemm, next, gram, vector, n, n, 1);
        norm = 0.0;
        for (size_t i = 0; i < n; i++)
            norm += (double)next[i] * next[i];
        norm = sqrt(norm);
        for (size_t i = 0; i < n; i++)
            vector[i] = (float)(next[i] / norm);
    }
    return (float)(norm * BOUND_MARGIN);
}

/* F summed over the block: the residual is worked out, since the short form
 * with the Gram matrix loses its digits. */
static double
block_objective(const Inference *inference, const Block *block, size_t n)
{
    const CxDictionary *dictionary = inference->dictionary;
    size_t n_pixels = (size_t)dictionary->side * dictionary->side;
    double squares = 0.0, sum = 0.0;

    for (size_t p = 0; p < n_pixels; p++) {
        float rest[BLOCK];

        memcpy(rest, block->x + p * BLOCK, sizeof rest);
        for (size_t k = 0; k < dictionary->n_atoms; k++) {
            float d = dictionary->atoms[k * n_pixels + p];

            for (size_t i = 0; i < BLOCK; i++)
                rest[i] -= d * block->a[k * BLOCK + i];
        }
        for (size_t i = 0; i < n; i++)
            squares += (double)rest[i] * rest[i];
    }
    for (size_t k = 0; k < dictionary->n_atoms; k++)
        for (size_t i = 0; i < n; i++)
            sum += fabsf(block->a[k * BLOCK + i]);
    return 0.5 * squares + inference->lambda * sum;
}

/* a' = soft(y - gradient / L, lambda / L); y = a' + ahead (a' - a). */
static void
shrink(const Inference *inference, Block *block, float ahead)
{
    size_t n = (size_t)inference->dictionary->n_atoms * BLOCK;
    float step = 1.0f / inference->bound, limit = inference->lambda * step;
    float *restrict a = block->a, *restrict y = block->y;
    const float *restrict gradient = block->gradient;
    const float *restrict dx = block->dx;

    for (size_t i = 0; i < n; i++) {
        float u = y[i] - step * (gradient[i] - dx[i]);
        float up = u - limit, down = u + limit;
        float next = (up > 0.0f ? up : 0.0f) + (down < 0.0f ? down : 0.0f);

        y[i] = next + ahead * (next - a[i]);
        a[i] = next;
    }
}

static bool
run_steps(const Inference *inference, Block *block, size_t n, double *objective,
          GError **error)
{
    size_t n_atoms = inference->dictionary->n_atoms;
    double t = 1.0;

    memset(block->a, 0, n_atoms * BLOCK * sizeof *block->a);
    memset(block->y, 0, n_atoms * BLOCK * sizeof *block->y);
    if (objective != NULL)
        objective[0] = block_objective(inference, block, n);
    for (unsigned step = 0; step < inference->n_steps; step++) {
        double next_t = (1.0 + sqrt(1.0 + 4.0 * t * t)) / 2.0;
        double ahead =
            inference->method == CX_SPARSE_FISTA ? (t - 1.0) / next_t : 0.0;

        cx_matrix_multiply(inference->gemm, block->gradient, inference->gram,
                           block->y, n_atoms, n_atoms, BLOCK);
        shrink(inference, block, (float)ahead);
        t = next_t;
        if (objective != NULL)
            objective[step + 1] = block_objective(inference, block, n);
        if (step % 16 == 15 && !cx_job_check(inference->job, error))
            return false;
    }
    return true;
}

static bool
infer_block(size_t item, unsigned worker, void *data, GError **error)
{
    const Inference *inference = data;
    const CxDictionary *dictionary = inference->dictionary;
    size_t n_pixels = (size_t)dictionary->side * dictionary->side;
    size_t first = item * BLOCK, n = MIN(inference->n - first, BLOCK);
    Block block = lay_out(inference->scratch[worker], dictionary);
    double *objective =
        inference->objective != NULL
            ? inference->objective + item * (inference->n_steps + 1)
            : NULL;

    memset(block.x, 0, n_pixels * BLOCK * sizeof *block.x);
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < n_pixels; p++)
            block.x[p * BLOCK + i] =
                inference->patches[(first + i) * n_pixels + p];
    cx_matrix_multiply(inference->gemm, block.dx, dictionary->atoms, block.x,
                       dictionary->n_atoms, n_pixels, BLOCK);
    if (!run_steps(inference, &block, n, objective, error))
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < dictionary->n_atoms; k++)
            inference->codes[(first + i) * dictionary->n_atoms + k] =
                block.a[k * BLOCK + i];
    return true;
}

/* Gram matrix and its bound. */
static bool
prepare(Inference *inference, float *memory, GError **error)
{
    const CxDictionary *d = inference->dictionary;
    size_t n_pixels = (size_t)d->side * d->side;
    CX_AUTOFREE float *turned =
        cx_try_alloc(n_pixels * d->n_atoms, sizeof *turned, error);

    CxKernels kernels;
    CxLayerType type;

    if (turned == NULL || !cx_nn_choose(NULL, NULL, &type, &kernels, error))
        return false;
    inference->gemm = kernels.gemm_rows_f32;
    inference->gram = memory;
    cx_matrix_transpose(turned, d->atoms, d->n_atoms, n_pixels);
    cx_matrix_multiply(inference->gemm, inference->gram, d->atoms, turned,
                       d->n_atoms, n_pixels, d->n_atoms);
    inference->bound =
        largest_eigenvalue(inference->gemm, inference->gram, d->n_atoms,
                           memory + (size_t)d->n_atoms * d->n_atoms);
    return true;
}

static void
sum_objective(const double *blocks, size_t n_blocks, unsigned n_values,
              double *objective)
{
    for (unsigned i = 0; i < n_values; i++) {
        objective[i] = 0.0;
        for (size_t b = 0; b < n_blocks; b++)
            objective[i] += blocks[b * n_values + i];
    }
}

bool
cx_sparse_infer(const CxDictionary *dictionary, const float *patches, size_t n,
                double lambda, CxSparseMethod method, unsigned n_steps,
                float *codes, double *objective, unsigned n_threads, CxJob *job,
                GError **error)
{
    size_t n_blocks = (n + BLOCK - 1) / BLOCK, k = dictionary->n_atoms;
    size_t n_scratch = scratch_size(dictionary);
    n_threads =
        (unsigned)MIN(cx_parallel_n_threads(n_threads), MAX(n_blocks, 1));
    CX_AUTOFREE float *memory = cx_try_alloc(
        k * k + 2 * k + n_threads * n_scratch, sizeof *memory, error);
    g_autofree float **scratch = g_new(float *, n_threads);
    g_autofree double *blocks =
        objective != NULL ? g_new0(double, n_blocks *(n_steps + 1)) : NULL;
    Inference inference = {.dictionary = dictionary,
                           .patches = patches,
                           .n = n,
                           .lambda = (float)lambda,
                           .method = method,
                           .n_steps = n_steps,
                           .codes = codes,
                           .objective = blocks,
                           .scratch = scratch,
                           .job = job};

    if (memory == NULL || !prepare(&inference, memory, error))
        return false;
    for (unsigned i = 0; i < n_threads; i++)
        scratch[i] = memory + k * k + 2 * k + i * n_scratch;
    if (!cx_parallel_for(n_threads, n_blocks, infer_block, &inference, job,
                         error))
        return false;
    if (objective != NULL)
        sum_objective(blocks, n_blocks, n_steps + 1, objective);
    return true;
}

/* ---- What it gave ---- */

double
cx_kurtosis(const float *values, size_t n)
{
    double second = 0.0, fourth = 0.0;

    for (size_t i = 0; i < n; i++) {
        double square = (double)values[i] * values[i];

        second += square;
        fourth += square * square;
    }
    return second > 0.0 ? fourth * (double)n / (second * second) : 0.0;
}

static void
draw_atom(const float *atom, unsigned side, unsigned zoom, uint8_t *to,
          size_t stride)
{
    float most = 0.0f;

    for (unsigned i = 0; i < side * side; i++)
        most = fmaxf(most, fabsf(atom[i]));
    for (unsigned y = 0; y < side * zoom; y++)
        for (unsigned x = 0; x < side * zoom; x++) {
            float value = atom[y / zoom * side + x / zoom];

            to[y * stride + x] = (uint8_t)lrintf(
                most > 0.0f ? 128.0f + 127.0f * value / most : 128.0f);
        }
}

uint8_t *
cx_dictionary_mosaic(const CxDictionary *dictionary, unsigned zoom,
                     unsigned *width, unsigned *height, GError **error)
{
    unsigned columns = (unsigned)ceil(sqrt(dictionary->n_atoms));
    unsigned rows = (dictionary->n_atoms + columns - 1) / columns;
    unsigned cell = (dictionary->side + 1) * zoom;

    *width = columns * cell + zoom;
    *height = rows * cell + zoom;
    uint8_t *picture = cx_try_alloc0((size_t)*width * *height, 1, error);
    for (unsigned k = 0; picture != NULL && k < dictionary->n_atoms; k++)
        draw_atom(dictionary->atoms +
                      (size_t)k * dictionary->side * dictionary->side,
                  dictionary->side, zoom,
                  picture + (size_t)(k / columns * cell + zoom) * *width +
                      k % columns * cell + zoom,
                  *width);
    return picture;
}
