/* The rows of the segment list as plain numbers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segment_rows.h"

#include <string.h>

/* Compared by the step in large lists. */
#define STEP 65536

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

static int
compare_for_sort(const void *a, const void *b, void *order)
{
    return cxui_segment_row_compare(a, b, GPOINTER_TO_UINT(order));
}

GArray *
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
    return g_steal_pointer(&rows);
}

bool
cxui_segment_rows_find(const GArray *rows, const CxuiSegmentRow *row,
                       CxuiSegmentOrder order, guint *index)
{
    guint lo = 0, hi = rows->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        int sign = cxui_segment_row_compare(
            &g_array_index(rows, CxuiSegmentRow, mid), row, order);

        if (sign == 0) {
            *index = mid;
            return true;
        }
        if (sign < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *index = lo;
    return false;
}
