/* retina simulate: what the simulated retina answers to a film, a protocol or
 * a film to train on.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/natural.h"
#include "core/retina/protocol.h"
#include "core/retina/recording.h"

#include <math.h>
#include <string.h>

#define SOURCE "simulated retina"
#define MAX_SECONDS 100000.0

enum { RATE, OFF, ON, SLOW, N_TRACES };
static const char *const trace_suffixes[N_TRACES] = {"", ".off", ".on",
                                                     ".slow"};

/* One film and its answers. */
typedef struct {
    const char *label;
    const CxMovie *movie;
    float *traces[N_TRACES]; /* owned; drives NULL unless asked for */
} Piece;

typedef struct {
    CxcliContext *context;
    CxSimulatorOptions simulator;
    const char *protocol; /* NULL: a film is read */
    const char *out;
    bool hdf5, drives;
    size_t height, width;
    GArray *pieces; /* of Piece */
    const CxCellPosition *cells;
    size_t n_cells;
    CxProtocol *measured; /* NULL unless one of the four */
} Task;

static void
piece_clear(void *data)
{
    Piece *piece = data;

    for (unsigned i = 0; i < N_TRACES; i++)
        cx_free(piece->traces[i]);
}

/* ---- options ---------------------------------------------------------- */

static bool
read_knock_outs(const char *text, unsigned *bits, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);

    for (unsigned i = 0; names[i] != NULL; i++) {
        CxKnockOut bit = cx_knock_out_from_name(names[i]);

        if (bit == CX_KNOCK_OUT_NONE) {
            cxcli_set_usage_error(
                error,
                "--knock-out: found \"%s\", expected gain-control, "
                "slow-branch, on-bipolar, off-bipolar or depression",
                names[i]);
            return false;
        }
        *bits |= bit;
    }
    return true;
}

static bool
read_model(const CxcliContext *context, CxRetinaModel *model, GError **error)
{
    const char *name = cxcli_text(context, "model", "gtr-c");

    *model = CX_RETINA_GTR_C;
    if (strcmp(name, "gtr-c") == 0)
        return true;
    *model = CX_RETINA_GTR_E;
    if (strcmp(name, "gtr-e") == 0)
        return true;
    cxcli_set_usage_error(
        error, "--model: found \"%s\", expected gtr-c or gtr-e", name);
    return false;
}

static bool
read_size(Task *task, GError **error)
{
    int width = 80, height = 1;

    cxcli_size(task->context, "size", &width, &height);
    task->width = (size_t)width;
    task->height = (size_t)height;
    if (width >= 9 && width <= 512 && height <= 512)
        return true;
    cxcli_set_usage_error(error,
                          "--size: found %dx%d, expected a width of 9 to 512 "
                          "and a height of 1 to 512 pixels",
                          width, height);
    return false;
}

static bool
read_options(Task *task, GError **error)
{
    CxcliContext *context = task->context;
    bool film = context->n_args == 2;

    task->out = context->args[context->n_args - 1];
    task->protocol = cxcli_text(context, "protocol", NULL);
    task->hdf5 = g_str_has_suffix(task->out, ".h5");
    task->drives = cxcli_has(context, "drives");
    task->simulator.n_threads = context->n_threads;
    if (film == (task->protocol != NULL)) {
        cxcli_set_usage_error(error, "retina simulate takes either a film or "
                                     "--protocol, then the output");
        return false;
    }
    if (!task->hdf5 && !g_str_has_suffix(task->out, ".csv")) {
        cxcli_set_usage_error(error,
                              "%s: expected a name that ends with .csv "
                              "or .h5",
                              task->out);
        return false;
    }
    if (task->drives && task->hdf5) {
        cxcli_set_usage_error(error, "--drives goes with .csv alone");
        return false;
    }
    return read_size(task, error) &&
           read_knock_outs(cxcli_text(context, "knock-out", ""),
                           &task->simulator.knock_outs, error) &&
           read_model(context, &task->simulator.model, error);
}

/* ---- running ---------------------------------------------------------- */

static bool
simulate(Task *task, const char *label, const CxMovie *movie, CxJob *job,
         GError **error)
{
    size_t row = task->n_cells * sizeof(float);
    Piece piece = {.label = label, .movie = movie};
    bool ok = true;

    for (unsigned i = 0; i < (task->drives ? N_TRACES : 1) && ok; i++) {
        piece.traces[i] = cx_try_alloc0(movie->n_frames, row, error);
        ok = piece.traces[i] != NULL;
    }
    g_array_append_val(task->pieces, piece);
    if (!ok)
        return false;
    CxSimulatorOutput output = {.rate = piece.traces[RATE],
                                .v_off = piece.traces[OFF],
                                .v_on = piece.traces[ON],
                                .slow = piece.traces[SLOW]};
    return cx_simulator_run(movie, &task->simulator, task->cells, task->n_cells,
                            &output, job, error);
}

static char *
cell_name(const Task *task, size_t i, size_t height)
{
    CxCellPosition cell = task->cells[i];

    return height > 1 ? g_strdup_printf("x%dy%d", cell.x, cell.y)
                      : g_strdup_printf("x%d", cell.x);
}

static GString *
csv_header(const Task *task, size_t height)
{
    GString *text = g_string_new("condition,frame,ms");

    for (unsigned k = 0; k < (task->drives ? N_TRACES : 1); k++) {
        for (size_t i = 0; i < task->n_cells; i++) {
            g_autofree char *name = cell_name(task, i, height);

            g_string_append_printf(text, ",%s%s", name, trace_suffixes[k]);
        }
    }
    g_string_append_c(text, '\n');
    return text;
}

static void
append_value(GString *text, float value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(text, ',');
    g_string_append(
        text, g_ascii_formatd(buffer, sizeof buffer, "%.6g", (double)value));
}

static bool
append_piece(const Task *task, const Piece *piece, GString *text,
             GError **error)
{
    for (size_t t = 0; t < piece->movie->n_frames; t++) {
        /* Labels hold no commas. */
        g_string_append_printf(text, "%s,%zu,%g", piece->label, t,
                               (double)t * piece->movie->frame_ms);
        for (unsigned k = 0; k < N_TRACES && piece->traces[k] != NULL; k++)
            for (size_t i = 0; i < task->n_cells; i++)
                append_value(text, piece->traces[k][t * task->n_cells + i]);
        g_string_append_c(text, '\n');
        if (!cx_job_check(task->context->job, error))
            return false;
    }
    return true;
}

static bool
write_csv(const Task *task, GError **error)
{
    const Piece *first = &g_array_index(task->pieces, Piece, 0);
    GString *text = csv_header(task, first->movie->height);
    bool ok = true;

    for (guint i = 0; i < task->pieces->len && ok; i++)
        ok = append_piece(task, &g_array_index(task->pieces, Piece, i), text,
                          error);
    ok = ok && cxcli_write_text(task->out, text->str, text->len, error);
    g_string_free(text, TRUE);
    return ok;
}

/* All films in a row, as the test part: every one begins with grey frames. */
static bool
write_joined(const Task *task, GError **error)
{
    size_t n_frames = 0, t = 0;
    const Piece *pieces = &g_array_index(task->pieces, Piece, 0);

    for (guint i = 0; i < task->pieces->len; i++)
        n_frames += pieces[i].movie->n_frames;
    g_autoptr(CxMovie) movie = cx_movie_new(n_frames, pieces[0].movie->height,
                                            pieces[0].movie->width, error);
    CX_AUTOFREE float *rates =
        movie != NULL
            ? cx_try_alloc(n_frames, task->n_cells * sizeof(float), error)
            : NULL;
    if (rates == NULL)
        return false;
    for (guint i = 0; i < task->pieces->len; i++) {
        const Piece *piece = &pieces[i];
        size_t n = piece->movie->n_frames;

        memcpy(cx_movie_frame(movie, t), piece->movie->data,
               n * cx_movie_frame_size(movie) * sizeof(float));
        memcpy(rates + t * task->n_cells, piece->traces[RATE],
               n * task->n_cells * sizeof(float));
        t += n;
    }
    CxRecordingContent content = {movie, rates, task->n_cells};
    return cx_recording_write(task->out, SOURCE, NULL, &content,
                              task->context->job, error);
}

/* The first film to train on, the second to test with. */
static bool
write_recording(const Task *task, GError **error)
{
    CxRecordingContent contents[2] = {0};

    for (guint i = 0; i < task->pieces->len && i < 2; i++) {
        const Piece *piece = &g_array_index(task->pieces, Piece, i);

        contents[i] = (CxRecordingContent){piece->movie, piece->traces[RATE],
                                           task->n_cells};
    }
    return cx_recording_write(task->out, SOURCE, &contents[0], &contents[1],
                              task->context->job, error);
}

static void
report_rates(const Task *task)
{
    CxcliReport *report = task->context->report;
    double sum = 0.0, peak = 0.0, n = 0.0;
    int64_t n_frames = 0;

    for (guint i = 0; i < task->pieces->len; i++) {
        const Piece *piece = &g_array_index(task->pieces, Piece, i);
        size_t n_values = piece->movie->n_frames * task->n_cells;

        for (size_t k = 0; k < n_values; k++) {
            sum += (double)piece->traces[RATE][k];
            peak = MAX(peak, (double)piece->traces[RATE][k]);
        }
        n += (double)n_values;
        n_frames += (int64_t)piece->movie->n_frames;
    }
    cxcli_report_text(report, "source", SOURCE);
    cxcli_report_integer(report, "conditions", task->pieces->len);
    cxcli_report_integer(report, "frames", n_frames);
    cxcli_report_integer(report, "cells", (int64_t)task->n_cells);
    cxcli_report_real(report, "rate_mean", sum / n);
    cxcli_report_real(report, "rate_max", peak);
}

/* ---- the three kinds of input ----------------------------------------- */

static void
report_protocol(const Task *task)
{
    CxcliReport *report = task->context->report;
    g_autofree const float **rates = g_new(const float *, task->pieces->len);

    for (guint i = 0; i < task->pieces->len; i++)
        rates[i] = g_array_index(task->pieces, Piece, i).traces[RATE];
    g_autoptr(CxProtocolResult) result =
        cx_protocol_measure(task->measured, rates);
    cxcli_report_bool(report, "reproduced", result->reproduced);
    for (size_t i = 0; i < result->n_scalars; i++)
        cxcli_report_real(report, result->scalars[i].key,
                          result->scalars[i].value);
    cxcli_report_text(report, "verdict", result->verdict);
}

static bool
run_protocol(Task *task, CxProtocolKind kind, GError **error)
{
    const char *preset = cxcli_text(task->context, "preset", "simulated");
    CxProtocolOptions options = {.width = task->width, .height = task->height};

    if (!cx_preset_from_name(preset, &options.preset)) {
        cxcli_set_usage_error(error,
                              "--preset: found \"%s\", expected simulated, "
                              "reduction, 2023, library or ebert",
                              preset);
        return false;
    }
    g_autoptr(CxProtocol) protocol = cx_protocol_new(kind, &options, error);
    if (protocol == NULL)
        return false;
    task->measured = protocol;
    task->cells = protocol->cells;
    task->n_cells = protocol->n_cells;
    for (size_t i = 0; i < protocol->n_conditions; i++)
        if (!simulate(task, protocol->conditions[i].label,
                      protocol->conditions[i].movie, NULL, error) ||
            !cx_job_step(task->context->job, i + 1, protocol->n_conditions,
                         error))
            return false;
    report_rates(task);
    report_protocol(task);
    return task->hdf5 ? write_joined(task, error) : write_csv(task, error);
}

static bool
run_training(Task *task, bool mixed, GError **error)
{
    CxJob *job = task->context->job;
    CxNaturalOptions o =
        mixed ? cx_natural_options_mixture() : cx_natural_options_natural();
    double seconds = cxcli_real(task->context, "seconds", 60.0);
    g_autoptr(CxMovie) test = NULL;

    if (!(seconds >= 0.1 && seconds <= MAX_SECONDS)) {
        cxcli_set_usage_error(error, "--seconds: found %g, expected 0.1 to %g",
                              seconds, MAX_SECONDS);
        return false;
    }
    o.seed = cxcli_integer(task->context, "seed", o.seed);
    o.height = task->height;
    o.width = task->width;
    o.n_frames = (size_t)rint(seconds * 1000.0 / CX_RETINA_FRAME_MS);
    cx_job_stage(job, "film", 0.0, 0.1);
    g_autoptr(CxMovie) train = cx_natural_new(&o, job, error);
    if (train == NULL)
        return false;
    g_autofree CxCellPosition *cells =
        cx_cell_positions_all(task->height, task->width, 0, &task->n_cells);
    task->cells = cells;
    cx_job_stage(job, "simulate", 0.1, 0.9);
    if (!simulate(task, "train", train, job, error))
        return false;
    if (task->hdf5) {
        o.seed++;
        o.n_frames = MAX(o.n_frames / 10, 100);
        test = cx_natural_new(&o, NULL, error);
        if (test == NULL || !simulate(task, "test", test, NULL, error))
            return false;
    }
    cx_job_stage(job, "write", 0.9, 1.0);
    report_rates(task);
    return task->hdf5 ? write_recording(task, error) : write_csv(task, error);
}

/* The film of a recording, normalised by itself: 0 is its mean grey. */
static bool
run_film(Task *task, GError **error)
{
    const char *name = cxcli_text(task->context, "part", "train");
    CxRecordingPart part =
        strcmp(name, "test") == 0 ? CX_RECORDING_TEST : CX_RECORDING_TRAIN;
    double mean, sd;

    if (part == CX_RECORDING_TRAIN && strcmp(name, "train") != 0) {
        cxcli_set_usage_error(
            error, "--part: found \"%s\", expected train or test", name);
        return false;
    }
    g_autoptr(CxRecording) recording =
        cx_recording_open(task->context->args[0], error);
    if (recording == NULL)
        return false;
    g_autoptr(CxMovie) movie = cx_recording_read_movie(
        recording, part, 0, cx_recording_n_frames(recording, part), error);
    if (movie == NULL)
        return false;
    bool raw = strcmp(cx_recording_source(recording), SOURCE) != 0;
    if (raw) {
        cx_movie_statistics(movie, &mean, &sd);
        cx_movie_normalise(movie, mean, sd);
    }
    g_autofree CxCellPosition *cells =
        cx_cell_positions_all(movie->height, movie->width, 0, &task->n_cells);
    task->cells = cells;
    if (!simulate(task, name, movie, task->context->job, error))
        return false;
    report_rates(task);
    return task->hdf5 ? write_recording(task, error) : write_csv(task, error);
}

static bool
run_task(Task *task, GError **error)
{
    CxProtocolKind kind;

    if (task->protocol == NULL)
        return run_film(task, error);
    if (cx_protocol_from_name(task->protocol, &kind))
        return run_protocol(task, kind, error);
    bool mixed = strcmp(task->protocol, "mixture") == 0;
    if (mixed || strcmp(task->protocol, "natural") == 0)
        return run_training(task, mixed, error);
    cxcli_set_usage_error(error,
                          "--protocol: found \"%s\", expected osr, latency, "
                          "reversal, anticipation, natural or mixture",
                          task->protocol);
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    Task task = {.context = context};
    const char *const inputs[] = {
        context->n_args == 2 ? context->args[0] : NULL, NULL};
    double start = cxcli_seconds();

    if (!read_options(&task, error) ||
        !cxcli_check_output(context, task.out, inputs, error))
        return false;
    task.pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(task.pieces, piece_clear);
    bool ok = run_task(&task, error);
    g_array_unref(task.pieces);
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - start);
    return ok;
}

static const CxcliOption options_table[] = {
    {"protocol", CXCLI_TEXT, "NAME",
     "osr, latency, reversal, anticipation, natural or mixture"},
    {"preset", CXCLI_TEXT, "NAME",
     "of the first four: simulated (default), reduction, 2023, library, ebert"},
    {"model", CXCLI_TEXT, "NAME", "gtr-c (default), or gtr-e: the slow branch"},
    {"knock-out", CXCLI_TEXT, "NAME,…",
     "gain-control, slow-branch, on-bipolar, off-bipolar, depression"},
    {"drives", CXCLI_FLAG, NULL, "also what OFF, ON and slow branch give"},
    {"size", CXCLI_SIZE, "WxH", "pixels of the film (80x1)"},
    {"seconds", CXCLI_REAL, "S", "natural, mixture: length (60)"},
    {"seed", CXCLI_INTEGER, "N", "natural, mixture: which film (1)"},
    {"part", CXCLI_TEXT, "NAME", "of a film that is read: train or test"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_simulate = {
    .name = "retina simulate",
    .usage = "[FILM.h5] OUT.csv|OUT.h5",
    .summary = "What a simulated retina answers",
    .text = "The input is a film in the layout of the published recordings, or "
            "a protocol.\nThe four protocols also say whether their phenomenon "
            "is reproduced.  An .h5\nhas the layout of the recordings and says "
            "that it is a simulation; with\nnatural and mixture its test film "
            "has a tenth of the frames.",
    .min_args = 1,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
