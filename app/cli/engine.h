/* Network, predictor and pipeline as the options of a command ask for them.
 *
 * Reads --model, --isa, --type, --threads, --memory, --threshold, --block.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/cmd.h"
#include "core/segmentation/pipeline.h"

/* Without --model the shipped network whose voxel size is nearest.  Says on
 * stderr when the voxel sizes are far apart. */
CxPredictor *cxcli_make_predictor(const CxcliContext *context, CxVolume *volume,
                                  GError **error);
CxPipeline *cxcli_make_pipeline(const CxcliContext *context,
                                CxPredictor *predictor, GError **error);

/* Says on stderr when the voxels of image and model are far apart. */
void cxcli_note_voxel_size(const CxcliContext *context, CxNetwork *network,
                           CxVolume *volume);

/* Adds "stages" to the report. */
void cxcli_report_stages(CxcliReport *report, CxStageSeconds seconds);
