/* Exact attribution along a ray, against 10^5 steps of loops written down as
 * the formulas stand, on small random nets.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/attribution_ray.h"
#include "tests/support/check.h"

#include <math.h>

#define MAX_UNITS 256

typedef struct {
    CxRetinaRayShape shape;
    uint32_t height2, width2;
    size_t units1, units2;
    double scale1[MAX_UNITS], shift1[MAX_UNITS];
    double scale2[MAX_UNITS], shift2[MAX_UNITS], weight3[MAX_UNITS];
    float weight2[MAX_UNITS * 4];
    float drive[MAX_UNITS];
} Net;

static void
fill(double *to, size_t n, double mean, double sd, CxRng *rng)
{
    for (size_t i = 0; i < n; i++)
        to[i] = mean + sd * cx_rng_normal(rng);
}

/* A random net; every third unit has no gain (a removed channel), and some
 * lie exactly on their kink at alpha = 0. */
static Net *
make_net(CxRng *rng, bool flat)
{
    Net *net = g_new0(Net, 1);
    CxRetinaRayShape *s = &net->shape;

    s->n1 = 1 + (uint32_t)cx_rng_below(rng, 3);
    s->n2 = 1 + (uint32_t)cx_rng_below(rng, 3);
    s->kernel_h = 1 + (uint32_t)cx_rng_below(rng, 3);
    s->kernel_w = 1 + (uint32_t)cx_rng_below(rng, 4);
    s->height1 = s->kernel_h + (uint32_t)cx_rng_below(rng, 4);
    s->width1 = s->kernel_w + (uint32_t)cx_rng_below(rng, 5);
    net->height2 = s->height1 - s->kernel_h + 1;
    net->width2 = s->width1 - s->kernel_w + 1;
    net->units1 = (size_t)s->n1 * s->height1 * s->width1;
    net->units2 = (size_t)s->n2 * net->height2 * net->width2;
    g_assert(net->units1 <= MAX_UNITS && net->units2 <= MAX_UNITS);
    fill(net->scale1, net->units1, 1.0, 0.3, rng);
    fill(net->shift1, net->units1, 0.0, 0.7, rng);
    fill(net->scale2, net->units2, 1.0, 0.3, rng);
    fill(net->shift2, net->units2, 0.0, 0.7, rng);
    fill(net->weight3, net->units2, 0.0, 0.6, rng);
    for (size_t i = 0; i < net->units1; i += 7)
        net->scale1[i] = 0.0;
    for (size_t i = 3; i < net->units1; i += 11)
        net->shift1[i] = 0.0;
    for (uint32_t i = 0; i < s->n2 * s->n1 * s->kernel_h * s->kernel_w; i++)
        net->weight2[i] = 0.5f * (float)cx_rng_normal(rng);
    for (size_t i = 0; i < net->units1; i++)
        net->drive[i] = flat ? -1.5f : 2.0f * (float)cx_rng_normal(rng);
    if (flat)
        for (size_t i = 0; i < net->units1; i++)
            net->scale1[i] = 1.0, net->shift1[i] = 0.5;
    s->scale1 = net->scale1;
    s->shift1 = net->shift1;
    s->weight2 = net->weight2;
    s->scale2 = net->scale2;
    s->shift2 = net->shift2;
    s->weight3 = net->weight3;
    s->shift3 = -0.3;
    s->gain = 1.0 + cx_rng_uniform(rng);
    return net;
}

/* Loops: values of both layers, the rate and dr/dn of both layers at alpha. */
static double
naive(const Net *net, double alpha, double *grad1, double *grad2,
      double *slope2)
{
    const CxRetinaRayShape *s = &net->shape;
    double a1[MAX_UNITS], n2[MAX_UNITS], da1[MAX_UNITS], l = s->shift3;

    for (size_t u = 0; u < net->units1; u++) {
        double n =
            net->scale1[u] * alpha * (double)net->drive[u] + net->shift1[u];
        a1[u] = n > 0.0 ? n : 0.0;
        da1[u] = n > 0.0 ? net->scale1[u] * (double)net->drive[u] : 0.0;
        grad1[u] = 0.0;
    }
    for (size_t pass = 0; pass < 2; pass++)
        for (uint32_t o = 0; o < s->n2; o++)
            for (uint32_t y = 0; y < net->height2; y++)
                for (uint32_t x = 0; x < net->width2; x++) {
                    size_t v = (o * net->height2 + y) * net->width2 + x;
                    if (pass == 0) {
                        n2[v] = net->shift2[v];
                        slope2[v] = 0.0;
                    }
                    for (uint32_t c = 0; c < s->n1; c++)
                        for (uint32_t ky = 0; ky < s->kernel_h; ky++)
                            for (uint32_t kx = 0; kx < s->kernel_w; kx++) {
                                size_t u =
                                    (c * s->height1 + y + ky) * s->width1 + x +
                                    kx;
                                double w =
                                    (double)net->weight2
                                        [((o * s->n1 + c) * s->kernel_h + ky) *
                                             s->kernel_w +
                                         kx];
                                if (pass == 0) {
                                    n2[v] += net->scale2[v] * w * a1[u];
                                    slope2[v] += net->scale2[v] * w * da1[u];
                                } else if (n2[v] > 0.0) {
                                    grad1[u] +=
                                        net->weight3[v] * net->scale2[v] * w;
                                }
                            }
                    if (pass == 0 && n2[v] > 0.0)
                        l += net->weight3[v] * n2[v];
                }
    double d = s->gain / (1.0 + exp(-l));
    for (size_t u = 0; u < net->units1; u++)
        grad1[u] *= a1[u] > 0.0 ? d * net->scale1[u] : 0.0;
    for (size_t v = 0; v < net->units2; v++)
        grad2[v] = n2[v] > 0.0 ? d * net->weight3[v] : 0.0;
    return s->gain * log(1.0 + exp(l));
}

/* n steps of a rule: offset 0.5 mid-point, 1 right end. */
static void
naive_steps(const Net *net, uint32_t n, double offset, double *layer1,
            double *layer2)
{
    double grad1[MAX_UNITS], grad2[MAX_UNITS], slope2[MAX_UNITS];

    for (size_t i = 0; i < MAX_UNITS; i++)
        layer1[i] = layer2[i] = 0.0;
    for (uint32_t k = 0; k < n; k++) {
        naive(net, ((double)k + offset) / (double)n, grad1, grad2, slope2);
        for (size_t u = 0; u < net->units1; u++)
            layer1[u] += grad1[u] * (double)net->drive[u] / (double)n;
        for (size_t v = 0; v < net->units2; v++)
            layer2[v] += grad2[v] * slope2[v] / (double)n;
    }
}

static double
largest_difference(const double *a, const double *b, size_t n)
{
    double largest = 0.0;

    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

static void
check_net(const Net *net, uint32_t n, double tolerance)
{
    double want1[MAX_UNITS], want2[MAX_UNITS], got1[MAX_UNITS], got2[MAX_UNITS],
        grad1[MAX_UNITS], grad2[MAX_UNITS], slope[MAX_UNITS];
    g_autoptr(CxRetinaRay) ray = cx_retina_ray_new(&net->shape);
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    CxRetinaWalkResult result = cx_retina_walk_run(
        walk, net->drive, CX_ATTRIBUTION_EXACT, 0, got1, got2);
    double rate0 = naive(net, 0.0, grad1, grad2, slope);
    double rate = naive(net, 1.0, grad1, grad2, slope);

    g_assert_cmpfloat_with_epsilon(result.rate, rate, 1e-12 * (1.0 + rate));
    g_assert_cmpfloat_with_epsilon(result.rate0, rate0, 1e-12 * (1.0 + rate));
    g_assert_cmpfloat_with_epsilon(result.sum1, rate - rate0, 1e-10);
    g_assert_cmpfloat_with_epsilon(result.sum2, rate - rate0, 1e-10);
    naive_steps(net, n, 0.5, want1, want2);
    g_assert_cmpfloat(largest_difference(got1, want1, net->units1), <,
                      tolerance);
    g_assert_cmpfloat(largest_difference(got2, want2, net->units2), <,
                      tolerance);
}

static void
test_exact(void)
{
    CxRng rng = cx_test_rng();

    for (unsigned i = 0; i < 3; i++) {
        g_autofree Net *net = make_net(&rng, false);

        check_net(net, 100000, 2e-4);
    }
    for (unsigned i = 0; i < 200; i++) {
        g_autofree Net *net = make_net(&rng, i % 4 == 3);

        check_net(net, 1000, 5e-2);
    }
}

static void
test_steps(void)
{
    CxRng rng = cx_test_rng();
    double want1[MAX_UNITS], want2[MAX_UNITS], got1[MAX_UNITS], got2[MAX_UNITS];

    for (unsigned i = 0; i < 100; i++) {
        g_autofree Net *net = make_net(&rng, false);
        g_autoptr(CxRetinaRay) ray = cx_retina_ray_new(&net->shape);
        g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
        uint32_t n = 1 + (uint32_t)cx_rng_below(&rng, 120);

        for (unsigned rule = 1; rule <= 2; rule++) {
            naive_steps(net, n, rule == 1 ? 0.5 : 1.0, want1, want2);
            cx_retina_walk_run(walk, net->drive,
                               rule == 1 ? CX_ATTRIBUTION_MIDPOINT
                                         : CX_ATTRIBUTION_RIGHT,
                               n, got1, got2);
            g_assert_cmpfloat(largest_difference(got1, want1, net->units1), <,
                              1e-10);
            g_assert_cmpfloat(largest_difference(got2, want2, net->units2), <,
                              1e-10);
        }
    }
}

static void
test_path(void)
{
    CxRng rng = cx_test_rng();
    g_autofree Net *net = make_net(&rng, false);
    g_autoptr(CxRetinaRay) ray = cx_retina_ray_new(&net->shape);
    g_autoptr(CxRetinaWalk) walk = cx_retina_walk_new(ray);
    enum { N = 200 };
    double rate[N], density[3 * N], parts[MAX_UNITS], grad[MAX_UNITS],
        unused1[MAX_UNITS], unused2[MAX_UNITS];
    size_t area = net->units1 / net->shape.n1;

    cx_retina_walk_path(walk, net->drive, N, rate, density);
    cx_retina_walk_run(walk, net->drive, CX_ATTRIBUTION_MIDPOINT, N, parts,
                       NULL);
    for (uint32_t c = 0; c < net->shape.n1; c++) {
        double sum = 0.0, want = 0.0;

        for (size_t k = 0; k < N; k++)
            sum += density[c * N + k] / N;
        for (size_t u = 0; u < area; u++)
            want += parts[c * area + u];
        g_assert_cmpfloat_with_epsilon(sum, want, 1e-10);
    }
    cx_retina_ray_gradient(ray, walk, net->drive, 0.37, grad);
    naive(net, 0.37, unused1, unused2, parts);
    g_assert_cmpfloat(largest_difference(grad, unused1, net->units1), <, 1e-12);
    g_assert_cmpfloat_with_epsilon(
        rate[100], naive(net, 100.5 / N, unused1, unused2, parts), 1e-12);
}

static void
test_softplus(void)
{
    g_assert_cmpfloat_with_epsilon(cx_ray_softplus(0.0), log(2.0), 1e-15);
    g_assert_cmpfloat(cx_ray_softplus(1000.0), ==, 1000.0);
    g_assert_cmpfloat(cx_ray_softplus(-1000.0), ==, 0.0);
    g_assert_cmpfloat(cx_ray_sigmoid(-1000.0), ==, 0.0);
    g_assert_cmpfloat(cx_ray_sigmoid(1000.0), ==, 1.0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/attribution-ray/exact", test_exact);
    g_test_add_func("/attribution-ray/steps", test_steps);
    g_test_add_func("/attribution-ray/path", test_path);
    g_test_add_func("/attribution-ray/softplus", test_softplus);
    return g_test_run();
}
