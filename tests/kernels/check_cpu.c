/* Caps on the instruction set.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

static void
test_caps_nest(void)
{
    static const char *const names[] = {"c", "avx2", "avx512", "vnni", "amx"};
    unsigned below = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        unsigned features = ~0u;

        g_assert_true(cx_cpu_cap(&features, names[i]));
        g_assert_cmphex(features & below, ==, below);
        g_assert_true(i == 0 || features != below);
        below = features;
    }
    g_assert_cmphex(below, ==, ~0u);
}

static void
test_unknown_cap_changes_nothing(void)
{
    unsigned features = CX_CPU_AVX2 | CX_CPU_AVX512;

    g_assert_false(cx_cpu_cap(&features, "sse9"));
    g_assert_true(cx_cpu_cap(&features, NULL));
    g_assert_true(cx_cpu_cap(&features, ""));
    g_assert_cmphex(features, ==, CX_CPU_AVX2 | CX_CPU_AVX512);
}

static void
test_features_agree_with_the_compiler(void)
{
#if defined(__x86_64__)
    unsigned features = cx_cpu_detect();

    __builtin_cpu_init();
    g_assert_cmpint((features & CX_CPU_AVX2) != 0, ==,
                    __builtin_cpu_supports("avx2") &&
                        __builtin_cpu_supports("fma"));
    g_assert_cmpint((features & CX_CPU_AVX512) != 0, ==,
                    __builtin_cpu_supports("avx512f") &&
                        __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl"));
#else
    g_test_skip("not an x86-64 processor");
#endif
}

static void
test_plain_c_is_always_there(void)
{
    CxKernels kernels;

    cx_kernels_fill(&kernels, 0);
    g_assert_cmpstr(kernels.isa, ==, "c");
    g_assert_true(kernels.conv_row_f32 == cx_conv_row_f32_c);
}

void
check_cpu_add(void)
{
    g_test_add_func("/kernels/cpu/caps-nest", test_caps_nest);
    g_test_add_func("/kernels/cpu/unknown-cap",
                    test_unknown_cap_changes_nothing);
    g_test_add_func("/kernels/cpu/detect",
                    test_features_agree_with_the_compiler);
    g_test_add_func("/kernels/cpu/plain-c", test_plain_c_is_always_there);
}
