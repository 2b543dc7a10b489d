/* Packs the weights of a convolution into the order of the kernels, once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/layer.h"
#include "core/nn/program.h"

typedef struct {
    const CxNetwork *network;
    const CxLayer *layer;
    const CxLayer *const *ups; /* a transposed convolution folded into a part,
                                * which then is what that reads; or NULL */
    CxStep *step;              /* parts, reach, period, merged are set */
    double *row;   /* weights of one output for the channels of a part */
    double *inner; /* transposed convolution at one phase, [c][m] */
} CxPacking;

/* Fills phases and bias of a step whose parts, reach, period and merged are
 * set. */
bool cx_program_pack(const CxProgram *program, const CxNetwork *network,
                     const CxLayer *layer, const CxLayer *const *ups,
                     CxStep *step, GError **error);

/* The same for 8 bits and bf16, phases taken and empty: conv_rows.h. */
bool cx_pack_rows(const CxProgram *program, const CxPacking *pack,
                  GError **error);

/* Finds the taps of the phase at `at`; returns their weights,
 * [groups of 16][k_total][16], owned. */
double *cx_pack_phase(const CxPacking *pack, CxPhase *phase,
                      const int64_t at[CX_N_AXES], GError **error);

/* Bias of an output, folded layers included. */
double cx_pack_bias(const CxPacking *pack, size_t o);

/* The file's axis (z, y, x) of a program's axis. */
unsigned cx_program_file_axis(const CxNetwork *network, unsigned axis);
