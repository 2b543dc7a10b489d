/* Draws one slice pane: image, labels, borders, selection, an optional third
 * layer.
 *
 * One renderer per pane and GL context; all calls on the main thread with
 * that context current, free included.  Draws into the framebuffer that is
 * bound, over the viewport (0, 0, camera width, camera height).  A frame
 * never waits: it draws what is resident, coarser levels under holes, and
 * says whether another frame would show more.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/chunk_source.h"
#include "app/render/segment_table.h"

typedef struct CxglSliceRenderer CxglSliceRenderer;

typedef struct {
    float image_lo, image_hi; /* grey values in [0, 1] shown black and white */
    float gamma;              /* 1 = straight */
    bool invert;
    bool smooth;          /* magnify the image bilinearly; labels never are */
    float label_opacity;  /* 0 = off; of the fill of not selected segments */
    float dim;            /* fill of others while something is selected: times
                            this */
    float border_opacity; /* 1-pixel line between segments; 0 = off */
    bool only_selected;
    bool hatch_failed;
    CxglColour background; /* outside of the volume */
    float overlay_opacity; /* of the third layer */
    CxglColour overlay_colour;
} CxglSliceStyle;

CxglSliceStyle cxgl_slice_style_defaults(void);
bool cxgl_slice_style_equal(const CxglSliceStyle *a, const CxglSliceStyle *b);

/* One layer of the pane; grid->volume_id = 0 or a NULL grid: not there. */
typedef struct {
    const CxglChunkGrid *grid;
    CxglChunkSource source;
} CxglSliceLayer;

typedef struct {
    CxglSliceLayer image;   /* u8 */
    CxglSliceLayer labels;  /* u64 */
    CxglSliceLayer overlay; /* u8, e.g. boundary map; 0 = transparent */
} CxglSliceLayers;

/* table: shared by all panes, outlives the renderer; may be NULL if labels
 * are never drawn.  Errors name the shader or what GL lacks. */
CxglSliceRenderer *cxgl_slice_renderer_new(CxglSegmentTable *table,
                                           GError **error);
void cxgl_slice_renderer_free(CxglSliceRenderer *renderer);

/* At most this many bytes go to the GPU in one frame (default 16 MiB). */
void cxgl_slice_renderer_set_upload_budget(CxglSliceRenderer *renderer,
                                           size_t bytes);

typedef struct {
    bool complete;  /* false: draw again (soon if has_more, else when a
                          chunk arrives) */
    bool has_more;  /* resident data did not fit the upload budget */
    unsigned level; /* image level drawn (label level without image) */
    size_t uploaded_bytes;
    unsigned n_tiles_uploaded;
} CxglSliceStats;

/* *stats may be NULL. */
void cxgl_slice_renderer_draw(CxglSliceRenderer *renderer,
                              const CxglSliceCamera *camera,
                              const CxglSliceLayers *layers,
                              const CxglSliceStyle *style,
                              CxglSliceStats *stats);

/* Samples changed under the same keys (a paint stroke, a seeded cut): tiles
 * are cut again at the next frame.  New arrivals need no call. */
void cxgl_slice_renderer_invalidate(CxglSliceRenderer *renderer);

size_t cxgl_slice_renderer_gpu_bytes(const CxglSliceRenderer *renderer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglSliceRenderer, cxgl_slice_renderer_free)
