/* The films of the four protocols.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/protocol.h"

#include "core/base/error.h"
#include "core/retina/stimulus.h"

#include <math.h>
#include <string.h>

#define LEAD CX_STIMULUS_LEAD_FRAMES
#define CELL_REACH 4 /* pixels to each side of the middle */

static const struct {
    const char *name, *title;
} protocols[CX_N_PROTOCOLS] = {
    [CX_PROTOCOL_OSR] = {"osr", "Omitted stimulus response"},
    [CX_PROTOCOL_LATENCY] = {"latency", "Latency coding"},
    [CX_PROTOCOL_REVERSAL] = {"reversal", "Motion reversal"},
    [CX_PROTOCOL_ANTICIPATION] = {"anticipation", "Motion anticipation"},
};

static const char *const preset_names[CX_N_PRESETS] = {
    "simulated", "reduction", "2023", "library", "ebert",
};

static const char *const descriptions[CX_N_PROTOCOLS][CX_N_PRESETS] = {
    [CX_PROTOCOL_OSR] =
        {
            "10 dark flashes (-1) of 20 ms, periods 30-80 ms",
            "dark flashes (-2) of 20 ms, periods 20-80 ms, the last in frame "
            "89 of 140",
            "8 dark flashes (-2) of 20 ms, period 80 ms, one omitted",
            "5 dark flashes (-2) of 20 ms, period 200 ms, one omitted, 5 more",
            "12 dark flashes (-1) of 40 ms at 6, 8, 10, 12 and 16 Hz",
        },
    [CX_PROTOCOL_LATENCY] =
        {
            "full-field steps to -0.1 … -1 for 400 ms",
            "full-field steps to 0, -0.05 … -1.95 for 400 ms",
            "full-field flashes of 20 ms, 21 sizes from 0 to -3",
        },
    [CX_PROTOCOL_REVERSAL] =
        {
            "dark bar (-1) of 4 px, 0.19 px a frame, turns at the middle",
            "dark bar (-1) of 2 px, 0.19 px a frame, turns at -9 … 2 px",
            "dark bar (-1) of 2 px, 0.14 px a frame, turns at -9 … 2 px",
            "dark bar (-1) of 2 px, 0.24 px a frame, turns at -9 … 2 px",
        },
    [CX_PROTOCOL_ANTICIPATION] =
        {
            "dark bar (-1) of 4 px, 0.08 px a frame, both ways; the bar "
            "flashed for 20 ms at 9 places",
            "dark bar (-1) of 4 px, 0.08 px a frame, both ways; the bar "
            "flashed for 20 ms at 51 places",
            "dark bar (-1) of 2 px, 0.176 px a frame, both ways; the bar "
            "flashed for 20 ms at 51 places",
            "dark bar (-1) of 2 px, 0.08 px a frame, both ways; the bar "
            "flashed for 20 ms at 51 places",
        },
};

const char *
cx_protocol_name(CxProtocolKind kind)
{
    return kind < CX_N_PROTOCOLS ? protocols[kind].name : NULL;
}

const char *
cx_protocol_title(CxProtocolKind kind)
{
    return kind < CX_N_PROTOCOLS ? protocols[kind].title : NULL;
}

bool
cx_protocol_from_name(const char *name, CxProtocolKind *kind)
{
    for (unsigned i = 0; i < CX_N_PROTOCOLS; i++) {
        if (strcmp(protocols[i].name, name) != 0)
            continue;
        *kind = (CxProtocolKind)i;
        return true;
    }
    return false;
}

const char *
cx_preset_name(CxProtocolPreset preset)
{
    return preset < CX_N_PRESETS ? preset_names[preset] : NULL;
}

bool
cx_preset_from_name(const char *name, CxProtocolPreset *preset)
{
    for (unsigned i = 0; i < CX_N_PRESETS; i++) {
        if (strcmp(preset_names[i], name) != 0)
            continue;
        *preset = (CxProtocolPreset)i;
        return true;
    }
    return false;
}

const char *
cx_preset_describe(CxProtocolKind kind, CxProtocolPreset preset)
{
    return kind < CX_N_PROTOCOLS && preset < CX_N_PRESETS
               ? descriptions[kind][preset]
               : NULL;
}

double
cx_protocol_cell_px(const CxProtocol *protocol, size_t cell)
{
    return (double)protocol->cells[cell].x + 0.5 -
           0.5 * (double)protocol->options.width;
}

/* Middle of the middle pixel, where the simulated preset has its origin. */
static double
pixel_origin(const CxProtocol *p)
{
    return (double)(p->options.width / 2) + 0.5 -
           0.5 * (double)p->options.width;
}

static void
clear_condition(CxProtocolCondition *c)
{
    g_free(c->label);
    cx_movie_free(c->movie);
    g_free(c->bar_px);
}

void
cx_protocol_free(CxProtocol *protocol)
{
    if (protocol == NULL)
        return;
    for (size_t i = 0; i < protocol->n_conditions; i++)
        clear_condition(&protocol->conditions[i]);
    g_free(protocol->conditions);
    g_free(protocol->cells);
    g_free(protocol);
}

/* A new grey condition at the end of the list; NULL without memory. */
static CxProtocolCondition *
add(CxProtocol *p, size_t n_frames, double value, char *label, GError **error)
{
    const CxProtocolOptions *o = &p->options;
    CxMovie *movie = cx_movie_new(n_frames, o->height, o->width, error);

    if (movie == NULL) {
        g_free(label);
        return NULL;
    }
    movie->pixel_um = o->pixel_um;
    p->conditions =
        g_renew(CxProtocolCondition, p->conditions, p->n_conditions + 1);
    CxProtocolCondition *c = &p->conditions[p->n_conditions++];
    *c = (CxProtocolCondition){.label = label,
                               .value = value,
                               .movie = movie,
                               .onset_frame = LEAD,
                               .last_flash_frame = -1,
                               .omitted_frame = -1,
                               .flip_frame = -1,
                               .end_frame = (int64_t)n_frames,
                               .period_frames = -1,
                               .duration_frames = -1};
    return c;
}

static float
amplitude(const CxProtocol *p, double preset)
{
    return (float)(preset * p->options.amplitude);
}

/* ---- omitted stimulus ------------------------------------------------- */

/* n flashes, the last at frame `last`; as many as there is room for if n is
 * 0, as the published figures have them. */
static bool
add_train(CxProtocol *p, size_t n_frames, int64_t last, int64_t period,
          int64_t duration, int64_t n, float size, GError **error)
{
    double period_ms = (double)period * CX_RETINA_FRAME_MS;
    char *label = g_strdup_printf("period %g ms", period_ms);
    CxProtocolCondition *c = add(p, n_frames, period_ms, label, error);

    if (c == NULL)
        return false;
    if (n == 0)
        n = last / period + 1;
    c->onset_frame = last - (n - 1) * period;
    c->last_flash_frame = last;
    c->omitted_frame = last + period;
    c->period_frames = period;
    c->duration_frames = duration;
    c->control = period <= duration;
    cx_stimulus_flash_train(c->movie, (size_t)c->onset_frame, (size_t)n,
                            (size_t)period, (size_t)duration, size);
    return true;
}

/* 12 flashes of 40 ms whose period is no whole number of frames: each begins
 * in the nearest frame. */
static bool
add_ebert_train(CxProtocol *p, double hertz, GError **error)
{
    double period = 100.0 / hertz;
    size_t last = LEAD + (size_t)rint(11.0 * period);
    char *label = g_strdup_printf("%g Hz", hertz);
    CxProtocolCondition *c =
        add(p, last + 100, period * CX_RETINA_FRAME_MS, label, error);

    if (c == NULL)
        return false;
    for (unsigned i = 0; i < 12; i++)
        cx_stimulus_flash(c->movie, LEAD + (size_t)rint((double)i * period), 4,
                          amplitude(p, -1.0));
    c->last_flash_frame = (int64_t)last;
    c->omitted_frame = LEAD + (int64_t)rint(12.0 * period);
    c->period_frames = (int64_t)rint(period);
    c->duration_frames = 4;
    return true;
}

static bool
add_library_train(CxProtocol *p, GError **error)
{
    float size = amplitude(p, -2.0);

    if (!add_train(p, LEAD + 10 + 220, LEAD + 20 + 80, 20, 2, 5, size, error))
        return false;
    cx_stimulus_flash_train(p->conditions[0].movie, LEAD + 20 + 120, 5, 20, 2,
                            size);
    p->conditions[0].end_frame = LEAD + 20 + 120;
    return true;
}

static bool
build_osr(CxProtocol *p, GError **error)
{
    static const double hertz[] = {16, 12, 10, 8, 6};
    bool ok = true;

    switch (p->options.preset) {
    case CX_PRESET_SIMULATED:
        for (int64_t period = 3; period <= 8 && ok; period++)
            ok = add_train(p, 200, 129, period, 2, 10, amplitude(p, -1.0),
                           error);
        return ok;
    case CX_PRESET_REDUCTION:
        for (int64_t period = 2; period <= 8 && ok; period++)
            ok = add_train(p, 140, 89, period, 2, 0, amplitude(p, -2.0), error);
        return ok;
    case CX_PRESET_2023:
        return add_train(p, 182, 138, 8, 2, 8, amplitude(p, -2.0), error);
    case CX_PRESET_LIBRARY:
        return add_library_train(p, error);
    case CX_PRESET_EBERT:
    case CX_N_PRESETS:
    default:
        for (unsigned i = 0; i < G_N_ELEMENTS(hertz) && ok; i++)
            ok = add_ebert_train(p, hertz[i], error);
        return ok;
    }
}

/* ---- latency coding --------------------------------------------------- */

/* A step for the rest of the film, or a flash of n frames. */
static bool
add_step(CxProtocol *p, size_t n_frames, double size, size_t n, GError **error)
{
    char *label = g_strdup_printf("step %g", -size);
    CxProtocolCondition *c = add(p, n_frames, -size, label, error);

    if (c == NULL)
        return false;
    cx_stimulus_flash(c->movie, LEAD, n, amplitude(p, size));
    c->control = size == 0.0;
    c->duration_frames = (int64_t)n;
    return true;
}

static bool
build_latency(CxProtocol *p, GError **error)
{
    bool ok = true;

    switch (p->options.preset) {
    case CX_PRESET_SIMULATED:
        for (unsigned i = 1; i <= 10 && ok; i++)
            ok = add_step(p, LEAD + 40, -0.1 * i, 40, error);
        return ok;
    case CX_PRESET_REDUCTION:
        for (unsigned i = 0; i < 40 && ok; i++)
            ok = add_step(p, LEAD + 40, -0.05 * i, 40, error);
        return ok;
    case CX_PRESET_2023:
    case CX_PRESET_LIBRARY:
    case CX_PRESET_EBERT:
    case CX_N_PRESETS:
    default:
        for (unsigned i = 0; i <= 20 && ok; i++)
            ok = add_step(p, LEAD + 30, -0.15 * i, 2, error);
        return ok;
    }
}

/* ---- moving bars ------------------------------------------------------ */

typedef struct {
    double speed;
    unsigned width;
    bool exact; /* the simulated preset: positions from the middle pixel,
                   edges by area, the speed kept exactly */
} BarPreset;

static BarPreset
bar_preset(const CxProtocol *p)
{
    const CxProtocolOptions *o = &p->options;
    bool reversal = p->kind == CX_PROTOCOL_REVERSAL;
    bool simulated = o->preset == CX_PRESET_SIMULATED;
    BarPreset bar = {.exact = simulated, .width = simulated ? 4 : 2};

    if (reversal)
        bar.speed = o->preset == CX_PRESET_2023      ? 0.14
                    : o->preset == CX_PRESET_LIBRARY ? 0.24
                                                     : 0.19;
    else
        bar.speed = o->preset == CX_PRESET_2023 ? 0.176 : 0.08;
    if (!reversal && o->preset == CX_PRESET_REDUCTION)
        bar.width = 4;
    if (o->speed_px > 0.0)
        bar.speed = o->speed_px;
    if (o->bar_px > 0)
        bar.width = o->bar_px;
    return bar;
}

static double
sweep_centre(const BarPreset *bar, double from, double to, size_t n, size_t i)
{
    double step = to < from ? -bar->speed : bar->speed;

    return bar->exact ? from + step * (double)i
                      : cx_stimulus_sweep_centre(from, to, n, i);
}

static void
draw(const CxProtocol *p, CxProtocolCondition *c, const BarPreset *bar,
     size_t frame, double centre, float size)
{
    double at = bar->exact ? centre + pixel_origin(p) : centre;

    if (frame >= c->movie->n_frames)
        return;
    if (bar->exact)
        cx_stimulus_bar_exact(c->movie, frame, at, (double)bar->width, size);
    else
        cx_stimulus_bar(c->movie, frame, at, bar->width, size);
    c->bar_px[frame] = (float)at;
}

static CxProtocolCondition *
add_bar(CxProtocol *p, size_t n_frames, double value, char *label,
        GError **error)
{
    CxProtocolCondition *c = add(p, n_frames, value, label, error);

    if (c == NULL)
        return NULL;
    c->bar_px = g_new(float, n_frames);
    for (size_t t = 0; t < n_frames; t++)
        c->bar_px[t] = NAN;
    return c;
}

static bool
add_sweep(CxProtocol *p, const BarPreset *bar, double from, double to,
          GError **error)
{
    size_t n = cx_stimulus_sweep_frames(from, to, bar->speed);
    char *label = g_strdup_printf("%s", to > from ? "rightward" : "leftward");
    CxProtocolCondition *c = add_bar(p, LEAD + n, to, label, error);

    if (c == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        draw(p, c, bar, LEAD + i, sweep_centre(bar, from, to, n, i),
             amplitude(p, -1.0));
    c->direction = to > from ? 1 : -1;
    return true;
}

static bool
add_reversal(CxProtocol *p, const BarPreset *bar, double from, double flip,
             GError **error)
{
    size_t n = cx_stimulus_sweep_frames(from, flip, bar->speed);
    char *label = g_strdup_printf("turns at %g px", flip);
    /* The published bar stays at the turn for two frames. */
    size_t back = bar->exact ? LEAD + n - 1 : LEAD + n;
    double value = bar->exact ? flip + pixel_origin(p) : flip;
    CxProtocolCondition *c = add_bar(p, back + n, value, label, error);

    if (c == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        draw(p, c, bar, LEAD + i, sweep_centre(bar, from, flip, n, i),
             amplitude(p, -1.0));
    double turn = sweep_centre(bar, from, flip, n, n - 1);
    for (size_t i = bar->exact ? 1 : 0; i < n; i++)
        draw(p, c, bar, back + i, sweep_centre(bar, turn, from, n, i),
             amplitude(p, -1.0));
    c->flip_frame = LEAD + (int64_t)n - 1;
    c->direction = 1;
    return true;
}

static bool
build_reversal(CxProtocol *p, GError **error)
{
    BarPreset bar = bar_preset(p);
    int first = bar.exact ? 0 : -9, last = bar.exact ? 0 : 2;

    for (int flip = first; flip <= last; flip++)
        if (!add_reversal(p, &bar, -40.0, flip, error))
            return false;
    if (!add_sweep(p, &bar, -40.0, 40.0, error))
        return false;
    CxProtocolCondition *c = &p->conditions[p->n_conditions - 1];
    c->control = true;
    g_free(c->label);
    c->label = g_strdup("smooth motion");
    return true;
}

static bool
add_flashed_bar(CxProtocol *p, const BarPreset *bar, double centre,
                GError **error)
{
    char *label = g_strdup_printf("flash at %g px", centre);
    double value = bar->exact ? centre + pixel_origin(p) : centre;
    CxProtocolCondition *c = add_bar(p, 70, value, label, error);

    if (c == NULL)
        return false;
    for (size_t t = 43; t < 45; t++)
        draw(p, c, bar, t, centre, amplitude(p, -1.0));
    c->onset_frame = 43;
    c->duration_frames = 2;
    c->control = true;
    return true;
}

static bool
build_anticipation(CxProtocol *p, GError **error)
{
    BarPreset bar = bar_preset(p);
    int reach = bar.exact ? 16 : 25, step = bar.exact ? 4 : 1;

    if (!add_sweep(p, &bar, -30.0, 30.0, error) ||
        !add_sweep(p, &bar, 30.0, -30.0, error))
        return false;
    for (int centre = -reach; centre <= reach; centre += step)
        if (!add_flashed_bar(p, &bar, centre, error))
            return false;
    return true;
}

/* ---- all -------------------------------------------------------------- */

/* The cells around the middle that have room; a row through the middle. */
static bool
choose_cells(CxProtocol *p, GError **error)
{
    const CxProtocolOptions *o = &p->options;
    int64_t middle = (int64_t)(o->width / 2), margin = (int64_t)o->margin;
    int64_t room =
        MIN(middle - margin, (int64_t)o->width - 1 - margin - middle);
    int64_t reach = MIN(room, CELL_REACH);

    if (reach < 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a film of %zu pixels with margins of %zu: expected room "
                    "for a cell in the middle",
                    o->width, o->margin);
        return false;
    }
    p->n_cells = (size_t)(2 * reach + 1);
    p->cells = g_new(CxCellPosition, p->n_cells);
    for (size_t i = 0; i < p->n_cells; i++)
        p->cells[i] = (CxCellPosition){
            .x = (int32_t)(middle - reach + (int64_t)i),
            .y = (int32_t)(o->height / 2),
        };
    return true;
}

static bool
build(CxProtocol *p, GError **error)
{
    switch (p->kind) {
    case CX_PROTOCOL_OSR:
        return build_osr(p, error);
    case CX_PROTOCOL_LATENCY:
        return build_latency(p, error);
    case CX_PROTOCOL_REVERSAL:
        return build_reversal(p, error);
    case CX_PROTOCOL_ANTICIPATION:
    case CX_N_PROTOCOLS:
    default:
        return build_anticipation(p, error);
    }
}

CxProtocol *
cx_protocol_new(CxProtocolKind kind, const CxProtocolOptions *options,
                GError **error)
{
    g_return_val_if_fail(kind < CX_N_PROTOCOLS, NULL);
    if (cx_preset_describe(kind, options->preset) == NULL) {
        const char *preset = cx_preset_name(options->preset);

        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the preset \"%s\" has no protocol \"%s\"",
                    preset != NULL ? preset : "?", cx_protocol_name(kind));
        return NULL;
    }
    g_autoptr(CxProtocol) p = g_new0(CxProtocol, 1);
    p->kind = kind;
    p->options = *options;
    if (p->options.amplitude == 0.0)
        p->options.amplitude = 1.0;
    if (p->options.pixel_um == 0.0)
        p->options.pixel_um = CX_RETINA_PIXEL_UM;
    if (!choose_cells(p, error) || !build(p, error))
        return NULL;
    return g_steal_pointer(&p);
}
