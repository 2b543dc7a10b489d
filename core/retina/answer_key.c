/* What the network says drives a response against what drives it in the
 * simulated retina, whose mechanisms are known.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/retina/report.h"

/* The first frame at which the response of interest may be. */
static size_t
event_frame(const CxProtocol *protocol, const CxProtocolCondition *condition)
{
    int64_t at = condition->onset_frame;

    if (protocol->kind == CX_PROTOCOL_OSR)
        at = condition->omitted_frame >= 0
                 ? condition->omitted_frame + 2
                 : condition->last_flash_frame + condition->period_frames + 2;
    else if (protocol->kind == CX_PROTOCOL_REVERSAL)
        at = condition->flip_frame;
    return at > 0 ? MIN((size_t)at, condition->movie->n_frames - 1) : 0;
}

static size_t
end_frame(const CxProtocolCondition *condition, size_t first)
{
    size_t n = condition->movie->n_frames;

    if (condition->end_frame > (int64_t)first)
        return MIN((size_t)condition->end_frame, n);
    return n;
}

static size_t
find_peak(const float *rates, size_t n_cells, size_t cell, size_t first,
          size_t end)
{
    size_t peak = first;

    for (size_t t = first; t < end; t++)
        if (rates[t * n_cells + cell] > rates[peak * n_cells + cell])
            peak = t;
    return peak;
}

void
cx_answer_key_find(const CxProtocolRun *network, const CxProtocolRun *simulator,
                   CxAnswerKey *key)
{
    const CxProtocol *protocol = network->protocol;
    size_t n = protocol->n_cells, cell = n / 2;
    float best = -1.0f;

    for (size_t i = 0; i < protocol->n_conditions; i++) {
        const CxProtocolCondition *condition = &protocol->conditions[i];
        size_t first = event_frame(protocol, condition);
        size_t end = end_frame(condition, first);
        size_t peak = find_peak(network->rates[i], n, cell, first, end);
        float rate = network->rates[i][peak * n + cell];

        if (condition->control || rate <= best)
            continue;
        best = rate;
        key->condition = i;
        key->frame = peak;
        key->true_frame = find_peak(simulator->rates[i], n, cell, first, end);
    }
}

/* What excites from OFF and from ON channels, and what inhibits, by frame. */
static void
fill_parts(const CxAttribution *attribution, const CxChannelLabel *labels,
           float *off, float *on, float *inhibition)
{
    size_t n = attribution->n_channels[0];

    for (size_t t = 0; t < attribution->n_frames; t++) {
        off[t] = on[t] = inhibition[t] = 0.0f;
        for (size_t c = 0; c < n; c++) {
            float part = (float)attribution->sum[0][t * n + c];
            float *to = labels[c].on ? on : off;

            to[t] += MAX(part, 0.0f);
            inhibition[t] += MIN(part, 0.0f);
        }
    }
}

static void
compare(const CxSimulatorOutput *drives, const CxAttribution *attribution,
        const CxChannelLabel *labels, float *parts, CxAnswerKey *key)
{
    size_t n = attribution->n_frames, first = attribution->history;
    float *off = parts, *on = parts + n, *inhibition = parts + 2 * n;
    float *slow = parts + 3 * n;

    fill_parts(attribution, labels, off, on, inhibition);
    for (size_t t = 0; t < n; t++)
        slow[t] = MIN(drives->slow[t], 0.0f);
    key->true_off = (double)drives->v_off[key->true_frame];
    key->true_on = (double)drives->v_on[key->true_frame];
    key->true_slow = (double)drives->slow[key->true_frame];
    key->off = (double)off[key->frame];
    key->on = (double)on[key->frame];
    key->inhibition = (double)inhibition[key->frame];
    key->leading_agrees =
        (key->off > key->on) == (key->true_off > key->true_on);
    key->r_off =
        cx_retina_pearson(off + first, 1, drives->v_off + first, 1, n - first);
    key->r_on =
        cx_retina_pearson(on + first, 1, drives->v_on + first, 1, n - first);
    key->r_inhibition =
        cx_retina_pearson(inhibition + first, 1, slow + first, 1, n - first);
}

bool
cx_answer_key_fill(const CxProtocolRun *simulator,
                   const CxAttribution *attribution,
                   const CxChannelLabel *labels, CxAnswerKey *key, CxJob *job,
                   GError **error)
{
    const CxProtocol *protocol = simulator->protocol;
    const CxMovie *movie = protocol->conditions[key->condition].movie;
    size_t n = movie->n_frames;
    CX_AUTOFREE float *drives = cx_try_alloc(7 * n, sizeof(float), error);

    if (drives == NULL)
        return false;
    CxSimulatorOutput output = {
        .v_off = drives,
        .v_on = drives + n,
        .slow = drives + 2 * n,
    };
    if (!cx_simulator_run(movie, NULL, &protocol->cells[protocol->n_cells / 2],
                          1, &output, job, error))
        return false;
    compare(&output, attribution, labels, drives + 3 * n, key);
    return true;
}

CxRetinaMask
cx_polarity_mask(const CxChannelLabel *labels, size_t n, bool on)
{
    CxRetinaMask mask = {{0}, {0}};

    for (size_t c = 0; c < n; c++)
        if (labels[c].on == on)
            mask.layer1[c] = CX_RETINA_ZERO;
    return mask;
}
