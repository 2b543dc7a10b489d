/* Image → affinities → supervoxels → region graph → segments, block by block.
 *
 * A block is a pure function of the image and the options: the same ids
 * whoever computes it and in whatever order.  Supervoxel ids are
 * (1 + index of the block in the grid) << 32 | local id from 1, so ids of
 * different blocks never meet.  Two schemes: "volume" (3-D watershed on
 * affinities) and "sections" (2-D watershed per section, then fusion across
 * sections); the model's card names the one it wants.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/tiled_infer.h"
#include "core/segmentation/agglomerate.h"

typedef struct CxPipeline CxPipeline;

typedef struct {
    double threshold;    /* NaN = the model's */
    CxVoxel block;       /* 0,0,0 = chosen from the volume and memory */
    size_t memory_bytes; /* 0 = no ceiling beyond the defaults */
    unsigned n_threads;
} CxPipelineOptions;

/* Seconds spent, for reports. */
typedef struct {
    double predict, watershed, graph, agglomerate, fuse, write;
} CxStageSeconds;

CxPipelineOptions cx_pipeline_defaults(void);

/* Takes a reference to the predictor. */
CxPipeline *cx_pipeline_new(CxPredictor *predictor,
                            const CxPipelineOptions *options);
void cx_pipeline_free(CxPipeline *pipeline);

CxPredictor *cx_pipeline_predictor(CxPipeline *pipeline);
CxVoxel cx_pipeline_block_size(const CxPipeline *pipeline);
CxAgglomerateOptions cx_pipeline_agglomerate_options(const CxPipeline *);

/* Block indices (a box of indices) that touch a voxel box; box of a block. */
CxBox cx_pipeline_blocks(const CxPipeline *pipeline, CxBox box);
CxBox cx_pipeline_block_box(const CxPipeline *pipeline, CxVoxel index);

/* One voxel layer of supervoxel ids around a block where its six neighbours
 * were segmented before: chunks whose boxes touch the block's faces, or NULL.
 * Order: x-, x+, y-, y+, z-, z+. */
typedef struct {
    CxChunk *faces[6];
} CxNeighbourFaces;

/* Segments one block.  Edges to supervoxels in faces are part of the result
 * (faces may be NULL).  Thread-safe for different blocks. */
CxFragments *cx_pipeline_run_block(CxPipeline *pipeline, CxVoxel index,
                                   const CxNeighbourFaces *faces, CxJob *job,
                                   GError **error);

CxStageSeconds cx_pipeline_seconds(CxPipeline *pipeline);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPipeline, cx_pipeline_free)
