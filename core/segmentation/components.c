/* Connected pieces of equal labels, run by run.
 *
 * A run takes the id of the first run of equal label that it touches in the
 * row before or the three rows of the slice before; other runs it touches are
 * joined to that id.  Ids are given in scanning order and the root of a set is
 * its smallest id, so numbering roots upwards numbers pieces by first voxel.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/components.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"

#include <string.h>

#define SLAB_VOXELS ((int64_t)1 << 24)

typedef struct {
    CxId label;
    uint32_t lo, hi; /* [lo, hi) in x */
    uint32_t id;     /* provisional, from 1 */
} Run;

typedef struct {
    Run *runs;
    uint32_t n_runs, capacity;
    uint32_t *rows; /* ny + 1: first run of each row */
} Slice;

struct CxComponents {
    int64_t nx, ny;
    unsigned connectivity;
    Slice slices[2];
    unsigned current;
    bool has_previous;
    bool is_labelling;
    uint32_t *parent; /* by provisional id; after finish(): final number */
    uint32_t n_ids, capacity;
};

CxComponents *
cx_components_new(int64_t nx, int64_t ny, unsigned connectivity)
{
    CxComponents *self = g_new0(CxComponents, 1);

    g_assert(connectivity == 6 || connectivity == 18 || connectivity == 26);
    g_assert(nx >= 0 && nx < INT32_MAX && ny >= 0 && ny < INT32_MAX);
    self->nx = nx;
    self->ny = ny;
    self->connectivity = connectivity;
    for (int i = 0; i < 2; i++)
        self->slices[i].rows = g_new0(uint32_t, (size_t)ny + 1);
    return self;
}

void
cx_components_free(CxComponents *self)
{
    if (self == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        g_free(self->slices[i].runs);
        g_free(self->slices[i].rows);
    }
    g_free(self->parent);
    g_free(self);
}

/* First x > from whose label differs from row[from]; for both widths. */
#define DEFINE_RUN_END(NAME, TYPE)                                             \
    static inline uint32_t NAME(const TYPE *row, uint32_t from, uint32_t n)    \
    {                                                                          \
        TYPE label = row[from];                                                \
        uint32_t x = from + 1;                                                 \
                                                                               \
        while (x + 8 <= n) {                                                   \
            TYPE diff = 0;                                                     \
            for (uint32_t k = 0; k < 8; k++)                                   \
                diff |= row[x + k] ^ label;                                    \
            if (diff != 0)                                                     \
                break;                                                         \
            x += 8;                                                            \
        }                                                                      \
        while (x < n && row[x] == label)                                       \
            x++;                                                               \
        return x;                                                              \
    }

DEFINE_RUN_END(run_end_u64, uint64_t)
DEFINE_RUN_END(run_end_u32, uint32_t)

/* Labels of either width. */
typedef struct {
    const uint64_t *u64; /* or NULL */
    const uint32_t *u32;
} Labels;

static bool
reserve(Slice *slice, uint32_t n_more, GError **error)
{
    if ((uint64_t)slice->n_runs + n_more > UINT32_MAX / 2) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "a slice has more than %u runs of labels", UINT32_MAX / 2);
        return false;
    }
    if (slice->n_runs + n_more > slice->capacity) {
        slice->capacity = MAX(slice->n_runs + n_more, 2 * slice->capacity);
        slice->runs = g_renew(Run, slice->runs, slice->capacity);
    }
    return true;
}

static void
find_row_runs(Slice *slice, Labels row, uint32_t nx)
{
    for (uint32_t x = 0; x < nx;) {
        bool is_wide = row.u64 != NULL;
        uint32_t end =
            is_wide ? run_end_u64(row.u64, x, nx) : run_end_u32(row.u32, x, nx);
        CxId label = is_wide ? row.u64[x] : row.u32[x];

        if (label != 0)
            slice->runs[slice->n_runs++] = (Run){label, x, end, 0};
        x = end;
    }
}

/* labels: from the first voxel of the slice. */
static bool
find_runs(const CxComponents *self, Slice *slice, Labels labels, GError **error)
{
    slice->n_runs = 0;
    for (int64_t y = 0; y < self->ny; y++) {
        size_t at = (size_t)(y * self->nx);
        Labels row = {labels.u64 != NULL ? labels.u64 + at : NULL,
                      labels.u32 != NULL ? labels.u32 + at : NULL};

        slice->rows[y] = slice->n_runs;
        if (!reserve(slice, (uint32_t)self->nx, error))
            return false;
        find_row_runs(slice, row, (uint32_t)self->nx);
    }
    slice->rows[self->ny] = slice->n_runs;
    return true;
}

static uint32_t
root_of(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static uint32_t
join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = root_of(parent, a);
    b = root_of(parent, b);
    parent[MAX(a, b)] = MIN(a, b);
    return MIN(a, b);
}

static void
touch(CxComponents *self, Run *run, const Run *old)
{
    if (old->label != run->label || old->id == run->id)
        return;
    if (run->id == 0)
        run->id = old->id;
    else if (!self->is_labelling)
        join(self->parent, run->id, old->id);
}

/* Joins the runs of a row with those of an earlier row; reach = 1 also over
 * the corner. */
static void
join_rows(CxComponents *self, Run *run, const Run *end, const Run *old,
          const Run *old_end, uint32_t reach)
{
    while (run < end && old < old_end) {
        if (old->hi + reach <= run->lo) {
            old++;
        } else if (run->hi + reach <= old->lo) {
            run++;
        } else {
            touch(self, run, old);
            if (old->hi < run->hi) {
                old++;
            } else {
                /* Both end here: the next of either still touches over the
                 * corner. */
                if (old->hi == run->hi && old + 1 < old_end &&
                    old[1].lo < run->hi + reach)
                    touch(self, run, old + 1);
                run++;
            }
        }
    }
}

static bool
new_id(CxComponents *self, uint32_t *id, GError **error)
{
    if (self->n_ids == UINT32_MAX - 1) {
        g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                    "more than %u provisional pieces", UINT32_MAX - 1);
        return false;
    }
    *id = ++self->n_ids;
    if (self->is_labelling)
        return true;
    if (*id >= self->capacity) {
        uint64_t want = MAX(1024, 2 * (uint64_t)self->capacity);
        self->capacity = (uint32_t)MIN(want, UINT32_MAX);
        self->parent = g_renew(uint32_t, self->parent, self->capacity);
    }
    self->parent[*id] = *id;
    return true;
}

/* Gives every run of a slice its provisional id; before may be NULL. */
static bool
link_slice(CxComponents *self, Slice *now, const Slice *before, GError **error)
{
    uint32_t corner = self->connectivity == 6 ? 0 : 1;

    for (int64_t y = 0; y < self->ny; y++) {
        Run *lo = now->runs + now->rows[y];
        Run *hi = now->runs + now->rows[y + 1];

        if (y > 0)
            join_rows(self, lo, hi, now->runs + now->rows[y - 1], lo, corner);
        for (int64_t d = -1; before != NULL && d <= 1; d++) {
            uint32_t reach = d == 0 ? corner : self->connectivity == 26;
            if (y + d < 0 || y + d >= self->ny || (d != 0 && corner == 0))
                continue;
            join_rows(self, lo, hi, before->runs + before->rows[y + d],
                      before->runs + before->rows[y + d + 1], reach);
        }
        for (Run *run = lo; run < hi; run++) {
            if (run->id == 0 && !new_id(self, &run->id, error))
                return false;
        }
    }
    return true;
}

/* The next slice of the stream. */
static bool
take_slice(CxComponents *self, const CxId *labels, GError **error)
{
    Slice *now = &self->slices[self->current];
    const Slice *before =
        self->has_previous ? &self->slices[self->current ^ 1] : NULL;

    if (!find_runs(self, now, (Labels){labels, NULL}, error) ||
        !link_slice(self, now, before, error))
        return false;
    self->has_previous = true;
    self->current ^= 1;
    return true;
}

bool
cx_components_scan(CxComponents *self, const CxId *slice, GError **error)
{
    g_assert(!self->is_labelling);
    return take_slice(self, slice, error);
}

uint64_t
cx_components_finish(CxComponents *self)
{
    uint32_t count = 0;

    g_assert(!self->is_labelling);
    for (uint32_t i = 1; i <= self->n_ids; i++) {
        /* Parents are smaller and numbered already. */
        if (self->parent[i] == i)
            self->parent[i] = ++count;
        else
            self->parent[i] = self->parent[self->parent[i]];
    }
    self->is_labelling = true;
    self->has_previous = false;
    self->n_ids = 0;
    return count;
}

bool
cx_components_label(CxComponents *self, const CxId *slice, CxId *out,
                    GError **error)
{
    g_assert(self->is_labelling);
    if (!take_slice(self, slice, error))
        return false;

    const Slice *now = &self->slices[self->current ^ 1];
    memset(out, 0, (size_t)self->nx * (size_t)self->ny * sizeof(CxId));
    for (int64_t y = 0; y < self->ny; y++) {
        CxId *row = out + y * self->nx;
        for (uint32_t r = now->rows[y]; r < now->rows[y + 1]; r++) {
            const Run *run = &now->runs[r];
            CxId id = self->parent[run->id];
            for (uint32_t x = run->lo; x < run->hi; x++)
                row[x] = id;
        }
    }
    return true;
}

/* --- in memory: runs are found once and kept -------------------------------- */

typedef struct {
    CxComponents *self;
    Labels from;
    CxId *to_u64; /* or NULL */
    uint32_t *to_u32;
    size_t area;
    Slice *slices;
} Block;

static bool
find_in_slice(size_t z, unsigned worker, void *data, GError **error)
{
    const Block *block = data;
    size_t at = z * block->area;
    Labels from = {block->from.u64 != NULL ? block->from.u64 + at : NULL,
                   block->from.u32 != NULL ? block->from.u32 + at : NULL};

    block->slices[z].rows = g_new(uint32_t, (size_t)block->self->ny + 1);
    return find_runs(block->self, &block->slices[z], from, error);
}

static bool
write_slice(size_t z, unsigned worker, void *data, GError **error)
{
    const Block *block = data;
    const Slice *slice = &block->slices[z];
    size_t at = z * block->area;

    if (block->to_u64 != NULL)
        memset(block->to_u64 + at, 0, block->area * sizeof(CxId));
    else
        memset(block->to_u32 + at, 0, block->area * sizeof(uint32_t));
    for (int64_t y = 0; y < block->self->ny; y++) {
        size_t row = at + (size_t)(y * block->self->nx);
        for (uint32_t r = slice->rows[y]; r < slice->rows[y + 1]; r++) {
            const Run *run = &slice->runs[r];
            uint32_t id = block->self->parent[run->id];
            for (uint32_t x = run->lo; x < run->hi; x++) {
                if (block->to_u64 != NULL)
                    block->to_u64[row + x] = id;
                else
                    block->to_u32[row + x] = id;
            }
        }
    }
    return true;
}

static bool
label_block(Block *block, size_t n_slices, unsigned n_threads, uint64_t *count,
            CxJob *job, GError **error)
{
    if (!cx_parallel_for(n_threads, n_slices, find_in_slice, block, job, error))
        return false;
    for (size_t z = 0; z < n_slices; z++) {
        if (!link_slice(block->self, &block->slices[z],
                        z > 0 ? &block->slices[z - 1] : NULL, error) ||
            ((z & 15) == 0 && !cx_job_step(job, z, n_slices, error)))
            return false;
    }
    *count = cx_components_finish(block->self);
    return cx_parallel_for(n_threads, n_slices, write_slice, block, job, error);
}

static bool
run_block(Block *block, CxVoxel size, unsigned n_threads, uint64_t *count,
          CxJob *job, GError **error)
{
    block->area = (size_t)size.x * (size_t)size.y;
    block->slices = g_new0(Slice, (size_t)size.z + 1);
    bool ok = label_block(block, (size_t)size.z, n_threads, count, job, error);
    for (int64_t z = 0; z < size.z; z++) {
        g_free(block->slices[z].runs);
        g_free(block->slices[z].rows);
    }
    g_free(block->slices);
    return ok;
}

bool
cx_components_of_block(uint32_t *labels, CxVoxel size, unsigned connectivity,
                       uint32_t *count, unsigned n_threads, CxJob *job,
                       GError **error)
{
    g_autoptr(CxComponents) self =
        cx_components_new(size.x, size.y, connectivity);
    Block block = {.self = self, .from = {NULL, labels}, .to_u32 = labels};
    uint64_t n = 0;

    if (!run_block(&block, size, n_threads, &n, job, error))
        return false;
    *count = (uint32_t)n;
    return true;
}

CxChunk *
cx_components_of_chunk(const CxChunk *labels, unsigned connectivity,
                       uint64_t *count, CxJob *job, GError **error)
{
    CxVoxel size = cx_box_size(cx_chunk_box(labels));
    g_autoptr(CxComponents) self =
        cx_components_new(size.x, size.y, connectivity);
    g_autoptr(CxChunk) out =
        cx_chunk_new(CX_DTYPE_U64, cx_chunk_box(labels), 1, error);
    uint64_t n = 0;

    g_assert(cx_chunk_dtype(labels) == CX_DTYPE_U64);
    if (out == NULL)
        return NULL;
    Block block = {.self = self,
                   .from = {cx_chunk_data(labels), NULL},
                   .to_u64 = cx_chunk_data_mut(out)};
    if (!run_block(&block, size, 1, &n, job, error))
        return NULL;
    if (count != NULL)
        *count = n;
    return g_steal_pointer(&out);
}

CxBox
cx_components_slab(CxBox bounds, int64_t z)
{
    CxVoxel size = cx_box_size(bounds);
    int64_t depth = SLAB_VOXELS / MAX(1, size.x * size.y);

    bounds.lo.z = z;
    bounds.hi.z = MIN(bounds.hi.z, z + CLAMP(depth, 1, 256));
    return bounds;
}

/* One pass over the volume; labelled slabs go to sink in the second. */
static bool
pass(CxComponents *self, CxVolume *labels, CxSlabFunc sink, void *data,
     CxJob *job, GError **error)
{
    CxBox bounds = cx_volume_bounds(labels, 0);
    CxVoxel size = cx_box_size(bounds);
    size_t area = (size_t)size.x * (size_t)size.y;

    for (int64_t z0 = 0; z0 < size.z;) {
        CxBox slab = cx_components_slab(bounds, z0);
        g_autoptr(CxChunk) from =
            cx_volume_read_labels(labels, 0, slab, job, error);
        if (from == NULL)
            return false;
        g_autoptr(CxChunk) out = NULL;
        CxId *to = NULL;
        if (self->is_labelling) {
            out = cx_chunk_new(CX_DTYPE_U64, slab, 1, error);
            if (out == NULL)
                return false;
            to = cx_chunk_data_mut(out);
        }
        for (int64_t z = z0; z < slab.hi.z; z++) {
            size_t at = (size_t)(z - z0) * area;
            const CxId *slice = (const CxId *)cx_chunk_data(from) + at;
            if (!cx_job_step(job, (uint64_t)z, (uint64_t)size.z, error) ||
                !(to == NULL
                      ? cx_components_scan(self, slice, error)
                      : cx_components_label(self, slice, to + at, error)))
                return false;
        }
        if (out != NULL && !sink(out, data, error))
            return false;
        z0 = slab.hi.z;
    }
    return true;
}

bool
cx_components_of_volume(CxVolume *labels, unsigned connectivity,
                        CxSlabFunc sink, void *data, uint64_t *count,
                        CxJob *job, GError **error)
{
    CxVoxel size = cx_volume_level(labels, 0).size;
    g_autoptr(CxComponents) self =
        cx_components_new(size.x, size.y, connectivity);

    cx_job_stage(job, "components", 0, sink != NULL ? 0.5 : 1);
    if (!pass(self, labels, NULL, NULL, job, error))
        return false;
    uint64_t n = cx_components_finish(self);
    if (count != NULL)
        *count = n;
    if (sink == NULL)
        return true;
    cx_job_stage(job, "labels", 0.5, 1);
    return pass(self, labels, sink, data, job, error);
}
