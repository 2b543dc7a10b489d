/* The stages over a grid of blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/pipeline_private.h"

#include "core/base/error.h"

#include <math.h>
#include <string.h>

/* Up to here a volume is one block. */
#define WHOLE_VOXELS ((size_t)300 * 300 * 300)

/* Peak of a block beside the prediction: labels three times over, distances
 * and queue (see cx_block_segment). */
#define WORK_BYTES 28

CxPipelineOptions
cx_pipeline_defaults(void)
{
    return (CxPipelineOptions){.threshold = NAN};
}

static double
parameter(const CxPipeline *self, const char *name, double otherwise)
{
    return self->source.parameter(self->source.self, name, otherwise);
}

static void
read_parameters(CxPipeline *self)
{
    double threshold = self->options.threshold;
    bool sections = strcmp(self->source.method, "sections") == 0;

    if (isnan(threshold))
        threshold = parameter(self, "threshold", 0.6);
    self->block = (CxBlockOptions){
        .by_sections = sections,
        .inside_sigma = parameter(self, "inside_sigma", sections ? 1 : 0),
        .seed_level = parameter(self, "seed_level", sections ? 0.5 : 0.4),
        .seed_sigma = parameter(self, "seed_sigma", sections ? 1.5 : 1),
        .seed_distance = parameter(self, "seed_distance", sections ? 3 : 2),
        .climb_distance = parameter(self, "climb_distance", sections ? 0 : 4),
        .border_sigma = parameter(self, "border_sigma", sections ? 0.5 : 0),
        .long_weight = parameter(self, "long_weight", 0),
        .threshold = threshold,
        .max_shift = parameter(self, "max_shift", 16),
    };
    self->agglomerate = (CxAgglomerateOptions){
        .threshold = threshold,
        .tree_threshold = threshold,
        .large_voxels = (uint64_t)MAX(0, parameter(self, "large_voxels", 0)),
        .large_threshold = parameter(self, "large_threshold", 0),
        .dust_voxels = (uint64_t)MAX(0, parameter(self, "dust_voxels", 0)),
        .dust_threshold = parameter(self, "dust_threshold", 0),
    };

    int64_t margin = llround(MAX(1, parameter(self, "context", 1)));
    CxNm nm = self->source.voxel_nm;
    self->margin =
        (CxVoxel){margin, MAX(1, llround((double)margin * nm.x / nm.y)),
                  sections ? 1 /* so that links across blocks are the same */
                           : MAX(1, llround((double)margin * nm.x / nm.z))};
}

static size_t
bytes_of(const CxPipeline *self, CxVoxel block)
{
    CxVoxel m = self->margin;
    size_t n = (size_t)((block.x + 2 * m.x) * (block.y + 2 * m.y) *
                        (block.z + 2 * m.z));

    return n * (self->source.n_outputs + WORK_BYTES);
}

/* The whole volume if it is small, else blocks of about 2^24 voxels; halved
 * until one fits into half of the ceiling (the rest is the network's). */
static CxVoxel
choose_block(const CxPipeline *self)
{
    CxVoxel size = cx_box_size(self->source.bounds);
    CxVoxel block = self->block.by_sections ? (CxVoxel){1024, 1024, 16}
                                            : (CxVoxel){256, 256, 256};
    size_t n;

    if (cx_box_n_voxels(self->source.bounds, &n) && n <= WHOLE_VOXELS)
        block = size;
    block = (CxVoxel){MIN(block.x, size.x), MIN(block.y, size.y),
                      MIN(block.z, size.z)};
    while (self->options.memory_bytes > 0 &&
           bytes_of(self, block) > self->options.memory_bytes / 2 &&
           MAX(block.x, MAX(block.y, block.z)) > 32) {
        int64_t *axis = block.z >= block.y ? &block.z : &block.y;
        if (block.x > *axis)
            axis = &block.x;
        *axis = (*axis + 1) / 2;
    }
    return block;
}

CxPipeline *
cx_pipeline_new_from_source(const CxPipelineSource *source,
                            const CxPipelineOptions *options)
{
    CxPipeline *self = g_new0(CxPipeline, 1);
    CxPipelineOptions defaults = cx_pipeline_defaults();

    g_assert(source->n_outputs <= CX_PIPELINE_MAX_OUTPUTS);
    g_mutex_init(&self->lock);
    self->source = *source;
    memcpy(self->outputs, source->outputs,
           source->n_outputs * sizeof(CxOutput));
    self->source.outputs = self->outputs;
    self->options = options != NULL ? *options : defaults;
    read_parameters(self);
    if (self->options.block.x <= 0 || self->options.block.y <= 0 ||
        self->options.block.z <= 0)
        self->options.block = choose_block(self);
    return self;
}

void
cx_pipeline_free(CxPipeline *self)
{
    if (self == NULL)
        return;
    g_mutex_clear(&self->lock);
    g_free(self);
}

CxPredictor *
cx_pipeline_predictor(CxPipeline *self)
{
    return self->predictor;
}

CxVoxel
cx_pipeline_block_size(const CxPipeline *self)
{
    return self->options.block;
}

CxAgglomerateOptions
cx_pipeline_agglomerate_options(const CxPipeline *self)
{
    return self->agglomerate;
}

CxBox
cx_pipeline_blocks(const CxPipeline *self, CxBox box)
{
    return cx_box_chunks(cx_box_intersect(box, self->source.bounds),
                         self->options.block);
}

CxBox
cx_pipeline_block_box(const CxPipeline *self, CxVoxel index)
{
    CxChunkIdx idx = {index.x, index.y, index.z};

    return cx_chunk_box_clipped(idx, self->options.block, self->source.bounds);
}

static CxId
first_id(const CxPipeline *self, CxVoxel index)
{
    CxBox grid = cx_pipeline_blocks(self, self->source.bounds);

    return (CxId)(1 + cx_box_offset(grid, index)) << 32 | 1;
}

static double
seconds_since(int64_t start_us)
{
    return (double)(g_get_monotonic_time() - start_us) / 1e6;
}

static CxFragments *
segment_block(CxPipeline *self, CxVoxel index, CxChunk *const *faces,
              CxChunk *prediction, CxJob *job, GError **error)
{
    CxBlockSeconds spent = {0};
    CxBlockInput input = {
        .prediction = prediction,
        .roles = cx_output_roles(self->outputs, self->source.n_outputs),
        .box = cx_pipeline_block_box(self, index),
        .voxel_nm = self->source.voxel_nm,
        .first_id = first_id(self, index),
        .faces = faces,
    };
    CxFragments *out = cx_block_segment(
        &input, &self->block, self->options.n_threads, &spent, job, error);

    cx_pipeline_add_seconds(self, (CxStageSeconds){.watershed = spent.watershed,
                                                   .graph = spent.graph,
                                                   .fuse = spent.fuse});
    return out;
}

CxFragments *
cx_pipeline_run_block(CxPipeline *self, CxVoxel index,
                      const CxNeighbourFaces *faces, CxJob *job, GError **error)
{
    CxBox box = cx_pipeline_block_box(self, index);

    if (cx_box_is_empty(box)) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "there is no block %" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                    ",%" G_GINT64_FORMAT " in this volume",
                    index.x, index.y, index.z);
        return NULL;
    }
    CxBox grown =
        cx_box_intersect(cx_box_grow(box, self->margin), self->source.bounds);
    g_autoptr(CxJob) predict = cx_job_new_part(job, 0, 0.8);
    g_autoptr(CxJob) rest = cx_job_new_part(job, 0.8, 1);
    int64_t start = g_get_monotonic_time();

    cx_job_stage(predict, "predicting", 0, 1);
    g_autoptr(CxChunk) prediction =
        self->source.predict(self->source.self, grown, predict, error);
    if (prediction == NULL)
        return NULL;
    cx_pipeline_add_seconds(self,
                            (CxStageSeconds){.predict = seconds_since(start)});
    cx_job_stage(rest, "segmenting", 0, 1);
    return segment_block(self, index, faces != NULL ? faces->faces : NULL,
                         prediction, rest, error);
}

CxStageSeconds
cx_pipeline_seconds(CxPipeline *self)
{
    g_mutex_lock(&self->lock);
    CxStageSeconds seconds = self->seconds;
    g_mutex_unlock(&self->lock);
    return seconds;
}

void
cx_pipeline_add_seconds(CxPipeline *self, CxStageSeconds seconds)
{
    g_mutex_lock(&self->lock);
    self->seconds.predict += seconds.predict;
    self->seconds.watershed += seconds.watershed;
    self->seconds.graph += seconds.graph;
    self->seconds.agglomerate += seconds.agglomerate;
    self->seconds.fuse += seconds.fuse;
    self->seconds.write += seconds.write;
    g_mutex_unlock(&self->lock);
}
