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

/* Units that share their statistics: one, or a whole channel. */
typedef struct {
    unsigned layer;
    size_t first, end;
} Group;

static Group
group_of(const CxRetinaBatch *batch, unsigned layer, size_t u)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    size_t area = l->out_y * l->out_x;

    return batch->options.by_channel
               ? (Group){layer, u / area * area, u / area * area + area}
               : (Group){layer, u, u + 1};
}

static double
group_size(const CxRetinaBatch *batch, const Group *group)
{
    return (double)(batch->options.n_runs * RUN * (group->end - group->first));
}

/* A unit over all runs. */
static CxNormRows
rows_of(const CxRetinaBatch *batch, unsigned layer, size_t u)
{
    const CxRetinaPass *pass = &batch->passes[layer];

    return (CxNormRows){.n_rows = batch->options.n_runs,
                        .step = batch->net->layers[layer].n_units * RUN,
                        .n = RUN,
                        .z = pass->z + u * RUN,
                        .a = pass->a + u * RUN,
                        .d = pass->d + u * RUN,
                        .mean = pass->mean[u],
                        .scale = pass->scale[u]};
}

/* Sums over a group of z - mean, or of its square. */
static double
add_moments(const CxRetinaBatch *batch, const Group *group, float mean,
            bool square)
{
    double sum = 0.0;

    for (size_t u = group->first; u < group->end; u++) {
        float sums[RUN] = {0.0f}, squares[RUN] = {0.0f};
        CxNormRows rows = rows_of(batch, group->layer, u);

        rows.mean = mean;
        rows.sums = sums, rows.squares = squares;
        batch->net->kernels.norm_f32.moments(&rows);
        sum += (double)total(square ? squares : sums);
    }
    return sum;
}

/* Mean and variance of a group over the batch. */
static void
find_statistics(const CxRetinaBatch *batch, const Group *group, float *mean,
                float *variance)
{
    double n = group_size(batch, group);

    *mean = (float)(add_moments(batch, group, 0.0f, false) / n);
    *variance = (float)(add_moments(batch, group, *mean, true) / n);
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

static uint32_t
noise_at(const CxRetinaBatch *batch, unsigned layer, size_t u, size_t run)
{
    uint64_t key = batch->step * 2 + layer;

    key = cx_hash64_mix(cx_hash64_mix(batch->options.seed + key) +
                        ((uint64_t)run << 32) + u);
    return (uint32_t)(key & 0xffff);
}

/* at: memory for a place in the noise a run. */
static void
relu_unit(CxRetinaBatch *batch, unsigned layer, size_t u, float offset,
          uint32_t *at)
{
    CxNormRows rows = rows_of(batch, layer, u);

    rows.offset = offset;
    if (batch->options.noise > 0.0f) {
        for (size_t r = 0; r < rows.n_rows; r++)
            at[r] = noise_at(batch, layer, u, r);
        rows.noise = batch->table;
        rows.noise_at = at;
    }
    batch->net->kernels.norm_f32.relu(&rows);
}

static void
relu_group(CxRetinaBatch *batch, const Group *group, uint32_t *at)
{
    const CxRetinaLayer *l = &batch->net->layers[group->layer];
    size_t channel = group->first / (l->out_y * l->out_x);
    float bias =
        cx_retina_values(batch->net, group->layer, CX_RETINA_BIAS)[channel];
    float mean = 0.0f, variance = 0.0f;

    if (batch->options.batch_norm)
        find_statistics(batch, group, &mean, &variance);
    for (size_t u = group->first; u < group->end; u++)
        relu_unit(batch, group->layer, u,
                  settle(batch, group->layer, u, bias, mean, variance,
                         group_size(batch, group)),
                  at);
}

size_t
cx_retina_batch_n_norm_items(const CxRetinaBatch *batch, unsigned layer)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];

    return batch->options.by_channel
               ? l->n_out
               : (l->n_units + CX_RETINA_BATCH_UNITS - 1) /
                     CX_RETINA_BATCH_UNITS;
}

/* The units of an item of a phase over units: [*first, *end). */
static void
units_of(const CxRetinaBatch *batch, unsigned layer, size_t item, size_t *first,
         size_t *end)
{
    const CxRetinaLayer *l = &batch->net->layers[layer];
    size_t step =
        batch->options.by_channel ? l->out_y * l->out_x : CX_RETINA_BATCH_UNITS;

    *first = item * step;
    *end = MIN(*first + step, l->n_units);
}

void
cx_retina_batch_relu(CxRetinaBatch *batch, unsigned layer, size_t item)
{
    g_autofree uint32_t *at = g_new(uint32_t, batch->options.n_runs);
    size_t u, end;

    units_of(batch, layer, item, &u, &end);
    while (u < end) {
        Group group = group_of(batch, layer, u);

        relu_group(batch, &group, at);
        u = group.end;
    }
}

/* Takes the slope of the relu into d of a unit; adds up d and d xhat. */
static void
mask_unit(CxRetinaBatch *batch, unsigned layer, size_t u, double *sum,
          double *product)
{
    float sums[RUN] = {0.0f}, products[RUN] = {0.0f};
    CxNormRows rows = rows_of(batch, layer, u);

    rows.sums = sums, rows.squares = products;
    batch->net->kernels.norm_f32.unrelu(&rows);
    *sum += (double)total(sums);
    *product +=
        (double)total(products) * (double)batch->passes[layer].inverse[u];
}

/* d over y to d over z of a unit; mean and along: of d and of d xhat. */
static void
unnorm_unit(CxRetinaBatch *batch, unsigned layer, size_t u, float mean,
            float along)
{
    CxNormRows rows = rows_of(batch, layer, u);

    rows.shift = mean;
    rows.slope = along * batch->passes[layer].inverse[u];
    batch->net->kernels.norm_f32.unnorm(&rows);
}

/* d over a to d over z, in place.  Members of a group get the same gradient of
 * gain and shift, so that they stay equal. */
static void
unrelu_group(CxRetinaBatch *batch, const Group *group)
{
    unsigned layer = group->layer;
    const float *gain = cx_retina_values(batch->net, layer, CX_RETINA_GAIN);
    float *d_gain = cx_retina_batch_gradient_of(batch, layer, CX_RETINA_GAIN);
    float *d_shift = cx_retina_batch_gradient_of(batch, layer, CX_RETINA_SHIFT);
    float *d_bias = cx_retina_batch_gradient_of(batch, layer, CX_RETINA_MEAN);
    bool norm = batch->options.batch_norm;
    double sum = 0.0, product = 0.0, n = group_size(batch, group);

    for (size_t u = group->first; u < group->end; u++) {
        double before = sum;

        mask_unit(batch, layer, u, &sum, &product);
        /* for the bias, to be added up by channel */
        d_bias[u] =
            norm ? 0.0f : (float)(sum - before) * batch->passes[layer].scale[u];
    }
    for (size_t u = group->first; u < group->end; u++) {
        unnorm_unit(batch, layer, u, norm ? (float)(sum / n) : 0.0f,
                    norm ? (float)(product / n) : 0.0f);
        d_shift[u] = norm ? (float)sum : 0.0f;
        d_gain[u] =
            norm ? copysignf((float)product, (float)product * gain[u]) : 0.0f;
    }
}

void
cx_retina_batch_unrelu(CxRetinaBatch *batch, unsigned layer, size_t item)
{
    size_t u, end;

    units_of(batch, layer, item, &u, &end);
    while (u < end) {
        Group group = group_of(batch, layer, u);

        unrelu_group(batch, &group);
        u = group.end;
    }
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
