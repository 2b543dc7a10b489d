/* What the parts of infer.h share: for them alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/infer.h"
#include "core/nn/winograd.h"

/* Rows of one call of a kernel. */
#define CX_INFER_MAX_ROWS 16

struct CxInfer {
    const CxProgram *program;
    CxKernels kernels;
    CxRowsKernels rows_kernels; /* of the program's type, if not float */
    CxPlan *plan;
    CxWinograd *winograd;
    float *split; /* memory of winograd, in the arena */
    size_t split_bytes;
    CxConvTap *taps;        /* float: program->max_taps */
    const uint8_t **k_rows; /* CX_INFER_MAX_ROWS * program->max_taps */
    uint32_t *k_steps;      /* program->max_taps */
    const uint8_t **rows;   /* program->max_pool_rows */
    uint8_t *arena;
    size_t n_bytes;
    bool bounded;
    uint8_t *blanks[2];         /* rows of 0 and of 128 */
    const uint8_t **group_rows; /* CX_WINOGRAD_U8_TAKES * max_groups */
    uint32_t *group_steps;      /* max_groups */
    int32_t *sums;              /* of winograd_rows, in the arena */
    uint8_t *scratch;           /* behind them */
    const CxInferPorts *ports;  /* of the run */
    CxJob *job;
};

static inline size_t
cx_infer_n_pixels(const CxPlanTensor *tensor)
{
    return (size_t)(tensor->hi[CX_X] - tensor->lo[CX_X]);
}

/* The pixel of a phase that lies at `at` or just after it. */
static inline int64_t
cx_infer_first_of_phase(int64_t at, int64_t phase, int64_t period)
{
    return cx_floor_div(at - phase + period - 1, period) * period + phase;
}

/* The rows of the source of a pooling that one of its rows needs, into
 * infer->rows; returns how many. */
size_t cx_infer_pool_rows(CxInfer *infer, unsigned index, int64_t unit,
                          int64_t row);

/* Units [lo, hi) of a step in 8 bits or bf16; false if cancelled. */
bool cx_infer_make_rows(CxInfer *infer, unsigned index, int64_t lo, int64_t hi);
