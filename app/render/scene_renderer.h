/* The 3-D view: surfaces of segments, slice planes, cross-hair, box, axes.
 *
 * One renderer per view and GL context; main thread.  Only new, draw, free
 * and picking need the context current: surfaces that are set are copied to
 * the GPU by the next frame.  The picture is drawn into a framebuffer of its own (so that the target needs no depth buffer), shaded
 * at the edges by depth (eye-dome lighting: Boucheny 2009), and copied to the
 * framebuffer that is bound.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/render/camera.h"
#include "app/render/mesh_buffers.h"
#include "app/render/segment_table.h"
#include "app/render/slice_renderer.h"

typedef struct CxglSceneRenderer CxglSceneRenderer;

CxglSceneRenderer *cxgl_scene_renderer_new(GError **error);
void cxgl_scene_renderer_free(CxglSceneRenderer *scene);

/* What is drawn for a mesh: its colour comes from the caller (usually
 * cxgl_segment_table_colour() or a side's). */
typedef struct {
    CxglColour colour; /* alpha < 255: see-through, drawn last */
    bool hidden;
    bool stale;    /* being rebuilt: old surface, slightly desaturated */
    bool selected; /* brighter rim */
} CxglMeshLook;

/* Adds or replaces the surface with this id (a segment, or a supervoxel for
 * previews); takes a reference.  The look of an existing one stays. */
void cxgl_scene_renderer_set_mesh(CxglSceneRenderer *scene, CxId id,
                                  CxglMeshData *data);
void cxgl_scene_renderer_set_look(CxglSceneRenderer *scene, CxId id,
                                  const CxglMeshLook *look);
bool cxgl_scene_renderer_get_look(CxglSceneRenderer *scene, CxId id,
                                  CxglMeshLook *look);
void cxgl_scene_renderer_remove_mesh(CxglSceneRenderer *scene, CxId id);
void cxgl_scene_renderer_remove_all(CxglSceneRenderer *scene);
bool cxgl_scene_renderer_has_mesh(CxglSceneRenderer *scene, CxId id);
size_t cxgl_scene_renderer_n_meshes(const CxglSceneRenderer *scene);

/* Poly-lines (skeletons, paths): n segments, two points each.  n = 0 removes
 * them. */
void cxgl_scene_renderer_set_lines(CxglSceneRenderer *scene, CxId id,
                                   const CxNm *points, size_t n_segments,
                                   CxglColour colour, double width_px);

/* Balls of a fixed size on the screen: seeds, synapses.  Replaces all. */
void cxgl_scene_renderer_set_points(CxglSceneRenderer *scene,
                                    const CxNm *points,
                                    const CxglColour *colours, size_t n,
                                    double radius_px);

/* Smallest box of all visible meshes; false if there are none. */
bool cxgl_scene_renderer_bounds(CxglSceneRenderer *scene, CxNm *lo, CxNm *hi);

typedef struct {
    CxglColour top, bottom; /* of the background */
    bool moving;            /* coarse surfaces, no shading of edges, no
                               samples: while dragging */
    bool planes[3];         /* by CxglAxis: the image in the scene */
    bool plane_labels;      /* with the segments' colours */
    bool cross_hair, box, axes;
    float edge_shading; /* 0 … 1: dark creases and outlines, by depth */
    float depth_cue;    /* 0 … 1: how far the far end fades away */
    unsigned samples;   /* 0 or 4: smooth edges when not moving */
    float scale;        /* of lines and axes; 1 = normal */
} CxglSceneStyle;

CxglSceneStyle cxgl_scene_style_defaults(void);

typedef struct {
    CxNm lo, hi;     /* box of the volume, for the box, planes and clipping */
    CxNm cross_hair; /* and where the planes lie */

    /* For the planes; may be NULL. */
    const CxglSliceLayers *layers;
    const CxglSliceStyle *slice_style;
    CxglSegmentTable *table;
} CxglSceneContent;

typedef struct {
    uint32_t n_triangles; /* drawn */
    bool planes_complete; /* false: draw again when chunks arrive */
    bool has_more;        /* draw again soon */
} CxglSceneStats;

void cxgl_scene_renderer_draw(CxglSceneRenderer *scene,
                              const CxglOrbitCamera *camera,
                              const CxglSceneContent *content,
                              const CxglSceneStyle *style,
                              CxglSceneStats *stats);

/* Chunks that the planes would like (CxChunkKey), for the loader. */
void cxgl_scene_renderer_wanted(CxglSceneRenderer *scene,
                                const CxglSceneContent *content,
                                const CxglSceneStyle *style,
                                const CxglChunkGrid *grid, GArray *keys);

size_t cxgl_scene_renderer_gpu_bytes(const CxglSceneRenderer *scene);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxglSceneRenderer, cxgl_scene_renderer_free)
