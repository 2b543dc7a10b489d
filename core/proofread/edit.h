/* One change of the segmentation, as plain data.
 *
 * A segment is a set of supervoxels.  Merge and graph split both move a set of
 * supervoxels from one segment to another, so an edit is a list of such moves
 * and its inverse is the same list backwards.  Voxel edits (splits inside a
 * supervoxel, paint) add copy-on-write chunks; their tables are in the schema.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

typedef enum {
    CX_EDIT_MERGE,
    CX_EDIT_SPLIT,
    CX_EDIT_NOTE,
    CX_EDIT_LOCK,
} CxEditKind;

typedef struct {
    CxId from, to;
    GArray *supervoxels; /* of CxId, sorted */
} CxMove;

typedef struct {
    int64_t sequence; /* 1, 2, …; 0 before the commit */
    CxEditKind kind;
    char *author;
    int64_t time_us; /* UTC, since 1970 */
    CxVoxel at;      /* where it happened, to fly to */
    GArray *moves;   /* of CxMove */
    CxId segment;    /* note, lock: whom */
    char *text;      /* note: the new text */
    char *old_text;
    bool locked;    /* lock: the new state */
    char *sentence; /* "Merged 17 into 18, 2 pieces" */
    bool undone;    /* above the head: can be redone */
} CxEdit;

CxEdit *cx_edit_new(CxEditKind kind);
void cx_edit_free(CxEdit *edit);

/* Segments whose contents the edit changes (GArray of CxId, sorted, owned). */
GArray *cx_edit_segments(const CxEdit *edit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxEdit, cx_edit_free)
