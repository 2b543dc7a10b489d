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

/* First x > from whose label differs from row[from]. */
static uint32_t
run_end(const CxId *row, uint32_t from, uint32_t n)
{
    CxId label = row[from];
    uint32_t x = from + 1;

    while (x + 8 <= n) {
        CxId diff = 0;
        for (uint32_t k = 0; k < 8; k++)
            diff |= row[x + k] ^ label;
        if (diff != 0)
            break;
        x += 8;
    }
    while (x < n && row[x] == label)
        x++;
    return x;
}

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

static bool
find_runs(CxComponents *self, Slice *slice, const CxId *labels, GError **error)
{
    uint32_t nx = (uint32_t)self->nx;

    slice->n_runs = 0;
    for (int64_t y = 0; y < self->ny; y++) {
        const CxId *row = labels + y * self->nx;

        slice->rows[y] = slice->n_runs;
        if (!reserve(slice, nx, error))
            return false;
        for (uint32_t x = 0; x < nx;) {
            uint32_t end = run_end(row, x, nx);
            if (row[x] != 0)
                slice->runs[slice->n_runs++] = (Run){row[x], x, end, 0};
            x = end;
        }
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

/* Gives every run of the current slice its provisional id. */
static bool
link_slice(CxComponents *self, const CxId *labels, GError **error)
{
    Slice *now = &self->slices[self->current];
    Slice *before = &self->slices[self->current ^ 1];
    uint32_t corner = self->connectivity == 6 ? 0 : 1;

    if (!find_runs(self, now, labels, error))
        return false;
    for (int64_t y = 0; y < self->ny; y++) {
        Run *lo = now->runs + now->rows[y];
        Run *hi = now->runs + now->rows[y + 1];

        if (y > 0)
            join_rows(self, lo, hi, now->runs + now->rows[y - 1], lo, corner);
        for (int64_t d = -1; self->has_previous && d <= 1; d++) {
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
    self->has_previous = true;
    self->current ^= 1;
    return true;
}

bool
cx_components_scan(CxComponents *self, const CxId *slice, GError **error)
{
    g_assert(!self->is_labelling);
    return link_slice(self, slice, error);
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
    if (!link_slice(self, slice, error))
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

CxChunk *
cx_components_of_chunk(const CxChunk *labels, unsigned connectivity,
                       uint64_t *count, CxJob *job, GError **error)
{
    CxBox box = cx_chunk_box(labels);
    CxVoxel size = cx_box_size(box);
    size_t area = (size_t)size.x * (size_t)size.y;
    const CxId *from = cx_chunk_data(labels);
    g_autoptr(CxComponents) self =
        cx_components_new(size.x, size.y, connectivity);
    g_autoptr(CxChunk) out = cx_chunk_new(CX_DTYPE_U64, box, 1, error);

    g_assert(cx_chunk_dtype(labels) == CX_DTYPE_U64);
    if (out == NULL)
        return NULL;
    CxId *to = cx_chunk_data_mut(out);
    for (int64_t z = 0; z < size.z; z++) {
        if (!cx_job_step(job, (uint64_t)z, 2 * (uint64_t)size.z, error) ||
            !cx_components_scan(self, from + (size_t)z * area, error))
            return NULL;
    }
    uint64_t n = cx_components_finish(self);
    for (int64_t z = 0; z < size.z; z++) {
        size_t at = (size_t)z * area;
        if (!cx_job_step(job, (uint64_t)(size.z + z), 2 * (uint64_t)size.z,
                         error) ||
            !cx_components_label(self, from + at, to + at, error))
            return NULL;
    }
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
