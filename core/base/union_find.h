/* Disjoint sets over the indices 0 … n - 1.
 *
 * The root of a set is always its smallest index, so that results do not
 * depend on the order of unions.  Path halving; not thread-safe.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <glib.h>

typedef struct CxUnionFind CxUnionFind;

CxUnionFind *cx_union_find_new(uint32_t n);
void cx_union_find_free(CxUnionFind *sets);
uint32_t cx_union_find_root(CxUnionFind *sets, uint32_t i);

/* False if they were in one set already. */
bool cx_union_find_join(CxUnionFind *sets, uint32_t a, uint32_t b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxUnionFind, cx_union_find_free)
