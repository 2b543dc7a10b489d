/* Speed of the inference engine on a fixed network: a 2-D U-Net of one input
 * channel, four poolings, two 3x3 convolutions a level, 2x2 transposed
 * convolutions, skip concatenation and a 1x1 head, with seeded random
 * weights, over a zero-padded square tile.  For int8 it is calibrated on that
 * tile.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/bench_layers.h"

typedef struct {
    unsigned base;      /* channels of the first level; 0 = 16 */
    unsigned tile;      /* pixels a side, a multiple of 16; 0 = 512 */
    unsigned n_threads; /* tiles at once, one a thread; 0 = 1 */
    double seconds;     /* measure for about this long; 0 = 1.5 */
    const char *isa;    /* NULL = best present; a cap: "c" … "amx" */
    const char *type;   /* NULL, "fp32", "bf16" or "int8" */
    bool layers;        /* each layer for itself, on one thread */
} CxBenchUnetOptions;

typedef struct {
    double mvox_per_s;     /* of all threads together, from the median */
    double gflop_per_s;    /* counted as the layers of the network state them */
    double median_seconds; /* of one tile a thread */
    double mvox_per_cpu_s; /* in a second of processor time, which other
                            * programs on the machine disturb less */
    unsigned runs;
    const char *isa; /* that was used; static */
    /* If asked for, else NULL and 0; owned. */
    GArray *layers; /* CxBenchLayer */
    double peak_gop_per_s;
} CxBenchUnetResult;

void cx_bench_unet_result_clear(CxBenchUnetResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CxBenchUnetResult, cx_bench_unet_result_clear)

/* Clears the result first. */
bool cx_bench_unet(const CxBenchUnetOptions *options, CxBenchUnetResult *result,
                   CxJob *job, GError **error);

/* The network itself, for tests and comparisons. */
CxNetwork *cx_bench_unet_network(unsigned base, uint64_t seed, GError **error);
