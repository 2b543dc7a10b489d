/* Collects what a command found and prints it: as lines for people, or as one
 * JSON object.
 *
 * Keys keep the order in which they are added.  Ids are strings in JSON; a
 * number that is not finite becomes null.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

typedef struct CxcliReport CxcliReport;

CxcliReport *cxcli_report_new(void);
void cxcli_report_free(CxcliReport *report);

/* Members of the innermost open object (or elements of the innermost open
 * array, where key is NULL). */
void cxcli_report_text(CxcliReport *report, const char *key, const char *text);
void cxcli_report_integer(CxcliReport *report, const char *key, int64_t value);
void cxcli_report_real(CxcliReport *report, const char *key, double value);
void cxcli_report_bool(CxcliReport *report, const char *key, bool value);
void cxcli_report_null(CxcliReport *report, const char *key);
void cxcli_report_id(CxcliReport *report, const char *key, CxId id);
void cxcli_report_voxel(CxcliReport *report, const char *key, CxVoxel voxel);
void cxcli_report_nm(CxcliReport *report, const char *key, CxNm nm);
void cxcli_report_begin_array(CxcliReport *report, const char *key);
void cxcli_report_end_array(CxcliReport *report);
void cxcli_report_begin_object(CxcliReport *report, const char *key);
void cxcli_report_end_object(CxcliReport *report);

/* The text to print, with a newline at the end; owned.  Ends the report. */
char *cxcli_report_finish(CxcliReport *report, bool json);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxcliReport, cxcli_report_free)
