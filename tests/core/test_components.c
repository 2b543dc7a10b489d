/* Connected pieces: exact counts on real labels, a flood-fill twin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/segmentation/components.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

static CxChunk *
random_labels(CxRng *rng, CxVoxel size, unsigned n_labels)
{
    CxChunk *chunk = cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, NULL);
    CxId *labels = cx_chunk_data_mut(chunk);
    CxId last = 0;

    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++) {
        if (cx_rng_below(rng, 3) == 0)
            last = cx_rng_below(rng, n_labels) * UINT64_C(0x100000001);
        labels[i] = last;
    }
    return chunk;
}

/* Fills piece after piece from its first voxel. */
static uint64_t
naive(const CxChunk *chunk, unsigned connectivity, uint64_t *out)
{
    CxVoxel n = cx_box_size(cx_chunk_box(chunk));
    const CxId *labels = cx_chunk_data(chunk);
    size_t total = cx_chunk_n_voxels(chunk), n_stack;
    g_autofree size_t *stack = g_new(size_t, total + 1);
    uint64_t count = 0;
    int reach = connectivity == 6 ? 1 : connectivity == 18 ? 2 : 3;

    for (size_t i = 0; i < total; i++)
        out[i] = 0;
    for (size_t i = 0; i < total; i++) {
        if (labels[i] == 0 || out[i] != 0)
            continue;
        out[i] = ++count;
        stack[0] = i;
        n_stack = 1;
        while (n_stack > 0) {
            int64_t at = (int64_t)stack[--n_stack];
            for (int k = 0; k < 27; k++) {
                int dx = k % 3 - 1, dy = k / 3 % 3 - 1, dz = k / 9 - 1;
                int64_t x = at % n.x + dx, y = at / n.x % n.y + dy;
                int64_t z = at / (n.x * n.y) + dz;
                if (ABS(dx) + ABS(dy) + ABS(dz) > reach || x < 0 || y < 0 ||
                    z < 0 || x >= n.x || y >= n.y || z >= n.z)
                    continue;
                size_t to = (size_t)((z * n.y + y) * n.x + x);
                if (labels[to] != labels[i] || out[to] != 0)
                    continue;
                out[to] = count;
                stack[n_stack++] = to;
            }
        }
    }
    return count;
}

static void
test_random(void)
{
    static const unsigned kinds[] = {6, 18, 26};
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 300; round++) {
        CxVoxel size = {1 + (int64_t)cx_rng_below(&rng, 20),
                        1 + (int64_t)cx_rng_below(&rng, 9),
                        1 + (int64_t)cx_rng_below(&rng, 7)};
        g_autoptr(CxChunk) labels =
            random_labels(&rng, size, 2 + (unsigned)cx_rng_below(&rng, 4));
        g_autofree uint64_t *expected =
            g_new(uint64_t, cx_chunk_n_voxels(labels));
        for (int k = 0; k < 3; k++) {
            uint64_t count = 0, n = naive(labels, kinds[k], expected);
            g_autoptr(CxChunk) pieces =
                cx_components_of_chunk(labels, kinds[k], &count, NULL, NULL);
            g_assert_cmpuint(count, ==, n);
            g_assert_cmpmem(cx_chunk_data(pieces), cx_chunk_size_bytes(pieces),
                            expected, cx_chunk_size_bytes(pieces));
        }
    }
}

static void
test_empty(void)
{
    CxBox box = cx_box_of_size((CxVoxel){5, 0, 3});
    g_autoptr(CxChunk) labels = cx_chunk_new(CX_DTYPE_U64, box, 1, NULL);
    uint64_t count = 9;
    g_autoptr(CxChunk) pieces =
        cx_components_of_chunk(labels, 26, &count, NULL, NULL);

    g_assert_nonnull(pieces);
    g_assert_cmpuint(count, ==, 0);
}

typedef struct {
    uint64_t largest;
    uint64_t n_voxels;
    int64_t next_z;
} Seen;

static bool
look(CxChunk *slab, void *data, GError **error)
{
    Seen *seen = data;
    const CxId *ids = cx_chunk_data(slab);

    g_assert_cmpint(cx_chunk_box(slab).lo.z, ==, seen->next_z);
    seen->next_z = cx_chunk_box(slab).hi.z;
    for (size_t i = 0; i < cx_chunk_n_voxels(slab); i++) {
        seen->largest = MAX(seen->largest, ids[i]);
        seen->n_voxels += ids[i] != 0;
    }
    return true;
}

/* Slabs of a volume give what one chunk gives. */
static void
test_volume(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxChunk) labels = random_labels(&rng, (CxVoxel){40, 30, 600}, 3);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(labels, (CxNm){1, 1, 1}, (CxNm){0}, true);
    uint64_t one = 0, other = 0;
    Seen seen = {0, 0, 0};
    g_autoptr(GError) error = NULL;
    g_autoptr(CxChunk) pieces =
        cx_components_of_chunk(labels, 18, &one, NULL, NULL);

    g_assert_true(
        cx_components_of_volume(volume, 18, look, &seen, &other, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(one, ==, other);
    g_assert_cmpuint(seen.largest, ==, one);
    g_assert_cmpint(seen.next_z, ==, 600);
}

/* The counts are cc3d's. */
static void
test_pinky(void)
{
    static const struct {
        unsigned connectivity;
        uint64_t count;
    } expected[] = {{6, 4744}, {18, 3657}, {26, 3619}};
    g_autofree char *path = cx_test_data_path("labels-pinky40/labels.h5");
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return;
    g_autoptr(CxVolume) volume = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        uint64_t count = 0;
        cx_components_of_volume(volume, expected[i].connectivity, NULL, NULL,
                                &count, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(count, ==, expected[i].count);
    }
}

static void
test_cancel(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxChunk) labels = random_labels(&rng, (CxVoxel){10, 10, 10}, 3);
    g_autoptr(CxJob) job = cx_job_new("test");
    g_autoptr(GError) error = NULL;

    cx_job_cancel(job);
    g_assert_null(cx_components_of_chunk(labels, 6, NULL, job, &error));
    g_assert_true(cx_error_is_cancelled(error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/components/random", test_random);
    g_test_add_func("/components/empty", test_empty);
    g_test_add_func("/components/volume", test_volume);
    g_test_add_func("/components/pinky", test_pinky);
    g_test_add_func("/components/cancel", test_cancel);
    return g_test_run();
}
