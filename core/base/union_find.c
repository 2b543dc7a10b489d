/* Disjoint sets over the indices 0 … n - 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/union_find.h"

struct CxUnionFind {
    uint32_t *parent;
    uint32_t n;
};

CxUnionFind *
cx_union_find_new(uint32_t n)
{
    CxUnionFind *sets = g_new0(CxUnionFind, 1);

    sets->parent = g_new(uint32_t, n);
    sets->n = n;
    for (uint32_t i = 0; i < n; i++)
        sets->parent[i] = i;
    return sets;
}

void
cx_union_find_free(CxUnionFind *sets)
{
    if (sets == NULL)
        return;
    g_free(sets->parent);
    g_free(sets);
}

uint32_t
cx_union_find_root(CxUnionFind *sets, uint32_t i)
{
    uint32_t *parent = sets->parent;

    g_assert(i < sets->n);
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

bool
cx_union_find_join(CxUnionFind *sets, uint32_t a, uint32_t b)
{
    a = cx_union_find_root(sets, a);
    b = cx_union_find_root(sets, b);
    if (a == b)
        return false;
    sets->parent[MAX(a, b)] = MIN(a, b);
    return true;
}
