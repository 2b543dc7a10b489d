/* render: a picture without a display.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"
#include "app/render/picture.h"
#include "app/render/png_file.h"

/* What the picture is made of; the volumes live as long as this. */
typedef struct {
    CxProject *project;
    CxVolume *image, *labels;
} Scene;

static void
scene_clear(Scene *scene)
{
    g_clear_pointer(&scene->image, cx_volume_unref);
    g_clear_pointer(&scene->labels, cx_volume_unref);
    g_clear_pointer(&scene->project, cx_project_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static bool
open_scene(CxcliContext *context, Scene *scene, GError **error)
{
    const char *spec = context->args[0];
    const char *labels = cxcli_text(context, "labels", NULL);

    if (cxcli_is_project(spec)) {
        scene->project = cx_project_open(spec, true, context->job, error);
        if (scene->project == NULL)
            return false;
        CxVolume *image = cx_project_image(scene->project);
        scene->image = image != NULL ? cx_volume_ref(image) : NULL;
        scene->labels = cx_volume_ref(cx_project_supervoxels(scene->project));
        return true;
    }
    g_autoptr(CxVolume) volume = cx_volume_open(spec, context->job, error);
    if (volume == NULL)
        return false;
    if (cx_volume_is_labels(volume))
        scene->labels = g_steal_pointer(&volume);
    else
        scene->image = g_steal_pointer(&volume);
    if (labels == NULL)
        return true;
    g_clear_pointer(&scene->labels, cx_volume_unref);
    scene->labels = cx_volume_open(labels, context->job, error);
    return scene->labels != NULL;
}

static void
resolve(void *data, const CxId *labels, CxId *segments, size_t n)
{
    cx_supervoxel_graph_map(data, labels, segments, n);
}

static bool
read_options(CxcliContext *context, const Scene *scene,
             CxglPictureOptions *options, GError **error)
{
    const char *view = cxcli_text(context, "view", "all");
    const GArray *at = cxcli_positions(context, "at");
    const GArray *ids = cxcli_ids(context, "select");
    CxVolume *space = scene->image != NULL ? scene->image : scene->labels;

    if (!cxgl_picture_view_parse(view, &options->view)) {
        cxcli_set_usage_error(
            error, "--view: found \"%s\", expected xy, xz, yz, 3d or all",
            view);
        return false;
    }
    cxcli_size(context, "size", &options->width, &options->height);
    options->zoom = cxcli_real(context, "zoom", 0.0);
    if (options->zoom < 0.0) {
        cxcli_set_usage_error(
            error, "--zoom: found %g, expected pixels a voxel", options->zoom);
        return false;
    }
    if (ids != NULL) {
        options->selected = (const CxId *)ids->data;
        options->n_selected = ids->len;
    }
    options->has_at = at != NULL;
    return at == NULL || cxcli_find_voxel(context, "at", space,
                                          g_array_index(at, CxNm, at->len - 1),
                                          &options->at, error);
}

static bool
run(CxcliContext *context, GError **error)
{
    const char *const inputs[] = {context->args[0], NULL};
    const char *out = context->args[1];
    g_auto(Scene) scene = {NULL};
    CxglPictureOptions options = cxgl_picture_defaults();
    g_autofree char *gl_renderer = NULL;

    if (!g_str_has_suffix(out, ".png")) {
        cxcli_set_usage_error(error, "%s: expected a name that ends in .png",
                              out);
        return false;
    }
    if (!cxcli_check_output(context, out, inputs, error) ||
        !open_scene(context, &scene, error) ||
        !read_options(context, &scene, &options, error))
        return false;
    options.image = scene.image;
    options.labels = scene.labels;
    if (scene.project != NULL) {
        options.resolve = resolve;
        options.resolve_data = cx_project_graph(scene.project);
        options.segments = cx_project_segments(scene.project);
    }
    g_autofree uint8_t *pixels =
        cxgl_picture_draw(&options, context->job, &gl_renderer, error);
    if (pixels == NULL)
        return false;
    if (!cxgl_png_write(out, pixels, options.width, options.height, error))
        return false;
    cxcli_report_text(context->report, "gl_renderer", gl_renderer);
    return true;
}

static const CxcliOption options_table[] = {
    {"view", CXCLI_TEXT, "VIEW", "xy, xz, yz, 3d or all (default)"},
    {"at", CXCLI_VOXELS, "X,Y,Z", "the cross-hair (default: the middle)"},
    {"zoom", CXCLI_REAL, "Z", "pixels a voxel (default: all fits)"},
    {"select", CXCLI_IDS, "IDS", "selected segments; surfaces in 3-D"},
    {"labels", CXCLI_TEXT, "VOLUME", "labels over the image"},
    {"size", CXCLI_SIZE, "WxH", "pixels"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

const CxcliCommand cxcli_render = {
    .name = "render",
    .usage = "VOLUME|PROJECT OUT.png",
    .summary = "A picture without a display",
    .min_args = 2,
    .max_args = 2,
    .options = options_table,
    .run = run,
};
