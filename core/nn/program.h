/* A network turned into steps that run on rows, with packed weights.
 *
 * Concatenation and nearest up-sampling in front of a convolution disappear:
 * the convolution reads several sources, each maybe coarser than its own
 * grid.  Over a coarser source the output falls into phases (even and odd
 * pixels for a factor of 2); within a phase the fine taps that meet the same
 * coarse pixel share one sum of weights, so a 3x3 convolution over a 2x2
 * up-sampled source has 4 taps, not 9.  A transposed convolution is a 1x1
 * convolution with its own weights in each phase.
 *
 * Axes are stream, row, x: work runs along the stream axis and keeps only the
 * part of each tensor that is still needed (plan.h).  A 2-D network streams
 * along y (one row a unit), a 3-D network along z.
 *
 * Immutable; shared by all workers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/conv_rows.h"
#include "core/nn/layer.h"

enum { CX_STREAM, CX_ROW, CX_X, CX_N_AXES };

typedef enum {
    CX_STEP_INPUT,
    CX_STEP_CONV,
    CX_STEP_POOL,
    CX_STEP_COPY, /* concatenation and up-sampling, where no conv reads it */
    CX_STEP_ADD,
    CX_STEP_SIGMOID,
} CxStepKind;

/* A source of a step: the tensor of an earlier step, each of whose pixels
 * stands for `factor` pixels of the grid of the step. */
typedef struct {
    unsigned step;
    unsigned n_channels;
    int64_t factor[CX_N_AXES];
} CxPart;

/* Offsets are in source pixels from the pixel under the phase's base. */
typedef struct {
    unsigned part;
    int64_t offset[CX_N_AXES];
    uint32_t k; /* first row of weights */
} CxPhaseTap;

/* A K block of conv_rows.h: 64 bytes from a pixel on. */
typedef struct {
    unsigned part, plane;
    int64_t offset[CX_N_AXES];
} CxPhaseBlock;

typedef struct {
    unsigned n_taps; /* float */
    CxPhaseTap *taps;
    size_t k_total;
    unsigned n_k; /* 8 bits and bf16 */
    CxPhaseBlock *blocks;
    CxConvSpan *spans;
    void *bias;
    float *scale;
    void *weights; /* as conv_f32.h or conv_rows.h wants them */
} CxPhase;

/* 16 channels of a source. */
typedef struct {
    unsigned part, plane;
    unsigned at; /* bytes from a pixel */
} CxPhaseGroup;

/* 8 bits: what winograd_u8.h needs, and the phases without it. */
typedef struct {
    unsigned n_in, n_out; /* groups of 16 */
    CxPhaseGroup *groups; /* [n_in] */
    int16_t *weights;
    CxPhase *rest; /* bias and scale are those of the step's phases */
} CxStepWinograd;

typedef struct {
    unsigned step, part;
} CxReadBy;

/* Step i makes tensor i. */
typedef struct {
    CxStepKind kind;
    int32_t layer; /* whose output this is; -1: the network's input */
    unsigned n_channels;
    unsigned block;    /* channels of a plane */
    unsigned pixel;    /* bytes of a pixel in a plane */
    unsigned units;    /* made at once, so that weights are read less often */
    const float *mean; /* of channels, the layer's; or NULL */
    double quantum;    /* 8 bits: value of one step of a sample */
    uint8_t zero;      /* 8 bits: the sample that stands for 0 */
    bool logits;       /* the output, in counts of conv_rows.h */
    bool merged; /* 8 bits, bf16: all phases along x in one call, as groups
                     * of outputs */
    unsigned n_parts;
    CxPart *parts;
    unsigned n_readers; /* later steps that read this tensor */
    CxReadBy *readers;
    int64_t reach[CX_N_AXES];  /* conv: taps go -reach … reach */
    int64_t factor[CX_N_AXES]; /* pool */
    int64_t period[CX_N_AXES]; /* conv: phases along each axis */
    unsigned n_phases;         /* stream slowest, x fastest */
    CxPhase *phases;
    float *bias;                   /* float: of outputs, in 16s */
    bool relu;                     /* conv, add */
    CxPhase *winograd;             /* conv: six more, see winograd.h; or NULL */
    CxStepWinograd *winograd_rows; /* see winograd_rows.h; or NULL */
    unsigned scale[CX_N_AXES];
} CxStep;

typedef struct {
    CxLayerType type;
    unsigned n_steps;
    CxStep *steps;   /* the last one gives the logits or values of the output */
    size_t max_taps; /* or K blocks */
    size_t max_pool_rows;
    size_t max_groups; /* CxStepWinograd.n_in */
} CxProgram;

/* type holds for all steps.  8 bits and bf16 refuse networks that add or copy
 * (but in bf16 not those that grow, which patch_infer.h runs), and 8 bits those
 * without calibration; their last step gives logits in place of the sigmoid.
 */
CxProgram *cx_program_new(const CxNetwork *network, CxLayerType type,
                          GError **error);
void cx_program_free(CxProgram *program);

/* Planes of the tensor of a step. */
unsigned cx_step_n_blocks(const CxStep *step);

/* Pixels [src[0], src[1]) of a part along an axis that pixels [lo, hi) of the
 * step depend on. */
void cx_step_span(const CxStep *step, const CxPart *part, unsigned axis,
                  int64_t lo, int64_t hi, int64_t src[2]);

/* Rounds down, also below 0. */
static inline int64_t
cx_floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProgram, cx_program_free)
