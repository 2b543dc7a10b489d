/* retina train: a network that learns from the simulated retina.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/base/error.h"
#include "core/retina/retina_spread.h"
#include "core/retina/retina_train.h"
#include "core/retina/training_mix.h"

#include <stdio.h>
#include <string.h>

#define SPREAD_PX 2.0

/* "a,b,c" of positive whole numbers into n values. */
static bool
parse_list(const CxcliContext *context, const char *name, uint32_t *values,
           unsigned n, GError **error)
{
    const char *text = cxcli_text(context, name, NULL);
    g_auto(GStrv) parts = text != NULL ? g_strsplit(text, ",", 0) : NULL;

    if (text == NULL)
        return true;
    bool ok = g_strv_length(parts) == n;
    for (unsigned i = 0; i < n && ok; i++) {
        guint64 value;

        ok = g_ascii_string_to_unsigned(parts[i], 10, 1, 65536, &value, NULL);
        values[i] = (uint32_t)value;
    }
    if (!ok)
        cxcli_set_usage_error(error,
                              "--%s is \"%s\", expected %u whole numbers with "
                              "commas between them",
                              name, text, n);
    return ok;
}

static bool
find_shape(const CxcliContext *context, CxRetinaShape *shape, GError **error)
{
    *shape = cx_retina_shape_default();
    uint32_t size[3] = {shape->history, shape->height, shape->width};
    uint32_t kernels[3] = {15, 11, 11};

    if (!parse_list(context, "size", size, 3, error) ||
        !parse_list(context, "kernels", kernels, 3, error) ||
        !parse_list(context, "channels", shape->n_channels, 2, error))
        return false;
    shape->history = size[0], shape->height = size[1], shape->width = size[2];
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        shape->kernel_x[l] = kernels[l];
        shape->kernel_y[l] = shape->height == 1 ? 1 : kernels[l];
    }
    return true;
}

/* Cells of the mixture lie where the map's places look. */
static bool
find_mix(const CxcliContext *context, const CxRetinaCnn *net,
         CxTrainingMix *mix, GError **error)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(net);
    const char *name = cxcli_text(context, "mix", "mixed");
    double seconds = cxcli_real(context, "seconds", 600.0);
    size_t field = 0;

    if (!cx_training_mix_from_name(name, mix)) {
        cxcli_set_usage_error(
            error, "--mix is \"%s\", expected natural or mixed", name);
        return false;
    }
    for (unsigned l = 0; l < CX_RETINA_N_LAYERS; l++) {
        if (shape->kernel_x[l] % 2 == 0) {
            cxcli_set_usage_error(error,
                                  "--kernels has %u, expected odd "
                                  "numbers: cells lie on pixels",
                                  shape->kernel_x[l]);
            return false;
        }
        field += shape->kernel_x[l] - 1;
    }
    mix->height = shape->height;
    mix->width = shape->width;
    mix->margin = field / 2;
    mix->seed = cxcli_integer(context, "seed", 1);
    mix->n_threads = context->n_threads;
    if (seconds < 10.0 || seconds > 1e6) {
        cxcli_set_usage_error(error, "--seconds is %g, expected 10 to 1e6",
                              seconds);
        return false;
    }
    mix->n_clips = (size_t)MAX(seconds * 100.0 / (double)mix->clip_frames, 2);
    return true;
}

static CxTrainingSet *
draw(CxcliContext *context, CxTrainingMix mix, bool held_out, double from,
     double to, GError **error)
{
    g_autoptr(CxJob) part = cx_job_new_part(context->job, from, to);

    if (held_out) {
        mix.seed += UINT64_C(1) << 32;
        mix.n_clips = MAX(mix.n_clips / 10, 5);
    }
    return cx_training_set_new(&mix, part, error);
}

typedef struct {
    CxcliContext *context;
    CxRetinaEpoch last;
} Log;

static bool
on_epoch(const CxRetinaEpoch *epoch, void *user_data)
{
    Log *log = user_data;
    CxcliReport *report = log->context->report;

    log->last = *epoch;
    cxcli_report_begin_object(report, NULL);
    cxcli_report_integer(report, "epoch", epoch->epoch);
    cxcli_report_real(report, "train_loss", epoch->train_loss);
    cxcli_report_real(report, "valid_loss", epoch->valid_loss);
    cxcli_report_real(report, "valid_r", epoch->valid_r);
    cxcli_report_real(report, "valid_cell_r", epoch->valid_cell_r);
    cxcli_report_real(report, "windows_per_s", epoch->windows_per_s);
    cxcli_report_end_object(report);
    if (!log->context->quiet)
        fprintf(stderr, "epoch %u of %u: loss %.4f, held out %.4f, r %.4f\n",
                epoch->epoch, epoch->n_epochs, epoch->train_loss,
                epoch->valid_loss, epoch->valid_r);
    return true;
}

static void
write_card(CxRetinaCnn *net, const CxcliContext *context,
           const CxTrainingMix *mix, const CxRetinaEpoch *last)
{
    g_autofree char *name = g_path_get_basename(context->args[0]);
    g_autofree char *training = g_strdup_printf(
        "%zu clips of %zu frames (%s), seed %" G_GUINT64_FORMAT ", %u epochs; "
        "held out: r %.4f, loss %.4f",
        mix->n_clips, mix->clip_frames, cxcli_text(context, "mix", "mixed"),
        mix->seed, last->epoch, last->valid_r, last->valid_loss);

    cx_retina_cnn_set_text(net, "name", name);
    cx_retina_cnn_set_text(net, "description",
                           "Predicts the rates of a simulated retina");
    cx_retina_cnn_set_text(net, "data", "simulated retina");
    cx_retina_cnn_set_text(net, "training", training);
}

static bool
train(CxcliContext *context, CxRetinaCnn *net, GError **error)
{
    double noise = cxcli_real(context, "noise", 0.0);
    Log log = {.context = context};
    CxTrainingMix mix;
    CxRetinaTrainOptions options = {
        .epochs = (unsigned)cxcli_integer(context, "epochs", 20),
        .batch = (unsigned)cxcli_integer(context, "batch", 0),
        .stride = (unsigned)cxcli_integer(context, "stride", 0),
        .rate = cxcli_real(context, "rate", 0.0),
        .rate_end = cxcli_real(context, "rate-end", 0.0),
        .noise = noise > 0.0 ? noise : -1.0,
        .norm_by_channel = !cxcli_has(context, "unit-norm"),
        .seed = cxcli_integer(context, "seed", 1),
        .n_threads = context->n_threads,
    };

    if (!find_mix(context, net, &mix, error))
        return false;
    g_autoptr(CxTrainingSet) set = draw(context, mix, false, 0.0, 0.2, error);
    g_autoptr(CxTrainingSet) held_out =
        set != NULL ? draw(context, mix, true, 0.2, 0.22, error) : NULL;
    if (held_out == NULL)
        return false;
    CxRetinaData data = cx_training_set_data(set);
    CxRetinaData valid = cx_training_set_data(held_out);
    cx_job_stage(context->job, "training", 0.22, 1.0);
    cxcli_report_begin_array(context->report, "epochs");
    if (!cx_retina_train(net, &data, &valid, &options, on_epoch, &log,
                         context->job, error))
        return false;
    cxcli_report_end_array(context->report);
    cxcli_report_real(context->report, "valid_r", log.last.valid_r);
    cxcli_report_real(context->report, "valid_loss", log.last.valid_loss);
    cxcli_report_real(context->report, "seconds", log.last.seconds);
    cxcli_report_integer(context->report, "weights",
                         (int64_t)cx_retina_cnn_n_weights(net));
    write_card(net, context, &mix, &log.last);
    return cx_retina_cnn_save(net, context->args[0], error);
}

/* A network to go on with: of this shape, or of x-t films, which is spread. */
static CxRetinaCnn *
start_from(const char *path, const CxRetinaShape *shape, GError **error)
{
    g_autoptr(CxRetinaCnn) start = cx_retina_cnn_load(path, error);

    if (start == NULL)
        return NULL;
    if (cx_retina_cnn_shape(start)->height == 1 && shape->height > 1) {
        CxRetinaCnn *net =
            cx_retina_cnn_spread(start, shape->height, SPREAD_PX, error);

        cx_retina_cnn_free(start);
        start = net;
    }
    if (start != NULL &&
        memcmp(cx_retina_cnn_shape(start), shape, sizeof *shape) != 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s has other sizes than the network to train, expected "
                    "the same --size, --kernels and --channels",
                    path);
        return NULL;
    }
    return g_steal_pointer(&start);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const none[] = {NULL};
    const char *start = cxcli_text(context, "start", NULL);
    CxRetinaShape shape;

    if (!cxcli_check_output(context, context->args[0], none, error) ||
        !find_shape(context, &shape, error))
        return false;
    g_autoptr(CxRetinaCnn) net =
        start != NULL ? start_from(start, &shape, error)
                      : cx_retina_cnn_new(
                            &shape, cxcli_integer(context, "seed", 1), error);
    return net != NULL && train(context, net, error);
}

static const CxcliOption options_table[] = {
    {"mix", CXCLI_TEXT, "NAME", "natural or mixed (the default)"},
    {"seconds", CXCLI_REAL, "S", "of film to learn from (600)"},
    {"epochs", CXCLI_INTEGER, "N", "times through the films (20)"},
    {"batch", CXCLI_INTEGER, "N", "windows of a step (512)"},
    {"stride", CXCLI_INTEGER, "N", "frames between windows of a run (2)"},
    {"rate", CXCLI_REAL, "R", "of Adam at the start (0.01)"},
    {"rate-end", CXCLI_REAL, "R", "of Adam at the end (a fiftieth of that)"},
    {"noise", CXCLI_REAL, "SD", "before each relu (0: none)"},
    {"start", CXCLI_TEXT, "FILE.h5",
     "weights to go on with; those of an x-t network spread over y"},
    {"seed", CXCLI_INTEGER, "N", "of films, weights and noise (1)"},
    {"size", CXCLI_TEXT, "T,Y,X", "history and film (40,50,50); Y 1: x-t"},
    {"kernels", CXCLI_TEXT, "A,B,C", "sides of the layers' kernels (15,11,11)"},
    {"channels", CXCLI_TEXT, "A,B", "of layers 1 and 2 (8,8)"},
    {"unit-norm", CXCLI_FLAG, NULL,
     "normalise each unit, not each channel, as published"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_train = {
    .name = "retina train",
    .usage = "OUT.h5",
    .summary = "Train a network on the simulated retina",
    .text = "The same seed gives the same network on any number of threads.  "
            "Nothing is written\nif training is stopped.",
    .min_args = 1,
    .max_args = 1,
    .options = options_table,
    .run = run,
};
