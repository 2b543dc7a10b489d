/* graph: the region adjacency graph of labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/segmentation/fragments.h"

#include <gio/gio.h>

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *out = context->args[1];
    g_autoptr(CxProject) project = NULL;

    if (!cxcli_check_output(context, out, inputs, error))
        return false;
    g_autoptr(CxVolume) labels =
        cxcli_open_labels(context, context->args[0], &project, error);
    if (labels == NULL)
        return false;
    g_autoptr(CxChunk) chunk = cx_volume_read_labels(
        labels, 0, cx_volume_bounds(labels, 0), context->job, error);
    if (chunk == NULL)
        return false;
    g_autoptr(CxFragments) fragments =
        cx_fragments_of_labels(chunk, 1.0f, error);
    if (fragments == NULL)
        return false;
    g_autoptr(GString) text = g_string_new("a,b,contacts\n");
    for (guint i = 0; i < fragments->edges->len; i++) {
        const CxEdge *edge = &g_array_index(fragments->edges, CxEdge, i);

        g_string_append_printf(
            text, "%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT ",%u\n", edge->a,
            edge->b, edge->contacts);
    }
    if (!cxcli_write_text(out, text->str, text->len, error))
        return false;
    cxcli_report_integer(context->report, "nodes", fragments->supervoxels->len);
    cxcli_report_integer(context->report, "edges", fragments->edges->len);
    return true;
}

const CxcliCommand cxcli_graph = {
    .name = "graph",
    .usage = "LABELS OUT.csv",
    .summary = "Which labels touch, and over how many faces",
    .text = "6-neighbour contacts; label 0 is left out.",
    .min_args = 2,
    .max_args = 2,
    .run = run,
};
