/* Label replacement.
 *
 * Ids of a block share their upper 32 bits and count up from 1 in the lower
 * ones, so each such group is a plain table; ids that lie too thinly for that
 * go into a hash map.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/relabel.h"

#include "core/base/hash64.h"

/* A table may have this many times as many places as ids. */
#define SPARSE 4

typedef struct {
    uint32_t n;   /* places: largest lower half + 1; 0 = in the hash map */
    size_t start; /* in places */
} Table;

struct CxRelabel {
    CxHash64 *tables; /* upper half + 1 → index of a table */
    GArray *groups;   /* of Table */
    CxId *places;
    CxHash64 *others;
};

typedef struct {
    uint32_t largest;
    size_t n;
} Extent;

/* How many ids each group has and how far they reach. */
static GArray *
measure(CxRelabel *relabel, const CxId *from, size_t n)
{
    GArray *extents = g_array_new(FALSE, TRUE, sizeof(Extent));

    for (size_t i = 0; i < n; i++) {
        bool was_new = false;
        uint64_t group = *cx_hash64_at(relabel->tables, (from[i] >> 32) + 1,
                                       extents->len, &was_new);
        if (was_new)
            g_array_set_size(extents, extents->len + 1);
        Extent *extent = &g_array_index(extents, Extent, group);
        extent->largest = MAX(extent->largest, (uint32_t)from[i]);
        extent->n++;
    }
    return extents;
}

static size_t
lay_out(CxRelabel *relabel, const GArray *extents)
{
    size_t total = 0;

    for (guint g = 0; g < extents->len; g++) {
        Extent extent = g_array_index(extents, Extent, g);
        bool is_dense = extent.largest < UINT32_MAX &&
                        extent.largest / SPARSE <= extent.n + 1000;
        Table table = {is_dense ? extent.largest + 1 : 0, total};

        g_array_append_val(relabel->groups, table);
        total += table.n;
    }
    return total;
}

static const Table *
table_of(const CxRelabel *relabel, CxId id)
{
    uint64_t group;

    if (!cx_hash64_get(relabel->tables, (id >> 32) + 1, &group))
        return NULL;
    return &g_array_index(relabel->groups, Table, group);
}

CxRelabel *
cx_relabel_new(const CxId *from, const CxId *to, size_t n)
{
    CxRelabel *relabel = g_new0(CxRelabel, 1);

    relabel->tables = cx_hash64_new(16);
    relabel->groups = g_array_new(FALSE, FALSE, sizeof(Table));
    relabel->others = cx_hash64_new(16);
    g_autoptr(GArray) extents = measure(relabel, from, n);
    relabel->places = g_new0(CxId, lay_out(relabel, extents) + 1);
    for (size_t i = 0; i < n; i++) {
        const Table *table = table_of(relabel, from[i]);
        if (table->n > 0)
            relabel->places[table->start + (uint32_t)from[i]] = to[i];
        else
            cx_hash64_set(relabel->others, from[i], to[i]);
    }
    return relabel;
}

void
cx_relabel_free(CxRelabel *relabel)
{
    if (relabel == NULL)
        return;
    cx_hash64_free(relabel->tables);
    g_array_unref(relabel->groups);
    g_free(relabel->places);
    cx_hash64_free(relabel->others);
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

/* The group found last, which the next id is in nearly always. */
typedef struct {
    uint64_t upper; /* UINT64_MAX: none yet */
    const Table *table;
} Last;

static CxId
look_up(const CxRelabel *relabel, CxId id, Last *last)
{
    uint64_t value = 0;

    if (id == 0)
        return 0;
    if (id >> 32 != last->upper) {
        last->upper = id >> 32;
        last->table = table_of(relabel, id);
    }
    const Table *table = last->table;
    if (table == NULL)
        return 0;
    if (table->n > 0)
        return (uint32_t)id < table->n
                   ? relabel->places[table->start + (uint32_t)id]
                   : 0;
    cx_hash64_get(relabel->others, id, &value);
    return value;
}

CxId
cx_relabel_get(const CxRelabel *relabel, CxId from)
{
    Last last = {UINT64_MAX, NULL};

    return look_up(relabel, from, &last);
}

void
cx_relabel_apply(const CxRelabel *relabel, const CxId *in, CxId *out, size_t n)
{
    Last last = {UINT64_MAX, NULL};

    for (size_t i = 0; i < n;) {
        size_t end = run_end(in, i, n);
        CxId value = look_up(relabel, in[i], &last);

        while (i < end)
            out[i++] = value;
    }
}
