/* The small structures of core/base beside their slowest twins.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/dtype.h"
#include "core/base/error.h"
#include "core/base/geometry.h"
#include "core/base/hash64.h"
#include "core/base/heap.h"
#include "core/base/union_find.h"
#include "tests/support/check.h"

#define N 500

static void
test_hash_equals_array(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxHash64) map = cx_hash64_new(0);
    uint64_t twin[N + 1] = {0};
    bool has[N + 1] = {false};

    for (int i = 0; i < 20000; i++) {
        uint64_t key = 1 + cx_rng_below(&rng, N);

        if (cx_rng_below(&rng, 3) == 0) {
            g_assert_cmpint(cx_hash64_remove(map, key), ==, has[key]);
            has[key] = false;
        } else {
            twin[key] = cx_rng_next(&rng);
            has[key] = true;
            cx_hash64_set(map, key, twin[key]);
        }
    }
    size_t n = 0;
    for (uint64_t key = 1; key <= N; key++) {
        uint64_t value;

        g_assert_cmpint(cx_hash64_get(map, key, &value), ==, has[key]);
        if (has[key])
            g_assert_cmpuint(value, ==, twin[key]);
        n += has[key];
    }
    g_assert_cmpuint(cx_hash64_size(map), ==, n);

    size_t cursor = 0, seen = 0;
    uint64_t key, value;
    while (cx_hash64_next(map, &cursor, &key, &value)) {
        g_assert_true(has[key]);
        seen++;
    }
    g_assert_cmpuint(seen, ==, n);
}

static void
test_union_find_equals_flood(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxUnionFind) sets = cx_union_find_new(N);
    uint32_t twin[N];

    for (uint32_t i = 0; i < N; i++)
        twin[i] = i;
    for (int step = 0; step < N / 2; step++) {
        uint32_t a = (uint32_t)cx_rng_below(&rng, N);
        uint32_t b = (uint32_t)cx_rng_below(&rng, N);
        uint32_t lo = MIN(twin[a], twin[b]), hi = MAX(twin[a], twin[b]);

        g_assert_cmpint(cx_union_find_join(sets, a, b), ==, lo != hi);
        for (uint32_t i = 0; i < N; i++) {
            if (twin[i] == hi)
                twin[i] = lo;
        }
    }
    for (uint32_t i = 0; i < N; i++)
        g_assert_cmpuint(cx_union_find_root(sets, i), ==, twin[i]);
}

static void
test_heap_equals_search(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxHeap) heap = cx_heap_new(N);
    float keys[N];
    bool in[N] = {false};

    for (int step = 0; step < 20000; step++) {
        uint32_t i = (uint32_t)cx_rng_below(&rng, N);
        uint64_t what = cx_rng_below(&rng, 4);

        if (what < 2) {
            keys[i] = (float)cx_rng_below(&rng, 50);
            in[i] = true;
            cx_heap_set(heap, i, keys[i]);
        } else if (what == 2) {
            in[i] = false;
            cx_heap_remove(heap, i);
        } else if (!cx_heap_is_empty(heap)) {
            uint32_t best = N;
            float key;

            for (uint32_t k = 0; k < N; k++) {
                if (in[k] && (best == N || keys[k] > keys[best]))
                    best = k;
            }
            g_assert_cmpuint(cx_heap_pop(heap, &key), ==, best);
            g_assert_cmpfloat(key, ==, keys[best]);
            in[best] = false;
        }
    }
}

static void
test_boxes(void)
{
    CxBox a = {{0, 0, 0}, {10, 20, 30}}, b = {{5, -5, 29}, {50, 5, 31}};
    CxBox c = cx_box_intersect(a, b), parsed;
    size_t n;

    g_assert_true(cx_box_equal(c, (CxBox){{5, 0, 29}, {10, 5, 30}}));
    g_assert_true(cx_box_n_voxels(c, &n));
    g_assert_cmpuint(n, ==, 25);
    g_assert_false(
        cx_box_n_voxels(cx_box_of_size((CxVoxel){INT64_MAX, 8, 8}), &n));
    g_assert_true(cx_box_parse("1,2,3,4,5,-6", &parsed));
    g_assert_cmpint(parsed.hi.z, ==, -6);
    g_assert_false(cx_box_parse("1,2,3,4,5", &parsed));
    g_assert_false(cx_box_parse("1,2,3,4,5,6,", &parsed));
    g_assert_cmpint(
        cx_chunk_of_voxel((CxVoxel){-1, 0, 64}, (CxVoxel){64, 64, 64}).x, ==,
        -1);
    CxBox chunks = cx_box_chunks(a, (CxVoxel){8, 8, 8});
    g_assert_true(cx_box_equal(chunks, (CxBox){{0, 0, 0}, {2, 3, 4}}));
    g_assert_cmpuint(cx_box_offset(a, (CxVoxel){9, 19, 29}), ==, 5999);
}

static void
test_allocation_refuses_overflow(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(cx_try_alloc(SIZE_MAX / 2, 4, &error));
    cx_test_expect_error(&error, CX_ERROR_NO_MEMORY, "not enough memory", NULL);
    CX_AUTOFREE uint8_t *memory = cx_try_alloc0(100, 3, &error);
    g_assert_no_error(error);
    g_assert_cmpuint((uintptr_t)memory % 64, ==, 0);
}

static void
test_dtype_names(void)
{
    CxDtype dtype;

    for (int i = CX_DTYPE_U8; i <= CX_DTYPE_F64; i++) {
        g_assert_true(cx_dtype_from_name(cx_dtype_name((CxDtype)i), &dtype));
        g_assert_cmpint(dtype, ==, i);
    }
    g_assert_false(cx_dtype_from_name("complex64", &dtype));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/hash-equals-array", test_hash_equals_array);
    g_test_add_func("/base/union-find-equals-flood",
                    test_union_find_equals_flood);
    g_test_add_func("/base/heap-equals-search", test_heap_equals_search);
    g_test_add_func("/base/boxes", test_boxes);
    g_test_add_func("/base/allocation-refuses-overflow",
                    test_allocation_refuses_overflow);
    g_test_add_func("/base/dtype-names", test_dtype_names);
    return g_test_run();
}
