/* OME-NGFF 0.4 (Zarr v2): one multiscales group with level "0".
 *
 * NGFF places voxels by their centres: translation = corner + half a voxel.
 * Blocks of nothing but zeros are left out.  The group's own files come last,
 * so half an export is never taken for a whole one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/volume/block.h"
#include "core/volume/codec.h"
#include "core/volume/writer_format.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *path;
    CxWriterOptions options;
    CxVoxel chunk;
} ZarrWriter;

static void
free_writer(void *data)
{
    ZarrWriter *self = data;

    g_free(self->path);
    g_free(self);
}

static void *
open_writer(const char *path, const CxWriterOptions *options, GError **error)
{
    ZarrWriter *self = g_new0(ZarrWriter, 1);
    g_autofree char *level = g_build_filename(path, "0", NULL);

    self->path = g_strdup(path);
    self->options = *options;
    self->chunk = cx_writer_cube(options);
    if (cx_writer_make_folder(level, error))
        return self;
    free_writer(self);
    return NULL;
}

static int64_t
slab_depth(void *self)
{
    return ((ZarrWriter *)self)->chunk.z;
}

typedef struct {
    const ZarrWriter *writer;
    const CxChunk *slab;
    CxVoxel n_blocks; /* z counts channels */
} Task;

static bool
put_block(const ZarrWriter *self, unsigned channel, CxVoxel idx,
          const void *bytes, size_t n, GError **error)
{
    g_autofree char *dir =
        self->options.n_channels > 1
            ? g_strdup_printf("%s/0/%u/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                              self->path, channel, idx.z, idx.y)
            : g_strdup_printf("%s/0/%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
                              self->path, idx.z, idx.y);
    g_autofree char *file = g_strdup_printf("%s/%" G_GINT64_FORMAT, dir, idx.x);

    return cx_writer_make_folder(dir, error) &&
           cx_writer_put_file(file, bytes, n, error);
}

static bool
write_block(size_t item, unsigned worker, void *data, GError **error)
{
    Task *task = data;
    const ZarrWriter *self = task->writer;
    CxVoxel chunk = self->chunk, n_blocks = task->n_blocks;
    int64_t at = (int64_t)item;
    CxVoxel idx = {at % n_blocks.x, at / n_blocks.x % n_blocks.y,
                   cx_chunk_box(task->slab).lo.z / chunk.z};
    CxVoxel lo = {idx.x * chunk.x, idx.y * chunk.y, idx.z * chunk.z};
    unsigned channel = (unsigned)(at / n_blocks.x / n_blocks.y);
    size_t sample = cx_dtype_size_bytes(self->options.dtype), n_packed;
    size_t n = (size_t)(chunk.x * chunk.y * chunk.z) * sample;
    CX_AUTOFREE uint8_t *block = cx_try_alloc(n, 1, error);
    CX_AUTOFREE void *packed = NULL;

    if (block == NULL)
        return false;
    if (!cx_block_pack(task->slab, channel, lo, chunk, block))
        return true;
    cx_block_to_little_endian(block, n, sample);
    return cx_codec_encode_blosc(block, n, sample, &packed, &n_packed, error) &&
           put_block(self, channel, idx, packed, n_packed, error);
}

static bool
write_slab(void *data, const CxChunk *slab, GError **error)
{
    ZarrWriter *self = data;
    CxVoxel size = self->options.size;
    CxVoxel n = {(size.x + self->chunk.x - 1) / self->chunk.x,
                 (size.y + self->chunk.y - 1) / self->chunk.y,
                 self->options.n_channels};
    Task task = {self, slab, n};

    return cx_parallel_for(0, (size_t)(n.x * n.y * n.z), write_block, &task,
                           NULL, error);
}

static const char *
zarr_dtype(CxDtype dtype)
{
    static const char *const names[] = {
        [CX_DTYPE_U8] = "|u1",  [CX_DTYPE_U16] = "<u2", [CX_DTYPE_U32] = "<u4",
        [CX_DTYPE_U64] = "<u8", [CX_DTYPE_I8] = "|i1",  [CX_DTYPE_I16] = "<i2",
        [CX_DTYPE_I32] = "<i4", [CX_DTYPE_I64] = "<i8", [CX_DTYPE_F32] = "<f4",
        [CX_DTYPE_F64] = "<f8",
    };

    return names[dtype];
}

static bool
put_text(const ZarrWriter *self, const char *name, const char *text,
         GError **error)
{
    g_autofree char *path = g_build_filename(self->path, name, NULL);

    return cx_writer_put_file(path, text, strlen(text), error);
}

static char *
describe_array(const ZarrWriter *self)
{
    CxVoxel size = self->options.size, chunk = self->chunk;
    unsigned n = self->options.n_channels;
    g_autofree char *channels =
        n > 1 ? g_strdup_printf("%u, ", n) : g_strdup("");

    return g_strdup_printf(
        "{\n"
        "  \"zarr_format\": 2,\n"
        "  \"shape\": [%s%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT "],\n"
        "  \"chunks\": [%s%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
        ", %" G_GINT64_FORMAT "],\n"
        "  \"dtype\": \"%s\",\n"
        "  \"compressor\": {\"id\": \"blosc\", \"cname\": \"zstd\", "
        "\"clevel\": 5, \"shuffle\": 1, \"blocksize\": 0},\n"
        "  \"fill_value\": 0,\n"
        "  \"order\": \"C\",\n"
        "  \"filters\": null,\n"
        "  \"dimension_separator\": \"/\"\n"
        "}\n",
        channels, size.z, size.y, size.x, n > 1 ? "1, " : "", chunk.z, chunk.y,
        chunk.x, zarr_dtype(self->options.dtype));
}

static char *
format_zyx(CxNm nm, const char *first)
{
    g_autofree char *z = cx_writer_format_double(nm.z);
    g_autofree char *y = cx_writer_format_double(nm.y);
    g_autofree char *x = cx_writer_format_double(nm.x);

    return g_strdup_printf("[%s%s, %s, %s]", first, z, y, x);
}

static char *
describe_group(const ZarrWriter *self)
{
    const CxWriterOptions *options = &self->options;
    CxNm nm = options->voxel_nm, offset = options->offset_nm;
    CxNm centre = {offset.x + nm.x / 2, offset.y + nm.y / 2,
                   offset.z + nm.z / 2};
    bool many = options->n_channels > 1;
    g_autofree char *scale = format_zyx(nm, many ? "1.0, " : "");
    g_autofree char *translation = format_zyx(centre, many ? "0.0, " : "");

    return g_strdup_printf(
        "{\n"
        "  \"multiscales\": [{\n"
        "    \"version\": \"0.4\",\n"
        "    \"name\": \"%s\",\n"
        "    \"axes\": [%s\n"
        "      {\"name\": \"z\", \"type\": \"space\", \"unit\": "
        "\"nanometer\"},\n"
        "      {\"name\": \"y\", \"type\": \"space\", \"unit\": "
        "\"nanometer\"},\n"
        "      {\"name\": \"x\", \"type\": \"space\", \"unit\": "
        "\"nanometer\"}],\n"
        "    \"datasets\": [{\"path\": \"0\", "
        "\"coordinateTransformations\": [\n"
        "      {\"type\": \"scale\", \"scale\": %s},\n"
        "      {\"type\": \"translation\", \"translation\": %s}]}]\n"
        "  }]%s\n"
        "}\n",
        options->is_labels ? "labels" : "image",
        many ? "\n      {\"name\": \"c\", \"type\": \"channel\"}," : "", scale,
        translation,
        options->is_labels ? ",\n  \"image-label\": {\"version\": \"0.4\"}"
                           : "");
}

static bool
finish(void *data, GError **error)
{
    ZarrWriter *self = data;
    g_autofree char *array = describe_array(self);
    g_autofree char *group = describe_group(self);

    return put_text(self, "0/.zarray", array, error) &&
           put_text(self, ".zattrs", group, error) &&
           put_text(self, ".zgroup", "{\"zarr_format\": 2}\n", error);
}

const CxWriterFormat cx_writer_zarr = {
    .name = "zarr",
    .is_folder = true,
    .open = open_writer,
    .slab = slab_depth,
    .write = write_slab,
    .finish = finish,
    .free = free_writer,
};
