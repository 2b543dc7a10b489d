/* The rows of the segment list as plain numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segment_rows.h"

#include "core/base/hash64.h"

#include <string.h>

/* Segments looked at between two looks at the job. */
#define STEP 65536

#define MAX_BLOCK 1024u

static int
compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int
cxui_segment_row_compare(const CxuiSegmentRow *a, const CxuiSegmentRow *b,
                         CxuiSegmentOrder order)
{
    int by_size = compare_numbers(b->n_voxels, a->n_voxels);
    int by_id = compare_numbers(a->id, b->id);

    if (order == CXUI_ORDER_NOTE && a->has_note != b->has_note)
        return a->has_note ? -1 : 1;
    if (order == CXUI_ORDER_ID || by_size == 0)
        return by_id;
    return by_size;
}

static bool
is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool
cxui_segment_query_matches(const CxuiSegmentQuery *query, CxId id)
{
    const char *filter = query->filter;

    if (filter[0] == '\0')
        return true;
    if (is_number(filter)) {
        char text[24];

        g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, id);
        if (g_str_has_prefix(text, filter))
            return true;
    }
    const char *note = g_hash_table_lookup(query->notes, &id);
    if (note == NULL)
        return false;
    g_autofree char *a = g_utf8_casefold(note, -1);
    g_autofree char *b = g_utf8_casefold(filter, -1);
    return strstr(a, b) != NULL;
}

CxuiSegmentRow
cxui_segment_query_row(const CxuiSegmentQuery *query, const CxSegment *segment)
{
    return (CxuiSegmentRow){
        .id = segment->id,
        .n_voxels = segment->n_voxels,
        .n_supervoxels = segment->n_supervoxels,
        .has_note = g_hash_table_contains(query->notes, &segment->id),
    };
}

/* Blocks hold MAX_BLOCK rows at most; none is empty. */
struct CxuiSegmentRows {
    CxuiSegmentOrder order;
    GPtrArray *blocks; /* of GArray of CxuiSegmentRow */
    unsigned n;
    CxHash64 *row_of; /* id → n_voxels * 2 + has_note: finds the row */
};

static GArray *
block_new(void)
{
    return g_array_sized_new(FALSE, FALSE, sizeof(CxuiSegmentRow), MAX_BLOCK);
}

CxuiSegmentRows *
cxui_segment_rows_new(CxuiSegmentOrder order)
{
    CxuiSegmentRows *rows = g_new0(CxuiSegmentRows, 1);

    rows->order = order;
    rows->blocks =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    rows->row_of = cx_hash64_new(16);
    return rows;
}

void
cxui_segment_rows_free(CxuiSegmentRows *rows)
{
    g_ptr_array_unref(rows->blocks);
    cx_hash64_free(rows->row_of);
    g_free(rows);
}

unsigned
cxui_segment_rows_n(const CxuiSegmentRows *rows)
{
    return rows->n;
}

static GArray *
block_at(const CxuiSegmentRows *rows, guint block)
{
    return g_ptr_array_index(rows->blocks, block);
}

CxuiSegmentRow
cxui_segment_rows_get(const CxuiSegmentRows *rows, unsigned index)
{
    guint block = 0;

    while (index >= block_at(rows, block)->len)
        index -= block_at(rows, block++)->len;
    return g_array_index(block_at(rows, block), CxuiSegmentRow, index);
}

static uint64_t
remembered(const CxuiSegmentRow *row)
{
    return row->n_voxels << 1 | row->has_note;
}

/* Block in which a row belongs: the first whose last row does not come before
 * it, else the last. */
static guint
find_block(const CxuiSegmentRows *rows, const CxuiSegmentRow *row)
{
    guint lo = 0, hi = rows->blocks->len - 1;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        const GArray *block = block_at(rows, mid);

        if (cxui_segment_row_compare(
                &g_array_index(block, CxuiSegmentRow, block->len - 1), row,
                rows->order) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Place in a block where a row is or belongs. */
static guint
find_place(const CxuiSegmentRows *rows, const GArray *block,
           const CxuiSegmentRow *row)
{
    guint lo = 0, hi = block->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;

        if (cxui_segment_row_compare(&g_array_index(block, CxuiSegmentRow, mid),
                                     row, rows->order) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static unsigned
index_of(const CxuiSegmentRows *rows, guint block, guint place)
{
    unsigned index = place;

    for (guint i = 0; i < block; i++)
        index += block_at(rows, i)->len;
    return index;
}

static bool
locate(const CxuiSegmentRows *rows, CxId id, guint *block, guint *place)
{
    uint64_t known;

    if (id == 0 || !cx_hash64_get(rows->row_of, id, &known))
        return false;
    CxuiSegmentRow row = {
        .id = id, .n_voxels = known >> 1, .has_note = known & 1};
    *block = find_block(rows, &row);
    *place = find_place(rows, block_at(rows, *block), &row);
    return true;
}

bool
cxui_segment_rows_find(const CxuiSegmentRows *rows, CxId id, unsigned *index)
{
    guint block, place;

    if (!locate(rows, id, &block, &place))
        return false;
    *index = index_of(rows, block, place);
    return true;
}

bool
cxui_segment_rows_remove(CxuiSegmentRows *rows, CxId id, unsigned *index)
{
    guint block, place;

    if (!locate(rows, id, &block, &place))
        return false;
    *index = index_of(rows, block, place);
    g_array_remove_index(block_at(rows, block), place);
    if (block_at(rows, block)->len == 0)
        g_ptr_array_remove_index(rows->blocks, block);
    cx_hash64_remove(rows->row_of, id);
    rows->n--;
    return true;
}

/* The upper half of a full block becomes the next one. */
static void
divide(CxuiSegmentRows *rows, guint block)
{
    GArray *lower = block_at(rows, block);
    GArray *upper = block_new();
    guint half = lower->len / 2;

    g_array_append_vals(upper, &g_array_index(lower, CxuiSegmentRow, half),
                        lower->len - half);
    g_array_set_size(lower, half);
    g_ptr_array_insert(rows->blocks, (gint)block + 1, upper);
}

bool
cxui_segment_rows_insert(CxuiSegmentRows *rows, CxuiSegmentRow row,
                         unsigned *index)
{
    if (cx_hash64_get(rows->row_of, row.id, NULL))
        return false;
    if (rows->blocks->len == 0)
        g_ptr_array_add(rows->blocks, block_new());
    guint block = find_block(rows, &row);
    if (block_at(rows, block)->len == MAX_BLOCK) {
        divide(rows, block);
        block = find_block(rows, &row);
    }
    guint place = find_place(rows, block_at(rows, block), &row);
    g_array_insert_val(block_at(rows, block), place, row);
    cx_hash64_set(rows->row_of, row.id, remembered(&row));
    rows->n++;
    *index = index_of(rows, block, place);
    return true;
}

static int
compare_for_sort(const void *a, const void *b, void *order)
{
    return cxui_segment_row_compare(a, b, GPOINTER_TO_UINT(order));
}

/* Blocks are filled by half, so that rows may come in between. */
static CxuiSegmentRows *
rows_of_sorted(const GArray *sorted, CxuiSegmentOrder order)
{
    CxuiSegmentRows *rows = cxui_segment_rows_new(order);

    cx_hash64_free(rows->row_of);
    rows->row_of = cx_hash64_new(sorted->len);
    rows->n = sorted->len;
    for (guint i = 0; i < sorted->len; i += MAX_BLOCK / 2) {
        GArray *block = block_new();

        g_array_append_vals(block, &g_array_index(sorted, CxuiSegmentRow, i),
                            MIN(MAX_BLOCK / 2, sorted->len - i));
        g_ptr_array_add(rows->blocks, block);
    }
    for (guint i = 0; i < sorted->len; i++) {
        const CxuiSegmentRow *row = &g_array_index(sorted, CxuiSegmentRow, i);

        cx_hash64_set(rows->row_of, row->id, remembered(row));
    }
    return rows;
}

CxuiSegmentRows *
cxui_segment_query_run(const CxuiSegmentQuery *query, CxSupervoxelGraph *graph,
                       CxJob *job, GError **error)
{
    g_autoptr(GArray) segments = cx_supervoxel_graph_segments(graph);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(CxuiSegmentRow));

    for (guint i = 0; i < segments->len; i++) {
        const CxSegment *segment = &g_array_index(segments, CxSegment, i);

        if (i % STEP == 0 && !cx_job_step(job, i, segments->len, error))
            return NULL;
        if (!cxui_segment_query_matches(query, segment->id))
            continue;
        CxuiSegmentRow row = cxui_segment_query_row(query, segment);
        g_array_append_val(rows, row);
    }
    g_array_sort_with_data(rows, compare_for_sort,
                           GUINT_TO_POINTER(query->order));
    return rows_of_sorted(rows, query->order);
}
