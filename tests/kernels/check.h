/* What the checks of kernels share: instruction sets to try and memory that
 * faults when it is overrun.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/kernels/kernels.h"

#include <glib.h>

/* n_bytes that end at (or, if !at_end, begin after) a page that must not be
 * touched; filled with bytes of 0xff: NaN as float. */
typedef struct {
    void *data;
    void *map;
    size_t map_bytes;
} Guarded;

Guarded guarded_new(size_t n_bytes, bool at_end);
void guarded_clear(Guarded *guarded);

/* Calls func for each instruction set of this machine but plain C. */
typedef void CheckFunc(const CxKernels *kernels, CxRng *rng);
void check_each(CheckFunc *func);

/* A number out of many sizes, signs and corner cases; finite. */
float check_sample(CxRng *rng, bool extreme);

void check_rows_add(void);
void check_conv_f32_add(void);
void check_cpu_add(void);
void check_envelope_f32_add(void);
void check_gemm_f32_add(void);
void check_norm_f32_add(void);
void check_pool_f32_add(void);
void check_sigmoid_f32_add(void);
void check_winograd_f32_add(void);
void check_winograd_u8_add(void);
