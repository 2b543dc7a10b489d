/* What several commands do: open what an argument names, place positions in
 * it, refuse outputs that are there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/arguments.h"
#include "core/proofread/project.h"
#include "core/volume/writer.h"

bool cxcli_is_project(const char *path);
bool cxcli_exists(const char *path);

/* CX_ERROR_EXISTS unless the path is free or --force was given; CX_ERROR_IO if
 * it is one of the inputs.  inputs: NULL-terminated volume or project
 * arguments, may be NULL. */
bool cxcli_check_output(const CxcliContext *context, const char *path,
                        const char *const *inputs, GError **error);

/* A label volume from a file, or the current segments of a project (*project
 * is then owned by the caller and must outlive the volume).  A new reference. */
CxVolume *cxcli_open_labels(const CxcliContext *context, const char *spec,
                            CxProject **project, GError **error);

/* --box, or the whole volume; must lie inside. */
bool cxcli_find_box(const CxcliContext *context, CxVolume *volume, CxBox *box,
                    GError **error);

/* A position of an option as a voxel of the volume; must lie inside. */
bool cxcli_find_voxel(const CxcliContext *context, const char *name,
                      CxVolume *volume, CxNm raw, CxVoxel *voxel,
                      GError **error);

/* All positions of an option (GArray of CxVoxel, owned). */
GArray *cxcli_find_voxels(const CxcliContext *context, const char *name,
                          CxVolume *volume, GError **error);

/* The largest amount of memory the process has held. */
uint64_t cxcli_peak_bytes(void);

/* Monotonic clock, seconds. */
double cxcli_seconds(void);

/* "250,250,50". */
char *cxcli_voxel_text(CxVoxel voxel);

/* Writes a whole file, atomically and durably. */
bool cxcli_write_text(const char *path, const char *text, size_t n,
                      GError **error);

/* Of labels of 64 bits over a box of a volume, under the output's name. */
CxWriterOptions cxcli_label_options(const CxcliContext *context,
                                    CxVolume *volume, CxBox box);
