/* grow: one object from one voxel, with a flood-filling network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/cli/engine.h"
#include "app/cli/slab_writer.h"
#include "core/base/error.h"
#include "core/segmentation/flood.h"

#include <math.h>

static bool
find_start(const CxcliContext *context, CxVolume *volume, CxVoxel *at,
           GError **error)
{
    g_autoptr(GArray) starts = cxcli_find_voxels(context, "at", volume, error);

    if (starts == NULL)
        return false;
    if (starts->len != 1) {
        cxcli_set_usage_error(
            error, "--at: found %u positions, expected one x,y,z", starts->len);
        return false;
    }
    *at = g_array_index(starts, CxVoxel, 0);
    return true;
}

static CxFlood *
make_flood(const CxcliContext *context, CxVolume *volume, CxBox box,
           GError **error)
{
    const char *model = cxcli_text(context, "model", NULL);
    CxFloodOptions options = {
        .box = box,
        .max_steps = cxcli_integer(context, "max-steps", 0),
        .n_threads = context->n_threads,
        .isa = cxcli_text(context, "isa", NULL),
        .type = cxcli_text(context, "type", NULL),
    };

    if (model == NULL) {
        cxcli_set_usage_error(error, "--model FILE is missing: a network that "
                                     "grows one object; none is shipped");
        return NULL;
    }
    g_autoptr(CxNetwork) network = cx_network_load(model, error);
    if (network == NULL)
        return NULL;
    cxcli_note_voxel_size(context, network, volume);
    return cx_flood_new(network, volume, &options, error);
}

static CxChunk *
label_slab(CxFlood *flood, CxBox slab, uint64_t id, GError **error)
{
    g_autoptr(CxChunk) inside = cx_flood_read(flood, slab, error);
    g_autoptr(CxChunk) labels =
        inside != NULL ? cx_chunk_new(CX_DTYPE_U64, slab, 1, error) : NULL;

    if (labels == NULL)
        return NULL;
    const uint8_t *from = cx_chunk_channel(inside, 0);
    uint64_t *to = cx_chunk_data_mut(labels);
    for (size_t i = 0; i < cx_chunk_n_voxels(labels); i++)
        to[i] = from[i] != 0 ? id : 0;
    return g_steal_pointer(&labels);
}

static bool
write_labels(CxcliContext *context, CxFlood *flood, CxVolume *volume, CxBox box,
             GError **error)
{
    CxWriterOptions options = cxcli_label_options(context, volume, box);
    uint64_t id = cxcli_integer(context, "id", 1);
    g_autoptr(CxcliSlabWriter) writer =
        cxcli_slab_writer_new(context->args[1], &options, error);

    if (writer == NULL)
        return false;
    cx_job_stage(context->job, "writing", 0.95, 1.0);
    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        CxBox slab = {{box.lo.x, box.lo.y, z}, {box.hi.x, box.hi.y, z + 1}};
        g_autoptr(CxChunk) labels = label_slab(flood, slab, id, error);

        if (labels == NULL || !cxcli_slab_writer_put(writer, labels, error) ||
            !cx_job_step(context->job, (uint64_t)(z - box.lo.z + 1),
                         (uint64_t)(box.hi.z - box.lo.z), error))
            return false;
    }
    return cxcli_slab_writer_finish(writer, NULL, error);
}

static void
report(CxcliContext *context, CxFlood *flood, double seconds)
{
    CxFloodState state = cx_flood_state(flood);

    cxcli_report_integer(context->report, "steps", (int64_t)state.steps);
    cxcli_report_integer(context->report, "voxels", (int64_t)state.n_voxels);
    cxcli_report_real(context->report, "seconds", seconds);
    cxcli_report_real(context->report, "voxels_per_s",
                      (double)state.n_voxels / fmax(seconds, 1e-9));
    cxcli_report_bool(context->report, "complete", !state.cut && !state.faded);
    cxcli_report_text(context->report, "isa", cx_flood_isa(flood));
    cxcli_report_text(context->report, "type", cx_flood_type(flood));
    cxcli_report_integer(context->report, "peak_bytes",
                         (int64_t)cxcli_peak_bytes());
}

/* What is hardly there is no object. */
static bool
check_size(const CxcliContext *context, CxFlood *flood, CxVoxel at,
           GError **error)
{
    CxFloodState state = cx_flood_state(flood);
    uint64_t least =
        cxcli_integer(context, "min-voxels", cx_flood_min_voxels(flood));
    g_autofree char *start = cxcli_voxel_text(at);

    if (state.n_voxels >= least)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                "no object grew from %s: found %" G_GUINT64_FORMAT
                " voxels after %" G_GUINT64_FORMAT
                " steps, expected at least %" G_GUINT64_FORMAT
                " (--min-voxels)",
                start, state.n_voxels, state.steps, least);
    return false;
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    CxBox box;
    CxVoxel at;

    if (!cxcli_check_output(context, context->args[1], inputs, error))
        return false;
    g_autoptr(CxVolume) volume =
        cx_volume_open(context->args[0], context->job, error);
    if (volume == NULL || !cxcli_find_box(context, volume, &box, error) ||
        !find_start(context, volume, &at, error))
        return false;
    g_autoptr(CxFlood) flood = make_flood(context, volume, box, error);
    if (flood == NULL)
        return false;
    double start = cxcli_seconds();
    cx_job_stage(context->job, "growing", 0.0, 0.95);
    if (!cx_flood_grow(flood, at, context->job, error))
        return false;
    double seconds = cxcli_seconds() - start;
    if (!check_size(context, flood, at, error) ||
        !write_labels(context, flood, volume, box, error))
        return false;
    report(context, flood, seconds);
    return true;
}

static const CxcliOption options_table[] = {
    {"model", CXCLI_TEXT, "FILE", "a network that grows one object"},
    {"at", CXCLI_VOXELS, "X,Y,Z", "a voxel of the object"},
    {"max-steps", CXCLI_INTEGER, "N", "stop after so many steps"},
    {"min-voxels", CXCLI_INTEGER, "N",
     "fail if the object is smaller (default: the model's)"},
    {"id", CXCLI_ID, "N", "its label (default 1)"},
    {"isa", CXCLI_TEXT, "I",
     "c, avx2, avx512, vnni, amx (default: the best present)"},
    {"type", CXCLI_TEXT, "T", "fp32 or bf16 (default: bf16 with AMX)"},
    {"box", CXCLI_BOX, "BOX", "the object ends here; what is written"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_grow = {
    .name = "grow",
    .usage = "VOLUME OUT --model FILE --at X,Y,Z",
    .summary = "Grow one object from a voxel with a flood-filling network",
    .text = "Writes labels, 0 outside of the object.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
