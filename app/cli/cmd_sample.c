/* sample: a synthetic EM volume with true labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "core/base/error.h"
#include "core/volume/sample.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

/* 2^33 voxels: what still makes sense to draw. */
#define MAX_SIDE 8192

static bool
read_options(const CxcliContext *context, CxSyntheticOptions *options,
             GError **error)
{
    const GArray *size = cxcli_positions(context, "size");

    *options = cx_synthetic_defaults();
    options->seed = cxcli_integer(context, "seed", options->seed);
    cxcli_nm(context, "voxel-nm", &options->voxel_nm);
    if (size == NULL)
        return true;
    CxNm s = g_array_index(size, CxNm, size->len - 1);
    if (!(s.x >= 1 && s.y >= 1 && s.z >= 1 && s.x <= MAX_SIDE &&
          s.y <= MAX_SIDE && s.z <= MAX_SIDE) ||
        s.x != floor(s.x) || s.y != floor(s.y) || s.z != floor(s.z)) {
        cxcli_set_usage_error(error,
                              "--size: found \"%s\", expected whole numbers of "
                              "voxels from 1 to %d",
                              cxcli_text(context, "size", ""), MAX_SIDE);
        return false;
    }
    options->size = (CxVoxel){(int64_t)s.x, (int64_t)s.y, (int64_t)s.z};
    return true;
}

static bool
write_slices(CxcliContext *context, const CxSyntheticOptions *options,
             CxChunk *image, const char *folder, GError **error)
{
    CxNm origin = {0.0, 0.0, 0.0};
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(image, options->voxel_nm, origin, false);
    CxWriterOptions writing = {.overwrite = context->force};

    return cx_writer_copy(volume, cx_volume_bounds(volume, 0), folder, &writing,
                          context->job, NULL, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *folder = context->args[0];
    CxSyntheticOptions options;
    g_autofree char *file = g_build_filename(folder, "sample.h5", NULL);
    g_autofree char *slices = g_build_filename(folder, "slices/", NULL);
    g_autoptr(CxChunk) image = NULL;
    unsigned n_neurons = 0;

    if (!read_options(context, &options, error) ||
        !cxcli_check_output(context, file, NULL, error) ||
        !cxcli_check_output(context, slices, NULL, error))
        return false;
    if (g_mkdir_with_parents(folder, 0777) != 0) {
        cx_error_set_errno(error, errno, "cannot make the folder %s", folder);
        return false;
    }
    cx_job_stage(context->job, "drawing", 0.0, 0.9);
    if (!cx_sample_write(&options, file, context->force, &image, &n_neurons,
                         context->job, error))
        return false;
    cx_job_stage(context->job, "writing slices", 0.9, 1.0);
    if (!write_slices(context, &options, image, slices, error))
        return false;
    cxcli_report_voxel(context->report, "shape_xyz", options.size);
    cxcli_report_integer(context->report, "neurons", n_neurons);
    return true;
}

static const CxcliOption options_table[] = {
    {"size", CXCLI_VOXELS, "X,Y,Z", "voxels"},
    {"seed", CXCLI_INTEGER, "N", "same seed, same bytes"},
    {"voxel-nm", CXCLI_NM, "X,Y,Z", "size of a voxel"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_sample = {
    .name = "sample",
    .usage = "DIR",
    .summary = "Draw a synthetic EM volume with true labels",
    .text = "Writes DIR/sample.h5 (/volumes/raw, /volumes/labels/neuron_ids) "
            "and DIR/slices/\n(numbered TIFF).",
    .min_args = 1,
    .max_args = 1,
    .options = options_table,
    .run = run,
};
