/* convert: any volume to any format.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *out = context->args[1];
    double start = cxcli_seconds();
    CxBox box;
    CxNm voxel_nm;
    size_t n_voxels = 0;
    uint64_t size_bytes = 0;

    if (!cxcli_check_output(context, out, inputs, error))
        return false;
    g_autoptr(CxVolume) volume =
        cx_volume_open(context->args[0], context->job, error);
    if (volume == NULL || !cxcli_find_box(context, volume, &box, error))
        return false;
    if (cxcli_nm(context, "voxel-nm", &voxel_nm))
        cx_volume_set_voxel_nm(volume, voxel_nm);
    const char *dtype = cxcli_text(context, "dtype", NULL);
    CxWriterOptions options = {
        .dtype = cx_volume_dtype(volume),
        .is_labels = cx_volume_is_labels(volume),
        .dataset = cxcli_text(context, "dataset", NULL),
        .overwrite = context->force,
    };
    if (dtype != NULL && !cx_dtype_from_name(dtype, &options.dtype)) {
        cxcli_set_usage_error(error,
                              "--dtype: found \"%s\", expected uint8, uint16, "
                              "uint32, uint64, int8 … or float32",
                              dtype);
        return false;
    }
    if (!cx_writer_copy(volume, box, out, &options, context->job, &size_bytes,
                        error))
        return false;
    cx_box_n_voxels(box, &n_voxels);
    cxcli_report_integer(context->report, "voxels", (int64_t)n_voxels);
    cxcli_report_integer(context->report, "bytes", (int64_t)size_bytes);
    cxcli_report_real(context->report, "seconds", cxcli_seconds() - start);
    return true;
}

static const CxcliOption options_table[] = {
    {"box", CXCLI_BOX, "BOX", "only this part"},
    {"voxel-nm", CXCLI_NM, "X,Y,Z", "size of a voxel, in place of the file's"},
    {"dtype", CXCLI_TEXT, "TYPE", "sample type of the output"},
    {"dataset", CXCLI_TEXT, "PATH", "data set in an HDF5 output"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_convert = {
    .name = "convert",
    .usage = "IN OUT",
    .summary = "Convert a volume to another format",
    .text = "The format follows the suffix: .h5 .tif .zarr, or a folder "
            "ending in / for\nnumbered TIFF slices.",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
