/* A network of weights for pruning: forward and backward.
 *
 * Convolutions go weight by weight over rows, so that the inner loop runs
 * along x; where the output is one place, it is a product of two rows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/flow_net.h"

#include <math.h>
#include <string.h>

/* What a weight counts as. */
static double
weight_at(const CxFlowNode *node, size_t at, bool absolute)
{
    if (!node->mask[at])
        return 0.0;
    return absolute ? fabs(node->weight[at]) : node->weight[at];
}

static size_t
plane_size(CxFlowShape shape)
{
    return (size_t)shape.nz * shape.ny * shape.nx;
}

static bool
is_one_place(const CxFlowNode *node)
{
    return node->op == CX_FLOW_CONV && !node->same &&
           plane_size(node->shape) == 1;
}

/* Rows of the output that one tap of the kernel reaches, and how far to the
 * right of the input they read. */
typedef struct {
    int64_t lo[3], hi[3]; /* z, y, x of the output */
    int64_t shift[3];
} Reach;

static Reach
reach_of_tap(const CxFlowNode *node, CxFlowShape in, size_t tap)
{
    const int64_t out_size[3] = {node->shape.nz, node->shape.ny,
                                 node->shape.nx};
    const int64_t in_size[3] = {in.nz, in.ny, in.nx};
    const size_t at[3] = {
        tap / node->extent[2] / node->extent[1],
        tap / node->extent[2] % node->extent[1],
        tap % node->extent[2],
    };
    Reach reach;

    for (int a = 0; a < 3; a++) {
        int64_t half = node->same ? node->extent[a] / 2 : 0;

        reach.shift[a] = (int64_t)at[a] - half;
        reach.lo[a] = MAX(0, -reach.shift[a]);
        reach.hi[a] = MIN(out_size[a], in_size[a] - reach.shift[a]);
    }
    return reach;
}

/* to += w * from over the reach: forward. */
static void
add_tap(const Reach *r, CxFlowShape out, CxFlowShape in, double w, double *to,
        const double *from)
{
    size_t n = (size_t)MAX(r->hi[2] - r->lo[2], 0);

    for (int64_t z = r->lo[0]; z < r->hi[0]; z++)
        for (int64_t y = r->lo[1]; y < r->hi[1]; y++) {
            double *restrict a = to + (z * out.ny + y) * out.nx + r->lo[2];
            const double *restrict b =
                from + ((z + r->shift[0]) * in.ny + y + r->shift[1]) * in.nx +
                r->lo[2] + r->shift[2];

            for (size_t x = 0; x < n; x++)
                a[x] += w * b[x];
        }
}

/* back += w * gradient; returns sum of gradient * from. */
static double
add_tap_back(const Reach *r, CxFlowShape out, CxFlowShape in, double w,
             const double *gradient, const double *from, double *back)
{
    size_t n = (size_t)MAX(r->hi[2] - r->lo[2], 0);
    double sum = 0.0;

    for (int64_t z = r->lo[0]; z < r->hi[0]; z++)
        for (int64_t y = r->lo[1]; y < r->hi[1]; y++) {
            int64_t at = ((z + r->shift[0]) * in.ny + y + r->shift[1]) * in.nx +
                         r->lo[2] + r->shift[2];
            const double *restrict g =
                gradient + (z * out.ny + y) * out.nx + r->lo[2];
            const double *restrict b = from + at;
            double *restrict to = back + at;
            double sums[4] = {0};
            size_t x = 0;

            for (; x + 4 <= n; x += 4)
                for (int k = 0; k < 4; k++) {
                    sums[k] += g[x + k] * b[x + k];
                    to[x + k] += w * g[x + k];
                }
            for (; x < n; x++) {
                sums[0] += g[x] * b[x];
                to[x] += w * g[x];
            }
            sum += (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
    return sum;
}

static void
conv_forward(CxFlowNode *node, const CxFlowNode *from, bool absolute)
{
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t n_in = from->shape.n_channels, at = 0;
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t o = 0; o < node->shape.n_channels; o++) {
        double *to = node->value + o * out_plane;
        double bias = absolute ? 0.0 : node->bias[o];

        for (size_t i = 0; i < out_plane; i++)
            to[i] = bias;
        if (is_one_place(node)) {
            for (size_t k = 0; k < n_in * taps; k++, at++)
                *to += weight_at(node, at, absolute) * from->value[k];
            continue;
        }
        for (size_t i = 0; i < n_in; i++)
            for (size_t tap = 0; tap < taps; tap++, at++) {
                double w = weight_at(node, at, absolute);
                Reach reach;

                if (w == 0.0)
                    continue;
                reach = reach_of_tap(node, from->shape, tap);
                add_tap(&reach, node->shape, from->shape, w, to,
                        from->value + i * in_plane);
            }
    }
}

static double
sum_of(const double *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

static void
conv_backward(CxFlowNode *node, CxFlowNode *from, bool absolute)
{
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t n_in = from->shape.n_channels, at = 0;
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t o = 0; o < node->shape.n_channels; o++) {
        const double *gradient = node->gradient + o * out_plane;

        if (!absolute)
            node->bias_gradient[o] += sum_of(gradient, out_plane);
        if (is_one_place(node)) {
            for (size_t k = 0; k < n_in * taps; k++, at++) {
                node->weight_gradient[at] += *gradient * from->value[k];
                from->gradient[k] += weight_at(node, at, absolute) * *gradient;
            }
            continue;
        }
        for (size_t i = 0; i < n_in; i++)
            for (size_t tap = 0; tap < taps; tap++, at++) {
                Reach reach = reach_of_tap(node, from->shape, tap);

                node->weight_gradient[at] += add_tap_back(
                    &reach, node->shape, from->shape,
                    weight_at(node, at, absolute), gradient,
                    from->value + i * in_plane, from->gradient + i * in_plane);
            }
    }
}

/* Every place of the output of an upconv or upsample and the place of the
 * input above it, as flat indices within a channel; tap: which weight. */
typedef struct {
    size_t out, in, tap;
} Place;

static Place
place_at(const CxFlowNode *node, CxFlowShape in, size_t out)
{
    size_t x = out % node->shape.nx, y = out / node->shape.nx % node->shape.ny;
    size_t z = out / node->shape.nx / node->shape.ny;
    size_t ez = node->extent[0], ey = node->extent[1], ex = node->extent[2];

    return (Place){out, (z / ez * in.ny + y / ey) * in.nx + x / ex,
                   ((z % ez) * ey + y % ey) * ex + x % ex};
}

static void
upconv_pass(CxFlowNode *node, CxFlowNode *from, bool absolute, bool back)
{
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t n_out = node->shape.n_channels, n_in = from->shape.n_channels;
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t o = 0; o < n_out; o++) {
        double *to = node->value + o * out_plane;
        const double *gradient = node->gradient + o * out_plane;

        for (size_t k = 0; k < out_plane && !back; k++)
            to[k] = absolute ? 0.0 : node->bias[o];
        if (back && !absolute)
            node->bias_gradient[o] += sum_of(gradient, out_plane);
        for (size_t k = 0; k < out_plane; k++) {
            Place place = place_at(node, from->shape, k);

            for (size_t i = 0; i < n_in; i++) {
                size_t at = (i * n_out + o) * taps + place.tap;
                size_t in = i * in_plane + place.in;
                double w = weight_at(node, at, absolute);

                if (!back) {
                    to[k] += w * from->value[in];
                    continue;
                }
                node->weight_gradient[at] += gradient[k] * from->value[in];
                from->gradient[in] += w * gradient[k];
            }
        }
    }
}

static void
upsample_pass(CxFlowNode *node, CxFlowNode *from, bool back)
{
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t c = 0; c < node->shape.n_channels; c++)
        for (size_t k = 0; k < out_plane; k++) {
            size_t in = c * in_plane + place_at(node, from->shape, k).in;

            if (back)
                from->gradient[in] += node->gradient[c * out_plane + k];
            else
                node->value[c * out_plane + k] = from->value[in];
        }
}

/* Index within the input channel of window place k of output place `out`. */
static size_t
window_at(const CxFlowNode *node, CxFlowShape in, size_t out, size_t k)
{
    size_t x = out % node->shape.nx, y = out / node->shape.nx % node->shape.ny;
    size_t z = out / node->shape.nx / node->shape.ny;
    size_t ez = node->extent[0], ey = node->extent[1], ex = node->extent[2];

    return ((z * ez + k / ex / ey) * in.ny + y * ey + k / ex % ey) * in.nx +
           x * ex + k % ex;
}

/* Of several equal values the first is the largest. */
static void
maxpool_pass(CxFlowNode *node, CxFlowNode *from, bool back)
{
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t c = 0; c < node->shape.n_channels; c++)
        for (size_t k = 0; k < out_plane; k++) {
            const double *values = from->value + c * in_plane;
            size_t best = window_at(node, from->shape, k, 0);

            for (size_t t = 1; t < taps; t++) {
                size_t at = window_at(node, from->shape, k, t);

                if (values[at] > values[best])
                    best = at;
            }
            if (back)
                from->gradient[c * in_plane + best] +=
                    node->gradient[c * out_plane + k];
            else
                node->value[c * out_plane + k] = values[best];
        }
}

static void
meanpool_pass(CxFlowNode *node, CxFlowNode *from, bool back)
{
    size_t taps = (size_t)node->extent[0] * node->extent[1] * node->extent[2];
    size_t out_plane = plane_size(node->shape);
    size_t in_plane = plane_size(from->shape);

    for (size_t c = 0; c < node->shape.n_channels; c++)
        for (size_t k = 0; k < out_plane; k++) {
            double sum = 0.0;

            for (size_t t = 0; t < taps; t++) {
                size_t in = c * in_plane + window_at(node, from->shape, k, t);

                if (back)
                    from->gradient[in] +=
                        node->gradient[c * out_plane + k] / (double)taps;
                else
                    sum += from->value[in];
            }
            if (!back)
                node->value[c * out_plane + k] = sum / (double)taps;
        }
}

static void
scale_pass(CxFlowNode *node, CxFlowNode *from, bool absolute, bool back)
{
    size_t n = cx_flow_shape_size(node->shape);
    size_t a_weight = n / node->n_weights;

    for (size_t i = 0; i < n; i++) {
        double gain = node->weight[i / a_weight];

        gain = absolute ? fabs(gain) : gain;
        if (back) {
            from->gradient[i] += gain * node->gradient[i];
            node->weight_gradient[i / a_weight] +=
                from->value[i] * node->gradient[i];
            node->bias_gradient[i / a_weight] += node->gradient[i];
        } else {
            node->value[i] = gain * from->value[i] +
                             (absolute ? 0.0 : node->bias[i / a_weight]);
        }
    }
}

static void
relu_pass(CxFlowNode *node, CxFlowNode *from, bool back)
{
    size_t n = cx_flow_shape_size(node->shape);

    for (size_t i = 0; i < n; i++)
        if (!back)
            node->value[i] = fmax(from->value[i], 0.0);
        else if (from->value[i] > 0.0)
            from->gradient[i] += node->gradient[i];
}

static void
join_pass(CxFlowNet *net, CxFlowNode *node, bool back)
{
    size_t at = 0;

    if (!back && node->op == CX_FLOW_ADD)
        memset(node->value, 0,
               cx_flow_shape_size(node->shape) * sizeof *node->value);
    for (unsigned k = 0; k < node->n_inputs; k++) {
        CxFlowNode *from = &net->nodes[node->inputs[k]];
        size_t n = cx_flow_shape_size(from->shape);
        size_t first = node->op == CX_FLOW_ADD ? 0 : at;

        for (size_t i = 0; i < n; i++)
            if (back)
                from->gradient[i] += node->gradient[first + i];
            else if (node->op == CX_FLOW_ADD)
                node->value[i] += from->value[i];
            else
                node->value[first + i] = from->value[i];
        at += n;
    }
}

static void
pass(CxFlowNet *net, unsigned index, bool absolute, bool back)
{
    CxFlowNode *node = &net->nodes[index];
    CxFlowNode *from = &net->nodes[node->inputs[0]];

    switch (node->op) {
    case CX_FLOW_INPUT:
        break;
    case CX_FLOW_CONV:
        if (back)
            conv_backward(node, from, absolute);
        else
            conv_forward(node, from, absolute);
        break;
    case CX_FLOW_UPCONV:
        upconv_pass(node, from, absolute, back);
        break;
    case CX_FLOW_SCALE:
        scale_pass(node, from, absolute, back);
        break;
    case CX_FLOW_RELU:
        relu_pass(node, from, back);
        break;
    case CX_FLOW_MAXPOOL:
        maxpool_pass(node, from, back);
        break;
    case CX_FLOW_MEANPOOL:
        meanpool_pass(node, from, back);
        break;
    case CX_FLOW_UPSAMPLE:
        upsample_pass(node, from, back);
        break;
    case CX_FLOW_CONCAT:
    case CX_FLOW_ADD:
        join_pass(net, node, back);
        break;
    }
}

void
cx_flow_forward(CxFlowNet *net, const double *input, bool absolute)
{
    memcpy(net->nodes[0].value, input,
           cx_flow_shape_size(net->nodes[0].shape) * sizeof *input);
    for (unsigned i = 1; i < net->n_nodes; i++)
        pass(net, i, absolute, false);
}

void
cx_flow_backward(CxFlowNet *net, const double *output_gradient, bool absolute)
{
    CxFlowNode *last = &net->nodes[net->n_nodes - 1];

    for (unsigned i = 0; i + 1 < net->n_nodes; i++)
        memset(net->nodes[i].gradient, 0,
               cx_flow_shape_size(net->nodes[i].shape) *
                   sizeof *net->nodes[i].gradient);
    memcpy(last->gradient, output_gradient,
           cx_flow_shape_size(last->shape) * sizeof *output_gradient);
    for (unsigned i = net->n_nodes; i-- > 1;)
        pass(net, i, absolute, true);
}

void
cx_flow_clear_gradients(CxFlowNet *net)
{
    for (unsigned i = 0; i < net->n_nodes; i++) {
        CxFlowNode *node = &net->nodes[i];

        if (node->n_weights == 0)
            continue;
        size_t n_bias = node->op == CX_FLOW_SCALE ? node->n_weights
                                                  : node->shape.n_channels;
        memset(node->weight_gradient, 0,
               node->n_weights * sizeof *node->weight_gradient);
        memset(node->bias_gradient, 0, n_bias * sizeof *node->bias_gradient);
    }
}
