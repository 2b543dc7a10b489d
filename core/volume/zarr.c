/* Zarr arrays and OME-NGFF multiscales.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/zarr.h"

#include "core/base/error.h"
#include "core/volume/axes.h"
#include "core/volume/chunk_cache.h"
#include "core/volume/ngff.h"
#include "core/volume/reader_util.h"
#include "core/volume/zarr_array.h"

#include <string.h>

#define CACHE_BYTES ((size_t)64 << 20)
#define MAX_DEPTH 6
#define MAX_LISTED 1024

typedef struct {
    CxZarrArray *array;
    CxAxes axes;
} Level;

typedef struct {
    unsigned n_levels;
    Level levels[CX_MAX_LEVELS];
    CxDtype dtype;
    CxChunkCache *blocks; /* decoded ones, in the order of the file */
} ZarrVolume;

static bool
has_file(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static bool
probe(const char *path)
{
    static const char *const suffixes[] = {".zarr", NULL};

    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return false;
    return has_file(path, ".zarray") || has_file(path, ".zgroup") ||
           has_file(path, ".zattrs") || has_file(path, "zarr.json") ||
           cx_reader_has_suffix(path, suffixes);
}

static void
free_volume(void *data)
{
    ZarrVolume *self = data;

    for (unsigned i = 0; i < self->n_levels; i++)
        cx_zarr_array_free(self->levels[i].array);
    cx_chunk_cache_free(self->blocks);
    g_free(self);
}

static bool
take_axes(Level *level, const CxNgff *ngff, const char *where, GError **error)
{
    CxAxes *axes = &level->axes;
    const char *const *names = cx_zarr_array_names(level->array);

    axes->rank = cx_zarr_array_rank(level->array);
    memcpy(axes->dims, cx_zarr_array_shape(level->array),
           (size_t)axes->rank * sizeof axes->dims[0]);
    if (ngff != NULL && ngff->n_axes == axes->rank)
        names = (const char *const *)ngff->names;
    if ((names != NULL && cx_axes_by_names(axes, names)) ||
        cx_axes_by_rank(axes))
        return true;
    g_autofree char *shape = cx_axes_describe(axes);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: shape %s, expected z, y, x and at most one more axis of "
                "channels",
                where, shape);
    return false;
}

/* Opens one array as the next level. */
static bool
add_level(ZarrVolume *self, const char *dir, const CxNgff *ngff,
          CxVolumeInfo *info, GError **error)
{
    Level *level = &self->levels[self->n_levels];
    CxLevel *out = &info->levels[self->n_levels];
    unsigned n_channels;

    level->array = cx_zarr_array_open(dir, error);
    if (level->array == NULL)
        return false;
    self->n_levels++;
    info->dtype = cx_zarr_array_dtype(level->array);
    if (!take_axes(level, ngff, dir, error) ||
        !cx_axes_check(&level->axes, dir, info->dtype, &out->size, &n_channels,
                       error))
        return false;

    CxAxes blocks = level->axes;
    memcpy(blocks.dims, cx_zarr_array_block_shape(level->array),
           (size_t)blocks.rank * sizeof blocks.dims[0]);
    uint64_t x = cx_axes_length(&blocks, CX_AXIS_X);
    uint64_t y = cx_axes_length(&blocks, CX_AXIS_Y);
    uint64_t z = cx_axes_length(&blocks, CX_AXIS_Z);
    out->chunk_size = (CxVoxel){(int64_t)x, (int64_t)y, (int64_t)z};
    if (self->n_levels == 1) {
        info->n_channels = n_channels;
        self->dtype = info->dtype;
    } else if (info->n_channels != n_channels || self->dtype != info->dtype) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: %u channels of %s, expected %u of %s as level 0", dir,
                    n_channels, cx_dtype_name(info->dtype), info->n_channels,
                    cx_dtype_name(self->dtype));
        return false;
    }
    return true;
}

static bool
is_safe(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    return path[0] != '/' && !g_strv_contains((const char *const *)parts, "..");
}

static bool
open_multiscale(ZarrVolume *self, const char *dir, const CxNgff *ngff,
                CxVolumeInfo *info, GError **error)
{
    for (int i = 0; i < ngff->n_levels; i++) {
        g_autofree char *level = g_build_filename(dir, ngff->paths[i], NULL);

        if (!is_safe(ngff->paths[i])) {
            g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                        "%s: level %d lies outside the folder", dir, i);
            return false;
        }
        if (!add_level(self, level, ngff, info, error))
            return false;

        const CxAxes *axes = &self->levels[i].axes;
        info->levels[i].voxel_nm = cx_axes_order_nm(axes, ngff->scale[i], 1);
        if (i == 0)
            info->offset_nm = cx_axes_order_nm(axes, ngff->corner, 0);
    }
    info->has_voxel_size = ngff->has_scale;
    return true;
}

static void
take_plain_geometry(const char *dir, const CxAxes *axes, CxVolumeInfo *info)
{
    double nm[3], offset[3];
    int n = axes->axis[CX_AXIS_Z] < 0 ? 2 : 3;

    info->has_voxel_size = cx_ngff_read_plain(dir, n, nm, offset);
    if (!info->has_voxel_size)
        return;
    info->levels[0].voxel_nm = cx_axes_order_nm(axes, nm, 1);
    info->offset_nm = cx_axes_order_nm(axes, offset, 0);
}

static void
add_found(GPtrArray *list, const char *root, const char *relative)
{
    g_autofree char *dir = g_build_filename(root, relative, NULL);
    g_autofree char *path = g_strconcat("/", relative, NULL);
    g_autoptr(CxNgff) ngff = cx_ngff_read(dir, NULL);
    g_autofree char *first = ngff != NULL
                                 ? g_build_filename(dir, ngff->paths[0], NULL)
                                 : g_strdup(dir);
    g_autoptr(CxZarrArray) array = cx_zarr_array_open(first, NULL);
    Level level = {.array = array};
    unsigned n_channels;
    CxVoxel size;

    if (array == NULL || !take_axes(&level, ngff, dir, NULL))
        return;
    CxDtype dtype = cx_zarr_array_dtype(array);
    if (cx_axes_check(&level.axes, dir, dtype, &size, &n_channels, NULL))
        g_ptr_array_add(
            list,
            cx_dataset_info_new(relative[0] != '\0' ? path : "", size, dtype,
                                cx_reader_guess_labels(dir, relative, dtype)));
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return cx_reader_compare_names(*(const char *const *)a,
                                   *(const char *const *)b);
}

/* Arrays and multiscale groups below root/relative. */
static void
walk(GPtrArray *list, const char *root, const char *relative, int depth)
{
    g_autofree char *dir = g_build_filename(root, relative, NULL);
    g_autoptr(CxNgff) ngff = cx_ngff_read(dir, NULL);
    bool is_array = has_file(dir, ".zarray") || cx_ngff_is_array(dir);
    const char *name;

    if (ngff != NULL || is_array)
        add_found(list, root, relative);
    if (is_array || depth >= MAX_DEPTH || list->len >= MAX_LISTED)
        return;

    g_autoptr(GDir) handle = g_dir_open(dir, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    while (handle != NULL && (name = g_dir_read_name(handle)) != NULL &&
           names->len < MAX_LISTED) {
        g_autofree char *child = g_build_filename(dir, name, NULL);

        if (name[0] != '.' && g_file_test(child, G_FILE_TEST_IS_DIR) &&
            !(ngff != NULL && cx_ngff_has_level(ngff, name)))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *child =
            relative[0] != '\0'
                ? g_build_filename(relative, names->pdata[i], NULL)
                : g_strdup(names->pdata[i]);

        walk(list, root, child, depth + 1);
    }
}

static GPtrArray *
list(const char *path, GError **error)
{
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify)cx_dataset_info_free);

    walk(found, path, "", 0);
    if (found->len > 0)
        return g_steal_pointer(&found);
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: no Zarr array of numbers with two axes or more in it",
                path);
    return NULL;
}

/* The folder of what was asked for, or of the most image-like. */
static char *
find_target(const char *path, const char *dataset, GError **error)
{
    g_autofree char *dir =
        g_build_filename(path, dataset != NULL ? dataset : "", NULL);
    g_autoptr(CxNgff) ngff = NULL;

    if (dataset != NULL && !is_safe(dataset + 1)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND, "%s: no data set %s",
                    path, dataset);
        return NULL;
    }
    if (has_file(dir, ".zarray") || cx_ngff_is_array(dir))
        return g_steal_pointer(&dir);
    ngff = cx_ngff_read(dir, NULL);
    if (ngff != NULL)
        return g_steal_pointer(&dir);

    g_autoptr(GError) reason = NULL;
    cx_ngff_read(dir, &reason);
    if (reason != NULL && g_error_matches(reason, CX_ERROR, CX_ERROR_FORMAT)) {
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
    }
    if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND, "%s: no data set %s",
                    path, dataset);
        return NULL;
    }
    g_autoptr(GPtrArray) found = list(dir, error);
    if (found == NULL)
        return NULL;
    return g_build_filename(dir, cx_reader_choose(found)->path, NULL);
}

static bool
open_in(ZarrVolume *self, const char *path, const char *dataset,
        CxVolumeInfo *info, GError **error)
{
    g_autofree char *dir = find_target(path, dataset, error);

    if (dir == NULL)
        return false;
    g_autoptr(CxNgff) ngff = cx_ngff_read(dir, NULL);
    if (ngff != NULL) {
        if (!open_multiscale(self, dir, ngff, info, error))
            return false;
    } else {
        if (!add_level(self, dir, NULL, info, error))
            return false;
        take_plain_geometry(dir, &self->levels[0].axes, info);
    }
    info->n_levels = self->n_levels;
    info->is_labels = (ngff != NULL && ngff->is_labels) ||
                      cx_reader_guess_labels(
                          path, dataset != NULL ? dataset : "", info->dtype);
    self->blocks = cx_chunk_cache_new(CACHE_BYTES);
    return true;
}

static void *
open_volume(const char *path, const char *dataset, CxVolumeInfo *info,
            CxJob *job, GError **error)
{
    ZarrVolume *self = g_new0(ZarrVolume, 1);

    if (open_in(self, path, dataset, info, error))
        return self;
    free_volume(self);
    return NULL;
}

/* idx: of the block along x, y, z; channel blocks count in level units. */
static CxChunk *
get_block(ZarrVolume *self, unsigned level, CxChunkIdx idx, uint64_t c_block,
          GError **error)
{
    const CxAxes *axes = &self->levels[level].axes;
    int64_t along[CX_N_AXES] = {idx.x, idx.y, idx.z, (int64_t)c_block};
    uint64_t in_file[CX_MAX_RANK] = {0};
    CxChunkKey key = {(uint32_t)c_block + 1, level, idx};
    CxChunk *block = cx_chunk_cache_lookup(self->blocks, &key);

    if (block != NULL)
        return block;
    for (int a = 0; a < CX_N_AXES; a++) {
        if (axes->axis[a] >= 0)
            in_file[axes->axis[a]] = (uint64_t)along[a];
    }
    block = cx_zarr_array_read(self->levels[level].array, in_file, error);
    if (block != NULL)
        cx_chunk_cache_insert(self->blocks, &key, block);
    return block;
}

/* Copies what box and the block share. */
static void
copy_block(const Level *level, const CxChunk *block, CxBox block_box,
           unsigned c_lo, unsigned c_hi, CxChunk *dst)
{
    CxBox common = cx_box_intersect(block_box, cx_chunk_box(dst));
    const size_t *steps = cx_zarr_array_steps(level->array);
    size_t step[CX_N_AXES] = {0};

    for (int a = 0; a < CX_N_AXES; a++) {
        if (level->axes.axis[a] >= 0)
            step[a] = steps[level->axes.axis[a]];
    }
    size_t skip = (size_t)(common.lo.x - block_box.lo.x) * step[CX_AXIS_X] +
                  (size_t)(common.lo.y - block_box.lo.y) * step[CX_AXIS_Y] +
                  (size_t)(common.lo.z - block_box.lo.z) * step[CX_AXIS_Z];
    const uint8_t *from = cx_chunk_data(block);
    cx_axes_copy(dst, common, c_lo, c_hi,
                 from + skip * cx_dtype_size_bytes(cx_chunk_dtype(block)),
                 step);
}

static bool
read_box(void *data, unsigned number, CxBox box, CxChunk *dst, CxJob *job,
         GError **error)
{
    ZarrVolume *self = data;
    const Level *level = &self->levels[number];
    CxAxes grid = level->axes;
    unsigned n_channels = cx_chunk_n_channels(dst);

    memcpy(grid.dims, cx_zarr_array_block_shape(level->array),
           (size_t)grid.rank * sizeof grid.dims[0]);
    uint64_t per_block = cx_axes_length(&grid, CX_AXIS_C);
    CxVoxel size = {(int64_t)cx_axes_length(&grid, CX_AXIS_X),
                    (int64_t)cx_axes_length(&grid, CX_AXIS_Y),
                    (int64_t)cx_axes_length(&grid, CX_AXIS_Z)};
    CxBox blocks = cx_box_chunks(box, size);
    CxVoxel n = cx_box_size(blocks);
    int64_t total = n.x * n.y * n.z;

    for (uint64_t c = 0; c < n_channels; c += per_block) {
        unsigned c_hi = (unsigned)MIN(c + per_block, n_channels);

        for (int64_t i = 0; i < total; i++) {
            CxChunkIdx idx = {blocks.lo.x + i % n.x,
                              blocks.lo.y + i / n.x % n.y,
                              blocks.lo.z + i / n.x / n.y};
            CxVoxel lo = {idx.x * size.x, idx.y * size.y, idx.z * size.z};
            CxBox block_box = {lo,
                               {lo.x + size.x, lo.y + size.y, lo.z + size.z}};
            g_autoptr(CxChunk) block =
                get_block(self, number, idx, c / per_block, error);

            if (block == NULL)
                return false;
            copy_block(level, block, block_box, (unsigned)c, c_hi, dst);
            if (cx_job_is_cancelled(job))
                return cx_job_step(job, 0, 1, error);
        }
    }
    return true;
}

static void
limit_cache(void *self, size_t n_bytes)
{
    cx_chunk_cache_set_capacity(((ZarrVolume *)self)->blocks, n_bytes);
}

const CxReader cx_zarr_reader = {
    .name = "zarr",
    .probe = probe,
    .open = open_volume,
    .list = list,
    .read = read_box,
    .free = free_volume,
    .limit_cache = limit_cache,
};
