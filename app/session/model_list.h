/* What is known about the shipped networks and the chosen one: voxel size and
 * a line for people, read once.
 *
 * Plain data, filled by a job; afterwards read-only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

typedef struct {
    char *name; /* as cx_network_load() takes it */
    char *text; /* description, data, licence, scores; or why it is no use */
    CxNm voxel_nm;
    bool usable;
} CxuiModelInfo;

/* Reads the card of one model; never NULL. */
CxuiModelInfo *cxui_model_info_read(const char *name);
void cxui_model_info_free(CxuiModelInfo *info);

/* All shipped models (GPtrArray of CxuiModelInfo, owned). */
GPtrArray *cxui_model_list_read(void);

/* The usable model nearest in voxel size (least sum of squared log ratios of
 * the axes); NULL if there is none. */
const CxuiModelInfo *cxui_model_list_nearest(const GPtrArray *models,
                                             CxNm voxel_nm);

/* Largest ratio, either way, between two voxel sizes on any axis. */
double cxui_voxel_ratio(CxNm a, CxNm b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxuiModelInfo, cxui_model_info_free)
