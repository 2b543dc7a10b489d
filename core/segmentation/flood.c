/* Grows one object with a flood-filling network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/flood.h"

#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/nn/normalise.h"
#include "core/nn/patch_infer.h"
#include "core/segmentation/flood_grid.h"

#include <math.h>
#include <string.h>

#define MASK_SIDE 32
#define IMAGE_SIDE 64
#define MAX_FOV 129
#define CELL_BITS 21 /* of a visited position, an axis */

typedef struct {
    CxVoxel at;
    float score;
} Move;

struct CxFlood {
    CxNetwork *network;
    CxVolume *volume;
    CxPatchInfer *infer;
    CxVoxel fov, delta;
    float seed, pad, move, threshold; /* logits */
    CxBox bounds, box;
    uint64_t max_steps;
    CxFloodHook hook;
    void *hook_data;

    /* of the worker */
    CxVoxel start;
    float table[256];
    CxFloodGrid *image; /* u8, inside the volume */
    CxHash64 *visited;  /* cells */
    GArray *queue;      /* Move, from `first` on */
    guint first;
    float *image_patch, *old_patch, *mask_patch, *new_patch;

    GMutex lock;       /* guards what follows */
    CxFloodGrid *mask; /* float logits, NaN = unknown; only the worker writes */
    CxFloodState state;
};

/* ---- parameters ---- */

static float
logit(double p)
{
    return (float)log(p / (1.0 - p));
}

static bool
refuse(const CxFlood *flood, GError **error, const char *name, double found,
       const char *expected)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "model %s: parameter %s is %g, expected %s",
                cx_network_name(flood->network), name, found, expected);
    return false;
}

static bool
read_logit(const CxFlood *flood, const char *name, double otherwise,
           float *value, GError **error)
{
    double p = cx_network_parameter(flood->network, name, otherwise);

    if (!(p > 0.0 && p < 1.0))
        return refuse(flood, error, name, p, "a probability between 0 and 1");
    *value = logit(p);
    return true;
}

static bool
read_axis(const CxFlood *flood, char axis, int64_t *fov, int64_t *delta,
          GError **error)
{
    const char fov_name[] = {'f', 'o', 'v', '_', axis, '\0'};
    const char delta_name[] = {'d', 'e', 'l', 't', 'a', '_', axis, '\0'};
    double f = cx_network_parameter(flood->network, fov_name, 33.0);
    double d = cx_network_parameter(flood->network, delta_name, 8.0);

    if (!(f >= 1.0 && f <= MAX_FOV) || fmod(f, 2.0) != 1.0)
        return refuse(flood, error, fov_name, f, "an odd number up to 129");
    if (!(d >= 0.0 && d <= (f - 1.0) / 2.0) || floor(d) != d)
        return refuse(flood, error, delta_name, d,
                      "a whole number within half the field of view");
    *fov = (int64_t)f;
    *delta = (int64_t)d;
    return true;
}

static bool
read_parameters(CxFlood *flood, GError **error)
{
    return read_axis(flood, 'x', &flood->fov.x, &flood->delta.x, error) &&
           read_axis(flood, 'y', &flood->fov.y, &flood->delta.y, error) &&
           read_axis(flood, 'z', &flood->fov.z, &flood->delta.z, error) &&
           read_logit(flood, "seed", 0.95, &flood->seed, error) &&
           read_logit(flood, "pad", 0.05, &flood->pad, error) &&
           read_logit(flood, "move_threshold", 0.9, &flood->move, error) &&
           read_logit(flood, "threshold", 0.6, &flood->threshold, error);
}

static bool
check_box(CxFlood *flood, GError **error)
{
    CxVoxel size = flood->bounds.hi;
    int64_t most = (CX_FLOOD_MAX_CUBES - 1) * MASK_SIDE - MAX_FOV;

    if (size.x > most || size.y > most || size.z > most) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s is larger than %" G_GINT64_FORMAT
                    " voxels along one axis",
                    cx_volume_spec(flood->volume), most);
        return false;
    }
    if (cx_box_is_empty(flood->box))
        flood->box = flood->bounds;
    if (!cx_box_contains_box(flood->bounds, flood->box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the box reaches outside of %s",
                    cx_volume_spec(flood->volume));
        return false;
    }
    return true;
}

/* Without a wish: bf16 where the processor is made for it. */
static bool
make_infer(CxFlood *flood, const CxFloodOptions *options, GError **error)
{
    CxPatchOptions patch = {.n_threads = options->n_threads,
                            .isa = options->isa,
                            .type = options->type};

    if (options->type == NULL && g_strcmp0(options->isa, "c") != 0) {
        patch.type = "bf16";
        flood->infer =
            cx_patch_infer_new(flood->network, flood->fov, &patch, NULL);
        patch.type = NULL;
    }
    if (flood->infer == NULL)
        flood->infer =
            cx_patch_infer_new(flood->network, flood->fov, &patch, error);
    return flood->infer != NULL;
}

static size_t
patch_size(const CxFlood *flood)
{
    return (size_t)(flood->fov.x * flood->fov.y * flood->fov.z);
}

static void
make_table(CxFlood *flood)
{
    CxNormalise *normalise = cx_normalise_new(flood->network, flood->volume);

    cx_normalise_table(normalise, 0, flood->table);
    cx_normalise_free(normalise);
}

CxFlood *
cx_flood_new(CxNetwork *network, CxVolume *volume,
             const CxFloodOptions *options, GError **error)
{
    static const CxFloodOptions defaults = {0};

    if (!cx_network_grows(network)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "model %s predicts boundaries or affinities, expected one "
                    "that grows an object from a seed (method flood)",
                    cx_network_name(network));
        return NULL;
    }
    if (options == NULL)
        options = &defaults;

    g_autoptr(CxFlood) flood = g_new0(CxFlood, 1);
    g_mutex_init(&flood->lock);
    flood->network = cx_network_ref(network);
    flood->volume = cx_volume_ref(volume);
    flood->bounds = cx_volume_bounds(volume, 0);
    flood->box = options->box;
    flood->max_steps = options->max_steps;
    flood->hook = options->hook;
    flood->hook_data = options->hook_data;
    if (!read_parameters(flood, error) || !check_box(flood, error) ||
        !make_infer(flood, options, error))
        return NULL;
    make_table(flood);
    flood->image = cx_flood_grid_new(IMAGE_SIDE, 1);
    flood->mask = cx_flood_grid_new(MASK_SIDE, sizeof(float));
    flood->visited = cx_hash64_new(64);
    flood->queue = g_array_new(FALSE, FALSE, sizeof(Move));
    flood->image_patch = g_new(float, patch_size(flood));
    flood->old_patch = g_new(float, patch_size(flood));
    flood->mask_patch = g_new(float, patch_size(flood));
    flood->new_patch = g_new(float, patch_size(flood));
    return g_steal_pointer(&flood);
}

void
cx_flood_free(CxFlood *flood)
{
    if (flood == NULL)
        return;
    cx_patch_infer_free(flood->infer);
    cx_flood_grid_free(flood->image);
    cx_flood_grid_free(flood->mask);
    cx_hash64_free(flood->visited);
    g_clear_pointer(&flood->queue, g_array_unref);
    g_free(flood->image_patch);
    g_free(flood->old_patch);
    g_free(flood->mask_patch);
    g_free(flood->new_patch);
    cx_volume_unref(flood->volume);
    cx_network_unref(flood->network);
    g_mutex_clear(&flood->lock);
    g_free(flood);
}

/* ---- image ---- */

/* Position inside [0, n) that mirroring at both ends maps `at` to. */
static int64_t
mirror(int64_t at, int64_t n)
{
    int64_t period = 2 * (n - 1);

    if (n == 1)
        return 0;
    at %= period;
    at = at < 0 ? at + period : at;
    return at < n ? at : period - at;
}

static const uint8_t *
load_cube(CxFlood *flood, CxChunkIdx cube, CxJob *job, GError **error)
{
    bool was_new;
    uint8_t *samples = cx_flood_grid_get(flood->image, cube);

    if (samples != NULL)
        return samples;
    CxBox box = cx_box_intersect(cx_flood_grid_cube_box(flood->image, cube),
                                 flood->bounds);
    g_autoptr(CxChunk) chunk =
        cx_volume_read_u8(flood->volume, 0, box, job, error);
    if (chunk == NULL)
        return NULL;
    samples = cx_flood_grid_make(flood->image, cube, &was_new, error);
    if (samples == NULL)
        return NULL;
    const uint8_t *from = cx_chunk_channel(chunk, 0);
    size_t n = (size_t)(box.hi.x - box.lo.x);
    for (int64_t z = box.lo.z; z < box.hi.z; z++)
        for (int64_t y = box.lo.y; y < box.hi.y; y++, from += n)
            memcpy(samples + cx_flood_grid_offset(flood->image,
                                                  (CxVoxel){box.lo.x, y, z}),
                   from, n);
    return samples;
}

static bool
read_image(CxFlood *flood, CxVoxel lo, CxJob *job, GError **error)
{
    CxVoxel size = flood->bounds.hi;
    float *to = flood->image_patch;

    for (int64_t z = 0; z < flood->fov.z; z++)
        for (int64_t y = 0; y < flood->fov.y; y++) {
            const uint8_t *cube = NULL;
            int64_t cube_x = -1;

            for (int64_t x = 0; x < flood->fov.x; x++) {
                CxVoxel at = {mirror(lo.x + x, size.x),
                              mirror(lo.y + y, size.y),
                              mirror(lo.z + z, size.z)};

                if (at.x / IMAGE_SIDE != cube_x) {
                    cube =
                        load_cube(flood, cx_flood_grid_cube(flood->image, at),
                                  job, error);
                    cube_x = at.x / IMAGE_SIDE;
                    if (cube == NULL)
                        return false;
                }
                *to++ =
                    flood->table[cube[cx_flood_grid_offset(flood->image, at)]];
            }
        }
    return true;
}

/* ---- mask ---- */

/* Walks the rows of a box in pieces that lie in one cube. */
typedef struct {
    CxFloodGrid *grid;
    CxBox box;
    CxVoxel at; /* of the piece */
    size_t n;   /* its voxels along x */
    CxChunkIdx cube;
    float *samples; /* of its first voxel, NULL if there is no cube */
    size_t offset;  /* in the box */
} Pieces;

static bool
next_piece(Pieces *pieces)
{
    CxVoxel *at = &pieces->at;
    CxBox box = pieces->box;

    pieces->offset += pieces->n;
    at->x += (int64_t)pieces->n;
    if (pieces->n == 0)
        *at = box.lo;
    if (at->x >= box.hi.x)
        at->x = box.lo.x, at->y++;
    if (at->y >= box.hi.y)
        at->y = box.lo.y, at->z++;
    if (at->z >= box.hi.z)
        return false;
    pieces->cube = cx_flood_grid_cube(pieces->grid, *at);
    CxBox cube = cx_flood_grid_cube_box(pieces->grid, pieces->cube);
    pieces->n = (size_t)(MIN(cube.hi.x, box.hi.x) - at->x);
    pieces->samples = cx_flood_grid_get(pieces->grid, pieces->cube);
    if (pieces->samples != NULL)
        pieces->samples += cx_flood_grid_offset(pieces->grid, *at);
    return true;
}

static void
read_mask(CxFlood *flood, CxBox box, float *to)
{
    Pieces pieces = {.grid = flood->mask, .box = box};

    while (next_piece(&pieces)) {
        if (pieces.samples != NULL)
            memcpy(to + pieces.offset, pieces.samples, pieces.n * sizeof *to);
        for (size_t i = 0; i < pieces.n && pieces.samples == NULL; i++)
            to[pieces.offset + i] = NAN;
    }
}

/* Under the lock. */
static bool
write_mask(CxFlood *flood, CxBox box, const float *from, GError **error)
{
    Pieces pieces = {.grid = flood->mask, .box = box};

    while (next_piece(&pieces)) {
        bool was_new = false;

        if (pieces.samples == NULL) {
            float *cube =
                cx_flood_grid_make(flood->mask, pieces.cube, &was_new, error);

            if (cube == NULL)
                return false;
            for (size_t i = 0; i < MASK_SIDE * MASK_SIDE * MASK_SIDE; i++)
                cube[i] = NAN;
            pieces.samples =
                cube + cx_flood_grid_offset(flood->mask, pieces.at);
        }
        memcpy(pieces.samples, from + pieces.offset, pieces.n * sizeof *from);
    }
    return true;
}

static float
mask_at(CxFlood *flood, CxVoxel at)
{
    float value;
    CxBox one = {at, {at.x + 1, at.y + 1, at.z + 1}};

    read_mask(flood, one, &value);
    return value;
}

/* ---- one step ---- */

static CxBox
field_at(const CxFlood *flood, CxVoxel at)
{
    CxVoxel lo = {at.x - flood->fov.x / 2, at.y - flood->fov.y / 2,
                  at.z - flood->fov.z / 2};

    return cx_box(lo, (CxVoxel){lo.x + flood->fov.x, lo.y + flood->fov.y,
                                lo.z + flood->fov.z});
}

/* new_patch from what the network said: the rule of the header. */
static void
apply_rule(CxFlood *flood)
{
    size_t n = patch_size(flood);
    bool active = false;

    for (size_t i = 0; i < n; i++) {
        flood->new_patch[i] += flood->mask_patch[i];
        active = active || flood->new_patch[i] >= flood->move;
    }
    for (size_t i = 0; i < n && active; i++) {
        float old = flood->old_patch[i];

        if (old < 0.0f && flood->new_patch[i] > old)
            flood->new_patch[i] = old;
    }
}

/* By how many voxels of the box the object grows. */
static int64_t
count_gain(const CxFlood *flood, CxBox field)
{
    int64_t gain = 0;
    size_t i = 0;

    for (int64_t z = field.lo.z; z < field.hi.z; z++)
        for (int64_t y = field.lo.y; y < field.hi.y; y++)
            for (int64_t x = field.lo.x; x < field.hi.x; x++, i++)
                if (cx_box_contains(flood->box, (CxVoxel){x, y, z}))
                    gain += (flood->new_patch[i] >= flood->threshold) -
                            (flood->old_patch[i] >= flood->threshold);
    return gain;
}

static bool
store_step(CxFlood *flood, CxBox field, GError **error)
{
    CxBox inside = cx_box_intersect(field, flood->box);
    int64_t gain = count_gain(flood, field);

    g_mutex_lock(&flood->lock);
    bool ok = write_mask(flood, field, flood->new_patch, error);
    flood->state.steps++;
    flood->state.n_voxels = (uint64_t)((int64_t)flood->state.n_voxels + gain);
    flood->state.box = cx_box_union(flood->state.box, inside);
    flood->state.changed = inside;
    g_mutex_unlock(&flood->lock);
    return ok;
}

static bool
step_at(CxFlood *flood, CxVoxel at, CxJob *job, GError **error)
{
    CxBox field = field_at(flood, at);

    if (!read_image(flood, field.lo, job, error))
        return false;
    read_mask(flood, field, flood->old_patch);
    for (size_t i = 0; i < patch_size(flood); i++)
        flood->mask_patch[i] =
            isnan(flood->old_patch[i]) ? flood->pad : flood->old_patch[i];
    if (!cx_patch_infer_run(
            flood->infer,
            (const float *[]){flood->image_patch, flood->mask_patch},
            flood->new_patch, job, error))
        return false;
    apply_rule(flood);
    return store_step(flood, field, error);
}

/* ---- movement ---- */

/* Larger scores first, then larger z, y, x. */
static int
compare_moves(const void *a, const void *b)
{
    const Move *p = a, *q = b;

    if (p->score != q->score)
        return p->score > q->score ? -1 : 1;
    if (p->at.z != q->at.z)
        return p->at.z > q->at.z ? -1 : 1;
    if (p->at.y != q->at.y)
        return p->at.y > q->at.y ? -1 : 1;
    return p->at.x != q->at.x ? (p->at.x > q->at.x ? -1 : 1) : 0;
}

/* The voxel with the largest mask of a flat box given from the centre of the
 * field of view; the first in order of z, y, x. */
static Move
best_of_face(const CxFlood *flood, CxVoxel at, CxBox face)
{
    Move best = {.score = -INFINITY};

    for (int64_t z = face.lo.z; z < face.hi.z; z++)
        for (int64_t y = face.lo.y; y < face.hi.y; y++)
            for (int64_t x = face.lo.x; x < face.hi.x; x++) {
                int64_t place = ((z + flood->fov.z / 2) * flood->fov.y + y +
                                 flood->fov.y / 2) *
                                    flood->fov.x +
                                x + flood->fov.x / 2;

                if (flood->new_patch[place] > best.score)
                    best = (Move){{at.x + x, at.y + y, at.z + z},
                                  flood->new_patch[place]};
            }
    return best;
}

static void
queue_moves(CxFlood *flood, CxVoxel at)
{
    CxVoxel d = flood->delta;
    CxBox whole = {{-d.x, -d.y, -d.z}, {d.x + 1, d.y + 1, d.z + 1}};
    CxBox faces[6] = {whole, whole, whole, whole, whole, whole};
    Move moves[6];
    unsigned n = 0;

    faces[0].hi.z = -d.z + 1, faces[1].lo.z = d.z;
    faces[2].hi.y = -d.y + 1, faces[3].lo.y = d.y;
    faces[4].hi.x = -d.x + 1, faces[5].lo.x = d.x;
    for (unsigned i = 0; i < 6; i++) {
        if ((i < 2 ? d.z : i < 4 ? d.y : d.x) == 0)
            continue;
        moves[n] = best_of_face(flood, at, faces[i]);
        n += moves[n].score >= flood->move;
    }
    qsort(moves, n, sizeof *moves, compare_moves);
    g_array_append_vals(flood->queue, moves, n);
}

static int64_t
cell_of(int64_t at, int64_t start, int64_t delta)
{
    int64_t spacing = MAX(delta, 1), from = at - start + delta / 2;

    return from >= 0 ? from / spacing : -((-from + spacing - 1) / spacing);
}

static uint64_t
cell_key(const CxFlood *flood, CxVoxel at)
{
    uint64_t mask = ((uint64_t)1 << CELL_BITS) - 1;
    CxVoxel cell = {cell_of(at.x, flood->start.x, flood->delta.x),
                    cell_of(at.y, flood->start.y, flood->delta.y),
                    cell_of(at.z, flood->start.z, flood->delta.z)};

    return (((uint64_t)cell.x & mask) | ((uint64_t)cell.y & mask) << CELL_BITS |
            ((uint64_t)cell.z & mask) << 2 * CELL_BITS) +
           1;
}

/* The next position of the queue that is worth a look. */
static bool
next_position(CxFlood *flood, CxVoxel *at)
{
    while (flood->first < flood->queue->len) {
        *at = g_array_index(flood->queue, Move, flood->first++).at;
        if (!cx_hash64_get(flood->visited, cell_key(flood, *at), NULL) &&
            cx_box_contains(flood->box, *at) &&
            mask_at(flood, *at) >= flood->move)
            return true;
    }
    return false;
}

/* ---- the object ---- */

static bool
begin(CxFlood *flood, CxVoxel at, GError **error)
{
    Move first = {at, flood->seed};
    CxBox one = {at, {at.x + 1, at.y + 1, at.z + 1}};

    flood->start = at;
    flood->first = 0;
    g_array_set_size(flood->queue, 0);
    g_array_append_val(flood->queue, first);
    cx_hash64_free(flood->visited);
    flood->visited = cx_hash64_new(64);
    g_mutex_lock(&flood->lock);
    cx_flood_grid_free(flood->mask);
    flood->mask = cx_flood_grid_new(MASK_SIDE, sizeof(float));
    flood->state = (CxFloodState){.box = one, .changed = one};
    flood->state.n_voxels = flood->seed >= flood->threshold;
    bool ok = write_mask(flood, one, &flood->seed, error);
    g_mutex_unlock(&flood->lock);
    return ok;
}

static void
finish(CxFlood *flood, bool faded, bool cut)
{
    g_mutex_lock(&flood->lock);
    flood->state.faded = faded;
    flood->state.cut = cut;
    g_mutex_unlock(&flood->lock);
}

bool
cx_flood_grow(CxFlood *flood, CxVoxel at, CxJob *job, GError **error)
{
    uint64_t steps = 0;

    if (!cx_box_contains(flood->box, at)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "the start %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " lies outside of the box",
                    at.x, at.y, at.z);
        return false;
    }
    if (!begin(flood, at, error))
        return false;
    while (next_position(flood, &at)) {
        guint left = flood->queue->len - flood->first;
        bool faded = mask_at(flood, flood->start) < flood->move;

        if (faded || (flood->max_steps > 0 && steps >= flood->max_steps)) {
            finish(flood, faded, !faded);
            return true;
        }
        if (!cx_job_step(job, steps, steps + left + 1, error) ||
            !step_at(flood, at, job, error))
            return false;
        cx_hash64_set(flood->visited, cell_key(flood, at), 1);
        queue_moves(flood, at);
        steps++;
        if (flood->hook != NULL) {
            CxFloodState state = cx_flood_state(flood);

            flood->hook(flood->hook_data, &state);
        }
    }
    return true;
}

CxFloodState
cx_flood_state(CxFlood *flood)
{
    g_mutex_lock(&flood->lock);
    CxFloodState state = flood->state;
    g_mutex_unlock(&flood->lock);
    return state;
}

CxChunk *
cx_flood_read(CxFlood *flood, CxBox box, GError **error)
{
    CxBox inside = cx_box_intersect(box, flood->box);
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U8, box, 1, error);

    if (chunk == NULL)
        return NULL;
    uint8_t *to = cx_chunk_data_mut(chunk);
    memset(to, 0, cx_chunk_n_voxels(chunk));
    if (cx_box_is_empty(inside))
        return chunk;
    g_mutex_lock(&flood->lock);
    Pieces pieces = {.grid = flood->mask, .box = inside};
    while (next_piece(&pieces)) {
        uint8_t *row = to + cx_box_offset(box, pieces.at);

        for (size_t i = 0; i < pieces.n && pieces.samples != NULL; i++)
            row[i] = pieces.samples[i] >= flood->threshold;
    }
    g_mutex_unlock(&flood->lock);
    return chunk;
}

static int
compare_overlaps(const void *a, const void *b)
{
    const CxFloodOverlap *p = a, *q = b;

    return p->id < q->id ? -1 : p->id > q->id;
}

/* Counts the labels of the object's voxels in one box. */
static bool
count_box(CxFlood *flood, CxVolume *labels, CxBox box, CxHash64 *counts,
          CxJob *job, GError **error)
{
    g_autoptr(CxChunk) inside = cx_flood_read(flood, box, error);

    if (inside == NULL)
        return false;
    const uint8_t *in = cx_chunk_channel(inside, 0);
    size_t n = cx_chunk_n_voxels(inside);
    if (memchr(in, 1, n) == NULL)
        return true;
    g_autoptr(CxChunk) chunk =
        cx_volume_read_labels(labels, 0, box, job, error);
    if (chunk == NULL)
        return false;
    const uint64_t *ids = cx_chunk_channel(chunk, 0);
    for (size_t i = 0; i < n; i++)
        if (in[i] != 0 && ids[i] != 0)
            ++*cx_hash64_at(counts, ids[i], 0, NULL);
    return true;
}

GArray *
cx_flood_overlaps(CxFlood *flood, CxVolume *labels, CxJob *job, GError **error)
{
    CxBox whole = cx_box_intersect(flood->box, cx_volume_bounds(labels, 0));
    size_t n_cubes = cx_flood_grid_n_cubes(flood->mask), cursor = 0;
    g_autoptr(CxHash64) counts = cx_hash64_new(64);
    CxFloodOverlap next;

    for (size_t i = 0; i < n_cubes; i++) {
        CxBox box = cx_box_intersect(
            cx_flood_grid_cube_box(flood->mask,
                                   cx_flood_grid_nth(flood->mask, i)),
            whole);

        if (!cx_job_step(job, i, n_cubes, error) ||
            (!cx_box_is_empty(box) &&
             !count_box(flood, labels, box, counts, job, error)))
            return NULL;
    }
    GArray *overlaps = g_array_new(FALSE, FALSE, sizeof(CxFloodOverlap));
    while (cx_hash64_next(counts, &cursor, &next.id, &next.n_inside))
        g_array_append_val(overlaps, next);
    g_array_sort(overlaps, compare_overlaps);
    return overlaps;
}

uint64_t
cx_flood_min_voxels(const CxFlood *flood)
{
    double n = cx_network_parameter(flood->network, "min_voxels", 0.0);

    return n > 0.0 && n < 1e15 ? (uint64_t)n : 0;
}

CxVoxel
cx_flood_field_of_view(const CxFlood *flood)
{
    return flood->fov;
}

const char *
cx_flood_isa(const CxFlood *flood)
{
    return cx_patch_infer_isa(flood->infer);
}

const char *
cx_flood_type(const CxFlood *flood)
{
    return cx_patch_infer_type(flood->infer);
}
