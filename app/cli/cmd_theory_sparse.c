/* theory sparse-coding: learns a dictionary and says what it is like.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/theory.h"
#include "app/render/png_file.h"
#include "core/base/alloc.h"
#include "core/theory/gabor_fit.h"
#include "core/theory/sparse_coding.h"

#include <string.h>

#define N_IMAGES 10
#define IMAGE_SIDE 512
#define WHITE_F0 0.4
#define N_JUDGED 1000 /* patches for kurtosis and objectives */
#define JUDGE_STEPS 50
#define GOOD_R2 0.7
#define ZOOM 4

static CxImageSet *
open_images(const CxcliContext *context, GError **error)
{
    const char *folder = cxcli_text(context, "images", NULL);
    g_autoptr(CxImageSet) set = NULL;
    GError *local = NULL;

    cx_job_stage(context->job, "images", 0.0, 0.1);
    set = folder != NULL ? cx_image_set_load(folder, 100, context->job, &local)
                         : cx_image_set_draw(N_IMAGES, IMAGE_SIDE,
                                             cxcli_integer(context, "seed", 1),
                                             context->job, &local);
    if (set == NULL) {
        g_propagate_error(error, local);
        return NULL;
    }
    double slope = cx_image_set_slope(set, error);
    cxcli_report_integer(context->report, "images", cx_image_set_n_images(set));
    cxcli_report_real(context->report, "spectral_slope", slope);
    cx_job_stage(context->job, "whitening", 0.1, 0.2);
    return cx_image_set_whiten(set, WHITE_F0, context->job, error);
}

static CxSparseOptions
read_options(const CxcliContext *context)
{
    CxSparseOptions o = cx_sparse_defaults();

    o.side = cxcli_count(context, "side", o.side);
    o.n_atoms = cxcli_count(context, "atoms", o.n_atoms);
    o.lambda = cxcli_real(context, "lambda", o.lambda);
    o.n_batches = cxcli_count(context, "batches", o.n_batches);
    o.n_steps = cxcli_count(context, "steps", o.n_steps);
    o.seed = cxcli_integer(context, "seed", o.seed);
    o.n_threads = context->n_threads;
    return o;
}

/* Fits to all atoms, for the report and the table. */
static bool
fit_atoms(CxcliContext *context, const CxDictionary *d, GError **error)
{
    const char *path = cxcli_text(context, "csv", NULL);
    CX_AUTOFREE CxGabor *fits = cx_try_alloc(d->n_atoms, sizeof *fits, error);
    g_autoptr(GString) csv = g_string_new(
        "atom,r2,x,y,sigma_u,sigma_v,angle,frequency,phase,amplitude\n");
    unsigned n_good = 0;
    double mean = 0.0;

    if (fits == NULL ||
        !cx_gabor_fit_all(d->atoms, d->side, d->n_atoms, fits,
                          context->n_threads, context->job, error))
        return false;
    for (unsigned k = 0; k < d->n_atoms; k++) {
        const CxGabor *g = &fits[k];
        const double values[] = {g->r2,        g->x,       g->y,
                                 g->sigma_u,   g->sigma_v, g->angle,
                                 g->frequency, g->phase,   g->amplitude};

        n_good += g->r2 >= GOOD_R2;
        mean += g->r2 / d->n_atoms;
        g_string_append_printf(csv, "%u", k);
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
            char text[G_ASCII_DTOSTR_BUF_SIZE];

            g_string_append_c(csv, ',');
            g_string_append(
                csv, g_ascii_formatd(text, sizeof text, "%.6g", values[i]));
        }
        g_string_append_c(csv, '\n');
    }
    cxcli_report_real(context->report, "gabor_share",
                      (double)n_good / d->n_atoms);
    cxcli_report_real(context->report, "gabor_mean_r2", mean);
    return path == NULL || cxcli_write_text(path, csv->str, csv->len, error);
}

/* Patches the dictionary has not seen: kurtosis, and both methods' way. */
static bool
judge(CxcliContext *context, const CxImageSet *white, const CxDictionary *d,
      double lambda, GError **error)
{
    size_t n_pixels = (size_t)d->side * d->side;
    CX_AUTOFREE float *x = cx_try_alloc(N_JUDGED * n_pixels, sizeof *x, error);
    CX_AUTOFREE float *a =
        x != NULL
            ? cx_try_alloc((size_t)N_JUDGED * d->n_atoms, sizeof *a, error)
            : NULL;
    double f[2][JUDGE_STEPS + 1];
    unsigned n_above = 0;
    CxRng rng;

    cx_rng_init(&rng, cxcli_integer(context, "seed", 1) + 1);
    if (a == NULL ||
        !cx_image_set_patches(white, d->side, N_JUDGED, &rng, x, error))
        return false;
    for (unsigned m = 0; m < 2; m++)
        if (!cx_sparse_infer(d, x, N_JUDGED, lambda, (CxSparseMethod)m,
                             JUDGE_STEPS, a, f[m], context->n_threads,
                             context->job, error))
            return false;
    for (unsigned k = 0; k <= JUDGE_STEPS; k++)
        n_above += f[CX_SPARSE_FISTA][k] > f[CX_SPARSE_ISTA][k] * (1 + 1e-7);
    cxcli_report_real(context->report, "kurtosis",
                      cx_kurtosis(a, (size_t)N_JUDGED * d->n_atoms));
    cxcli_report_real(context->report, "kurtosis_pixels",
                      cx_kurtosis(x, N_JUDGED * n_pixels));
    cxcli_report_real(context->report, "objective_ista",
                      f[CX_SPARSE_ISTA][JUDGE_STEPS] / N_JUDGED);
    cxcli_report_real(context->report, "objective_fista",
                      f[CX_SPARSE_FISTA][JUDGE_STEPS] / N_JUDGED);
    cxcli_report_integer(context->report, "steps_fista_above_ista", n_above);
    return true;
}

static bool
write_mosaic(const CxDictionary *d, const char *path, GError **error)
{
    unsigned width, height;
    CX_AUTOFREE uint8_t *grey =
        cx_dictionary_mosaic(d, ZOOM, &width, &height, error);
    CX_AUTOFREE uint8_t *rgba =
        grey != NULL ? cx_try_alloc((size_t)width * height, 4, error) : NULL;

    if (rgba == NULL)
        return false;
    for (size_t i = 0; i < (size_t)width * height; i++) {
        memset(rgba + 4 * i, grey[i], 3);
        rgba[4 * i + 3] = 255;
    }
    return cxgl_png_write(path, rgba, (int)width, (int)height, error);
}

static bool
learn(CxcliContext *context, const CxImageSet *white, GError **error)
{
    CxSparseOptions options = read_options(context);
    g_autoptr(CxSparseLearner) learner =
        cx_sparse_learner_new(&options, white, error);
    double begin = cxcli_seconds();

    cx_job_stage(context->job, "learning", 0.2, 0.9);
    if (learner == NULL ||
        !cx_sparse_learner_run(learner, options.n_batches, context->job, error))
        return false;
    const CxDictionary *d = cx_sparse_learner_dictionary(learner);
    CxSparseProgress progress = cx_sparse_learner_progress(learner);
    cxcli_report_integer(context->report, "atoms", d->n_atoms);
    cxcli_report_integer(context->report, "batches", progress.n_batches);
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - begin);
    cxcli_report_real(context->report, "error", progress.error);
    cxcli_report_real(context->report, "active", progress.active);
    cx_job_stage(context->job, "fitting", 0.9, 1.0);
    return fit_atoms(context, d, error) &&
           judge(context, white, d, options.lambda, error) &&
           (context->n_args < 2 || write_mosaic(d, context->args[1], error));
}

bool
cxcli_theory_sparse_coding(CxcliContext *context, GError **error)
{
    const char *csv = cxcli_text(context, "csv", NULL);
    const char *const inputs[] = {cxcli_text(context, "images", NULL), NULL};

    if ((context->n_args > 1 &&
         !cxcli_check_output(context, context->args[1], inputs, error)) ||
        (csv != NULL && !cxcli_check_output(context, csv, inputs, error)))
        return false;
    g_autoptr(CxImageSet) white = open_images(context, error);
    return white != NULL && learn(context, white, error);
}
