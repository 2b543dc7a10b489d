/* How long a merge and a split take until they are committed and shown in the
 * graph, on a synthetic project.
 *
 * The project has side³ supervoxels of one voxel each, five edges a
 * supervoxel, in segments of 5³; it is written to a temporary file in dir and
 * removed.  Each edit is one transaction on that disk.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"

typedef struct {
    unsigned side;    /* 100 = 10^6 supervoxels; 0 means that */
    unsigned n_edits; /* of each kind; 0 = 200 */
    const char *dir;  /* NULL = the system's temporary folder */
} CxEditBenchOptions;

typedef struct {
    size_t n_supervoxels, n_edges, n_edits; /* edits of both kinds */
    double p50_ms, p99_ms;                  /* of both kinds together */
    double merge_p50_ms, merge_p99_ms;
    double split_p50_ms, split_p99_ms;
    double undo_p50_ms;
    double open_seconds; /* the project with all its edits */
} CxEditBench;

bool cx_bench_edits(const CxEditBenchOptions *options, CxEditBench *bench,
                    CxJob *job, GError **error);
