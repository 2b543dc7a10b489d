/* Fits a Gabor function to a small picture.
 *
 * With the wave written as A cos + B sin, phase and amplitude enter linearly,
 * and the fit runs over A, B, centre, logarithms of both widths, angle and
 * frequency.  Derivatives are worked out on paper:
 *     g = E W,  E = exp(-u^2 / 2su^2 - v^2 / 2sv^2),
 *     W = A cos(2 pi f u) + B sin(2 pi f u).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/gabor_fit.h"

#include "core/jobs/parallel.h"
#include "core/theory/fft.h"
#include "core/theory/linear.h"

#include <math.h>
#include <string.h>

enum { P_A, P_B, P_X, P_Y, P_LOG_U, P_LOG_V, P_ANGLE, P_FREQUENCY, N_PARAMS };

#define MAX_PIXELS (CX_GABOR_MAX_SIDE * CX_GABOR_MAX_SIDE)
#define SPECTRUM 64  /* side of the padded spectrum */
#define N_PEAKS 4    /* waves to start from */
#define MAX_STEPS 80 /* of one start */
#define GOOD_R2 0.97 /* no further starts */
#define LEAST_GAIN 1e-7
#define MAX_DAMPING 1e8
#define LEAST_SIGMA 0.4
#define MAX_FREQUENCY 0.5

typedef struct {
    unsigned side, n;
    double pixels[MAX_PIXELS]; /* less their mean */
    double total;              /* sum of squares */
} Target;

typedef struct {
    double u, v, e, wave, slope; /* slope: dW / d(2 pi f u) */
    double cos_wave, sin_wave;
} Point;

static Point
point_at(const double p[N_PARAMS], unsigned x, unsigned y)
{
    double c = cos(p[P_ANGLE]), s = sin(p[P_ANGLE]);
    double dx = x - p[P_X], dy = y - p[P_Y];
    double su = exp(p[P_LOG_U]), sv = exp(p[P_LOG_V]);
    Point at = {.u = dx * c + dy * s, .v = dy * c - dx * s};
    double turn = 2.0 * G_PI * p[P_FREQUENCY] * at.u;

    at.e = exp(-0.5 * (at.u * at.u / (su * su) + at.v * at.v / (sv * sv)));
    at.cos_wave = cos(turn);
    at.sin_wave = sin(turn);
    at.wave = p[P_A] * at.cos_wave + p[P_B] * at.sin_wave;
    at.slope = p[P_B] * at.cos_wave - p[P_A] * at.sin_wave;
    return at;
}

static double
error_of(const Target *target, const double p[N_PARAMS])
{
    double sum = 0.0;

    for (unsigned i = 0; i < target->n; i++) {
        Point at = point_at(p, i % target->side, i / target->side);
        double rest = target->pixels[i] - at.e * at.wave;

        sum += rest * rest;
    }
    return sum;
}

static void
derivatives(const double p[N_PARAMS], const Point *at, double to[N_PARAMS])
{
    double c = cos(p[P_ANGLE]), s = sin(p[P_ANGLE]);
    double su2 = exp(2.0 * p[P_LOG_U]), sv2 = exp(2.0 * p[P_LOG_V]);
    double by_u = at->e * (2.0 * G_PI * p[P_FREQUENCY] * at->slope -
                           at->u / su2 * at->wave);
    double by_v = -at->e * at->v / sv2 * at->wave;

    to[P_A] = at->e * at->cos_wave;
    to[P_B] = at->e * at->sin_wave;
    to[P_X] = -c * by_u + s * by_v;
    to[P_Y] = -s * by_u - c * by_v;
    to[P_LOG_U] = at->e * at->wave * at->u * at->u / su2;
    to[P_LOG_V] = at->e * at->wave * at->v * at->v / sv2;
    to[P_ANGLE] = at->v * by_u - at->u * by_v;
    to[P_FREQUENCY] = at->e * at->slope * 2.0 * G_PI * at->u;
}

/* J^T J and J^T r. */
static void
normal_equations(const Target *target, const double p[N_PARAMS],
                 double a[N_PARAMS][N_PARAMS], double b[N_PARAMS])
{
    memset(a, 0, N_PARAMS * sizeof a[0]);
    memset(b, 0, N_PARAMS * sizeof *b);
    for (unsigned i = 0; i < target->n; i++) {
        Point at = point_at(p, i % target->side, i / target->side);
        double row[N_PARAMS];

        derivatives(p, &at, row);
        double rest = target->pixels[i] - at.e * at.wave;
        for (unsigned j = 0; j < N_PARAMS; j++) {
            b[j] += row[j] * rest;
            for (unsigned k = 0; k <= j; k++)
                a[j][k] += row[j] * row[k];
        }
    }
}

static bool
is_allowed(const Target *target, const double p[N_PARAMS])
{
    double side = target->side, most = log(2.0 * side);

    return p[P_X] > -0.25 * side && p[P_X] < 1.25 * side &&
           p[P_Y] > -0.25 * side && p[P_Y] < 1.25 * side &&
           p[P_LOG_U] > log(LEAST_SIGMA) && p[P_LOG_U] < most &&
           p[P_LOG_V] > log(LEAST_SIGMA) && p[P_LOG_V] < most &&
           fabs(p[P_FREQUENCY]) <= MAX_FREQUENCY;
}

/* One step with this damping; false if it leads nowhere. */
static bool
try_step(const Target *target, double a[N_PARAMS][N_PARAMS],
         const double b[N_PARAMS], double damping, double p[N_PARAMS],
         double *error)
{
    double matrix[N_PARAMS][N_PARAMS], step[N_PARAMS], next[N_PARAMS];

    memcpy(matrix, a, sizeof matrix);
    memcpy(step, b, sizeof step);
    for (unsigned j = 0; j < N_PARAMS; j++)
        matrix[j][j] += damping * (a[j][j] + 1e-9 * target->total);
    if (!cx_linear_solve(&matrix[0][0], N_PARAMS, step))
        return false;
    for (unsigned j = 0; j < N_PARAMS; j++)
        next[j] = p[j] + step[j];
    if (!is_allowed(target, next))
        return false;
    double now = error_of(target, next);
    if (!(now < *error))
        return false;
    *error = now;
    memcpy(p, next, sizeof next);
    return true;
}

/* Levenberg and Marquardt; returns the sum of squares at the end. */
static double
descend(const Target *target, double p[N_PARAMS])
{
    double error = error_of(target, p), damping = 1e-2;

    for (unsigned step = 0; step < MAX_STEPS && damping < MAX_DAMPING; step++) {
        double a[N_PARAMS][N_PARAMS], b[N_PARAMS], before = error;

        normal_equations(target, p, a, b);
        while (damping < MAX_DAMPING &&
               !try_step(target, a, b, damping, p, &error))
            damping *= 4.0;
        damping = fmax(damping / 8.0, 1e-9);
        if (before - error < LEAST_GAIN * target->total)
            break;
    }
    return error;
}

/* The strongest local maxima of the spectrum's upper half. */
static unsigned
find_waves(const Target *target, double waves[N_PEAKS][2])
{
    double re[SPECTRUM * SPECTRUM] = {0}, im[SPECTRUM * SPECTRUM] = {0};
    double powers[N_PEAKS];
    unsigned n = 0;

    for (unsigned i = 0; i < target->n; i++)
        re[i / target->side * SPECTRUM + i % target->side] = target->pixels[i];
    cx_fft_2d(re, im, SPECTRUM, SPECTRUM, false);
    for (unsigned i = 0; i < SPECTRUM * SPECTRUM; i++)
        re[i] = re[i] * re[i] + im[i] * im[i];
    for (unsigned y = 0; y <= SPECTRUM / 2; y++)
        for (unsigned x = 0; x < SPECTRUM; x++) {
            double power = re[y * SPECTRUM + x];
            unsigned at = n;
            bool is_peak = y > 0 || x <= SPECTRUM / 2;

            for (unsigned k = 0; k < 9 && is_peak; k++)
                is_peak = power >=
                          re[(y + SPECTRUM + k / 3 - 1) % SPECTRUM * SPECTRUM +
                             (x + SPECTRUM + k % 3 - 1) % SPECTRUM];
            while (is_peak && at > 0 && power > powers[at - 1])
                at--;
            if (!is_peak || at == N_PEAKS)
                continue;
            n = MIN(n + 1, N_PEAKS);
            for (unsigned k = n - 1; k > at; k--) {
                powers[k] = powers[k - 1];
                memcpy(waves[k], waves[k - 1], sizeof waves[k]);
            }
            powers[at] = power;
            waves[at][0] = cx_fft_frequency(x, SPECTRUM);
            waves[at][1] = cx_fft_frequency(y, SPECTRUM);
        }
    return n;
}

/* Where the squares are, and how far they reach. */
static void
find_centre(const Target *target, double *x, double *y, double *sigma)
{
    double sx = 0.0, sy = 0.0, sxx = 0.0;

    for (unsigned i = 0; i < target->n; i++) {
        double square = target->pixels[i] * target->pixels[i] / target->total;
        double px = i % target->side, py = i / target->side;

        sx += square * px;
        sy += square * py;
        sxx += square * (px * px + py * py);
    }
    *x = sx;
    *y = sy;
    /* squares of a Gaussian are narrower by the root of 2 */
    *sigma = sqrt(fmax(sxx - sx * sx - sy * sy, 0.5));
}

/* A and B that fit best with the rest as it is. */
static void
fit_wave(const Target *target, double p[N_PARAMS])
{
    double cc = 0.0, cs = 0.0, ss = 0.0, rc = 0.0, rs = 0.0;

    for (unsigned i = 0; i < target->n; i++) {
        Point at = point_at(p, i % target->side, i / target->side);
        double c = at.e * at.cos_wave, s = at.e * at.sin_wave;

        cc += c * c, cs += c * s, ss += s * s;
        rc += c * target->pixels[i], rs += s * target->pixels[i];
    }
    double determinant = cc * ss - cs * cs;
    if (determinant > 1e-12 * cc * ss) {
        p[P_A] = (rc * ss - rs * cs) / determinant;
        p[P_B] = (rs * cc - rc * cs) / determinant;
    } else {
        p[P_A] = cc > 0.0 ? rc / cc : 0.0;
        p[P_B] = 0.0;
    }
}

static CxGabor
to_gabor(const Target *target, const double p[N_PARAMS], double error)
{
    double sign = p[P_FREQUENCY] < 0.0 ? -1.0 : 1.0;
    double turns = floor(p[P_ANGLE] / G_PI);
    double phase = atan2(-sign * p[P_B], p[P_A]);

    /* turned by half a circle, u and with it the phase change sign */
    if (fmod(fabs(turns), 2.0) != 0.0)
        phase = -phase;
    if (phase < 0.0)
        phase += 2.0 * G_PI;
    return (CxGabor){
        .amplitude = hypot(p[P_A], p[P_B]),
        .x = p[P_X],
        .y = p[P_Y],
        .sigma_u = exp(p[P_LOG_U]),
        .sigma_v = exp(p[P_LOG_V]),
        .angle = p[P_ANGLE] - turns * G_PI,
        .frequency = fabs(p[P_FREQUENCY]),
        .phase = phase,
        .r2 = 1.0 - error / target->total,
    };
}

static void
init_target(Target *target, const float *picture, unsigned side)
{
    double mean = 0.0;

    target->side = side;
    target->n = side * side;
    target->total = 0.0;
    for (unsigned i = 0; i < target->n; i++)
        mean += picture[i] / (double)target->n;
    for (unsigned i = 0; i < target->n; i++) {
        target->pixels[i] = picture[i] - mean;
        target->total += target->pixels[i] * target->pixels[i];
    }
}

CxGabor
cx_gabor_fit(const float *picture, unsigned side)
{
    static const double widths[] = {0.7, 1.3};
    Target target;
    double waves[N_PEAKS][2], x, y, sigma;
    CxGabor best = {.sigma_u = 1.0, .sigma_v = 1.0};

    g_assert(side >= 4 && side <= CX_GABOR_MAX_SIDE);
    init_target(&target, picture, side);
    if (!(target.total > 0.0))
        return best;
    unsigned n = find_waves(&target, waves);
    find_centre(&target, &x, &y, &sigma);
    for (unsigned k = 0; k < n * G_N_ELEMENTS(widths); k++) {
        const double *wave = waves[k / G_N_ELEMENTS(widths)];
        double width =
            fmax(sigma * widths[k % G_N_ELEMENTS(widths)], 2 * LEAST_SIGMA);
        double p[N_PARAMS] = {[P_X] = x,
                              [P_Y] = y,
                              [P_LOG_U] = log(width),
                              [P_LOG_V] = log(width),
                              [P_ANGLE] = atan2(wave[1], wave[0]),
                              [P_FREQUENCY] =
                                  fmin(hypot(wave[0], wave[1]), 0.48)};

        fit_wave(&target, p);
        CxGabor found = to_gabor(&target, p, descend(&target, p));
        if (found.r2 > best.r2)
            best = found;
        if (best.r2 > GOOD_R2)
            break;
    }
    return best;
}

void
cx_gabor_draw(const CxGabor *gabor, unsigned side, float *picture)
{
    const double p[N_PARAMS] = {gabor->amplitude * cos(gabor->phase),
                                -gabor->amplitude * sin(gabor->phase),
                                gabor->x,
                                gabor->y,
                                log(gabor->sigma_u),
                                log(gabor->sigma_v),
                                gabor->angle,
                                gabor->frequency};

    for (unsigned i = 0; i < side * side; i++) {
        Point at = point_at(p, i % side, i / side);

        picture[i] = (float)(at.e * at.wave);
    }
}

typedef struct {
    const float *pictures;
    unsigned side;
    CxGabor *gabors;
} Fits;

static bool
fit_one(size_t item, unsigned worker, void *data, GError **error)
{
    Fits *fits = data;

    fits->gabors[item] = cx_gabor_fit(
        fits->pictures + item * fits->side * fits->side, fits->side);
    return true;
}

bool
cx_gabor_fit_all(const float *pictures, unsigned side, size_t n,
                 CxGabor *gabors, unsigned n_threads, CxJob *job,
                 GError **error)
{
    Fits fits = {pictures, side, gabors};

    return cx_parallel_for(n_threads, n, fit_one, &fits, job, error);
}
