/* calibrate: what 8 bits need to know, measured and kept in a model file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/engine.h"
#include "core/base/error.h"
#include "core/nn/weights.h"

#include <stdlib.h>

/* Voxels of each volume that int8 and fp32 are compared on, at most. */
#define MAX_COMPARED ((size_t)1 << 25)

typedef struct {
    GPtrArray *volumes; /* CxVolume */
    GArray *boxes;      /* CxBox */
} Inputs;

static bool
open_inputs(CxcliContext *context, Inputs *inputs, GError **error)
{
    for (int i = 2; i < context->n_args; i++) {
        CxVolume *volume =
            cx_volume_open(context->args[i], context->job, error);
        CxBox box;

        if (volume == NULL)
            return false;
        g_ptr_array_add(inputs->volumes, volume);
        if (!cxcli_find_box(context, volume, &box, error))
            return false;
        g_array_append_val(inputs->boxes, box);
    }
    return true;
}

static CxChunk *
predict(const CxcliContext *context, CxNetwork *network, CxVolume *volume,
        CxBox box, const char *type, GError **error)
{
    CxPredictorOptions options = {.n_threads = context->n_threads,
                                  .type = type};
    g_autoptr(CxPredictor) predictor =
        cx_predictor_new(network, volume, &options, error);

    return predictor != NULL
               ? cx_predictor_run(predictor, box, context->job, error)
               : NULL;
}

/* Thin enough to be held twice. */
static CxBox
part_of(CxBox box, unsigned n_channels)
{
    CxVoxel size = cx_box_size(box);
    size_t section = (size_t)size.x * (size_t)size.y * n_channels;
    int64_t most = (int64_t)MAX(MAX_COMPARED / section, 1);

    box.hi.z = MIN(box.hi.z, box.lo.z + most);
    return box;
}

static unsigned
quantile(const uint64_t counts[256], double share)
{
    uint64_t n = 0, sum = 0;
    unsigned at = 0;

    for (unsigned i = 0; i < 256; i++)
        n += counts[i];
    for (; at < 255; at++) {
        sum += counts[at];
        if ((double)sum >= share * (double)n)
            break;
    }
    return at;
}

static void
report(CxcliReport *report, const uint64_t counts[256])
{
    double sum = 0.0, n = 0.0;

    for (unsigned i = 0; i < 256; i++) {
        sum += (double)i * (double)counts[i];
        n += (double)counts[i];
    }
    cxcli_report_real(report, "mean_difference", sum / n);
    cxcli_report_integer(report, "p99_difference", quantile(counts, 0.99));
    cxcli_report_integer(report, "max_difference", quantile(counts, 1.0));
}

/* int8 against fp32, in steps of 255. */
static bool
compare(CxcliContext *context, CxNetwork *network, const Inputs *inputs,
        GError **error)
{
    uint64_t counts[256] = {0};

    for (unsigned i = 0; i < inputs->volumes->len; i++) {
        CxVolume *volume = g_ptr_array_index(inputs->volumes, i);
        CxBox box = part_of(g_array_index(inputs->boxes, CxBox, i),
                            cx_network_n_outputs(network));
        g_autoptr(CxChunk) a =
            predict(context, network, volume, box, "fp32", error);
        g_autoptr(CxChunk) b =
            a != NULL ? predict(context, network, volume, box, "int8", error)
                      : NULL;

        if (b == NULL)
            return false;
        const uint8_t *x = cx_chunk_data(a), *y = cx_chunk_data(b);
        for (size_t k = 0; k < cx_chunk_size_bytes(a); k++)
            counts[abs(x[k] - y[k])]++;
    }
    report(context->report, counts);
    return true;
}

static bool
calibrate(CxcliContext *context, const Inputs *inputs, GError **error)
{
    g_autofree char *path = cx_network_find(context->args[0], error);
    g_autoptr(CxNetwork) network =
        path != NULL ? cx_network_load(path, error) : NULL;

    if (network == NULL)
        return false;
    cx_job_stage(context->job, "calibrating", 0.0, 0.5);
    if (!cx_predictor_calibrate(
            network, (CxVolume *const *)inputs->volumes->pdata,
            (const CxBox *)(const void *)inputs->boxes->data,
            inputs->volumes->len, context->n_threads, context->job, error) ||
        !cx_weights_copy_calibrated(network, path, context->args[1], error))
        return false;
    cx_job_stage(context->job, "comparing", 0.5, 1.0);
    return compare(context, network, inputs, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    Inputs inputs = {
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_volume_unref),
        g_array_new(FALSE, FALSE, sizeof(CxBox))};
    const char *const model[] = {context->args[0], NULL};
    bool ok = cxcli_check_output(context, context->args[1], model, error) &&
              open_inputs(context, &inputs, error) &&
              calibrate(context, &inputs, error);

    g_ptr_array_unref(inputs.volumes);
    g_array_unref(inputs.boxes);
    return ok;
}

static const CxcliOption options_table[] = {
    {"box", CXCLI_BOX, "BOX", "only this part of each volume"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_calibrate = {
    .name = "calibrate",
    .usage = "MODEL OUT.h5 VOLUME...",
    .summary = "Measure a network's samples, so that it can run as int8",
    .text = "Writes a copy of the model with the limits of each layer, and "
            "tells how far int8\nis from fp32, in steps of 255.  Use data that "
            "the network was trained on, or\nmore of its kind; never what it "
            "is to be judged by.",
    .min_args = 3,
    .max_args = 64,
    .options = options_table,
    .run = run,
};
