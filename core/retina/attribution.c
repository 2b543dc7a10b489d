/* Attributions over a film: one walk along the ray a frame.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/attribution.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/retina/film_drive.h"
#include "core/retina/retina_cnn_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16 /* frames a thread takes at a time */

static const char *const rule_names[] = {"exact", "midpoint", "right"};

const char *
cx_attribution_rule_name(CxAttributionRule rule)
{
    g_return_val_if_fail(rule <= CX_ATTRIBUTION_RIGHT, "");
    return rule_names[rule];
}

bool
cx_attribution_rule_from_name(const char *name, CxAttributionRule *rule)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(rule_names); i++)
        if (strcmp(name, rule_names[i]) == 0) {
            *rule = (CxAttributionRule)i;
            return true;
        }
    return false;
}

/* Where a cell's patches lie in their layers. */
typedef struct {
    size_t y1, x1, height1, width1;
    size_t y2, x2, height2, width2;
} Patch;

static Patch
find_patch(const CxRetinaCnn *net, CxRetinaPick pick)
{
    const CxRetinaLayer *second = cx_retina_cnn_layer(net, 1);
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);

    return (Patch){
        .y1 = (size_t)pick.y,
        .x1 = (size_t)pick.x,
        .height1 = cells->kernel_y + second->kernel_y - 1,
        .width1 = cells->kernel_x + second->kernel_x - 1,
        .y2 = (size_t)pick.y,
        .x2 = (size_t)pick.x,
        .height2 = cells->kernel_y,
        .width2 = cells->kernel_x,
    };
}

static uint8_t
fate_of(const CxRetinaMask *mask, unsigned layer, size_t channel)
{
    if (mask == NULL)
        return CX_RETINA_KEEP;
    return layer == 0 ? mask->layer1[channel] : mask->layer2[channel];
}

/* scale and shift of a patch of a layer's normalisation, the bias folded into
 * the shift; a removed channel has no scale, and its relu gives 0 or, held,
 * what it gives to grey. */
static void
fold_patch(const CxRetinaCnn *net, unsigned layer, const CxRetinaMask *mask,
           const size_t box[4], double *scale, double *shift)
{
    const CxRetinaLayer *l = cx_retina_cnn_layer(net, layer);
    const float *bias = cx_retina_values(net, layer, CX_RETINA_BIAS);
    size_t i = 0;

    for (size_t c = 0; c < l->n_out; c++)
        for (size_t y = 0; y < box[2]; y++)
            for (size_t x = 0; x < box[3]; x++, i++) {
                size_t unit =
                    (c * l->out_y + box[0] + y) * l->out_x + box[1] + x;
                uint8_t fate = fate_of(mask, layer, c);

                scale[i] = (double)net->scale[layer][unit];
                shift[i] = scale[i] * (double)bias[c] +
                           (double)net->offset[layer][unit];
                if (layer == 0 && fate != CX_RETINA_KEEP) {
                    scale[i] = 0.0;
                    shift[i] =
                        fate == CX_RETINA_HOLD ? fmax(0.0, shift[i]) : 0.0;
                }
            }
}

/* Weights of the cell, scaled by its normalisation; returns the offset. */
static double
fold_cell(const CxRetinaCnn *net, CxRetinaPick pick, const Patch *patch,
          double *weight3)
{
    const CxRetinaLayer *cells = cx_retina_cnn_layer(net, 2);
    size_t area = patch->height2 * patch->width2, n = cells->n_in * area;
    const float *weight =
        cx_retina_values(net, 2, CX_RETINA_WEIGHT) + (size_t)pick.map * n;
    double scale = (double)net->scale[2][pick.map];

    for (size_t i = 0; i < n; i++)
        weight3[i] = scale * (double)weight[i];
    return scale * (double)cx_retina_values(net, 2, CX_RETINA_BIAS)[pick.map] +
           (double)net->offset[2][pick.map];
}

/* Channels of layer 2 that are removed weigh nothing; held ones move to the
 * offset with what they give to grey in the whole network. */
static void
hold_layer2(const CxRetinaRay *whole, const CxRetinaMask *mask, size_t area,
            size_t n_channels, double *weight3, double *shift3)
{
    g_autofree double *a2 = g_new(double, n_channels *area);

    cx_retina_ray_grey_layer2(whole, a2);
    for (size_t i = 0; i < n_channels * area; i++) {
        uint8_t fate = fate_of(mask, 1, i / area);

        if (fate == CX_RETINA_HOLD)
            *shift3 += weight3[i] * a2[i];
        if (fate != CX_RETINA_KEEP)
            weight3[i] = 0.0;
    }
}

CxRetinaRay *
cx_attribution_ray(const CxRetinaCnn *net, CxRetinaPick pick,
                   const CxRetinaMask *mask, int32_t *y0, int32_t *x0,
                   GError **error)
{
    const CxRetinaLayer *first = cx_retina_cnn_layer(net, 0);
    const CxRetinaLayer *second = cx_retina_cnn_layer(net, 1);

    if (!cx_retina_pick_is_inside(net, pick)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "cell %d at %d,%d lies outside the network's maps",
                    pick.map, pick.x, pick.y);
        return NULL;
    }
    Patch patch = find_patch(net, pick);
    size_t n1 = first->n_out * patch.height1 * patch.width1;
    size_t n2 = second->n_out * patch.height2 * patch.width2;
    g_autofree double *norm = g_new(double, 2 * (n1 + n2) + n2);
    double *scale1 = norm, *shift1 = scale1 + n1, *scale2 = shift1 + n1;
    double *shift2 = scale2 + n2, *weight3 = shift2 + n2;

    const size_t box1[] = {patch.y1, patch.x1, patch.height1, patch.width1};
    const size_t box2[] = {patch.y2, patch.x2, patch.height2, patch.width2};

    fold_patch(net, 0, NULL, box1, scale1, shift1);
    fold_patch(net, 1, NULL, box2, scale2, shift2);
    CxRetinaRayShape shape = {
        .n1 = (uint32_t)first->n_out,
        .height1 = (uint32_t)patch.height1,
        .width1 = (uint32_t)patch.width1,
        .n2 = (uint32_t)second->n_out,
        .kernel_h = (uint32_t)second->kernel_y,
        .kernel_w = (uint32_t)second->kernel_x,
        .scale1 = scale1,
        .shift1 = shift1,
        .weight2 = cx_retina_values(net, 1, CX_RETINA_WEIGHT),
        .scale2 = scale2,
        .shift2 = shift2,
        .weight3 = weight3,
        .shift3 = fold_cell(net, pick, &patch, weight3),
        .gain = 1.0,
    };
    if (mask != NULL) {
        g_autoptr(CxRetinaRay) whole = cx_retina_ray_new(&shape);

        hold_layer2(whole, mask, patch.height2 * patch.width2, second->n_out,
                    weight3, &shape.shift3);
        fold_patch(net, 0, mask, box1, scale1, shift1);
    }
    if (y0 != NULL)
        *y0 = (int32_t)patch.y1;
    if (x0 != NULL)
        *x0 = (int32_t)patch.x1;
    return cx_retina_ray_new(&shape);
}

/* ---- one film --------------------------------------------------------- */

typedef struct {
    CxRetinaScratch *scratch;
    CxRetinaWalk *walk;
    float *drive; /* [units of layer 1] */
    float *patch; /* [units of the patch] */
    double *parts[2];
} Worker;

typedef struct {
    const CxRetinaCnn *net;
    const CxFilmDrive *film;
    const CxRetinaRay *ray;
    const CxAttributionOptions *options;
    Patch where;
    size_t first, end, stride;
    Worker *workers;
    unsigned n_workers;
    uint32_t *kinks;
    CxAttribution *out;
} Run;

static void
worker_init(Worker *worker, const Run *run)
{
    size_t units = cx_retina_cnn_layer(run->net, 0)->n_units;

    worker->scratch = cx_retina_scratch_new(run->net);
    worker->walk = cx_retina_walk_new(run->ray);
    worker->drive = g_new(float, units);
    worker->patch = g_new(float, cx_retina_ray_n1(run->ray));
    worker->parts[0] = g_new(double, cx_retina_ray_n1(run->ray));
    worker->parts[1] = g_new(double, cx_retina_ray_n2(run->ray));
}

static void
worker_clear(Worker *worker)
{
    cx_retina_scratch_free(worker->scratch);
    cx_retina_walk_free(worker->walk);
    g_free(worker->drive);
    g_free(worker->patch);
    g_free(worker->parts[0]);
    g_free(worker->parts[1]);
}

static void
cut_patch(const CxRetinaCnn *net, const Patch *where, const float *from,
          float *to)
{
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);

    for (size_t c = 0; c < layer->n_out; c++)
        for (size_t y = 0; y < where->height1; y++, to += where->width1)
            memcpy(to,
                   from + (c * layer->out_y + where->y1 + y) * layer->out_x +
                       where->x1,
                   where->width1 * sizeof(float));
}

static void
sum_channels(const double *parts, size_t n_channels, size_t n_units,
             double *sum, double *magnitude)
{
    size_t area = n_units / n_channels;

    for (size_t c = 0; c < n_channels; c++) {
        sum[c] = magnitude[c] = 0.0;
        for (size_t i = c * area; i < (c + 1) * area; i++) {
            sum[c] += parts[i];
            magnitude[c] += fabs(parts[i]);
        }
    }
}

static CxRetinaWalkResult
walk_frame(const Run *run, Worker *worker)
{
    uint32_t n_steps = run->options->n_steps > 0 ? run->options->n_steps : 100;

    cut_patch(run->net, &run->where, worker->drive, worker->patch);
    return cx_retina_walk_run(worker->walk, worker->patch, run->options->rule,
                              n_steps, worker->parts[0], worker->parts[1]);
}

static bool
attribute_frame(Run *run, Worker *worker, size_t frame, GError **error)
{
    CxAttribution *out = run->out;

    if (!cx_film_drive_get(run->film, worker->scratch, frame, 1, worker->drive,
                           error))
        return false;
    CxRetinaWalkResult result = walk_frame(run, worker);
    out->rate[frame] = result.rate;
    out->done[frame] = true;
    out->gap[0][frame] = result.sum1 - (result.rate - result.rate0);
    out->gap[1][frame] = result.sum2 - (result.rate - result.rate0);
    run->kinks[frame] = result.n_kinks;
    for (unsigned l = 0; l < 2; l++)
        sum_channels(worker->parts[l], out->n_channels[l],
                     l == 0 ? cx_retina_ray_n1(run->ray)
                            : cx_retina_ray_n2(run->ray),
                     out->sum[l] + frame * out->n_channels[l],
                     out->magnitude[l] + frame * out->n_channels[l]);
    return true;
}

static bool
attribute_block(size_t item, unsigned worker, void *data, GError **error)
{
    Run *run = data;
    size_t first = run->first + item * BLOCK * run->stride;

    for (size_t i = 0; i < BLOCK; i++) {
        size_t frame = first + i * run->stride;

        if (frame >= run->end)
            break;
        if (!attribute_frame(run, &run->workers[worker], frame, error))
            return false;
    }
    return true;
}

static int
compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
measure_gaps(CxAttribution *out, unsigned layer)
{
    g_autofree double *errors = g_new(double, out->n_frames);
    double largest = 0.0;
    size_t n = 0;

    for (size_t t = 0; t < out->n_frames; t++)
        largest = fmax(largest, fabs(out->rate[t] - out->rate0));
    for (size_t t = 0; t < out->n_frames; t++) {
        double change = fabs(out->rate[t] - out->rate0);

        if (out->done[t] && change > 0.0 && change >= 0.01 * largest)
            errors[n++] = fabs(out->gap[layer][t]) / change;
    }
    qsort(errors, n, sizeof(double), compare_reals);
    out->median_error[layer] = n > 0 ? errors[n / 2] : (double)NAN;
    out->worst_error[layer] = n > 0 ? errors[n - 1] : (double)NAN;
}

static CxAttribution *
make_result(const CxRetinaCnn *net, const CxMovie *movie, CxRetinaPick pick,
            double rate0)
{
    CxAttribution *out = g_new0(CxAttribution, 1);

    out->pick = pick;
    out->n_frames = movie->n_frames;
    out->history = cx_retina_cnn_shape(net)->history;
    out->rate0 = rate0;
    out->rate = g_new(double, out->n_frames);
    out->done = g_new0(bool, out->n_frames);
    for (size_t t = 0; t < out->n_frames; t++)
        out->rate[t] = rate0;
    for (unsigned l = 0; l < 2; l++) {
        out->n_channels[l] = cx_retina_cnn_layer(net, l)->n_out;
        out->sum[l] = g_new0(double, out->n_frames * out->n_channels[l]);
        out->magnitude[l] = g_new0(double, out->n_frames * out->n_channels[l]);
        out->gap[l] = g_new0(double, out->n_frames);
    }
    return out;
}

void
cx_attribution_free(CxAttribution *attribution)
{
    for (unsigned l = 0; l < 2; l++) {
        g_free(attribution->sum[l]);
        g_free(attribution->magnitude[l]);
        g_free(attribution->gap[l]);
    }
    g_free(attribution->rate);
    g_free(attribution->done);
    g_free(attribution);
}

static double
grey_rate(const CxRetinaRay *ray)
{
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    g_autofree float *none = g_new0(float, cx_retina_ray_n1(ray));

    return cx_retina_ray_rate(ray, walk, none, 0.0);
}

static bool
run_frames(Run *run, CxJob *job, GError **error)
{
    size_t step = BLOCK * run->stride;
    size_t n = run->end > run->first ? run->end - run->first : 0;

    run->n_workers = cx_parallel_n_threads(run->options->n_threads);
    run->workers = g_new0(Worker, run->n_workers);
    run->kinks = g_new0(uint32_t, run->out->n_frames);
    for (unsigned i = 0; i < run->n_workers; i++)
        worker_init(&run->workers[i], run);
    bool done = cx_parallel_for(run->n_workers, (n + step - 1) / step,
                                attribute_block, run, job, error);
    for (unsigned i = 0; i < run->n_workers; i++)
        worker_clear(&run->workers[i]);
    size_t n_done = 0;
    for (size_t t = 0; t < run->out->n_frames; t++) {
        n_done += run->out->done[t] ? 1 : 0;
        run->out->mean_kinks += (double)run->kinks[t];
    }
    run->out->mean_kinks /= (double)MAX(n_done, 1);
    g_free(run->workers);
    g_free(run->kinks);
    return done;
}

CxAttribution *
cx_attribution_new(const CxRetinaCnn *net, const CxMovie *movie,
                   CxRetinaPick pick, const CxAttributionOptions *options,
                   CxJob *job, GError **error)
{
    static const CxAttributionOptions defaults = {0};
    const CxAttributionOptions *o = options != NULL ? options : &defaults;
    g_autoptr(CxFilmDrive) film = cx_film_drive_new(net, movie, error);
    g_autoptr(CxRetinaRay) ray =
        film != NULL ? cx_attribution_ray(net, pick, o->mask, NULL, NULL, error)
                     : NULL;

    if (ray == NULL)
        return NULL;
    g_autoptr(CxAttribution) out =
        make_result(net, movie, pick, grey_rate(ray));
    Run run = {
        .net = net,
        .film = film,
        .ray = ray,
        .options = o,
        .where = find_patch(net, pick),
        .first = MAX(o->first, out->history),
        .end = o->end > 0 ? MIN(o->end, out->n_frames) : out->n_frames,
        .stride = MAX(o->stride, 1),
        .out = out,
    };
    if (!run_frames(&run, job, error))
        return NULL;
    measure_gaps(out, 0);
    measure_gaps(out, 1);
    return g_steal_pointer(&out);
}

/* ---- one frame -------------------------------------------------------- */

/* A run of one frame: drive and patch are filled. */
static bool
frame_drive(const CxRetinaCnn *net, const CxMovie *movie, CxRetinaPick pick,
            size_t frame, const CxRetinaRay *ray, float **patch, GError **error)
{
    g_autoptr(CxFilmDrive) film = cx_film_drive_new(net, movie, error);
    Patch where = find_patch(net, pick);

    if (film == NULL)
        return false;
    if (frame < cx_retina_cnn_shape(net)->history || frame >= movie->n_frames) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "frame %zu has no window in a film of %zu frames", frame,
                    movie->n_frames);
        return false;
    }
    g_autoptr(CxRetinaScratch) scratch = cx_retina_scratch_new(net);
    g_autofree float *drive =
        g_new(float, cx_retina_cnn_layer(net, 0)->n_units);
    if (!cx_film_drive_get(film, scratch, frame, 1, drive, error))
        return false;
    *patch = g_new(float, cx_retina_ray_n1(ray));
    cut_patch(net, &where, drive, *patch);
    return true;
}

static void
paste_patch(const CxRetinaLayer *layer, const size_t box[4],
            const double *parts, float *out)
{
    memset(out, 0, layer->n_units * sizeof(float));
    for (size_t c = 0; c < layer->n_out; c++)
        for (size_t y = 0; y < box[2]; y++)
            for (size_t x = 0; x < box[3]; x++)
                out[(c * layer->out_y + box[0] + y) * layer->out_x + box[1] +
                    x] = (float)parts[(c * box[2] + y) * box[3] + x];
}

bool
cx_attribution_map(const CxRetinaCnn *net, const CxMovie *movie,
                   CxRetinaPick pick, const CxAttributionOptions *options,
                   size_t frame, float *layer1, float *layer2, GError **error)
{
    static const CxAttributionOptions defaults = {0};
    const CxAttributionOptions *o = options != NULL ? options : &defaults;
    g_autoptr(CxRetinaRay) ray =
        cx_attribution_ray(net, pick, o->mask, NULL, NULL, error);
    g_autofree float *patch = NULL;
    Patch p = find_patch(net, pick);

    if (ray == NULL ||
        !frame_drive(net, movie, pick, frame, ray, &patch, error))
        return false;
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    g_autofree double *parts1 = g_new(double, cx_retina_ray_n1(ray));
    g_autofree double *parts2 = g_new(double, cx_retina_ray_n2(ray));
    cx_retina_walk_run(walk, patch, o->rule, o->n_steps > 0 ? o->n_steps : 100,
                       parts1, parts2);
    if (layer1 != NULL)
        paste_patch(cx_retina_cnn_layer(net, 0),
                    (size_t[]){p.y1, p.x1, p.height1, p.width1}, parts1,
                    layer1);
    if (layer2 != NULL)
        paste_patch(cx_retina_cnn_layer(net, 1),
                    (size_t[]){p.y2, p.x2, p.height2, p.width2}, parts2,
                    layer2);
    return true;
}

bool
cx_attribution_path(const CxRetinaCnn *net, const CxMovie *movie,
                    CxRetinaPick pick, const CxRetinaMask *mask, size_t frame,
                    uint32_t n_points, double *rate, double *density,
                    GError **error)
{
    g_autoptr(CxRetinaRay) ray =
        cx_attribution_ray(net, pick, mask, NULL, NULL, error);
    g_autofree float *patch = NULL;

    if (ray == NULL ||
        !frame_drive(net, movie, pick, frame, ray, &patch, error))
        return false;
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    cx_retina_walk_path(walk, patch, n_points, rate, density);
    return true;
}

bool
cx_attribution_gradient(const CxRetinaCnn *net, const CxMovie *movie,
                        CxRetinaPick pick, size_t frame, double *parts,
                        GError **error)
{
    g_autoptr(CxRetinaRay) ray =
        cx_attribution_ray(net, pick, NULL, NULL, NULL, error);
    g_autofree float *patch = NULL;

    if (ray == NULL ||
        !frame_drive(net, movie, pick, frame, ray, &patch, error))
        return false;
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    size_t n = cx_retina_ray_n1(ray);
    size_t area = n / cx_retina_cnn_layer(net, 0)->n_out;
    g_autofree double *gradient = g_new(double, n);
    cx_retina_ray_gradient(ray, walk, patch, 1.0, gradient);
    memset(parts, 0, n / area * sizeof(double));
    for (size_t i = 0; i < n; i++)
        parts[i / area] += gradient[i] * (double)patch[i];
    return true;
}
