/* One stage, measured.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/common.h"

typedef struct {
    const char *name;
    const char *text; /* what is measured, for the help */
    CxcliRun run;
} CxcliBench;

/* Ends with a name of NULL. */
extern const CxcliBench cxcli_benches[];

bool cxcli_bench_agglomerate(CxcliContext *context, GError **error);
bool cxcli_bench_components(CxcliContext *context, GError **error);
bool cxcli_bench_edits(CxcliContext *context, GError **error);
bool cxcli_bench_frames(CxcliContext *context, GError **error);
bool cxcli_bench_mesh(CxcliContext *context, GError **error);
bool cxcli_bench_queue(CxcliContext *context, GError **error);
bool cxcli_bench_relabel(CxcliContext *context, GError **error);
bool cxcli_bench_skeleton(CxcliContext *context, GError **error);
bool cxcli_bench_unet(CxcliContext *context, GError **error);
bool cxcli_bench_watershed(CxcliContext *context, GError **error);

/* The labels (or image) to measure on: INPUT read whole, or a synthetic volume
 * of --size voxels a side (default 192). */
CxChunk *cxcli_bench_input(CxcliContext *context, bool labels, GError **error);

/* Times of repeated runs, in seconds. */
double cxcli_median(GArray *seconds);
double cxcli_quantile(GArray *seconds, double share);
