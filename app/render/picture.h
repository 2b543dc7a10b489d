/* A finished picture of a volume in one call: what `render` writes, and what
 * tests compare.
 *
 * Reads the chunks it needs itself (blocking; call it in a job), makes the
 * meshes of selected ids, draws off screen.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/scene_renderer.h"
#include "core/mesh/mesh_builder.h"

typedef enum {
    CXGL_PICTURE_XY,
    CXGL_PICTURE_XZ,
    CXGL_PICTURE_YZ,
    CXGL_PICTURE_3D,
    CXGL_PICTURE_ALL, /* xy | 3-D over xz | yz */
} CxglPictureView;

/* "xy", "xz", "yz", "3d", "all". */
bool cxgl_picture_view_parse(const char *text, CxglPictureView *view);

typedef struct {
    CxVolume *image;  /* or NULL */
    CxVolume *labels; /* or NULL: supervoxels if resolve is given */
    CxglResolveFunc resolve;
    void *resolve_data;

    /* What 3-D surfaces are made from (a project's current segments); NULL =
     * labels. */
    CxVolume *segments;

    CxglPictureView view;
    CxVoxel at; /* level-0 voxel; used if has_at, else the middle */
    bool has_at;
    double zoom; /* pixels per level-0 voxel along x; 0 = everything fits */
    const CxId *selected; /* selected in slices, surfaces in 3-D */
    size_t n_selected;    /* 0 in 3-D: the largest few segments near `at` */
    int width, height;
    double scale;     /* of lines and texts; 0 = 1 */
    bool decorations; /* cross-hair, scale bars, axes, names of the panes */
    bool turned;      /* 3-D from a corner instead of straight along z */
    CxglPalette palette;
    CxglSliceStyle slice_style;
    CxglSceneStyle scene_style;
} CxglPictureOptions;

CxglPictureOptions cxgl_picture_defaults(void);

/* RGBA pixels, top row first, options->width × height; g_free() them.
 * *gl_renderer: name of the GL that drew it, owned; may be NULL. */
uint8_t *cxgl_picture_draw(const CxglPictureOptions *options, CxJob *job,
                           char **gl_renderer, GError **error);
