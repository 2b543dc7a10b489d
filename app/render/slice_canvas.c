/* The plane of a pane as a torus of tiles; see slice_canvas.h.
 *
 * A tile is cut from the chunks of one level.  Which one: the level of the
 * pane if all chunks of the tile are resident, else the nearest coarser one,
 * else the nearest finer one (after zooming out), else whatever covers a part.
 * A tile that was once complete keeps its samples until newer ones arrive.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/slice_canvas.h"

#include "app/render/gl_texture.h"

#include <math.h>
#include <string.h>

#define MAX_TORUS 16384
#define MIN_TILE 16
#define MAX_TILE 256
#define RANK_NOTHING 1000
#define RANK_PARTIAL 100

/* What the torus holds; any difference empties it. */
typedef struct {
    uint32_t volume_id;
    CxglAxis axis;
    unsigned level;
    int64_t depth;          /* voxel of the level */
    int64_t step_u, step_v; /* voxels per sample: 1, 2, 4, … */
} Plane;

typedef struct {
    int64_t u, v; /* tile coordinates; valid if used */
    bool is_used;
    bool is_stale;     /* newer samples are expected */
    int rank;          /* 0: the pane's level, complete */
    unsigned n_chunks; /* that were cut */
    uint64_t identity; /* of the chunks that were cut */
} Slot;

struct CxglSliceCanvas {
    CxglSegmentTable *table;
    CxglTexture texture;
    Plane plane;
    int tile_u, tile_v; /* samples */
    int n_u, n_v;       /* tiles in the torus */
    Slot *slots;        /* n_u * n_v */
    GArray *holes;      /* CxglCanvasHole */
    void *samples;      /* one tile, uint8_t or uint32_t */
    CxId *row;          /* one row of labels */
    int64_t *us, *vs;   /* voxel of each column and row of a tile */
};

/* All that the steps of one update share. */
typedef struct {
    CxglSliceCanvas *canvas;
    const CxglChunkGrid *grid;
    const CxglChunkSource *source;
    double depth_nm;
    int64_t n_u, n_v; /* samples of the whole plane */
} Frame;

/* Chunks of one level that hold a tile. */
typedef struct {
    unsigned n_chunks, n_resident;
    bool has_failed;
    uint64_t identity;
} Cover;

CxglSliceCanvas *
cxgl_slice_canvas_new(CxglSegmentTable *table)
{
    CxglSliceCanvas *canvas = g_new0(CxglSliceCanvas, 1);

    canvas->table = table;
    canvas->holes = g_array_new(FALSE, FALSE, sizeof(CxglCanvasHole));
    return canvas;
}

static void
free_tiles(CxglSliceCanvas *canvas)
{
    g_clear_pointer(&canvas->slots, g_free);
    g_clear_pointer(&canvas->samples, g_free);
    g_clear_pointer(&canvas->row, g_free);
    g_clear_pointer(&canvas->us, g_free);
    g_clear_pointer(&canvas->vs, g_free);
}

void
cxgl_slice_canvas_free(CxglSliceCanvas *canvas)
{
    if (canvas == NULL)
        return;
    cxgl_texture_clear(&canvas->texture);
    free_tiles(canvas);
    g_array_unref(canvas->holes);
    g_free(canvas);
}

void
cxgl_slice_canvas_invalidate(CxglSliceCanvas *canvas)
{
    for (int i = 0; canvas->slots != NULL && i < canvas->n_u * canvas->n_v; i++)
        canvas->slots[i].is_stale = true;
}

size_t
cxgl_slice_canvas_size_bytes(const CxglSliceCanvas *canvas)
{
    return cxgl_texture_size_bytes(&canvas->texture);
}

static int64_t
voxel_get(CxVoxel voxel, unsigned component)
{
    return component == 0 ? voxel.x : component == 1 ? voxel.y : voxel.z;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t
floor_mod(int64_t a, int64_t b)
{
    return a - floor_div(a, b) * b;
}

/* Cutting */

/* Voxels of `level` under the columns (or rows) of a tile, in one direction:
 * n samples from sample number `first`. */
static void
map_samples(const Frame *frame, unsigned level, unsigned component,
            int64_t first, int64_t n, int64_t *voxels)
{
    const Plane *plane = &frame->canvas->plane;
    bool is_u = component == cxgl_axis_right(plane->axis);
    int64_t step = is_u ? plane->step_u : plane->step_v;
    int64_t last = voxel_get(frame->grid->levels[level].size, component) - 1;
    double own =
        cxgl_nm_get(frame->grid->levels[plane->level].voxel_nm, component);
    double other = cxgl_nm_get(frame->grid->levels[level].voxel_nm, component);

    for (int64_t i = 0; i < n; i++) {
        int64_t voxel = (first + i) * step + step / 2;

        if (level != plane->level)
            voxel = (int64_t)(((double)voxel + 0.5) * own / other);
        voxels[i] = CLAMP(voxel, 0, last);
    }
}

static CxChunkKey
make_key(const Frame *frame, unsigned level, int64_t u, int64_t v)
{
    CxglAxis axis = frame->canvas->plane.axis;
    unsigned w = cxgl_axis_depth(axis);
    double size = cxgl_nm_get(frame->grid->levels[level].voxel_nm, w);
    double offset = cxgl_nm_get(frame->grid->offset_nm, w);
    int64_t last = voxel_get(frame->grid->levels[level].size, w) - 1;
    int64_t depth = (int64_t)floor((frame->depth_nm - offset) / size);
    int64_t at[3];

    at[cxgl_axis_right(axis)] = u;
    at[cxgl_axis_down(axis)] = v;
    at[w] = CLAMP(depth, 0, last);
    return (CxChunkKey){
        frame->grid->volume_id, level,
        cx_chunk_of_voxel((CxVoxel){at[0], at[1], at[2]},
                          frame->grid->levels[level].chunk_size)};
}

/* Number of samples from i on that lie in the same chunk as sample i. */
static int64_t
run_length(const int64_t *voxels, int64_t i, int64_t n, int64_t chunk_size)
{
    int64_t start = i, chunk = voxels[i] / chunk_size;

    while (i < n && voxels[i] / chunk_size == chunk)
        i++;
    return i - start;
}

/* A new reference if the chunk is resident and what its kind demands. */
static CxChunk *
lookup(const Frame *frame, const CxChunkKey *key)
{
    CxChunk *chunk = frame->source->lookup(frame->source->data, key);
    CxDtype wanted = frame->canvas->table != NULL ? CX_DTYPE_U64 : CX_DTYPE_U8;

    if (chunk != NULL && cx_chunk_dtype(chunk) != wanted)
        g_clear_pointer(&chunk, cx_chunk_unref);
    return chunk;
}

/* One sample per step × step voxels: their mean over at most 4 × 4 taps, each
 * row of taps shifted against the last, so that no grid of the data is hit
 * always or never. */
static void
cut_means(const uint8_t *data, int64_t stride_u, int64_t stride_v,
          const int64_t *us, int64_t n, const Plane *plane, int64_t room_u,
          int64_t room_v, uint8_t *out)
{
    int64_t skip_u = MAX(plane->step_u / 4, 1);
    int64_t skip_v = MAX(plane->step_v / 4, 1);

    for (int64_t i = 0; i < n; i++) {
        int64_t lo = MAX(us[i] - plane->step_u / 2, 0);
        int64_t hi = MIN(lo + plane->step_u, room_u), sum = 0, n_taps = 0;

        for (int64_t v = 0, k = 0; v < room_v; v += skip_v, k++)
            for (int64_t u = lo + k % skip_u; u < hi; u += skip_u, n_taps++)
                sum += data[u * stride_u + v * stride_v];
        out[i] = (uint8_t)((sum + n_taps / 2) / MAX(n_taps, 1));
    }
}

/* The part of a tile that one chunk holds.  us, vs: voxels relative to the
 * chunk's box. */
typedef struct {
    const void *data;
    int64_t stride_u, stride_v;
    int64_t size_u, size_v;
    const int64_t *us, *vs;
    int64_t n_u, n_v;
    bool is_own_level;
} Patch;

static void
cut_image_row(const Plane *plane, const Patch *patch, int64_t j, uint8_t *out)
{
    const uint8_t *data = patch->data;
    const uint8_t *line = data + patch->vs[j] * patch->stride_v;

    if (patch->is_own_level && plane->step_u * plane->step_v > 1) {
        int64_t v_lo = MAX(patch->vs[j] - plane->step_v / 2, 0);

        cut_means(data + v_lo * patch->stride_v, patch->stride_u,
                  patch->stride_v, patch->us, patch->n_u, plane, patch->size_u,
                  MIN(plane->step_v, patch->size_v - v_lo), out);
        return;
    }
    if (patch->is_own_level && patch->stride_u == 1) {
        memcpy(out, line + patch->us[0], (size_t)patch->n_u);
        return;
    }
    for (int64_t i = 0; i < patch->n_u; i++)
        out[i] = line[patch->us[i] * patch->stride_u];
}

static void
cut_label_row(CxglSliceCanvas *canvas, const Patch *patch, int64_t j,
              uint32_t *out)
{
    const CxId *line =
        (const CxId *)patch->data + patch->vs[j] * patch->stride_v;

    if (patch->is_own_level && canvas->plane.step_u == 1) {
        cxgl_segment_table_map(
            canvas->table, line + patch->us[0] * patch->stride_u,
            (size_t)patch->stride_u, (size_t)patch->n_u, out);
        return;
    }
    for (int64_t i = 0; i < patch->n_u; i++)
        canvas->row[i] = line[patch->us[i] * patch->stride_u];
    cxgl_segment_table_map(canvas->table, canvas->row, 1, (size_t)patch->n_u,
                           out);
}

/* Cuts a patch into the tile at column i0, row j0; width: of the tile. */
static void
cut_patch(CxglSliceCanvas *canvas, const Patch *patch, int64_t i0, int64_t j0,
          int64_t width)
{
    for (int64_t j = 0; j < patch->n_v; j++) {
        int64_t at = (j0 + j) * width + i0;

        if (canvas->table != NULL)
            cut_label_row(canvas, patch, j, (uint32_t *)canvas->samples + at);
        else
            cut_image_row(&canvas->plane, patch, j,
                          (uint8_t *)canvas->samples + at);
    }
}

static void
cut_chunk(const Frame *frame, const CxChunk *chunk, unsigned level, int64_t i0,
          int64_t n_u, int64_t j0, int64_t n_v, int64_t width)
{
    CxglSliceCanvas *canvas = frame->canvas;
    CxglAxis axis = canvas->plane.axis;
    unsigned u = cxgl_axis_right(axis), v = cxgl_axis_down(axis);
    unsigned w = cxgl_axis_depth(axis);
    CxBox box = cx_chunk_box(chunk);
    CxVoxel size = cx_box_size(box);
    CxVoxel strides = {1, size.x, size.x * size.y};
    double nm = frame->depth_nm - cxgl_nm_get(frame->grid->offset_nm, w);
    int64_t depth = (int64_t)floor(
        nm / cxgl_nm_get(frame->grid->levels[level].voxel_nm, w));
    int64_t lo_u = voxel_get(box.lo, u), lo_v = voxel_get(box.lo, v);
    int64_t us[MAX_TILE], vs[MAX_TILE];
    size_t bytes = cx_dtype_size_bytes(cx_chunk_dtype(chunk));

    depth = CLAMP(depth - voxel_get(box.lo, w), 0, voxel_get(size, w) - 1);
    for (int64_t i = 0; i < n_u; i++)
        us[i] = CLAMP(canvas->us[i0 + i] - lo_u, 0, voxel_get(size, u) - 1);
    for (int64_t j = 0; j < n_v; j++)
        vs[j] = CLAMP(canvas->vs[j0 + j] - lo_v, 0, voxel_get(size, v) - 1);
    Patch patch = {
        .data = (const uint8_t *)cx_chunk_data(chunk) +
                (size_t)(depth * voxel_get(strides, w)) * bytes,
        .stride_u = voxel_get(strides, u),
        .stride_v = voxel_get(strides, v),
        .size_u = voxel_get(size, u),
        .size_v = voxel_get(size, v),
        .us = us,
        .vs = vs,
        .n_u = n_u,
        .n_v = n_v,
        .is_own_level = level == canvas->plane.level,
    };
    cut_patch(canvas, &patch, i0, j0, width);
}

/* Visits the chunks of a level under a tile of n_u × n_v samples (canvas->us
 * and vs set); cuts those that are resident if asked to. */
static Cover
visit_chunks(const Frame *frame, unsigned level, int64_t n_u, int64_t n_v,
             bool cut)
{
    CxglSliceCanvas *canvas = frame->canvas;
    CxVoxel size = frame->grid->levels[level].chunk_size;
    int64_t size_u = voxel_get(size, cxgl_axis_right(canvas->plane.axis));
    int64_t size_v = voxel_get(size, cxgl_axis_down(canvas->plane.axis));
    Cover cover = {0};

    for (int64_t j = 0, rows; j < n_v; j += rows) {
        rows = run_length(canvas->vs, j, n_v, size_v);
        for (int64_t i = 0, columns; i < n_u; i += columns) {
            CxChunkKey key =
                make_key(frame, level, canvas->us[i], canvas->vs[j]);
            g_autoptr(CxChunk) chunk = lookup(frame, &key);

            columns = run_length(canvas->us, i, n_u, size_u);
            cover.n_chunks++;
            if (chunk == NULL) {
                cover.has_failed |=
                    frame->source->has_failed != NULL &&
                    frame->source->has_failed(frame->source->data, &key);
                continue;
            }
            cover.n_resident++;
            cover.identity = cover.identity * 31 + (uint64_t)(uintptr_t)chunk;
            if (cut)
                cut_chunk(frame, chunk, level, i, columns, j, rows, n_u);
        }
    }
    return cover;
}

/* The level numbers after the pane's own, best first: coarser ones upwards,
 * finer ones downwards.  -1 when there are no more. */
static int
nth_other_level(const Frame *frame, int n)
{
    int own = (int)frame->canvas->plane.level;
    int n_coarser = (int)frame->grid->n_levels - 1 - own;

    if (n < n_coarser)
        return own + 1 + n;
    return own - 1 - (n - n_coarser);
}

static void
map_tile(const Frame *frame, const Slot *slot, unsigned level, int64_t n_u,
         int64_t n_v)
{
    CxglSliceCanvas *canvas = frame->canvas;
    CxglAxis axis = canvas->plane.axis;

    map_samples(frame, level, cxgl_axis_right(axis), slot->u * canvas->tile_u,
                n_u, canvas->us);
    map_samples(frame, level, cxgl_axis_down(axis), slot->v * canvas->tile_v,
                n_v, canvas->vs);
}

static void
upload_tile(CxglSliceCanvas *canvas, const Slot *slot, int64_t n_u, int64_t n_v)
{
    cxgl_texture_upload(&canvas->texture,
                        (int)floor_mod(slot->u, canvas->n_u) * canvas->tile_u,
                        (int)floor_mod(slot->v, canvas->n_v) * canvas->tile_v,
                        (int)n_u, (int)n_v, canvas->samples);
}

static void
clear_samples(CxglSliceCanvas *canvas)
{
    memset(canvas->samples, 0,
           (size_t)canvas->tile_u * (size_t)canvas->tile_v *
               cxgl_format_texel_bytes(canvas->texture.format));
}

/* Best level other than the pane's own for a tile; RANK_NOTHING if none.
 * *cover belongs to it. */
static int
find_other_level(const Frame *frame, const Slot *slot, int64_t n_u, int64_t n_v,
                 Cover *cover)
{
    int best = RANK_NOTHING;

    for (int n = 0; n + 1 < (int)frame->grid->n_levels; n++) {
        unsigned level = (unsigned)nth_other_level(frame, n);
        Cover found;
        int rank;

        map_tile(frame, slot, level, n_u, n_v);
        found = visit_chunks(frame, level, n_u, n_v, false);
        if (found.n_resident == 0)
            continue;
        rank = 1 + n + (found.n_resident < found.n_chunks ? RANK_PARTIAL : 0);
        if (rank < best) {
            best = rank;
            *cover = found;
        }
        if (best < RANK_PARTIAL)
            break;
    }
    return best;
}

static void
cut_tile(const Frame *frame, Slot *slot, int rank, unsigned level, int64_t n_u,
         int64_t n_v)
{
    Cover cover;

    if (rank >= RANK_PARTIAL)
        clear_samples(frame->canvas);
    map_tile(frame, slot, level, n_u, n_v);
    cover = visit_chunks(frame, level, n_u, n_v, true);
    upload_tile(frame->canvas, slot, n_u, n_v);
    slot->rank = rank;
    slot->n_chunks = cover.n_resident;
    slot->identity = cover.identity;
    slot->is_stale = false;
}

static void
add_hole(const Frame *frame, const Slot *slot, int64_t n_u, int64_t n_v,
         bool failed)
{
    const CxglSliceCanvas *canvas = frame->canvas;
    float u = (float)(slot->u * canvas->tile_u);
    float v = (float)(slot->v * canvas->tile_v);
    CxglCanvasHole hole = {
        .u0 = u,
        .v0 = v,
        .u1 = u + (float)n_u,
        .v1 = v + (float)n_v,
        .failed = failed,
        .empty = slot->rank >= RANK_PARTIAL,
    };

    g_array_append_val(canvas->holes, hole);
}

/* Fills a tile that is not what it should be with the best there is.  False
 * if it was put off because the budget is spent. */
static bool
improve_tile(const Frame *frame, Slot *slot, const Cover *own, int64_t n_u,
             int64_t n_v, bool has_budget, CxglCanvasUpdate *update)
{
    Cover other = {0};
    bool is_whole = own->n_resident == own->n_chunks;
    int rank = is_whole ? 0 : find_other_level(frame, slot, n_u, n_v, &other);
    unsigned level = frame->canvas->plane.level;

    if (rank == RANK_NOTHING && own->n_resident > 0)
        rank = RANK_PARTIAL;
    else if (rank > 0 && rank < RANK_NOTHING)
        level = (unsigned)nth_other_level(frame, (rank - 1) % RANK_PARTIAL);
    if (rank > 0 &&
        (rank > slot->rank ||
         (rank == slot->rank && (rank == RANK_NOTHING || rank < RANK_PARTIAL ||
                                 other.n_resident <= slot->n_chunks))))
        return true;
    if (!has_budget)
        return false;
    cut_tile(frame, slot, rank, level, n_u, n_v);
    update->n_tiles++;
    update->uploaded_bytes +=
        (size_t)(n_u * n_v) *
        cxgl_format_texel_bytes(frame->canvas->texture.format);
    return true;
}

/* Brings one visible tile up to date. */
static void
update_tile(const Frame *frame, int64_t tu, int64_t tv, bool has_budget,
            CxglCanvasUpdate *update)
{
    CxglSliceCanvas *canvas = frame->canvas;
    Slot *slot = &canvas->slots[floor_mod(tv, canvas->n_v) * canvas->n_u +
                                floor_mod(tu, canvas->n_u)];
    int64_t n_u = MIN(canvas->tile_u, frame->n_u - tu * canvas->tile_u);
    int64_t n_v = MIN(canvas->tile_v, frame->n_v - tv * canvas->tile_v);
    Cover own;

    if (!slot->is_used || slot->u != tu || slot->v != tv) {
        *slot = (Slot){.u = tu, .v = tv, .is_used = true, .rank = RANK_NOTHING};
        clear_samples(canvas);
        upload_tile(canvas, slot, n_u, n_v);
    }
    map_tile(frame, slot, canvas->plane.level, n_u, n_v);
    own = visit_chunks(frame, canvas->plane.level, n_u, n_v, false);
    if (own.n_resident < own.n_chunks) {
        slot->is_stale = true;
        update->complete = false;
    }
    if (slot->rank != 0 ||
        (own.n_resident == own.n_chunks &&
         (slot->is_stale || slot->identity != own.identity))) {
        if (!improve_tile(frame, slot, &own, n_u, n_v, has_budget, update)) {
            update->complete = false;
            update->has_more = true;
        }
    }
    if (own.has_failed || slot->rank >= RANK_PARTIAL)
        add_hole(frame, slot, n_u, n_v, own.has_failed);
}

/* Geometry */

/* Voxels per sample in one direction, a power of two: 1, unless the pane shows
 * several voxels of its level per pixel (no coarser level exists). */
static int64_t
choose_step(double voxels_per_px, int64_t size)
{
    int64_t step = 1;

    while ((double)(step * 2) <= voxels_per_px && step * 2 <= size)
        step *= 2;
    return step;
}

static int
choose_tile(int64_t chunk_size, int64_t step)
{
    return (int)CLAMP(chunk_size / step, MIN_TILE, MAX_TILE);
}

/* Tiles a torus needs for a pane, with room to pan. */
static int
choose_n_tiles(int have, int64_t n_visible, int tile, int64_t n_all)
{
    int64_t most = MAX((n_all + tile - 1) / tile, 1);
    int64_t needed = MIN((n_visible + tile - 1) / tile + 1, most);

    needed = MIN(needed, MAX_TORUS / tile);
    if (have >= needed && have <= 2 * needed + 2)
        return have;
    return (int)MIN(needed + 1, MIN(most, MAX_TORUS / tile));
}

static bool
planes_equal(const Plane *a, const Plane *b)
{
    return a->volume_id == b->volume_id && a->axis == b->axis &&
           a->level == b->level && a->depth == b->depth &&
           a->step_u == b->step_u && a->step_v == b->step_v;
}

/* Makes the torus fit; empties it if it held another plane. */
static void
prepare(CxglSliceCanvas *canvas, const Plane *plane, int tile_u, int tile_v,
        int n_u, int n_v)
{
    size_t n_slots = (size_t)n_u * (size_t)n_v;

    if (canvas->slots == NULL || canvas->tile_u != tile_u ||
        canvas->tile_v != tile_v || canvas->n_u != n_u || canvas->n_v != n_v) {
        CxglFormat format =
            canvas->table != NULL ? CXGL_FORMAT_R32UI : CXGL_FORMAT_R8;

        free_tiles(canvas);
        canvas->tile_u = tile_u;
        canvas->tile_v = tile_v;
        canvas->n_u = n_u;
        canvas->n_v = n_v;
        canvas->slots = g_new0(Slot, n_slots);
        canvas->samples = g_malloc0((size_t)tile_u * (size_t)tile_v *
                                    cxgl_format_texel_bytes(format));
        canvas->row = g_new(CxId, tile_u);
        canvas->us = g_new(int64_t, tile_u);
        canvas->vs = g_new(int64_t, tile_v);
        cxgl_texture_resize(&canvas->texture, format, n_u * tile_u,
                            n_v * tile_v, true);
    } else if (!planes_equal(&canvas->plane, plane)) {
        memset(canvas->slots, 0, n_slots * sizeof *canvas->slots);
    }
    canvas->plane = *plane;
}

/* Samples [lo, hi) of the plane that the pane needs, in one direction: one
 * more on both sides than it shows, for interpolation and borders. */
static void
visible_samples(CxBox visible, unsigned component, int64_t step, int64_t n,
                int64_t *lo, int64_t *hi)
{
    *lo = MAX(voxel_get(visible.lo, component) / step - 1, 0);
    *hi = MIN((voxel_get(visible.hi, component) + step - 1) / step + 1, n);
}

/* Maps pixels to samples counted from `base` in one direction. */
static void
fill_mapping(const Frame *frame, const CxglSliceCamera *camera,
             unsigned component, int64_t step, int64_t base, int64_t n_samples,
             double *start, double *per_px, double *lo, double *hi)
{
    unsigned level = frame->canvas->plane.level;
    double sample_nm =
        cxgl_nm_get(frame->grid->levels[level].voxel_nm, component) *
        (double)step;
    CxNm corner = cxgl_slice_camera_nm_at(camera, 0, 0);

    *start = (cxgl_nm_get(corner, component) -
              cxgl_nm_get(frame->grid->offset_nm, component)) /
                 sample_nm -
             (double)base;
    *per_px = camera->nm_per_px / sample_nm;
    *lo = (double)-base;
    *hi = (double)(n_samples - base);
}

/* Rectangles in the frame of the mapping. */
static void
shift_holes(GArray *holes, int64_t base_u, int64_t base_v)
{
    for (guint i = 0; i < holes->len; i++) {
        CxglCanvasHole *hole = &g_array_index(holes, CxglCanvasHole, i);

        hole->u0 -= (float)base_u;
        hole->u1 -= (float)base_u;
        hole->v0 -= (float)base_v;
        hole->v1 -= (float)base_v;
    }
}

static void
fill_plane(const Frame *frame, const CxglSliceCamera *camera, int64_t lo_u,
           int64_t lo_v, CxglCanvasPlane *out)
{
    CxglSliceCanvas *canvas = frame->canvas;
    const Plane *plane = &canvas->plane;
    int width = canvas->texture.width, height = canvas->texture.height;
    int64_t base_u = floor_div(lo_u, width) * width;
    int64_t base_v = floor_div(lo_v, height) * height;

    out->texture = canvas->texture.name;
    out->width = width;
    out->height = height;
    out->inside = true;
    out->level = plane->level;
    fill_mapping(frame, camera, cxgl_axis_right(plane->axis), plane->step_u,
                 base_u, frame->n_u, &out->u0, &out->du, &out->u_lo,
                 &out->u_hi);
    fill_mapping(frame, camera, cxgl_axis_down(plane->axis), plane->step_v,
                 base_v, frame->n_v, &out->v0, &out->dv, &out->v_lo,
                 &out->v_hi);
    shift_holes(canvas->holes, base_u, base_v);
    out->holes = (const CxglCanvasHole *)(void *)canvas->holes->data;
    out->n_holes = canvas->holes->len;
}

CxglCanvasUpdate
cxgl_slice_canvas_update(CxglSliceCanvas *canvas, const CxglChunkGrid *grid,
                         const CxglChunkSource *source,
                         const CxglSliceCamera *camera, size_t max_bytes,
                         CxglCanvasPlane *out)
{
    CxglCanvasUpdate update = {.complete = true};
    unsigned u = cxgl_axis_right(camera->axis),
             v = cxgl_axis_down(camera->axis);
    unsigned w = cxgl_axis_depth(camera->axis);
    unsigned level = cxgl_chunk_grid_level(grid, camera);
    CxBox visible = cxgl_chunk_grid_visible(grid, level, camera);
    CxVoxel size = grid->levels[level].size;
    CxVoxel chunk = grid->levels[level].chunk_size;
    CxNm voxel_nm = grid->levels[level].voxel_nm;

    *out = (CxglCanvasPlane){0};
    g_array_set_size(canvas->holes, 0);
    if (cx_box_is_empty(visible))
        return update;
    Plane plane = {
        .volume_id = grid->volume_id,
        .axis = camera->axis,
        .level = level,
        .depth = voxel_get(visible.lo, w),
        .step_u = choose_step(camera->nm_per_px / cxgl_nm_get(voxel_nm, u),
                              voxel_get(size, u)),
        .step_v = choose_step(camera->nm_per_px / cxgl_nm_get(voxel_nm, v),
                              voxel_get(size, v)),
    };
    Frame frame = {
        .canvas = canvas,
        .grid = grid,
        .source = source,
        .depth_nm = cxgl_nm_get(camera->centre, w),
        .n_u = (voxel_get(size, u) + plane.step_u - 1) / plane.step_u,
        .n_v = (voxel_get(size, v) + plane.step_v - 1) / plane.step_v,
    };
    int tile_u = choose_tile(voxel_get(chunk, u), plane.step_u);
    int tile_v = choose_tile(voxel_get(chunk, v), plane.step_v);
    int64_t lo_u, hi_u, lo_v, hi_v;

    visible_samples(visible, u, plane.step_u, frame.n_u, &lo_u, &hi_u);
    visible_samples(visible, v, plane.step_v, frame.n_v, &lo_v, &hi_v);
    prepare(canvas, &plane, tile_u, tile_v,
            choose_n_tiles(canvas->n_u, hi_u - lo_u, tile_u, frame.n_u),
            choose_n_tiles(canvas->n_v, hi_v - lo_v, tile_v, frame.n_v));
    for (int64_t tv = lo_v / tile_v; tv * tile_v < hi_v; tv++)
        for (int64_t tu = lo_u / tile_u; tu * tile_u < hi_u; tu++)
            update_tile(&frame, tu, tv, update.uploaded_bytes < max_bytes,
                        &update);
    fill_plane(&frame, camera, lo_u, lo_v, out);
    return update;
}
