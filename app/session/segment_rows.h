/* The rows of the segment list as plain numbers: filter, order, search.
 *
 * No GObject: big lists are made on a worker, small changes on the main loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/supervoxel_graph.h"

typedef enum {
    CXUI_ORDER_SIZE, /* largest first */
    CXUI_ORDER_ID,
    CXUI_ORDER_NOTE, /* those with a note first, then by size */
} CxuiSegmentOrder;

typedef struct {
    CxId id;
    uint64_t n_voxels;
    uint32_t n_supervoxels;
    bool has_note;
} CxuiSegmentRow;

/* What decides which segments are listed and in which order. */
typedef struct {
    CxuiSegmentOrder order;
    char *filter;      /* beginning of an id, or text in a note; "" = all */
    GHashTable *notes; /* CxId (as int64 key) → char *; not NULL */
} CxuiSegmentQuery;

/* Total order: < 0 if a comes first; never 0 for different ids. */
int cxui_segment_row_compare(const CxuiSegmentRow *a, const CxuiSegmentRow *b,
                             CxuiSegmentOrder order);

bool cxui_segment_query_matches(const CxuiSegmentQuery *query, CxId id);

CxuiSegmentRow cxui_segment_query_row(const CxuiSegmentQuery *query,
                                      const CxSegment *segment);

/* Sorted rows.  Kept in blocks, so that taking one out of 10^6 or putting one
 * in moves some kilobytes; the place of a row is found by its id. */
typedef struct CxuiSegmentRows CxuiSegmentRows;

CxuiSegmentRows *cxui_segment_rows_new(CxuiSegmentOrder order);
void cxui_segment_rows_free(CxuiSegmentRows *rows);
unsigned cxui_segment_rows_n(const CxuiSegmentRows *rows);
CxuiSegmentRow cxui_segment_rows_get(const CxuiSegmentRows *rows,
                                     unsigned index);

/* Index of a segment's row; false if it has none. */
bool cxui_segment_rows_find(const CxuiSegmentRows *rows, CxId id,
                            unsigned *index);

/* False if there is no such row, or there is one already. */
bool cxui_segment_rows_remove(CxuiSegmentRows *rows, CxId id, unsigned *index);
bool cxui_segment_rows_insert(CxuiSegmentRows *rows, CxuiSegmentRow row,
                              unsigned *index);

/* The rows of all segments of a graph that match. */
CxuiSegmentRows *cxui_segment_query_run(const CxuiSegmentQuery *query,
                                        CxSupervoxelGraph *graph, CxJob *job,
                                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxuiSegmentRows, cxui_segment_rows_free)
