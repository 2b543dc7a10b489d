/* One condition, everything the screen shows of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/replay.h"

#include "core/base/error.h"
#include "core/retina/film_drive.h"
#include "core/retina/network_responder.h"
#include "core/retina/retina_cnn_private.h"

#include <math.h>
#include <string.h>

struct CxRetinaReplayKept {
    CxMovie *film; /* the condition's, as samples of the network */
    CxFilmDrive *drive;
};

static bool
check_choice(const CxRetinaReplay *replay, GError **error)
{
    const CxRetinaReplayOptions *o = &replay->options;
    const CxProtocol *protocol = replay->protocol;

    if (o->condition >= protocol->n_conditions) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the protocol has no condition %zu, expected 0 to %zu",
                    o->condition, protocol->n_conditions - 1);
        return false;
    }
    if (o->cell != SIZE_MAX && o->cell >= protocol->n_cells) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the protocol has no cell %zu, expected 0 to %zu", o->cell,
                    protocol->n_cells - 1);
        return false;
    }
    return true;
}

static bool
open_film(CxRetinaReplay *replay, GError **error)
{
    CxProtocolOptions films = replay->options.protocol;

    cx_network_film_size(replay->net, &films);
    replay->protocol = cx_protocol_new(replay->options.kind, &films, error);
    if (replay->protocol == NULL || !check_choice(replay, error))
        return false;
    replay->condition =
        &replay->protocol->conditions[replay->options.condition];
    replay->cell = replay->options.cell == SIZE_MAX
                       ? replay->protocol->n_cells / 2
                       : replay->options.cell;
    replay->n_frames = replay->condition->movie->n_frames;
    replay->frame_ms = replay->condition->movie->frame_ms;
    if (!cx_network_pick_at(replay->net, replay->options.map,
                            replay->protocol->cells[replay->cell].x,
                            &replay->pick, error))
        return false;
    replay->kept->film =
        cx_film_for_network(replay->net, replay->condition->movie, 0, error);
    if (replay->kept->film == NULL)
        return false;
    replay->kept->drive =
        cx_film_drive_new(replay->net, replay->kept->film, error);
    return replay->kept->drive != NULL;
}

/* Rates of the network, or of another in its place, at the cell. */
static bool
respond(const CxRetinaReplay *replay, const CxRetinaCnn *net,
        const CxRetinaMask *mask, float *rates, CxJob *job, GError **error)
{
    CxNetworkResponder network = {
        .net = net,
        .map = replay->options.map,
        .n_threads = replay->options.n_threads,
    };

    if (mask != NULL)
        network.mask = *mask;
    CxResponder responder = cx_responder_network(&network, "network");
    return responder.respond(replay->condition->movie,
                             &replay->protocol->cells[replay->cell], 1, rates,
                             responder.user_data, job, error);
}

static bool
simulate(CxRetinaReplay *replay, CxJob *job, GError **error)
{
    CxSimulatorOptions options = {
        .knock_outs = replay->options.knock_outs,
        .n_threads = replay->options.n_threads,
    };
    CxSimulatorOutput output = {
        .rate = replay->simulated,
        .v_off = replay->drive_off,
        .v_on = replay->drive_on,
        .slow = replay->drive_slow,
    };

    return cx_simulator_run(replay->condition->movie, &options,
                            &replay->protocol->cells[replay->cell], 1, &output,
                            job, error);
}

static bool
ask_baseline(CxRetinaReplay *replay, CxJob *job, GError **error)
{
    const CxLnModel *model = replay->options.baseline;

    if (model == NULL)
        return true;
    replay->baseline = g_new0(float, replay->n_frames);
    return cx_ln_model_respond(model, replay->condition->movie,
                               &replay->protocol->cells[replay->cell], 1,
                               replay->baseline, job, error);
}

/* Means over the patch of layer 1 that the cell sees. */
static bool
fill_channel_means(CxRetinaReplay *replay, GError **error)
{
    const CxRetinaLayer *l1 = cx_retina_cnn_layer(replay->net, 0);
    const CxRetinaLayer *l2 = cx_retina_cnn_layer(replay->net, 1);
    const CxRetinaLayer *cells = cx_retina_cnn_layer(replay->net, 2);
    size_t n_y = l2->kernel_y + cells->kernel_y - 1;
    size_t n_x = l2->kernel_x + cells->kernel_x - 1;
    g_autofree float *z = g_new(float, l1->n_units);

    for (size_t t = replay->history; t < replay->n_frames; t++) {
        if (!cx_film_drive_get(replay->kept->drive, NULL, t, 1, z, error))
            return false;
        for (size_t c = 0; c < l1->n_out; c++) {
            const float *at =
                z + (c * l1->out_y + (size_t)replay->pick.y) * l1->out_x +
                (size_t)replay->pick.x;
            double sum = 0.0;

            for (size_t y = 0; y < n_y; y++)
                for (size_t x = 0; x < n_x; x++)
                    sum += (double)at[y * l1->out_x + x];
            replay->channel_mean[t * l1->n_out + c] =
                (float)(sum / (double)(n_y * n_x));
        }
    }
    return true;
}

static void
fill_order(CxRetinaReplay *replay)
{
    g_autofree double *scores = g_new0(double, replay->n_channels);

    for (size_t i = 0; i < replay->n_frames * replay->n_channels; i++)
        scores[i % replay->n_channels] += fabs(replay->attribution->sum[0][i]);
    cx_channel_sort(scores, replay->n_channels, replay->order);
}

bool
cx_retina_replay_attribute(CxRetinaReplay *replay, CxAttributionRule rule,
                           uint32_t n_steps, CxJob *job, GError **error)
{
    CxAttributionOptions how = {
        .rule = rule,
        .n_steps = n_steps,
        .n_threads = replay->options.n_threads,
    };
    CxAttribution *attribution = cx_attribution_new(
        replay->net, replay->kept->film, replay->pick, &how, job, error);

    if (attribution == NULL)
        return false;
    g_clear_pointer(&replay->attribution, cx_attribution_free);
    g_clear_pointer(&replay->circuit, cx_circuit_free);
    replay->attribution = attribution;
    replay->options.rule = rule;
    replay->options.n_steps = n_steps;
    replay->rate0 = attribution->rate0;
    replay->circuit = cx_circuit_new(attribution, replay->labels, 0, 0);
    fill_order(replay);
    return true;
}

static void
make_traces(CxRetinaReplay *replay)
{
    size_t n = replay->n_frames;

    replay->history = cx_retina_cnn_shape(replay->net)->history;
    replay->n_channels = cx_retina_cnn_layer(replay->net, 0)->n_out;
    replay->full = g_new0(float, n);
    replay->reduced = g_new0(float, n);
    replay->simulated = g_new0(float, n);
    replay->drive_off = g_new0(float, n);
    replay->drive_on = g_new0(float, n);
    replay->drive_slow = g_new0(float, n);
    replay->channel_mean = g_new0(float, n * replay->n_channels);
    replay->order = g_new0(unsigned, replay->n_channels);
    replay->labels = cx_channel_labels_new(replay->net, replay->frame_ms);
}

static bool
fill_all(CxRetinaReplay *replay, CxJob *job, GError **error)
{
    const CxRetinaReplayOptions *o = &replay->options;

    cx_job_stage(job, "network", 0.0, 0.2);
    if (!respond(replay, replay->net, NULL, replay->full, job, error))
        return false;
    memcpy(replay->reduced, replay->full, replay->n_frames * sizeof(float));
    replay->reduced_r = replay->reduced_explained = 1.0;
    cx_job_stage(job, "simulated retina", 0.2, 0.3);
    if (!simulate(replay, job, error) || !ask_baseline(replay, job, error) ||
        !fill_channel_means(replay, error))
        return false;
    cx_job_stage(job, "attribution", 0.3, 1.0);
    return cx_retina_replay_attribute(replay, o->rule, o->n_steps, job, error);
}

CxRetinaReplay *
cx_retina_replay_new(const CxRetinaCnn *net,
                     const CxRetinaReplayOptions *options, CxJob *job,
                     GError **error)
{
    g_autoptr(CxRetinaReplay) replay = g_new0(CxRetinaReplay, 1);

    replay->options = *options;
    replay->net = net;
    replay->kept = g_new0(CxRetinaReplayKept, 1);
    if (!open_film(replay, error))
        return NULL;
    make_traces(replay);
    if (!fill_all(replay, job, error))
        return NULL;
    replay->options.baseline = NULL;
    return g_steal_pointer(&replay);
}

void
cx_retina_replay_free(CxRetinaReplay *replay)
{
    g_clear_pointer(&replay->kept->drive, cx_film_drive_free);
    g_clear_pointer(&replay->kept->film, cx_movie_free);
    g_clear_pointer(&replay->protocol, cx_protocol_free);
    g_clear_pointer(&replay->attribution, cx_attribution_free);
    g_clear_pointer(&replay->circuit, cx_circuit_free);
    cx_channel_labels_free(replay->labels, replay->n_channels);
    g_free(replay->kept);
    g_free(replay->full);
    g_free(replay->reduced);
    g_free(replay->simulated);
    g_free(replay->baseline);
    g_free(replay->drive_off);
    g_free(replay->drive_on);
    g_free(replay->drive_slow);
    g_free(replay->channel_mean);
    g_free(replay->order);
    g_free(replay);
}

/* ---- what sliders change ---------------------------------------------- */

static void
compare_reduced(CxRetinaReplay *replay)
{
    size_t n = replay->n_frames;
    double mean = 0.0, power = 0.0, difference = 0.0;

    for (size_t t = 0; t < n; t++)
        mean += (double)replay->full[t] / (double)n;
    for (size_t t = 0; t < n; t++) {
        double full = (double)replay->full[t];

        power += (full - mean) * (full - mean);
        difference += (full - (double)replay->reduced[t]) *
                      (full - (double)replay->reduced[t]);
    }
    replay->reduced_r =
        cx_retina_pearson(replay->full, 1, replay->reduced, 1, n);
    replay->reduced_explained = power > 0.0 ? 1.0 - difference / power : 0.0;
}

bool
cx_retina_replay_reduce(CxRetinaReplay *replay, const CxRetinaMask *mask,
                        unsigned bits, CxJob *job, GError **error)
{
    g_autoptr(CxRetinaCnn) rounded =
        bits > 0 ? cx_retina_cnn_quantised(replay->net, bits, error) : NULL;
    g_autofree float *rates = g_new0(float, replay->n_frames);

    if (bits > 0 && rounded == NULL)
        return false;
    if (!respond(replay, rounded != NULL ? rounded : replay->net, mask, rates,
                 job, error))
        return false;
    memcpy(replay->reduced, rates, replay->n_frames * sizeof(float));
    replay->mask = mask != NULL ? *mask : (CxRetinaMask){{0}, {0}};
    compare_reduced(replay);
    return true;
}

bool
cx_retina_replay_knock_out(CxRetinaReplay *replay, unsigned knock_outs,
                           CxJob *job, GError **error)
{
    unsigned before = replay->options.knock_outs;

    replay->options.knock_outs = knock_outs;
    if (simulate(replay, job, error))
        return true;
    replay->options.knock_outs = before;
    return false;
}

/* ---- one frame -------------------------------------------------------- */

void
cx_retina_replay_maps(const CxRetinaReplay *replay, size_t frame, float *z1,
                      float *a1)
{
    const CxRetinaCnn *net = replay->net;
    const CxRetinaLayer *layer = cx_retina_cnn_layer(net, 0);
    const float *bias = cx_retina_values(net, 0, CX_RETINA_BIAS);
    size_t area = layer->out_y * layer->out_x;
    g_autofree float *z = g_new0(float, layer->n_units);

    g_return_if_fail(frame < replay->n_frames);
    if (frame >= replay->history)
        cx_film_drive_get(replay->kept->drive, NULL, frame, 1, z, NULL);
    if (z1 != NULL)
        memcpy(z1, z, layer->n_units * sizeof(float));
    for (size_t u = 0; a1 != NULL && u < layer->n_units; u++)
        a1[u] =
            MAX(net->scale[0][u] * (z[u] + bias[u / area]) + net->offset[0][u],
                0.0f);
}

bool
cx_retina_replay_parts(const CxRetinaReplay *replay, size_t frame,
                       float *layer1, GError **error)
{
    size_t n = cx_retina_cnn_layer(replay->net, 0)->n_units;
    CxAttributionOptions how = {
        .rule = replay->options.rule,
        .n_steps = replay->options.n_steps,
    };

    memset(layer1, 0, n * sizeof(float));
    return frame < replay->history ||
           cx_attribution_map(replay->net, replay->kept->film, replay->pick,
                              &how, frame, layer1, NULL, error);
}

bool
cx_retina_replay_path(const CxRetinaReplay *replay, size_t frame,
                      uint32_t n_points, double *rate, double *density,
                      GError **error)
{
    if (frame >= replay->history)
        return cx_attribution_path(replay->net, replay->kept->film,
                                   replay->pick, NULL, frame, n_points, rate,
                                   density, error);
    for (uint32_t k = 0; k < n_points; k++)
        rate[k] = replay->rate0;
    memset(density, 0, n_points * replay->n_channels * sizeof(double));
    return true;
}

/* ---- table ------------------------------------------------------------ */

static void
add_number(GString *text, double value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_c(text, ',');
    if (isfinite(value))
        g_string_append(text,
                        g_ascii_formatd(digits, sizeof digits, "%.7g", value));
}

static void
add_header(const CxRetinaReplay *replay, GString *text)
{
    g_string_append(text, "frame,ms,stimulus,network,reduced,simulated,off,on,"
                          "slow,baseline,r0,gap");
    for (size_t c = 0; c < replay->n_channels; c++) {
        g_autofree char *label =
            g_strdup(cx_channel_label_text(&replay->labels[c]));

        g_strdelimit(label, " ", '_');
        g_string_append_printf(text, ",A%zu_%s", c, label);
    }
    g_string_append_c(text, '\n');
}

char *
cx_retina_replay_csv(const CxRetinaReplay *replay)
{
    GString *text = g_string_new(NULL);
    const CxMovie *movie = replay->condition->movie;
    size_t middle = (size_t)replay->protocol->cells[replay->cell].x;

    add_header(replay, text);
    for (size_t t = 0; t < replay->n_frames; t++) {
        g_string_append_printf(text, "%zu", t);
        add_number(text, (double)t * replay->frame_ms);
        add_number(text, (double)cx_movie_frame(movie, t)[middle]);
        add_number(text, (double)replay->full[t]);
        add_number(text, (double)replay->reduced[t]);
        add_number(text, (double)replay->simulated[t]);
        add_number(text, (double)replay->drive_off[t]);
        add_number(text, (double)replay->drive_on[t]);
        add_number(text, (double)replay->drive_slow[t]);
        add_number(text, replay->baseline != NULL ? (double)replay->baseline[t]
                                                  : (double)NAN);
        add_number(text, replay->rate0);
        add_number(text, replay->attribution->gap[0][t]);
        for (size_t c = 0; c < replay->n_channels; c++)
            add_number(text,
                       replay->attribution->sum[0][t * replay->n_channels + c]);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}
