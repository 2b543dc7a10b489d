/* Reads the command line: options by table, values checked at once.
 *
 * Long options only ("--box VALUE" or "--box=VALUE"); "--" ends them.  Numbers
 * are read the same in every locale.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/cmd.h"

/* The options every command takes. */
extern const CxcliOption cxcli_common_options[];

/* What was asked for instead of a run. */
typedef enum {
    CXCLI_ASK_NOTHING,
    CXCLI_ASK_HELP,
    CXCLI_ASK_MAN,
    CXCLI_ASK_VERSION,
} CxcliAsk;

/* Fills args, values and the common fields of context from words (those after
 * the command's name, NULL-terminated). */
bool cxcli_parse(CxcliContext *context, char **words, CxcliAsk *ask,
                 GError **error);
void cxcli_context_clear(CxcliContext *context);

/* Values of options; the value is untouched and false returned if the option
 * was not given. */
bool cxcli_has(const CxcliContext *context, const char *name);
const char *cxcli_text(const CxcliContext *context, const char *name,
                       const char *otherwise);
uint64_t cxcli_integer(const CxcliContext *context, const char *name,
                       uint64_t otherwise);
double cxcli_real(const CxcliContext *context, const char *name,
                  double otherwise);
bool cxcli_nm(const CxcliContext *context, const char *name, CxNm *nm);
bool cxcli_size(const CxcliContext *context, const char *name, int *width,
                int *height);

/* Positions as they were given, voxels or (with --nm) nanometres: see
 * common.h.  cxcli_positions: GArray of CxNm, borrowed, NULL if not given. */
bool cxcli_raw_box(const CxcliContext *context, const char *name, CxNm *lo,
                   CxNm *hi);
const GArray *cxcli_positions(const CxcliContext *context, const char *name);

/* GArray of CxId, borrowed; NULL if not given. */
const GArray *cxcli_ids(const CxcliContext *context, const char *name);

/* An id among the arguments; a usage error if it is none. */
bool cxcli_parse_id(const char *text, CxId *id, GError **error);

/* Three numbers "x,y,z". */
bool cxcli_parse_nm(const char *text, CxNm *nm);
