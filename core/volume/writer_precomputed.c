/* Neuroglancer's precomputed volumes: raw images, labels as
 * compressed_segmentation, one scale, files without suffix (Neuroglancer asks
 * a plain web server for exactly these names).  info comes last.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/volume/block.h"
#include "core/volume/compressed_seg.h"
#include "core/volume/writer_format.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define BRICK 8

typedef struct {
    char *path;
    char *key;
    CxWriterOptions options;
    CxVoxel chunk, offset;
    bool is_compressed;
} PrecomputedWriter;

static void
free_writer(void *data)
{
    PrecomputedWriter *self = data;

    g_free(self->path);
    g_free(self->key);
    g_free(self);
}

/* voxel_offset is whole voxels only. */
static bool
find_offset(const char *path, double offset_nm, double voxel_nm,
            int64_t *offset, GError **error)
{
    double voxels = round(offset_nm / voxel_nm);

    *offset = (int64_t)CLAMP(voxels, -1e12, 1e12);
    if (fabs(voxels * voxel_nm - offset_nm) <= 1e-6 * voxel_nm)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: the corner lies at %g nm, no whole number of voxels of %g "
                "nm, which this format cannot hold; .zarr can",
                path, offset_nm, voxel_nm);
    return false;
}

static bool
check_type(const char *path, CxDtype dtype, GError **error)
{
    if (dtype != CX_DTYPE_I64 && dtype != CX_DTYPE_F64)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s: %s samples, which this format does not have; .zarr holds "
                "them",
                path, cx_dtype_name(dtype));
    return false;
}

static char *
make_key(CxNm nm)
{
    g_autofree char *x = cx_writer_format_double(nm.x);
    g_autofree char *y = cx_writer_format_double(nm.y);
    g_autofree char *z = cx_writer_format_double(nm.z);

    return g_strdup_printf("%s_%s_%s", x, y, z);
}

static void *
open_writer(const char *path, const CxWriterOptions *options, GError **error)
{
    CxNm nm = options->voxel_nm, at = options->offset_nm;
    CxVoxel offset;

    if (!check_type(path, options->dtype, error) ||
        !find_offset(path, at.x, nm.x, &offset.x, error) ||
        !find_offset(path, at.y, nm.y, &offset.y, error) ||
        !find_offset(path, at.z, nm.z, &offset.z, error))
        return NULL;

    PrecomputedWriter *self = g_new0(PrecomputedWriter, 1);
    self->path = g_strdup(path);
    self->key = make_key(nm);
    self->options = *options;
    self->offset = offset;
    self->chunk = cx_writer_cube(options);
    self->is_compressed =
        options->is_labels && options->n_channels == 1 &&
        (options->dtype == CX_DTYPE_U32 || options->dtype == CX_DTYPE_U64);
    g_autofree char *dir = g_build_filename(path, self->key, NULL);
    if (cx_writer_make_folder(dir, error))
        return self;
    free_writer(self);
    return NULL;
}

static int64_t
slab_depth(void *self)
{
    return ((PrecomputedWriter *)self)->chunk.z;
}

typedef struct {
    const PrecomputedWriter *writer;
    const CxChunk *slab;
    CxBox chunks;
} Task;

static bool
put_chunk(const PrecomputedWriter *self, CxBox box, void *samples, size_t n,
          GError **error)
{
    CxVoxel o = self->offset;
    size_t sample = cx_dtype_size_bytes(self->options.dtype);
    g_autofree char *path = g_strdup_printf(
        "%s/%s/%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT
        "-%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT,
        self->path, self->key, o.x + box.lo.x, o.x + box.hi.x, o.y + box.lo.y,
        o.y + box.hi.y, o.z + box.lo.z, o.z + box.hi.z);

    if (!self->is_compressed) {
        cx_block_to_little_endian(samples, n, sample);
        return cx_writer_put_file(path, samples, n, error);
    }
    /* a chunk of 64³ cannot outgrow the tables: at most 2 MiB of labels */
    g_autoptr(GByteArray) packed = cx_compressed_seg_encode(
        samples, cx_box_size(box), (CxVoxel){BRICK, BRICK, BRICK}, sample);
    g_assert(packed != NULL);
    return cx_writer_put_file(path, packed->data, packed->len, error);
}

static bool
write_chunk(size_t item, unsigned worker, void *data, GError **error)
{
    const Task *task = data;
    const PrecomputedWriter *self = task->writer;
    CxVoxel n = cx_box_size(task->chunks);
    CxChunkIdx idx = {(int64_t)item % n.x, (int64_t)item / n.x,
                      task->chunks.lo.z};
    CxBox box = cx_chunk_box_clipped(idx, self->chunk,
                                     cx_box_of_size(self->options.size));
    CxVoxel size = cx_box_size(box);
    size_t plane = (size_t)(size.x * size.y * size.z) *
                   cx_dtype_size_bytes(self->options.dtype);
    size_t n_bytes = plane * self->options.n_channels;
    CX_AUTOFREE uint8_t *samples = cx_try_alloc(n_bytes, 1, error);

    if (samples == NULL)
        return false;
    for (unsigned c = 0; c < self->options.n_channels; c++)
        cx_block_pack(task->slab, c, box.lo, size, samples + c * plane);
    return put_chunk(self, box, samples, n_bytes, error);
}

static bool
write_slab(void *data, const CxChunk *slab, GError **error)
{
    PrecomputedWriter *self = data;
    CxBox chunks = cx_box_chunks(cx_chunk_box(slab), self->chunk);
    CxVoxel n = cx_box_size(chunks);
    Task task = {self, slab, chunks};

    return cx_parallel_for(0, (size_t)(n.x * n.y), write_chunk, &task, NULL,
                           error);
}

static char *
describe(const PrecomputedWriter *self)
{
    const CxWriterOptions *options = &self->options;
    CxVoxel size = options->size, chunk = self->chunk, offset = self->offset;
    g_autofree char *x = cx_writer_format_double(options->voxel_nm.x);
    g_autofree char *y = cx_writer_format_double(options->voxel_nm.y);
    g_autofree char *z = cx_writer_format_double(options->voxel_nm.z);

    return g_strdup_printf(
        "{\n"
        "  \"@type\": \"neuroglancer_multiscale_volume\",\n"
        "  \"type\": \"%s\",\n"
        "  \"data_type\": \"%s\",\n"
        "  \"num_channels\": %u,\n"
        "  \"scales\": [{\n"
        "    \"key\": \"%s\",\n"
        "    \"size\": [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT "],\n"
        "    \"voxel_offset\": [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT "],\n"
        "    \"chunk_sizes\": [[%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT "]],\n"
        "    \"resolution\": [%s, %s, %s],\n"
        "    \"encoding\": \"%s\"%s\n"
        "  }]\n"
        "}\n",
        options->is_labels ? "segmentation" : "image",
        cx_dtype_name(options->dtype), options->n_channels, self->key, size.x,
        size.y, size.z, offset.x, offset.y, offset.z, chunk.x, chunk.y, chunk.z,
        x, y, z, self->is_compressed ? "compressed_segmentation" : "raw",
        self->is_compressed
            ? ",\n    \"compressed_segmentation_block_size\": [8, 8, 8]"
            : "");
}

static bool
finish(void *data, GError **error)
{
    PrecomputedWriter *self = data;
    g_autofree char *text = describe(self);
    g_autofree char *path = g_build_filename(self->path, "info", NULL);

    return cx_writer_put_file(path, text, strlen(text), error);
}

const CxWriterFormat cx_writer_precomputed = {
    .name = "precomputed",
    .is_folder = true,
    .open = open_writer,
    .slab = slab_depth,
    .write = write_slab,
    .finish = finish,
    .free = free_writer,
};
