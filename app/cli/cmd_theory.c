/* theory: the companion models, their figures as scalars and tables.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/theory.h"

#include <string.h>

static const struct {
    const char *name;
    CxcliRun run;
} models[] = {
    {"hopfield", cxcli_theory_hopfield},
    {"sparse-coding", cxcli_theory_sparse_coding},
    {"synflow", cxcli_theory_synflow},
};

unsigned
cxcli_count(const CxcliContext *context, const char *name, unsigned otherwise)
{
    return (unsigned)MIN(cxcli_integer(context, name, otherwise), 100000000);
}

static bool
run(CxcliContext *context, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (strcmp(models[i].name, context->args[0]) == 0)
            return models[i].run(context, error);
    cxcli_set_usage_error(error,
                          "there is no theory \"%s\": expected hopfield, "
                          "sparse-coding or synflow",
                          context->args[0]);
    return false;
}

static const CxcliOption options_table[] = {
    {"seed", CXCLI_INTEGER, "N", "all that is drawn at random (1)"},
    {"csv", CXCLI_TEXT, "FILE", "the table behind the figures"},
    {"rule", CXCLI_TEXT, "R", "hopfield: hebb, pseudo-inverse or storkey"},
    {"units", CXCLI_INTEGER, "N", "hopfield: units (1000)"},
    {"patterns", CXCLI_INTEGER, "P", "hopfield: to recall (50)"},
    {"noise", CXCLI_REAL, "S", "hopfield: share of flipped units (0.1)"},
    {"trials", CXCLI_INTEGER, "N", "hopfield: a point of the sweep (10)"},
    {"loads", CXCLI_INTEGER, "N", "hopfield: points of the sweep (24)"},
    {"picture", CXCLI_TEXT, "FILE", "hopfield: a PNG among the pictures"},
    {"images", CXCLI_TEXT, "DIR", "sparse-coding: instead of drawn ones"},
    {"side", CXCLI_INTEGER, "N", "sparse-coding: pixels of a patch (12)"},
    {"atoms", CXCLI_INTEGER, "N", "sparse-coding: atoms (192)"},
    {"lambda", CXCLI_REAL, "L", "sparse-coding: price of activity (0.3)"},
    {"batches", CXCLI_INTEGER, "N", "sparse-coding: of 100 patches (1000)"},
    {"steps", CXCLI_INTEGER, "N", "sparse-coding: FISTA a batch (50)"},
    {"scorer", CXCLI_TEXT, "S",
     "synflow: synflow, magnitude, random, snip or grasp"},
    {"compression", CXCLI_REAL, "R", "synflow: weights before / after (10)"},
    {"rounds", CXCLI_INTEGER, "N", "synflow: scores taken anew (100)"},
    {"channels", CXCLI_FLAG, NULL, "synflow: take whole channels away"},
    {"compare", CXCLI_FLAG, NULL, "synflow: layer collapse of five scorers"},
    {"train", CXCLI_INTEGER, "N", "synflow: epochs for mlp and lenet (0)"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_theory = {
    .name = "theory",
    .usage = "hopfield | sparse-coding [OUT.png] | synflow MODEL [OUT.h5]",
    .summary = "Companion models: memories, sparse codes, pruning",
    .text =
        "hopfield       energy over a million updates, recall, mixtures, "
        "pictures and the\n"
        "               capacity sweep (--csv)\n"
        "sparse-coding  learns a dictionary (OUT.png shows it) from drawn "
        "images or a folder,\n"
        "               fits Gabor functions to its atoms (--csv)\n"
        "synflow        prunes MODEL: mlp, lenet, a shipped network or a "
        "model file;\n"
        "               OUT.h5 is the pruned one, --compare with --csv the "
        "layer-collapse table\n\n"
        "SynFlow is described in US patent 12406185; it is here for teaching.",
    .min_args = 1,
    .max_args = 3,
    .options = options_table,
    .run = run,
};
