/* Smaller networks for good: channels cut out, and what is left refitted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/reduction.h"
#include "core/retina/retina_cnn_private.h"
#include "core/retina/retina_train.h"

#include <math.h>
#include <string.h>

static bool
check_mask(const CxRetinaCnn *net, const CxRetinaMask *mask, uint32_t *n_kept,
           GError **error)
{
    const CxRetinaShape *shape = cx_retina_cnn_shape(net);
    unsigned touched = 0;

    *n_kept = 0;
    for (unsigned c = 0; c < shape->n_channels[0]; c++)
        *n_kept += mask->layer1[c] == CX_RETINA_KEEP ? 1 : 0;
    for (unsigned c = 0; c < shape->n_channels[1]; c++)
        touched += mask->layer2[c] != CX_RETINA_KEEP ? 1 : 0;
    if (*n_kept > 0 && touched == 0)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "a pruned network would keep %u channels of layer 1 and lose "
                "%u of layer 2, expected at least 1 and 0",
                *n_kept, touched);
    return false;
}

/* Copies the rows of kept channels; rows are the first dimension. */
static void
copy_kept(const CxRetinaMask *mask, const float *from, size_t n_channels,
          size_t row, float *to)
{
    for (size_t c = 0; c < n_channels; c++)
        if (mask->layer1[c] == CX_RETINA_KEEP) {
            memcpy(to, from + c * row, row * sizeof(float));
            to += row;
        }
}

static void
copy_tensors(const CxRetinaCnn *net, const CxRetinaMask *mask, CxRetinaCnn *to)
{
    size_t n_channels = net->layers[0].n_out;

    for (unsigned i = 0; i < CX_RETINA_N_TENSORS; i++) {
        const CxRetinaTensor *a = &net->tensors[i], *b = &to->tensors[i];

        if (i < CX_RETINA_TENSORS_A_LAYER) {
            copy_kept(mask, a->data, n_channels, a->n / n_channels, b->data);
        } else if (i == CX_RETINA_TENSORS_A_LAYER + CX_RETINA_WEIGHT) {
            size_t n_out = a->dims[0], n = a->n / n_out;

            for (size_t o = 0; o < n_out; o++)
                copy_kept(mask, a->data + o * n, n_channels, n / n_channels,
                          b->data + o * (b->n / n_out));
        } else {
            memcpy(b->data, a->data, a->n * sizeof(float));
        }
    }
}

/* What held channels give to each unit of layer 2 goes into its mean. */
static bool
move_held(const CxRetinaCnn *net, const CxRetinaMask *mask, CxRetinaCnn *to,
          GError **error)
{
    size_t units1 = net->layers[0].n_units, units2 = net->layers[1].n_units;
    size_t area = units2 / net->layers[1].n_out;
    CX_AUTOFREE float *z = cx_try_alloc(units1 + units2, sizeof(float), error);
    CxRetinaMask held = *mask;
    CxRetinaScratch *scratch = cx_retina_scratch_new(net);
    const float *bias = cx_retina_values(net, 1, CX_RETINA_BIAS);
    float *mean = cx_retina_values(to, 1, CX_RETINA_MEAN);

    if (z == NULL) {
        cx_retina_scratch_free(scratch);
        return false;
    }
    for (size_t c = 0; c < net->layers[0].n_out; c++)
        if (mask->layer1[c] == CX_RETINA_KEEP)
            held.layer1[c] = CX_RETINA_ZERO;
    cx_retina_cnn_grey(net, scratch, &held, z, z + units1);
    for (size_t v = 0; v < units2; v++)
        mean[v] -= z[units1 + v] - bias[v / area];
    cx_retina_scratch_free(scratch);
    return true;
}

static bool
copy_card(const CxRetinaCnn *net, CxRetinaCnn *to, GError **error)
{
    size_t n;
    const CxRetinaPick *picks = cx_retina_cnn_picks(net, &n);

    for (unsigned i = 0; i < CX_RETINA_N_TEXTS; i++)
        cx_retina_cnn_set_text(
            to, cx_retina_text_names[i],
            cx_retina_cnn_text(net, cx_retina_text_names[i]));
    cx_retina_cnn_set_normalisation(to, net->mean, net->sd);
    return cx_retina_cnn_set_picks(to, picks, n, error);
}

CxRetinaCnn *
cx_retina_cnn_pruned(const CxRetinaCnn *net, const CxRetinaMask *mask,
                     GError **error)
{
    CxRetinaShape shape = *cx_retina_cnn_shape(net);
    uint32_t n_kept;

    if (!check_mask(net, mask, &n_kept, error))
        return NULL;
    shape.n_channels[0] = n_kept;
    g_autoptr(CxRetinaCnn) to = cx_retina_cnn_new(&shape, 0, error);
    if (to == NULL)
        return NULL;
    copy_tensors(net, mask, to);
    if (!move_held(net, mask, to, error) || !copy_card(net, to, error))
        return NULL;
    cx_retina_cnn_refresh(to);
    return g_steal_pointer(&to);
}

/* ---- refitting -------------------------------------------------------- */

/* Poisson loss of rates log(1 + exp(a l + b)) for targets y, its gradient and
 * the expected second derivatives. */
typedef struct {
    double loss, gradient[2], aa, ab, bb;
} Fit;

static double
logit_of(double rate)
{
    return rate > 30.0 ? rate : log(expm1(fmax(rate, 1e-6)));
}

static Fit
measure_fit(const float *rates, const float *targets, size_t n, size_t stride,
            double a, double b)
{
    Fit fit = {0};

    for (size_t i = 0; i < n * stride; i += stride) {
        double l = logit_of((double)rates[i]), y = (double)targets[i];
        double rate = fmax(cx_ray_softplus(a * l + b), 1e-12);
        double slope = cx_ray_sigmoid(a * l + b);
        double first = (1.0 - y / rate) * slope, second = slope * slope / rate;

        fit.loss += rate - y * log(rate);
        fit.gradient[0] += first * l;
        fit.gradient[1] += first;
        fit.aa += second * l * l;
        fit.ab += second * l;
        fit.bb += second;
    }
    return fit;
}

/* Scoring steps, halved until the loss falls. */
static void
fit_output(const float *rates, const float *targets, size_t n, size_t stride,
           double *a, double *b)
{
    Fit now = measure_fit(rates, targets, n, stride, *a, *b);

    for (unsigned i = 0; i < 30; i++) {
        double aa = now.aa + 1e-9, bb = now.bb + 1e-9;
        double det = aa * bb - now.ab * now.ab, step = 1.0;

        if (!(det > 0.0))
            return;
        double da = (bb * now.gradient[0] - now.ab * now.gradient[1]) / det;
        double db = (aa * now.gradient[1] - now.ab * now.gradient[0]) / det;
        for (; step > 1e-4; step /= 2.0) {
            double next = fmax(*a - step * da, 1e-3);
            Fit then =
                measure_fit(rates, targets, n, stride, next, *b - step * db);

            if (then.loss < now.loss) {
                *a = next;
                *b -= step * db;
                now = then;
                break;
            }
        }
        if (step <= 1e-4)
            return;
    }
}

static float *
map_rates(const CxRetinaCnn *net, const CxMovie *movie, unsigned n_threads,
          CxJob *job, GError **error)
{
    size_t n = cx_retina_cnn_n_windows(net, movie->n_frames);
    float *rates =
        cx_try_alloc(n * net->layers[2].n_units, sizeof(float), error);

    if (rates == NULL || cx_retina_cnn_respond_maps(net, movie, NULL, n_threads,
                                                    rates, job, error))
        return rates;
    cx_free(rates);
    return NULL;
}

static bool
check_teacher(const CxRetinaCnn *net, const CxRetinaCnn *teacher,
              GError **error)
{
    if (net->layers[2].n_units == teacher->layers[2].n_units &&
        net->shape.history == teacher->shape.history)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "the network to refit has %zu cells and its teacher %zu, "
                "expected the same",
                net->layers[2].n_units, teacher->layers[2].n_units);
    return false;
}

bool
cx_retina_cnn_refit_output(CxRetinaCnn *net, const CxRetinaCnn *teacher,
                           const CxMovie *movie, unsigned n_threads, CxJob *job,
                           GError **error)
{
    size_t n_maps = net->layers[2].n_out, units = net->layers[2].n_units;
    size_t area = units / n_maps;
    size_t n_windows = cx_retina_cnn_n_windows(net, movie->n_frames);

    if (!check_teacher(net, teacher, error))
        return false;
    CX_AUTOFREE float *rates = map_rates(net, movie, n_threads, job, error);
    CX_AUTOFREE float *targets =
        rates != NULL ? map_rates(teacher, movie, n_threads, job, error) : NULL;
    CX_AUTOFREE float *pair =
        targets != NULL
            ? cx_try_alloc(2 * n_windows * area, sizeof(float), error)
            : NULL;
    if (pair == NULL)
        return false;
    for (size_t m = 0; m < n_maps; m++) {
        float *gain = cx_retina_values(net, 2, CX_RETINA_GAIN);
        float *shift = cx_retina_values(net, 2, CX_RETINA_SHIFT);
        double a = 1.0, b = 0.0;

        for (size_t w = 0; w < n_windows; w++) {
            memcpy(pair + w * area, rates + w * units + m * area,
                   area * sizeof(float));
            memcpy(pair + (n_windows + w) * area,
                   targets + w * units + m * area, area * sizeof(float));
        }
        fit_output(pair, pair + n_windows * area, n_windows * area, 1, &a, &b);
        gain[m] *= (float)a;
        shift[m] = (float)(a * (double)shift[m] + b);
    }
    cx_retina_cnn_refresh(net);
    return true;
}

bool
cx_retina_cnn_refit_train(CxRetinaCnn *net, const CxRetinaCnn *teacher,
                          const CxMovie *movie, unsigned n_epochs,
                          unsigned n_threads, CxJob *job, GError **error)
{
    size_t units = net->layers[2].n_units, history = net->shape.history;
    size_t n_windows = cx_retina_cnn_n_windows(net, movie->n_frames);
    CxRetinaTrainOptions options = {
        .epochs = n_epochs,
        .batch = 256,
        .rate = 1e-3,
        .noise = -1.0,
        .no_batch_norm = true,
        .seed = 1,
        .n_threads = n_threads,
    };

    if (!check_teacher(net, teacher, error))
        return false;
    CX_AUTOFREE float *target =
        cx_try_alloc((n_windows + history) * units, sizeof(float), error);
    if (target == NULL ||
        !cx_retina_cnn_respond_maps(teacher, movie, NULL, n_threads,
                                    target + history * units, job, error))
        return false;
    for (size_t i = 0; i < history * units; i++)
        target[i] = NAN;
    CxRetinaClip clip = {.movie = movie, .target = target};
    CxRetinaData data = {.clips = &clip, .n_clips = 1};
    return cx_retina_train(net, &data, NULL, &options, NULL, NULL, job, error);
}
