/* Distance transform, smoothing, seeds and flood against naive twins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/segmentation/distance.h"
#include "core/segmentation/seeds.h"
#include "core/segmentation/smooth.h"
#include "core/segmentation/watershed.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

#define MAX_VOXELS 8000

static CxVoxel
random_size(CxRng *rng)
{
    return (CxVoxel){1 + (int64_t)cx_rng_below(rng, 40),
                     1 + (int64_t)cx_rng_below(rng, 14),
                     1 + (int64_t)cx_rng_below(rng, 12)};
}

static size_t
n_of(CxVoxel size)
{
    return (size_t)(size.x * size.y * size.z);
}

static CxVoxel
voxel_of(CxVoxel size, size_t i)
{
    int64_t k = (int64_t)i;

    return (CxVoxel){k % size.x, k / size.x % size.y, k / (size.x * size.y)};
}

/* --- distance ---------------------------------------------------------------- */

static double
naive_distance(const uint8_t *inside, CxVoxel size, CxNm voxel, size_t i)
{
    CxVoxel a = voxel_of(size, i);
    double best = INFINITY;

    for (size_t j = 0; j < n_of(size); j++) {
        CxVoxel b = voxel_of(size, j);
        double x = (double)(a.x - b.x) * voxel.x;
        double y = (double)(a.y - b.y) * voxel.y;
        double z = a.z == b.z ? 0 : (double)(a.z - b.z) * voxel.z;
        if (inside[j] == 0)
            best = MIN(best, x * x + y * y + z * z);
    }
    return best;
}

static void
test_distance(void)
{
    static const CxNm voxels[] = {
        {1, 1, 1}, {1, 1, 4}, {2, 3, 1}, {1, 1, INFINITY}};
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 60; round++) {
        CxVoxel size = random_size(&rng);
        size_t n = n_of(size);
        uint8_t inside[MAX_VOXELS];
        float distance[MAX_VOXELS];
        uint64_t rarity = 2 + cx_rng_below(&rng, 400);
        CxNm voxel = voxels[round % 4];

        for (size_t i = 0; i < n; i++)
            inside[i] = cx_rng_below(&rng, rarity) != 0;
        g_assert_true(cx_distance_squared(inside, size, voxel, distance,
                                          1 + (unsigned)round % 2, NULL, NULL));
        for (size_t i = 0; i < n; i++) {
            double expected = naive_distance(inside, size, voxel, i);
            g_assert_true(distance[i] == (float)expected);
        }
    }
}

/* --- smoothing ---------------------------------------------------------------- */

static void
test_smooth(void)
{
    CxRng rng = cx_test_rng();
    CxVoxel size = {37, 20, 9};
    size_t n = n_of(size);
    g_autofree float *a = g_new(float, n);
    g_autofree float *b = g_new(float, n);
    g_autofree uint8_t *c = g_new(uint8_t, n);
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        c[i] = (uint8_t)cx_rng_below(&rng, 256);
        a[i] = b[i] = c[i];
    }
    cx_smooth(a, size, (CxNm){1, 1.5, 0.7}, 1, NULL, NULL);
    cx_smooth(b, size, (CxNm){1, 1.5, 0.7}, 2, NULL, NULL);
    g_assert_cmpmem(a, n * sizeof(float), b, n * sizeof(float));
    cx_smooth_u8(c, size, (CxNm){1, 1.5, 0.7}, 2, NULL, NULL);
    for (size_t i = 0; i < n; i++)
        g_assert_cmpfloat_with_epsilon(c[i], a[i], 2.5);

    /* One spike far from the border becomes the kernel. */
    memset(b, 0, n * sizeof(float));
    size_t centre = (size_t)((4 * size.y + 10) * size.x + 18);
    b[centre] = 1;
    cx_smooth(b, size, (CxNm){1, 0, 0}, 1, NULL, NULL);
    double norm = 1 + 2 * (exp(-0.5) + exp(-2) + exp(-4.5));
    for (int k = -3; k <= 3; k++)
        g_assert_cmpfloat_with_epsilon(b[centre + (size_t)k],
                                       exp(-k * k / 2.0) / norm, 1e-6);
    for (size_t i = 0; i < n; i++)
        sum += b[i];
    g_assert_cmpfloat_with_epsilon(sum, 1, 1e-6);
}

/* A constant stays what it is, to the bit in u8. */
static void
test_smooth_constant(void)
{
    uint8_t values[60];

    memset(values, 255, sizeof(values));
    cx_smooth_u8(values, (CxVoxel){5, 4, 3}, (CxNm){1, 2, 4}, 1, NULL, NULL);
    for (int i = 0; i < 60; i++)
        g_assert_cmpuint(values[i], ==, 255);
}

/* --- seeds -------------------------------------------------------------------- */

static bool
in_window(CxVoxel a, CxVoxel b, CxVoxel radius)
{
    return ABS(a.x - b.x) <= radius.x && ABS(a.y - b.y) <= radius.y &&
           ABS(a.z - b.z) <= radius.z;
}

static bool
naive_is_peak(const float *height, CxVoxel size, CxVoxel radius, float lowest,
              size_t i)
{
    for (size_t j = 0; j < n_of(size); j++) {
        if (height[j] > height[i] &&
            in_window(voxel_of(size, i), voxel_of(size, j), radius))
            return false;
    }
    return height[i] >= lowest;
}

/* Numbers peaks; one that touches another of its height gets its number. */
static uint32_t
naive_seeds(const float *height, CxVoxel size, CxVoxel radius, float lowest,
            uint32_t *out)
{
    size_t n = n_of(size);
    uint32_t count = 0;
    bool changed = true;

    for (size_t i = 0; i < n; i++)
        out[i] = naive_is_peak(height, size, radius, lowest, i)
                     ? (uint32_t)i + 1
                     : 0;
    while (changed) {
        changed = false;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                CxVoxel a = voxel_of(size, i), b = voxel_of(size, j);
                int64_t steps =
                    ABS(a.x - b.x) + ABS(a.y - b.y) + ABS(a.z - b.z);
                if (out[i] == 0 || out[j] == 0 || steps != 1 ||
                    height[i] != height[j] || out[j] >= out[i] ||
                    (a.z != b.z && radius.z == 0))
                    continue;
                out[i] = out[j];
                changed = true;
            }
    }
    for (size_t i = 0; i < n; i++) {
        if (out[i] == i + 1)
            out[i] = ++count;
        else if (out[i] != 0)
            out[i] = out[out[i] - 1];
    }
    return count;
}

/* The highest voxel among neighbours (or in the window), first of equals. */
static size_t
naive_best(const float *height, CxVoxel size, CxVoxel radius, bool neighbours,
           size_t i)
{
    size_t best = i;

    for (size_t j = 0; j < n_of(size); j++) {
        CxVoxel a = voxel_of(size, i), b = voxel_of(size, j);
        int64_t steps = ABS(a.x - b.x) + ABS(a.y - b.y) + ABS(a.z - b.z);
        if (!in_window(a, b, radius) || (neighbours && steps > 1))
            continue;
        if (height[j] > height[best] || (height[j] == height[best] && j < best))
            best = j;
    }
    return best;
}

static void
check_climb(const float *height, CxVoxel size, CxVoxel radius, float lowest,
            const uint32_t *seeds, const uint32_t *labels)
{
    for (size_t i = 0; i < n_of(size); i++) {
        size_t at = i;
        if (height[i] < lowest) {
            g_assert_cmpuint(labels[i], ==, seeds[i]);
            continue;
        }
        while (seeds[at] == 0) {
            size_t next = naive_best(height, size, radius, true, at);
            if (next == at)
                next = naive_best(height, size, radius, false, at);
            g_assert_cmpuint(next, !=, at);
            at = next;
        }
        g_assert_cmpuint(labels[i], ==, seeds[at]);
    }
}

static void
test_seeds(void)
{
    static const CxVoxel radii[] = {{1, 1, 1}, {2, 2, 2}, {3, 3, 0}, {2, 1, 1}};
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 60; round++) {
        CxVoxel size = {1 + (int64_t)cx_rng_below(&rng, 12),
                        1 + (int64_t)cx_rng_below(&rng, 7),
                        1 + (int64_t)cx_rng_below(&rng, 5)};
        CxVoxel radius = radii[round % 4];
        size_t n = n_of(size);
        float height[420];
        uint32_t labels[420], seeds[420], n_seeds = 0;
        uint64_t n_heights = 2 + cx_rng_below(&rng, 50); /* plateaus */

        for (size_t i = 0; i < n; i++)
            height[i] = (float)cx_rng_below(&rng, n_heights) / 4;
        uint32_t count = naive_seeds(height, size, radius, 0.5F, seeds);
        g_assert_true(cx_seeds_find(height, size, radius, 0.5F, labels,
                                    &n_seeds, 2, NULL, NULL));
        g_assert_cmpuint(n_seeds, ==, count);
        g_assert_cmpmem(labels, n * sizeof(uint32_t), seeds,
                        n * sizeof(uint32_t));
        g_assert_true(
            cx_seeds_climb(height, size, radius, 0.75F, labels, 2, NULL, NULL));
        check_climb(height, size, radius, 0.75F, seeds, labels);
    }
}

/* A block without membrane is one seed. */
static void
test_plateau(void)
{
    CxVoxel size = {70, 60, 50};
    g_autofree float *height = g_new(float, n_of(size));
    g_autofree uint32_t *labels = g_new0(uint32_t, n_of(size));
    uint32_t n_seeds;

    for (size_t i = 0; i < n_of(size); i++)
        height[i] = 256;
    cx_seeds_find(height, size, (CxVoxel){2, 2, 2}, 0.5F, labels, &n_seeds, 2,
                  NULL, NULL);
    g_assert_cmpuint(n_seeds, ==, 1);
    for (size_t i = 0; i < n_of(size); i++)
        g_assert_cmpuint(labels[i], ==, 1);
}

/* --- flood -------------------------------------------------------------------- */

/* Takes, again and again, the reached voxel of least height, the first reached
 * among equals, and looks at its neighbours in their order. */
static void
naive_flood(const uint8_t *relief, CxVoxel size, uint32_t *labels)
{
    size_t n = n_of(size), n_queue = 0;
    g_autofree size_t *queue = g_new(size_t, n + 1);
    g_autofree bool *done = g_new0(bool, n + 1);
    static const int steps[6][3] = {{0, 0, -1}, {0, -1, 0}, {-1, 0, 0},
                                    {1, 0, 0},  {0, 1, 0},  {0, 0, 1}};

    for (size_t i = 0; i < n; i++) {
        if (labels[i] != 0 && labels[i] != CX_WATERSHED_WALL)
            queue[n_queue++] = i;
    }
    for (;;) {
        size_t best = SIZE_MAX;
        for (size_t q = 0; q < n_queue; q++) {
            if (!done[q] &&
                (best == SIZE_MAX ||
                 MIN(relief[queue[q]], 254) < MIN(relief[queue[best]], 254)))
                best = q;
        }
        if (best == SIZE_MAX)
            return;
        done[best] = true;
        CxVoxel at = voxel_of(size, queue[best]);
        for (int k = 0; k < 6; k++) {
            CxVoxel to = {at.x + steps[k][0], at.y + steps[k][1],
                          at.z + steps[k][2]};
            if (!cx_box_contains(cx_box_of_size(size), to))
                continue;
            size_t j = cx_box_offset(cx_box_of_size(size), to);
            if (labels[j] != 0)
                continue;
            labels[j] = labels[queue[best]];
            queue[n_queue++] = j;
        }
    }
}

static void
test_flood(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 60; round++) {
        CxVoxel size = {1 + (int64_t)cx_rng_below(&rng, 14),
                        1 + (int64_t)cx_rng_below(&rng, 12),
                        1 + (int64_t)cx_rng_below(&rng, 6)};
        size_t n = n_of(size);
        uint8_t relief[1024];
        uint32_t labels[1024], expected[1024];
        uint64_t n_heights = 1 + cx_rng_below(&rng, 256);

        for (size_t i = 0; i < n; i++) {
            relief[i] = (uint8_t)cx_rng_below(&rng, n_heights);
            labels[i] = 0;
            if (cx_rng_below(&rng, 60) == 0)
                labels[i] = 1 + (uint32_t)i;
            else if (cx_rng_below(&rng, 10) == 0)
                labels[i] = CX_WATERSHED_WALL;
        }
        memcpy(expected, labels, sizeof(labels));
        naive_flood(relief, size, expected);
        g_assert_true(cx_watershed_flood(relief, size, labels, NULL, NULL));
        g_assert_cmpmem(labels, n * sizeof(uint32_t), expected,
                        n * sizeof(uint32_t));
    }
}

/* Everything but the walls is reached; many voxels go through few buckets. */
static void
test_flood_large(void)
{
    CxVoxel size = {129, 128, 65};
    size_t n = n_of(size);
    g_autofree uint8_t *relief = g_malloc0(n);
    g_autofree uint32_t *labels = g_new0(uint32_t, n);

    for (size_t i = 0; i < n; i++)
        relief[i] = (uint8_t)(voxel_of(size, i).x > 64 ? 7 : 0);
    labels[0] = 5;
    labels[n - 1] = 6;
    g_assert_true(cx_watershed_flood(relief, size, labels, NULL, NULL));
    for (size_t i = 0; i < n; i++)
        g_assert_cmpuint(labels[i], !=, 0);
}

static void
test_cancel(void)
{
    CxVoxel size = {64, 64, 64};
    size_t n = n_of(size);
    g_autofree uint8_t *relief = g_malloc0(n);
    g_autofree uint32_t *labels = g_new0(uint32_t, n);
    g_autoptr(CxJob) job = cx_job_new("test");
    g_autoptr(GError) error = NULL;

    labels[0] = 1;
    cx_job_cancel(job);
    g_assert_false(cx_watershed_flood(relief, size, labels, job, &error));
    g_assert_true(cx_error_is_cancelled(error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watershed/distance", test_distance);
    g_test_add_func("/watershed/smooth", test_smooth);
    g_test_add_func("/watershed/smooth-constant", test_smooth_constant);
    g_test_add_func("/watershed/seeds", test_seeds);
    g_test_add_func("/watershed/plateau", test_plateau);
    g_test_add_func("/watershed/flood", test_flood);
    g_test_add_func("/watershed/flood-large", test_flood_large);
    g_test_add_func("/watershed/cancel", test_cancel);
    return g_test_run();
}
