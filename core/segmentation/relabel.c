/* Label replacement.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/relabel.h"

#include "core/base/hash64.h"

struct CxRelabel {
    CxHash64 *map;
};

CxRelabel *
cx_relabel_new(const CxId *from, const CxId *to, size_t n)
{
    CxRelabel *relabel = g_new0(CxRelabel, 1);

    relabel->map = cx_hash64_new(n);
    for (size_t i = 0; i < n; i++)
        cx_hash64_set(relabel->map, from[i], to[i]);
    return relabel;
}

void
cx_relabel_free(CxRelabel *relabel)
{
    if (relabel == NULL)
        return;
    cx_hash64_free(relabel->map);
    g_free(relabel);
}

/* First i > from with another label. */
static inline size_t
run_end(const CxId *labels, size_t from, size_t n)
{
    CxId label = labels[from];
    size_t i = from + 1;

    while (i + 8 <= n) {
        CxId diff = 0;
        for (size_t k = 0; k < 8; k++)
            diff |= labels[i + k] ^ label;
        if (diff != 0)
            break;
        i += 8;
    }
    while (i < n && labels[i] == label)
        i++;
    return i;
}

void
cx_relabel_apply(const CxRelabel *relabel, const CxId *in, CxId *out, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t end = run_end(in, i, n);
        uint64_t value = 0;

        if (in[i] != 0)
            cx_hash64_get(relabel->map, in[i], &value);
        while (i < end)
            out[i++] = value;
    }
}
