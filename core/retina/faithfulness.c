/* Smaller networks against the whole one, point by point.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/retina/faithfulness.h"

#include "core/retina/network_responder.h"

#include <math.h>

/* What every point is compared with. */
typedef struct {
    const CxFaithfulnessOptions *options;
    CxProtocolOptions films;
    CxProtocolRun *whole, *simulator;
} Reference;

static const char *const scalar_keys[CX_N_PROTOCOLS] = {
    "slope",
    "drop_ms",
    "ratio",
    "advance_um",
};

const char *
cx_faithfulness_scalar_key(CxProtocolKind kind)
{
    g_return_val_if_fail(kind < CX_N_PROTOCOLS, "");
    return scalar_keys[kind];
}

static CxProtocolRun *
run_network(const Reference *reference, const CxRetinaCnn *net,
            const CxRetinaMask *mask, CxJob *job, GError **error)
{
    CxNetworkResponder network = {
        .net = net,
        .map = reference->options->map,
        .n_threads = reference->options->n_threads,
    };

    if (mask != NULL)
        network.mask = *mask;
    CxResponder responder = cx_responder_network(&network, "network");
    return cx_protocol_run(reference->options->kind, &reference->films,
                           &responder, job, error);
}

/* Sums over two sets of rates. */
typedef struct {
    double n, a, b, aa, bb, ab, difference;
} Sums;

static void
add_rates(const float *a, const float *b, size_t n, Sums *s)
{
    for (size_t i = 0; i < n; i++) {
        double x = (double)a[i], y = (double)b[i];

        s->n += 1.0;
        s->a += x;
        s->b += y;
        s->aa += x * x;
        s->bb += y * y;
        s->ab += x * y;
        s->difference += (x - y) * (x - y);
    }
}

void
cx_faithfulness_compare(const CxProtocolRun *whole, const CxProtocolRun *part,
                        double *r, double *explained)
{
    Sums s = {0};

    for (size_t i = 0; i < whole->protocol->n_conditions; i++)
        add_rates(whole->rates[i], part->rates[i],
                  whole->protocol->conditions[i].movie->n_frames *
                      whole->protocol->n_cells,
                  &s);
    double va = s.aa - s.a * s.a / s.n, vb = s.bb - s.b * s.b / s.n;
    double cov = s.ab - s.a * s.b / s.n;
    *r = va > 0.0 && vb > 0.0 ? cov / sqrt(va * vb) : 0.0;
    if (explained != NULL)
        *explained = va > 0.0 ? 1.0 - s.difference / va : 0.0;
}

static bool
add_point(const Reference *reference, CxFaithfulness *out, unsigned k,
          const CxRetinaCnn *net, const CxRetinaMask *mask, CxJob *job,
          GError **error)
{
    g_autoptr(CxProtocolRun) run =
        run_network(reference, net, mask, job, error);
    CxFaithfulnessPoint *point = &out->points[out->n_points];

    if (run == NULL)
        return false;
    point->k = k;
    cx_faithfulness_compare(reference->whole, run, &point->r,
                            &point->explained);
    cx_faithfulness_compare(reference->simulator, run, &point->r_simulator,
                            NULL);
    point->scalar = cx_protocol_scalar(run->result, out->scalar_key);
    point->reproduced = run->result->reproduced;
    out->n_points++;
    return true;
}

static void
reference_clear(Reference *reference)
{
    g_clear_pointer(&reference->whole, cx_protocol_run_free);
    g_clear_pointer(&reference->simulator, cx_protocol_run_free);
}

static bool
reference_init(Reference *reference, const CxRetinaCnn *net,
               const CxFaithfulnessOptions *options, CxJob *job, GError **error)
{
    CxSimulatorOptions simulator = {.n_threads = options->n_threads};

    *reference = (Reference){.options = options, .films = options->options};
    cx_network_film_size(net, &reference->films);
    CxResponder truth =
        cx_responder_simulator(&simulator, 1, reference->films.width);
    reference->whole = run_network(reference, net, NULL, job, error);
    if (reference->whole == NULL)
        return false;
    reference->simulator =
        cx_protocol_run(options->kind, &reference->films, &truth, job, error);
    if (reference->simulator != NULL)
        return true;
    reference_clear(reference);
    return false;
}

static CxFaithfulness *
make_result(const Reference *reference, size_t n_points)
{
    CxFaithfulness *out = g_new0(CxFaithfulness, 1);
    const CxProtocolResult *whole = reference->whole->result;

    out->kind = reference->options->kind;
    out->points = g_new0(CxFaithfulnessPoint, n_points);
    out->scalar_key = cx_faithfulness_scalar_key(out->kind);
    out->scalar_unit = out->scalar_definition = "";
    for (size_t i = 0; i < whole->n_scalars; i++)
        if (g_str_equal(whole->scalars[i].key, out->scalar_key)) {
            out->scalar_unit = whole->scalars[i].unit;
            out->scalar_definition = whole->scalars[i].definition;
        }
    out->whole_scalar = cx_protocol_scalar(whole, out->scalar_key);
    out->simulator_scalar =
        cx_protocol_scalar(reference->simulator->result, out->scalar_key);
    return out;
}

static void
find_k(CxFaithfulness *out)
{
    for (size_t i = 0; i < out->n_points && out->points[i].r >= 0.99; i++)
        out->k_for_099 = out->points[i].k;
}

CxFaithfulness *
cx_faithfulness_channels(const CxRetinaCnn *net,
                         const CxFaithfulnessOptions *options,
                         const unsigned *order, CxJob *job, GError **error)
{
    unsigned n = (unsigned)cx_retina_cnn_layer(net, 0)->n_out;
    CxRetinaFate fate =
        options->fate == CX_RETINA_HOLD ? CX_RETINA_HOLD : CX_RETINA_ZERO;
    Reference reference;

    if (!reference_init(&reference, net, options, job, error))
        return NULL;
    g_autoptr(CxFaithfulness) out = make_result(&reference, n);
    bool done = true;
    for (unsigned k = n; done && k >= 1; k--) {
        CxRetinaMask mask = cx_channel_mask(order, n, k, fate);
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (double)(n - k) / n, (double)(n - k + 1) / n);

        done = add_point(&reference, out, k, net, &mask, part, error);
    }
    reference_clear(&reference);
    if (!done)
        return NULL;
    find_k(out);
    return g_steal_pointer(&out);
}

CxFaithfulness *
cx_faithfulness_bits(const CxRetinaCnn *net,
                     const CxFaithfulnessOptions *options, CxJob *job,
                     GError **error)
{
    Reference reference;

    if (!reference_init(&reference, net, options, job, error))
        return NULL;
    g_autoptr(CxFaithfulness) out = make_result(&reference, 7);
    bool done = true;
    for (unsigned bits = 8; done && bits >= 2; bits--) {
        g_autoptr(CxRetinaCnn) rounded =
            cx_retina_cnn_quantised(net, bits, error);
        g_autoptr(CxJob) part =
            cx_job_new_part(job, (8.0 - bits) / 7.0, (9.0 - bits) / 7.0);

        done = rounded != NULL &&
               add_point(&reference, out, bits, rounded, NULL, part, error);
    }
    reference_clear(&reference);
    if (!done)
        return NULL;
    find_k(out);
    return g_steal_pointer(&out);
}

void
cx_faithfulness_free(CxFaithfulness *faithfulness)
{
    g_free(faithfulness->points);
    g_free(faithfulness);
}
