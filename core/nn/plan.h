/* Where everything of one tile lies while a program runs over it.
 *
 * From the wanted output follows which pixels of every tensor are needed, and
 * nothing else is computed.  Along the stream axis work goes unit by unit
 * (rows of a 2-D network, planes of a 3-D one), each made just before it is
 * needed (some at once where the step says so), and a tensor keeps the last
 * `capacity` units alone: a ring.
 *
 * Pixels are counted on each tensor's own grid, anchored at voxel 0 of the
 * volume and negative before it, so that what a pixel holds does not depend
 * on the tile it was computed in.
 *
 * Not thread-safe: one plan a worker.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/program.h"

/* Bytes before the first pixel of a row, at least; they begin aligned to 64, and
 * so does a first pixel of 64 bytes. */
#define CX_PLAN_MARGIN 64

typedef struct {
    int64_t lo[CX_N_AXES], hi[CX_N_AXES]; /* what is computed; maybe nothing */
    int64_t capacity;                     /* units kept */
    int64_t next;                         /* unit to be made next */
    size_t plane, row, unit; /* bytes from a plane, row, unit to the next */
    size_t pixel;            /* bytes */
    size_t offset;           /* of pixel lo of slot 0 in the arena, bytes */
} CxPlanTensor;

typedef struct {
    const CxProgram *program; /* borrowed */
    CxPlanTensor *tensors;    /* of each step */
    size_t size_bytes;        /* of the arena */
} CxPlan;

/* Makes units [lo, hi) of a step; false stops. */
typedef bool (*CxPlanVisit)(void *data, unsigned step, int64_t lo, int64_t hi);

CxPlan *cx_plan_new(const CxProgram *program);
void cx_plan_free(CxPlan *plan);

/* Plans output pixels [lo, hi), not empty.  bounds: NULL, or the size of a
 * tile from 0 outside of which every tensor is zero. */
void cx_plan_fit(CxPlan *plan, const int64_t lo[CX_N_AXES],
                 const int64_t hi[CX_N_AXES], const int64_t *bounds);

/* Visits all units of all steps, sources before readers. */
bool cx_plan_run(CxPlan *plan, CxPlanVisit visit, void *data);

/* Whether a row has been made or will be. */
static inline bool
cx_plan_holds(const CxPlanTensor *tensor, int64_t unit, int64_t row)
{
    return unit >= tensor->lo[CX_STREAM] && unit < tensor->hi[CX_STREAM] &&
           row >= tensor->lo[CX_ROW] && row < tensor->hi[CX_ROW];
}

/* Bytes from the arena's start to a pixel of plane 0; along x it may be in the
 * CX_PLAN_MARGIN bytes before the range or in the pixel behind it. */
static inline size_t
cx_plan_at(const CxPlanTensor *tensor, int64_t unit, int64_t row, int64_t x)
{
    size_t slot = (size_t)((unit - tensor->lo[CX_STREAM]) % tensor->capacity);

    return tensor->offset + slot * tensor->unit +
           (size_t)(row - tensor->lo[CX_ROW]) * tensor->row +
           (size_t)((x - tensor->lo[CX_X]) * (int64_t)tensor->pixel);
}

/* The same pixel of a tensor in float. */
static inline float *
cx_plan_float(uint8_t *arena, const CxPlanTensor *tensor, int64_t unit,
              int64_t row, int64_t x)
{
    return (float *)(void *)(arena + cx_plan_at(tensor, unit, row, x));
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPlan, cx_plan_free)
