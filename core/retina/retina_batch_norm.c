/* Normalisation by the statistics of a batch, relu and loss, both ways.
 *
 * Forwards xhat = (z - mean) / sd and y = |gain| xhat + shift, backwards
 *
 *     dz = |gain| / sd (dy - mean(dy) - xhat mean(dy xhat)).
 *
 * z is without the bias, which normalisation takes away; the running mean has
 * it.  Noise comes from a table of normal numbers, each row of lanes from a
 * place that hashes of step, layer, unit and run choose.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/hash64.h"
#include "core/retina/retina_batch_private.h"
#include "core/retina/retina_lanes.h"

#include <math.h>

#define RUN CX_RETINA_RUN
#define LOWEST_LOGIT -12.0f
#define HIGHEST_LOGIT 30.0f

static float
total(const float lanes[RUN])
{
    double sum = 0.0;

    for (unsigned k = 0; k < RUN; k++)
        sum += (double)lanes[k];
    return (float)sum;
}

/* Mean and 1 / sd of a unit over the batch. */
static void
find_statistics(const CxRetinaBatch *batch, const CxRetinaPass *pass,
                size_t units, size_t u, float *mean, float *variance)
{
    size_t n_runs = batch->options.n_runs;
    float n = (float)(n_runs * RUN), sums[RUN] = {0.0f}, squares[RUN] = {0.0f};

    for (size_t r = 0; r < n_runs; r++) {
        const float *z = pass->z + (r * units + u) * RUN;

        for (unsigned k = 0; k < RUN; k++)
            sums[k] += z[k];
    }
    *mean = total(sums) / n;
    for (size_t r = 0; r < n_runs; r++) {
        const float *z = pass->z + (r * units + u) * RUN;

        for (unsigned k = 0; k < RUN; k++) {
            float off = z[k] - *mean;

            squares[k] += off * off;
        }
    }
    *variance = total(squares) / n;
}

static void
track(const CxRetinaBatch *batch, unsigned layer, size_t i, float mean,
      float variance, double n)
{
    float *running_mean = cx_retina_values(batch->net, layer, CX_RETINA_MEAN);
    float *running = cx_retina_values(batch->net, layer, CX_RETINA_VARIANCE);
    float share = batch->options.momentum;

    if (n > 1.0)
        variance *= (float)(n / (n - 1.0));
    running_mean[i] += share * (mean - running_mean[i]);
    running[i] += share * (variance - running[i]);
}

/* Statistics of unit (or map) i; its scale and offset for z without bias. */
static float
settle(CxRetinaBatch *batch, unsigned layer, size_t i, float bias, float mean,
       float variance, double n)
{
    CxRetinaPass *pass = &batch->passes[layer];
    float gain = cx_retina_values(batch->net, layer, CX_RETINA_GAIN)[i];
    float shift = cx_retina_values(batch->net, layer, CX_RETINA_SHIFT)[i];

    if (batch->options.batch_norm)
        track(batch, layer, i, mean + bias, variance, n);
    else {
        mean = cx_retina_values(batch->net, layer, CX_RETINA_MEAN)[i] - bias;
        variance = cx_retina_values(batch->net, layer, CX_RETINA_VARIANCE)[i];
    }
    pass->mean[i] = mean;
    pass->inverse[i] = 1.0f / sqrtf(variance + CX_RETINA_EPSILON);
    pass->scale[i] = fabsf(gain) * pass->inverse[i];
    return shift - mean * pass->scale[i];
}

static const float *
noise_at(const CxRetinaBatch *batch, unsigned layer, size_t u, size_t run)
{
    uint64_t key = batch->step * 2 + layer;

    key = cx_hash64_mix(cx_hash64_mix(batch->options.seed + key) +
                        ((uint64_t)run << 32) + u);
    return batch->table + (key & 0xffff);
}

static void
relu_unit(CxRetinaBatch *batch, unsigned layer, size_t u)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    CxRetinaPass *pass = &batch->passes[layer];
    float bias = cx_retina_values(batch->net, layer,
                                  CX_RETINA_BIAS)[u / (l->out_y * l->out_x)];
    float mean = 0.0f, variance = 0.0f;

    if (batch->options.batch_norm)
        find_statistics(batch, pass, l->n_units, u, &mean, &variance);
    float offset = settle(batch, layer, u, bias, mean, variance,
                          (double)(batch->options.n_runs * RUN));
    float scale = pass->scale[u];

    for (size_t r = 0; r < batch->options.n_runs; r++) {
        const float *z = pass->z + (r * l->n_units + u) * RUN;
        const float *noise = noise_at(batch, layer, u, r);
        float *a = pass->a + (r * l->n_units + u) * RUN;

        for (unsigned k = 0; k < RUN; k++) {
            float y = z[k] * scale + offset + noise[k];

            a[k] = y > 0.0f ? y : 0.0f;
        }
    }
}

void
cx_retina_batch_relu(CxRetinaBatch *batch, unsigned layer, size_t item)
{
    size_t n = batch->net->layers[layer].n_units;
    size_t first = item * CX_RETINA_BATCH_UNITS;

    for (size_t u = first; u < MIN(first + CX_RETINA_BATCH_UNITS, n); u++)
        relu_unit(batch, layer, u);
}

/* d over a to d over z, in place. */
static void
unrelu_unit(CxRetinaBatch *batch, unsigned layer, size_t u)
{
    size_t units = batch->net->layers[layer].n_units;
    CxRetinaPass *pass = &batch->passes[layer];
    float mean = pass->mean[u], inverse = pass->inverse[u];
    float sums[RUN] = {0.0f}, products[RUN] = {0.0f};
    bool norm = batch->options.batch_norm;

    for (size_t r = 0; r < batch->options.n_runs; r++) {
        size_t at = (r * units + u) * RUN;
        const float *z = pass->z + at, *a = pass->a + at;
        float *d = pass->d + at;

        for (unsigned k = 0; k < RUN; k++) {
            d[k] = a[k] > 0.0f ? d[k] : 0.0f;
            sums[k] += d[k];
            products[k] += d[k] * (z[k] - mean) * inverse;
        }
    }
    float n = (float)(batch->options.n_runs * RUN), scale = pass->scale[u];
    float sum = total(sums), product = total(products);
    float gain = cx_retina_values(batch->net, layer, CX_RETINA_GAIN)[u];

    for (size_t r = 0; r < batch->options.n_runs && norm; r++) {
        size_t at = (r * units + u) * RUN;
        const float *z = pass->z + at;
        float *d = pass->d + at;

        for (unsigned k = 0; k < RUN; k++)
            d[k] = scale *
                   (d[k] - sum / n - (z[k] - mean) * inverse * (product / n));
    }
    for (size_t r = 0; r < batch->options.n_runs && !norm; r++) {
        float *d = pass->d + (r * units + u) * RUN;

        for (unsigned k = 0; k < RUN; k++)
            d[k] *= scale;
    }
    cx_retina_batch_gradient_of(batch, layer, CX_RETINA_SHIFT)[u] =
        norm ? sum : 0.0f;
    cx_retina_batch_gradient_of(batch, layer, CX_RETINA_GAIN)[u] =
        norm ? copysignf(product, product * gain) : 0.0f;
    /* for the bias, to be added up by channel */
    cx_retina_batch_gradient_of(batch, layer, CX_RETINA_MEAN)[u] =
        norm ? 0.0f : sum * scale;
}

void
cx_retina_batch_unrelu(CxRetinaBatch *batch, unsigned layer, size_t item)
{
    size_t n = batch->net->layers[layer].n_units;
    size_t first = item * CX_RETINA_BATCH_UNITS;

    for (size_t u = first; u < MIN(first + CX_RETINA_BATCH_UNITS, n); u++)
        unrelu_unit(batch, layer, u);
}

/* ---- the cell layer --------------------------------------------------- */

static size_t
map_size(const CxRetinaBatch *batch)
{
    const CxRetinaLayer *l = &batch->net->layers[2];

    return l->out_y * l->out_x * RUN;
}

void
cx_retina_batch_sum_cells(CxRetinaBatch *batch, size_t run)
{
    size_t n_maps = batch->net->layers[2].n_out, n = map_size(batch);

    for (size_t m = 0; m < n_maps; m++) {
        const float *u = batch->passes[2].z + (run * n_maps + m) * n;
        CxRetinaSums sums = {0};

        for (size_t i = 0; i < n; i++) {
            sums.sum += (double)u[i];
            sums.square += (double)u[i] * (double)u[i];
        }
        batch->sums[run * n_maps + m] = sums;
    }
}

/* Of a map over all runs. */
static CxRetinaSums
add_up(const CxRetinaBatch *batch, size_t map)
{
    size_t n_maps = batch->net->layers[2].n_out;
    CxRetinaSums all = {0};

    for (size_t r = 0; r < batch->options.n_runs; r++) {
        const CxRetinaSums *one = &batch->sums[r * n_maps + map];

        all.sum += one->sum, all.square += one->square;
        all.loss += one->loss, all.n += one->n;
    }
    return all;
}

void
cx_retina_batch_norm_cells(CxRetinaBatch *batch)
{
    size_t n_maps = batch->net->layers[2].n_out;
    double n = (double)(map_size(batch) * batch->options.n_runs);

    for (size_t m = 0; m < n_maps; m++) {
        CxRetinaSums all = add_up(batch, m);
        double mean = all.sum / n;
        double variance = fmax(all.square / n - mean * mean, 0.0);

        /* the offset follows from mean and scale again below */
        (void)settle(batch, 2, m,
                     cx_retina_values(batch->net, 2, CX_RETINA_BIAS)[m],
                     (float)mean, (float)variance, n);
    }
}

/* Loss of one place and its slope over the logit. */
static double
place_loss(const CxRetinaBatch *batch, float logit, float target, float *slope)
{
    float x = CLAMP(logit, LOWEST_LOGIT, HIGHEST_LOGIT);
    float e = expf(-fabsf(x));
    float sigmoid = x >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);
    float rate = MAX(x, 0.0f) + log1pf(e);

    *slope = MAX(sigmoid * (1.0f - target / rate + batch->options.l1),
                 -batch->options.clip);
    return (double)rate * (1.0 + (double)batch->options.l1) -
           (double)target * log((double)rate);
}

void
cx_retina_batch_loss(CxRetinaBatch *batch, size_t run)
{
    const CxRetinaPass *pass = &batch->passes[2];
    size_t n_maps = batch->net->layers[2].n_out, n = map_size(batch);
    const float *shift = cx_retina_values(batch->net, 2, CX_RETINA_SHIFT);

    for (size_t m = 0; m < n_maps; m++) {
        size_t first = (run * n_maps + m) * n;
        CxRetinaSums sums = {0};

        for (size_t i = first; i < first + n; i++) {
            float xhat = pass->z[i] - pass->mean[m], slope = 0.0f;

            if (!isnan(pass->a[i])) {
                sums.loss += place_loss(batch, xhat * pass->scale[m] + shift[m],
                                        pass->a[i], &slope);
                sums.n++;
            }
            pass->d[i] = slope;
            sums.sum += (double)slope;
            sums.square += (double)(slope * xhat * pass->inverse[m]);
        }
        batch->sums[run * n_maps + m] = sums;
    }
}

double
cx_retina_batch_total(CxRetinaBatch *batch)
{
    size_t n_maps = batch->net->layers[2].n_out;
    bool norm = batch->options.batch_norm;
    double loss = 0.0, n = 0.0;

    for (size_t m = 0; m < n_maps; m++) {
        CxRetinaSums all = add_up(batch, m);

        loss += all.loss;
        n += (double)all.n;
    }
    batch->n_targets = MAX(n, 1.0);
    for (size_t m = 0; m < n_maps; m++) {
        CxRetinaSums all = add_up(batch, m);
        float sum = (float)(all.sum / batch->n_targets);
        float product = (float)(all.square / batch->n_targets);
        float gain = cx_retina_values(batch->net, 2, CX_RETINA_GAIN)[m];

        cx_retina_batch_gradient_of(batch, 2, CX_RETINA_SHIFT)[m] =
            norm ? sum : 0.0f;
        cx_retina_batch_gradient_of(batch, 2, CX_RETINA_GAIN)[m] =
            norm ? copysignf(product, product * gain) : 0.0f;
        cx_retina_batch_gradient_of(batch, 2, CX_RETINA_BIAS)[m] =
            norm ? 0.0f : sum * batch->passes[2].scale[m];
    }
    return n > 0.0 ? loss / n : NAN;
}

void
cx_retina_batch_unnorm_cells(CxRetinaBatch *batch, size_t run)
{
    const CxRetinaPass *pass = &batch->passes[2];
    size_t n_maps = batch->net->layers[2].n_out, n = map_size(batch);
    double n_all = (double)(n * batch->options.n_runs);

    for (size_t m = 0; m < n_maps; m++) {
        CxRetinaSums all = add_up(batch, m);
        float share = 1.0f / (float)batch->n_targets, mean = 0.0f, along = 0.0f;
        size_t first = (run * n_maps + m) * n;

        if (batch->options.batch_norm) {
            mean = (float)(all.sum / n_all);
            along = (float)(all.square / n_all) * pass->inverse[m];
        }
        for (size_t i = first; i < first + n; i++)
            pass->d[i] =
                share * pass->scale[m] *
                (pass->d[i] - mean - along * (pass->z[i] - pass->mean[m]));
    }
}
