/* What this processor may run.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/cpu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <asm/prctl.h> of Linux 5.16. */
#define REQUEST_PERMISSION 0x1023
#define TILE_DATA 18

/* State components of XCR0 (Intel SDM 1, 13.1). */
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u
#define XCR0_TILES 0x60000u

static unsigned
bit(uint32_t word, unsigned position, unsigned feature)
{
    return (word >> position & 1) != 0 ? feature : 0;
}

static uint32_t
saved_state(void)
{
    uint32_t low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool
has_avx512_bf16(void)
{
    uint32_t a, b, c, d;

    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1) != 0;
}

unsigned
cx_cpu_detect(void)
{
    const uint32_t f_bw_dq_vl = 1u << 16 | 1u << 30 | 1u << 17 | 1u << 31;
    const uint32_t osxsave_fma = 1u << 27 | 1u << 12;
    uint32_t a, b, c, d;
    unsigned features = 0;

    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & osxsave_fma) != osxsave_fma)
        return 0;
    uint32_t xcr0 = saved_state();
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 ||
        (xcr0 & XCR0_AVX) != XCR0_AVX)
        return 0;
    features |= bit(b, 5, CX_CPU_AVX2);
    if ((b & f_bw_dq_vl) == f_bw_dq_vl && features != 0 &&
        (xcr0 & XCR0_AVX512) == XCR0_AVX512) {
        features |= CX_CPU_AVX512 | bit(c, 11, CX_CPU_AVX512_VNNI);
        if ((xcr0 & XCR0_TILES) == XCR0_TILES && bit(d, 24, 1) != 0)
            features |= bit(d, 25, CX_CPU_AMX_INT8) |
                        (has_avx512_bf16() ? bit(d, 22, CX_CPU_AMX_BF16) : 0);
    }
    return features;
}

bool
cx_cpu_permit_tiles(void)
{
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#else
bool
cx_cpu_permit_tiles(void)
{
    return false;
}

unsigned
cx_cpu_detect(void)
{
    return 0;
}
#endif

bool
cx_cpu_cap(unsigned *features, const char *name)
{
    static const struct {
        const char *name;
        unsigned keep;
    } caps[] = {
        {"c", 0},
        {"avx2", CX_CPU_AVX2},
        {"avx512", CX_CPU_AVX2 | CX_CPU_AVX512},
        {"vnni", CX_CPU_AVX2 | CX_CPU_AVX512 | CX_CPU_AVX512_VNNI},
        {"amx", ~0u},
        {"", ~0u},
    };

    if (name == NULL)
        return true;
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        if (strcmp(name, caps[i].name) != 0)
            continue;
        *features &= caps[i].keep;
        return true;
    }
    return false;
}

unsigned
cx_cpu_features(void)
{
    unsigned features = cx_cpu_detect();

    cx_cpu_cap(&features, getenv("CX_CPU"));
    return features;
}
