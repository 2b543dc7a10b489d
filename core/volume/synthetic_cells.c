/* Which neurite each voxel of the synthetic volume belongs to.
 *
 * A voxel goes to the tube whose surface is nearest (distance minus radius:
 * an additively weighted Voronoi diagram, so everything is filled), after its
 * position has been bent by smooth noise.  The block is halved again and
 * again; each part keeps the tubes that can matter in it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/union_find.h"
#include "core/jobs/parallel.h"
#include "core/volume/synthetic_parts.h"

#include <math.h>
#include <stdlib.h>

#define TASK_VOXELS 64
#define LEAF_VOXELS 256
#define SPECK_VOXELS 400

typedef struct {
    CxCells *cells;
    const GArray *tubes;
    CxField bend[3], ripple[3];
    CxVoxel n_tasks;
} Filler;

/* A tube that matters in a leaf, and how far it is from the leaf's centre. */
typedef struct {
    const CxTube *tube;
    float distance;
} Candidate;

/* Room of one worker. */
typedef struct {
    const Filler *filler;
    GArray *stack; /* tube numbers; a list a depth, one behind the other */
    GArray *candidates;
    CxVec3 bent[LEAF_VOXELS]; /* positions of the voxels of a leaf */
    float row[6][TASK_VOXELS];
} Scratch;

bool
cx_cells_init(CxCells *cells, const CxSyntheticOptions *options, CxRng *rng,
              GError **error)
{
    CxVoxel size = options->size;
    CxNm nm = options->voxel_nm;
    size_t n = 0;
    float jitter = nm.z > 2 * nm.x ? (float)nm.x * 0.6f : 0;

    *cells = (CxCells){.size = size,
                       .voxel_nm = {(float)nm.x, (float)nm.y, (float)nm.z}};
    cx_box_n_voxels(cx_box_of_size(size), &n);
    cells->cell = cx_try_alloc(n, sizeof *cells->cell, error);
    cells->gap = cells->cell != NULL ? cx_try_alloc(n, 1, error) : NULL;
    cells->tilt = cells->gap != NULL ? cx_try_alloc(n, 1, error) : NULL;
    if (cells->tilt == NULL)
        return false;
    cells->shift_x = g_new(float, size.z);
    cells->shift_y = g_new(float, size.z);
    for (int64_t z = 0; z < size.z; z++) {
        cells->shift_x[z] = jitter * cx_synthetic_normal(rng);
        cells->shift_y[z] = jitter * cx_synthetic_normal(rng);
        cells->most_shift =
            fmaxf(cells->most_shift,
                  fabsf(cells->shift_x[z]) + fabsf(cells->shift_y[z]));
    }
    return true;
}

void
cx_cells_clear(CxCells *cells)
{
    cx_free(cells->cell);
    cx_free(cells->gap);
    cx_free(cells->tilt);
    g_free(cells->shift_x);
    g_free(cells->shift_y);
}

/* Distance to the surface of a tube; negative inside. */
static inline float
surface_distance(const CxTube *tube, CxVec3 p)
{
    CxVec3 q = cx_vec3_sub(p, tube->a);
    float t = cx_vec3_dot(q, tube->d) * tube->inverse_length2;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    CxVec3 rest = cx_vec3_sub(q, cx_vec3_scale(tube->d, t));
    return sqrtf(cx_vec3_dot(rest, rest)) -
           (tube->radius + t * tube->radius_step);
}

/* Unit vector from a tube's axis to a point. */
static CxVec3
away_from(const CxTube *tube, CxVec3 p)
{
    CxVec3 q = cx_vec3_sub(p, tube->a);
    float t = cx_vec3_dot(q, tube->d) * tube->inverse_length2;

    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return cx_vec3_unit(cx_vec3_sub(q, cx_vec3_scale(tube->d, t)));
}

/* The nearest tube, and the nearest of another neuron. */
typedef struct {
    const CxTube *first, *second;
    float first_distance, second_distance;
} Nearest;

static const Nearest nobody = {NULL, NULL, INFINITY, INFINITY};

static inline void
consider(Nearest *best, const CxTube *tube, float distance)
{
    if (distance < best->first_distance) {
        if (best->first != NULL && best->first->neuron != tube->neuron) {
            best->second = best->first;
            best->second_distance = best->first_distance;
        }
        best->first = tube;
        best->first_distance = distance;
    } else if (distance < best->second_distance &&
               tube->neuron != best->first->neuron) {
        best->second = tube;
        best->second_distance = distance;
    }
}

/* Distances change at most this much faster than positions (radii change
 * along tubes). */
#define SLOPE 1.2f

/* The candidates are sorted: once the rest cannot be nearer, stop. */
static inline Nearest
find_nearest(const GArray *candidates, CxVec3 p, float from_centre)
{
    const Candidate *list = (const Candidate *)(const void *)candidates->data;
    Nearest best = nobody;

    for (guint i = 0; i < candidates->len; i++) {
        if (list[i].distance - SLOPE * from_centre > best.second_distance)
            break;
        consider(&best, list[i].tube, surface_distance(list[i].tube, p));
    }
    return best;
}

static void
set_voxel(CxCells *cells, size_t at, const Nearest *nearest, CxVec3 p)
{
    cells->cell[at] = nearest->first->neuron;
    cells->gap[at] = 255;
    cells->tilt[at] = 0;
    if (nearest->second == NULL)
        return;

    float between = nearest->second_distance - nearest->first_distance;
    if (between > 270)
        return;
    CxVec3 slope = cx_vec3_sub(away_from(nearest->second, p),
                               away_from(nearest->first, p));
    float steepness = cx_vec3_length(slope);
    float distance = between / fmaxf(steepness, 0.6f);
    float lean = steepness > 0 ? fabsf(slope.z) / steepness : 0;
    cells->gap[at] = distance < 127 ? (uint8_t)(distance * 2) : 255;
    cells->tilt[at] = (uint8_t)(lean * 255);
}

/* How far positions are bent at most, nm. */
#define BEND_NM 26.0f
#define RIPPLE_NM 6.0f

static void
bend_row(Scratch *scratch, CxVec3 at, size_t n)
{
    const Filler *filler = scratch->filler;
    float dx = filler->cells->voxel_nm.x;

    for (int axis = 0; axis < 3; axis++) {
        cx_field_row(&filler->bend[axis], at, dx, n, scratch->row[axis]);
        cx_field_row(&filler->ripple[axis], at, dx, n, scratch->row[3 + axis]);
        for (size_t i = 0; i < n; i++)
            scratch->row[axis][i] = BEND_NM * scratch->row[axis][i] +
                                    RIPPLE_NM * scratch->row[3 + axis][i];
    }
}

/* Positions of all voxels of a leaf; their middle and how far they reach. */
static void
bend_leaf(Scratch *scratch, CxBox box, CxVec3 *centre, float *reach)
{
    const CxCells *cells = scratch->filler->cells;
    CxVec3 nm = cells->voxel_nm, sum = {0, 0, 0};
    size_t n_columns = (size_t)(box.hi.x - box.lo.x), n = 0;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            CxVec3 at = {((float)box.lo.x + 0.5f) * nm.x + cells->shift_x[z],
                         ((float)y + 0.5f) * nm.y + cells->shift_y[z],
                         ((float)z + 0.5f) * nm.z};

            bend_row(scratch, at, n_columns);
            for (size_t i = 0; i < n_columns; i++) {
                CxVec3 p = {at.x + (float)i * nm.x + scratch->row[0][i],
                            at.y + scratch->row[1][i],
                            at.z + scratch->row[2][i]};

                scratch->bent[n++] = p;
                sum = cx_vec3_add(sum, p);
            }
        }
    }
    *centre = cx_vec3_scale(sum, 1 / (float)n);
    *reach = 0;
    for (size_t i = 0; i < n; i++)
        *reach = fmaxf(*reach,
                       cx_vec3_length(cx_vec3_sub(scratch->bent[i], *centre)));
}

static int
compare_candidates(const void *a, const void *b)
{
    const Candidate *p = a, *q = b;

    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return p->tube < q->tube ? -1 : p->tube > q->tube;
}

/* The tubes of a list that can matter in a leaf, nearest first. */
static void
find_candidates(Scratch *scratch, size_t first, size_t n, CxVec3 centre,
                float reach)
{
    const CxTube *tubes = (const CxTube *)(void *)scratch->filler->tubes->data;
    Nearest nearest = nobody;
    guint kept = 0;

    g_array_set_size(scratch->candidates, (guint)n);
    Candidate *list = (Candidate *)(void *)scratch->candidates->data;
    for (size_t i = 0; i < n; i++) {
        const CxTube *tube =
            &tubes[g_array_index(scratch->stack, uint32_t, first + i)];

        list[i] = (Candidate){tube, surface_distance(tube, centre)};
        consider(&nearest, tube, list[i].distance);
    }
    float limit = nearest.second_distance + 2 * SLOPE * reach;
    for (size_t i = 0; i < n; i++) {
        if (list[i].distance <= limit)
            list[kept++] = list[i];
    }
    g_array_set_size(scratch->candidates, kept);
    qsort(list, kept, sizeof list[0], compare_candidates);
}

static void
fill_leaf(Scratch *scratch, CxBox box, size_t first, size_t n)
{
    CxCells *cells = scratch->filler->cells;
    CxBox bounds = cx_box_of_size(cells->size);
    const CxVec3 *p = scratch->bent;
    CxVec3 centre;
    float reach;

    bend_leaf(scratch, box, &centre, &reach);
    find_candidates(scratch, first, n, centre, reach);
    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            size_t out = cx_box_offset(bounds, (CxVoxel){box.lo.x, y, z});

            for (int64_t x = box.lo.x; x < box.hi.x; x++, p++) {
                float off = cx_vec3_length(cx_vec3_sub(*p, centre));
                Nearest nearest = find_nearest(scratch->candidates, *p, off);

                set_voxel(cells, out++, &nearest, *p);
            }
        }
    }
}

/* How far from its bent centre the points of a bent box may lie: bending
 * moves a point by at most 4 sigma, and two points apart by at most 1.2 times
 * their distance. */
static float
bent_reach(Scratch *scratch, CxVec3 *centre, float half)
{
    float far = 4 * (BEND_NM + RIPPLE_NM);
    float jitter = scratch->filler->cells->most_shift;

    if (1.2f * half > far)
        return half + far + jitter;
    bend_row(scratch, *centre, 1);
    *centre =
        cx_vec3_add(*centre, (CxVec3){scratch->row[0][0], scratch->row[1][0],
                                      scratch->row[2][0]});
    return 2.2f * half + jitter;
}

/* Keeps the tubes that can be nearest or second anywhere in the box, behind
 * the list they come from; returns how many. */
static size_t
filter(Scratch *scratch, CxBox box, size_t first, size_t n)
{
    const Filler *filler = scratch->filler;
    const CxTube *tubes = (const CxTube *)(void *)filler->tubes->data;
    CxVec3 nm = filler->cells->voxel_nm;
    CxVec3 half = {(float)(box.hi.x - box.lo.x) * nm.x / 2,
                   (float)(box.hi.y - box.lo.y) * nm.y / 2,
                   (float)(box.hi.z - box.lo.z) * nm.z / 2};
    CxVec3 centre = {(float)box.lo.x * nm.x + half.x,
                     (float)box.lo.y * nm.y + half.y,
                     (float)box.lo.z * nm.z + half.z};
    float reach = bent_reach(scratch, &centre, cx_vec3_length(half));
    Nearest nearest = nobody;

    for (size_t i = 0; i < n; i++) {
        const CxTube *tube =
            &tubes[g_array_index(scratch->stack, uint32_t, first + i)];

        consider(&nearest, tube, surface_distance(tube, centre));
    }
    float limit = nearest.second_distance + 2 * SLOPE * reach;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t number = g_array_index(scratch->stack, uint32_t, first + i);

        if (surface_distance(&tubes[number], centre) <= limit) {
            g_array_append_val(scratch->stack, number);
            kept++;
        }
    }
    return kept;
}

static void
split(Scratch *scratch, CxBox box, size_t first, size_t n)
{
    CxVoxel size = cx_box_size(box);
    CxVec3 nm = scratch->filler->cells->voxel_nm;
    float x = (float)size.x * nm.x, y = (float)size.y * nm.y;
    float z = (float)size.z * nm.z;
    size_t start = first + n;
    CxBox low = box, high = box;

    size_t kept = filter(scratch, box, first, n);
    if (size.x * size.y * size.z <= LEAF_VOXELS || kept <= 4) {
        fill_leaf(scratch, box, start, kept);
    } else {
        if (size.z > 1 && (z >= x || size.x == 1) && (z >= y || size.y == 1))
            low.hi.z = high.lo.z = box.lo.z + size.z / 2;
        else if (size.y > 1 && (y >= x || size.x == 1))
            low.hi.y = high.lo.y = box.lo.y + size.y / 2;
        else
            low.hi.x = high.lo.x = box.lo.x + size.x / 2;
        split(scratch, low, start, kept);
        split(scratch, high, start, kept);
    }
    g_array_set_size(scratch->stack, (guint)start);
}

static bool
run_task(size_t item, unsigned worker, void *data, GError **error)
{
    Filler *filler = data;
    CxVoxel n = filler->n_tasks;
    int64_t at = (int64_t)item;
    CxChunkIdx idx = {at % n.x, at / n.x % n.y, at / n.x / n.y};
    CxVoxel size = {TASK_VOXELS, TASK_VOXELS, TASK_VOXELS};
    CxBox box =
        cx_chunk_box_clipped(idx, size, cx_box_of_size(filler->cells->size));
    Scratch *scratch = g_new(Scratch, 1);

    scratch->filler = filler;
    scratch->stack = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    scratch->candidates = g_array_new(FALSE, FALSE, sizeof(Candidate));
    for (uint32_t i = 0; i < filler->tubes->len; i++)
        g_array_append_val(scratch->stack, i);
    split(scratch, box, 0, filler->tubes->len);
    g_array_unref(scratch->stack);
    g_array_unref(scratch->candidates);
    g_free(scratch);
    return true;
}

bool
cx_cells_fill(CxCells *cells, const GArray *tubes, CxRng *rng, CxJob *job,
              GError **error)
{
    Filler filler = {.cells = cells, .tubes = tubes};
    bool ok = true;

    for (int axis = 0; ok && axis < 3; axis++)
        ok = cx_field_init(&filler.bend[axis], rng, 110, error) &&
             cx_field_init(&filler.ripple[axis], rng, 38, error);
    CxVoxel size = {TASK_VOXELS, TASK_VOXELS, TASK_VOXELS};
    filler.n_tasks = cx_box_chunks(cx_box_of_size(cells->size), size).hi;
    size_t n = (size_t)(filler.n_tasks.x * filler.n_tasks.y * filler.n_tasks.z);
    ok = ok && cx_parallel_for(0, n, run_task, &filler, job, error);
    for (int axis = 0; axis < 3; axis++) {
        cx_field_clear(&filler.bend[axis]);
        cx_field_clear(&filler.ripple[axis]);
    }
    return ok;
}

/* A stretch of voxels of one cell along x. */
typedef struct {
    uint32_t x0, x1, cell;
} Run;

typedef struct {
    GArray *runs;
    size_t *row_start; /* of each row, and the end */
} Runs;

static Runs
find_runs(const CxCells *cells)
{
    size_t n_rows = (size_t)(cells->size.y * cells->size.z);
    uint32_t width = (uint32_t)cells->size.x;
    Runs runs = {g_array_new(FALSE, FALSE, sizeof(Run)),
                 g_new(size_t, n_rows + 1)};

    for (size_t row = 0; row < n_rows; row++) {
        const uint32_t *cell = cells->cell + row * width;

        runs.row_start[row] = runs.runs->len;
        for (uint32_t x = 0; x < width;) {
            Run run = {x, x + 1, cell[x]};

            while (run.x1 < width && cell[run.x1] == run.cell)
                run.x1++;
            g_array_append_val(runs.runs, run);
            x = run.x1;
        }
    }
    runs.row_start[n_rows] = runs.runs->len;
    return runs;
}

/* Joins runs of one cell that touch in two rows. */
static void
join_rows(const Runs *runs, CxUnionFind *sets, size_t row, size_t other)
{
    size_t a = runs->row_start[row], b = runs->row_start[other];
    size_t a_end = runs->row_start[row + 1], b_end = runs->row_start[other + 1];

    while (a < a_end && b < b_end) {
        const Run *p = &g_array_index(runs->runs, Run, a);
        const Run *q = &g_array_index(runs->runs, Run, b);

        if (p->cell == q->cell && p->x0 < q->x1 && q->x0 < p->x1)
            cx_union_find_join(sets, (uint32_t)a, (uint32_t)b);
        if (p->x1 < q->x1)
            a++;
        else
            b++;
    }
}

/* Of the first run in a row that is no speck. */
static uint32_t
first_piece(const Runs *runs, CxUnionFind *sets, const uint32_t *index,
            size_t row)
{
    for (size_t i = runs->row_start[row]; i < runs->row_start[row + 1]; i++) {
        uint32_t piece = index[cx_union_find_root(sets, (uint32_t)i)];

        if (piece != UINT32_MAX)
            return piece;
    }
    return 0;
}

/* Writes the index of each run's piece; specks take that of the run before.
 */
static uint32_t
number_pieces(const Runs *runs, CxUnionFind *sets, CxCells *cells)
{
    guint n = runs->runs->len;
    g_autofree uint32_t *size = g_new0(uint32_t, n);
    g_autofree uint32_t *index = g_new0(uint32_t, n);
    size_t n_rows = (size_t)(cells->size.y * cells->size.z);
    uint32_t n_pieces = 0;

    for (guint i = 0; i < n; i++) {
        const Run *run = &g_array_index(runs->runs, Run, i);

        size[cx_union_find_root(sets, i)] += run->x1 - run->x0;
    }
    for (guint i = 0; i < n; i++) {
        uint32_t root = cx_union_find_root(sets, i);

        if (root == i)
            index[i] = size[i] >= SPECK_VOXELS ? n_pieces++ : UINT32_MAX;
    }
    for (size_t row = 0; row < n_rows; row++) {
        uint32_t last = first_piece(runs, sets, index, row);
        uint32_t *cell = cells->cell + row * (size_t)cells->size.x;

        for (size_t i = runs->row_start[row]; i < runs->row_start[row + 1];
             i++) {
            const Run *run = &g_array_index(runs->runs, Run, i);
            uint32_t piece = index[cx_union_find_root(sets, (uint32_t)i)];

            last = piece != UINT32_MAX ? piece : last;
            for (uint32_t x = run->x0; x < run->x1; x++)
                cell[x] = last;
        }
    }
    return MAX(n_pieces, 1);
}

bool
cx_cells_separate(CxCells *cells, uint32_t *n_cells, GError **error)
{
    Runs runs = find_runs(cells);
    g_autoptr(CxUnionFind) sets = cx_union_find_new(runs.runs->len);
    size_t height = (size_t)cells->size.y;
    size_t n_rows = height * (size_t)cells->size.z;

    for (size_t row = 0; row < n_rows; row++) {
        if (row % height != 0)
            join_rows(&runs, sets, row, row - 1);
        if (row >= height)
            join_rows(&runs, sets, row, row - height);
    }
    *n_cells = number_pieces(&runs, sets, cells);
    g_array_unref(runs.runs);
    g_free(runs.row_start);
    return true;
}
