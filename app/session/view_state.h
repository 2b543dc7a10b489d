/* Where the user looks and how: one state for all linked panes.
 *
 * Position is the cross-hair, in nanometres of the global frame (a double, so
 * that pans are smooth); the voxel is the one that holds it.  Stored with the
 * project as its text "view" and restored on opening.  Main thread only.
 *
 * Properties (read-write, notified): zoom, image-visible, contrast-low,
 * contrast-high, gamma, invert, smooth, labels-visible, opacity, borders, dim,
 * only-selected, layout, slices-in-scene (the fields below by name).
 * Signals: changed(guint flags of CxuiViewChange).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <gio/gio.h>

typedef enum {
    CXUI_LAYOUT_FOUR, /* xy, 3-D, xz, yz */
    CXUI_LAYOUT_XY,
    CXUI_LAYOUT_XZ,
    CXUI_LAYOUT_YZ,
    CXUI_LAYOUT_SCENE,
    CXUI_LAYOUT_XY_SCENE,
    CXUI_LAYOUT_XZ_SCENE,
    CXUI_LAYOUT_YZ_SCENE,
    CXUI_N_LAYOUTS,
} CxuiLayout;

typedef enum {
    CXUI_VIEW_POSITION = 1 << 0,
    CXUI_VIEW_ZOOM = 1 << 1,
    CXUI_VIEW_LAYERS = 1 << 2,
    CXUI_VIEW_LAYOUT = 1 << 3,
    CXUI_VIEW_CAMERA = 1 << 4,
    CXUI_VIEW_SPACE = 1 << 5, /* bounds or voxel size: other data */
} CxuiViewChange;

typedef struct {
    bool image_visible;
    double contrast_low, contrast_high; /* shown as black and white, 0 … 1 */
    double gamma;                       /* 1 = linear, 0.1 … 10 */
    bool invert;
    bool smooth; /* image magnified smoothly, else nearest */
    bool labels_visible;
    double opacity; /* of labels, 0 … 1 */
    bool borders;   /* 1-pixel outline of segments */
    double dim;     /* of segments that are not selected, 0 … 1 */
    bool only_selected;
    bool slices_in_scene; /* the three planes drawn in 3-D */
} CxuiLayers;

/* Orbit camera of the 3-D pane. */
typedef struct {
    double rotation[4]; /* unit quaternion x, y, z, w */
    CxNm target_nm;
    double nm_per_pixel;
    bool follows; /* target stays on the cross-hair */
} CxuiCamera;

#define CXUI_TYPE_VIEW_STATE (cxui_view_state_get_type())
G_DECLARE_FINAL_TYPE(CxuiViewState, cxui_view_state, CXUI, VIEW_STATE, GObject)

CxuiViewState *cxui_view_state_new(void);

/* The space shown: voxels of level 0.  Keeps the position if there was a space
 * before and it lies inside the new one, else goes to the centre. */
void cxui_view_state_set_space(CxuiViewState *self, CxBox bounds, CxNm voxel_nm,
                               CxNm offset_nm);
CxBox cxui_view_state_bounds(CxuiViewState *self);
CxNm cxui_view_state_voxel_nm(CxuiViewState *self);
CxNm cxui_view_state_offset_nm(CxuiViewState *self);

CxNm cxui_view_state_position_nm(CxuiViewState *self);

/* Voxel under the cross-hair, always inside the bounds (if not empty). */
CxVoxel cxui_view_state_voxel(CxuiViewState *self);

/* Positions outside the bounds are moved to the border. */
void cxui_view_state_set_position_nm(CxuiViewState *self, CxNm position_nm);

/* Goes to the centre of a voxel. */
void cxui_view_state_set_voxel(CxuiViewState *self, CxVoxel voxel);

/* Moves by whole voxels along an axis (0 = x, 1 = y, 2 = z). */
void cxui_view_state_step(CxuiViewState *self, unsigned axis, int64_t voxels);

/* Voxel that holds a position; may lie outside the bounds. */
CxVoxel cxui_view_state_nm_to_voxel(CxuiViewState *self, CxNm position_nm);
CxNm cxui_view_state_voxel_centre_nm(CxuiViewState *self, CxVoxel voxel);

/* Scale shared by the panes: nm of the specimen per screen pixel (logical
 * pixels), clamped to 1/64 of the smallest voxel … the whole in 64 pixels. */
double cxui_view_state_zoom(CxuiViewState *self);
void cxui_view_state_set_zoom(CxuiViewState *self, double nm_per_pixel);

/* False until a zoom has been set or restored for this space: a view that
 * knows its size then shows the whole. */
bool cxui_view_state_is_framed(CxuiViewState *self);

const CxuiLayers *cxui_view_state_layers(CxuiViewState *self);
void cxui_view_state_set_layers(CxuiViewState *self, const CxuiLayers *layers);

CxuiLayout cxui_view_state_layout(CxuiViewState *self);
void cxui_view_state_set_layout(CxuiViewState *self, CxuiLayout layout);

const CxuiCamera *cxui_view_state_camera(CxuiViewState *self);
void cxui_view_state_set_camera(CxuiViewState *self, const CxuiCamera *camera);

/* As JSON, and back.  Unknown or damaged members keep their defaults; false
 * if it is no JSON object at all. */
char *cxui_view_state_to_json(CxuiViewState *self);
bool cxui_view_state_from_json(CxuiViewState *self, const char *json);

/* All layers, layout and camera as at the start. */
void cxui_view_state_reset(CxuiViewState *self);
