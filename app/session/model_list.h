/* What is known about the networks to choose from: their cards, and how this
 * machine can run them; read once.
 *
 * To choose from are the shipped models, files in
 * $XDG_DATA_HOME/connexon/models, and files the user has named.  Networks that
 * grow one object from a seed are not among them.
 *
 * Plain data, filled by a job; afterwards read-only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

typedef struct {
    char *name;  /* as cx_network_load() takes it */
    char *title; /* for people: "fib", "membranes (mine.h5)" */
    char *text;  /* description, data, licence, scores; or why it is no use */
    char *description, *data, *licence, *scores; /* maybe "" */
    CxNm voxel_nm;
    bool usable;
    bool grows;          /* one object from a seed: for another tool */
    bool non_commercial; /* says its licence */
    char **types; /* "fp32", …: what network and machine can do, slowest first;
                     NULL-terminated */
} CxuiModelInfo;

/* Reads the card of one model; never NULL. */
CxuiModelInfo *cxui_model_info_read(const char *name);
void cxui_model_info_free(CxuiModelInfo *info);

/* All models to choose from (GPtrArray of CxuiModelInfo, owned): shipped, the
 * user's folder, and files (a path a line, "" if none; those that are gone are
 * left out). */
GPtrArray *cxui_model_list_read(const char *files);

/* Whether a licence text forbids commercial use. */
bool cxui_licence_is_non_commercial(const char *licence);

/* The type to compute with: choice if the model can do it, else ("auto") the
 * fastest.  Static or the model's. */
const char *cxui_model_info_type(const CxuiModelInfo *info, const char *choice);

/* The usable, not growing model nearest in voxel size (least sum of squared log ratios of
 * the axes); NULL if there is none. */
const CxuiModelInfo *cxui_model_list_nearest(const GPtrArray *models,
                                             CxNm voxel_nm);

/* Largest ratio, either way, between two voxel sizes on any axis. */
double cxui_voxel_ratio(CxNm a, CxNm b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxuiModelInfo, cxui_model_info_free)
