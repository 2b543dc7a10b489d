/* The simulated retina: state of every pixel, one Euler step at a time.
 *
 * Blurs in space commute with linear filters in time: light is blurred once a
 * frame, and the bipolar cells' output after the dendrite's low-pass, both
 * bipolar cells at once unless their parts are asked for.  A long film is cut
 * into pieces that are simulated side by side, each after a warm-up on the
 * frames before it (the slowest state forgets with 160 ms, so that a share of
 * e^-18 of it remains); the pieces do not depend on the number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/simulator.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/retina/blur.h"
#include "core/retina/slow_branch.h"

#include <math.h>
#include <string.h>

#define PIECE_FRAMES 2000
#define WARM_UP_MS 3000.0

/* Added to what decays, so that no state sinks into denormal numbers, which
 * cost a hundred times the time. */
#define TINY 1e-20f

static const char *const knock_out_names[CX_N_KNOCK_OUTS] = {
    "gain-control", "slow-branch", "on-bipolar", "off-bipolar", "depression",
};

const char *
cx_knock_out_name(unsigned i)
{
    return i < CX_N_KNOCK_OUTS ? knock_out_names[i] : NULL;
}

CxKnockOut
cx_knock_out_from_name(const char *name)
{
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++)
        if (strcmp(knock_out_names[i], name) == 0)
            return (CxKnockOut)(1u << i);
    return CX_KNOCK_OUT_NONE;
}

CxRetinaParams
cx_retina_params_default(CxRetinaModel model)
{
    return (CxRetinaParams){
        .step_ms = 1.0,
        .blur_px = 0.8,
        .tau_receptor = 7.0,
        .tau_fast = 15.0,
        .tau_surround = 60.0,
        .surround = 1.0,
        .tau_on_delay = 21.0,
        .tau_gain = 160.0,
        .gain = 7.5,
        .pool_px = 2.9,
        .tau_dendrite = 7.0,
        .w_off = 100.0,
        .w_on = 44.0,
        .slow_pool_px = 5.0,
        .slow_weight = 0.73,
        .time_scale = model == CX_RETINA_GTR_E ? 1.0 : 0.5,
        .tau_b = 80.0,
        .tau_a1 = 85.0,
        .tau_a2 = 120.0,
        .tau_g = 110.0,
        .w_b = 50.0,
        .w_a1 = 53.0,
        .w_a2 = 65.0,
        .theta_b = 26.0,
        .theta_a2 = 20.0,
        .depression = 0.086,
        .recovery_per_s = 10.0,
        .tau_light = 3.0,
        .output_slope = 12.0,
    };
}

/* What all pieces of a run share. */
typedef struct {
    const CxMovie *movie;
    CxRetinaModel model;
    unsigned knock_outs;
    const CxRetinaParams *params;
    const CxCellPosition *cells; /* NULL: every pixel */
    size_t n_cells;
    const CxSimulatorOutput *output;
    size_t n_steps; /* a frame */
    CxJob *job;
} Run;

enum {
    LIGHT,     /* blurred, of this frame */
    RECEPTOR1, /* LP_7 */
    RECEPTOR2, /* v */
    FAST1,
    FAST2,
    SURROUND1,
    SURROUND2,
    DELAY1,
    DELAY2,   /* y as the ON bipolar cell sees it */
    GAIN_OFF, /* A */
    GAIN_ON,
    OFF, /* LP_7 B */
    ON,
    POOLED, /* V_off + V_on */
    POOLED_ON,
    POOLED_SLOW,
    SUM_RATE, /* over the frame */
    SUM_OFF,
    SUM_ON,
    SUM_SLOW,
    N_ARRAYS,
};

/* One piece: every array [height][width]. */
typedef struct {
    const Run *run;
    size_t size;
    float *memory;
    float *array[N_ARRAYS];
    CxBlur *blur_light, *blur_pool, *blur_slow;
    CxSlowBranch *slow; /* NULL if knocked out */
} Retina;

static void
retina_clear(Retina *r)
{
    cx_free(r->memory);
    g_clear_pointer(&r->blur_light, cx_blur_free);
    g_clear_pointer(&r->blur_pool, cx_blur_free);
    g_clear_pointer(&r->blur_slow, cx_blur_free);
    g_clear_pointer(&r->slow, cx_slow_branch_free);
}

static bool
retina_init(Retina *r, const Run *run, GError **error)
{
    const CxRetinaParams *p = run->params;
    size_t height = run->movie->height, width = run->movie->width;
    bool depressing = (run->knock_outs & CX_KNOCK_OUT_DEPRESSION) == 0;

    *r = (Retina){.run = run, .size = height * width};
    r->memory = cx_try_alloc0(r->size, N_ARRAYS * sizeof(float), error);
    if (r->memory == NULL)
        return false;
    for (unsigned i = 0; i < N_ARRAYS; i++)
        r->array[i] = r->memory + i * r->size;
    r->blur_light = cx_blur_new(p->blur_px, height, width);
    r->blur_pool = cx_blur_new(p->pool_px, height, width);
    r->blur_slow = cx_blur_new(p->slow_pool_px, height, width);
    if ((run->knock_outs & CX_KNOCK_OUT_SLOW_BRANCH) == 0)
        r->slow = cx_slow_branch_new(p, depressing, r->size);
    return true;
}

static inline float
positive(float x)
{
    return x > 0.0f ? x : 0.0f;
}

/* Light to dendrites, in the order of the equations: every stage reads what
 * the stage before it has just become. */
static void
step_outer(Retina *r)
{
    const CxRetinaParams *p = r->run->params;
    float h = (float)p->step_ms;
    float k_receptor = h / (float)p->tau_receptor;
    float k_fast = h / (float)p->tau_fast;
    float k_surround = h / (float)p->tau_surround;
    float k_delay = h / (float)p->tau_on_delay;
    float k_gain = h / (float)p->tau_gain;
    float k_dendrite = h / (float)p->tau_dendrite;
    float surround = (float)p->surround;
    bool controlled = (r->run->knock_outs & CX_KNOCK_OUT_GAIN_CONTROL) == 0;
    float gain = controlled ? (float)p->gain : 0.0f;
    float *const *a = r->array;
    const float *restrict light = a[LIGHT];
    float *restrict r1 = a[RECEPTOR1], *restrict v = a[RECEPTOR2];
    float *restrict f1 = a[FAST1], *restrict f2 = a[FAST2];
    float *restrict s1 = a[SURROUND1], *restrict s2 = a[SURROUND2];
    float *restrict d1 = a[DELAY1], *restrict d2 = a[DELAY2];
    float *restrict a_off = a[GAIN_OFF], *restrict a_on = a[GAIN_ON];
    float *restrict off = a[OFF], *restrict on = a[ON];

    for (size_t i = 0; i < r->size; i++) {
        r1[i] += k_receptor * (light[i] + TINY - r1[i]);
        v[i] += k_receptor * (r1[i] - v[i]);
        f1[i] += k_fast * (v[i] - f1[i]);
        f2[i] += k_fast * (f1[i] - f2[i]);
        s1[i] += k_surround * (v[i] - s1[i]);
        s2[i] += k_surround * (s1[i] - s2[i]);
        float y = f2[i] - surround * s2[i];
        d1[i] += k_delay * (y + TINY - d1[i]);
        d2[i] += k_delay * (d1[i] - d2[i]);
        float o = positive(-y) + TINY, q = positive(d2[i]) + TINY;
        a_off[i] += k_gain * (gain * o - a_off[i]);
        a_on[i] += k_gain * (gain * q - a_on[i]);
        float o2 = a_off[i] * a_off[i], q2 = a_on[i] * a_on[i];
        off[i] += k_dendrite * (o / (1.0f + o2 * o2) - off[i]);
        on[i] += k_dendrite * (q / (1.0f + q2 * q2) - on[i]);
    }
}

static void
add_scaled(float *restrict dst, const float *restrict src, float weight,
           size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] += weight * src[i];
}

/* Dendrites to the ganglion cell: V_off + V_on into POOLED. */
static void
pool_drives(Retina *r)
{
    const Run *run = r->run;
    const CxRetinaParams *p = run->params;
    bool has_off = (run->knock_outs & CX_KNOCK_OUT_OFF_BIPOLAR) == 0;
    bool has_on = (run->knock_outs & CX_KNOCK_OUT_ON_BIPOLAR) == 0;
    float w_off = has_off ? (float)p->w_off : 0.0f;
    float w_on = has_on ? (float)p->w_on : 0.0f;
    float *pooled = r->array[POOLED], *pooled_on = r->array[POOLED_ON];
    bool apart = run->output->v_off != NULL || run->output->v_on != NULL;

    memset(pooled, 0, r->size * sizeof(float));
    add_scaled(pooled, r->array[OFF], w_off, r->size);
    if (!apart) {
        add_scaled(pooled, r->array[ON], w_on, r->size);
        cx_blur_apply(r->blur_pool, pooled, pooled);
        return;
    }
    memset(pooled_on, 0, r->size * sizeof(float));
    add_scaled(pooled_on, r->array[ON], w_on, r->size);
    cx_blur_apply(r->blur_pool, pooled, pooled);
    cx_blur_apply(r->blur_pool, pooled_on, pooled_on);
    add_scaled(r->array[SUM_OFF], pooled, 1.0f, r->size);
    add_scaled(r->array[SUM_ON], pooled_on, 1.0f, r->size);
    add_scaled(pooled, pooled_on, 1.0f, r->size);
}

static void
add_rate(float *restrict sum, const float *restrict drive, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += positive(drive[i]);
}

static void
step_gtr_c(Retina *r)
{
    float *pooled = r->array[POOLED], *slow = r->array[POOLED_SLOW];
    float weight = (float)r->run->params->slow_weight;

    step_outer(r);
    pool_drives(r);
    if (r->slow != NULL) {
        cx_slow_branch_step(r->slow, r->array[RECEPTOR2]);
        cx_blur_apply(r->blur_slow, cx_slow_branch_ve(r->slow), slow);
        add_scaled(pooled, slow, weight, r->size);
        add_scaled(r->array[SUM_SLOW], slow, weight, r->size);
    }
    add_rate(r->array[SUM_RATE], pooled, r->size);
}

static void
step_gtr_e(Retina *r)
{
    const CxRetinaParams *p = r->run->params;
    float k = (float)(p->step_ms / (p->tau_light * p->time_scale));
    float *v = r->array[RECEPTOR2];
    const float *light = r->array[LIGHT];

    if (r->slow == NULL)
        return;
    cx_slow_branch_step(r->slow, v);
    for (size_t i = 0; i < r->size; i++)
        v[i] += k * (light[i] - v[i]);
    const float *ve = cx_slow_branch_ve(r->slow);
    add_scaled(r->array[SUM_SLOW], ve, 1.0f, r->size);
    for (size_t i = 0; i < r->size; i++)
        r->array[SUM_RATE][i] += (float)p->output_slope * positive(ve[i]);
}

/* The mean over the frame at the cells. */
static void
put(const Retina *r, unsigned sum, size_t t, float *out)
{
    const Run *run = r->run;
    float share = 1.0f / (float)run->n_steps;

    if (out == NULL)
        return;
    out += t * run->n_cells;
    for (size_t i = 0; i < run->n_cells; i++) {
        size_t at = run->cells == NULL
                        ? i
                        : (size_t)run->cells[i].y * run->movie->width +
                              (size_t)run->cells[i].x;

        out[i] = r->array[sum][at] * share;
    }
}

static void
show_frame(Retina *r, size_t t, bool keep)
{
    const Run *run = r->run;
    bool ebert = run->model == CX_RETINA_GTR_E;
    size_t sums = (N_ARRAYS - SUM_RATE) * r->size * sizeof(float);

    if (ebert)
        memcpy(r->array[LIGHT], cx_movie_frame(run->movie, t),
               r->size * sizeof(float));
    else
        cx_blur_apply(r->blur_light, cx_movie_frame(run->movie, t),
                      r->array[LIGHT]);
    memset(r->array[SUM_RATE], 0, sums);
    for (size_t i = 0; i < run->n_steps; i++) {
        if (ebert)
            step_gtr_e(r);
        else
            step_gtr_c(r);
    }
    if (!keep)
        return;
    put(r, SUM_RATE, t, run->output->rate);
    put(r, SUM_OFF, t, run->output->v_off);
    put(r, SUM_ON, t, run->output->v_on);
    put(r, SUM_SLOW, t, run->output->slow);
}

static bool
run_piece(size_t item, unsigned worker, void *data, GError **error)
{
    const Run *run = data;
    size_t warm_up = (size_t)ceil(WARM_UP_MS / run->movie->frame_ms);
    size_t first = item * PIECE_FRAMES;
    size_t end = MIN(first + PIECE_FRAMES, run->movie->n_frames);
    Retina r;
    bool ok = retina_init(&r, run, error);

    for (size_t t = first > warm_up ? first - warm_up : 0; ok && t < end; t++) {
        show_frame(&r, t, t >= first);
        ok = cx_job_check(run->job, error);
    }
    retina_clear(&r);
    return ok;
}

static bool
check(const Run *run, GError **error)
{
    const CxMovie *movie = run->movie;
    double steps = movie->frame_ms / run->params->step_ms;

    if (!(steps >= 0.999) || fabs(steps - rint(steps)) > 1e-6 || steps > 1e6) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a film with frames of %g ms: expected a whole number of "
                    "steps of %g ms",
                    movie->frame_ms, run->params->step_ms);
        return false;
    }
    for (size_t i = 0; run->cells != NULL && i < run->n_cells; i++) {
        CxCellPosition cell = run->cells[i];

        if (cell.x < 0 || cell.y < 0 || (size_t)cell.x >= movie->width ||
            (size_t)cell.y >= movie->height) {
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "cell %zu at %d, %d: expected a pixel of a film of "
                        "%zu x %zu",
                        i, cell.x, cell.y, movie->width, movie->height);
            return false;
        }
    }
    return true;
}

/* Everything a thread needs is in the run: pieces write to frames of their
 * own. */
static bool
run_pieces(Run *run, unsigned n_threads, GError **error)
{
    size_t n = (run->movie->n_frames + PIECE_FRAMES - 1) / PIECE_FRAMES;

    run->n_steps = (size_t)rint(run->movie->frame_ms / run->params->step_ms);
    return cx_parallel_for(n_threads, n, run_piece, run, run->job, error);
}

/* A film whose rows are the same: its first row, asked at the cells' x. */
static bool
run_row(Run *run, unsigned n_threads, GError **error)
{
    g_autoptr(CxMovie) row = cx_movie_first_row(run->movie, error);

    if (row == NULL)
        return false;
    g_autofree CxCellPosition *cells = g_new(CxCellPosition, run->n_cells);
    for (size_t i = 0; i < run->n_cells; i++) {
        int32_t x = run->cells != NULL ? run->cells[i].x
                                       : (int32_t)(i % run->movie->width);

        cells[i] = (CxCellPosition){.x = x, .y = 0};
    }
    run->movie = row;
    run->cells = cells;
    return run_pieces(run, n_threads, error);
}

bool
cx_simulator_run(const CxMovie *movie, const CxSimulatorOptions *options,
                 const CxCellPosition *cells, size_t n_cells,
                 const CxSimulatorOutput *output, CxJob *job, GError **error)
{
    CxSimulatorOptions nothing = {0};
    const CxSimulatorOptions *o = options != NULL ? options : &nothing;
    CxRetinaParams defaults = cx_retina_params_default(o->model);
    Run run = {
        .movie = movie,
        .model = o->model,
        .knock_outs = o->knock_outs,
        .params = o->params != NULL ? o->params : &defaults,
        .cells = cells,
        .n_cells = cells != NULL ? n_cells : cx_movie_frame_size(movie),
        .output = output,
        .job = job,
    };

    if (!check(&run, error))
        return false;
    if (movie->height > 1 && !o->full_2d && cx_movie_is_constant_in_y(movie))
        return run_row(&run, o->n_threads, error);
    return run_pieces(&run, o->n_threads, error);
}
