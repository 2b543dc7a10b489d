/* The companion models behind `theory`, one function each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/cli/common.h"

bool cxcli_theory_hopfield(CxcliContext *context, GError **error);
bool cxcli_theory_sparse_coding(CxcliContext *context, GError **error);
bool cxcli_theory_synflow(CxcliContext *context, GError **error);

/* A small number from an option. */
unsigned cxcli_count(const CxcliContext *context, const char *name,
                     unsigned otherwise);
