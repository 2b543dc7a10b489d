/* Replaces the labels of many voxels by others.
 *
 * Runs of equal labels are looked up once.  Immutable after it is made, so
 * several threads may apply it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxRelabel CxRelabel;

/* from[i] (not 0, no id twice) becomes to[i]. */
CxRelabel *cx_relabel_new(const CxId *from, const CxId *to, size_t n);
void cx_relabel_free(CxRelabel *relabel);

/* What one label becomes; 0 if it is unknown or 0. */
CxId cx_relabel_get(const CxRelabel *relabel, CxId from);

/* Unknown labels and 0 become 0.  out may be in. */
void cx_relabel_apply(const CxRelabel *relabel, const CxId *in, CxId *out,
                      size_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRelabel, cx_relabel_free)
