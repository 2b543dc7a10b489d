/* retina respond: what a network answers to a film, a protocol or the film of
 * a recording.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/retina_network.h"
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/retina/network_responder.h"
#include "core/retina/recording.h"

#include <math.h>
#include <string.h>

#define SIMULATED "simulated retina"

/* A film with its rates, if there are any, as samples of the network. */
typedef struct {
    CxMovie *movie;
    float *rates; /* [frame][cell] or NULL */
    size_t n_cells;
} Film;

static void
film_clear(Film *film)
{
    cx_movie_free(film->movie);
    cx_free(film->rates);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Film, film_clear)

/* Rates of the network's cells, [window][cell]. */
static float *
ask(CxcliContext *context, const CxRetinaCnn *net, const CxMovie *movie,
    size_t *n_windows, GError **error)
{
    size_t n_cells;

    (void)cx_retina_cnn_picks(net, &n_cells);
    *n_windows = cx_retina_cnn_n_windows(net, movie->n_frames);
    float *rates =
        cx_try_alloc(MAX(*n_windows, 1) * n_cells, sizeof *rates, error);
    if (rates != NULL &&
        !cx_retina_cnn_respond(net, movie, NULL, 0, NULL, context->n_threads,
                               rates, context->job, error))
        g_clear_pointer(&rates, cx_free);
    return rates;
}

static bool
find_part(const CxcliContext *context, CxRecordingPart *part, GError **error)
{
    const char *name = cxcli_text(context, "part", "test");

    *part = g_str_equal(name, "train") ? CX_RECORDING_TRAIN : CX_RECORDING_TEST;
    if (*part == CX_RECORDING_TRAIN || g_str_equal(name, "test"))
        return true;
    cxcli_set_usage_error(error, "--part: found \"%s\", expected train or test",
                          name);
    return false;
}

/* Pixels to samples as the network says, else by the film it goes with. */
static bool
normalise(const CxRetinaCnn *net, const CxRecording *recording, CxMovie *movie,
          GError **error)
{
    size_t n = cx_recording_n_frames(recording, CX_RECORDING_TRAIN);
    double mean, sd;

    cx_retina_cnn_normalisation(net, &mean, &sd);
    if (mean == 0.0 && sd == 1.0) {
        g_autoptr(CxMovie) train =
            n > 0 ? cx_recording_read_movie(recording, CX_RECORDING_TRAIN, 0, n,
                                            error)
                  : NULL;

        if (n > 0 && train == NULL)
            return false;
        cx_movie_statistics(train != NULL ? train : movie, &mean, &sd);
    }
    cx_movie_normalise(movie, mean, sd);
    return true;
}

static bool
read_film(CxcliContext *context, const CxRetinaCnn *net, Film *film,
          GError **error)
{
    CxRecordingPart part;
    g_autoptr(CxRecording) recording =
        find_part(context, &part, error)
            ? cx_recording_open(context->args[1], error)
            : NULL;

    if (recording == NULL)
        return false;
    size_t n = cx_recording_n_frames(recording, part);
    if (n == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "%s has no film in this part, expected --part to name the "
                    "other",
                    context->args[1]);
        return false;
    }
    film->movie = cx_recording_read_movie(recording, part, 0, n, error);
    film->n_cells = cx_recording_n_cells(recording, part, CX_RATE_10MS);
    if (film->movie == NULL ||
        (!g_str_equal(cx_recording_source(recording), SIMULATED) &&
         !normalise(net, recording, film->movie, error)))
        return false;
    if (film->n_cells > 0)
        film->rates =
            cx_recording_read_rates(recording, part, CX_RATE_10MS, 0, n, error);
    return film->n_cells == 0 || film->rates != NULL;
}

/* Pearson's r of each cell, where network and film have as many. */
static void
compare(CxcliContext *context, const CxRetinaCnn *net, const Film *film,
        const float *rates, size_t n_windows)
{
    size_t n_cells = film->n_cells, history = cx_retina_cnn_shape(net)->history;
    double sum = 0.0;

    cxcli_report_begin_array(context->report, "pearson_r");
    for (size_t c = 0; c < n_cells; c++) {
        double r = cx_retina_pearson(rates + c, n_cells,
                                     film->rates + history * n_cells + c,
                                     n_cells, n_windows);

        cxcli_report_real(context->report, NULL, r);
        sum += r / (double)n_cells;
    }
    cxcli_report_end_array(context->report);
    cxcli_report_real(context->report, "mean_pearson_r", sum);
}

static void
report_rates(CxcliContext *context, const float *rates, size_t n_windows,
             size_t n_cells)
{
    double sum = 0.0, peak = 0.0;

    for (size_t i = 0; i < n_windows * n_cells; i++) {
        sum += (double)rates[i];
        peak = fmax(peak, (double)rates[i]);
    }
    cxcli_report_integer(context->report, "windows", (int64_t)n_windows);
    cxcli_report_integer(context->report, "cells", (int64_t)n_cells);
    cxcli_report_real(context->report, "mean_rate",
                      sum / (double)(n_windows * n_cells));
    cxcli_report_real(context->report, "peak_rate", peak);
}

/* A row a frame; the first belongs to frame `first`. */
static bool
save_rates(const float *rates, size_t n_frames, size_t n_cells, size_t first,
           double frame_ms, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new("frame,ms");
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (size_t c = 0; c < n_cells; c++)
        g_string_append_printf(text, ",cell%zu", c);
    for (size_t t = 0; t < n_frames; t++) {
        g_ascii_formatd(number, sizeof number, "%.10g",
                        (double)(first + t) * frame_ms);
        g_string_append_printf(text, "\n%zu,%s", first + t, number);
        for (size_t c = 0; c < n_cells; c++) {
            g_ascii_formatd(number, sizeof number, "%.7g",
                            (double)rates[t * n_cells + c]);
            g_string_append_printf(text, ",%s", number);
        }
    }
    g_string_append_c(text, '\n');
    return cxcli_write_text(path, text->str, text->len, error);
}

/* The film with the network's rates, so that they can be read again. */
static bool
save_film(const CxMovie *movie, const float *rates, size_t n_windows,
          size_t n_cells, const char *path, CxJob *job, GError **error)
{
    size_t history = movie->n_frames - n_windows;
    CX_AUTOFREE float *all =
        cx_try_alloc0(movie->n_frames * n_cells, sizeof *all, error);

    if (all == NULL)
        return false;
    memcpy(all + history * n_cells, rates, n_windows * n_cells * sizeof *rates);
    CxRecordingContent content = {movie, all, n_cells};
    return cx_recording_write(path, SIMULATED, NULL, &content, job, error);
}

static bool
respond_to_film(CxcliContext *context, const CxRetinaCnn *net, GError **error)
{
    g_auto(Film) film = {0};
    size_t n_cells, n_windows;

    if (!read_film(context, net, &film, error))
        return false;
    (void)cx_retina_cnn_picks(net, &n_cells);
    CX_AUTOFREE float *rates = ask(context, net, film.movie, &n_windows, error);
    if (rates == NULL)
        return false;
    report_rates(context, rates, n_windows, n_cells);
    if (film.n_cells == n_cells)
        compare(context, net, &film, rates, n_windows);
    if (context->n_args < 3)
        return true;
    return g_str_has_suffix(context->args[2], ".csv")
               ? save_rates(rates, n_windows, n_cells,
                            cx_retina_cnn_shape(net)->history,
                            film.movie->frame_ms, context->args[2], error)
               : save_film(film.movie, rates, n_windows, n_cells,
                           context->args[2], context->job, error);
}

/* All conditions of a protocol below each other. */
static bool
save_protocol(const CxProtocolRun *run, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new("condition,value,frame,ms");
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    size_t n_cells = run->protocol->n_cells;

    for (size_t c = 0; c < n_cells; c++)
        g_string_append_printf(text, ",x%d", run->protocol->cells[c].x);
    g_string_append_c(text, '\n');
    for (size_t i = 0; i < run->protocol->n_conditions; i++) {
        const CxProtocolCondition *condition = &run->protocol->conditions[i];

        for (size_t t = 0; t < condition->movie->n_frames; t++) {
            g_ascii_formatd(number, sizeof number, "%.10g", condition->value);
            g_string_append_printf(text, "%s,%s,%zu", condition->label, number,
                                   t);
            g_ascii_formatd(number, sizeof number, "%.10g",
                            (double)t * condition->movie->frame_ms);
            g_string_append_printf(text, ",%s", number);
            for (size_t c = 0; c < n_cells; c++) {
                g_ascii_formatd(number, sizeof number, "%.7g",
                                (double)run->rates[i][t * n_cells + c]);
                g_string_append_printf(text, ",%s", number);
            }
            g_string_append_c(text, '\n');
        }
    }
    return cxcli_write_text(path, text->str, text->len, error);
}

static bool
respond_to_protocol(CxcliContext *context, const CxRetinaCnn *net,
                    CxProtocolKind kind, GError **error)
{
    CxNetworkResponder network = {.net = net, .n_threads = context->n_threads};
    CxResponder responder = cx_responder_network(&network, "network");
    CxProtocolOptions films = {0};

    if (!cxcli_retina_films(context, &films, error))
        return false;
    cx_network_film_size(net, &films);
    g_autoptr(CxProtocolRun) run =
        cx_protocol_run(kind, &films, &responder, context->job, error);
    if (run == NULL)
        return false;
    cxcli_report_text(context->report, "protocol", cx_protocol_name(kind));
    cxcli_report_bool(context->report, "reproduced", run->result->reproduced);
    for (size_t i = 0; i < run->result->n_scalars; i++)
        cxcli_report_real(context->report, run->result->scalars[i].key,
                          run->result->scalars[i].value);
    cxcli_report_text(context->report, "verdict", run->result->verdict);
    return context->n_args < 2 || save_protocol(run, context->args[1], error);
}

static bool
run(CxcliContext *context, GError **error)
{
    CxProtocolKind kind;

    if (!cxcli_retina_protocol(context, &kind, error))
        return false;
    bool by_protocol = kind != CX_N_PROTOCOLS;
    int out = by_protocol ? 1 : 2;
    if (context->n_args > out + 1 || context->n_args < out) {
        cxcli_set_usage_error(error, "retina respond takes %s",
                              by_protocol ? "NET [OUT] with --protocol"
                                          : "NET FILM [OUT]");
        return false;
    }
    const char *const inputs[] = {context->args[0],
                                  by_protocol ? NULL : context->args[1], NULL};
    if (context->n_args > out &&
        !cxcli_check_output(context, context->args[out], inputs, error))
        return false;
    g_autoptr(CxRetinaCnn) net = cxcli_retina_load(context->args[0], error);
    if (net == NULL)
        return false;
    return by_protocol ? respond_to_protocol(context, net, kind, error)
                       : respond_to_film(context, net, error);
}

static const CxcliOption options_table[] = {
    {"part", CXCLI_TEXT, "NAME", "of FILM: test (the default) or train"},
    {"protocol", CXCLI_TEXT, "NAME",
     "osr, latency, reversal or anticipation in place of a film"},
    {"preset", CXCLI_TEXT, "NAME",
     "whose numbers: simulated, reduction, 2023, library or ebert"},
    {"amplitude", CXCLI_REAL, "A", "factor on the protocol's amplitudes"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_respond = {
    .name = "retina respond",
    .usage = "NET [FILM] [OUT]",
    .summary = "Rates that a network answers with",
    .text =
        "FILM is an HDF5 file in the layout of the published recordings, as "
        "retina simulate\nwrites it; if it has as many cells as the network, "
        "Pearson's r of each is told.\nOUT is .csv (a row a frame, from the "
        "network's history on) or .h5 (film and rates).",
    .min_args = 1,
    .max_args = 3,
    .options = options_table,
    .run = run,
};
