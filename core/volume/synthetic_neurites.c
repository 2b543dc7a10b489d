/* Centre lines of the synthetic volume: smooth random walks that keep clear of
 * each other, thick ones first, with branches, swellings and ends.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/synthetic_parts.h"

#include <math.h>

#define MARGIN_NM 350.0f
#define CELL_NM 450.0f
#define N_HEADINGS 8
#define MAX_STEPS 4000
#define MAX_DEPTH 3
#define PI 3.14159265f

typedef struct {
    CxVec3 at;
    float radius;
    uint32_t neuron;
} Node;

typedef struct {
    CxVec3 extent;
    CxRng *rng;
    GArray *tubes;
    GArray *nodes;
    GArray **cells; /* of node numbers, on a grid of CELL_NM */
    int64_t nx, ny, nz;
    double filled; /* nm³ inside the block */
    float radius_scale;
} Grower;

/* One walk that is going on. */
typedef struct {
    CxVec3 at, heading;
    float base_radius, swelling, swelling_to;
    uint32_t neuron;
    int depth;
} Tip;

static int64_t
cell_coordinate(float position, int64_t n)
{
    int64_t i = (int64_t)floorf((position + MARGIN_NM) / CELL_NM);

    return CLAMP(i, 0, n - 1);
}

static GArray *
cell_at(const Grower *self, int64_t x, int64_t y, int64_t z)
{
    return self->cells[(z * self->ny + y) * self->nx + x];
}

static void
add_node(Grower *self, Node node)
{
    guint number = self->nodes->len;
    GArray *cell = cell_at(self, cell_coordinate(node.at.x, self->nx),
                           cell_coordinate(node.at.y, self->ny),
                           cell_coordinate(node.at.z, self->nz));

    g_array_append_val(self->nodes, node);
    g_array_append_val(cell, number);
}

static float
node_overlap(const Node *node, CxVec3 at, float radius)
{
    float distance = cx_vec3_length(cx_vec3_sub(node->at, at));

    float thinner = radius < node->radius ? radius : node->radius;

    return (radius + node->radius - distance) / thinner;
}

/* How deep a tube of this radius would sink into the ones of other neurons,
 * in units of the thinner one; 0 if clear. */
static float
overlap_at(const Grower *self, CxVec3 at, float radius, uint32_t neuron)
{
    float worst = 0, reach = radius + 500 * self->radius_scale;
    int64_t x0 = cell_coordinate(at.x - reach, self->nx);
    int64_t x1 = cell_coordinate(at.x + reach, self->nx);
    int64_t y0 = cell_coordinate(at.y - reach, self->ny);
    int64_t y1 = cell_coordinate(at.y + reach, self->ny);
    int64_t z0 = cell_coordinate(at.z - reach, self->nz);
    int64_t z1 = cell_coordinate(at.z + reach, self->nz);

    for (int64_t z = z0; z <= z1; z++)
        for (int64_t y = y0; y <= y1; y++)
            for (int64_t x = x0; x <= x1; x++) {
                const GArray *cell = cell_at(self, x, y, z);

                for (guint i = 0; i < cell->len; i++) {
                    const Node *node = &g_array_index(
                        self->nodes, Node, g_array_index(cell, guint, i));

                    float overlap = node->neuron != neuron
                                        ? node_overlap(node, at, radius)
                                        : 0;
                    worst = overlap > worst ? overlap : worst;
                }
            }
    return worst;
}

static bool
is_inside(const Grower *self, CxVec3 at, float margin)
{
    return at.x > -margin && at.y > -margin && at.z > -margin &&
           at.x < self->extent.x + margin && at.y < self->extent.y + margin &&
           at.z < self->extent.z + margin;
}

static float
uniform(Grower *self, float lo, float hi)
{
    return lo + (hi - lo) * (float)cx_rng_uniform(self->rng);
}

/* The heading that keeps clearest, with a liking for straight on. */
static CxVec3
choose_heading(Grower *self, const Tip *tip, float step, float radius,
               float *overlap)
{
    CxVec3 best = tip->heading;
    float best_cost = INFINITY;

    for (int i = 0; i < N_HEADINGS; i++) {
        CxVec3 turn = cx_vec3_scale(cx_synthetic_direction(self->rng),
                                    i == 0 ? 0.08f : 0.45f);
        CxVec3 heading = cx_vec3_unit(cx_vec3_add(tip->heading, turn));
        CxVec3 at = cx_vec3_add(tip->at, cx_vec3_scale(heading, step));
        float here = overlap_at(self, at, radius, tip->neuron);
        float cost = here + 0.4f * (1 - cx_vec3_dot(heading, tip->heading));

        if (cost < best_cost) {
            best = heading;
            best_cost = cost;
            *overlap = here;
        }
    }
    return best;
}

static float
step_radius(Grower *self, Tip *tip)
{
    if (cx_rng_below(self->rng, 14) == 0) /* a swelling begins or ends */
        tip->swelling_to = cx_rng_below(self->rng, 3) == 0
                               ? uniform(self, 1.2f, 1.8f)
                               : uniform(self, 0.75f, 1.1f);
    tip->swelling += (tip->swelling_to - tip->swelling) * 0.25f;
    return tip->base_radius * tip->swelling;
}

static void
add_tube(Grower *self, CxVec3 a, CxVec3 b, float ra, float rb, uint32_t neuron)
{
    CxVec3 d = cx_vec3_sub(b, a);
    float length2 = cx_vec3_dot(d, d);
    CxTube tube = {a, d, length2 > 0 ? 1 / length2 : 0, ra, rb - ra, neuron};

    g_array_append_val(self->tubes, tube);
    if (is_inside(self, b, 0))
        self->filled += (double)(PI * rb * rb * sqrtf(length2));
}

/* Walks until the block is left or there is no room; length in nm. */
static float
walk(Grower *self, Tip tip)
{
    float radius = tip.base_radius, length = 0;

    for (int i = 0; i < MAX_STEPS; i++) {
        float step = fmaxf(0.55f * radius, 55 * self->radius_scale);
        float next = step_radius(self, &tip), overlap = 0;
        CxVec3 heading = choose_heading(self, &tip, step, next, &overlap);
        CxVec3 at = cx_vec3_add(tip.at, cx_vec3_scale(heading, step));

        if (overlap > 0.9f) { /* squeeze through, or end here */
            next = fmaxf(next * 0.6f, 35 * self->radius_scale);
            if (overlap_at(self, at, next, tip.neuron) > 1.3f)
                break;
        }
        add_tube(self, tip.at, at, radius, next, tip.neuron);
        add_node(self, (Node){at, next, tip.neuron});
        length += step;
        tip.at = at;
        tip.heading = heading;
        radius = next;
        if (!is_inside(self, at, MARGIN_NM))
            break;
        if (tip.depth < MAX_DEPTH && length > 300 &&
            cx_rng_below(self->rng, 30) == 0) {
            CxVec3 side =
                cx_vec3_scale(cx_synthetic_direction(self->rng), 1.2f);
            Tip branch = tip;

            branch.heading = cx_vec3_unit(cx_vec3_add(heading, side));
            branch.base_radius =
                fmaxf(tip.base_radius * uniform(self, 0.5f, 0.8f),
                      40 * self->radius_scale);
            branch.depth++;
            length += walk(self, branch);
        }
    }
    return length;
}

/* A point on the border of the padded block and a heading into it. */
static void
enter(Grower *self, Tip *tip)
{
    float m = MARGIN_NM * 0.9f;
    CxVec3 e = {self->extent.x + 2 * m, self->extent.y + 2 * m,
                self->extent.z + 2 * m};
    float areas[3] = {e.y * e.z, e.x * e.z, e.x * e.y};
    float pick = uniform(self, 0, areas[0] + areas[1] + areas[2]);
    bool high = cx_rng_below(self->rng, 2) == 1;
    CxVec3 at;

    at.x = uniform(self, 0, e.x);
    at.y = uniform(self, 0, e.y);
    at.z = uniform(self, 0, e.z);
    CxVec3 heading = cx_synthetic_direction(self->rng);
    CxVec3 inward = {0, 0, 0};

    if (pick < areas[0]) {
        at.x = high ? e.x : 0;
        inward.x = high ? -1 : 1;
    } else if (pick < areas[0] + areas[1]) {
        at.y = high ? e.y : 0;
        inward.y = high ? -1 : 1;
    } else {
        at.z = high ? e.z : 0;
        inward.z = high ? -1 : 1;
    }
    tip->at = cx_vec3_sub(at, (CxVec3){m, m, m});
    tip->heading = cx_vec3_unit(cx_vec3_add(heading, inward));
}

/* Thick ones first, so that thin ones find their way between them. */
static float
choose_radius(Grower *self, double part)
{
    if (part < 0.30)
        return uniform(self, 200, 380);
    if (part < 0.72)
        return uniform(self, 95, 200);
    return uniform(self, 45, 100);
}

/* True if the neurite found room. */
static bool
grow_one(Grower *self, uint32_t neuron, double part)
{
    float radius = choose_radius(self, part) * self->radius_scale;
    Tip tip = {.base_radius = radius,
               .swelling = 1,
               .swelling_to = 1,
               .neuron = neuron};
    guint n_tubes = self->tubes->len;

    for (int tries = 0; tries < 40; tries++) {
        enter(self, &tip);
        if (overlap_at(self, tip.at, radius, neuron) < 0.5f)
            break;
    }
    walk(self, tip);
    for (guint i = n_tubes; i < self->tubes->len; i++) {
        const CxTube *tube = &g_array_index(self->tubes, CxTube, i);

        if (is_inside(self, tube->a, 0))
            return true;
    }
    return false;
}

static void
init_grid(Grower *self)
{
    self->nx = (int64_t)((self->extent.x + 2 * MARGIN_NM) / CELL_NM) + 1;
    self->ny = (int64_t)((self->extent.y + 2 * MARGIN_NM) / CELL_NM) + 1;
    self->nz = (int64_t)((self->extent.z + 2 * MARGIN_NM) / CELL_NM) + 1;
    int64_t n = self->nx * self->ny * self->nz;
    self->cells = g_new(GArray *, n);
    for (int64_t i = 0; i < n; i++)
        self->cells[i] = g_array_new(FALSE, FALSE, sizeof(guint));
}

static void
clear_grid(Grower *self)
{
    for (int64_t i = 0; i < self->nx * self->ny * self->nz; i++)
        g_array_unref(self->cells[i]);
    g_free(self->cells);
    g_array_unref(self->nodes);
}

GArray *
cx_synthetic_grow(CxVec3 extent, unsigned *n_neurons, CxRng *rng)
{
    double volume = (double)extent.x * extent.y * extent.z;
    unsigned wanted = *n_neurons, n = 0, n_failed = 0;
    Grower self = {
        .extent = extent,
        .rng = rng,
        .tubes = g_array_new(FALSE, FALSE, sizeof(CxTube)),
        .nodes = g_array_new(FALSE, FALSE, sizeof(Node)),
        .radius_scale = 1,
    };

    if (wanted > 0) { /* one neurite fills about 2.6e8 nm³ of a large block */
        double usual = volume / 1.6e8 + 6;

        self.radius_scale =
            CLAMP(sqrtf((float)(usual / (double)wanted)), 0.3f, 3.0f);
    }
    init_grid(&self);
    while (wanted > 0 ? n < wanted : self.filled < 0.92 * volume) {
        double part =
            wanted > 0 ? (double)n / (double)wanted : self.filled / volume;

        if (grow_one(&self, n, part))
            n++;
        else if (++n_failed > 400 + 20 * n)
            break;
    }
    clear_grid(&self);
    *n_neurons = n;
    return self.tubes;
}
