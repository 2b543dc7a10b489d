/* Shared by scene_view.c, scene_gestures.c and scene_meshes.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/overlay_renderer.h"
#include "app/render/scene_renderer.h"
#include "app/views/scene_view.h"

struct _CxuiSceneView {
    GtkWidget parent;

    /* template */
    GtkWidget *overlay;
    GtkWidget *area;
    GtkWidget *title;
    GtkWidget *scale_label;
    GtkWidget *note;

    CxuiSession *session; /* owned references */
    CxuiSegmentLook *look;
    CxuiHand *hand;

    /* GL, between realize and unrealize */
    CxglSceneRenderer *scene;
    CxglOverlayRenderer *overlay_renderer;
    CxglOverlay *shapes;
    CxglSceneStats stats;
    double frame_ms, fine_ms;
    char scale_text[32];
    guint after_frame; /* tick callback, 0 = none */
    bool coarse;       /* the next frame is drawn in a hurry */
    guint refine;      /* timer of the fine frame after it, 0 = none */

    CxglChunkGrid image_grid, label_grid;
    CxglChunkFeed feed;
    CxglSliceLayers layers;
    CxglSliceStyle slice_style;
    GArray *wanted; /* of CxChunkKey: scratch */

    GHashTable *surfaces; /* CxId → Surface, scene_meshes.c */
    GHashTable *ghosts;   /* CxId gone by a merge → Ghost */

    struct {             /* scene_split.c */
        uint64_t number; /* of the latest preview */
        CxJob *job;
        CxId segment; /* whose parts these are, 0 = none */
        CxglMeshData *parts[2];
        CxId ids[2]; /* with the renderer, 0 = none */
        bool sent;
    } split;

    bool turning; /* a drag is under way: coarse surfaces */
    bool panning;
    bool has_pivot; /* of the turn: the surface that was under the pointer */
    CxNm pivot;
    double drag_x, drag_y;
    double pointer_x, pointer_y;
    bool framed; /* the camera was set for these data */
};

/* scene_view.c */
CxglOrbitCamera cxui_scene_view_camera(CxuiSceneView *self, int scale);
void cxui_scene_view_set_camera(CxuiSceneView *self,
                                const CxglOrbitCamera *camera, bool follows);
CxglSceneContent cxui_scene_view_content(CxuiSceneView *self);
CxglSceneStyle cxui_scene_view_style(CxuiSceneView *self);
void cxui_scene_view_redraw(CxuiSceneView *self);

/* scene_gestures.c */
void cxui_scene_view_add_gestures(CxuiSceneView *self);

/* scene_meshes.c: surfaces from the session to the renderer. */
void cxui_scene_view_init_meshes(CxuiSceneView *self);
void cxui_scene_view_follow_meshes(CxuiSceneView *self);
void cxui_scene_view_clear_meshes(CxuiSceneView *self);

/* Before a frame, with the context current. */
void cxui_scene_view_sync_meshes(CxuiSceneView *self);

CxMesh *cxui_scene_view_copy_mesh(const CxMesh *mesh);

/* After the context is gone: everything has to be sent again. */
void cxui_scene_view_forget_meshes(CxuiSceneView *self);

/* scene_split.c: the preview of a split. */
void cxui_scene_view_update_split(CxuiSceneView *self);
void cxui_scene_view_clear_split(CxuiSceneView *self);

/* Before a frame, after cxui_scene_view_sync_meshes(). */
void cxui_scene_view_sync_split(CxuiSceneView *self);

/* The segment that a picked id stands for. */
CxId cxui_scene_view_real_id(CxuiSceneView *self, CxId id);
