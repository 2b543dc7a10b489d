/* HDF5 data sets, read in this process.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/hdf5_local.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/volume/axes.h"
#include "core/volume/hdf5_file.h"
#include "core/volume/reader_util.h"

#include <string.h>
#include <time.h>

#define MAX_CHUNK_BYTES ((hsize_t)1 << 30)
#define MAX_LISTED 4096
#define LIST_US 400000 /* a helper that takes twice as long is ended */

typedef struct {
    char *where; /* "a.h5:/volumes/raw" */
    hid_t file;
    hid_t dataset;
    hid_t memory_type;
    CxDtype dtype;
    CxAxes axes;
} Hdf5Volume;

static const char *const suffixes[] = {".h5", ".hdf", ".hdf5", ".he5", NULL};

/* The signature may stand behind a user block of 512, 1024, … bytes. */
static bool
probe(const char *path)
{
    static const char signature[8] = "\211HDF\r\n\032\n";
    g_autofree char *head = g_malloc(8192 + 8);

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return false;
    if (cx_reader_has_suffix(path, suffixes))
        return true;

    size_t n = cx_reader_peek(path, head, 8192 + 8);
    for (size_t at = 0; at + 8 <= n; at = at == 0 ? 512 : at * 2) {
        if (memcmp(head + at, signature, 8) == 0)
            return true;
    }
    return false;
}

/* Axes by the keys of ilastik's axistags; false if they do not fit. */
static bool
assign_by_tags(CxAxes *axes, hid_t dataset)
{
    g_autofree char *text = cx_hdf5_attribute_string(dataset, "axistags");
    const char *names[CX_MAX_RANK];

    if (text == NULL)
        return false;
    g_autoptr(JsonNode) root =
        cx_json_parse(text, strlen(text), "axistags", NULL);
    JsonArray *tags = cx_json_get_array(cx_json_object(root), "axes");
    if (tags == NULL || (int)json_array_get_length(tags) != axes->rank)
        return false;
    for (int i = 0; i < axes->rank; i++) {
        JsonNode *node = json_array_get_element(tags, (guint)i);

        names[i] = cx_json_get_string(cx_json_object(node), "key");
    }
    return cx_axes_by_names(axes, names);
}

static bool
read_axes(hid_t dataset, CxAxes *axes, const char *where, GError **error)
{
    CX_HID space = H5Dget_space(dataset);
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    hsize_t dims[CX_MAX_RANK];

    if (rank < 2 || rank > CX_MAX_RANK) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %d axes, expected 2 to 5 (z, y, x and channels)",
                    where, MAX(rank, 0));
        return false;
    }
    H5Sget_simple_extent_dims(space, dims, NULL);
    axes->rank = rank;
    for (int i = 0; i < rank; i++)
        axes->dims[i] = dims[i];
    if (assign_by_tags(axes, dataset) || cx_axes_by_rank(axes))
        return true;

    g_autofree char *shape = cx_axes_describe(axes);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: shape %s, expected z, y, x and at most one more axis of "
                "channels",
                where, shape);
    return false;
}

static void
fill_chunk_size(hid_t dataset, const CxAxes *axes, CxLevel *level,
                hsize_t *chunk_bytes)
{
    CX_HID plist = H5Dget_create_plist(dataset);
    hsize_t dims[CX_MAX_RANK];
    int64_t chunk[3] = {level->size.x, level->size.y, 1};

    *chunk_bytes = 0;
    if (plist >= 0 && H5Pget_layout(plist) == H5D_CHUNKED &&
        H5Pget_chunk(plist, CX_MAX_RANK, dims) == axes->rank) {
        CX_HID type = H5Dget_type(dataset);

        *chunk_bytes = H5Tget_size(type);
        for (int i = 0; i < axes->rank; i++) {
            if (__builtin_mul_overflow(*chunk_bytes, dims[i], chunk_bytes))
                *chunk_bytes = HSIZE_UNDEF;
        }
        for (int i = 0; i < 3; i++)
            chunk[i] = axes->axis[i] < 0 ? 1
                                         : (int64_t)MIN(dims[axes->axis[i]],
                                                        (hsize_t)INT64_MAX);
    }
    level->chunk_size = (CxVoxel){CLAMP(chunk[0], 1, level->size.x),
                                  CLAMP(chunk[1], 1, level->size.y),
                                  CLAMP(chunk[2], 1, level->size.z)};
}

/* A value for each spatial axis, in the order of the data set's axes. */
static bool
read_spatial(hid_t dataset, const CxAxes *axes, const char *name, CxNm *nm)
{
    unsigned n = axes->axis[CX_AXIS_Z] < 0 ? 2 : 3;
    double values[3];

    if (cx_hdf5_attribute_doubles(dataset, name, values, n)) {
        *nm = cx_axes_order_nm(axes, values, 1);
        return true;
    }
    if (n == 3 || !cx_hdf5_attribute_doubles(dataset, name, values, 3))
        return false;
    *nm = (CxNm){values[2], values[1], values[0]}; /* a 3-D one on 2-D */
    return true;
}

static void
read_geometry(hid_t dataset, const CxAxes *axes, CxVolumeInfo *info)
{
    CxNm *nm = &info->levels[0].voxel_nm;

    info->has_voxel_size = read_spatial(dataset, axes, "resolution", nm) ||
                           read_spatial(dataset, axes, "voxel_size", nm);
    if (!info->has_voxel_size &&
        read_spatial(dataset, axes, "element_size_um", nm)) {
        *nm = (CxNm){nm->x * 1e3, nm->y * 1e3, nm->z * 1e3};
        info->has_voxel_size = true;
    }
    if (!read_spatial(dataset, axes, "offset", &info->offset_nm))
        info->offset_nm = (CxNm){0, 0, 0};
}

/* Fills info and layout from an open data set, checking all of it. */
static bool
describe(hid_t dataset, const char *path, const char *name, const char *where,
         CxAxes *axes, CxVolumeInfo *info, GError **error)
{
    CX_HID type = H5Dget_type(dataset);
    hsize_t chunk_bytes;

    if (type < 0 || !cx_hdf5_dtype(type, &info->dtype)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: samples are no numbers, expected integers of up to "
                    "64 bits or floats",
                    where);
        return false;
    }
    if (!read_axes(dataset, axes, where, error) ||
        !cx_axes_check(axes, where, info->dtype, &info->levels[0].size,
                       &info->n_channels, error))
        return false;
    info->n_levels = 1;
    fill_chunk_size(dataset, axes, &info->levels[0], &chunk_bytes);
    if (chunk_bytes > MAX_CHUNK_BYTES) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "%s: its chunks have %" G_GUINT64_FORMAT
                    " bytes each, expected at most 1 GiB",
                    where, (guint64)chunk_bytes);
        return false;
    }
    read_geometry(dataset, axes, info);
    info->is_labels = cx_reader_guess_labels(path, name, info->dtype);
    return true;
}

/* Processor time: other work on the machine does not shorten a list. */
static int64_t
thread_time_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

typedef struct {
    const char *path;
    hid_t file;
    GPtrArray *list;
    int64_t end_us; /* files of a million groups are looked at in part */
} Walk;

static herr_t
visit(hid_t root, const char *name, const H5O_info_t *object, void *data)
{
    Walk *walk = data;
    CxVolumeInfo info = {0};
    CxAxes axes;

    if (thread_time_us() > walk->end_us)
        return 1;
    if (object->type != H5O_TYPE_DATASET)
        return 0;
    CX_HID dataset = cx_hdf5_open_object(root, name);
    if (dataset < 0)
        return 0;

    g_autofree char *full = g_strconcat("/", name, NULL);
    if (g_utf8_validate(full, -1, NULL) &&
        describe(dataset, walk->path, full, full, &axes, &info, NULL))
        g_ptr_array_add(walk->list,
                        cx_dataset_info_new(full, info.levels[0].size,
                                            info.dtype, info.is_labels));
    return walk->list->len < MAX_LISTED ? 0 : 1;
}

/* Under the lock. */
static GPtrArray *
list_datasets(hid_t file, const char *path)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_dataset_info_free);
    Walk walk = {path, file, list, thread_time_us() + LIST_US};

    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &walk, H5O_INFO_BASIC);
    return list;
}

static GPtrArray *
list(const char *path, GError **error)
{
    GPtrArray *found = NULL;

    cx_hdf5_lock();
    CX_HID file = cx_hdf5_open_file(path, error);
    if (file >= 0)
        found = list_datasets(file, path);
    if (found != NULL && found->len == 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: no data set of numbers with two axes or more in it",
                    path);
        g_clear_pointer(&found, g_ptr_array_unref);
    }
    if (file >= 0)
        H5Fclose(file);
    file = -1;
    cx_hdf5_unlock();
    return found;
}

static char *
choose_dataset(hid_t file, const char *path, GError **error)
{
    g_autoptr(GPtrArray) all = list_datasets(file, path);
    const CxDatasetInfo *best = cx_reader_choose(all);

    if (best == NULL)
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: no data set of numbers with two axes or more in it",
                    path);
    return best != NULL ? g_strdup(best->path) : NULL;
}

/* "; it has /a, /b": what the file offers instead. */
static char *
describe_content(hid_t file, const char *path)
{
    g_autoptr(GPtrArray) all = list_datasets(file, path);
    GString *text = g_string_new(all->len > 0 ? "; it has " : "");

    for (guint i = 0; i < MIN(all->len, 8); i++) {
        const CxDatasetInfo *info = g_ptr_array_index(all, i);

        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", info->path);
    }
    if (all->len > 8)
        g_string_append(text, ", …");
    return g_string_free(text, FALSE);
}

static hid_t
open_dataset(hid_t file, const char *path, const char *name, GError **error)
{
    CX_HID object = cx_hdf5_open_object(file, name);

    if (object >= 0 && H5Iget_type(object) == H5I_DATASET) {
        CX_HID access = H5Pcreate(H5P_DATASET_ACCESS);

        H5Pset_chunk_cache(access, 10007, (size_t)64 << 20, 1.0);
        H5Pset_efile_prefix(access, "/nonexistent");
        hid_t dataset = H5Dopen2(object, ".", access);
        if (dataset >= 0)
            return dataset;
        H5Iinc_ref(object);
        return object;
    }

    g_autofree char *content = describe_content(file, path);
    g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND, "%s: %s %s%s", path,
                object >= 0 ? "not a data set:" : "no data set", name, content);
    return -1;
}

static void
close_volume(Hdf5Volume *self)
{
    if (self->memory_type >= 0)
        H5Tclose(self->memory_type);
    if (self->dataset >= 0)
        H5Dclose(self->dataset);
    if (self->file >= 0)
        H5Fclose(self->file);
    g_free(self->where);
    g_free(self);
}

/* Under the lock. */
static bool
open_in(Hdf5Volume *self, const char *path, const char *dataset,
        CxVolumeInfo *info, GError **error)
{
    self->file = cx_hdf5_open_file(path, error);
    if (self->file < 0)
        return false;

    g_autofree char *name = dataset != NULL
                                ? g_strdup(dataset)
                                : choose_dataset(self->file, path, error);
    if (name == NULL)
        return false;
    self->where = g_strconcat(path, ":", name, NULL);
    self->dataset = open_dataset(self->file, path, name, error);
    if (self->dataset < 0 ||
        !describe(self->dataset, path, name, self->where, &self->axes, info,
                  error) ||
        !cx_hdf5_check_storage(self->dataset, self->where, error))
        return false;

    CX_HID type = H5Dget_type(self->dataset);
    self->dtype = info->dtype;
    self->memory_type = cx_hdf5_memory_type(type, info->dtype);
    if (H5Tget_size(self->memory_type) == cx_dtype_size_bytes(info->dtype))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: samples of a type that has no equal in memory",
                self->where);
    return false;
}

static void *
open_volume(const char *path, const char *dataset, CxVolumeInfo *info,
            CxJob *job, GError **error)
{
    Hdf5Volume *self = g_new0(Hdf5Volume, 1);

    self->file = self->dataset = self->memory_type = -1;
    cx_hdf5_lock();
    if (!open_in(self, path, dataset, info, error)) {
        close_volume(self);
        self = NULL;
    }
    cx_hdf5_unlock();
    return self;
}

/* Selects box (all channels) in the file. */
static hid_t
select_in_file(const Hdf5Volume *self, CxBox box)
{
    const CxAxes *axes = &self->axes;
    int64_t lo[3] = {box.lo.x, box.lo.y, box.lo.z};
    int64_t hi[3] = {box.hi.x, box.hi.y, box.hi.z};
    hsize_t start[CX_MAX_RANK], count[CX_MAX_RANK];
    hid_t space = H5Dget_space(self->dataset);

    for (int i = 0; i < axes->rank; i++) {
        start[i] = 0;
        count[i] = axes->dims[i];
        for (int a = 0; a < 3; a++) {
            if (axes->axis[a] == i) {
                start[i] = (hsize_t)lo[a];
                count[i] = (hsize_t)(hi[a] - lo[a]);
            }
        }
    }
    if (space >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL,
                                          count, NULL) >= 0)
        return space;
    if (space >= 0)
        H5Sclose(space);
    return -1;
}

/* Selects piece inside a block of all channels over box. */
static hid_t
select_in_memory(CxBox box, CxBox piece, unsigned n_channels)
{
    CxVoxel size = cx_box_size(box), part = cx_box_size(piece);
    hsize_t dims[4] = {n_channels, (hsize_t)size.z, (hsize_t)size.y,
                       (hsize_t)size.x};
    hsize_t start[4] = {0, (hsize_t)(piece.lo.z - box.lo.z),
                        (hsize_t)(piece.lo.y - box.lo.y),
                        (hsize_t)(piece.lo.x - box.lo.x)};
    hsize_t count[4] = {n_channels, (hsize_t)part.z, (hsize_t)part.y,
                        (hsize_t)part.x};
    hid_t space = H5Screate_simple(4, dims, NULL);

    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    return space;
}

/* Copies samples in the file's axis order to where they belong in dst. */
static void
permute(const Hdf5Volume *self, const void *src, CxBox piece, CxChunk *dst)
{
    CxVoxel size = cx_box_size(piece);
    size_t n[CX_N_AXES] = {(size_t)size.x, (size_t)size.y, (size_t)size.z,
                           cx_chunk_n_channels(dst)};
    size_t step[CX_N_AXES] = {0}, run = 1;

    for (int i = self->axes.rank - 1; i >= 0; i--) {
        for (int a = 0; a < CX_N_AXES; a++) {
            if (self->axes.axis[a] == i) {
                step[a] = run;
                run *= n[a];
            }
        }
    }
    cx_axes_copy(dst, piece, 0, cx_chunk_n_channels(dst), src, step);
}

/* The next chunk in the block of chunks from first to last, row by row. */
static bool
next_chunk(hsize_t *at, const hsize_t *first, const hsize_t *last,
           const hsize_t *chunk, int rank)
{
    for (int i = rank - 1; i >= 0; i--) {
        at[i] += chunk[i];
        if (at[i] <= last[i])
            return true;
        at[i] = first[i];
    }
    return false;
}

/* False if a chunk of the selection claims more bytes than the file has: for
 * such a chunk libhdf5 takes memory, and time, before it looks. */
static bool
chunks_fit_file(hid_t dataset, hid_t in_file, int rank)
{
    CX_HID plist = H5Dget_create_plist(dataset);
    CX_HID file = H5Iget_file_id(dataset);
    hsize_t chunk[CX_MAX_RANK], first[CX_MAX_RANK], last[CX_MAX_RANK];
    hsize_t at[CX_MAX_RANK], n_stored, n_file;

    if (plist < 0 || file < 0 || H5Pget_layout(plist) != H5D_CHUNKED ||
        H5Pget_chunk(plist, CX_MAX_RANK, chunk) != rank ||
        H5Fget_filesize(file, &n_file) < 0 ||
        H5Sget_select_bounds(in_file, first, last) < 0)
        return true;
    for (int i = 0; i < rank; i++)
        first[i] = at[i] = first[i] / chunk[i] * chunk[i];
    do {
        if (H5Dget_chunk_storage_size(dataset, at, &n_stored) >= 0 &&
            n_stored > n_file)
            return false;
    } while (next_chunk(at, first, last, chunk, rank));
    return true;
}

/* Under the lock: one piece of the box of dst. */
static bool
read_piece(Hdf5Volume *self, CxBox piece, CxChunk *dst, GError **error)
{
    CX_AUTOFREE uint8_t *buffer = NULL;
    unsigned n_channels = cx_chunk_n_channels(dst);
    bool direct = cx_axes_are_natural(&self->axes);
    void *to = cx_chunk_data_mut(dst);
    size_t n = 0;

    if (!direct) {
        cx_box_n_voxels(piece, &n);
        buffer = cx_try_alloc(n * n_channels, cx_dtype_size_bytes(self->dtype),
                              error);
        if (buffer == NULL)
            return false;
        to = buffer;
    }

    CX_HID in_file = select_in_file(self, piece);
    CX_HID in_memory =
        select_in_memory(direct ? cx_chunk_box(dst) : piece, piece, n_channels);
    if (in_file < 0 || in_memory < 0 ||
        !chunks_fit_file(self->dataset, in_file, self->axes.rank) ||
        H5Dread(self->dataset, self->memory_type, in_memory, in_file,
                H5P_DEFAULT, to) < 0) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: samples at sections %" G_GINT64_FORMAT
                    " to %" G_GINT64_FORMAT
                    " cannot be read, the file is damaged or cut short",
                    self->where, piece.lo.z, piece.hi.z - 1);
        return false;
    }
    if (!direct)
        permute(self, buffer, piece, dst);
    return true;
}

#define PIECE_VOXELS ((int64_t)1 << 22)

static bool
read_box(void *data, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    Hdf5Volume *self = data;
    CxVoxel size = cx_box_size(box);
    int64_t depth = CLAMP(PIECE_VOXELS / size.x / size.y, 1, size.z);

    for (int64_t z = box.lo.z; z < box.hi.z; z += depth) {
        CxBox piece = box;

        piece.lo.z = z;
        piece.hi.z = MIN(z + depth, box.hi.z);
        cx_hdf5_lock();
        bool ok = read_piece(self, piece, dst, error);
        cx_hdf5_unlock();
        if (!ok || (cx_job_is_cancelled(job) && !cx_job_step(job, 0, 1, error)))
            return false;
    }
    return true;
}

static void
free_volume(void *self)
{
    cx_hdf5_lock();
    close_volume(self);
    cx_hdf5_unlock();
}

const CxReader cx_hdf5_local_reader = {
    .name = "hdf5",
    .probe = probe,
    .open = open_volume,
    .list = list,
    .read = read_box,
    .free = free_volume,
};
