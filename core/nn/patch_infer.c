/* Runs a network over one small patch.
 *
 * Work goes in stages: a convolution (or the input) and the additions that
 * follow it, which need nothing but the plane just made.  Within a stage each
 * plane is an item of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/nn/patch_infer.h"

#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/jobs/parallel.h"
#include "core/kernels/bf16.h"
#include "core/kernels/conv_f32.h"
#include "core/nn/choose.h"
#include "core/nn/program.h"

#include <string.h>

#define MAX_SIDE 512 /* of a patch */

/* The samples of a step.  Channels lie in blocks of step->block; a block of a
 * plane has n_pixels pixels, see the drawing in the header. */
typedef struct {
    bool is_bf16;
    size_t pixel_bytes; /* of one block */
    size_t plane_bytes; /* of all blocks of one z */
    unsigned slot;
} Tensor;

/* Memory that tensors of equal layout share one after another. */
typedef struct {
    size_t pixel_bytes, plane_bytes;
    unsigned busy_until; /* last stage that reads it */
    uint8_t *memory;
} Slot;

typedef struct {
    unsigned first, last; /* steps [first, last) */
} Stage;

struct CxPatchInfer {
    CxNetwork *network;
    CxProgram *program;
    CxKernels kernels;
    unsigned n_threads;
    CxVoxel size;
    size_t pitch;           /* pixels from a row to the next */
    size_t n_pixels;        /* of one block of a plane */
    Tensor *tensors;        /* of each step */
    GArray *slots;          /* Slot */
    GArray *stages;         /* Stage */
    CxConvTap *taps;        /* program->max_taps for each thread */
    const uint8_t **k_rows; /* the same for bf16 */
    uint32_t *k_steps;
    uint8_t *blank; /* a plane of zeros, for bf16 */

    /* of the run */
    unsigned stage;
    const float *const *inputs;
    float *output;
};

static bool
check_program(const CxPatchInfer *infer, GError **error)
{
    CxVoxel size = infer->size;

    if (size.x < 1 || size.y < 1 || size.z < 1 || size.x > MAX_SIDE ||
        size.y > MAX_SIDE || size.z > MAX_SIDE) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "patch of %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " voxels, expected 1 to %d along "
                    "each axis",
                    size.x, size.y, size.z, MAX_SIDE);
        return false;
    }
    for (unsigned i = 0; i < infer->program->n_steps; i++) {
        const CxStep *step = &infer->program->steps[i];

        if ((step->kind == CX_STEP_INPUT || step->kind == CX_STEP_CONV ||
             step->kind == CX_STEP_ADD) &&
            step->n_phases <= 1)
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "network %s cannot run on single patches, expected "
                    "layers conv and add alone",
                    cx_network_name(infer->network));
        return false;
    }
    return true;
}

/* In bf16, sums that only sums read keep their bits. */
static bool
stays_float(const CxPatchInfer *infer, const CxStep *step)
{
    if (infer->program->type != CX_LAYER_BF16)
        return true;
    if (step->kind != CX_STEP_ADD)
        return false;
    for (unsigned r = 0; r < step->n_readers; r++)
        if (infer->program->steps[step->readers[r].step].kind != CX_STEP_ADD)
            return false;
    return true;
}

static void
make_stages(CxPatchInfer *infer)
{
    for (unsigned i = 0; i < infer->program->n_steps; i++) {
        if (i == 0 || infer->program->steps[i].kind != CX_STEP_ADD) {
            Stage stage = {i, i};

            g_array_append_val(infer->stages, stage);
        }
        g_array_index(infer->stages, Stage, infer->stages->len - 1).last =
            i + 1;
    }
}

static unsigned
stage_of(const CxPatchInfer *infer, unsigned step)
{
    unsigned s = 0;

    while (g_array_index(infer->stages, Stage, s).last <= step)
        s++;
    return s;
}

static unsigned
take_slot(CxPatchInfer *infer, const Tensor *tensor, unsigned stage)
{
    Slot fresh = {.pixel_bytes = tensor->pixel_bytes,
                  .plane_bytes = tensor->plane_bytes};

    /* In the first stage there is nothing to reuse yet. */
    for (unsigned i = 0; i < infer->slots->len && stage > 0; i++) {
        const Slot *slot = &g_array_index(infer->slots, Slot, i);

        if (slot->busy_until < stage &&
            slot->pixel_bytes == tensor->pixel_bytes &&
            slot->plane_bytes == tensor->plane_bytes)
            return i;
    }
    g_array_append_val(infer->slots, fresh);
    return infer->slots->len - 1;
}

/* The slot of a source of an addition that nobody reads later: each sample is
 * read just before the sum takes its place. */
static bool
take_over(const CxPatchInfer *infer, unsigned index, Tensor *tensor)
{
    const CxStep *step = &infer->program->steps[index];

    if (step->kind != CX_STEP_ADD)
        return false;
    for (unsigned p = 0; p < step->n_parts; p++) {
        unsigned from = step->parts[p].step;
        const CxStep *source = &infer->program->steps[from];

        if (infer->tensors[from].pixel_bytes == tensor->pixel_bytes &&
            infer->tensors[from].plane_bytes == tensor->plane_bytes &&
            source->readers[source->n_readers - 1].step == index) {
            tensor->slot = infer->tensors[from].slot;
            return true;
        }
    }
    return false;
}

static void
place_tensors(CxPatchInfer *infer)
{
    for (unsigned i = 0; i < infer->program->n_steps; i++) {
        const CxStep *step = &infer->program->steps[i];
        Tensor *tensor = &infer->tensors[i];
        unsigned stage = stage_of(infer, i);

        tensor->is_bf16 = !stays_float(infer, step);
        tensor->pixel_bytes = step->block * (tensor->is_bf16 ? 2 : 4);
        tensor->plane_bytes =
            cx_step_n_blocks(step) * infer->n_pixels * tensor->pixel_bytes;
        if (!take_over(infer, i, tensor))
            tensor->slot = take_slot(infer, tensor, stage);

        Slot *slot = &g_array_index(infer->slots, Slot, tensor->slot);
        slot->busy_until = MAX(slot->busy_until, stage);
        for (unsigned r = 0; r < step->n_readers; r++)
            slot->busy_until =
                MAX(slot->busy_until, stage_of(infer, step->readers[r].step));
    }
}

/* Cleared: the pixels between the rows are never written but with zeros. */
static bool
take_memory(CxPatchInfer *infer, GError **error)
{
    size_t most = 0;

    for (unsigned i = 0; i < infer->slots->len; i++) {
        Slot *slot = &g_array_index(infer->slots, Slot, i);

        slot->memory = cx_try_alloc0((size_t)infer->size.z * slot->plane_bytes +
                                         CX_ROWS_SLACK,
                                     1, error);
        if (slot->memory == NULL)
            return false;
        most = MAX(most, slot->plane_bytes);
    }
    infer->blank = cx_try_alloc0(most + CX_ROWS_SLACK, 1, error);
    return infer->blank != NULL;
}

CxPatchInfer *
cx_patch_infer_new(CxNetwork *network, CxVoxel size,
                   const CxPatchOptions *options, GError **error)
{
    g_autoptr(CxPatchInfer) infer = g_new0(CxPatchInfer, 1);
    CxLayerType type;

    infer->network = cx_network_ref(network);
    infer->size = size;
    infer->slots = g_array_new(FALSE, TRUE, sizeof(Slot));
    infer->stages = g_array_new(FALSE, TRUE, sizeof(Stage));
    infer->n_threads =
        cx_parallel_n_threads(options != NULL ? options->n_threads : 0);
    if (!cx_nn_choose(options != NULL ? options->type : NULL,
                      options != NULL ? options->isa : NULL, &type,
                      &infer->kernels, error))
        return NULL;
    infer->program = cx_program_new(network, type, error);
    if (infer->program == NULL || !check_program(infer, error))
        return NULL;
    infer->pitch = (size_t)size.x + 1;
    infer->n_pixels = ((size_t)size.y + 2) * infer->pitch + 1;
    infer->tensors = g_new0(Tensor, infer->program->n_steps);
    infer->taps =
        g_new0(CxConvTap, infer->program->max_taps * infer->n_threads);
    infer->k_rows =
        g_new0(const uint8_t *, infer->program->max_taps * infer->n_threads);
    infer->k_steps =
        g_new0(uint32_t, infer->program->max_taps * infer->n_threads);
    make_stages(infer);
    place_tensors(infer);
    return take_memory(infer, error) ? g_steal_pointer(&infer) : NULL;
}

void
cx_patch_infer_free(CxPatchInfer *infer)
{
    if (infer == NULL)
        return;
    for (unsigned i = 0; i < infer->slots->len; i++)
        cx_free(g_array_index(infer->slots, Slot, i).memory);
    g_array_unref(infer->slots);
    g_array_unref(infer->stages);
    g_free(infer->tensors);
    g_free(infer->taps);
    g_free(infer->k_rows);
    g_free(infer->k_steps);
    cx_free(infer->blank);
    cx_program_free(infer->program);
    cx_network_unref(infer->network);
    g_free(infer);
}

const char *
cx_patch_infer_isa(const CxPatchInfer *infer)
{
    return cx_nn_isa(&infer->kernels, infer->program->type);
}

const char *
cx_patch_infer_type(const CxPatchInfer *infer)
{
    return infer->program->type == CX_LAYER_BF16 ? "bf16" : "fp32";
}

/* Pixel of a block where row y begins, x = 0. */
static size_t
row_at(const CxPatchInfer *infer, int64_t y)
{
    return (size_t)(y + 1) * infer->pitch + 1;
}

static uint8_t *
plane_at(const CxPatchInfer *infer, unsigned step, int64_t z)
{
    const Tensor *tensor = &infer->tensors[step];

    return g_array_index(infer->slots, Slot, tensor->slot).memory +
           (size_t)z * tensor->plane_bytes;
}

static size_t
block_bytes(const CxPatchInfer *infer, unsigned step)
{
    return infer->n_pixels * infer->tensors[step].pixel_bytes;
}

/* Where a tap reads for pixel 0,0 of plane z, or NULL if that is outside. */
static const uint8_t *
aim(const CxPatchInfer *infer, const CxStep *step, const CxPhaseTap *tap,
    int64_t z)
{
    unsigned from = step->parts[tap->part].step;
    int64_t at = z + tap->offset[CX_STREAM];

    if (at < 0 || at >= infer->size.z)
        return NULL;
    return plane_at(infer, from, at) +
           (row_at(infer, tap->offset[CX_ROW]) + (size_t)tap->offset[CX_X]) *
               infer->tensors[from].pixel_bytes;
}

static void
conv_f32(CxPatchInfer *infer, unsigned index, int64_t z, unsigned worker,
         uint8_t *dst, size_t n)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPhase *phase = &step->phases[0];
    CxConvTap *taps = infer->taps + worker * infer->program->max_taps;
    size_t n_taps = 0;

    for (unsigned t = 0; t < phase->n_taps; t++) {
        const CxPart *part = &step->parts[phase->taps[t].part];
        const uint8_t *src = aim(infer, step, &phase->taps[t], z);

        if (src != NULL)
            taps[n_taps++] = (CxConvTap){
                .src = (const float *)(const void *)src,
                .plane = infer->n_pixels * CX_BLOCK,
                .n_channels = part->n_channels,
                .k = phase->taps[t].k,
                .step = 1,
            };
    }
    infer->kernels.conv_row_f32(&(CxConvRow){
        .taps = taps,
        .n_taps = n_taps,
        .weights = phase->weights,
        .k_total = phase->k_total,
        .bias = step->bias,
        .dst = (float *)(void *)dst,
        .dst_plane = infer->n_pixels * CX_BLOCK,
        .dst_step = 1,
        .n_pixels = n,
        .n_blocks = cx_step_n_blocks(step),
        .relu = step->relu,
    });
}

/* Where a K block lies for pixel 0,0 of plane z; zeros outside. */
static const uint8_t *
aim_block(const CxPatchInfer *infer, const CxStep *step,
          const CxPhaseBlock *block, int64_t z)
{
    unsigned part = step->parts[block->part].step;
    CxPhaseTap tap = {.part = block->part};

    memcpy(tap.offset, block->offset, sizeof tap.offset);
    const uint8_t *src = aim(infer, step, &tap, z);
    return src != NULL ? src + block->plane * block_bytes(infer, part)
                       : infer->blank;
}

/* The whole plane is one row; where two pixels of 16 outputs are computed like
 * one of 32, the last may be the gap behind it. */
static void
conv_bf16(CxPatchInfer *infer, unsigned index, int64_t z, unsigned worker,
          uint8_t *dst, size_t n)
{
    const CxStep *step = &infer->program->steps[index];
    const CxPhase *phase = &step->phases[0];
    size_t first = worker * infer->program->max_taps;
    size_t period = (size_t)step->period[CX_X];

    for (unsigned k = 0; k < phase->n_k; k++) {
        unsigned part = step->parts[phase->blocks[k].part].step;

        infer->k_rows[first + k] = aim_block(infer, step, &phase->blocks[k], z);
        infer->k_steps[first + k] =
            (uint32_t)(period * infer->tensors[part].pixel_bytes);
    }
    infer->kernels.bf16.tiles_begin();
    infer->kernels.bf16.conv_rows(&(CxConvRows){
        .n_rows = 1,
        .n_k = phase->n_k,
        .n_groups = step->merged ? period
                                 : (step->n_channels + CX_GROUP - 1) / CX_GROUP,
        .n_pixels = (n + period - 1) / period,
        .src = infer->k_rows + first,
        .dst = &dst,
        .steps = infer->k_steps + first,
        .spans = phase->spans,
        .weights = phase->weights,
        .bias = phase->bias,
        .scale = phase->scale,
        .dst_pixel = period * infer->tensors[index].pixel_bytes,
        .dst_plane = block_bytes(infer, index),
        .dst_groups = step->merged ? period : step->block / CX_GROUP,
        .relu = step->relu,
    });
    infer->kernels.bf16.tiles_end();
}

static void
conv_plane(CxPatchInfer *infer, unsigned index, int64_t z, unsigned worker)
{
    const Tensor *tensor = &infer->tensors[index];
    uint8_t *plane = plane_at(infer, index, z);
    uint8_t *dst = plane + row_at(infer, 0) * tensor->pixel_bytes;
    size_t n = (size_t)infer->size.y * infer->pitch - 1;

    if (tensor->is_bf16)
        conv_bf16(infer, index, z, worker, dst, n);
    else
        conv_f32(infer, index, z, worker, dst, n);
    for (size_t at = 0; at < tensor->plane_bytes;
         at += block_bytes(infer, index))
        for (int64_t y = 0; y < infer->size.y; y++)
            memset(plane + at +
                       (row_at(infer, y) + (size_t)infer->size.x) *
                           tensor->pixel_bytes,
                   0, tensor->pixel_bytes);
}

/* Sums += samples.  These loops are written for the vectoriser: sixteen at a
 * time, no choice inside; n is a multiple of CX_BLOCK. */
static void
add_narrow(float *restrict sums, const uint16_t *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i += CX_BLOCK)
        for (size_t k = 0; k < CX_BLOCK; k++)
            sums[i + k] += cx_float_from_bf16(from[i + k]);
}

static void
add_wide(float *restrict sums, const float *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i += CX_BLOCK)
        for (size_t k = 0; k < CX_BLOCK; k++)
            sums[i + k] += from[i + k];
}

static void
rectify(float *sums, size_t n)
{
    for (size_t i = 0; i < n; i += CX_BLOCK)
        for (size_t k = 0; k < CX_BLOCK; k++)
            sums[i + k] = sums[i + k] > 0.0f ? sums[i + k] : 0.0f;
}

static void
narrow(uint16_t *restrict to, const float *restrict sums, size_t n)
{
    for (size_t i = 0; i < n; i += CX_BLOCK)
        for (size_t k = 0; k < CX_BLOCK; k++)
            to[i + k] = cx_bf16_from_float(sums[i + k]);
}

/* In pieces that stay in the first-level cache. */
static void
add_plane(CxPatchInfer *infer, unsigned index, int64_t z)
{
    enum { PIECE = 64 * CX_BLOCK };
    const CxStep *step = &infer->program->steps[index];
    size_t n = cx_step_n_blocks(step) * infer->n_pixels * step->block;
    void *to = plane_at(infer, index, z);
    float sums[PIECE];

    for (size_t at = 0; at < n; at += PIECE) {
        size_t m = MIN(n - at, PIECE);

        if (infer->tensors[step->parts[0].step].is_bf16)
            memset(sums, 0, m * sizeof *sums);
        for (unsigned p = 0; p < step->n_parts; p++) {
            unsigned from = step->parts[p].step;
            const void *samples = plane_at(infer, from, z);

            if (infer->tensors[from].is_bf16)
                add_narrow(sums, (const uint16_t *)samples + at, m);
            else if (p == 0)
                memcpy(sums, (const float *)samples + at, m * sizeof *sums);
            else
                add_wide(sums, (const float *)samples + at, m);
        }
        if (step->relu)
            rectify(sums, m);
        if (infer->tensors[index].is_bf16)
            narrow((uint16_t *)to + at, sums, m);
        else
            memcpy((float *)to + at, sums, m * sizeof *sums);
    }
}

static void
fill_plane(CxPatchInfer *infer, int64_t z)
{
    const CxStep *step = &infer->program->steps[0];
    const Tensor *tensor = &infer->tensors[0];
    size_t nx = (size_t)infer->size.x, ny = (size_t)infer->size.y;

    for (unsigned c = 0; c < step->n_channels; c++) {
        const float *from = infer->inputs[c] + (size_t)z * ny * nx;
        uint8_t *block =
            plane_at(infer, 0, z) + c / step->block * block_bytes(infer, 0);

        for (size_t y = 0; y < ny; y++)
            for (size_t x = 0; x < nx; x++) {
                uint8_t *pixel = block + (row_at(infer, (int64_t)y) + x) *
                                             tensor->pixel_bytes;

                if (tensor->is_bf16)
                    ((uint16_t *)(void *)pixel)[c % step->block] =
                        cx_bf16_from_float(*from++);
                else
                    ((float *)(void *)pixel)[c % step->block] = *from++;
            }
    }
}

static void
take_plane(CxPatchInfer *infer, int64_t z)
{
    unsigned last = infer->program->n_steps - 1;
    const CxStep *step = &infer->program->steps[last];
    const Tensor *tensor = &infer->tensors[last];
    size_t nx = (size_t)infer->size.x, ny = (size_t)infer->size.y;

    for (unsigned c = 0; c < step->n_channels; c++) {
        float *to =
            infer->output + ((size_t)infer->size.z * c + (size_t)z) * ny * nx;
        const uint8_t *block = plane_at(infer, last, z) +
                               c / step->block * block_bytes(infer, last);

        for (size_t y = 0; y < ny; y++)
            for (size_t x = 0; x < nx; x++) {
                const uint8_t *pixel = block + (row_at(infer, (int64_t)y) + x) *
                                                   tensor->pixel_bytes;

                *to++ =
                    tensor->is_bf16
                        ? cx_float_from_bf16(((const uint16_t *)(const void *)
                                                  pixel)[c % step->block])
                        : ((const float *)(const void *)pixel)[c % step->block];
            }
    }
}

static bool
run_plane(size_t item, unsigned worker, void *data, GError **error)
{
    CxPatchInfer *infer = data;
    const Stage *stage = &g_array_index(infer->stages, Stage, infer->stage);

    for (unsigned i = stage->first; i < stage->last; i++)
        switch (infer->program->steps[i].kind) {
        case CX_STEP_INPUT:
            fill_plane(infer, (int64_t)item);
            break;
        case CX_STEP_CONV:
            conv_plane(infer, i, (int64_t)item, worker);
            break;
        case CX_STEP_ADD:
            add_plane(infer, i, (int64_t)item);
            break;
        case CX_STEP_POOL:
        case CX_STEP_COPY:
        case CX_STEP_SIGMOID:
            g_assert_not_reached();
        }
    if (stage->last == infer->program->n_steps)
        take_plane(infer, (int64_t)item);
    return true;
}

bool
cx_patch_infer_run(CxPatchInfer *infer, const float *const *inputs,
                   float *output, CxJob *job, GError **error)
{
    infer->inputs = inputs;
    infer->output = output;
    for (infer->stage = 0; infer->stage < infer->stages->len; infer->stage++)
        if (!cx_job_check(job, error) ||
            !cx_parallel_for(infer->n_threads, (size_t)infer->size.z, run_plane,
                             infer, NULL, error))
            return false;
    return true;
}
