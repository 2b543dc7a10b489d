/* Films to train on.
 *
 * Every clip has a generator of its own, seeded by the film's seed and its
 * number, so that a clip does not depend on those before it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/natural.h"

#include "core/base/error.h"
#include "core/retina/natural_scene.h"
#include "core/retina/stimulus.h"

#include <math.h>
#include <string.h>

#define SCENE_PX_LINE 4096
#define SCENE_PX_SQUARE 512

CxNaturalOptions
cx_natural_options_mixture(void)
{
    return (CxNaturalOptions){
        .seed = 1,
        .n_frames = 6000,
        .height = 1,
        .width = 80,
        .clip_frames = 600,
        .share = {0.5, 0.25, 0.25},
        .n_waves = 500,
        .contrast_min = 0.3,
        .contrast_max = 1.2,
        .fixation_frames = 100,
        .walk_min_px = 0.05,
        .walk_max_px = 0.25,
        .drift_share = 0.5,
        .drift_max_px = 0.5,
        .n_bars = 2,
        .bar_min_px = 2.0,
        .bar_max_px = 6.0,
        .speed_min_px = 0.04,
        .speed_max_px = 0.44,
        .reversal_per_frame = 0.012,
        .dark_share = 0.75,
        .bar_amplitude_min = 0.5,
        .bar_amplitude_max = 1.2,
        .step_min_frames = 1,
        .step_max_frames = 31,
        .step_amplitude = 1.2,
        .step_grey_share = 0.35,
        .step_dark_share = 0.75,
        .texture_share = 0.5,
        .texture_contrast = 0.2,
    };
}

CxNaturalOptions
cx_natural_options_natural(void)
{
    CxNaturalOptions options = cx_natural_options_mixture();

    options.share[CX_CLIP_BARS] = 0.0;
    options.share[CX_CLIP_STEPS] = 0.0;
    return options;
}

static double
between(CxRng *rng, double lo, double hi)
{
    return lo + (hi - lo) * cx_rng_uniform(rng);
}

static CxNaturalScene *
new_scene(const CxMovie *movie, const CxNaturalOptions *o, CxRng *rng,
          GError **error)
{
    bool square = movie->height > 1;
    size_t side = o->scene_px;

    if (side == 0)
        side = square ? SCENE_PX_SQUARE : SCENE_PX_LINE;
    return cx_natural_scene_new(side, square, o->n_waves, rng, error);
}

/* Where the eye looks and how it moves until the next saccade. */
typedef struct {
    double x, y;
    double walk, drift_x, drift_y; /* pixels a frame */
    float contrast;
} Gaze;

static Gaze
saccade(const CxMovie *movie, const CxNaturalOptions *o, double side,
        CxRng *rng)
{
    Gaze gaze = {
        .x = between(rng, 0.0, side),
        .y = between(rng, 0.0, side),
        .contrast = (float)between(rng, o->contrast_min, o->contrast_max),
        .walk = between(rng, o->walk_min_px, o->walk_max_px),
    };
    bool drifts = cx_rng_uniform(rng) < o->drift_share;
    double speed = between(rng, -o->drift_max_px, o->drift_max_px);
    double angle = between(rng, 0.0, G_PI);

    if (drifts) {
        gaze.drift_x = movie->height > 1 ? speed * cos(angle) : speed;
        gaze.drift_y = speed * sin(angle);
    }
    return gaze;
}

static bool
natural_clip(CxMovie *movie, size_t first, size_t n, const CxNaturalOptions *o,
             CxRng *rng, GError **error)
{
    g_autoptr(CxNaturalScene) scene = new_scene(movie, o, rng, error);

    if (scene == NULL)
        return false;
    double side = (double)cx_natural_scene_side(scene);
    Gaze gaze = {0};
    for (size_t i = 0; i < n; i++) {
        if (i % o->fixation_frames == 0)
            gaze = saccade(movie, o, side, rng);
        cx_natural_scene_add(scene, gaze.x, gaze.y, gaze.contrast,
                             movie->height, movie->width,
                             cx_movie_frame(movie, first + i));
        gaze.x += gaze.drift_x + gaze.walk * cx_rng_normal(rng);
        gaze.y += gaze.drift_y + gaze.walk * cx_rng_normal(rng);
    }
    return true;
}

typedef struct {
    double at, speed; /* along the normal, from the middle of the film */
    double half, amplitude;
    double nx, ny; /* unit normal */
} Bar;

/* How far from the middle a bar's centre may go before it comes back from the
 * other side: out of sight at any angle. */
static double
turning_point(const CxMovie *movie, const Bar *bar)
{
    double reach = fabs(bar->nx) * (double)movie->width +
                   fabs(bar->ny) * (double)movie->height;

    return 0.5 * reach + bar->half + 1.0;
}

static Bar
new_bar(const CxMovie *movie, const CxNaturalOptions *o, CxRng *rng)
{
    double width = between(rng, o->bar_min_px, o->bar_max_px);
    double speed = between(rng, o->speed_min_px, o->speed_max_px);
    double amplitude = between(rng, o->bar_amplitude_min, o->bar_amplitude_max);
    double angle = between(rng, 0.0, G_PI);
    bool backwards = cx_rng_uniform(rng) < 0.5;
    bool dark = cx_rng_uniform(rng) < o->dark_share;
    bool upright = movie->height == 1 || o->vertical_bars;
    Bar bar = {
        .speed = backwards ? -speed : speed,
        .half = 0.5 * width,
        .amplitude = dark ? -amplitude : amplitude,
        .nx = upright ? 1.0 : cos(angle),
        .ny = upright ? 0.0 : sin(angle),
    };

    bar.at = between(rng, -1.0, 1.0) * turning_point(movie, &bar);
    return bar;
}

/* The bar covers what is behind it; edges are shared out by area, exactly so
 * for upright bars. */
static void
draw_bar(CxMovie *movie, size_t t, const Bar *bar)
{
    double cx = 0.5 * (double)movie->width - 0.5;
    double cy = 0.5 * (double)movie->height - 0.5;
    float *frame = cx_movie_frame(movie, t);

    for (size_t y = 0; y < movie->height; y++) {
        for (size_t x = 0; x < movie->width; x++) {
            double along = ((double)x - cx) * bar->nx +
                           ((double)y - cy) * bar->ny - bar->at;
            double cover = CLAMP(bar->half + 0.5 - fabs(along), 0.0, 1.0);
            float *pixel = &frame[y * movie->width + x];

            *pixel += (float)cover * ((float)bar->amplitude - *pixel);
        }
    }
}

static void
move_bar(const CxMovie *movie, const CxNaturalOptions *o, Bar *bar, CxRng *rng)
{
    double limit = turning_point(movie, bar);

    if (cx_rng_uniform(rng) < o->reversal_per_frame)
        bar->speed = -bar->speed;
    bar->at += bar->speed;
    if (bar->at > limit)
        bar->at -= 2.0 * limit;
    else if (bar->at < -limit)
        bar->at += 2.0 * limit;
}

static void
bar_clip(CxMovie *movie, size_t first, size_t n, const CxNaturalOptions *o,
         CxRng *rng)
{
    g_autofree Bar *bars = g_new0(Bar, o->n_bars);

    for (unsigned i = 0; i < o->n_bars; i++)
        bars[i] = new_bar(movie, o, rng);
    for (size_t t = first; t < first + n; t++) {
        for (unsigned i = 0; i < o->n_bars; i++) {
            draw_bar(movie, t, &bars[i]);
            move_bar(movie, o, &bars[i], rng);
        }
    }
}

static float
step_level(const CxNaturalOptions *o, CxRng *rng)
{
    bool grey = cx_rng_uniform(rng) < o->step_grey_share;
    bool dark = cx_rng_uniform(rng) < o->step_dark_share;
    double level = between(rng, 0.0, o->step_amplitude);

    return grey ? 0.0f : (float)(dark ? -level : level);
}

static bool
step_clip(CxMovie *movie, size_t first, size_t n, const CxNaturalOptions *o,
          CxRng *rng, GError **error)
{
    bool textured = cx_rng_uniform(rng) < o->texture_share;
    g_autoptr(CxNaturalScene) scene = new_scene(movie, o, rng, error);

    if (scene == NULL)
        return false;
    double side = (double)cx_natural_scene_side(scene);
    double x = between(rng, 0.0, side), y = between(rng, 0.0, side);
    for (size_t i = 0; textured && i < n; i++)
        cx_natural_scene_add(scene, x, y, (float)o->texture_contrast,
                             movie->height, movie->width,
                             cx_movie_frame(movie, first + i));
    for (size_t i = 0; i < n;) {
        uint64_t range = o->step_max_frames - o->step_min_frames + 1;
        size_t length = o->step_min_frames + cx_rng_below(rng, range);

        length = MIN(length, n - i);
        cx_stimulus_flash(movie, first + i, length, step_level(o, rng));
        i += length;
    }
    return true;
}

static bool
check(const CxNaturalOptions *o, GError **error)
{
    const char *what = NULL;
    double sum = 0.0;

    for (unsigned k = 0; k < CX_N_CLIP_KINDS; k++) {
        if (!(o->share[k] >= 0.0))
            what = "shares of clips must not be negative";
        sum += o->share[k];
    }
    if (what == NULL && !(sum > 0.0))
        what = "a share of one kind of clip must be above 0";
    if (o->clip_frames == 0 || o->fixation_frames == 0)
        what = "clips and fixations must have frames";
    if (o->step_min_frames == 0 || o->step_max_frames < o->step_min_frames)
        what = "steps need at least 1 frame, and no maximum below the minimum";
    if (what == NULL)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID, "training film: %s", what);
    return false;
}

bool
cx_natural_clip(CxMovie *movie, size_t first, size_t n, CxClipKind kind,
                const CxNaturalOptions *options, CxRng *rng, GError **error)
{
    g_return_val_if_fail(first + n <= movie->n_frames, false);
    if (!check(options, error))
        return false;
    switch (kind) {
    case CX_CLIP_BARS:
        bar_clip(movie, first, n, options, rng);
        return true;
    case CX_CLIP_STEPS:
        return step_clip(movie, first, n, options, rng, error);
    case CX_CLIP_NATURAL:
    case CX_N_CLIP_KINDS:
    default:
        return natural_clip(movie, first, n, options, rng, error);
    }
}

static size_t
count_clips(const CxNaturalOptions *o)
{
    return o->n_frames / o->clip_frames + (o->n_frames % o->clip_frames != 0);
}

static CxClipKind
draw_kind(const CxNaturalOptions *o, CxRng *rng)
{
    double sum = 0.0;

    for (unsigned k = 0; k < CX_N_CLIP_KINDS; k++)
        sum += o->share[k];
    double at = cx_rng_uniform(rng) * sum;
    for (unsigned k = 0; k + 1 < CX_N_CLIP_KINDS; k++) {
        if (at < o->share[k])
            return (CxClipKind)k;
        at -= o->share[k];
    }
    return (CxClipKind)(CX_N_CLIP_KINDS - 1);
}

CxClipKind *
cx_natural_clip_kinds(const CxNaturalOptions *options, size_t *n)
{
    CxRng rng;

    *n = count_clips(options);
    CxClipKind *kinds = g_new(CxClipKind, *n);
    cx_rng_init(&rng, options->seed);
    for (size_t i = 0; i < *n; i++)
        kinds[i] = draw_kind(options, &rng);
    return kinds;
}

CxMovie *
cx_natural_new(const CxNaturalOptions *options, CxJob *job, GError **error)
{
    const CxNaturalOptions *o = options;

    if (!check(o, error))
        return NULL;
    g_autoptr(CxMovie) movie =
        cx_movie_new(o->n_frames, o->height, o->width, error);
    if (movie == NULL)
        return NULL;
    size_t n_clips;
    g_autofree CxClipKind *kinds = cx_natural_clip_kinds(o, &n_clips);
    for (size_t i = 0; i < n_clips; i++) {
        size_t first = i * o->clip_frames;
        size_t n = MIN(o->clip_frames, o->n_frames - first);
        CxRng rng;

        cx_rng_init(&rng, o->seed * UINT64_C(0x9e3779b97f4a7c15) + i + 1);
        if (!cx_natural_clip(movie, first, n, kinds[i], o, &rng, error) ||
            !cx_job_step(job, i + 1, n_clips, error))
            return NULL;
    }
    return g_steal_pointer(&movie);
}
