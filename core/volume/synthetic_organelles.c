/* Where the organelles of the synthetic volume are: mitochondria and
 * microtubules along the neurites, vacuoles, and synapses with a T-bar, its
 * cloud of vesicles and the density across the cleft.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/synthetic_parts.h"

#include <math.h>

typedef struct {
    const CxCells *cells;
    CxRng *rng;
    GArray *organelles;
} Placer;

static float
uniform(Placer *self, float lo, float hi)
{
    return lo + (hi - lo) * (float)cx_rng_uniform(self->rng);
}

static bool
voxel_at(const CxCells *cells, CxVec3 at, size_t *offset)
{
    CxVec3 nm = cells->voxel_nm;
    CxVoxel v = {(int64_t)floorf(at.x / nm.x), (int64_t)floorf(at.y / nm.y),
                 (int64_t)floorf(at.z / nm.z)};
    CxBox bounds = cx_box_of_size(cells->size);

    if (!cx_box_contains(bounds, v))
        return false;
    *offset = cx_box_offset(bounds, v);
    return true;
}

static void
add(Placer *self, CxOrganelleKind kind, CxVec3 a, CxVec3 d, float radius,
    uint32_t cell)
{
    float length2 = cx_vec3_dot(d, d);
    CxOrganelle organelle = {
        .kind = kind,
        .a = a,
        .d = d,
        .inverse_length2 = length2 > 0 ? 1 / length2 : 0,
        .radius = radius,
        .cell = cell,
        .seed = (uint32_t)cx_rng_next(self->rng),
    };

    g_array_append_val(self->organelles, organelle);
}

static CxVec3
sideways(Placer *self, CxVec3 axis)
{
    CxVec3 v = cx_synthetic_direction(self->rng);

    v = cx_vec3_sub(v, cx_vec3_scale(axis, cx_vec3_dot(v, axis)));
    return cx_vec3_unit(v);
}

/* A chain of two capsules, bent a little in the middle. */
static void
add_mitochondrion(Placer *self, const CxTube *tube, uint32_t cell)
{
    CxVec3 axis = cx_vec3_unit(tube->d);
    float radius = fminf(tube->radius * uniform(self, 0.38f, 0.62f), 170);
    float length = uniform(self, 120, 520);
    float away = (tube->radius - radius) * uniform(self, 0, 0.6f);
    CxVec3 off = cx_vec3_scale(sideways(self, axis), away);
    CxVec3 start = cx_vec3_add(tube->a, off);
    CxVec3 half = cx_vec3_scale(axis, length / 2);
    CxVec3 bend = cx_vec3_scale(sideways(self, axis), length * 0.12f);

    add(self, CX_ORGANELLE_MITOCHONDRION, start, cx_vec3_add(half, bend),
        radius, cell);
    add(self, CX_ORGANELLE_MITOCHONDRION,
        cx_vec3_add(start, cx_vec3_add(half, bend)), cx_vec3_sub(half, bend),
        radius * uniform(self, 0.8f, 1.0f), cell);
    g_array_index(self->organelles, CxOrganelle, self->organelles->len - 1)
        .seed =
        g_array_index(self->organelles, CxOrganelle, self->organelles->len - 2)
            .seed;
}

/* Runs beside the axis of a tube, in the same place in each of its pieces. */
static void
add_microtubules(Placer *self, const CxTube *tube, uint32_t cell)
{
    CxRng own;
    unsigned n = (unsigned)(tube->radius / 45);

    cx_rng_init(&own, tube->neuron + 1);
    for (unsigned i = 0; i < MIN(n, 6); i++) {
        CxVec3 off =
            cx_vec3_scale(cx_synthetic_direction(&own), tube->radius * 0.55f);

        add(self, CX_ORGANELLE_TUBULE, cx_vec3_add(tube->a, off), tube->d, 11,
            cell);
    }
}

static void
place_along(Placer *self, const CxTube *tube)
{
    size_t at;

    if (!voxel_at(self->cells, tube->a, &at))
        return;
    uint32_t cell = self->cells->cell[at];
    float length = sqrtf(cx_vec3_dot(tube->d, tube->d));
    if (tube->radius > 95 && uniform(self, 0, 1) < length / 1100)
        add_mitochondrion(self, tube, cell);
    if (tube->radius > 110 && uniform(self, 0, 1) < length / 1500) {
        CxVec3 off = cx_synthetic_direction(self->rng);
        CxVec3 axis = cx_synthetic_direction(self->rng);
        float reach = uniform(self, 0, 60);

        off = cx_vec3_scale(off, tube->radius * 0.5f);
        add(self, CX_ORGANELLE_VACUOLE, cx_vec3_add(tube->a, off),
            cx_vec3_scale(axis, reach), uniform(self, 26, 55), cell);
    }
    if (tube->radius > 70)
        add_microtubules(self, tube, cell);
}

static CxVec3
random_point(Placer *self)
{
    const CxCells *cells = self->cells;
    CxVec3 at;

    at.x = uniform(self, 0, (float)cells->size.x * cells->voxel_nm.x);
    at.y = uniform(self, 0, (float)cells->size.y * cells->voxel_nm.y);
    at.z = uniform(self, 0, (float)cells->size.z * cells->voxel_nm.z);
    return at;
}

/* Steps from a point to where the membrane is farther away. */
static CxVec3
inward_from(Placer *self, CxVec3 at, uint32_t cell)
{
    CxVec3 best = {0, 0, 0};
    int most = -1;

    for (int i = 0; i < 24; i++) {
        CxVec3 direction = cx_synthetic_direction(self->rng);
        size_t offset;

        if (voxel_at(self->cells, cx_vec3_add(at, cx_vec3_scale(direction, 55)),
                     &offset) &&
            self->cells->cell[offset] == cell &&
            self->cells->gap[offset] > most) {
            most = self->cells->gap[offset];
            best = direction;
        }
    }
    return best;
}

static void
add_synapse(Placer *self, CxVec3 at, CxVec3 inward, uint32_t cell)
{
    CxVec3 side = sideways(self, inward);
    float width = uniform(self, 25, 45);
    CxVec3 top = cx_vec3_add(at, cx_vec3_scale(inward, 42));
    unsigned n = 12 + (unsigned)cx_rng_below(self->rng, 30);

    add(self, CX_ORGANELLE_DENSITY, at, cx_vec3_scale(inward, 40), 15, cell);
    add(self, CX_ORGANELLE_DENSITY,
        cx_vec3_sub(top, cx_vec3_scale(side, width / 2)),
        cx_vec3_scale(side, width), 15, cell);
    add(self, CX_ORGANELLE_DENSITY,
        cx_vec3_add(cx_vec3_sub(at, cx_vec3_scale(inward, 16)),
                    cx_vec3_scale(side, -70)),
        cx_vec3_scale(side, 140), 20, UINT32_MAX);
    for (unsigned i = 0; i < n; i++) {
        float deep = uniform(self, 60, 240);
        float aside = uniform(self, 20, 130);
        CxVec3 off = cx_vec3_scale(cx_synthetic_direction(self->rng), aside);

        off = cx_vec3_add(off, cx_vec3_scale(inward, deep));
        add(self, CX_ORGANELLE_VESICLE, cx_vec3_add(at, off), (CxVec3){0, 0, 0},
            uniform(self, 16, 23), cell);
    }
}

static void
place_synapses(Placer *self)
{
    CxVec3 nm = self->cells->voxel_nm;
    double volume_um3 = (double)self->cells->size.x * nm.x *
                        (double)self->cells->size.y * nm.y *
                        (double)self->cells->size.z * nm.z / 1e9;
    unsigned wanted = (unsigned)(volume_um3 * 1.4 + 0.5), n = 0;

    for (unsigned i = 0; i < 4000 * (wanted + 1) && n < wanted; i++) {
        CxVec3 at = random_point(self);
        size_t offset;

        if (!voxel_at(self->cells, at, &offset) ||
            self->cells->gap[offset] > 16)
            continue;
        uint32_t cell = self->cells->cell[offset];
        CxVec3 inward = inward_from(self, at, cell);
        CxVec3 deep = cx_vec3_add(at, cx_vec3_scale(inward, 110));
        if (!voxel_at(self->cells, deep, &offset) ||
            self->cells->cell[offset] != cell || self->cells->gap[offset] < 120)
            continue;
        add_synapse(self, at, inward, cell);
        n++;
    }
}

GArray *
cx_synthetic_place(const CxCells *cells, const GArray *tubes, CxRng *rng)
{
    Placer self = {cells, rng, g_array_new(FALSE, FALSE, sizeof(CxOrganelle))};

    for (guint i = 0; i < tubes->len; i++)
        place_along(&self, &g_array_index(tubes, CxTube, i));
    place_synapses(&self);
    return self.organelles;
}
