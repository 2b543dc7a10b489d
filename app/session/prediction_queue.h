/* Predicts what panes show, tile by tile, on threads of its own.
 *
 * Each pane says what it wants as a whole; what is not wanted any more is
 * cancelled, and a thread that is free takes what is most wanted at that
 * moment.  Order: the pane looked at before the others; in a pane from the
 * focus outwards; then, when nothing visible is missing, the sections ahead.
 *
 * Results are kept as tiles, least recently used dropped first.  Tiles are
 * small, so that a field covers few voxels more than it has, and several
 * neighbours are predicted at once, so that halos cost little.  The network's
 * results do not depend on that.
 *
 * Threads of their own, because a prediction takes long for a chunk that
 * waits behind it.  Thread-safe; the hook runs on those threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/volume/chunk.h"

#define CXUI_N_FIELDS 3 /* panes: one an axis (0 x, 1 y, 2 z) they look along */

typedef struct CxuiPredictionQueue CxuiPredictionQueue;

/* What predicts.  run may be called from several threads at once; returns all
 * channels over the box, cut across an axis. */
typedef struct {
    CxChunk *(*run)(void *data, CxBox box, unsigned axis, CxJob *job,
                    GError **error);
    void *data;
    GDestroyNotify destroy; /* of data, once no thread uses it */
    CxVoxel size;           /* of the volume */
    unsigned n_channels;
    int64_t thickness; /* sections of a tile: more than 1 in 3-D alone */
} CxuiPredictionEngine;

/* hook: something arrived, or failed; it must not call the queue. */
CxuiPredictionQueue *cxui_prediction_queue_new(unsigned n_threads,
                                               size_t budget_bytes,
                                               void (*hook)(void *data),
                                               void *data);

/* Cancels and waits. */
void cxui_prediction_queue_free(CxuiPredictionQueue *queue);

/* Other network or volume: all tiles are forgotten.  NULL: none.  Takes over
 * what is in it.  Does not wait for what runs. */
void cxui_prediction_queue_set_engine(CxuiPredictionQueue *queue,
                                      const CxuiPredictionEngine *engine);

/* Voxels of a tile of panes along an axis. */
CxVoxel cxui_prediction_queue_tile(CxuiPredictionQueue *queue, unsigned axis);

typedef struct {
    CxBox box;     /* voxels, one section; empty: nothing is wanted */
    CxVoxel focus; /* what is nearest to it comes first */
    int n_ahead;   /* sections to be predicted when idle; < 0: backwards */
    bool first;    /* before other panes */
} CxuiPredictionField;

/* What the pane along an axis shows now.  Returns at once; false if it is more
 * than a sixth of the budget, and only the part around the focus is predicted. */
bool cxui_prediction_queue_want(CxuiPredictionQueue *queue, unsigned axis,
                                const CxuiPredictionField *field);

/* New reference to all channels of a tile, or NULL.  Never waits. */
CxChunk *cxui_prediction_queue_lookup(CxuiPredictionQueue *queue, unsigned axis,
                                      CxChunkIdx idx);

/* Tiles of the field along an axis that are missing (0 without a field). */
size_t cxui_prediction_queue_n_missing(CxuiPredictionQueue *queue,
                                       unsigned axis);

/* Tiles wanted now, and how many of them are missing. */
typedef struct {
    size_t n_wanted, n_missing;
    unsigned n_running;   /* threads at work */
    double mvox_per_s;    /* lately, all threads together; 0 = not known */
    size_t used_bytes;    /* by tiles */
    uint64_t n_voxels;    /* predicted so far */
    uint64_t n_cancelled; /* runs that were left */
    int64_t started_us, ended_us; /* monotonic: of the last spell of work */
    int64_t run_us, keep_us; /* processor time so far: network; cutting tiles */
} CxuiPredictionStats;

CxuiPredictionStats cxui_prediction_queue_stats(CxuiPredictionQueue *queue);

/* Why the engine failed, once, or NULL; it rests until it is set anew. */
GError *cxui_prediction_queue_take_error(CxuiPredictionQueue *queue);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxuiPredictionQueue, cxui_prediction_queue_free)
