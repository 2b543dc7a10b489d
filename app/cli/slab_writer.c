/* Writes slabs of any depth.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/slab_writer.h"

#include <string.h>

struct CxcliSlabWriter {
    CxWriter *writer;
    CxWriterOptions options;
    CxChunk *pending; /* the writer's next slab while it fills, or NULL */
    int64_t next_z;   /* the next section to come */
};

CxcliSlabWriter *
cxcli_slab_writer_new(const char *path, const CxWriterOptions *options,
                      GError **error)
{
    CxWriter *writer = cx_writer_new(path, options, error);

    if (writer == NULL)
        return NULL;
    CxcliSlabWriter *self = g_new0(CxcliSlabWriter, 1);
    self->writer = writer;
    self->options = *options;
    self->options.n_channels = MAX(options->n_channels, 1);
    return self;
}

void
cxcli_slab_writer_free(CxcliSlabWriter *self)
{
    cx_writer_free(self->writer);
    g_clear_pointer(&self->pending, cx_chunk_unref);
    g_free(self);
}

/* Makes room for the slab that holds section next_z. */
static bool
start_slab(CxcliSlabWriter *self, GError **error)
{
    int64_t depth = cx_writer_slab(self->writer);
    CxBox box = cx_box_of_size(self->options.size);

    box.lo.z = self->next_z;
    box.hi.z = MIN(self->next_z + depth, self->options.size.z);
    self->pending =
        cx_chunk_new(self->options.dtype, box, self->options.n_channels, error);
    return self->pending != NULL;
}

/* Copies n sections from section `at` of a slab, channel by channel. */
static void
copy_sections(CxcliSlabWriter *self, const CxChunk *slab, int64_t at, int64_t n)
{
    CxBox from = cx_chunk_box(slab), to = cx_chunk_box(self->pending);
    size_t section = (size_t)(self->options.size.x * self->options.size.y) *
                     cx_dtype_size_bytes(self->options.dtype);
    size_t from_depth = (size_t)(from.hi.z - from.lo.z);
    size_t to_depth = (size_t)(to.hi.z - to.lo.z);
    const char *source = cx_chunk_data(slab);
    char *target = cx_chunk_data_mut(self->pending);

    for (unsigned c = 0; c < self->options.n_channels; c++)
        memcpy(target +
                   (c * to_depth + (size_t)(self->next_z - to.lo.z)) * section,
               source + (c * from_depth + (size_t)at) * section,
               (size_t)n * section);
}

bool
cxcli_slab_writer_put(CxcliSlabWriter *self, const CxChunk *slab,
                      GError **error)
{
    CxBox box = cx_chunk_box(slab);
    int64_t depth = box.hi.z - box.lo.z;

    for (int64_t at = 0; at < depth;) {
        if (self->pending == NULL && !start_slab(self, error))
            return false;
        int64_t end = cx_chunk_box(self->pending).hi.z;
        int64_t n = MIN(depth - at, end - self->next_z);
        copy_sections(self, slab, at, n);
        at += n;
        self->next_z += n;
        if (self->next_z < end)
            continue;
        g_autoptr(CxChunk) full = g_steal_pointer(&self->pending);
        if (!cx_writer_write(self->writer, full, error))
            return false;
    }
    return true;
}

bool
cxcli_slab_writer_finish(CxcliSlabWriter *self, uint64_t *size_bytes,
                         GError **error)
{
    return cx_writer_finish(self->writer, size_bytes, error);
}
