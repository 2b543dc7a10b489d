/* HDF5 in the layout of the CREMI challenge.
 *
 * Chunks are compressed by several threads and handed to libhdf5 ready made,
 * so its lock is held for the writing only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/volume/block.h"
#include "core/volume/codec.h"
#include "core/volume/hdf5_file.h"
#include "core/volume/writer_format.h"

#include <errno.h>
#include <string.h>

#define DEFLATE_LEVEL 4

typedef struct {
    char *path;
    CxWriterOptions options;
    CxVoxel chunk;
    hid_t file;
    hid_t dataset;
} Hdf5Writer;

/* Under the lock: turns libhdf5's last error into ours. */
static bool
fail(const Hdf5Writer *self, GError **error)
{
    int errnum = cx_hdf5_errno();

    cx_error_set_errno(error, errnum != 0 ? errnum : EIO, "cannot write %s",
                       self->path);
    return false;
}

static void
put_attribute_doubles(hid_t object, const char *name, CxNm nm)
{
    hsize_t n = 3;
    double values[3] = {nm.z, nm.y, nm.x};
    CX_HID space = H5Screate_simple(1, &n, NULL);
    CX_HID attribute = H5Acreate2(object, name, H5T_IEEE_F64LE, space,
                                  H5P_DEFAULT, H5P_DEFAULT);

    H5Awrite(attribute, H5T_NATIVE_DOUBLE, values);
}

static void
put_attribute_string(hid_t object, const char *name, const char *text)
{
    CX_HID type = H5Tcopy(H5T_C_S1);
    CX_HID space = H5Screate(H5S_SCALAR);

    H5Tset_size(type, strlen(text));
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    CX_HID attribute =
        H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, text);
}

static hid_t
file_type(CxDtype dtype)
{
    switch (dtype) {
    case CX_DTYPE_U8:
        return H5T_STD_U8LE;
    case CX_DTYPE_U16:
        return H5T_STD_U16LE;
    case CX_DTYPE_U32:
        return H5T_STD_U32LE;
    case CX_DTYPE_U64:
        return H5T_STD_U64LE;
    case CX_DTYPE_I8:
        return H5T_STD_I8LE;
    case CX_DTYPE_I16:
        return H5T_STD_I16LE;
    case CX_DTYPE_I32:
        return H5T_STD_I32LE;
    case CX_DTYPE_I64:
        return H5T_STD_I64LE;
    case CX_DTYPE_F32:
        return H5T_IEEE_F32LE;
    case CX_DTYPE_F64:
        return H5T_IEEE_F64LE;
    }
    return H5I_INVALID_HID;
}

static void
put_attributes(Hdf5Writer *self)
{
    const CxWriterOptions *options = &self->options;
    CxNm offset = options->offset_nm;

    if (options->keep == NULL)
        put_attribute_string(self->file, "file_format", "0.2");
    put_attribute_doubles(self->dataset, "resolution", options->voxel_nm);
    if (offset.x != 0 || offset.y != 0 || offset.z != 0)
        put_attribute_doubles(self->dataset, "offset", offset);
    if (options->n_channels > 1)
        put_attribute_string(self->dataset, "axistags",
                             "{\"axes\":[{\"key\":\"c\"},{\"key\":\"z\"},"
                             "{\"key\":\"y\"},{\"key\":\"x\"}]}");
}

/* A new file, or a copy of one whose data sets are kept.  Under the lock. */
static bool
create_file(Hdf5Writer *self, hid_t access, GError **error)
{
    const char *keep = self->options.keep;
    g_autofree char *bytes = NULL;
    size_t n;

    if (keep == NULL) {
        self->file = H5Fcreate(self->path, H5F_ACC_EXCL, H5P_DEFAULT, access);
        return self->file >= 0 || fail(self, error);
    }
    if (!g_file_get_contents(keep, &bytes, &n, NULL)) {
        cx_error_set_errno(error, errno, "cannot read %s", keep);
        return false;
    }
    if (!cx_writer_put_file(self->path, bytes, n, error))
        return false;
    self->file = H5Fopen(self->path, H5F_ACC_RDWR, access);
    return self->file >= 0 || fail(self, error);
}

/* Under the lock. */
static bool
create(Hdf5Writer *self, GError **error)
{
    const CxWriterOptions *options = &self->options;
    hsize_t dims[4] = {options->n_channels, (hsize_t)options->size.z,
                       (hsize_t)options->size.y, (hsize_t)options->size.x};
    hsize_t chunk[4] = {1, (hsize_t)self->chunk.z, (hsize_t)self->chunk.y,
                        (hsize_t)self->chunk.x};
    int skip = options->n_channels > 1 ? 0 : 1;
    CX_HID space = H5Screate_simple(4 - skip, dims + skip, NULL);
    CX_HID plist = H5Pcreate(H5P_DATASET_CREATE);
    CX_HID links = H5Pcreate(H5P_LINK_CREATE);
    CX_HID access = H5Pcreate(H5P_FILE_ACCESS);

    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_chunk(plist, 4 - skip, chunk + skip);
    H5Pset_deflate(plist, DEFLATE_LEVEL);
    H5Pset_fill_time(plist, H5D_FILL_TIME_IFSET);
    H5Pset_obj_track_times(plist, false); /* the same input, the same bytes */
    H5Pset_create_intermediate_group(links, 1);
    if (!create_file(self, access, error))
        return false;
    self->dataset =
        H5Dcreate2(self->file, options->dataset, file_type(options->dtype),
                   space, links, plist, H5P_DEFAULT);
    if (self->dataset < 0) {
        if (cx_hdf5_errno() != 0)
            return fail(self, error);
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: \"%s\" cannot be the path of a data set", self->path,
                    options->dataset);
        return false;
    }
    put_attributes(self);
    return true;
}

static void
free_writer(void *data)
{
    Hdf5Writer *self = data;

    cx_hdf5_lock();
    if (self->dataset >= 0)
        H5Dclose(self->dataset);
    if (self->file >= 0)
        H5Fclose(self->file);
    cx_hdf5_unlock();
    g_free((char *)(uintptr_t)self->options.dataset);
    g_free(self->path);
    g_free(self);
}

static void *
open_writer(const char *path, const CxWriterOptions *options, GError **error)
{
    Hdf5Writer *self = g_new0(Hdf5Writer, 1);
    const char *dataset = options->dataset;

    if (dataset == NULL)
        dataset =
            options->is_labels ? "/volumes/labels/neuron_ids" : "/volumes/raw";
    self->path = g_strdup(path);
    self->options = *options;
    self->options.dataset = g_strdup(dataset);
    self->chunk =
        (CxVoxel){MIN(options->size.x, 128), MIN(options->size.y, 128),
                  cx_writer_slab_depth(options, 32)};
    self->file = self->dataset = -1;
    cx_hdf5_lock();
    bool ok = create(self, error);
    cx_hdf5_unlock();
    if (ok)
        return self;
    free_writer(self);
    return NULL;
}

static int64_t
slab_depth(void *self)
{
    return ((Hdf5Writer *)self)->chunk.z;
}

/* The blocks of a slab, channel by channel, and what became of them. */
typedef struct {
    Hdf5Writer *writer;
    const CxChunk *slab;
    CxVoxel n_blocks; /* z counts channels */
    void **packed;
    size_t *n_packed;
} Task;

static CxVoxel
first_voxel(const Task *task, size_t item)
{
    CxVoxel chunk = task->writer->chunk;
    int64_t at = (int64_t)item;

    return (CxVoxel){at % task->n_blocks.x * chunk.x,
                     at / task->n_blocks.x % task->n_blocks.y * chunk.y,
                     cx_chunk_box(task->slab).lo.z};
}

static unsigned
channel_of(const Task *task, size_t item)
{
    return (unsigned)((int64_t)item / task->n_blocks.x / task->n_blocks.y);
}

static bool
pack_block(size_t item, unsigned worker, void *data, GError **error)
{
    Task *task = data;
    CxVoxel chunk = task->writer->chunk;
    size_t n = (size_t)(chunk.x * chunk.y * chunk.z) *
               cx_dtype_size_bytes(task->writer->options.dtype);
    CX_AUTOFREE void *block = cx_try_alloc(n, 1, error);

    if (block == NULL)
        return false;
    cx_block_pack(task->slab, channel_of(task, item), first_voxel(task, item),
                  chunk, block);
    return cx_codec_encode_zlib(block, n, DEFLATE_LEVEL, &task->packed[item],
                                &task->n_packed[item], error);
}

/* In order, so that the same input gives the same bytes. */
static bool
put_blocks(const Task *task, size_t n_items, GError **error)
{
    Hdf5Writer *self = task->writer;
    int skip = self->options.n_channels > 1 ? 0 : 1;
    bool ok = true;

    cx_hdf5_lock();
    for (size_t i = 0; ok && i < n_items; i++) {
        CxVoxel lo = first_voxel(task, i);
        hsize_t at[4] = {channel_of(task, i), (hsize_t)lo.z, (hsize_t)lo.y,
                         (hsize_t)lo.x};

        ok = H5Dwrite_chunk(self->dataset, H5P_DEFAULT, 0, at + skip,
                            task->n_packed[i], task->packed[i]) >= 0 ||
             fail(self, error);
    }
    cx_hdf5_unlock();
    return ok;
}

static bool
write_slab(void *data, const CxChunk *slab, GError **error)
{
    Hdf5Writer *self = data;
    CxVoxel size = self->options.size;
    CxVoxel n = {(size.x + self->chunk.x - 1) / self->chunk.x,
                 (size.y + self->chunk.y - 1) / self->chunk.y,
                 self->options.n_channels};
    size_t n_items = (size_t)(n.x * n.y * n.z);
    Task task = {self, slab, n, g_new0(void *, n_items),
                 g_new0(size_t, n_items)};

    bool ok = cx_parallel_for(0, n_items, pack_block, &task, NULL, error) &&
              put_blocks(&task, n_items, error);
    for (size_t i = 0; i < n_items; i++)
        cx_free(task.packed[i]);
    g_free(task.packed);
    g_free(task.n_packed);
    return ok;
}

static bool
finish(void *data, GError **error)
{
    Hdf5Writer *self = data;

    cx_hdf5_lock();
    bool ok = H5Fflush(self->file, H5F_SCOPE_GLOBAL) >= 0 || fail(self, error);
    if (ok) {
        H5Dclose(self->dataset);
        self->dataset = -1;
        ok = H5Fclose(self->file) >= 0 || fail(self, error);
        self->file = -1;
    }
    cx_hdf5_unlock();
    return ok;
}

const CxWriterFormat cx_writer_hdf5 = {
    .name = "hdf5",
    .open = open_writer,
    .slab = slab_depth,
    .write = write_slab,
    .finish = finish,
    .free = free_writer,
};
