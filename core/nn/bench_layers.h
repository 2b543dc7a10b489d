/* Time of each step of a program over many runs of one tile, beside what the
 * processor could do at best.
 *
 * A step is made in many calls; of each the least time of all runs counts, and
 * the time of a step is their sum: another program that takes the processor
 * away spoils one call of one run, not the figure.  The peak (peak.h) is the
 * best of short loops between the runs.
 *
 * One thread.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/nn/program.h"

typedef struct CxBenchLayers CxBenchLayers;

typedef struct {
    char name[64]; /* "003 conv 3x3, 16 -> 16", of the file's layer */
    double seconds;
    double gop;       /* of the layer as the network states it, and of
                       * transposed convolutions that it took in */
    double gop_per_s; /* 0 where there are no products */
    double share;     /* of the peak; NaN without one */
} CxBenchLayer;

/* Both are borrowed. */
CxBenchLayers *cx_bench_layers_new(const CxNetwork *network,
                                   const CxProgram *program);
void cx_bench_layers_free(CxBenchLayers *layers);

/* A run begins; between runs: the peak is tried once more. */
void cx_bench_layers_begin(CxBenchLayers *layers);
void cx_bench_layers_try_peak(CxBenchLayers *layers, const CxKernels *kernels);

/* Before and after each call of a step: CxInferPorts.mark. */
void cx_bench_layers_mark(CxBenchLayers *layers, unsigned step, bool done);

/* Operations per second in units of 10^9; 0 if unknown. */
double cx_bench_layers_peak(const CxBenchLayers *layers);

/* CxBenchLayer of each step; n_voxels: of the tile. */
GArray *cx_bench_layers_take(const CxBenchLayers *layers, double n_voxels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxBenchLayers, cx_bench_layers_free)
