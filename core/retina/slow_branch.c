/* The slow inhibitory branch.
 *
 * Explicit Euler: every derivative is taken at the state before the step, so
 * the cell that reads is stepped before those it reads from.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/slow_branch.h"

#include "core/kernels/kernels.h"

#include <math.h>

#define SWING_MV 20.0f

/* Steps as shares of a time constant, weights per step. */
typedef struct {
    float b, a1, a2, g, n;
    float w_b, w_a1, w_a2;
    float theta_b, theta_a2, depression;
} Rates;

struct CxSlowBranch {
    size_t size;
    Rates rates;
    CxSigmoidF32Fn *sigmoid;
    float *vb, *va1, *va2, *n, *ve;
    float *off, *on; /* the two sigmoids of a step */
};

static Rates
find_rates(const CxRetinaParams *p, bool depressing)
{
    double h = p->step_ms / p->time_scale;

    return (Rates){.b = (float)(h / p->tau_b),
                   .a1 = (float)(h / p->tau_a1),
                   .a2 = (float)(h / p->tau_a2),
                   .g = (float)(h / p->tau_g),
                   .n = (float)(h * p->recovery_per_s / 1000.0),
                   .w_b = (float)(h * p->w_b / 1000.0),
                   .w_a1 = (float)(h * p->w_a1 / 1000.0),
                   .w_a2 = (float)(h * p->w_a2 / 1000.0),
                   .theta_b = (float)p->theta_b,
                   .theta_a2 = (float)p->theta_a2,
                   .depression = depressing ? (float)p->depression : 0.0f};
}

static void
find_sigmoids(CxSlowBranch *s, const float *v)
{
    float *restrict off = s->off, *restrict on = s->on;

    for (size_t i = 0; i < s->size; i++) {
        off[i] = 14.0f * (v[i] + 0.5f);
        on[i] = 12.0f * (-v[i] - 0.5f);
    }
    s->sigmoid(off, off, s->size);
    s->sigmoid(on, on, s->size);
}

/* The state to which v = 0 leads. */
static void
set_rest(CxSlowBranch *s)
{
    const Rates *k = &s->rates;
    float off = SWING_MV * (1.0f / (1.0f + expf(-7.0f)) - 1.0f);
    float on = SWING_MV / (1.0f + expf(6.0f));
    float n = 1.0f / (1.0f + k->depression * on);
    float drive = k->w_b * (off + k->theta_b) - k->w_a1 * n * on -
                  k->w_a2 * (off + k->theta_a2);

    for (size_t i = 0; i < s->size; i++) {
        s->vb[i] = off;
        s->va1[i] = on;
        s->va2[i] = off;
        s->n[i] = n;
        s->ve[i] = drive / k->g;
    }
}

CxSlowBranch *
cx_slow_branch_new(const CxRetinaParams *params, bool depressing, size_t n)
{
    CxSlowBranch *s = g_new0(CxSlowBranch, 1);
    CxKernels kernels = {0};
    float **arrays[] = {&s->vb, &s->va1, &s->va2, &s->n,
                        &s->ve, &s->off, &s->on};

    cx_kernels_fill(&kernels, cx_cpu_features());
    s->size = n;
    s->rates = find_rates(params, depressing);
    s->sigmoid = kernels.sigmoid_f32;
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
        *arrays[i] = g_new0(float, n);
    set_rest(s);
    return s;
}

void
cx_slow_branch_free(CxSlowBranch *s)
{
    if (s == NULL)
        return;
    g_free(s->vb);
    g_free(s->va1);
    g_free(s->va2);
    g_free(s->n);
    g_free(s->ve);
    g_free(s->off);
    g_free(s->on);
    g_free(s);
}

static inline float
positive(float x)
{
    return x > 0.0f ? x : 0.0f;
}

void
cx_slow_branch_step(CxSlowBranch *s, const float *v)
{
    const Rates k = s->rates;
    float *restrict vb = s->vb, *restrict va1 = s->va1;
    float *restrict va2 = s->va2, *restrict n = s->n, *restrict ve = s->ve;
    const float *restrict off = s->off, *restrict on = s->on;

    find_sigmoids(s, v);
    for (size_t i = 0; i < s->size; i++) {
        float a1 = positive(va1[i]);
        float drive = k.w_b * positive(vb[i] + k.theta_b) - k.w_a1 * n[i] * a1 -
                      k.w_a2 * positive(va2[i] + k.theta_a2);
        float dark = SWING_MV * (off[i] - 1.0f);

        ve[i] += drive - k.g * ve[i];
        n[i] += k.n * (1.0f - n[i] - k.depression * a1 * n[i]);
        vb[i] += k.b * (dark - vb[i]);
        va1[i] += k.a1 * (SWING_MV * on[i] - va1[i]);
        va2[i] += k.a2 * (dark - va2[i]);
    }
}

const float *
cx_slow_branch_ve(const CxSlowBranch *s)
{
    return s->ve;
}
