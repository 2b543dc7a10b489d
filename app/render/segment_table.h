/* Label → dense index → segment, colour and flags: the table that the slice
 * shader looks colours up in.
 *
 * Chunks hold 64-bit labels (supervoxels of a project, or plain labels).  The
 * screen works with dense 32-bit indices; entry i of the table says which
 * segment that label belongs to and how it is drawn now.  A merge, a split, a
 * selection or a hover changes entries, never label textures: rows that
 * changed are uploaded again, a few KiB.
 *
 * Index 0 is label 0 (background).  Main thread only; no GL calls.  Each
 * renderer mirrors the table into a texture of its own context.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/colour.h"

#include <glib.h>

typedef struct CxglSegmentTable CxglSegmentTable;

/* Flags are kept per segment and hold for all of its labels, also for those
 * that come to the screen later. */
typedef enum {
    CXGL_SEGMENT_SELECTED = 1 << 0, /* brighter, light outline */
    CXGL_SEGMENT_HIDDEN = 1 << 1,   /* not drawn in slices nor in 3-D */
    CXGL_SEGMENT_HOVER = 1 << 2,    /* under the pointer: a little brighter */
    CXGL_SEGMENT_LOCKED = 1 << 3,   /* free for the caller; not drawn */
} CxglSegmentFlags;

/* Sides are kept per label, because a split divides a segment. */
typedef enum {
    CXGL_SIDE_NONE,
    CXGL_SIDE_A,
    CXGL_SIDE_B,
} CxglSide;

/* Segments of n labels, as cx_supervoxel_graph_map() does; 0 for labels that
 * have none (drawn as background). */
typedef void (*CxglResolveFunc)(void *data, const CxId *labels, CxId *segments,
                                size_t n);

/* resolve = NULL: every label is its own segment. */
CxglSegmentTable *cxgl_segment_table_new(CxglResolveFunc resolve, void *data);
void cxgl_segment_table_free(CxglSegmentTable *table);

/* Index of a label, made when it is new. */
uint32_t cxgl_segment_table_index(CxglSegmentTable *table, CxId label);

/* The same for a row of labels that lie step elements apart; runs of equal
 * labels cost next to nothing. */
void cxgl_segment_table_map(CxglSegmentTable *table, const CxId *labels,
                            size_t step, size_t n, uint32_t *indices);

uint32_t cxgl_segment_table_n_entries(const CxglSegmentTable *table);
CxId cxgl_segment_table_label(const CxglSegmentTable *table, uint32_t index);
CxId cxgl_segment_table_segment(const CxglSegmentTable *table, uint32_t index);

/* Asks the resolver again, for these labels or for all: after an edit. */
void cxgl_segment_table_refresh(CxglSegmentTable *table, const CxId *labels,
                                size_t n);
void cxgl_segment_table_refresh_all(CxglSegmentTable *table);

void cxgl_segment_table_set_palette(CxglSegmentTable *table,
                                    CxglPalette palette);

/* Replaces the set of segments that have the flag. */
void cxgl_segment_table_set_flagged(CxglSegmentTable *table,
                                    CxglSegmentFlags flag, const CxId *segments,
                                    size_t n);
void cxgl_segment_table_set_flag(CxglSegmentTable *table, CxglSegmentFlags flag,
                                 CxId segment, bool on);
unsigned cxgl_segment_table_flags(const CxglSegmentTable *table, CxId segment);
size_t cxgl_segment_table_n_flagged(const CxglSegmentTable *table,
                                    CxglSegmentFlags flag);

/* Shows labels in the colour of a side of a split or merge preview. */
void cxgl_segment_table_set_side(CxglSegmentTable *table, const CxId *labels,
                                 size_t n, CxglSide side);
void cxgl_segment_table_clear_sides(CxglSegmentTable *table);
CxglSide cxgl_segment_table_side(const CxglSegmentTable *table, CxId label);
CxglColour cxgl_segment_table_side_colour(CxglSide side);

/* Gives a segment the colour that another id would have (the colour stays
 * with the larger part after a split); key = segment undoes it. */
void cxgl_segment_table_set_colour_key(CxglSegmentTable *table, CxId segment,
                                       CxId key);

/* Gives a segment a colour of its own; alpha 0 undoes it. */
void cxgl_segment_table_set_colour(CxglSegmentTable *table, CxId segment,
                                   CxglColour colour);

/* Plain colour of a segment, for lists and 3-D (no flag applied). */
CxglColour cxgl_segment_table_colour(const CxglSegmentTable *table,
                                     CxId segment);

/* Counts up with every change that a picture could show: redraw if it
 * differs. */
uint64_t cxgl_segment_table_version(const CxglSegmentTable *table);

/* For the texture mirror.  Row r holds entries r * 1024 …, two words each:
 * segment number (0 = background), then red | green << 8 | blue << 16 |
 * bits << 24 with the CXGL_ENTRY bits.  row_version grows when the row
 * changes. */
#define CXGL_TABLE_WIDTH 1024
#define CXGL_ENTRY_SELECTED 0x01
#define CXGL_ENTRY_HIDDEN 0x02
#define CXGL_ENTRY_HOVER 0x04
#define CXGL_ENTRY_SIDE 0x08

uint32_t cxgl_segment_table_n_rows(const CxglSegmentTable *table);
const uint32_t *cxgl_segment_table_row(const CxglSegmentTable *table,
                                       uint32_t row, uint64_t *row_version);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglSegmentTable, cxgl_segment_table_free)
