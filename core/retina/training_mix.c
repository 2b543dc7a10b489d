/* Films for training and the simulator's answers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/training_mix.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/retina/natural.h"
#include "core/retina/stimulus.h"

#include <math.h>
#include <string.h>

struct CxTrainingSet {
    CxRetinaClip *clips;
    size_t n_clips;
    size_t first[CX_N_TRAINING_KINDS + 1]; /* clips of a kind: [k], [k + 1] */
    CxMovie **movies;
    float **targets;
    CxCellPosition *flat_cells, *cells; /* of an x-t film; of a whole one */
    size_t n_flat, n_cells;
    size_t rows; /* of the map: how often answers to an x-t film repeat */
};

static const char *const kind_names[CX_N_TRAINING_KINDS] = {
    "scenes", "bars", "upright", "flicker", "steps",
};

const char *
cx_training_kind_name(CxTrainingKind kind)
{
    g_return_val_if_fail((unsigned)kind < CX_N_TRAINING_KINDS, NULL);
    return kind_names[kind];
}

CxTrainingMix
cx_training_mix_natural(void)
{
    return (CxTrainingMix){
        .seed = 1,
        .n_clips = 90,
        .clip_frames = 600,
        .first_frame = 100,
        .height = 50,
        .width = 50,
        .margin = 17,
        .share = {[CX_TRAINING_SCENES] = 1.0},
    };
}

CxTrainingMix
cx_training_mix_mixed(void)
{
    CxTrainingMix mix = cx_training_mix_natural();

    mix.n_clips = 320;
    mix.share[CX_TRAINING_SCENES] = 0.45;
    mix.share[CX_TRAINING_BARS] = 0.2;
    mix.share[CX_TRAINING_UPRIGHT] = 0.1;
    mix.share[CX_TRAINING_FLICKER] = 0.15;
    mix.share[CX_TRAINING_STEPS] = 0.1;
    return mix;
}

bool
cx_training_mix_from_name(const char *name, CxTrainingMix *mix)
{
    if (strcmp(name, "natural") == 0)
        *mix = cx_training_mix_natural();
    else if (strcmp(name, "mixed") == 0)
        *mix = cx_training_mix_mixed();
    else
        return false;
    return true;
}

/* ---- films ------------------------------------------------------------ */

static double
between(CxRng *rng, double lo, double hi)
{
    return lo + (hi - lo) * cx_rng_uniform(rng);
}

/* As likely in [1, 2] as in [2, 4]. */
static double
between_logs(CxRng *rng, double lo, double hi)
{
    return exp(between(rng, log(lo), log(hi)));
}

static bool
chance(CxRng *rng, double probability)
{
    return cx_rng_uniform(rng) < probability;
}

static size_t
frames_between(CxRng *rng, size_t lo, size_t end)
{
    return lo + cx_rng_below(rng, end - lo);
}

/* A bar's course: from one place along its normal to another, and perhaps
 * some frames of the way back. */
typedef struct {
    double nx, ny; /* unit normal */
    double half, amplitude;
    double from, speed;
    size_t n_out, n_back;
} Sweep;

static Sweep
draw_sweep(CxRng *rng, bool upright)
{
    double angle = between(rng, 0.0, 2.0 * G_PI);
    double speed = between_logs(rng, 0.04, 0.44);
    double amplitude = between(rng, 0.5, 1.6);
    bool dark = chance(rng, 0.8), turns = chance(rng, 0.7);
    size_t n_back = frames_between(rng, 20, 120);

    return (Sweep){
        .nx = upright ? (angle < G_PI ? 1.0 : -1.0) : cos(angle),
        .ny = upright ? 0.0 : sin(angle),
        .half = between(rng, 1.0, 3.0),
        .amplitude = dark ? -amplitude : amplitude,
        .from = -between(rng, 3.0, 20.0),
        .speed = speed,
        .n_out = 1 + (size_t)(between(rng, 12.0, 40.0) / speed),
        .n_back = turns ? n_back : 0,
    };
}

static void
draw_bar(CxMovie *movie, size_t t, const Sweep *bar, double at)
{
    double cx = 0.5 * (double)movie->width - 0.5;
    double cy = 0.5 * (double)movie->height - 0.5;
    float *frame = cx_movie_frame(movie, t);

    for (size_t y = 0; y < movie->height; y++) {
        for (size_t x = 0; x < movie->width; x++) {
            double along =
                ((double)x - cx) * bar->nx + ((double)y - cy) * bar->ny - at;
            double cover = CLAMP(bar->half + 0.5 - fabs(along), 0.0, 1.0);

            frame[y * movie->width + x] = (float)(cover * bar->amplitude);
        }
    }
}

static void
sweep_clip(CxMovie *movie, bool upright, CxRng *rng)
{
    for (size_t t = 0; t < movie->n_frames;) {
        Sweep bar = draw_sweep(rng, upright || movie->height == 1);
        double turn = bar.from + bar.speed * (double)(bar.n_out - 1);
        size_t n = bar.n_out + bar.n_back;

        for (size_t i = 0; i < n && t < movie->n_frames; i++, t++)
            draw_bar(movie, t, &bar,
                     i < bar.n_out
                         ? bar.from + bar.speed * (double)i
                         : turn - bar.speed * (double)(i - bar.n_out + 1));
        t += frames_between(rng, 10, 60);
    }
}

/* Weak texture under flashes, in some clips. */
static bool
add_texture(CxMovie *movie, const CxNaturalOptions *natural, CxRng *rng,
            GError **error)
{
    CxNaturalOptions weak = *natural;

    weak.contrast_min = 0.03;
    weak.contrast_max = 0.4;
    return cx_natural_clip(movie, 0, movie->n_frames, CX_CLIP_NATURAL, &weak,
                           rng, error);
}

/* One spell: flashes with one amplitude, usual length and mean gap. */
static size_t
flicker_spell(CxMovie *movie, size_t t, CxRng *rng)
{
    size_t end = MIN(t + frames_between(rng, 30, 120), movie->n_frames);
    double gap = between_logs(rng, 1.0, 10.0);
    double amplitude =
        between(rng, 0.5, 1.6) * (chance(rng, 0.85) ? -1.0 : 0.6);
    size_t usual = frames_between(rng, 1, 5);

    while (t < end) {
        size_t n = chance(rng, 0.7) ? usual : frames_between(rng, 1, 7);
        double part = chance(rng, 0.7) ? 1.0 : between(rng, 0.3, 1.0);

        cx_stimulus_flash(movie, t, n, (float)(amplitude * part));
        t += n + 1 + (size_t)(-gap * log1p(-cx_rng_uniform(rng)));
    }
    return t;
}

static bool
flicker_clip(CxMovie *movie, const CxNaturalOptions *natural, CxRng *rng,
             GError **error)
{
    if (chance(rng, 0.3) && !add_texture(movie, natural, rng, error))
        return false;
    for (size_t t = 0; t < movie->n_frames;) {
        t = flicker_spell(movie, t, rng);
        if (chance(rng, 0.7))
            t += frames_between(rng, 10, 50);
    }
    return true;
}

/* Scenes of both kinds have no waves shorter than 8 pixels. */
static CxNaturalOptions
natural_options(const CxMovie *movie)
{
    CxNaturalOptions natural = cx_natural_options_natural();

    if (movie->height > 1)
        natural.n_waves = 62;
    natural.step_amplitude = 1.6;
    natural.step_grey_share = 0.45;
    return natural;
}

CxMovie *
cx_training_clip_new(const CxTrainingMix *mix, CxTrainingKind kind,
                     uint64_t number, GError **error)
{
    bool whole = kind == CX_TRAINING_SCENES || kind == CX_TRAINING_BARS;
    g_autoptr(CxMovie) movie = cx_movie_new(
        mix->clip_frames, whole ? mix->height : 1, mix->width, error);
    CxRng rng;
    bool ok = true;

    if (movie == NULL)
        return NULL;
    CxNaturalOptions natural = natural_options(movie);
    cx_rng_init(&rng, mix->seed * UINT64_C(0x9e3779b97f4a7c15) + number + 1);
    switch (kind) {
    case CX_TRAINING_BARS:
    case CX_TRAINING_UPRIGHT:
        sweep_clip(movie, kind == CX_TRAINING_UPRIGHT, &rng);
        break;
    case CX_TRAINING_FLICKER:
        ok = flicker_clip(movie, &natural, &rng, error);
        break;
    case CX_TRAINING_STEPS:
    case CX_TRAINING_SCENES:
    case CX_N_TRAINING_KINDS:
    default:
        ok = cx_natural_clip(movie, 0, movie->n_frames,
                             kind == CX_TRAINING_STEPS ? CX_CLIP_STEPS
                                                       : CX_CLIP_NATURAL,
                             &natural, &rng, error);
    }
    return ok ? g_steal_pointer(&movie) : NULL;
}

/* ---- answers ---------------------------------------------------------- */

/* Repeats rates [frame][n] for `rows` rows of the map. */
static float *
repeat_rates(const float *rates, size_t n_frames, size_t n, size_t rows,
             GError **error)
{
    float *all = cx_try_alloc(n_frames * rows * n, sizeof *all, error);

    for (size_t i = 0; all != NULL && i < n_frames * rows; i++)
        memcpy(all + i * n, rates + i / rows * n, n * sizeof *all);
    return all;
}

static float *
answer(const CxTrainingSet *set, const CxTrainingMix *mix, const CxMovie *movie,
       GError **error)
{
    bool flat = movie->height == 1;
    size_t n = flat ? set->n_flat : set->n_cells;
    CX_AUTOFREE float *rates =
        cx_try_alloc(movie->n_frames * n, sizeof *rates, error);
    CxSimulatorOptions options = {.model = CX_RETINA_GTR_C,
                                  .knock_outs = mix->knock_outs,
                                  .params = mix->params,
                                  .n_threads = 1};
    CxSimulatorOutput output = {.rate = rates};

    if (rates == NULL ||
        !cx_simulator_run(movie, &options, flat ? set->flat_cells : set->cells,
                          n, &output, NULL, error))
        return NULL;
    return repeat_rates(rates, movie->n_frames, n, flat ? set->rows : 1, error);
}

/* ---- sets ------------------------------------------------------------- */

/* Whole clips a kind, as near to the shares as whole numbers go. */
static void
share_out(const CxTrainingMix *mix, size_t first[CX_N_TRAINING_KINDS + 1])
{
    double sum = 0.0, along = 0.0;

    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++)
        sum += mix->share[k];
    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++) {
        first[k] = (size_t)(along / sum * (double)mix->n_clips + 0.5);
        along += mix->share[k];
    }
    first[CX_N_TRAINING_KINDS] = mix->n_clips;
}

typedef struct {
    CxTrainingSet *set;
    const CxTrainingMix *mix;
} Work;

static bool
make_clip(size_t i, unsigned worker, void *data, GError **error)
{
    const Work *work = data;
    CxTrainingSet *set = work->set;
    unsigned kind = 0;

    (void)worker;
    while (i >= set->first[kind + 1])
        kind++;
    set->movies[i] =
        cx_training_clip_new(work->mix, (CxTrainingKind)kind, i, error);
    if (set->movies[i] == NULL)
        return false;
    set->targets[i] = answer(set, work->mix, set->movies[i], error);
    if (set->targets[i] == NULL)
        return false;
    set->clips[i] =
        (CxRetinaClip){set->movies[i], set->targets[i], work->mix->first_frame};
    return true;
}

static bool
check(const CxTrainingMix *mix, GError **error)
{
    size_t least = 2 * mix->margin + 1;
    const char *what = NULL;
    double sum = 0.0;

    for (unsigned k = 0; k < CX_N_TRAINING_KINDS; k++) {
        if (!(mix->share[k] >= 0.0))
            what = "shares must not be negative";
        sum += mix->share[k];
    }
    if (what == NULL && !(sum > 0.0))
        what = "a share must be above 0";
    if (mix->n_clips == 0 || mix->clip_frames == 0)
        what = "clips and frames are needed";
    if (mix->width < least || (mix->height != 1 && mix->height < least))
        what = "the margin leaves no cell";
    if (what == NULL)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID, "training mixture: %s",
                what);
    return false;
}

CxTrainingSet *
cx_training_set_new(const CxTrainingMix *mix, CxJob *job, GError **error)
{
    if (!check(mix, error))
        return NULL;
    g_autoptr(CxTrainingSet) set = g_new0(CxTrainingSet, 1);
    Work work = {set, mix};

    set->n_clips = mix->n_clips;
    set->clips = g_new0(CxRetinaClip, mix->n_clips);
    set->movies = g_new0(CxMovie *, mix->n_clips);
    set->targets = g_new0(float *, mix->n_clips);
    set->rows = mix->height > 1 ? mix->height - 2 * mix->margin : 1;
    set->flat_cells =
        cx_cell_positions_all(1, mix->width, mix->margin, &set->n_flat);
    set->cells = cx_cell_positions_all(mix->height, mix->width, mix->margin,
                                       &set->n_cells);
    share_out(mix, set->first);
    if (!cx_parallel_for(mix->n_threads, mix->n_clips, make_clip, &work, job,
                         error))
        return NULL;
    return g_steal_pointer(&set);
}

void
cx_training_set_free(CxTrainingSet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n_clips; i++) {
        cx_movie_free(set->movies[i]);
        cx_free(set->targets[i]);
    }
    g_free(set->clips);
    g_free(set->movies);
    g_free(set->targets);
    g_free(set->flat_cells);
    g_free(set->cells);
    g_free(set);
}

CxRetinaData
cx_training_set_data(const CxTrainingSet *set)
{
    return (CxRetinaData){set->clips, set->n_clips};
}

CxRetinaData
cx_training_set_part(const CxTrainingSet *set, CxTrainingKind kind)
{
    g_return_val_if_fail((unsigned)kind < CX_N_TRAINING_KINDS,
                         ((CxRetinaData){NULL, 0}));
    return (CxRetinaData){set->clips + set->first[kind],
                          set->first[kind + 1] - set->first[kind]};
}
