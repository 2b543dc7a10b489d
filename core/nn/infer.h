/* Runs a program over one tile: one worker's memory and the loop over rows.
 *
 * Not thread-safe: one CxInfer a worker.  Memory is taken when a tile needs
 * more than those before it, never inside the loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/nn/plan.h"

/* Where samples come from and go to.  Both are called with rows of n pixels
 * from x on; channel c of pixel i is at c / 16 * plane + 16 * i + c % 16. */
typedef struct {
    void *data;
    void (*fill)(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
                 float *dst, size_t plane);
    void (*take)(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
                 const float *src, size_t plane);
} CxInferPorts;

typedef struct CxInfer CxInfer;

/* program is borrowed; kernels are copied. */
CxInfer *cx_infer_new(const CxProgram *program, const CxKernels *kernels);
void cx_infer_free(CxInfer *infer);

/* Rows pass through the ports in float whatever the program's type.
 *
 * Computes output pixels [lo, hi) (stream, row, x; not empty).  bounds: see
 * cx_plan_fit().  The job is only asked whether it is cancelled. */
bool cx_infer_run(CxInfer *infer, const int64_t lo[CX_N_AXES],
                  const int64_t hi[CX_N_AXES], const int64_t *bounds,
                  const CxInferPorts *ports, CxJob *job, GError **error);

/* Bytes that a tile of this shape takes. */
size_t cx_infer_size_bytes(CxInfer *infer, const int64_t lo[CX_N_AXES],
                           const int64_t hi[CX_N_AXES]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxInfer, cx_infer_free)
