/* The edits that change voxels, for the command `edit`, and annotations.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/common.h"

/* Argument i behind the edit's name, or NULL. */
const char *cxcli_edit_argument(const CxcliContext *context, int i);

/* Reports what every edit reports and frees it; NULL is passed on as false. */
bool cxcli_report_edit(CxcliContext *context, CxEdit *edit, double start);

bool cxcli_edit_paint(CxcliContext *context, CxProject *project,
                      GError **error);
bool cxcli_edit_fill(CxcliContext *context, CxProject *project, GError **error);
bool cxcli_edit_interpolate(CxcliContext *context, CxProject *project,
                            GError **error);
bool cxcli_edit_grow(CxcliContext *context, CxProject *project, GError **error);
bool cxcli_edit_shrink(CxcliContext *context, CxProject *project,
                       GError **error);
bool cxcli_edit_smooth(CxcliContext *context, CxProject *project,
                       GError **error);
bool cxcli_edit_detach(CxcliContext *context, CxProject *project,
                       GError **error);
bool cxcli_edit_neighbours(CxcliContext *context, CxProject *project,
                           GError **error);
bool cxcli_edit_cut(CxcliContext *context, CxProject *project, GError **error);
bool cxcli_edit_revert(CxcliContext *context, CxProject *project,
                       GError **error);
bool cxcli_edit_annotate(CxcliContext *context, CxProject *project,
                         GError **error);
