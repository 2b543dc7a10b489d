/* What a person marks in a volume: points, lines, synapses, texts, bookmarks.
 *
 * Plain data and its one-line form, which is what the log of edits keeps:
 *
 *     synapse 10,20,30 14,22,30 17 18 "not sure"
 *     ^kind   ^points (voxels)  ^segments     ^text, quoted as in JSON
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <glib.h>

typedef enum {
    CX_ANNOTATION_POINT,
    CX_ANNOTATION_LINE,    /* two points or more */
    CX_ANNOTATION_SYNAPSE, /* two points: pre, post */
    CX_ANNOTATION_TEXT,    /* at one point */
    CX_ANNOTATION_BOOKMARK,
} CxAnnotationKind;

typedef struct {
    int64_t number; /* given by the project; 0 before */
    CxAnnotationKind kind;
    GArray *points;   /* of CxVoxel */
    GArray *segments; /* of CxId: whom it is about, may be empty; of a synapse
                         pre and post when it was made */
    char *text;       /* or NULL */
} CxAnnotation;

CxAnnotation *cx_annotation_new(CxAnnotationKind kind);
CxAnnotation *cx_annotation_copy(const CxAnnotation *annotation);
void cx_annotation_free(CxAnnotation *annotation);

/* "point", "line", "synapse", "text", "bookmark". */
const char *cx_annotation_kind_name(CxAnnotationKind kind);
bool cx_annotation_kind_from_name(const char *name, CxAnnotationKind *kind);

/* The fewest points a kind needs, and the most (0: any number). */
guint cx_annotation_min_points(CxAnnotationKind kind);
guint cx_annotation_max_points(CxAnnotationKind kind);

char *cx_annotation_format(const CxAnnotation *annotation);

/* NULL with CX_ERROR_FORMAT. */
CxAnnotation *cx_annotation_parse(const char *text, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxAnnotation, cx_annotation_free)
