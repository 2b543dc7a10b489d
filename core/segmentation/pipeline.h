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

/* Borrows the predictor, which must outlive the pipeline. */
CxPipeline *cx_pipeline_new(CxPredictor *predictor,
                            const CxPipelineOptions *options);
void cx_pipeline_free(CxPipeline *pipeline);

/* Where predictions come from when it is not a network: stored affinities,
 * tests.  All that is pointed to must outlive the pipeline. */
typedef struct {
    CxBox bounds; /* of the volume, level 0 */
    CxNm voxel_nm;
    const CxOutput *outputs;
    unsigned n_outputs;
    const char *method; /* "volume" or "sections" */

    /* u8 over box, one channel an output; thread-safe. */
    CxChunk *(*predict)(void *self, CxBox box, CxJob *job, GError **error);
    double (*parameter)(void *self, const char *name, double otherwise);
    void *self;
} CxPipelineSource;

CxPipeline *cx_pipeline_new_from_source(const CxPipelineSource *source,
                                        const CxPipelineOptions *options);

/* NULL if the pipeline has another source. */
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

/* Supervoxels of many blocks, sorted by id, the edges between them, and the
 * segment of each supervoxel (in order; its smallest supervoxel). */
typedef struct {
    GArray *supervoxels; /* of CxSupervoxel */
    GArray *edges;       /* of CxEdge */
    GArray *segments;    /* of CxId */
} CxSegmentation;

void cx_segmentation_free(CxSegmentation *segmentation);

/* Takes the labels of a block as they are made (supervoxel ids), from z = 0
 * upwards, then y, then x. */
typedef bool (*CxBlockFunc)(CxVoxel index, CxChunk *labels, void *data,
                            GError **error);

/* All blocks that touch box, one after the other, then all of them
 * agglomerated together.  sink may be NULL.  Memory: a block, the faces of a
 * layer of blocks, and the graph. */
CxSegmentation *cx_pipeline_run_box(CxPipeline *pipeline, CxBox box,
                                    CxBlockFunc sink, void *data, CxJob *job,
                                    GError **error);

CxStageSeconds cx_pipeline_seconds(CxPipeline *pipeline);

/* Adds to the seconds of a stage done outside (agglomerate, write, …). */
void cx_pipeline_add_seconds(CxPipeline *pipeline, CxStageSeconds seconds);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPipeline, cx_pipeline_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSegmentation, cx_segmentation_free)
