/* Divides the voxels of one body between two groups of seeds.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/voxel_cut.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/proofread/split_mincut.h"
#include "core/segmentation/distance.h"
#include "core/segmentation/seeds.h"
#include "core/segmentation/smooth.h"
#include "core/segmentation/watershed.h"

#include <math.h>
#include <string.h>

/* As in supervoxel_cut.c. */
#define SHARPNESS 4
#define LEAST_AFFINITY 0.02
#define MOST_AFFINITY 0.98

/* At and above this a voxel counts as membrane where basins are sought. */
#define MEMBRANE 128

/* Half the window of a peak, in voxels of the finest axis. */
#define PEAK_RADIUS 4

/* Threads of the stages that take any. */
#define N_THREADS 2

typedef struct {
    uint32_t a, b;
    double area, sum; /* of affinity × area */
} Contact;

typedef struct {
    const CxVoxelCutProblem *problem;
    size_t n;
    uint8_t *relief;
    uint32_t *labels; /* basin of each voxel */
    uint32_t n_basins;
    CxHash64 *contact_of;
    GArray *contacts; /* of Contact */
    CxJob *job;
} Work;

static size_t
offset_of(const Work *work, CxVoxel v)
{
    return cx_box_offset(cx_box_of_size(work->problem->size), v);
}

/* Basins. */

static int64_t
window(double step, double finest)
{
    return (int64_t)floor(PEAK_RADIUS * finest / step + 0.5);
}

/* Distance in nm to the surface or a membrane, and the relief made of it. */
static bool
find_peaks(Work *work, GError **error)
{
    const CxVoxelCutProblem *p = work->problem;
    CX_AUTOFREE float *height = cx_try_alloc(work->n, sizeof *height, error);
    CxNm nm = p->voxel_nm;
    double finest = MIN(MIN(nm.x, nm.y), nm.z);
    CxVoxel radius = {window(nm.x, finest), window(nm.y, finest),
                      window(nm.z, finest)};
    float highest = 0;

    if (height == NULL)
        return false;
    for (size_t i = 0; i < work->n; i++)
        work->relief[i] = p->inside[i] != 0 &&
                          (p->membrane == NULL || p->membrane[i] < MEMBRANE);
    if (!cx_distance_squared(work->relief, p->size, nm, height, N_THREADS,
                             work->job, error))
        return false;
    for (size_t i = 0; i < work->n; i++) {
        height[i] = isinf(height[i]) ? 1 : height[i];
        highest = MAX(highest, height[i]);
    }
    if (!cx_seeds_find(height, p->size, radius, (float)(finest * finest / 2),
                       work->labels, &work->n_basins, N_THREADS, work->job,
                       error))
        return false;
    double scale = highest > 0 ? 253 / sqrt((double)highest) : 0;

    for (size_t i = 0; i < work->n; i++)
        work->relief[i] = (uint8_t)(254 - sqrt((double)height[i]) * scale);
    return true;
}

static void
wall_off(Work *work)
{
    for (size_t i = 0; i < work->n; i++) {
        if (work->problem->inside[i] == 0)
            work->labels[i] = CX_WATERSHED_WALL;
    }
}

static void
take_walls_down(Work *work)
{
    for (size_t i = 0; i < work->n; i++) {
        if (work->labels[i] == CX_WATERSHED_WALL)
            work->labels[i] = 0;
    }
}

/* A seed where nothing has reached (all membrane) starts a basin. */
static void
start_basins(Work *work, const CxVoxel *seeds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t *label = &work->labels[offset_of(work, seeds[i])];

        if (*label == 0)
            *label = ++work->n_basins;
    }
}

static bool
flood(Work *work, GError **error)
{
    const CxVoxelCutProblem *p = work->problem;

    wall_off(work);
    if (!cx_watershed_flood(work->relief, p->size, work->labels, work->job,
                            error))
        return false;
    start_basins(work, p->sources, p->n_sources);
    start_basins(work, p->sinks, p->n_sinks);
    if (!cx_watershed_flood(work->relief, p->size, work->labels, work->job,
                            error))
        return false;
    take_walls_down(work);
    return true;
}

/* Seeds of both sides in one basin. */

static bool
has_seed(const Work *work, uint32_t basin, const CxVoxel *seeds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (work->labels[offset_of(work, seeds[i])] == basin)
            return true;
    }
    return false;
}

/* Gives each seed of a side in the basin a mark: the basin's own number for
 * the sources, the next free one for the sinks. */
static void
mark_seeds(const Work *work, const uint8_t *in_basin, const CxVoxel *seeds,
           size_t n, uint32_t mark, uint32_t *marks)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = offset_of(work, seeds[i]);

        if (in_basin[at])
            marks[at] = mark;
    }
}

/* Watershed from the seeds alone, over membrane and, among equals, by
 * steps. */
static bool
divide_basin(Work *work, uint32_t basin, GError **error)
{
    const CxVoxelCutProblem *p = work->problem;
    CX_AUTOFREE uint8_t *in_basin = cx_try_alloc(work->n, 1, error);
    CX_AUTOFREE uint32_t *marks =
        in_basin != NULL ? cx_try_alloc(work->n, sizeof *marks, error) : NULL;
    uint32_t fresh = ++work->n_basins;

    if (marks == NULL)
        return false;
    for (size_t i = 0; i < work->n; i++) {
        in_basin[i] = work->labels[i] == basin;
        marks[i] = in_basin[i] ? 0 : CX_WATERSHED_WALL;
        work->relief[i] = p->membrane != NULL ? p->membrane[i] / 16 : 0;
    }
    mark_seeds(work, in_basin, p->sources, p->n_sources, basin, marks);
    mark_seeds(work, in_basin, p->sinks, p->n_sinks, fresh, marks);
    if (!cx_watershed_flood(work->relief, p->size, marks, work->job, error))
        return false;
    for (size_t i = 0; i < work->n; i++) {
        if (in_basin[i])
            work->labels[i] = marks[i];
    }
    return true;
}

static bool
divide_shared(Work *work, GError **error)
{
    const CxVoxelCutProblem *p = work->problem;

    for (size_t i = 0; i < p->n_sources; i++) {
        uint32_t basin = work->labels[offset_of(work, p->sources[i])];

        if (has_seed(work, basin, p->sinks, p->n_sinks) &&
            !divide_basin(work, basin, error))
            return false;
    }
    return true;
}

/* The graph of basins. */

static void
add_face(Work *work, size_t i, size_t k, double area)
{
    uint32_t a = work->labels[i], b = work->labels[k];
    const uint8_t *membrane = work->problem->membrane;

    if (a == b || a == 0 || b == 0)
        return;
    uint64_t key = (uint64_t)MIN(a, b) << 32 | MAX(a, b);
    bool was_new;
    uint64_t place =
        *cx_hash64_at(work->contact_of, key, work->contacts->len, &was_new);

    if (was_new) {
        Contact fresh = {a, b, 0, 0};

        g_array_append_val(work->contacts, fresh);
    }
    Contact *contact = &g_array_index(work->contacts, Contact, place);
    double affinity =
        membrane != NULL ? 1 - MAX(membrane[i], membrane[k]) / 255.0 : 0.5;

    contact->area += area;
    contact->sum += area * affinity;
}

static void
find_contacts(Work *work)
{
    CxVoxel size = work->problem->size;
    CxNm nm = work->problem->voxel_nm;
    size_t row = (size_t)size.x, plane = row * (size_t)size.y;
    size_t i = 0;
    double unit = nm.x * nm.y;

    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            for (int64_t x = 0; x < size.x; x++, i++) {
                if (work->labels[i] == 0)
                    continue;
                if (x + 1 < size.x)
                    add_face(work, i, i + 1, nm.y * nm.z / unit);
                if (y + 1 < size.y)
                    add_face(work, i, i + row, nm.x * nm.z / unit);
                if (z + 1 < size.z)
                    add_face(work, i, i + plane, 1);
            }
        }
    }
}

static int
compare_contacts(const void *a, const void *b)
{
    const Contact *left = a, *right = b;

    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static uint32_t *
basins_of(const Work *work, const CxVoxel *seeds, size_t n, GError **error)
{
    uint32_t *basins = cx_try_alloc(n, sizeof *basins, error);

    for (size_t i = 0; basins != NULL && i < n; i++)
        basins[i] = work->labels[offset_of(work, seeds[i])];
    return basins;
}

/* Basins from 1; node 0 of the problem is nobody. */
static bool
cut_basins(Work *work, uint8_t *basin_side, GError **error)
{
    const CxVoxelCutProblem *p = work->problem;
    guint n = work->contacts->len;
    CX_AUTOFREE CxCutEdge *edges = cx_try_alloc(n, sizeof *edges, error);
    CX_AUTOFREE double *strengths =
        edges != NULL ? cx_try_alloc(n, sizeof *strengths, error) : NULL;
    CX_AUTOFREE uint32_t *sources =
        strengths != NULL ? basins_of(work, p->sources, p->n_sources, error)
                          : NULL;
    CX_AUTOFREE uint32_t *sinks =
        sources != NULL ? basins_of(work, p->sinks, p->n_sinks, error) : NULL;

    if (sinks == NULL)
        return false;
    for (guint i = 0; i < n; i++) {
        const Contact *contact = &g_array_index(work->contacts, Contact, i);
        double a =
            CLAMP(contact->sum / contact->area, LEAST_AFFINITY, MOST_AFFINITY);

        edges[i] = (CxCutEdge){contact->a, contact->b,
                               contact->area * pow(a / (1 - a), SHARPNESS)};
        strengths[i] = a;
    }
    CxCutProblem problem = {
        .n_nodes = work->n_basins + 1,
        .edges = edges,
        .n_edges = n,
        .sources = sources,
        .sinks = sinks,
        .n_sources = p->n_sources,
        .n_sinks = p->n_sinks,
        .join_seeds = true,
        .strengths = strengths,
    };
    return cx_split_mincut(&problem, basin_side, NULL, work->job, error);
}

static void
sum_up(const Work *work, const uint8_t *basin_side, CxVoxelCut *cut)
{
    double all = 0, sum = 0, cut_area = 0, cut_sum = 0;

    for (guint i = 0; i < work->contacts->len; i++) {
        const Contact *contact = &g_array_index(work->contacts, Contact, i);

        all += contact->area;
        sum += contact->sum;
        if (basin_side[contact->a] == basin_side[contact->b])
            continue;
        cut_area += contact->area;
        cut_sum += contact->sum;
    }
    *cut = (CxVoxelCut){cut_area > 0 ? cut_sum / cut_area : 0,
                        all > 0 ? sum / all : 0, work->n_basins};
}

static bool
check_seeds(const CxVoxelCutProblem *p, GError **error)
{
    for (size_t i = 0; i < p->n_sources; i++) {
        for (size_t k = 0; k < p->n_sinks; k++) {
            CxVoxel v = p->sources[i];

            if (!cx_voxel_equal(v, p->sinks[k]))
                continue;
            g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                        "the voxel %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                        ",%" G_GINT64_FORMAT " is a seed of both sides",
                        v.x, v.y, v.z);
            return false;
        }
    }
    return true;
}

static bool
run(Work *work, uint8_t *side, CxVoxelCut *cut, GError **error)
{
    if (!find_peaks(work, error) || !flood(work, error) ||
        !divide_shared(work, error))
        return false;
    find_contacts(work);
    g_array_sort(work->contacts, compare_contacts);

    CX_AUTOFREE uint8_t *basin_side =
        cx_try_alloc0((size_t)work->n_basins + 1, 1, error);

    if (basin_side == NULL || !cut_basins(work, basin_side, error))
        return false;
    sum_up(work, basin_side, cut);
    for (size_t i = 0; i < work->n; i++)
        side[i] = work->labels[i] != 0 ? 1 + basin_side[work->labels[i]] : 0;
    return true;
}

bool
cx_voxel_cut(const CxVoxelCutProblem *problem, uint8_t *side, CxVoxelCut *cut,
             CxJob *job, GError **error)
{
    Work work = {.problem = problem, .job = job};

    if (!check_seeds(problem, error))
        return false;
    if (!cx_box_n_voxels(cx_box_of_size(problem->size), &work.n)) {
        g_set_error_literal(error, CX_ERROR, CX_ERROR_INVALID,
                            "the box to cut in is empty");
        return false;
    }
    CX_AUTOFREE uint8_t *relief = cx_try_alloc(work.n, 1, error);
    CX_AUTOFREE uint32_t *labels =
        relief != NULL ? cx_try_alloc0(work.n, sizeof *labels, error) : NULL;
    g_autoptr(CxHash64) contact_of = cx_hash64_new(1024);
    g_autoptr(GArray) contacts = g_array_new(FALSE, FALSE, sizeof(Contact));

    if (labels == NULL)
        return false;
    work.relief = relief;
    work.labels = labels;
    work.contact_of = contact_of;
    work.contacts = contacts;
    return run(&work, side, cut, error);
}

/* Membranes of an image. */

static void
dark_and_mean(const uint8_t *light, size_t n, double *dark, double *mean)
{
    uint64_t histogram[256] = {0}, sum = 0, below = 0;
    unsigned level = 0;

    for (size_t i = 0; i < n; i++) {
        histogram[light[i]]++;
        sum += light[i];
    }
    while (level < 255 && (below += histogram[level]) < n / 20)
        level++;
    *dark = level;
    *mean = (double)sum / (double)n;
}

bool
cx_membrane_of_light(const uint8_t *light, CxVoxel size, CxNm nm,
                     uint8_t *membrane, CxJob *job, GError **error)
{
    size_t n = (size_t)size.x * (size_t)size.y * (size_t)size.z;
    CxNm sigma = {1, 1, nm.z < 2 * nm.x ? 1 : 0};
    double dark, mean;

    memcpy(membrane, light, n);
    if (!cx_smooth_u8(membrane, size, sigma, N_THREADS, job, error))
        return false;
    dark_and_mean(membrane, n, &dark, &mean);
    double range = MAX(mean - dark, 1);

    for (size_t i = 0; i < n; i++)
        membrane[i] =
            (uint8_t)CLAMP(255 * (mean - membrane[i]) / range, 0, 255);
    return true;
}
