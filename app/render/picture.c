/* A finished picture of a volume; see picture.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/picture.h"

#include "app/render/offscreen.h"
#include "app/render/overlay_renderer.h"
#include "app/render/volume_source.h"
#include "core/base/error.h"
#include "core/base/hash64.h"

#include <math.h>
#include <string.h>

#define N_LARGEST 16        /* surfaces when none are asked for */
#define NEAR_VOXELS 192     /* how far from `at` these are looked for */
#define MAX_MESH_VOXELS 5e8 /* finer levels are not used for surfaces */
#define GAP_PX 2            /* between panes */

/* Where one pane lies in the picture. */
typedef struct {
    CxglPictureView view;
    int x, y, width, height;
} Pane;

/* All that the panes share. */
typedef struct {
    const CxglPictureOptions *options;
    CxJob *job;
    CxglOffscreen *offscreen;
    CxglSegmentTable *table;
    CxglOverlayRenderer *overlay_renderer;
    CxglOverlay *overlay;
    CxNm lo, hi, at; /* of the volume that gives the frame */
    CxNm voxel_nm;
    double scale;
    uint8_t *pixels;
} Studio;

bool
cxgl_picture_view_parse(const char *text, CxglPictureView *view)
{
    static const char *const names[] = {
        [CXGL_PICTURE_XY] = "xy",   [CXGL_PICTURE_XZ] = "xz",
        [CXGL_PICTURE_YZ] = "yz",   [CXGL_PICTURE_3D] = "3d",
        [CXGL_PICTURE_ALL] = "all",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_ascii_strcasecmp(text, names[i]) == 0) {
            *view = (CxglPictureView)i;
            return true;
        }
    }
    return false;
}

CxglPictureOptions
cxgl_picture_defaults(void)
{
    CxglPictureOptions options = {
        .view = CXGL_PICTURE_ALL,
        .width = 1280,
        .height = 800,
        .scale = 1,
        .decorations = true,
        .turned = true,
        .slice_style = cxgl_slice_style_defaults(),
        .scene_style = cxgl_scene_style_defaults(),
    };

    options.scene_style.planes[CXGL_AXIS_XY] = true;
    return options;
}

static CxVolume *
frame_volume(const CxglPictureOptions *options)
{
    return options->image != NULL ? options->image : options->labels;
}

/* The volume that surfaces are made from, or NULL. */
static CxVolume *
mesh_volume(const CxglPictureOptions *options)
{
    return options->segments != NULL ? options->segments : options->labels;
}

/* The largest segments around `at`, largest first. */
typedef struct {
    CxId id;
    uint64_t n;
} Count;

static int
compare_counts(const void *a, const void *b)
{
    const Count *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static GArray *
find_largest(const Studio *studio, CxVolume *volume, GError **error)
{
    CxLevel level = cx_volume_level(volume, 0);
    CxVoxel at = cxgl_voxel_of_nm(studio->at, level.voxel_nm,
                                  cx_volume_offset_nm(volume));
    CxBox box = {at, {at.x + 1, at.y + 1, at.z + 1}};
    g_autoptr(CxChunk) chunk = NULL;
    g_autoptr(CxHash64) counts = cx_hash64_new(256);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(Count));
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(CxId));
    size_t cursor = 0;
    Count count;

    box = cx_box_grow(box, (CxVoxel){NEAR_VOXELS, NEAR_VOXELS, NEAR_VOXELS});
    box = cx_box_intersect(box, cx_box_of_size(level.size));
    if (cx_box_is_empty(box))
        return ids;
    chunk = cx_volume_read_labels(volume, 0, box, studio->job, error);
    if (chunk == NULL) {
        g_array_unref(ids);
        return NULL;
    }
    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++) {
        CxId id = ((const CxId *)cx_chunk_data(chunk))[i];
        if (id != 0)
            ++*cx_hash64_at(counts, id, 0, NULL);
    }
    while (cx_hash64_next(counts, &cursor, &count.id, &count.n))
        g_array_append_val(found, count);
    g_array_sort(found, compare_counts);
    for (guint i = 0; i < MIN(found->len, N_LARGEST); i++)
        g_array_append_val(ids, g_array_index(found, Count, i).id);
    return ids;
}

/* Layers */

typedef struct {
    CxglVolumeSource *image, *labels;
    CxglSliceLayers layers;
} Layers;

static void
open_layer(CxVolume *volume, bool labels, CxVoxel chunk, uint32_t id,
           CxJob *job, CxglVolumeSource **source, CxglSliceLayer *layer)
{
    if (volume == NULL)
        return;
    *source = cxgl_volume_source_new(volume, labels, chunk, id, job);
    layer->grid = cxgl_volume_source_grid(*source);
    layer->source = cxgl_volume_source_chunks(*source);
}

static void
open_layers(const Studio *studio, CxVoxel chunk, Layers *layers)
{
    *layers = (Layers){0};
    open_layer(studio->options->image, false, chunk, 1, studio->job,
               &layers->image, &layers->layers.image);
    open_layer(studio->options->labels, true, chunk, 2, studio->job,
               &layers->labels, &layers->layers.labels);
}

/* False if anything could not be read. */
static bool
close_layers(Layers *layers, GError **error)
{
    bool ok = layers->image == NULL ||
              cxgl_volume_source_is_good(layers->image, error);

    ok = ok && (layers->labels == NULL ||
                cxgl_volume_source_is_good(layers->labels, error));
    cxgl_volume_source_free(layers->image);
    cxgl_volume_source_free(layers->labels);
    return ok;
}

/* Decorations */

static void
draw_name(Studio *studio, const Pane *pane, const char *name)
{
    CxglColour shade = {0, 0, 0, 150}, light = {255, 255, 255, 230};
    double size = 9 * studio->scale, margin = 12 * studio->scale;

    cxgl_overlay_text(studio->overlay, margin, margin, size, 4 * studio->scale,
                      shade, name);
    cxgl_overlay_text(studio->overlay, margin, margin, size,
                      1.5 * studio->scale, light, name);
}

static void
draw_scale_bar(Studio *studio, const Pane *pane, double nm_per_px)
{
    double margin = 18 * studio->scale;
    CxglScaleBar bar =
        cxgl_scale_bar(nm_per_px, fmin(pane->width * 0.3, 220 * studio->scale));

    cxgl_overlay_scale_bar(studio->overlay, &bar, pane->width - margin,
                           pane->height - margin, studio->scale, true,
                           (CxglColour){255, 255, 255, 240});
}

static void
flush_overlay(Studio *studio, const Pane *pane)
{
    cxgl_overlay_renderer_draw(studio->overlay_renderer, studio->overlay,
                               pane->width, pane->height);
    cxgl_overlay_clear(studio->overlay);
}

/* Panes */

static CxglSliceCamera
slice_camera(const Studio *studio, const Pane *pane)
{
    CxglSliceCamera camera = {
        .axis = (CxglAxis)pane->view,
        .centre = studio->at,
        .width = pane->width,
        .height = pane->height,
        .nm_per_px = 1,
    };

    if (studio->options->zoom > 0)
        camera.nm_per_px = studio->voxel_nm.x / studio->options->zoom;
    else
        cxgl_slice_camera_fit(&camera, studio->lo, studio->hi, 0);
    return camera;
}

static bool
draw_slice(Studio *studio, const Pane *pane, GError **error)
{
    static const char *const names[] = {"XY", "XZ", "YZ"};
    static const CxVoxel chunks[] = {
        {256, 256, 1}, {256, 1, 256}, {1, 256, 256}};
    CxglSliceCamera camera = slice_camera(studio, pane);
    CxglSliceRenderer *renderer = cxgl_slice_renderer_new(studio->table, error);
    Layers layers;

    if (renderer == NULL)
        return false;
    open_layers(studio, chunks[pane->view], &layers);
    cxgl_slice_renderer_set_upload_budget(renderer, SIZE_MAX);
    cxgl_slice_renderer_draw(renderer, &camera, &layers.layers,
                             &studio->options->slice_style, NULL);
    cxgl_slice_renderer_free(renderer);
    if (!close_layers(&layers, error))
        return false;
    if (!studio->options->decorations)
        return true;
    if (studio->options->view == CXGL_PICTURE_ALL)
        cxgl_overlay_cross_hair(studio->overlay, &camera, studio->at, 0.8,
                                studio->scale);
    draw_name(studio, pane, names[pane->view]);
    draw_scale_bar(studio, pane, camera.nm_per_px);
    flush_overlay(studio, pane);
    return true;
}

/* The finest level whose voxels are not too many. */
static unsigned
mesh_level(CxVolume *volume)
{
    unsigned n = cx_volume_n_levels(volume);

    for (unsigned i = 0; i < n; i++) {
        CxVoxel size = cx_volume_level(volume, i).size;
        double voxels = (double)size.x * (double)size.y * (double)size.z;

        if (voxels <= MAX_MESH_VOXELS)
            return i;
    }
    return n - 1;
}

typedef struct {
    CxglSceneRenderer *scene;
    const CxglSegmentTable *table;
    size_t n;
} AddMesh;

static bool
add_mesh(CxId id, CxMesh *mesh, void *data, GError **error)
{
    AddMesh *add = data;
    g_autoptr(CxglMeshData) prepared = cxgl_mesh_data_new(mesh);
    CxglMeshLook look = {.colour = cxgl_segment_table_colour(add->table, id)};

    cxgl_scene_renderer_set_mesh(add->scene, id, prepared);
    cxgl_scene_renderer_set_look(add->scene, id, &look);
    add->n++;
    cx_mesh_free(mesh);
    return true;
}

static bool
add_meshes(Studio *studio, CxglSceneRenderer *scene, GError **error)
{
    const CxglPictureOptions *options = studio->options;
    CxVolume *volume = mesh_volume(options);
    CxMeshOptions mesh_options = cx_mesh_defaults();
    g_autoptr(CxMeshBuilder) builder = NULL;
    g_autoptr(GArray) ids = NULL;
    AddMesh add = {scene, studio->table, 0};

    if (volume == NULL)
        return true;
    if (options->n_selected > 0) {
        ids = g_array_new(FALSE, FALSE, sizeof(CxId));
        g_array_append_vals(ids, options->selected, (guint)options->n_selected);
    } else {
        ids = find_largest(studio, volume, error);
    }
    if (ids == NULL)
        return false;
    mesh_options.level = mesh_level(volume);
    builder = cx_mesh_builder_new(volume, &mesh_options);
    if (!cx_mesh_builder_many(builder, (const CxId *)(void *)ids->data,
                              ids->len, cx_volume_bounds(volume, 0), add_mesh,
                              &add, studio->job, error))
        return false;
    if (add.n == ids->len)
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_NOT_FOUND,
                "%s: %zu of the %u selected ids are not in the volume",
                cx_volume_spec(volume), ids->len - add.n, ids->len);
    return false;
}

static CxglOrbitCamera
orbit_camera(const Studio *studio, const Pane *pane, CxglSceneRenderer *scene)
{
    CxglOrbitCamera camera = cxgl_orbit_camera_defaults();
    CxNm lo = studio->lo, hi = studio->hi;

    camera.width = pane->width;
    camera.height = pane->height;
    if (studio->options->turned)
        camera.rotation =
            cxgl_quat_multiply(cxgl_quat_from_axis(1, 0, 0, 0.42),
                               cxgl_quat_from_axis(0, 1, 0, -0.55));
    cxgl_orbit_camera_fit(&camera, lo, hi, 0.03);
    if (studio->options->zoom > 0) {
        cxgl_orbit_camera_set_focus(&camera, studio->at);
        camera.nm_per_px = studio->voxel_nm.x / studio->options->zoom;
    }
    return camera;
}

static bool
draw_scene(Studio *studio, const Pane *pane, GError **error)
{
    g_autoptr(CxglSceneRenderer) scene = cxgl_scene_renderer_new(error);
    CxglSceneStyle style = studio->options->scene_style;
    CxglSceneContent content = {
        .lo = studio->lo,
        .hi = studio->hi,
        .cross_hair = studio->at,
        .slice_style = &studio->options->slice_style,
        .table = studio->table,
    };
    CxglOrbitCamera camera;
    Layers layers;

    if (scene == NULL || !add_meshes(studio, scene, error))
        return false;
    camera = orbit_camera(studio, pane, scene);
    open_layers(studio, (CxVoxel){32, 32, 32}, &layers);
    content.layers = &layers.layers;
    style.moving = false;
    style.axes = studio->options->decorations;
    style.scale = (float)studio->scale;
    cxgl_scene_renderer_draw(scene, &camera, &content, &style, NULL);
    if (!close_layers(&layers, error))
        return false;
    if (studio->options->decorations) {
        draw_name(studio, pane, "3-D");
        draw_scale_bar(studio, pane, camera.nm_per_px);
        flush_overlay(studio, pane);
    }
    return true;
}

/* Draws one pane off screen and copies it to its place. */
static bool
draw_pane(Studio *studio, const Pane *pane, GError **error)
{
    g_autofree uint8_t *drawn = NULL;
    size_t row_bytes = 4 * (size_t)pane->width;
    bool ok;

    if (!cxgl_offscreen_resize(studio->offscreen, pane->width, pane->height,
                               error))
        return false;
    cxgl_offscreen_bind(studio->offscreen);
    ok = pane->view == CXGL_PICTURE_3D ? draw_scene(studio, pane, error)
                                       : draw_slice(studio, pane, error);
    if (!ok)
        return false;
    drawn = cxgl_offscreen_read(studio->offscreen);
    for (int y = 0; y < pane->height; y++)
        memcpy(studio->pixels +
                   4 * ((size_t)(pane->y + y) * (size_t)studio->options->width +
                        (size_t)pane->x),
               drawn + (size_t)y * row_bytes, row_bytes);
    return true;
}

/* The panes of a view; returns how many. */
static int
lay_out(const CxglPictureOptions *options, Pane panes[4])
{
    int w = options->width, h = options->height;
    int left = (w - GAP_PX) / 2, right = w - GAP_PX - left;
    int top = (h - GAP_PX) / 2, bottom = h - GAP_PX - top;
    int x = left + GAP_PX, y = top + GAP_PX;

    if (options->view != CXGL_PICTURE_ALL) {
        panes[0] = (Pane){options->view, 0, 0, w, h};
        return 1;
    }
    panes[0] = (Pane){CXGL_PICTURE_XY, 0, 0, left, top};
    panes[1] = (Pane){CXGL_PICTURE_3D, x, 0, right, top};
    panes[2] = (Pane){CXGL_PICTURE_XZ, 0, y, left, bottom};
    panes[3] = (Pane){CXGL_PICTURE_YZ, x, y, right, bottom};
    return 4;
}

static void
set_frame(Studio *studio)
{
    CxVolume *volume = frame_volume(studio->options);
    CxLevel level = cx_volume_level(volume, 0);
    CxVoxel at = {level.size.x / 2, level.size.y / 2, level.size.z / 2};

    if (studio->options->has_at)
        at = studio->options->at;
    studio->voxel_nm = level.voxel_nm;
    studio->lo = cx_volume_offset_nm(volume);
    studio->hi = cx_voxel_to_nm(level.size, level.voxel_nm, studio->lo);
    studio->at = cxgl_nm_of_voxel_centre(at, level.voxel_nm, studio->lo);
}

static bool
check_options(const CxglPictureOptions *options, GError **error)
{
    if (frame_volume(options) == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a picture needs an image or labels; none is given");
        return false;
    }
    if (options->width < 16 || options->height < 16 || options->width > 16384 ||
        options->height > 16384) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a picture of %d × %d pixels is not possible: sides must "
                    "lie between 16 and 16384",
                    options->width, options->height);
        return false;
    }
    return true;
}

static void
fill_gaps(const CxglPictureOptions *options, uint8_t *pixels)
{
    size_t n = (size_t)options->width * (size_t)options->height;

    for (size_t i = 0; i < n; i++)
        memcpy(pixels + 4 * i, (const uint8_t[4]){10, 10, 11, 255}, 4);
}

static bool
draw_all(Studio *studio, GError **error)
{
    Pane panes[4];
    int n = lay_out(studio->options, panes);

    studio->overlay_renderer = cxgl_overlay_renderer_new(error);
    if (studio->overlay_renderer == NULL)
        return false;
    for (int i = 0; i < n; i++)
        if (!cx_job_step(studio->job, (uint64_t)i, (uint64_t)n, error) ||
            !draw_pane(studio, &panes[i], error))
            return false;
    return true;
}

uint8_t *
cxgl_picture_draw(const CxglPictureOptions *options, CxJob *job,
                  char **gl_renderer, GError **error)
{
    Studio studio = {.options = options,
                     .job = job,
                     .scale = options->scale > 0 ? options->scale : 1};
    bool ok;

    if (!check_options(options, error))
        return NULL;
    studio.offscreen =
        cxgl_offscreen_new(options->width, options->height, error);
    if (studio.offscreen == NULL)
        return NULL;
    set_frame(&studio);
    studio.table =
        cxgl_segment_table_new(options->resolve, options->resolve_data);
    cxgl_segment_table_set_palette(studio.table, options->palette);
    cxgl_segment_table_set_flagged(studio.table, CXGL_SEGMENT_SELECTED,
                                   options->selected, options->n_selected);
    studio.overlay = cxgl_overlay_new();
    studio.pixels =
        g_malloc(4 * (size_t)options->width * (size_t)options->height);
    fill_gaps(options, studio.pixels);
    ok = draw_all(&studio, error);
    if (ok && gl_renderer != NULL)
        *gl_renderer = g_strdup(cxgl_offscreen_renderer(studio.offscreen));
    cxgl_overlay_renderer_free(studio.overlay_renderer);
    cxgl_overlay_free(studio.overlay);
    cxgl_segment_table_free(studio.table);
    cxgl_offscreen_free(studio.offscreen);
    if (!ok)
        g_clear_pointer(&studio.pixels, g_free);
    return studio.pixels;
}
