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

/* Where samples come from and go to: rows of n pixels from x on. */
typedef struct {
    void *data;
    /* float: channel c of pixel i is at c / 16 * plane + 16 * i + c % 16. */
    void (*fill)(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
                 float *dst, size_t plane);
    void (*take)(void *data, int64_t stream, int64_t row, int64_t x, size_t n,
                 const float *src, size_t plane);
    /* May be NULL; each row of a step, once it is computed in float. */
    void (*watch)(void *data, unsigned step, size_t n, const float *row,
                  size_t plane);
    /* 8 bits and bf16: samples as input and CxStep.quantum say, channel c of
     * pixel i at byte c / input->block * plane + i * input->pixel + c %
     * input->block * (size of a sample). */
    void (*fill_samples)(void *data, int64_t stream, int64_t row, int64_t x,
                         size_t n, const CxStep *input, uint8_t *dst,
                         size_t plane);
    /* Logits as in conv_rows.h, channel c of pixel i at i * pixel + c. */
    void (*take_logits)(void *data, int64_t stream, int64_t row, int64_t x,
                        size_t n, const uint16_t *src, size_t pixel);
    /* May be NULL; before and after some units of a step are made. */
    void (*mark)(void *data, unsigned step, bool done);
} CxInferPorts;

typedef struct CxInfer CxInfer;

/* program is borrowed; kernels are copied. */
CxInfer *cx_infer_new(const CxProgram *program, const CxKernels *kernels);
void cx_infer_free(CxInfer *infer);

/* Computes output pixels [lo, hi) (stream, row, x; not empty).  bounds: see
 * cx_plan_fit().  The job is only asked whether it is cancelled. */
bool cx_infer_run(CxInfer *infer, const int64_t lo[CX_N_AXES],
                  const int64_t hi[CX_N_AXES], const int64_t *bounds,
                  const CxInferPorts *ports, CxJob *job, GError **error);

/* Bytes that a tile of this shape takes. */
size_t cx_infer_size_bytes(CxInfer *infer, const int64_t lo[CX_N_AXES],
                           const int64_t hi[CX_N_AXES]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxInfer, cx_infer_free)
