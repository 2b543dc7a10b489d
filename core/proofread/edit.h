/* One change of the segmentation, as plain data.
 *
 * A segment is a set of supervoxels.  Merge and graph split both move a set of
 * supervoxels from one segment to another, so an edit is a list of such moves
 * and its inverse is the same list backwards.  An edit that changes voxels
 * (paint, a split inside a supervoxel) has a patch besides (patch.h): how the
 * graph was and became there.  The patch comes before the moves.  The voxels
 * are copy-on-write chunks in the project file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/patch.h"

typedef enum {
    CX_EDIT_MERGE,
    CX_EDIT_SPLIT,
    CX_EDIT_NOTE,
    CX_EDIT_LOCK,
    CX_EDIT_PAINT,    /* voxels: brush, fill, interpolation, grow, … */
    CX_EDIT_REVERT,   /* a segment as it was at the start */
    CX_EDIT_ANNOTATE, /* annotation.h; segment is the annotation's number */
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
    char *text;      /* note: the new text; annotation: its new form */
    char *old_text;
    CxPatch *patch;  /* what voxels and graph became; NULL: no voxel changed */
    CxBox box;       /* of the voxels that changed: what to draw anew */
    GBytes *changes; /* for cx_project_apply() alone: the voxels themselves */
    bool locked;     /* lock: the new state */
    bool weak;       /* split: little speaks for the cut (not stored) */
    char *sentence;  /* "Merged 17 into 18, 2 pieces" */
    CxId link_a, link_b; /* merge of segments that do not touch: the edge made
                            between two of their supervoxels; 0 = none */
    int64_t parent;      /* the edit it was made on top of, 0 = none */
    bool undone;         /* above the head: can be redone */
    bool superseded;     /* undone, and another edit was made in its place */
} CxEdit;

CxEdit *cx_edit_new(CxEditKind kind);
void cx_edit_free(CxEdit *edit);

/* "merge", "split", "note", "lock", "paint", "revert", "annotate"; never NULL. */
const char *cx_edit_kind_name(CxEditKind kind);
bool cx_edit_kind_from_name(const char *name, CxEditKind *kind);

/* Appends a move; takes the array (of CxId, sorted here). */
void cx_edit_add_move(CxEdit *edit, CxId from, CxId to, GArray *supervoxels);

/* The moves as bytes and back: sorted ids as variable-length differences, so
 * that ten thousand neighbours cost about ten kilobytes.  decode: false with
 * CX_ERROR_FORMAT and no move added if the bytes are not what encode wrote. */
GByteArray *cx_edit_encode_moves(const CxEdit *edit);
bool cx_edit_decode_moves(CxEdit *edit, const uint8_t *bytes, size_t n_bytes,
                          GError **error);

/* Gives the edit a patch, which it then owns, and the box of it. */
void cx_edit_take_patch(CxEdit *edit, CxPatch *patch);

/* Segments whose contents the edit changes (GArray of CxId, sorted, owned). */
GArray *cx_edit_segments(const CxEdit *edit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxEdit, cx_edit_free)
