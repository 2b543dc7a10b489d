/* bench: one stage, measured.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "core/nn/bench_unet.h"
#include "core/volume/synthetic.h"

#include <string.h>

const CxcliBench cxcli_benches[] = {
    {"unet",
     "a fixed 2-D U-Net with random weights: --base --tile --isa --type "
     "--layers",
     cxcli_bench_unet},
    {"watershed", "flooding from seeds; INPUT: an image, bright = high",
     cxcli_bench_watershed},
    {"agglomerate", "merging a random graph of --supervoxels",
     cxcli_bench_agglomerate},
    {"components", "connected pieces; INPUT: labels; --connectivity",
     cxcli_bench_components},
    {"mesh", "surfaces of all labels; INPUT: labels", cxcli_bench_mesh},
    {"skeleton", "centre lines of all labels; INPUT: labels",
     cxcli_bench_skeleton},
    {"edits",
     "merges, splits, undos in a project of --supervoxels, on this disk",
     cxcli_bench_edits},
    {"queue",
     "VOI against decisions; INPUT: a project; --truth --decisions --order",
     cxcli_bench_queue},
    {"relabel", "ids replaced by others; INPUT: labels", cxcli_bench_relabel},
    {"frames", "a slice pane, panned and scrolled; INPUT: a volume; --pane",
     cxcli_bench_frames},
    {NULL, NULL, NULL},
};

CxChunk *
cxcli_bench_input(CxcliContext *context, bool labels, GError **error)
{
    int64_t side = (int64_t)MIN(cxcli_integer(context, "size", 192), 1024);
    CxSyntheticOptions options = cx_synthetic_defaults();
    CxChunk *chunk = NULL;

    if (context->n_args > 1) {
        g_autoptr(CxVolume) volume =
            cx_volume_open(context->args[1], context->job, error);

        if (volume == NULL)
            return NULL;
        CxBox box = cx_volume_bounds(volume, 0);
        return labels
                   ? cx_volume_read_labels(volume, 0, box, context->job, error)
                   : cx_volume_read_u8(volume, 0, box, context->job, error);
    }
    options.size = (CxVoxel){MAX(side, 16), MAX(side, 16), MAX(side, 16)};
    if (!cx_synthetic_draw(&options, labels ? NULL : &chunk,
                           labels ? &chunk : NULL, NULL, context->job, error))
        return NULL;
    return chunk;
}

static int
compare_reals(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
cxcli_quantile(GArray *seconds, double share)
{
    g_array_sort(seconds, compare_reals);
    guint at = (guint)(share * (double)(seconds->len - 1) + 0.5);
    return g_array_index(seconds, double, at);
}

double
cxcli_median(GArray *seconds)
{
    return cxcli_quantile(seconds, 0.5);
}

static void
report_layers(CxcliReport *report, const CxBenchUnetResult *result)
{
    cxcli_report_real(report, "peak_gop_per_s", result->peak_gop_per_s);
    cxcli_report_begin_array(report, "layers");
    for (guint i = 0; i < result->layers->len; i++) {
        const CxBenchLayer *layer =
            &g_array_index(result->layers, CxBenchLayer, i);

        cxcli_report_begin_object(report, NULL);
        cxcli_report_text(report, "layer", layer->name);
        cxcli_report_real(report, "milliseconds", 1e3 * layer->seconds);
        cxcli_report_real(report, "gop_per_s", layer->gop_per_s);
        cxcli_report_real(report, "share_of_peak", layer->share);
        cxcli_report_end_object(report);
    }
    cxcli_report_end_array(report);
}

bool
cxcli_bench_unet(CxcliContext *context, GError **error)
{
    CxBenchUnetOptions options = {
        .base = (unsigned)MIN(cxcli_integer(context, "base", 16), 1024),
        .tile = (unsigned)MIN(cxcli_integer(context, "tile", 512), 65536),
        .n_threads = MAX(context->n_threads, 1),
        .isa = cxcli_text(context, "isa", NULL),
        .type = cxcli_text(context, "type", NULL),
        .layers = cxcli_has(context, "layers"),
    };
    g_auto(CxBenchUnetResult) result = {0};
    CxcliReport *report = context->report;

    if (!cx_bench_unet(&options, &result, context->job, error))
        return false;
    cxcli_report_real(report, "mvox_per_s", result.mvox_per_s);
    cxcli_report_real(report, "gflop_per_s", result.gflop_per_s);
    cxcli_report_real(report, "median_seconds", result.median_seconds);
    cxcli_report_real(report, "mvox_per_cpu_s", result.mvox_per_cpu_s);
    cxcli_report_integer(report, "runs", result.runs);
    cxcli_report_text(report, "isa", result.isa);
    cxcli_report_text(report, "type",
                      options.type != NULL ? options.type : "fp32");
    if (result.layers != NULL)
        report_layers(report, &result);
    return true;
}

static bool
run(CxcliContext *context, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (unsigned i = 0; cxcli_benches[i].name != NULL; i++) {
        if (strcmp(cxcli_benches[i].name, context->args[0]) == 0) {
            if (!cxcli_benches[i].run(context, error))
                return false;
            cxcli_report_integer(context->report, "peak_bytes",
                                 (int64_t)cxcli_peak_bytes());
            return true;
        }
        g_string_append_printf(names, "%s%s", i > 0 ? ", " : "",
                               cxcli_benches[i].name);
    }
    cxcli_set_usage_error(error, "there is no bench \"%s\": expected %s",
                          context->args[0], names->str);
    return false;
}

static const CxcliOption options_table[] = {
    {"base", CXCLI_INTEGER, "N", "unet: channels of the first level (16)"},
    {"tile", CXCLI_INTEGER, "N", "unet: pixels a side (512)"},
    {"isa", CXCLI_TEXT, "I", "unet: c, avx2, avx512, vnni, amx"},
    {"type", CXCLI_TEXT, "T", "unet: fp32, bf16 or int8"},
    {"layers", CXCLI_FLAG, NULL, "unet: each layer, and its share of the peak"},
    {"size", CXCLI_INTEGER, "N", "voxels a side of the synthetic input (192)"},
    {"truth", CXCLI_TEXT, "LABELS", "queue: what is right"},
    {"decisions", CXCLI_INTEGER, "N", "queue: answers (200)"},
    {"order", CXCLI_TEXT, "ORDER", "queue: ranked (default) or random"},
    {"min-voxels", CXCLI_INTEGER, "N", "queue: smaller sides are left out"},
    {"seed", CXCLI_INTEGER, "N", "queue: of the random order (1)"},
    {"connectivity", CXCLI_INTEGER, "N", "components: 6, 18 or 26 (default)"},
    {"supervoxels", CXCLI_INTEGER, "N", "agglomerate, edits: how many"},
    {"pane", CXCLI_SIZE, "WxH", "frames: pixels (1000x700)"},
    {"runs", CXCLI_INTEGER, "N", "how often"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_bench = {
    .name = "bench",
    .usage = "unet|watershed|agglomerate|components|mesh|edits|"
             "relabel|frames [INPUT]",
    .summary = "Measure one stage",
    .min_args = 1,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
