/* The plane a pane shows, as one texture per layer.
 *
 * The canvas is a torus: sample (u, v) of the plane lives at texel
 * (u mod width, v mod height).  Panning uploads only tiles that come into
 * sight, labels meet at chunk borders without seams (one texture, so a
 * neighbour is one fetch away), and a frame is one draw call.  A tile whose
 * chunk is not resident is filled from the nearest coarser level that is.
 *
 * Tiles are cut out of chunks on the CPU, at most max_bytes a frame, centre
 * first.  Labels become dense indices of a CxglSegmentTable while they are
 * cut.  Used by CxglSliceRenderer; GL context current in every call.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/chunk_source.h"
#include "app/render/segment_table.h"

#include <epoxy/gl.h>

typedef struct CxglSliceCanvas CxglSliceCanvas;

/* A rectangle of plane samples (in the frame of CxglCanvasPlane) without
 * data of its level. */
typedef struct {
    float u0, v0, u1, v1;
    bool failed; /* its chunk could not be read */
    bool empty;  /* nothing coarser either */
} CxglCanvasHole;

/* How plane samples relate to the pane.  Samples are counted from a multiple
 * of the torus' size near the pane, so that floats are exact. */
typedef struct {
    GLuint texture;    /* R8 image or R32UI dense label indices */
    int width, height; /* texels of the torus */
    double u0, v0;     /* plane sample at the pane's top left corner */
    double du, dv;     /* plane samples per pixel */
    double u_lo, u_hi; /* plane samples that exist, [lo, hi) */
    double v_lo, v_hi;
    bool inside; /* the plane cuts the volume; else nothing else is set */
    unsigned level;
    const CxglCanvasHole *holes; /* until the next update */
    size_t n_holes;
} CxglCanvasPlane;

typedef struct {
    bool complete; /* every visible tile is there at its level */
    bool has_more; /* max_bytes was reached before everything resident was
                      cut */
    size_t uploaded_bytes;
    unsigned n_tiles;
} CxglCanvasUpdate;

/* table = NULL: an image canvas; else a label canvas. */
CxglSliceCanvas *cxgl_slice_canvas_new(CxglSegmentTable *table);
void cxgl_slice_canvas_free(CxglSliceCanvas *canvas);

/* Brings the canvas up to date for a camera. */
CxglCanvasUpdate cxgl_slice_canvas_update(CxglSliceCanvas *canvas,
                                          const CxglChunkGrid *grid,
                                          const CxglChunkSource *source,
                                          const CxglSliceCamera *camera,
                                          size_t max_bytes,
                                          CxglCanvasPlane *plane);

/* Chunks of this volume changed: cut their tiles again. */
void cxgl_slice_canvas_invalidate(CxglSliceCanvas *canvas);

size_t cxgl_slice_canvas_size_bytes(const CxglSliceCanvas *canvas);
