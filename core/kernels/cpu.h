/* What this processor may run.
 *
 * A feature counts only if CPUID has it and the operating system saves its
 * registers (XCR0).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <stdbool.h>

typedef enum {
    CX_CPU_AVX2 = 1u << 0,   /* AVX2 and FMA */
    CX_CPU_AVX512 = 1u << 1, /* F, BW, DQ, VL */
    CX_CPU_AVX512_VNNI = 1u << 2,
    CX_CPU_AMX_INT8 = 1u << 3,
    CX_CPU_AMX_BF16 = 1u << 4, /* and AVX512-BF16 */
} CxCpuFeature;

/* All features of this processor. */
unsigned cx_cpu_detect(void);

/* Takes away what is beyond "c", "avx2", "avx512", "vnni" or "amx" (in this
 * order, each holding those before it).  NULL and "" take nothing away; false
 * if the name is unknown. */
bool cx_cpu_cap(unsigned *features, const char *name);

/* Asks the system for the tile registers, for this process and for good; call
 * it before the first tile instruction.  False if it does not give them. */
bool cx_cpu_permit_tiles(void);

/* Detected features under the cap of $CX_CPU (an unknown cap is ignored). */
unsigned cx_cpu_features(void);
