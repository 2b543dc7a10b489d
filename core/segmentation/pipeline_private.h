/* What the files of the pipeline share; for nobody else.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/block.h"
#include "core/segmentation/pipeline.h"

#define CX_PIPELINE_MAX_OUTPUTS CX_MAX_OUTPUTS

struct CxPipeline {
    CxPredictor *predictor; /* borrowed; NULL for another source */
    CxPipelineSource source;
    CxOutput outputs[CX_PIPELINE_MAX_OUTPUTS];
    CxPipelineOptions options; /* with the block size chosen */
    CxBlockOptions block;
    CxVoxel margin;
    CxAgglomerateOptions agglomerate;

    GMutex lock; /* guards seconds */
    CxStageSeconds seconds;
};
