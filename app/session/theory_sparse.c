/* Sparse coding while it learns.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/theory_sparse.h"

#include "app/session/bell.h"
#include "app/session/session_private.h"
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/gabor_fit.h"

#include <math.h>

#define N_DRAWN 10
#define DRAWN_SIDE 256
#define MAX_IMAGES 64

/* Batches between two pictures, and pictures between two fits. */
#define BATCHES_A_PICTURE 10
#define PICTURES_A_FIT 20

#define GABOR_R2 0.7
#define N_SAMPLE 500
#define ZOOM 1

typedef struct {
    gatomicrefcount refs;
    CxSparseOptions options;
    char *folder; /* or NULL */
    CxuiBell *bell;
    CxuiTheorySparse *owner; /* a reference, for the main loop alone */

    GMutex lock; /* guards the rest */
    uint8_t *mosaic;
    unsigned width, height;
    CxuiSparseFigures figures;
    GArray *objective, *batches; /* of double */
} Run;

struct _CxuiTheorySparse {
    GObject parent;
    CxuiSession *session; /* borrowed */
    bool stopped;
    CxuiBell *bell;
    Run *run; /* the last one */
    CxJob *job;
    struct {
        CxSparseOptions options;
        char *folder;
        bool wanted;
    } next; /* after the one that is being cancelled */

    /* taken over from the run */
    uint8_t *mosaic;
    unsigned width, height;
    CxuiSparseFigures figures;
    GArray *objective, *batches;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE(CxuiTheorySparse, cxui_theory_sparse, G_TYPE_OBJECT)

static void
run_unref(void *data)
{
    Run *run = data;

    if (run == NULL || !g_atomic_ref_count_dec(&run->refs))
        return;
    cx_free(run->mosaic);
    g_array_unref(run->objective);
    g_array_unref(run->batches);
    g_free(run->folder);
    cxui_bell_unref(run->bell);
    g_mutex_clear(&run->lock);
    g_free(run);
}

/* --- worker */

static bool
leave_picture(Run *run, CxSparseLearner *learner, GError **error)
{
    unsigned width = 0;
    unsigned height = 0;
    uint8_t *mosaic = cx_dictionary_mosaic(
        cx_sparse_learner_dictionary(learner), ZOOM, &width, &height, error);
    if (mosaic == NULL)
        return false;

    CxSparseProgress progress = cx_sparse_learner_progress(learner);
    double batch = progress.n_batches;
    g_mutex_lock(&run->lock);
    cx_free(run->mosaic);
    run->mosaic = mosaic;
    run->width = width;
    run->height = height;
    run->figures.progress = progress;
    g_array_append_val(run->objective, progress.objective);
    g_array_append_val(run->batches, batch);
    g_mutex_unlock(&run->lock);
    cxui_bell_ring(run->bell);
    return true;
}

static bool
measure(Run *run, CxSparseLearner *learner, const CxImageSet *images,
        CxJob *job, GError **error)
{
    const CxDictionary *dictionary = cx_sparse_learner_dictionary(learner);
    size_t n_pixels = (size_t)dictionary->side * dictionary->side;
    g_autofree float *patches = g_new(float, N_SAMPLE *n_pixels);
    g_autofree float *codes =
        g_new0(float, N_SAMPLE *(size_t)dictionary->n_atoms);
    g_autofree CxGabor *gabors = g_new0(CxGabor, dictionary->n_atoms);
    unsigned n_good = 0;
    CxRng rng;

    cx_rng_init(&rng, 77);
    if (!cx_image_set_patches(images, dictionary->side, N_SAMPLE, &rng, patches,
                              error) ||
        !cx_sparse_infer(dictionary, patches, N_SAMPLE, run->options.lambda,
                         CX_SPARSE_FISTA, run->options.n_steps, codes, NULL, 1,
                         NULL, error))
        return false;
    double kurtosis =
        cx_kurtosis(codes, N_SAMPLE * (size_t)dictionary->n_atoms);
    if (!cx_job_check(job, error) ||
        !cx_gabor_fit_all(dictionary->atoms, dictionary->side,
                          dictionary->n_atoms, gabors, 1, NULL, error))
        return false;
    for (unsigned i = 0; i < dictionary->n_atoms; i++)
        n_good += gabors[i].r2 >= GABOR_R2;
    g_mutex_lock(&run->lock);
    run->figures.kurtosis = kurtosis;
    run->figures.gabor_share = (double)n_good / dictionary->n_atoms;
    g_mutex_unlock(&run->lock);
    cxui_bell_ring(run->bell);
    return true;
}

static CxImageSet *
get_images(const Run *run, CxJob *job, GError **error)
{
    g_autoptr(CxImageSet) raw =
        run->folder != NULL
            ? cx_image_set_load(run->folder, MAX_IMAGES, job, error)
            : cx_image_set_draw(N_DRAWN, DRAWN_SIDE, 1, job, error);

    return raw != NULL ? cx_image_set_whiten(raw, 0.4, job, error) : NULL;
}

static bool
run_learn(CxJob *job, void *data, GError **error)
{
    Run *run = data;

    cx_job_stage(job, "images", 0.0, 0.05);
    g_autoptr(CxImageSet) images = get_images(run, job, error);
    if (images == NULL)
        return false;
    g_autoptr(CxSparseLearner) learner =
        cx_sparse_learner_new(&run->options, images, error);
    if (learner == NULL)
        return false;
    cx_job_stage(job, "learning", 0.05, 1.0);
    for (unsigned picture = 1; !cx_sparse_learner_is_done(learner); picture++) {
        if (!cx_sparse_learner_run(learner, BATCHES_A_PICTURE, job, error) ||
            !leave_picture(run, learner, error))
            return false;
        bool last = cx_sparse_learner_is_done(learner);
        if ((last || picture % PICTURES_A_FIT == 0) &&
            !measure(run, learner, images, job, error))
            return false;
    }
    return true;
}

/* --- main loop */

static void
take_over(CxuiTheorySparse *self)
{
    Run *run = self->run;

    if (run == NULL)
        return;
    g_mutex_lock(&run->lock);
    if (run->mosaic != NULL) {
        cx_free(self->mosaic);
        self->mosaic = g_steal_pointer(&run->mosaic);
        self->width = run->width;
        self->height = run->height;
    }
    self->figures = run->figures;
    g_array_set_size(self->objective, 0);
    g_array_set_size(self->batches, 0);
    g_array_append_vals(self->objective, run->objective->data,
                        run->objective->len);
    g_array_append_vals(self->batches, run->batches->data, run->batches->len);
    g_mutex_unlock(&run->lock);
    g_signal_emit(self, changed_signal, 0);
}

static void
on_bell(GObject *owner)
{
    take_over(CXUI_THEORY_SPARSE(owner));
}

static void start(CxuiTheorySparse *self, const CxSparseOptions *options,
                  const char *folder);

static void
on_done(CxJob *job, const GError *error, void *data)
{
    Run *run = data;
    CxuiTheorySparse *self = run->owner;

    g_clear_pointer(&self->job, cx_job_unref);
    if (!self->stopped) {
        take_over(self);
        if (error != NULL && !cx_error_is_cancelled(error))
            cxui_session_fail(self->session, error);
        if (self->next.wanted) {
            self->next.wanted = false;
            start(self, &self->next.options, self->next.folder);
        }
        g_signal_emit(self, changed_signal, 0);
    }
    g_object_unref(self);
}

static void
start(CxuiTheorySparse *self, const CxSparseOptions *options,
      const char *folder)
{
    Run *run = g_new0(Run, 1);

    g_atomic_ref_count_init(&run->refs);
    run->options = *options;
    run->options.n_threads = 1;
    run->folder = g_strdup(folder);
    run->bell = cxui_bell_ref(self->bell);
    run->owner = g_object_ref(self);
    run->figures = (CxuiSparseFigures){
        .kurtosis = NAN, .gabor_share = NAN, .n_wanted = options->n_batches};
    run->objective = g_array_new(FALSE, FALSE, sizeof(double));
    run->batches = g_array_new(FALSE, FALSE, sizeof(double));
    g_mutex_init(&run->lock);
    CxuiJobRequest request = {
        .title = "Learning a sparse code",
        .tier = CX_TIER_BATCH,
        .func = run_learn,
        .data = run,
        .destroy = run_unref,
        .done = on_done,
        .user_data = run,
    };
    run_unref(self->run);
    self->run = run;
    g_atomic_ref_count_inc(&run->refs);
    self->job = cxui_job_list_start(cxui_session_jobs(self->session), &request);
}

void
cxui_theory_sparse_learn(CxuiTheorySparse *self, const CxSparseOptions *options,
                         const char *folder)
{
    if (self->stopped)
        return;
    if (self->job != NULL) {
        self->next.options = *options;
        g_free(self->next.folder);
        self->next.folder = g_strdup(folder);
        self->next.wanted = true;
        cx_job_cancel(self->job);
        return;
    }
    start(self, options, folder);
    g_signal_emit(self, changed_signal, 0);
}

void
cxui_theory_sparse_cancel(CxuiTheorySparse *self)
{
    self->next.wanted = false;
    if (self->job != NULL)
        cx_job_cancel(self->job);
}

void
cxui_theory_sparse_stop(CxuiTheorySparse *self)
{
    self->stopped = true;
    cxui_theory_sparse_cancel(self);
}

bool
cxui_theory_sparse_is_running(CxuiTheorySparse *self)
{
    return self->job != NULL;
}

const uint8_t *
cxui_theory_sparse_mosaic(CxuiTheorySparse *self, unsigned *width,
                          unsigned *height)
{
    *width = self->width;
    *height = self->height;
    return self->mosaic;
}

CxuiSparseFigures
cxui_theory_sparse_figures(CxuiTheorySparse *self)
{
    return self->figures;
}

const double *
cxui_theory_sparse_objective(CxuiTheorySparse *self, const double **batches,
                             size_t *n)
{
    *n = self->objective->len;
    *batches = (const double *)(const void *)self->batches->data;
    return (const double *)(const void *)self->objective->data;
}

CxuiTheorySparse *
cxui_theory_sparse_new(CxuiSession *session)
{
    CxuiTheorySparse *self = g_object_new(CXUI_TYPE_THEORY_SPARSE, NULL);

    self->session = session;
    return self;
}

static void
finalize(GObject *object)
{
    CxuiTheorySparse *self = CXUI_THEORY_SPARSE(object);

    g_clear_pointer(&self->job, cx_job_unref);
    run_unref(self->run);
    cx_free(self->mosaic);
    g_free(self->next.folder);
    g_array_unref(self->objective);
    g_array_unref(self->batches);
    cxui_bell_unref(self->bell);
    G_OBJECT_CLASS(cxui_theory_sparse_parent_class)->finalize(object);
}

static void
cxui_theory_sparse_class_init(CxuiTheorySparseClass *class)
{
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal =
        g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
cxui_theory_sparse_init(CxuiTheorySparse *self)
{
    self->bell = cxui_bell_new(G_OBJECT(self), on_bell);
    self->objective = g_array_new(FALSE, FALSE, sizeof(double));
    self->batches = g_array_new(FALSE, FALSE, sizeof(double));
    self->figures.kurtosis = NAN;
    self->figures.gabor_share = NAN;
}
