/* The picture of one section of the synthetic volume.
 *
 * Layers, as in tissue: cytoplasm with its texture, organelles, membranes,
 * densities; then the microscope: blur, brightness of the section, stripes
 * and noise.  Grey values follow what FIB-SEM of the fly brain shows at 10 nm
 * and, where sections are thick, what ssTEM shows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/hash64.h"
#include "core/volume/synthetic_parts.h"

#include <math.h>
#include <string.h>

typedef struct {
    float base, grain; /* brightness, strength of texture */
} Cytoplasm;

typedef struct {
    float offset, gain, noise;
} SectionLook;

struct CxPainter {
    const CxCells *cells;
    const GArray *organelles;
    GArray **by_section; /* numbers of organelles */
    Cytoplasm *cytoplasm;
    SectionLook *looks;
    CxField texture, clumps, patches;
    uint64_t noise_seed;
    float noise;
    bool is_thick; /* ssTEM-like */
};

/* fminf() and others are calls that care for NaN. */
static inline float
min_of(float a, float b)
{
    return a < b ? a : b;
}

static inline float
max_of(float a, float b)
{
    return a > b ? a : b;
}

static inline float
abs_of(float a)
{
    return a < 0 ? -a : a;
}

static float
reach_of(const CxOrganelle *organelle)
{
    return organelle->radius + 18;
}

static void
sort_by_section(CxPainter *self)
{
    int64_t n_z = self->cells->size.z;
    float nz = self->cells->voxel_nm.z;

    self->by_section = g_new(GArray *, n_z);
    for (int64_t z = 0; z < n_z; z++)
        self->by_section[z] = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < self->organelles->len; i++) {
        const CxOrganelle *o = &g_array_index(self->organelles, CxOrganelle, i);
        float lo = min_of(o->a.z, o->a.z + o->d.z) - reach_of(o);
        float hi = max_of(o->a.z, o->a.z + o->d.z) + reach_of(o);
        int64_t first = MAX((int64_t)floorf(lo / nz), 0);
        int64_t last = MIN((int64_t)floorf(hi / nz), n_z - 1);

        for (int64_t z = first; z <= last; z++)
            g_array_append_val(self->by_section[z], i);
    }
}

static void
choose_cytoplasm(CxPainter *self, uint32_t n_cells, CxRng *rng)
{
    self->cytoplasm = g_new(Cytoplasm, n_cells);
    for (uint32_t i = 0; i < n_cells; i++) {
        float base = 157 + 20 * cx_synthetic_normal(rng);

        if (cx_rng_below(rng, 12) == 0) /* some cells are dark all through */
            base = 106 + 9 * cx_synthetic_normal(rng);
        self->cytoplasm[i].base = CLAMP(base, 90, 196);
        self->cytoplasm[i].grain = 7 + 6 * (float)cx_rng_uniform(rng);
    }
}

/* Brightness wanders from section to section and jumps now and then. */
static void
choose_looks(CxPainter *self, CxRng *rng)
{
    float step = 0, spread = self->is_thick ? 5.0f : 1.1f;

    self->looks = g_new(SectionLook, self->cells->size.z);
    for (int64_t z = 0; z < self->cells->size.z; z++) {
        if (cx_rng_below(rng, 60) == 0)
            step = 6 * cx_synthetic_normal(rng);
        SectionLook *look = &self->looks[z];

        look->offset = step + spread * cx_synthetic_normal(rng);
        look->gain = 1 + 0.006f * spread * cx_synthetic_normal(rng);
        look->noise = 1 + 0.06f * cx_synthetic_normal(rng);
    }
}

CxPainter *
cx_painter_new(const CxCells *cells, const GArray *organelles, uint32_t n_cells,
               const CxSyntheticOptions *options, CxRng *rng, GError **error)
{
    g_autoptr(CxPainter) self = g_new0(CxPainter, 1);

    self->cells = cells;
    self->organelles = organelles;
    self->is_thick = cells->voxel_nm.z > 2 * cells->voxel_nm.x;
    self->noise = (float)options->noise * (self->is_thick ? 13.0f : 8.5f);
    self->noise_seed = cx_rng_next(rng);
    sort_by_section(self);
    choose_cytoplasm(self, n_cells, rng);
    choose_looks(self, rng);
    if (!cx_field_init(&self->texture, rng, 15, error) ||
        !cx_field_init(&self->clumps, rng, 34, error) ||
        !cx_field_init(&self->patches, rng, 45, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
cx_painter_free(CxPainter *self)
{
    if (self == NULL)
        return;
    for (int64_t z = 0; z < self->cells->size.z; z++)
        g_array_unref(self->by_section[z]);
    g_free(self->by_section);
    g_free(self->cytoplasm);
    g_free(self->looks);
    cx_field_clear(&self->texture);
    cx_field_clear(&self->clumps);
    cx_field_clear(&self->patches);
    g_free(self);
}

static size_t
row_offset(const CxPainter *self, int64_t y, int64_t z)
{
    const CxCells *cells = self->cells;

    return (size_t)((z * cells->size.y + y) * cells->size.x);
}

static CxVec3
row_start(const CxPainter *self, int64_t y, int64_t z)
{
    CxVec3 nm = self->cells->voxel_nm;

    return (CxVec3){0.5f * nm.x + self->cells->shift_x[z],
                    ((float)y + 0.5f) * nm.y + self->cells->shift_y[z],
                    ((float)z + 0.5f) * nm.z};
}

static void
paint_cytoplasm(const CxPainter *self, int64_t z, float *image, float *scratch)
{
    size_t width = (size_t)self->cells->size.x;
    float *grain = scratch, *clump = scratch + width;

    for (int64_t y = 0; y < self->cells->size.y; y++) {
        const uint32_t *cell = self->cells->cell + row_offset(self, y, z);
        CxVec3 at = row_start(self, y, z);
        float *row = image + (size_t)y * width;

        cx_field_row(&self->texture, at, self->cells->voxel_nm.x, width, grain);
        cx_field_row(&self->clumps, at, self->cells->voxel_nm.x, width, clump);
        for (size_t x = 0; x < width; x++) {
            const Cytoplasm *c = &self->cytoplasm[cell[x]];
            float dark = clump[x] > 0.2f ? (clump[x] - 0.2f) * 0.9f : 0;

            row[x] = c->base + c->grain * (grain[x] - dark);
        }
    }
}

static inline float
clamp01(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

static inline float
mix(float a, float b, float t)
{
    return a + (b - a) * t;
}

/* 1 at the middle, falling smoothly to 0 at the width. */
static inline float
bump(float distance, float width)
{
    float t = distance / width;
    float s = 1 - t * t;

    return s > 0 ? s * s : 0;
}

/* -1 … 1, about a sine with period 1. */
static float
wave(float t)
{
    t = t - floorf(t);
    t = t < 0.5f ? 4 * t - 1 : 3 - 4 * t;
    return t * (1.5f - 0.5f * t * t);
}

/* Folds of the inner membrane: waves across the organelle, bent by noise. */
static float
paint_mitochondrion(const CxPainter *self, const CxOrganelle *o, CxVec3 q,
                    float depth, float grain, float old)
{
    CxVec3 axis = {(float)(o->seed & 255) - 127.5f,
                   (float)(o->seed >> 8 & 255) - 127.5f,
                   (float)(o->seed >> 16 & 255) - 127.5f};
    float along = cx_vec3_dot(q, cx_vec3_unit(axis)) + 9 * grain;
    float folds = wave(along / 46) * (self->is_thick ? 20.0f : 7.0f);
    float matrix = (self->is_thick ? 112.0f : 88.0f) + folds + 4 * grain;
    float rim = self->is_thick ? 58.0f : 72.0f;
    float inside = clamp01((depth + 4) / 8);

    return mix(old, mix(matrix, rim, bump(depth - 5, 12)), inside);
}

static float
paint_one(const CxPainter *self, const CxOrganelle *o, CxVec3 q, float depth,
          float grain, float old)
{
    switch (o->kind) {
    case CX_ORGANELLE_MITOCHONDRION:
        return paint_mitochondrion(self, o, q, depth, grain, old);
    case CX_ORGANELLE_VESICLE:
        return mix(mix(old, 165, clamp01(depth / 8)), 92,
                   0.75f * bump(depth - 3, 10));
    case CX_ORGANELLE_VACUOLE:
        return mix(mix(old, 196, clamp01((depth + 3) / 8)), 98,
                   0.8f * bump(depth, 12));
    case CX_ORGANELLE_TUBULE:
        return mix(old, 108, 0.45f * clamp01((depth + 6) / 10));
    case CX_ORGANELLE_DENSITY:
        return mix(old, self->is_thick ? 36.0f : 62.0f,
                   0.85f * clamp01((depth + 5) / 14));
    }
    return old;
}

/* Paints the voxels of one row that an organelle reaches. */
static void
paint_row(const CxPainter *self, const CxOrganelle *o, int64_t y, int64_t z,
          int64_t x0, int64_t x1, float *row, float *grain)
{
    const CxCells *cells = self->cells;
    size_t offset = row_offset(self, y, z);
    CxVec3 at = row_start(self, y, z);

    at.x += (float)x0 * cells->voxel_nm.x;
    cx_field_row(&self->patches, at, cells->voxel_nm.x, (size_t)(x1 - x0),
                 grain);
    for (int64_t x = x0; x < x1; x++) {
        float gap = (float)cells->gap[offset + (size_t)x] / 2;
        bool anywhere = o->kind == CX_ORGANELLE_DENSITY;
        CxVec3 p = {at.x + (float)(x - x0) * cells->voxel_nm.x, at.y, at.z};
        CxVec3 q = cx_vec3_sub(p, o->a);
        float t = clamp01(cx_vec3_dot(q, o->d) * o->inverse_length2);
        CxVec3 rest = cx_vec3_sub(q, cx_vec3_scale(o->d, t));
        float bent = 7 * grain[x - x0] * clamp01(o->radius / 80);
        float depth = o->radius + bent - cx_vec3_length(rest);

        if (depth < -10 ||
            (!anywhere &&
             (cells->cell[offset + (size_t)x] != o->cell || gap < 14)))
            continue;
        if (!anywhere) /* the organelle keeps off the cell's membrane */
            depth = min_of(depth, gap - 16);
        row[x] = paint_one(self, o, rest, depth, grain[x - x0], row[x]);
    }
}

static void
paint_organelle(const CxPainter *self, const CxOrganelle *o, int64_t z,
                float *image, float *scratch)
{
    const CxCells *cells = self->cells;
    CxVec3 nm = cells->voxel_nm;
    float reach = reach_of(o) + 20;
    float sx = cells->shift_x[z], sy = cells->shift_y[z];
    float lo_x = min_of(o->a.x, o->a.x + o->d.x) - reach - sx;
    float hi_x = max_of(o->a.x, o->a.x + o->d.x) + reach - sx;
    float lo_y = min_of(o->a.y, o->a.y + o->d.y) - reach - sy;
    float hi_y = max_of(o->a.y, o->a.y + o->d.y) + reach - sy;
    int64_t x0 = CLAMP((int64_t)floorf(lo_x / nm.x), 0, cells->size.x);
    int64_t x1 = CLAMP((int64_t)floorf(hi_x / nm.x) + 1, 0, cells->size.x);
    int64_t y0 = CLAMP((int64_t)floorf(lo_y / nm.y), 0, cells->size.y);
    int64_t y1 = CLAMP((int64_t)floorf(hi_y / nm.y) + 1, 0, cells->size.y);

    for (int64_t y = y0; y < y1 && x0 < x1; y++)
        paint_row(self, o, y, z, x0, x1, image + y * cells->size.x, scratch);
}

/* Two dark leaves beside a lighter cleft. */
static inline float
membrane_at(float distance)
{
    float leaf = bump(abs_of(distance) - 8, 13);
    float cleft = 0.55f * bump(distance, 12);

    return leaf > cleft ? leaf : cleft;
}

/* The mean over the thickness of a section that the membrane crosses
 * aslant. */
static float
membrane_through(float distance, float spread)
{
    float sum = 0;

    if (spread < 8)
        return membrane_at(distance);
    for (int i = -2; i <= 2; i++)
        sum += membrane_at(abs_of(distance + (float)i * spread / 4));
    return sum / 5;
}

static void
paint_membranes(const CxPainter *self, int64_t z, float *image, float *scratch)
{
    const CxCells *cells = self->cells;
    size_t width = (size_t)cells->size.x;
    float dark = self->is_thick ? 42.0f : 76.0f;

    for (int64_t y = 0; y < cells->size.y; y++) {
        size_t offset = row_offset(self, y, z);
        float *row = image + (size_t)y * width;

        cx_field_row(&self->patches, row_start(self, y, z), cells->voxel_nm.x,
                     width, scratch);
        for (size_t x = 0; x < width; x++) {
            float distance = (float)cells->gap[offset + x] / 2;
            float lean = (float)cells->tilt[offset + x] / 255;
            float spread = lean * cells->voxel_nm.z;

            if (distance > 30 + spread)
                continue;
            float strength = membrane_through(distance, spread);
            float patch = 0.93f + 0.10f * scratch[x];
            row[x] =
                mix(row[x], min_of(dark, row[x]), clamp01(strength * patch));
        }
    }
}

/* [1 k 1] in x and y: the spot of the beam. */
static void
blur(float *image, size_t width, size_t height, float *old)
{
    const float centre = 0.52f, side = 0.24f;

    for (size_t y = 0; y < height; y++) {
        float *row = image + y * width;

        memcpy(old, row, width * sizeof *row);
        for (size_t x = 1; x + 1 < width; x++)
            row[x] = centre * old[x] + side * (old[x - 1] + old[x + 1]);
    }
    if (height < 3)
        return;
    memcpy(old, image, width * sizeof *old); /* the row above, unblurred */
    for (size_t y = 1; y + 1 < height; y++) {
        float *row = image + y * width;

        for (size_t x = 0; x < width; x++) {
            float here = row[x];

            row[x] = centre * here + side * (old[x] + row[x + width]);
            old[x] = here;
        }
    }
}

/* About normal, from one hash: the sum of its bytes. */
static inline float
noise_of(uint64_t hash)
{
    uint64_t pairs = (hash & UINT64_C(0x00ff00ff00ff00ff)) +
                     (hash >> 8 & UINT64_C(0x00ff00ff00ff00ff));
    uint64_t sum = (pairs & 0xffff) + (pairs >> 16 & 0xffff) +
                   (pairs >> 32 & 0xffff) + (pairs >> 48);

    return ((float)sum - 1020.0f) * (1 / 209.0f);
}

static void
finish(const CxPainter *self, int64_t z, const float *image, uint8_t *pixels,
       float *stripes)
{
    size_t width = (size_t)self->cells->size.x;
    const SectionLook *look = &self->looks[z];
    float sigma = self->noise * look->noise;

    for (size_t x = 0; x < width; x++) {
        uint64_t key = self->noise_seed + (uint64_t)z * 0x10001 + (x << 40);

        stripes[x] = 0.14f * self->noise * noise_of(cx_hash64_mix(key));
    }
    for (int64_t y = 0; y < self->cells->size.y; y++) {
        size_t offset = row_offset(self, y, z);

        for (size_t x = 0; x < width; x++) {
            float signal = image[(size_t)y * width + x];
            float noise =
                noise_of(cx_hash64_mix(self->noise_seed ^ (offset + x + 1)));
            /* brighter means more electrons and more noise */
            float scale = sigma * (0.75f + signal * (1 / 500.0f));
            float value = (signal - 128) * look->gain + 128 + look->offset +
                          stripes[x] + scale * noise;

            if (self->is_thick) /* stronger stain */
                value = (value - 128) * 1.25f + 132;
            pixels[(size_t)y * width + x] =
                (uint8_t)(CLAMP(value, 0.0f, 255.0f) + 0.5f);
        }
    }
}

bool
cx_painter_section(const CxPainter *self, int64_t z, uint8_t *pixels,
                   GError **error)
{
    size_t width = (size_t)self->cells->size.x;
    size_t height = (size_t)self->cells->size.y;
    CX_AUTOFREE float *image =
        cx_try_alloc(width * height, sizeof(float), error);
    CX_AUTOFREE float *scratch = cx_try_alloc(width * 2, sizeof(float), error);
    const GArray *here = self->by_section[z];

    if (image == NULL || scratch == NULL)
        return false;
    paint_cytoplasm(self, z, image, scratch);
    for (guint i = 0; i < here->len; i++) {
        guint number = g_array_index(here, guint, i);
        const CxOrganelle *o =
            &g_array_index(self->organelles, CxOrganelle, number);

        if (o->kind != CX_ORGANELLE_DENSITY)
            paint_organelle(self, o, z, image, scratch);
    }
    paint_membranes(self, z, image, scratch);
    for (guint i = 0; i < here->len; i++) {
        guint number = g_array_index(here, guint, i);
        const CxOrganelle *o =
            &g_array_index(self->organelles, CxOrganelle, number);

        if (o->kind == CX_ORGANELLE_DENSITY)
            paint_organelle(self, o, z, image, scratch);
    }
    blur(image, width, height, scratch);
    finish(self, z, image, pixels, scratch);
    return true;
}
