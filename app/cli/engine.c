/* Network, predictor and pipeline as the options ask for them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/engine.h"

#include "app/cli/arguments.h"
#include "core/base/error.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Beyond this ratio on an axis a model sees other shapes than it learned. */
#define FAR_RATIO 1.5

static double
log_ratio(double a, double b)
{
    return fabs(log(a / b));
}

static double
distance(CxNm a, CxNm b)
{
    return log_ratio(a.x, b.x) + log_ratio(a.y, b.y) + log_ratio(a.z, b.z);
}

/* The shipped network whose voxels are most like these. */
static CxNetwork *
load_nearest(CxNm voxel_nm, GError **error)
{
    g_auto(GStrv) names = cx_network_shipped();
    g_autoptr(CxNetwork) best = NULL;

    for (unsigned i = 0; names[i] != NULL; i++) {
        g_autoptr(CxNetwork) network = cx_network_load(names[i], NULL);

        if (network == NULL ||
            (best != NULL && distance(cx_network_voxel_nm(network), voxel_nm) >=
                                 distance(cx_network_voxel_nm(best), voxel_nm)))
            continue;
        g_clear_pointer(&best, cx_network_unref);
        best = g_steal_pointer(&network);
    }
    if (best == NULL)
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                    "no network was found: expected models in "
                    "$CONNEXON_MODELS or " CX_DATA_DIR "/models, or --model "
                    "FILE");
    return g_steal_pointer(&best);
}

void
cxcli_note_voxel_size(const CxcliContext *context, CxNetwork *network,
                      CxVolume *volume)
{
    CxNm model = cx_network_voxel_nm(network);
    CxNm data = cx_volume_level(volume, 0).voxel_nm;
    double far =
        fmax(log_ratio(model.x, data.x),
             fmax(log_ratio(model.y, data.y), log_ratio(model.z, data.z)));

    if (context->quiet || !cx_volume_has_voxel_size(volume) ||
        far <= log(FAR_RATIO))
        return;
    fprintf(stderr,
            "connexon-cli: note: the image has voxels of %g × %g × %g nm, the "
            "model %s was trained at %g × %g × %g nm\n",
            data.x, data.y, data.z, cx_network_name(network), model.x, model.y,
            model.z);
}

CxPredictor *
cxcli_make_predictor(const CxcliContext *context, CxVolume *volume,
                     GError **error)
{
    const char *model = cxcli_text(context, "model", NULL);
    const char *type = cxcli_text(context, "type", "auto");
    static const char *const types[] = {"auto", "fp32", "bf16", "int8", NULL};

    if (!g_strv_contains(types, type)) {
        cxcli_set_usage_error(
            error, "--type: found \"%s\", expected auto, fp32, bf16 or int8",
            type);
        return NULL;
    }
    g_autoptr(CxNetwork) network =
        model != NULL
            ? cx_network_load(model, error)
            : load_nearest(cx_volume_level(volume, 0).voxel_nm, error);
    if (network == NULL)
        return NULL;
    cxcli_note_voxel_size(context, network, volume);
    CxPredictorOptions options = {
        .n_threads = context->n_threads,
        .isa = cxcli_text(context, "isa", NULL),
        .type = type,
    };
    return cx_predictor_new(network, volume, &options, error);
}

CxPipeline *
cxcli_make_pipeline(const CxcliContext *context, CxPredictor *predictor,
                    GError **error)
{
    CxPipelineOptions options = cx_pipeline_defaults();

    options.threshold = cxcli_real(context, "threshold", options.threshold);
    if (options.threshold < 0.0 || options.threshold > 1.0) {
        cxcli_set_usage_error(error, "--threshold: found %g, expected 0 to 1",
                              options.threshold);
        return NULL;
    }
    options.memory_bytes = context->memory_bytes;
    options.n_threads = context->n_threads;
    return cx_pipeline_new(predictor, &options);
}

void
cxcli_report_stages(CxcliReport *report, CxStageSeconds seconds)
{
    cxcli_report_begin_object(report, "stages");
    cxcli_report_real(report, "predict", seconds.predict);
    cxcli_report_real(report, "watershed", seconds.watershed);
    cxcli_report_real(report, "graph", seconds.graph);
    cxcli_report_real(report, "agglomerate", seconds.agglomerate);
    cxcli_report_real(report, "fuse", seconds.fuse);
    cxcli_report_real(report, "write", seconds.write);
    cxcli_report_end_object(report);
}
