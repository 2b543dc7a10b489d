/* A pipeline whose predictions come from a network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/pipeline_private.h"

static CxChunk *
predict(void *self, CxBox box, CxJob *job, GError **error)
{
    return cx_predictor_run(self, box, job, error);
}

static double
network_parameter(void *self, const char *name, double otherwise)
{
    return cx_network_parameter(cx_predictor_network(self), name, otherwise);
}

CxPipeline *
cx_pipeline_new(CxPredictor *predictor, const CxPipelineOptions *options)
{
    CxNetwork *network = cx_predictor_network(predictor);
    CxVolume *volume = cx_predictor_volume(predictor);
    CxOutput outputs[CX_PIPELINE_MAX_OUTPUTS];
    CxPipelineSource source = {
        .bounds = cx_volume_bounds(volume, 0),
        .voxel_nm = cx_volume_level(volume, 0).voxel_nm,
        .outputs = outputs,
        .n_outputs =
            MIN(cx_network_n_outputs(network), CX_PIPELINE_MAX_OUTPUTS),
        .method = cx_network_method(network),
        .predict = predict,
        .parameter = network_parameter,
        .self = predictor,
    };

    /* Where the file tells no voxel size, the model's is the best guess. */
    if (!cx_volume_has_voxel_size(volume))
        source.voxel_nm = cx_network_voxel_nm(network);
    for (unsigned c = 0; c < source.n_outputs; c++)
        outputs[c] = cx_network_output(network, c);
    CxPipeline *self = cx_pipeline_new_from_source(&source, options);
    self->predictor = predictor;
    return self;
}
