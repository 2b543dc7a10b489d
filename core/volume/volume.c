/* What callers see of a volume: levels, reading, widening.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/volume.h"

#include "core/base/error.h"
#include "core/volume/reader.h"
#include "core/volume/samples.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>

/* A level that was added to what the source has. */
typedef struct {
    CxLevelRead read;
    void *data;
    GDestroyNotify destroy;
} AddedLevel;

struct CxVolume {
    atomic_int n_refs;
    const CxReader *reader;
    void *self;
    char *spec;
    unsigned n_source_levels;
    CxVolumeInfo info; /* levels and voxel size: under the lock */

    GMutex lock; /* guards what is said above and added */
    AddedLevel added[CX_MAX_LEVELS];

    GMutex range_lock; /* guards what follows; held while the range is made */
    bool has_range;
    double range_min, range_max;
};

static bool
is_usable_size(CxNm nm)
{
    return isfinite(nm.x) && isfinite(nm.y) && isfinite(nm.z) && nm.x > 0 &&
           nm.y > 0 && nm.z > 0;
}

/* Whatever a file says, callers get positive finite sizes. */
static void
make_sane(CxVolumeInfo *info)
{
    bool usable = info->has_voxel_size;

    for (unsigned i = 0; i < info->n_levels; i++)
        usable = usable && is_usable_size(info->levels[i].voxel_nm);
    if (!usable) {
        CxVoxel first = info->levels[0].size;

        info->has_voxel_size = false;
        for (unsigned i = 0; i < info->n_levels; i++) {
            CxVoxel size = info->levels[i].size;

            info->levels[i].voxel_nm =
                (CxNm){round((double)first.x / (double)size.x),
                       round((double)first.y / (double)size.y),
                       round((double)first.z / (double)size.z)};
        }
    }
    if (!isfinite(info->offset_nm.x) || !isfinite(info->offset_nm.y) ||
        !isfinite(info->offset_nm.z))
        info->offset_nm = (CxNm){0, 0, 0};
    if (!(info->display_max > info->display_min))
        info->has_display_range = false;
}

CxVolume *
cx_volume_new(const CxReader *reader, void *self, const CxVolumeInfo *info,
              const char *spec)
{
    CxVolume *volume = g_new0(CxVolume, 1);

    g_assert(info->n_levels >= 1 && info->n_levels <= CX_MAX_LEVELS);
    g_assert(info->n_channels >= 1);
    for (unsigned i = 0; i < info->n_levels; i++) {
        const CxLevel *level = &info->levels[i];

        g_assert(!cx_box_is_empty(cx_box_of_size(level->size)));
        g_assert(!cx_box_is_empty(cx_box_of_size(level->chunk_size)));
    }
    atomic_init(&volume->n_refs, 1);
    volume->reader = reader;
    volume->self = self;
    volume->spec = g_strdup(spec);
    volume->info = *info;
    volume->n_source_levels = info->n_levels;
    make_sane(&volume->info);
    g_mutex_init(&volume->lock);
    g_mutex_init(&volume->range_lock);
    return volume;
}

CxVolume *
cx_volume_ref(CxVolume *volume)
{
    atomic_fetch_add_explicit(&volume->n_refs, 1, memory_order_relaxed);
    return volume;
}

void
cx_volume_unref(CxVolume *volume)
{
    if (volume == NULL || atomic_fetch_sub(&volume->n_refs, 1) != 1)
        return;
    for (unsigned i = 0; i < CX_MAX_LEVELS; i++) {
        if (volume->added[i].destroy != NULL)
            volume->added[i].destroy(volume->added[i].data);
    }
    volume->reader->free(volume->self);
    g_mutex_clear(&volume->lock);
    g_mutex_clear(&volume->range_lock);
    g_free(volume->spec);
    g_free(volume);
}

const char *
cx_volume_spec(const CxVolume *volume)
{
    return volume->spec;
}

const char *
cx_volume_format(const CxVolume *volume)
{
    return volume->reader->name;
}

CxDtype
cx_volume_dtype(const CxVolume *volume)
{
    return volume->info.dtype;
}

unsigned
cx_volume_n_channels(const CxVolume *volume)
{
    return volume->info.n_channels;
}

CxNm
cx_volume_offset_nm(const CxVolume *volume)
{
    return volume->info.offset_nm;
}

bool
cx_volume_is_labels(const CxVolume *volume)
{
    return volume->info.is_labels;
}

bool
cx_volume_has_voxel_size(const CxVolume *volume)
{
    return volume->info.has_voxel_size;
}

void
cx_volume_set_voxel_nm(CxVolume *volume, CxNm nm)
{
    g_return_if_fail(is_usable_size(nm));
    g_mutex_lock(&volume->lock);
    CxNm old = volume->info.levels[0].voxel_nm;
    for (unsigned i = 0; i < volume->info.n_levels; i++) {
        CxNm *level = &volume->info.levels[i].voxel_nm;

        *level = (CxNm){level->x / old.x * nm.x, level->y / old.y * nm.y,
                        level->z / old.z * nm.z};
    }
    volume->info.levels[0].voxel_nm = nm;
    g_mutex_unlock(&volume->lock);
}

unsigned
cx_volume_n_levels(CxVolume *volume)
{
    g_mutex_lock(&volume->lock);
    unsigned n = volume->info.n_levels;
    g_mutex_unlock(&volume->lock);
    return n;
}

CxLevel
cx_volume_level(CxVolume *volume, unsigned level)
{
    g_mutex_lock(&volume->lock);
    g_assert(level < volume->info.n_levels);
    CxLevel copy = volume->info.levels[level];
    g_mutex_unlock(&volume->lock);
    return copy;
}

CxBox
cx_volume_bounds(CxVolume *volume, unsigned level)
{
    return cx_box_of_size(cx_volume_level(volume, level).size);
}

bool
cx_volume_add_level(CxVolume *volume, const CxLevel *level, CxLevelRead read,
                    void *data, GDestroyNotify destroy)
{
    g_mutex_lock(&volume->lock);
    unsigned n = volume->info.n_levels;
    bool fits = n < CX_MAX_LEVELS;
    if (fits) {
        volume->added[n] = (AddedLevel){read, data, destroy};
        volume->info.levels[n] = *level;
        volume->info.n_levels++;
    }
    g_mutex_unlock(&volume->lock);
    if (!fits && destroy != NULL)
        destroy(data);
    return fits;
}

static bool
check_box(CxVolume *volume, unsigned level, CxBox box, GError **error)
{
    if (level >= cx_volume_n_levels(volume)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: level %u asked for, but there are %u levels",
                    volume->spec, level, cx_volume_n_levels(volume));
        return false;
    }

    CxBox bounds = cx_volume_bounds(volume, level);
    if (cx_box_is_empty(box) || !cx_box_contains_box(bounds, box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: box %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    " is empty or not inside 0,0,0,%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
                    volume->spec, box.lo.x, box.lo.y, box.lo.z, box.hi.x,
                    box.hi.y, box.hi.z, bounds.hi.x, bounds.hi.y, bounds.hi.z);
        return false;
    }
    return true;
}

static bool
fill(CxVolume *volume, unsigned level, CxBox box, CxChunk *dst, CxJob *job,
     GError **error)
{
    if (level < volume->n_source_levels)
        return volume->reader->read(volume->self, level, box, dst, job, error);

    g_mutex_lock(&volume->lock);
    AddedLevel added = volume->added[level];
    g_mutex_unlock(&volume->lock);
    return added.read(added.data, box, dst, job, error);
}

void
cx_volume_limit_cache(CxVolume *volume, size_t n_bytes)
{
    if (volume->reader->limit_cache != NULL)
        volume->reader->limit_cache(volume->self, n_bytes);
}

CxChunk *
cx_volume_read(CxVolume *volume, unsigned level, CxBox box, CxJob *job,
               GError **error)
{
    if (!check_box(volume, level, box, error))
        return NULL;
    if (cx_job_is_cancelled(job)) {
        cx_job_step(job, 0, 1, error);
        return NULL;
    }

    g_autoptr(CxChunk) chunk =
        cx_chunk_new(volume->info.dtype, box, volume->info.n_channels, error);
    GError *local = NULL;
    if (chunk == NULL)
        return NULL;
    if (!fill(volume, level, box, chunk, job, &local)) {
        g_assert(local != NULL);
        g_propagate_error(error, local);
        return NULL;
    }
    g_assert(local == NULL);
    return g_steal_pointer(&chunk);
}

CxChunk *
cx_volume_read_labels(CxVolume *volume, unsigned level, CxBox box, CxJob *job,
                      GError **error)
{
    if (!cx_dtype_is_integer(volume->info.dtype)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: samples are %s, expected an integer type for labels",
                    volume->spec, cx_dtype_name(volume->info.dtype));
        return NULL;
    }

    g_autoptr(CxChunk) chunk = cx_volume_read(volume, level, box, job, error);
    if (chunk == NULL)
        return NULL;
    CxChunk *wide = cx_chunk_to_u64(chunk, error);
    if (wide == NULL)
        g_prefix_error(error, "%s: ", volume->spec);
    return wide;
}

/* What the reader says, the type's own range, or false. */
static bool
stated_range(const CxVolumeInfo *info, double *min, double *max)
{
    *min = info->display_min;
    *max = info->display_max;
    if (info->has_display_range)
        return true;
    switch (info->dtype) {
    case CX_DTYPE_U8:
        *min = 0, *max = UINT8_MAX;
        return true;
    case CX_DTYPE_I8:
        *min = INT8_MIN, *max = INT8_MAX;
        return true;
    case CX_DTYPE_U16:
        *min = 0, *max = UINT16_MAX;
        return true;
    case CX_DTYPE_I16:
        *min = INT16_MIN, *max = INT16_MAX;
        return true;
    case CX_DTYPE_U32:
    case CX_DTYPE_U64:
    case CX_DTYPE_I32:
    case CX_DTYPE_I64:
    case CX_DTYPE_F32:
    case CX_DTYPE_F64:
        break;
    }
    return false;
}

static bool
display_range(CxVolume *volume, CxJob *job, double *min, double *max,
              GError **error)
{
    return stated_range(&volume->info, min, max) ||
           cx_volume_range(volume, job, min, max, error);
}

CxChunk *
cx_volume_read_u8(CxVolume *volume, unsigned level, CxBox box, CxJob *job,
                  GError **error)
{
    double min, max;

    if (volume->info.dtype == CX_DTYPE_U8)
        return cx_volume_read(volume, level, box, job, error);
    if (!display_range(volume, job, &min, &max, error))
        return NULL;

    g_autoptr(CxChunk) raw = cx_volume_read(volume, level, box, job, error);
    if (raw == NULL)
        return NULL;

    unsigned n_channels = cx_chunk_n_channels(raw);
    CxChunk *bytes = cx_chunk_new(CX_DTYPE_U8, box, n_channels, error);
    if (bytes != NULL)
        cx_samples_to_u8(cx_chunk_data_mut(bytes), cx_chunk_data(raw),
                         volume->info.dtype,
                         cx_chunk_n_voxels(raw) * n_channels, min, max);
    return bytes;
}

#define EXACT_UP_TO ((int64_t)1 << 26)
#define BLOCK_VOXELS ((int64_t)1 << 20)
#define N_SAMPLED_BLOCKS 24

/* Blocks of about BLOCK_VOXELS that follow the grid of the file. */
static CxVoxel
choose_block(const CxLevel *level)
{
    CxVoxel size = level->size, block = level->chunk_size;

    block.x = MIN(block.x, size.x);
    block.y = MIN(block.y, size.y);
    block.z = MIN(block.z, size.z);
    while (block.x < size.x && block.x * block.y * block.z < BLOCK_VOXELS)
        block.x = MIN(block.x * 2, size.x);
    while (block.y < size.y && block.x * block.y * block.z < BLOCK_VOXELS)
        block.y = MIN(block.y * 2, size.y);
    while (block.z < size.z && block.x * block.y * block.z < BLOCK_VOXELS)
        block.z = MIN(block.z * 2, size.z);
    return block;
}

static bool
sample_range(CxVolume *volume, CxJob *job, double *min, double *max,
             GError **error)
{
    CxLevel level = cx_volume_level(volume, 0);
    CxBox bounds = cx_box_of_size(level.size);
    CxVoxel block = choose_block(&level);
    CxVoxel n = cx_box_chunks(bounds, block).hi;
    int64_t total = n.x * n.y * n.z;
    bool exact = level.size.x <= EXACT_UP_TO && level.size.y <= EXACT_UP_TO &&
                 level.size.x * level.size.y <= EXACT_UP_TO &&
                 level.size.x * level.size.y <= EXACT_UP_TO / level.size.z;
    int64_t n_visited = exact ? total : MIN(total, N_SAMPLED_BLOCKS);

    *min = DBL_MAX;
    *max = -DBL_MAX;
    for (int64_t i = 0; i < n_visited; i++) {
        int64_t at = n_visited < total
                         ? (int64_t)(((double)i + 0.5) * (double)total /
                                     (double)n_visited)
                         : i;
        CxChunkIdx idx = {at % n.x, at / n.x % n.y, at / n.x / n.y};
        CxBox box = cx_chunk_box_clipped(idx, block, bounds);
        g_autoptr(CxChunk) chunk = cx_volume_read(volume, 0, box, job, error);

        if (chunk == NULL)
            return false;
        cx_samples_add_range(
            cx_chunk_data(chunk), cx_chunk_dtype(chunk),
            cx_chunk_n_voxels(chunk) * cx_chunk_n_channels(chunk), min, max);
    }
    if (*min > *max)
        *min = *max = 0.0;
    return true;
}

bool
cx_volume_range(CxVolume *volume, CxJob *job, double *min, double *max,
                GError **error)
{
    g_mutex_lock(&volume->range_lock);
    if (!volume->has_range)
        volume->has_range = sample_range(volume, job, &volume->range_min,
                                         &volume->range_max, error);
    bool ok = volume->has_range;
    *min = volume->range_min;
    *max = volume->range_max;
    g_mutex_unlock(&volume->range_lock);
    return ok;
}
