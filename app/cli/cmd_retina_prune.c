/* retina prune: a smaller network, as a file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/retina_network.h"
#include "core/retina/film_drive.h"
#include "core/retina/natural.h"

#include <string.h>

typedef enum {
    REFIT_NONE,
    REFIT_OUTPUT,
    REFIT_TRAIN,
} Refit;

static bool
read_refit(const CxcliContext *context, Refit *refit, GError **error)
{
    static const char *const names[] = {"none", "output", "train"};
    const char *name = cxcli_text(context, "refit", "output");

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *refit = (Refit)i;
            return true;
        }
    cxcli_set_usage_error(
        error, "--refit: found \"%s\", expected none, output or train", name);
    return false;
}

/* A mixed x-t film as wide as the network. */
static CxMovie *
make_film(CxcliContext *context, const CxRetinaCnn *net, GError **error)
{
    CxNaturalOptions options = cx_natural_options_mixture();

    options.seed = cxcli_integer(context, "seed", 1);
    options.height = 1;
    options.width = cx_retina_cnn_shape(net)->width;
    options.n_frames =
        (size_t)MIN(cxcli_integer(context, "frames", 1800), 60000);
    g_autoptr(CxMovie) raw = cx_natural_new(&options, context->job, error);
    return raw != NULL ? cx_film_for_network(net, raw, 0, error) : NULL;
}

static bool
refit_net(CxcliContext *context, CxRetinaCnn *net, const CxRetinaCnn *teacher,
          Refit refit, GError **error)
{
    unsigned n_epochs =
        (unsigned)MIN(cxcli_integer(context, "epochs", 5), 1000);

    if (refit == REFIT_NONE)
        return true;
    g_autoptr(CxMovie) film = make_film(context, net, error);
    if (film == NULL)
        return false;
    if (refit == REFIT_TRAIN &&
        !cx_retina_cnn_refit_train(net, teacher, film, n_epochs,
                                   context->n_threads, context->job, error))
        return false;
    return cx_retina_cnn_refit_output(net, teacher, film, context->n_threads,
                                      context->job, error);
}

static CxRetinaCnn *
prune(CxcliContext *context, const CxRetinaCnn *net, GError **error)
{
    size_t n = cx_retina_cnn_layer(net, 0)->n_out;
    size_t keep = (size_t)cxcli_integer(context, "keep", 0);
    g_autofree double *scores = g_new0(double, n);
    g_autofree unsigned *order = g_new0(unsigned, n);
    CxProtocolOptions films;
    CxProtocolKind kind;
    CxRetinaFate fate;

    if (keep < 1 || keep > n) {
        cxcli_set_usage_error(error, "--keep: found %zu, expected 1 to %zu",
                              keep, n);
        return NULL;
    }
    if (!cxcli_retina_protocol(context, &kind, error) ||
        !cxcli_retina_films(context, &films, error) ||
        !cxcli_retina_fate(context, &fate, error) ||
        !cxcli_retina_order(context, net, kind, &films,
                            kind == CX_N_PROTOCOLS ? CX_ORDER_ALL
                                                   : CX_ORDER_STIMULUS,
                            scores, order, error))
        return NULL;
    CxRetinaMask mask = cx_channel_mask(order, n, keep, fate);
    cxcli_report_begin_array(context->report, "kept");
    for (size_t i = 0; i < keep; i++)
        cxcli_report_integer(context->report, NULL, order[i]);
    cxcli_report_end_array(context->report);
    return cx_retina_cnn_pruned(net, &mask, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *spec = context->n_args > 1 ? context->args[0] : NULL;
    const char *out = context->args[context->n_args - 1];
    const char *const inputs[] = {spec, NULL};
    Refit refit;

    if (!read_refit(context, &refit, error) ||
        !cxcli_check_output(context, out, inputs, error))
        return false;
    g_autoptr(CxRetinaCnn) net = cxcli_retina_load(spec, error);
    g_autoptr(CxRetinaCnn) small =
        net != NULL ? prune(context, net, error) : NULL;
    if (small == NULL || !refit_net(context, small, net, refit, error) ||
        !cx_retina_cnn_save(small, out, error))
        return false;
    cxcli_report_integer(context->report, "channels_before",
                         (int64_t)cx_retina_cnn_layer(net, 0)->n_out);
    cxcli_report_integer(context->report, "channels",
                         (int64_t)cx_retina_cnn_layer(small, 0)->n_out);
    cxcli_report_integer(context->report, "weights_before",
                         (int64_t)cx_retina_cnn_n_weights(net));
    cxcli_report_integer(context->report, "weights",
                         (int64_t)cx_retina_cnn_n_weights(small));
    return true;
}

static const CxcliOption options_table[] = {
    {"keep", CXCLI_INTEGER, "K", "channels of the first layer to keep"},
    {"order", CXCLI_TEXT, "O",
     "stimulus, all, magnitude, random, gradient, synflow (default: stimulus "
     "with --protocol, else all)"},
    {"protocol", CXCLI_TEXT, "P", "osr, latency, reversal, anticipation"},
    {"fate", CXCLI_TEXT, "F",
     "zero (default) or hold: what a removed channel gives"},
    {"refit", CXCLI_TEXT, "R",
     "output (default: slope and offset of the cells), train, none"},
    {"epochs", CXCLI_INTEGER, "N", "of --refit train (default 5)"},
    {"frames", CXCLI_INTEGER, "N", "of the film to refit on (default 1800)"},
    {"seed", CXCLI_INTEGER, "N", "of film and random order (default 1)"},
    {"preset", CXCLI_TEXT, "NAME",
     "simulated (default), reduction, 2023, library, ebert"},
    {"amplitude", CXCLI_REAL, "F", "a factor on the stimulus"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_retina_prune = {
    .name = "retina prune",
    .usage = "[NET] OUT.h5 --keep K [--order O]",
    .summary = "A network of fewer channels",
    .text = "The order by SynFlow is described in US patent 12406185; it is "
            "here for teaching.",
    .min_args = 1,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
