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

/* The rows (GArray of CxuiSegmentRow, sorted) of all segments of a graph. */
GArray *cxui_segment_query_run(const CxuiSegmentQuery *query,
                               CxSupervoxelGraph *graph, CxJob *job,
                               GError **error);

/* Place of a row, or the place where it belongs. */
bool cxui_segment_rows_find(const GArray *rows, const CxuiSegmentRow *row,
                            CxuiSegmentOrder order, guint *index);
