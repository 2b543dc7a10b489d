/* Runs a network over one small patch of fixed size, zero outside at every
 * layer, as networks do that were trained on such patches.
 *
 * Made for stacks of convolutions and additions at full resolution (residual
 * networks): layer after layer over the whole patch, its planes shared by the
 * threads.  Networks with poolings, up-sampling or a sigmoid are refused.
 *
 * A plane of a tensor is stored with one zero pixel between its rows and a
 * zero row at either end, so that the kernels take it for a single long row:
 *
 *     0 0 0 0 0          size.x = 4: each row of 4 samples is followed by a 0,
 *     a b c d 0          which is the right neighbour of d and the left one
 *     e f g h 0          of e.  What a convolution writes there is wiped.
 *     0 0 0 0 0
 *
 * fp32: sums as in core/kernels/conv_f32.h.  bf16: samples between layers and
 * weights have 8 bits, but a sum that only other sums read stays in float, so
 * a residual stack loses nothing along its skip connections.
 *
 * Not thread-safe: one run at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

typedef struct CxPatchInfer CxPatchInfer;

typedef struct {
    unsigned n_threads; /* 0 = one per core */
    const char *isa;    /* as in CxPredictorOptions */
    const char *type;   /* NULL or "fp32"; "bf16" */
} CxPatchOptions;

/* Takes a reference to the network.  options may be NULL. */
CxPatchInfer *cx_patch_infer_new(CxNetwork *network, CxVoxel size,
                                 const CxPatchOptions *options, GError **error);
void cx_patch_infer_free(CxPatchInfer *infer);

const char *cx_patch_infer_isa(const CxPatchInfer *infer);
const char *cx_patch_infer_type(const CxPatchInfer *infer);

/* inputs: for each channel size.x * size.y * size.z samples, x fastest.
 * output: channel after channel, the same way.  The job is only asked whether
 * it is cancelled, at least once a layer. */
bool cx_patch_infer_run(CxPatchInfer *infer, const float *const *inputs,
                        float *output, CxJob *job, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPatchInfer, cx_patch_infer_free)
