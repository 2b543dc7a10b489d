/* Where everything of one tile lies while a program runs over it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/plan.h"

#include <string.h>

CxPlan *
cx_plan_new(const CxProgram *program)
{
    CxPlan *plan = g_new0(CxPlan, 1);

    plan->program = program;
    plan->tensors = g_new0(CxPlanTensor, program->n_steps);
    return plan;
}

void
cx_plan_free(CxPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->tensors);
    g_free(plan);
}

static bool
is_needed(const CxPlanTensor *tensor)
{
    return tensor->lo[CX_STREAM] < tensor->hi[CX_STREAM];
}

/* Grows the ranges of a step's sources to what the step needs. */
static void
demand_sources(CxPlan *plan, unsigned index)
{
    const CxStep *step = &plan->program->steps[index];
    const CxPlanTensor *tensor = &plan->tensors[index];

    for (unsigned p = 0; p < step->n_parts; p++) {
        CxPlanTensor *source = &plan->tensors[step->parts[p].step];

        for (unsigned a = 0; a < CX_N_AXES; a++) {
            int64_t span[2];

            cx_step_span(step, &step->parts[p], a, tensor->lo[a], tensor->hi[a],
                         span);
            source->lo[a] = MIN(source->lo[a], span[0]);
            source->hi[a] = MAX(source->hi[a], span[1]);
        }
    }
}

static void
find_ranges(CxPlan *plan, const int64_t lo[CX_N_AXES],
            const int64_t hi[CX_N_AXES], const int64_t *bounds)
{
    unsigned n = plan->program->n_steps;

    for (unsigned i = 0; i < n; i++)
        for (unsigned a = 0; a < CX_N_AXES; a++) {
            plan->tensors[i].lo[a] = i + 1 < n ? INT64_MAX : lo[a];
            plan->tensors[i].hi[a] = i + 1 < n ? INT64_MIN : hi[a];
        }
    for (unsigned i = n; i-- > 0;) {
        CxPlanTensor *tensor = &plan->tensors[i];

        for (unsigned a = 0; a < CX_N_AXES && bounds != NULL; a++) {
            int64_t scale = plan->program->steps[i].scale[a];

            tensor->lo[a] = MAX(tensor->lo[a], 0);
            tensor->hi[a] = MIN(tensor->hi[a], (bounds[a] + scale - 1) / scale);
        }
        if (is_needed(tensor))
            demand_sources(plan, i);
    }
}

/* Oldest unit of a tensor that some reader still needs. */
static int64_t
oldest_needed(const CxPlan *plan, unsigned index)
{
    const CxStep *step = &plan->program->steps[index];
    int64_t oldest = INT64_MAX;

    for (unsigned i = 0; i < step->n_readers; i++) {
        const CxStep *reader = &plan->program->steps[step->readers[i].step];
        const CxPlanTensor *tensor = &plan->tensors[step->readers[i].step];
        int64_t span[2];

        if (!is_needed(tensor) || tensor->next >= tensor->hi[CX_STREAM])
            continue;
        cx_step_span(reader, &reader->parts[step->readers[i].part], CX_STREAM,
                     tensor->next, tensor->next + 1, span);
        oldest = MIN(oldest, span[0]);
    }
    return oldest;
}

/* Dry run: how many units of each tensor are alive at once. */
static bool
count_units(void *data, unsigned step, int64_t lo, int64_t hi)
{
    CxPlan *plan = data;
    CxPlanTensor *tensor = &plan->tensors[step];
    int64_t oldest = oldest_needed(plan, step);

    oldest = MAX(oldest, tensor->lo[CX_STREAM]);
    tensor->capacity = MAX(tensor->capacity, hi - MIN(oldest, lo));
    return true;
}

/* Where a row's first pixel goes behind the margin: K blocks of small pixels
 * begin one before an even pixel, and that shall be aligned. */
static size_t
shift_of(const CxPlanTensor *tensor)
{
    return tensor->pixel < CX_PLAN_MARGIN
               ? tensor->pixel * (tensor->lo[CX_X] % 2 == 0 ? 1 : 2)
               : 0;
}

static void
lay_out(CxPlan *plan)
{
    plan->size_bytes = 0;
    for (unsigned i = 0; i < plan->program->n_steps; i++) {
        const CxStep *step = &plan->program->steps[i];
        CxPlanTensor *tensor = &plan->tensors[i];
        size_t n;

        if (!is_needed(tensor))
            continue;
        /* A pixel behind the row, which may be needed to be zero. */
        n = (size_t)(tensor->hi[CX_X] - tensor->lo[CX_X] + 1);
        tensor->pixel = step->pixel;
        tensor->plane =
            (CX_PLAN_MARGIN + shift_of(tensor) + n * tensor->pixel + 63) / 64 *
            64;
        tensor->row = tensor->plane * cx_step_n_blocks(step);
        tensor->unit =
            tensor->row * (size_t)(tensor->hi[CX_ROW] - tensor->lo[CX_ROW]);
        tensor->offset = plan->size_bytes + CX_PLAN_MARGIN + shift_of(tensor);
        plan->size_bytes += tensor->unit * (size_t)tensor->capacity;
    }
}

void
cx_plan_fit(CxPlan *plan, const int64_t lo[CX_N_AXES],
            const int64_t hi[CX_N_AXES], const int64_t *bounds)
{
    find_ranges(plan, lo, hi, bounds);
    for (unsigned i = 0; i < plan->program->n_steps; i++)
        plan->tensors[i].capacity = 1;
    cx_plan_run(plan, count_units, plan);
    lay_out(plan);
}

static bool
make_up_to(CxPlan *plan, unsigned index, int64_t last, CxPlanVisit visit,
           void *data)
{
    const CxStep *step = &plan->program->steps[index];
    CxPlanTensor *tensor = &plan->tensors[index];

    last = MIN(last, tensor->hi[CX_STREAM] - 1);
    while (tensor->next <= last) {
        int64_t end = MIN(tensor->next + step->units, tensor->hi[CX_STREAM]);

        for (unsigned p = 0; p < step->n_parts; p++) {
            int64_t span[2];

            cx_step_span(step, &step->parts[p], CX_STREAM, tensor->next, end,
                         span);
            if (!make_up_to(plan, step->parts[p].step, span[1] - 1, visit,
                            data))
                return false;
        }
        if (!visit(data, index, tensor->next, end))
            return false;
        tensor->next = end;
    }
    return true;
}

bool
cx_plan_run(CxPlan *plan, CxPlanVisit visit, void *data)
{
    unsigned n = plan->program->n_steps;

    for (unsigned i = 0; i < n; i++)
        plan->tensors[i].next = plan->tensors[i].lo[CX_STREAM];
    return make_up_to(plan, n - 1, INT64_MAX, visit, data);
}
