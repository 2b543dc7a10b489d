/* The Retina page's state: training a small network on the simulated retina.
 *
 * Films and kernels have a height of 1 (x and time), which is all the four
 * protocols need and a minute's work.  The worker leaves each epoch's figures
 * for the bell.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/retina_session_private.h"

#include "app/session/session_private.h"
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/natural.h"

#include <math.h>

#define WIDTH 80
#define KERNEL_1 15
#define KERNEL_2 11
#define CLIP_FRAMES 600
#define VALID_SHARE 8 /* one part in so many is held out */

struct CxuiRetinaCourse {
    gatomicrefcount refs;
    CxuiRetinaTraining training;
    CxuiBell *bell;
    CxuiRetinaSession *owner; /* a reference, for the main loop alone */
    CxRetinaCnn *net;

    GMutex lock;
    GArray *epochs; /* of CxRetinaEpoch; guarded */
};

void
cxui_retina_course_unref(void *data)
{
    CxuiRetinaCourse *course = data;

    if (course == NULL || !g_atomic_ref_count_dec(&course->refs))
        return;
    g_clear_pointer(&course->net, cx_retina_cnn_free);
    g_array_unref(course->epochs);
    cxui_bell_unref(course->bell);
    g_mutex_clear(&course->lock);
    g_free(course);
}

/* --- worker */

/* A film and what the simulated retina answers at each place of the map. */
typedef struct {
    CxMovie *movie;
    float *target;
} Lesson;

static void
lesson_clear(Lesson *lesson)
{
    g_clear_pointer(&lesson->movie, cx_movie_free);
    g_clear_pointer(&lesson->target, cx_free);
}

static bool
prepare(Lesson *lesson, const CxRetinaCnn *net, CxNaturalOptions options,
        CxJob *job, GError **error)
{
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
    size_t n = cells->out_x;
    g_autofree CxCellPosition *places = g_new0(CxCellPosition, n);
    CxSimulatorOptions simulator = {0};

    options.height = 1;
    options.width = WIDTH;
    lesson->movie = cx_natural_new(&options, job, error);
    if (lesson->movie == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        places[i] = cx_retina_cnn_pick_centre(
            net, (CxRetinaPick){.map = 0, .y = 0, .x = (int32_t)i});
    lesson->target =
        cx_try_alloc(options.n_frames * n, sizeof *lesson->target, error);
    if (lesson->target == NULL)
        return false;
    CxSimulatorOutput output = {.rate = lesson->target};
    return cx_simulator_run(lesson->movie, &simulator, places, n, &output, job,
                            error);
}

static bool
on_epoch(const CxRetinaEpoch *epoch, void *data)
{
    CxuiRetinaCourse *course = data;

    g_mutex_lock(&course->lock);
    g_array_append_val(course->epochs, *epoch);
    g_mutex_unlock(&course->lock);
    cxui_bell_ring(course->bell);
    return true;
}

static bool
learn(CxuiRetinaCourse *course, const Lesson *train, const Lesson *valid,
      CxJob *job, GError **error)
{
    size_t history = cx_retina_cnn_shape(course->net)->history;
    CxRetinaClip clips[2] = {{train->movie, train->target, history},
                             {valid->movie, valid->target, history}};
    CxRetinaData data[2] = {{&clips[0], 1}, {&clips[1], 1}};
    CxRetinaTrainOptions options = {
        .epochs = course->training.epochs,
        .batch = 64,
        .rate = 3e-3,
        .seed = course->training.seed,
        .n_threads = 1,
    };

    return cx_retina_train(course->net, &data[0], &data[1], &options, on_epoch,
                           course, job, error);
}

static bool
run_course(CxJob *job, void *data, GError **error)
{
    CxuiRetinaCourse *course = data;
    CxRetinaShape shape = {
        .history = 40,
        .height = 1,
        .width = WIDTH,
        .n_channels = {8, 8},
        .n_maps = 1,
        .kernel_y = {1, 1, 1},
        .kernel_x = {KERNEL_1, KERNEL_2, KERNEL_2},
    };
    CxNaturalOptions films = course->training.natural
                                 ? cx_natural_options_natural()
                                 : cx_natural_options_mixture();
    Lesson train = {0};
    Lesson valid = {0};

    course->net = cx_retina_cnn_new(&shape, course->training.seed, error);
    if (course->net == NULL)
        return false;
    films.seed = course->training.seed;
    films.n_frames = MAX(course->training.seconds * 100, 2 * CLIP_FRAMES);
    cx_job_stage(job, "films", 0.0, 0.05);
    bool ok = prepare(&train, course->net, films, job, error);
    films.seed += 1000;
    films.n_frames = MAX(films.n_frames / VALID_SHARE, CLIP_FRAMES);
    ok = ok && prepare(&valid, course->net, films, job, error);
    cx_job_stage(job, "training", 0.05, 1.0);
    ok = ok && learn(course, &train, &valid, job, error);
    lesson_clear(&train);
    lesson_clear(&valid);
    return ok;
}

/* --- main loop */

void
cxui_retina_course_collect(CxuiRetinaSession *self)
{
    CxuiRetinaCourse *course = self->course;

    if (course == NULL)
        return;
    g_mutex_lock(&course->lock);
    g_array_set_size(self->epochs, 0);
    g_array_append_vals(self->epochs, course->epochs->data,
                        course->epochs->len);
    g_mutex_unlock(&course->lock);
    cxui_retina_emit(self, CXUI_RETINA_TRAINING_CHANGED);
}

/* A network is worth keeping even if it was stopped early. */
static void
keep_network(CxuiRetinaSession *self, CxuiRetinaCourse *course)
{
    CxuiRetinaNet *net = g_new0(CxuiRetinaNet, 1);
    const char *films =
        course->training.natural ? "natural films" : "mixed films";

    g_atomic_ref_count_init(&net->refs);
    net->net = g_steal_pointer(&course->net);
    net->title = g_strdup_printf("trained here: %s, %u s, %u epochs", films,
                                 course->training.seconds, self->epochs->len);
    cx_retina_cnn_set_text(net->net, "name", net->title);
    cx_retina_cnn_set_text(net->net, "data",
                           "simulated retina, x and time alone");
    cxui_retina_add_network(self, net, true);
}

static void
on_trained(CxJob *job, const GError *error, void *data)
{
    CxuiRetinaCourse *course = data;
    CxuiRetinaSession *self = course->owner;

    if (cxui_retina_slot_end(self, &self->train_slot, error)) {
        cxui_retina_course_collect(self);
        if ((error == NULL || cx_error_is_cancelled(error)) &&
            self->epochs->len > 0)
            keep_network(self, course);
        cxui_retina_emit(self, CXUI_RETINA_TRAINING_CHANGED);
    }
    g_object_unref(self);
}

void
cxui_retina_session_train(CxuiRetinaSession *self,
                          const CxuiRetinaTraining *training)
{
    if (self->stopped || self->train_slot.job != NULL)
        return;
    CxuiRetinaCourse *course = g_new0(CxuiRetinaCourse, 1);
    g_atomic_ref_count_init(&course->refs);
    course->training = *training;
    course->bell = cxui_bell_ref(self->bell);
    course->owner = g_object_ref(self);
    course->epochs = g_array_new(FALSE, FALSE, sizeof(CxRetinaEpoch));
    g_mutex_init(&course->lock);
    CxuiJobRequest request = {
        .title = "Training a retina network",
        .tier = CX_TIER_BATCH,
        .func = run_course,
        .data = course,
        .destroy = cxui_retina_course_unref,
        .done = on_trained,
        .user_data = course,
    };
    cxui_retina_course_unref(self->course);
    self->course = course;
    g_atomic_ref_count_inc(&course->refs);
    g_array_set_size(self->epochs, 0);
    self->train_slot.job =
        cxui_job_list_start(cxui_session_jobs(self->session), &request);
    cxui_retina_emit(self, CXUI_RETINA_TRAINING_CHANGED);
}

void
cxui_retina_session_cancel_training(CxuiRetinaSession *self)
{
    if (self->train_slot.job != NULL)
        cx_job_cancel(self->train_slot.job);
}

bool
cxui_retina_session_is_training(CxuiRetinaSession *self)
{
    return self->train_slot.job != NULL;
}

const CxRetinaEpoch *
cxui_retina_session_epochs(CxuiRetinaSession *self, size_t *n)
{
    *n = self->epochs->len;
    return (const CxRetinaEpoch *)(const void *)self->epochs->data;
}
