/* The synthetic sample as files.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/sample.h"

#include "core/base/error.h"
#include "core/volume/writer.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

/* Writes one chunk as a data set; those of the file `keep` come along. */
static bool
write_chunk(CxChunk *chunk, CxNm voxel_nm, bool is_labels, const char *path,
            const char *keep, bool overwrite, CxJob *job, GError **error)
{
    CxNm origin = {0.0, 0.0, 0.0};
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, voxel_nm, origin, is_labels);
    CxWriterOptions options = {
        .dtype = cx_chunk_dtype(chunk),
        .is_labels = is_labels,
        .keep = keep,
        .overwrite = overwrite,
    };

    return cx_writer_copy(volume, cx_volume_bounds(volume, 0), path, &options,
                          job, NULL, error);
}

bool
cx_sample_write(const CxSyntheticOptions *options, const char *path,
                bool overwrite, CxChunk **image, unsigned *n_neurons,
                CxJob *job, GError **error)
{
    g_autofree char *first =
        g_strdup_printf("%s.partial-%08x.h5", path, (unsigned)g_random_int());
    g_autoptr(CxChunk) raw = NULL;
    g_autoptr(CxChunk) labels = NULL;
    struct stat found;

    if (!overwrite && lstat(path, &found) == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_EXISTS, "%s is already there",
                    path);
        return false;
    }
    if (!cx_synthetic_draw(options, &raw, &labels, n_neurons, job, error))
        return false;
    bool ok = write_chunk(raw, options->voxel_nm, false, first, NULL, false,
                          job, error) &&
              write_chunk(labels, options->voxel_nm, true, path, first,
                          overwrite, job, error);
    g_unlink(first);
    if (ok && image != NULL)
        *image = g_steal_pointer(&raw);
    return ok;
}
