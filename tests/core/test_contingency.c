/* Scores: published values, known cases, a naive twin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/metrics/contingency.h"
#include "core/metrics/isbi.h"
#include "core/metrics/truth.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>

static CxChunk *
make_chunk(CxVoxel size, const CxId *labels)
{
    g_autoptr(GError) error = NULL;
    CxChunk *chunk =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, &error);

    g_assert_no_error(error);
    CxId *to = cx_chunk_data_mut(chunk);
    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        to[i] = labels[i];
    return chunk;
}

static CxVolume *
volume_of(CxChunk *chunk)
{
    return cx_volume_from_chunk(chunk, (CxNm){1, 1, 1}, (CxNm){0, 0, 0}, true);
}

static CxVolume *
open_golden(const char *name)
{
    g_autofree char *file = g_strdup_printf("golden/gala/test-%s.h5", name);
    g_autofree char *path = cx_test_data_path(file);
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return NULL;
    g_autofree char *spec = g_strconcat(path, ":/stack", NULL);
    CxVolume *volume = cx_volume_open(spec, NULL, &error);
    g_assert_no_error(error);
    return volume;
}

/* gala's own results for the same files (vi-results.npy). */
static void
test_gala(void)
{
    static const struct {
        const char *name;
        double merge, split;
    } expected[] = {
        {"ws", 0.184529, 1.647744},
        {"seg1", 0.364882, 0.304539},
        {"seg4", 0.395047, 0.234176},
    };
    g_autoptr(CxVolume) truth = open_golden("gt");
    g_autoptr(GError) error = NULL;

    if (truth == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_autoptr(CxVolume) test = open_golden(expected[i].name);
        g_autoptr(CxContingency) table = cx_contingency_new();

        cx_contingency_add_volumes(table, truth, test, 0, false, NULL, &error);
        g_assert_no_error(error);
        CxScores scores = cx_contingency_scores(table);
        g_assert_cmpfloat_with_epsilon(scores.voi_merge, expected[i].merge,
                                       6e-7);
        g_assert_cmpfloat_with_epsilon(scores.voi_split, expected[i].split,
                                       6e-7);
    }
}

/* Computed by hand: truth aaaabb, segments 112222, one voxel of truth 0. */
static void
test_small(void)
{
    static const CxId truth[] = {1, 1, 1, 1, 2, 2, 0};
    static const CxId test[] = {1, 1, 2, 2, 2, 2, 9};
    g_autoptr(CxChunk) a = make_chunk((CxVoxel){7, 1, 1}, truth);
    g_autoptr(CxChunk) b = make_chunk((CxVoxel){7, 1, 1}, test);
    g_autoptr(CxContingency) table = cx_contingency_new();

    cx_contingency_add(table, a, b);
    CxScores s = cx_contingency_scores(table);
    g_assert_cmpuint(s.n_voxels, ==, 6);
    /* joint 2 2 2, truth 4 2, segments 2 4 */
    double h = log2(3), g = log2(3) - 2.0 / 3;
    g_assert_cmpfloat_with_epsilon(s.voi_split, h - g, 1e-12);
    g_assert_cmpfloat_with_epsilon(s.voi_merge, h - g, 1e-12);
    g_assert_cmpfloat_with_epsilon(s.arand, 1 - 6.0 / 14, 1e-12);
    g_assert_cmpfloat_with_epsilon(s.arand_cremi, 1 - 12.0 / 20, 1e-12);
    g_assert_cmpfloat_with_epsilon(s.v_rand, 12.0 / 20, 1e-12);
    g_assert_cmpfloat_with_epsilon(s.v_info, 2 * (2 * g - h) / (2 * g), 1e-12);
}

/* Segment 0: one label for VOI and ARAND, singletons in CREMI's. */
static void
test_background(void)
{
    static const CxId truth[] = {1, 1, 1, 1, 1};
    static const CxId test[] = {1, 1, 0, 0, 0};
    g_autoptr(CxChunk) a = make_chunk((CxVoxel){5, 1, 1}, truth);
    g_autoptr(CxChunk) b = make_chunk((CxVoxel){5, 1, 1}, test);
    g_autoptr(CxContingency) table = cx_contingency_new();

    cx_contingency_add(table, a, b);
    CxScores s = cx_contingency_scores(table);
    g_assert_cmpfloat_with_epsilon(s.arand, 1 - 2 * 8.0 / (20 + 8), 1e-12);
    g_assert_cmpfloat_with_epsilon(s.arand_cremi,
                                   1 - 2 * (4.0 + 3) / (25 + 4 + 3), 1e-12);
    g_assert_cmpfloat_with_epsilon(
        s.cremi_score, sqrt(s.arand_cremi * (s.voi_split + s.voi_merge)),
        1e-12);
}

static void
test_empty(void)
{
    g_autoptr(CxContingency) table = cx_contingency_new();
    CxScores s = cx_contingency_scores(table);

    g_assert_cmpfloat(s.voi_split + s.voi_merge + s.arand, ==, 0);
    g_assert_cmpfloat(s.v_rand, ==, 1);
}

/* Pairs of voxels counted one by one. */
static double
naive_arand(const CxId *a, const CxId *b, size_t n)
{
    uint64_t both = 0, in_a = 0, in_b = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if (i == j || a[i] == 0 || a[j] == 0)
                continue;
            both += a[i] == a[j] && b[i] == b[j];
            in_a += a[i] == a[j];
            in_b += b[i] == b[j];
        }
    }
    return 1 - 2 * (double)both / (double)(in_a + in_b);
}

static void
test_random(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 30; round++) {
        CxId truth[300], test[300];
        for (int i = 0; i < 300; i++) {
            truth[i] = cx_rng_below(&rng, 5);
            test[i] = cx_rng_below(&rng, 8) * UINT64_C(0x2000000000000001);
        }
        g_autoptr(CxChunk) a = make_chunk((CxVoxel){10, 6, 5}, truth);
        g_autoptr(CxChunk) b = make_chunk((CxVoxel){10, 6, 5}, test);
        g_autoptr(CxContingency) table = cx_contingency_new();
        cx_contingency_add(table, a, b);

        uint64_t total = 0, n;
        size_t cursor = 0;
        CxId t, s;
        while (cx_contingency_next(table, &cursor, &t, &s, &n)) {
            uint64_t expected = 0;
            for (int i = 0; i < 300; i++)
                expected += truth[i] == t && test[i] == s;
            g_assert_cmpuint(n, ==, expected);
            total += n;
        }
        g_assert_cmpuint(total, ==, cx_contingency_n_voxels(table));
        g_assert_cmpfloat_with_epsilon(cx_contingency_scores(table).arand,
                                       naive_arand(truth, test, 300), 1e-12);
    }
}

/* Many different pairs: the table grows; the order of adding is no matter. */
static void
test_growth(void)
{
    g_autofree CxId *truth = g_new(CxId, 20000);
    g_autofree CxId *test = g_new(CxId, 20000);
    g_autoptr(CxContingency) whole = cx_contingency_new();
    g_autoptr(CxContingency) parts = cx_contingency_new();
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 20000; i++) {
        truth[i] = 1 + cx_rng_below(&rng, 200);
        test[i] = cx_rng_below(&rng, 200);
    }
    g_autoptr(CxChunk) a = make_chunk((CxVoxel){100, 100, 2}, truth);
    g_autoptr(CxChunk) b = make_chunk((CxVoxel){100, 100, 2}, test);
    cx_contingency_add(whole, a, b);
    for (int part = 1; part >= 0; part--) {
        g_autoptr(CxChunk) c =
            make_chunk((CxVoxel){100, 100, 1}, truth + part * 10000);
        g_autoptr(CxChunk) d =
            make_chunk((CxVoxel){100, 100, 1}, test + part * 10000);
        cx_contingency_add(parts, c, d);
    }
    CxScores x = cx_contingency_scores(whole), y = cx_contingency_scores(parts);
    g_assert_cmpfloat(x.voi_split, ==, y.voi_split);
    g_assert_cmpfloat(x.voi_merge, ==, y.voi_merge);
    g_assert_cmpfloat(x.cremi_score, ==, y.cremi_score);
}

/* Steps to the nearest border, by looking at every voxel. */
static int64_t
naive_steps(const CxId *labels, CxVoxel n, CxVoxel at)
{
    int64_t best = INT64_MAX;

    for (int64_t z = 0; z < n.z; z++)
        for (int64_t y = 0; y < n.y; y++)
            for (int64_t x = 0; x < n.x; x++) {
                int64_t i = (z * n.y + y) * n.x + x;
                bool border =
                    (x > 0 && labels[i - 1] != labels[i]) ||
                    (x + 1 < n.x && labels[i + 1] != labels[i]) ||
                    (y > 0 && labels[i - n.x] != labels[i]) ||
                    (y + 1 < n.y && labels[i + n.x] != labels[i]) ||
                    (z > 0 && labels[i - n.x * n.y] != labels[i]) ||
                    (z + 1 < n.z && labels[i + n.x * n.y] != labels[i]);
                int64_t steps =
                    1 + ABS(x - at.x) + ABS(y - at.y) + ABS(z - at.z);
                if (border && steps < best)
                    best = steps;
            }
    return best;
}

static void
test_border(void)
{
    CxVoxel size = {9, 8, 7};
    CxRng rng = cx_test_rng();
    g_autofree CxId *labels = g_new(CxId, 9 * 8 * 7);

    for (int i = 0; i < 9 * 8 * 7; i++)
        labels[i] = cx_rng_below(&rng, 40) == 0 ? 2 : 1;
    g_autoptr(CxChunk) chunk = make_chunk(size, labels);
    for (unsigned border = 1; border <= 4; border++) {
        g_autoptr(CxChunk) inner =
            cx_truth_without_border(chunk, cx_chunk_box(chunk), border, NULL);
        const CxId *left = cx_chunk_data(inner);
        for (int64_t i = 0; i < 9 * 8 * 7; i++) {
            CxVoxel at = {i % 9, i / 9 % 8, i / 72};
            bool gone = naive_steps(labels, size, at) <= border;
            g_assert_cmpuint(left[i], ==, gone ? 0 : labels[i]);
        }
    }
}

/* Truth in two pieces of one label: a merge error vanishes by border, the
 * split of the pieces counts only with components. */
static void
test_volumes(void)
{
    CxId truth[] = {1, 1, 1, 1, 0, 1, 1, 1, 1, 1};
    CxId test[] = {1, 1, 1, 1, 5, 2, 2, 2, 2, 2};
    g_autoptr(CxChunk) a = make_chunk((CxVoxel){10, 1, 1}, truth);
    g_autoptr(CxChunk) b = make_chunk((CxVoxel){10, 1, 1}, test);
    g_autoptr(CxVolume) va = volume_of(a), vb = volume_of(b);
    g_autoptr(GError) error = NULL;

    for (int components = 0; components < 2; components++) {
        g_autoptr(CxContingency) table = cx_contingency_new();
        cx_contingency_add_volumes(table, va, vb, 1, components, NULL, &error);
        g_assert_no_error(error);
        CxScores s = cx_contingency_scores(table);
        g_assert_cmpuint(s.n_voxels, ==, 7);
        g_assert_cmpfloat(s.voi_merge, ==, 0);
        g_assert_true(components ? s.voi_split == 0 : s.voi_split > 0.9);
    }
    g_autoptr(CxChunk) c = make_chunk((CxVoxel){5, 2, 1}, test);
    g_autoptr(CxVolume) vc = volume_of(c);
    g_autoptr(CxContingency) table = cx_contingency_new();
    g_assert_false(
        cx_contingency_add_volumes(table, va, vc, 0, false, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "10 x 1 x 1", "5 x 2 x 1",
                         NULL);
}

/* Two cells and a membrane of width 2 between them. */
static void
test_isbi_perfect(void)
{
    g_autoptr(GError) error = NULL;
    CxBox box = cx_box_of_size((CxVoxel){20, 10, 2});
    g_autoptr(CxChunk) truth = cx_chunk_new(CX_DTYPE_U8, box, 1, &error);
    g_autoptr(CxChunk) map = cx_chunk_new(CX_DTYPE_U8, box, 1, &error);
    uint8_t *t = cx_chunk_data_mut(truth), *m = cx_chunk_data_mut(map);

    for (int i = 0; i < 400; i++) {
        int x = i % 20;
        t[i] = x < 9 || x > 10 ? 255 : 0;
        /* A weak spot in the membrane of section 0. */
        m[i] = x < 9 || x > 10 ? 30 : i < 20 ? 60 : 220;
    }
    g_autoptr(CxVolume) vt =
        cx_volume_from_chunk(truth, (CxNm){1, 1, 1}, (CxNm){0}, true);
    g_autoptr(CxVolume) vm =
        cx_volume_from_chunk(map, (CxNm){1, 1, 1}, (CxNm){0}, false);
    CxIsbiScores scores;
    g_assert_true(cx_isbi_score(vt, vm, 2, &scores, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(scores.v_rand, ==, 1);
    g_assert_cmpfloat(scores.v_info, ==, 1);
    g_assert_cmpfloat(scores.threshold, >, 30.0 / 255);
    g_assert_cmpfloat(scores.threshold, <=, 60.0 / 255);
    g_assert_cmpuint(scores.n_voxels, ==, 360);
}

/* The truth as its own map scores 1; a blank map scores as one big cell. */
static void
test_isbi_real(void)
{
    g_autofree char *path = cx_test_data_path("sstem-isbi/test_membranes.tif");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_autoptr(CxVolume) truth = cx_volume_open(path, NULL, &error);
    if (truth == NULL) {
        g_test_skip(error->message);
        return;
    }
    CxBox box = cx_volume_bounds(truth, 0);
    g_autoptr(CxChunk) inside = cx_volume_read_u8(truth, 0, box, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) map = cx_chunk_new(CX_DTYPE_U8, box, 1, &error);
    const uint8_t *from = cx_chunk_data(inside);
    uint8_t *to = cx_chunk_data_mut(map);
    for (size_t i = 0; i < cx_chunk_n_voxels(map); i++)
        to[i] = from[i] > 0 ? 0 : 255;
    g_autoptr(CxVolume) vm =
        cx_volume_from_chunk(map, (CxNm){1, 1, 1}, (CxNm){0}, false);
    CxIsbiScores scores;
    g_assert_true(cx_isbi_score(truth, vm, 2, &scores, NULL, &error));
    g_assert_cmpfloat_with_epsilon(scores.v_rand, 1, 1e-12);
    g_assert_cmpfloat_with_epsilon(scores.v_info, 1, 1e-12);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/contingency/gala", test_gala);
    g_test_add_func("/contingency/small", test_small);
    g_test_add_func("/contingency/background", test_background);
    g_test_add_func("/contingency/empty", test_empty);
    g_test_add_func("/contingency/random", test_random);
    g_test_add_func("/contingency/growth", test_growth);
    g_test_add_func("/contingency/border", test_border);
    g_test_add_func("/contingency/volumes", test_volumes);
    g_test_add_func("/isbi/perfect", test_isbi_perfect);
    g_test_add_func("/isbi/real", test_isbi_real);
    return g_test_run();
}
