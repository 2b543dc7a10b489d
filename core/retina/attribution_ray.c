/* Walks from kink to kink.
 *
 * State at alpha: which units are active, value n2 = p + q alpha of every unit
 * of layer 2, logit l = lp + lq alpha, gradient g of the logit by every a1.
 * A kink of layer 1 changes p and q above it; a kink of layer 2 changes g
 * below it.  Integrals over a gradient that jumps are summed by parts: with
 * F(alpha) the measure up to alpha, Integral g dF = g F at the end - sum of
 * (jump of g) F(where it jumps), so that a unit whose gradient does not jump
 * costs nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/attribution_ray.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct CxRetinaRay {
    uint32_t n1, height1, width1, n2, height2, width2, kernel_h, kernel_w;
    size_t units1, units2, area1, area2;
    double *scale1, *shift1, *scale2, *shift2, *weight3;
    double *kernel; /* [n2][n1][kernel_h][kernel_w], turned by 180 degrees */
    double shift3, gain;
    double *value0;    /* n2 at alpha = 0 */
    double *gradient0; /* of the logit by a1, at alpha = 0 */
};

typedef struct {
    double alpha;
    uint32_t unit;
} Kink;

struct CxRetinaWalk {
    const CxRetinaRay *ray;
    double *p, *q, *crossing, *active2, *integral2;   /* [units2] */
    double *g, *active1, *integral1, *slope1, *value; /* [units1] */
    Kink *kinks;
    uint32_t n_kinks;
    double lp, lq;
    double now, measure;
    CxAttributionRule rule;
    uint32_t n_steps, next_step;
};

double
cx_ray_softplus(double x)
{
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

double
cx_ray_sigmoid(double x)
{
    return x > 0.0 ? 1.0 / (1.0 + exp(-x)) : exp(x) / (1.0 + exp(x));
}

/* What a change of layer 1 reaches; where integral is given, the jumps of the
 * slopes of active units are booked there. */
typedef struct {
    double *p, *q, *integral;
    const double *active;
    double measure;
} Above;

static inline void
add_row(const Above *above, const double *scale, const double *kernel,
        size_t at, size_t n, double by_p, double by_q)
{
    for (size_t i = 0; i < n; i++) {
        double by = scale[at + i] * kernel[i];

        above->p[at + i] += by * by_p;
        above->q[at + i] += by * by_q;
        if (above->integral != NULL)
            above->integral[at + i] -=
                above->active[at + i] * by * by_q * above->measure;
    }
}

/* Adds by_p and by_q times the kernel of unit (c, y, x) of layer 1 to what
 * lies above. */
static void
spread_up(const CxRetinaRay *ray, uint32_t unit, double by_p, double by_q,
          const Above *above)
{
    uint32_t c = unit / (uint32_t)ray->area1;
    uint32_t y = unit % (uint32_t)ray->area1 / ray->width1;
    uint32_t x = unit % ray->width1;
    uint32_t kh = ray->kernel_h, kw = ray->kernel_w;
    uint32_t x_lo = x + 1 > kw ? x + 1 - kw : 0, x_hi = MIN(x + 1, ray->width2);
    uint32_t y_lo = y + 1 > kh ? y + 1 - kh : 0;
    uint32_t y_hi = MIN(y + 1, ray->height2);

    for (uint32_t o = 0; o < ray->n2; o++)
        for (uint32_t row = y_lo; row < y_hi; row++) {
            size_t from = ((size_t)o * ray->n1 + c) * kh + kh - 1 - y + row;
            size_t at = o * ray->area2 + (size_t)row * ray->width2 + x_lo;

            add_row(above, ray->scale2,
                    ray->kernel + from * kw + (kw - 1 - x + x_lo), at,
                    x_hi - x_lo, by_p, by_q);
        }
}

/* Adds amount times the kernel of unit (o, y, x) of layer 2 to what lies
 * below; where integral is given, books the jump at the measure. */
static void
spread_down(const CxRetinaRay *ray, size_t unit, double amount, double *g,
            const double *active1, double measure, double *integral)
{
    size_t o = unit / ray->area2, y = unit % ray->area2 / ray->width2;
    size_t x = unit % ray->width2;
    uint32_t kh = ray->kernel_h, kw = ray->kernel_w;

    for (uint32_t c = 0; c < ray->n1; c++)
        for (uint32_t ky = 0; ky < kh; ky++) {
            const double *kernel =
                ray->kernel + ((o * ray->n1 + c) * kh + (kh - 1 - ky)) * kw;
            size_t at = c * ray->area1 + (y + ky) * ray->width1 + x;
            for (uint32_t kx = 0; kx < kw; kx++) {
                double jump = amount * kernel[kw - 1 - kx];

                g[at + kx] += jump;
                if (integral != NULL)
                    integral[at + kx] -= active1[at + kx] * jump * measure;
            }
        }
}

static void
turn_kernels(CxRetinaRay *ray, const float *weight2)
{
    size_t size = (size_t)ray->kernel_h * ray->kernel_w;
    size_t n = (size_t)ray->n2 * ray->n1;

    ray->kernel = g_new(double, n *size);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++)
            ray->kernel[i * size + k] =
                (double)weight2[i * size + size - 1 - k];
}

/* What holds at alpha = 0 for every stimulus. */
static void
start_values(CxRetinaRay *ray)
{
    g_autofree double *unused = g_new0(double, ray->units2);

    ray->value0 = g_memdup2(ray->shift2, ray->units2 * sizeof(double));
    ray->gradient0 = g_new0(double, ray->units1);
    Above above = {.p = ray->value0, .q = unused};
    for (size_t u = 0; u < ray->units1; u++)
        if (ray->shift1[u] > 0.0)
            spread_up(ray, (uint32_t)u, ray->shift1[u], 0.0, &above);
    for (size_t v = 0; v < ray->units2; v++)
        if (ray->value0[v] > 0.0)
            spread_down(ray, v, ray->weight3[v] * ray->scale2[v],
                        ray->gradient0, NULL, 0.0, NULL);
}

CxRetinaRay *
cx_retina_ray_new(const CxRetinaRayShape *shape)
{
    CxRetinaRay *ray = g_new0(CxRetinaRay, 1);

    g_assert(shape->kernel_h <= shape->height1);
    g_assert(shape->kernel_w <= shape->width1);
    ray->n1 = shape->n1;
    ray->height1 = shape->height1;
    ray->width1 = shape->width1;
    ray->n2 = shape->n2;
    ray->kernel_h = shape->kernel_h;
    ray->kernel_w = shape->kernel_w;
    ray->height2 = shape->height1 - shape->kernel_h + 1;
    ray->width2 = shape->width1 - shape->kernel_w + 1;
    ray->area1 = (size_t)ray->height1 * ray->width1;
    ray->area2 = (size_t)ray->height2 * ray->width2;
    ray->units1 = ray->n1 * ray->area1;
    ray->units2 = ray->n2 * ray->area2;
    ray->scale1 = g_memdup2(shape->scale1, ray->units1 * sizeof(double));
    ray->shift1 = g_memdup2(shape->shift1, ray->units1 * sizeof(double));
    ray->scale2 = g_memdup2(shape->scale2, ray->units2 * sizeof(double));
    ray->shift2 = g_memdup2(shape->shift2, ray->units2 * sizeof(double));
    ray->weight3 = g_memdup2(shape->weight3, ray->units2 * sizeof(double));
    ray->shift3 = shape->shift3;
    ray->gain = shape->gain;
    turn_kernels(ray, shape->weight2);
    start_values(ray);
    return ray;
}

void
cx_retina_ray_free(CxRetinaRay *ray)
{
    g_free(ray->scale1);
    g_free(ray->shift1);
    g_free(ray->scale2);
    g_free(ray->shift2);
    g_free(ray->weight3);
    g_free(ray->kernel);
    g_free(ray->value0);
    g_free(ray->gradient0);
    g_free(ray);
}

size_t
cx_retina_ray_n1(const CxRetinaRay *ray)
{
    return ray->units1;
}

size_t
cx_retina_ray_n2(const CxRetinaRay *ray)
{
    return ray->units2;
}

CxRetinaWalk *
cx_retina_walk_new(const CxRetinaRay *ray)
{
    CxRetinaWalk *walk = g_new0(CxRetinaWalk, 1);

    walk->ray = ray;
    walk->p = g_new(double, ray->units2);
    walk->q = g_new(double, ray->units2);
    walk->crossing = g_new(double, ray->units2);
    walk->active2 = g_new(double, ray->units2);
    walk->integral2 = g_new(double, ray->units2);
    walk->g = g_new(double, ray->units1);
    walk->active1 = g_new(double, ray->units1);
    walk->integral1 = g_new(double, ray->units1);
    walk->slope1 = g_new(double, ray->units1);
    walk->value = g_new(double, ray->units1);
    walk->kinks = g_new(Kink, ray->units1);
    return walk;
}

void
cx_retina_walk_free(CxRetinaWalk *walk)
{
    g_free(walk->p);
    g_free(walk->q);
    g_free(walk->crossing);
    g_free(walk->active2);
    g_free(walk->integral2);
    g_free(walk->g);
    g_free(walk->active1);
    g_free(walk->integral1);
    g_free(walk->slope1);
    g_free(walk->value);
    g_free(walk->kinks);
    g_free(walk);
}

/* When the value of a unit of layer 2 meets zero next, or infinity. */
static inline double
next_crossing(double p, double q, double active, double now)
{
    double at = -p / q;
    bool towards = active > 0.0 ? q < 0.0 : q > 0.0;

    return towards ? (at > now ? at : now) : (double)INFINITY;
}

static int
compare_kinks(const void *a, const void *b)
{
    const Kink *x = a, *y = b;

    if (x->alpha != y->alpha)
        return x->alpha < y->alpha ? -1 : 1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

static void
start_layer1(CxRetinaWalk *walk, const float *drive)
{
    const CxRetinaRay *ray = walk->ray;
    Above above = {.p = walk->p, .q = walk->q};

    walk->n_kinks = 0;
    for (size_t u = 0; u < ray->units1; u++) {
        double slope = ray->scale1[u] * (double)drive[u];
        double kink = -ray->shift1[u] / slope;
        bool active = ray->shift1[u] > 0.0;

        walk->slope1[u] = slope;
        walk->active1[u] = active ? 1.0 : 0.0;
        walk->integral1[u] = 0.0;
        if (active && slope != 0.0)
            spread_up(ray, (uint32_t)u, 0.0, slope, &above);
        if ((active ? slope < 0.0 : slope > 0.0) && kink < 1.0)
            walk->kinks[walk->n_kinks++] = (Kink){kink, (uint32_t)u};
    }
    qsort(walk->kinks, walk->n_kinks, sizeof(Kink), compare_kinks);
}

static void
start(CxRetinaWalk *walk, const float *drive, CxAttributionRule rule,
      uint32_t n_steps)
{
    const CxRetinaRay *ray = walk->ray;

    walk->rule = rule;
    walk->n_steps = n_steps;
    walk->next_step = 0;
    walk->now = 0.0;
    walk->measure = 0.0;
    memcpy(walk->p, ray->value0, ray->units2 * sizeof(double));
    memset(walk->q, 0, ray->units2 * sizeof(double));
    memcpy(walk->g, ray->gradient0, ray->units1 * sizeof(double));
    start_layer1(walk, drive);
    walk->lp = ray->shift3;
    walk->lq = 0.0;
    for (size_t v = 0; v < ray->units2; v++) {
        walk->active2[v] = walk->p[v] > 0.0 ? 1.0 : 0.0;
        walk->integral2[v] = 0.0;
        walk->crossing[v] =
            next_crossing(walk->p[v], walk->q[v], walk->active2[v], 0.0);
        walk->lp += walk->active2[v] * ray->weight3[v] * walk->p[v];
        walk->lq += walk->active2[v] * ray->weight3[v] * walk->q[v];
    }
}

/* Integral of the sigmoid over a straight piece; Gauss and Legendre where the
 * difference of softplus would cancel. */
static double
straight_piece(double l0, double slope, double length)
{
    static const double node[3] = {0.0, 0.5384693101056831, 0.9061798459386640};
    static const double weight[3] = {0.5688888888888889, 0.4786286704993665,
                                     0.2369268850561891};
    double l1 = l0 + slope * length, mid = 0.5 * (l0 + l1);

    if (fabs(slope * length) >= 0.1)
        return (cx_ray_softplus(l1) - cx_ray_softplus(l0)) / slope;
    double half = 0.5 * (l1 - l0), sum = weight[0] * cx_ray_sigmoid(mid);
    for (unsigned i = 1; i < 3; i++)
        sum += weight[i] * (cx_ray_sigmoid(mid + half * node[i]) +
                            cx_ray_sigmoid(mid - half * node[i]));
    return 0.5 * sum * length;
}

static double
step_position(const CxRetinaWalk *walk)
{
    double offset = walk->rule == CX_ATTRIBUTION_MIDPOINT ? 0.5 : 1.0;

    return ((double)walk->next_step + offset) / (double)walk->n_steps;
}

/* Moves to alpha without a kink between. */
static void
advance(CxRetinaWalk *walk, double alpha)
{
    if (walk->rule == CX_ATTRIBUTION_EXACT) {
        walk->measure += straight_piece(walk->lp + walk->lq * walk->now,
                                        walk->lq, alpha - walk->now);
        walk->now = alpha;
        return;
    }
    for (; walk->next_step < walk->n_steps; walk->next_step++) {
        double at = step_position(walk);

        if (at > alpha)
            break;
        walk->measure +=
            cx_ray_sigmoid(walk->lp + walk->lq * at) / (double)walk->n_steps;
    }
    walk->now = alpha;
}

static void
update_crossings(CxRetinaWalk *walk)
{
    for (size_t v = 0; v < walk->ray->units2; v++)
        walk->crossing[v] =
            next_crossing(walk->p[v], walk->q[v], walk->active2[v], walk->now);
}

static void
switch_unit1(CxRetinaWalk *walk, uint32_t u, bool layer2)
{
    const CxRetinaRay *ray = walk->ray;
    double sign = walk->active1[u] > 0.0 ? -1.0 : 1.0;
    double shift = sign * ray->shift1[u], slope = sign * walk->slope1[u];
    Above above = {
        .p = walk->p,
        .q = walk->q,
        .integral = layer2 ? walk->integral2 : NULL,
        .active = walk->active2,
        .measure = walk->measure,
    };

    spread_up(ray, u, shift, slope, &above);
    walk->lp += walk->g[u] * shift;
    walk->lq += walk->g[u] * slope;
    walk->integral1[u] -= sign * walk->g[u] * walk->measure;
    walk->active1[u] += sign;
    update_crossings(walk);
}

static void
switch_unit2(CxRetinaWalk *walk, size_t v)
{
    const CxRetinaRay *ray = walk->ray;
    double sign = walk->active2[v] > 0.0 ? -1.0 : 1.0;

    walk->lp += sign * ray->weight3[v] * walk->p[v];
    walk->lq += sign * ray->weight3[v] * walk->q[v];
    walk->integral2[v] -= sign * walk->q[v] * walk->measure;
    spread_down(ray, v, sign * ray->weight3[v] * ray->scale2[v], walk->g,
                walk->active1, walk->measure, walk->integral1);
    walk->active2[v] += sign;
    walk->crossing[v] = INFINITY;
}

static size_t
first_crossing(const CxRetinaWalk *walk)
{
    size_t first = 0;

    for (size_t v = 1; v < walk->ray->units2; v++)
        if (walk->crossing[v] < walk->crossing[first])
            first = v;
    return first;
}

static uint32_t
walk_to_end(CxRetinaWalk *walk, bool layer2)
{
    uint32_t n = 0;

    for (uint32_t i = 0;; n++) {
        size_t v = first_crossing(walk);
        double at1 = i < walk->n_kinks ? walk->kinks[i].alpha : 1.0;
        double at2 = walk->crossing[v];

        advance(walk, MIN(1.0, MIN(at1, at2)));
        if (MIN(at1, at2) >= 1.0)
            return n;
        if (at1 <= at2)
            switch_unit1(walk, walk->kinks[i++].unit, layer2);
        else
            switch_unit2(walk, v);
    }
}

/* Ends the sums by parts. */
static double
finish_layer1(CxRetinaWalk *walk, double *out)
{
    const CxRetinaRay *ray = walk->ray;
    double sum = 0.0;

    for (size_t u = 0; u < ray->units1; u++) {
        double integral =
            walk->integral1[u] + walk->active1[u] * walk->g[u] * walk->measure;
        double value = ray->gain * walk->slope1[u] * integral;

        sum += value;
        if (out != NULL)
            out[u] = value;
    }
    return sum;
}

static double
finish_layer2(CxRetinaWalk *walk, double *out)
{
    const CxRetinaRay *ray = walk->ray;
    double sum = 0.0;

    for (size_t v = 0; v < ray->units2; v++) {
        double integral =
            walk->integral2[v] + walk->active2[v] * walk->q[v] * walk->measure;
        double value = ray->gain * ray->weight3[v] * integral;

        sum += value;
        if (out != NULL)
            out[v] = value;
    }
    return sum;
}

CxRetinaWalkResult
cx_retina_walk_run(CxRetinaWalk *walk, const float *drive,
                   CxAttributionRule rule, uint32_t n_steps, double *layer1,
                   double *layer2)
{
    CxRetinaWalkResult result = {0};

    g_assert(rule == CX_ATTRIBUTION_EXACT || n_steps > 0);
    start(walk, drive, rule, n_steps);
    result.n_kinks = walk_to_end(walk, layer2 != NULL);
    result.sum1 = finish_layer1(walk, layer1);
    if (layer2 != NULL)
        result.sum2 = finish_layer2(walk, layer2);
    result.rate = cx_retina_ray_rate(walk->ray, walk, drive, 1.0);
    result.rate0 = cx_retina_ray_rate(walk->ray, walk, drive, 0.0);
    return result;
}

/* The plain forward pass: n2 into walk->p, a1 into walk->value. */
static double
forward(const CxRetinaRay *ray, CxRetinaWalk *walk, const float *drive,
        double alpha)
{
    uint32_t kh = ray->kernel_h, kw = ray->kernel_w;
    double logit = ray->shift3;

    for (size_t u = 0; u < ray->units1; u++)
        walk->value[u] = fmax(0.0, ray->scale1[u] * alpha * (double)drive[u] +
                                       ray->shift1[u]);
    memset(walk->p, 0, ray->units2 * sizeof(double));
    for (uint32_t o = 0; o < ray->n2; o++)
        for (uint32_t c = 0; c < ray->n1; c++)
            for (uint32_t k = 0; k < kh * kw; k++) {
                uint32_t ky = k / kw, kx = k % kw;
                double weight =
                    ray->kernel[((size_t)o * ray->n1 + c + 1) * kh * kw - 1 -
                                k];
                for (uint32_t y = 0; y < ray->height2; y++) {
                    double *to =
                        walk->p + o * ray->area2 + (size_t)y * ray->width2;
                    const double *from = walk->value + c * ray->area1 +
                                         (size_t)(y + ky) * ray->width1 + kx;
                    for (uint32_t x = 0; x < ray->width2; x++)
                        to[x] += weight * from[x];
                }
            }
    for (size_t v = 0; v < ray->units2; v++) {
        walk->p[v] = ray->scale2[v] * walk->p[v] + ray->shift2[v];
        logit += ray->weight3[v] * fmax(0.0, walk->p[v]);
    }
    return logit;
}

double
cx_retina_ray_rate(const CxRetinaRay *ray, CxRetinaWalk *walk,
                   const float *drive, double alpha)
{
    return ray->gain * cx_ray_softplus(forward(ray, walk, drive, alpha));
}

void
cx_retina_ray_gradient(const CxRetinaRay *ray, CxRetinaWalk *walk,
                       const float *drive, double alpha, double *gradient)
{
    double factor =
        ray->gain * cx_ray_sigmoid(forward(ray, walk, drive, alpha));

    memset(gradient, 0, ray->units1 * sizeof(double));
    for (size_t v = 0; v < ray->units2; v++)
        if (walk->p[v] > 0.0)
            spread_down(ray, v, factor * ray->weight3[v] * ray->scale2[v],
                        gradient, NULL, 0.0, NULL);
    for (size_t u = 0; u < ray->units1; u++)
        gradient[u] = walk->value[u] > 0.0 ? gradient[u] * ray->scale1[u] : 0.0;
}

void
cx_retina_ray_grey_layer2(const CxRetinaRay *ray, double *a2)
{
    for (size_t v = 0; v < ray->units2; v++)
        a2[v] = fmax(0.0, ray->value0[v]);
}

void
cx_retina_walk_path(CxRetinaWalk *walk, const float *drive, uint32_t n_points,
                    double *rate, double *density)
{
    const CxRetinaRay *ray = walk->ray;
    g_autofree double *gradient = g_new(double, ray->units1);

    for (uint32_t k = 0; k < n_points; k++) {
        double alpha = ((double)k + 0.5) / (double)n_points;

        cx_retina_ray_gradient(ray, walk, drive, alpha, gradient);
        rate[k] = cx_retina_ray_rate(ray, walk, drive, alpha);
        for (uint32_t c = 0; c < ray->n1; c++) {
            double sum = 0.0;

            for (size_t i = c * ray->area1; i < (c + 1) * ray->area1; i++)
                sum += gradient[i] * (double)drive[i];
            density[(size_t)c * n_points + k] = sum;
        }
    }
}
