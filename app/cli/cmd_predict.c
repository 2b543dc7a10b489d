/* predict: the network's output.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/engine.h"
#include "app/cli/slab_writer.h"
#include "core/base/error.h"

#include <string.h>

#define DEFAULT_MEMORY_BYTES ((size_t)512 << 20)

/* Largest membrane probability of a voxel: the boundary output if there is
 * one, else 1 - the smallest affinity to a direct neighbour. */
static CxChunk *
boundary_of(CxChunk *outputs, CxNetwork *network, GError **error)
{
    CxChunk *map = cx_chunk_new(CX_DTYPE_U8, cx_chunk_box(outputs), 1, error);
    size_t n = cx_chunk_n_voxels(outputs);

    if (map == NULL)
        return NULL;
    uint8_t *to = cx_chunk_data_mut(map);
    memset(to, 0, n);
    for (unsigned c = 0; c < cx_network_n_outputs(network); c++) {
        CxOutput output = cx_network_output(network, c);
        const uint8_t *from = cx_chunk_channel(outputs, c);
        CxVoxel o = output.offset;
        bool is_boundary = output.kind == CX_OUTPUT_BOUNDARY;

        if (!is_boundary && ABS(o.x) + ABS(o.y) + ABS(o.z) != 1)
            continue;
        for (size_t i = 0; i < n; i++)
            to[i] = MAX(to[i], is_boundary ? from[i] : 255 - from[i]);
        if (is_boundary)
            break;
    }
    return map;
}

static bool
predict_slab(CxcliContext *context, CxPredictor *predictor, CxBox slab,
             bool boundary, CxcliSlabWriter *writer, double *seconds,
             GError **error)
{
    double start = cxcli_seconds();
    g_autoptr(CxChunk) outputs =
        cx_predictor_run(predictor, slab, context->job, error);

    *seconds += cxcli_seconds() - start;
    if (outputs == NULL)
        return false;
    g_autoptr(CxChunk) map =
        boundary ? boundary_of(outputs, cx_predictor_network(predictor), error)
                 : cx_chunk_ref(outputs);
    return map != NULL && cxcli_slab_writer_put(writer, map, error);
}

/* Of --memory an eighth goes to each of these: the outputs of a slab, what the
 * writer collects, what it has compressed, decoded blocks of the image; the
 * image of the slab with its halo takes less than the outputs where slabs are
 * deeper than the halo. */
static size_t
slab_bytes(const CxcliContext *context)
{
    return (context->memory_bytes > 0 ? context->memory_bytes
                                      : DEFAULT_MEMORY_BYTES) /
           8;
}

/* Deep slabs waste little on halos. */
static int64_t
slab_depth(const CxcliContext *context, CxPredictor *predictor, CxBox box)
{
    CxVoxel size = cx_box_size(box);
    unsigned n = cx_network_n_outputs(cx_predictor_network(predictor));
    int64_t depth =
        (int64_t)slab_bytes(context) / MAX(size.x * size.y * (int64_t)n, 1);

    return CLAMP(depth, 1, size.z);
}

static bool
predict_all(CxcliContext *context, CxPredictor *predictor, CxBox box,
            bool boundary, CxcliSlabWriter *writer, double *seconds,
            GError **error)
{
    int64_t depth = slab_depth(context, predictor, box);

    for (int64_t z = box.lo.z; z < box.hi.z; z += depth) {
        CxBox slab = box;
        double whole = (double)(box.hi.z - box.lo.z);

        slab.lo.z = z;
        slab.hi.z = MIN(z + depth, box.hi.z);
        cx_job_stage(context->job, "predicting",
                     (double)(slab.lo.z - box.lo.z) / whole,
                     (double)(slab.hi.z - box.lo.z) / whole);
        if (!predict_slab(context, predictor, slab, boundary, writer, seconds,
                          error))
            return false;
    }
    return true;
}

static CxcliSlabWriter *
open_writer(CxcliContext *context, CxVolume *volume, CxBox box,
            unsigned n_channels, GError **error)
{
    CxWriterOptions options = cx_writer_options_over(volume, box);

    options.n_channels = n_channels;
    options.overwrite = context->force;
    options.slab_bytes = slab_bytes(context);
    return cxcli_slab_writer_new(context->args[1], &options, error);
}

static bool
find_channel(const CxcliContext *context, bool *boundary, GError **error)
{
    const char *channel = cxcli_text(context, "channel", NULL);

    *boundary = channel != NULL;
    if (channel == NULL || strcmp(channel, "boundary") == 0)
        return true;
    cxcli_set_usage_error(
        error, "--channel: found \"%s\", expected \"boundary\"", channel);
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    bool boundary;
    CxBox box;
    double seconds = 0.0;
    size_t n_voxels = 0;

    if (!cxcli_check_output(context, context->args[1], inputs, error) ||
        !find_channel(context, &boundary, error))
        return false;
    g_autoptr(CxVolume) volume =
        cx_volume_open(context->args[0], context->job, error);
    if (volume == NULL || !cxcli_find_box(context, volume, &box, error))
        return false;
    cx_volume_limit_cache(volume, slab_bytes(context));
    g_autoptr(CxPredictor) predictor =
        cxcli_make_predictor(context, volume, error);
    if (predictor == NULL)
        return false;
    unsigned n_outputs = cx_network_n_outputs(cx_predictor_network(predictor));
    g_autoptr(CxcliSlabWriter) writer =
        open_writer(context, volume, box, boundary ? 1 : n_outputs, error);
    if (writer == NULL ||
        !predict_all(context, predictor, box, boundary, writer, &seconds,
                     error) ||
        !cxcli_slab_writer_finish(writer, NULL, error))
        return false;
    cx_box_n_voxels(box, &n_voxels);
    cxcli_report_real(context->report, "mvox_per_s",
                      (double)n_voxels * 1e-6 / seconds);
    cxcli_report_real(context->report, "seconds", seconds);
    cxcli_report_text(context->report, "isa", cx_predictor_isa(predictor));
    cxcli_report_text(context->report, "type", cx_predictor_type(predictor));
    cxcli_report_integer(context->report, "peak_bytes",
                         (int64_t)cxcli_peak_bytes());
    return true;
}

static const CxcliOption options_table[] = {
    {"model", CXCLI_TEXT, "M",
     "fib, sstem, or a file (default: by voxel size)"},
    {"isa", CXCLI_TEXT, "I",
     "c, avx2, avx512, vnni, amx (default: the best present)"},
    {"type", CXCLI_TEXT, "T",
     "auto (int8 where it can), fp32, bf16 (AMX only), int8"},
    {"box", CXCLI_BOX, "BOX", "only this part"},
    {"channel", CXCLI_TEXT, "NAME",
     "boundary: one membrane map, 255 = membrane"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_predict = {
    .name = "predict",
    .usage = "VOLUME OUT",
    .summary = "Run the network over a volume",
    .text = "Writes the outputs as uint8, channel first, 255 = 1.0.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
