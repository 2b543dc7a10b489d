/* Every kernel against its C reference, for every instruction set present.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tests/kernels/check.h"

#include "tests/support/check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

Guarded
guarded_new(size_t n_bytes, bool at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inside = (n_bytes + page - 1) / page * page;
    Guarded guarded = {.map_bytes = inside + 2 * page};

    inside = inside > 0 ? inside : page;
    guarded.map_bytes = inside + 2 * page;
    guarded.map = mmap(NULL, guarded.map_bytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(guarded.map != MAP_FAILED);
    uint8_t *first = (uint8_t *)guarded.map + page;
    g_assert_cmpint(mprotect(first, inside, PROT_READ | PROT_WRITE), ==, 0);
    memset(first, 0xff, inside);
    guarded.data = at_end ? first + inside - n_bytes : first;
    return guarded;
}

void
guarded_clear(Guarded *guarded)
{
    g_assert_cmpint(munmap(guarded->map, guarded->map_bytes), ==, 0);
}

void
check_each(CheckFunc *func)
{
    static const char *const caps[] = {"avx2", "avx512"};
    CxRng rng = cx_test_rng();
    unsigned n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(caps); i++) {
        unsigned features = cx_cpu_features();
        CxKernels kernels;

        g_assert_true(cx_cpu_cap(&features, caps[i]));
        cx_kernels_fill(&kernels, features);
        if (!g_str_equal(kernels.isa, caps[i]))
            continue;
        func(&kernels, &rng);
        n++;
    }
    if (n == 0)
        g_test_skip("this processor (or CX_CPU) has plain C alone");
}

float
check_sample(CxRng *rng, bool extreme)
{
    static const float corners[] = {0.0f,   -0.0f, 1e-40f, -1e-38f, 1e15f,
                                    -1e15f, 1.0f,  -3e-7f, 65504.0f};

    if (extreme)
        return corners[cx_rng_below(rng, G_N_ELEMENTS(corners))];
    return (float)cx_rng_normal(rng);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    check_rows_add();
    check_conv_f32_add();
    check_cpu_add();
    check_envelope_f32_add();
    check_gemm_f32_add();
    check_norm_f32_add();
    check_pool_f32_add();
    check_sigmoid_f32_add();
    check_winograd_f32_add();
    check_winograd_u8_add();
    return g_test_run();
}
