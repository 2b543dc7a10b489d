/* Frames of a slice pane, measured: image and labels, panned and scrolled.
 *
 * The samples are in memory (a first round over the same way loads them), so
 * what counts is cutting planes, uploading tiles and drawing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/bench.h"
#include "app/render/offscreen.h"
#include "app/render/slice_renderer.h"
#include "app/render/volume_source.h"
#include "core/volume/synthetic.h"

#include <epoxy/gl.h>
#include <math.h>

typedef struct {
    CxVolume *image, *labels;
    CxglVolumeSource *sources[2];
    CxglOffscreen *offscreen;
    CxglSegmentTable *table;
    CxglSliceRenderer *renderer;
    CxNm lo, hi;
    int width, height;
} Stage;

static void
stage_clear(Stage *stage)
{
    g_clear_pointer(&stage->renderer, cxgl_slice_renderer_free);
    g_clear_pointer(&stage->table, cxgl_segment_table_free);
    g_clear_pointer(&stage->sources[0], cxgl_volume_source_free);
    g_clear_pointer(&stage->sources[1], cxgl_volume_source_free);
    g_clear_pointer(&stage->offscreen, cxgl_offscreen_free);
    g_clear_pointer(&stage->image, cx_volume_unref);
    g_clear_pointer(&stage->labels, cx_volume_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

static bool
draw_sample(CxcliContext *context, Stage *stage, GError **error)
{
    CxSyntheticOptions options = cx_synthetic_defaults();
    int64_t side =
        (int64_t)CLAMP(cxcli_integer(context, "size", 192), 16, 1024);
    CxNm origin = {0.0, 0.0, 0.0};
    g_autoptr(CxChunk) image = NULL;
    g_autoptr(CxChunk) labels = NULL;

    options.size = (CxVoxel){side, side, side};
    if (!cx_synthetic_draw(&options, &image, &labels, NULL, context->job,
                           error))
        return false;
    stage->image = cx_volume_from_chunk(image, options.voxel_nm, origin, false);
    stage->labels =
        cx_volume_from_chunk(labels, options.voxel_nm, origin, true);
    return true;
}

static bool
open_volumes(CxcliContext *context, Stage *stage, GError **error)
{
    if (context->n_args < 2)
        return draw_sample(context, stage, error);
    g_autoptr(CxVolume) volume =
        cx_volume_open(context->args[1], context->job, error);
    if (volume == NULL)
        return false;
    if (cx_volume_is_labels(volume))
        stage->labels = g_steal_pointer(&volume);
    else
        stage->image = g_steal_pointer(&volume);
    return true;
}

static bool
prepare(CxcliContext *context, Stage *stage, GError **error)
{
    CxVoxel chunk = {64, 64, 64};

    stage->width = 1000;
    stage->height = 700;
    cxcli_size(context, "pane", &stage->width, &stage->height);
    if (!open_volumes(context, stage, error))
        return false;
    stage->offscreen = cxgl_offscreen_new(stage->width, stage->height, error);
    if (stage->offscreen == NULL)
        return false;
    cxgl_offscreen_bind(stage->offscreen);
    stage->table = cxgl_segment_table_new(NULL, NULL);
    stage->renderer = cxgl_slice_renderer_new(stage->table, error);
    if (stage->renderer == NULL)
        return false;
    if (stage->image != NULL)
        stage->sources[0] =
            cxgl_volume_source_new(stage->image, false, chunk, 1, context->job);
    if (stage->labels != NULL)
        stage->sources[1] =
            cxgl_volume_source_new(stage->labels, true, chunk, 2, context->job);
    cxgl_chunk_grid_bounds(
        cxgl_volume_source_grid(stage->sources[stage->image == NULL]),
        &stage->lo, &stage->hi);
    return true;
}

static void
set_layer(const Stage *stage, unsigned i, CxglSliceLayer *layer)
{
    if (stage->sources[i] == NULL)
        return;
    layer->grid = cxgl_volume_source_grid(stage->sources[i]);
    layer->source = cxgl_volume_source_chunks(stage->sources[i]);
}

/* A circle around the middle, one pixel a voxel, a section on every second
 * frame. */
static CxglSliceCamera
camera_at(const Stage *stage, unsigned frame)
{
    CxNm lo = stage->lo, hi = stage->hi;
    double turn = (double)frame * 0.02;
    CxLevel level =
        cx_volume_level(stage->image != NULL ? stage->image : stage->labels, 0);
    double depth = fmod((double)(frame / 2) * level.voxel_nm.z, hi.z - lo.z);

    return (CxglSliceCamera){
        .axis = CXGL_AXIS_XY,
        .centre = {lo.x + (hi.x - lo.x) * (0.5 + 0.25 * cos(turn)),
                   lo.y + (hi.y - lo.y) * (0.5 + 0.25 * sin(turn)),
                   lo.z + depth + level.voxel_nm.z * 0.5},
        .nm_per_px = level.voxel_nm.x,
        .width = stage->width,
        .height = stage->height,
    };
}

static bool
draw_round(CxcliContext *context, Stage *stage, unsigned n, GArray *seconds,
           GError **error)
{
    CxglSliceStyle style = cxgl_slice_style_defaults();
    CxglSliceLayers layers = {0};

    set_layer(stage, 0, &layers.image);
    set_layer(stage, 1, &layers.labels);
    for (unsigned i = 0; i < n; i++) {
        CxglSliceCamera camera = camera_at(stage, i);
        double start = cxcli_seconds();

        cxgl_slice_renderer_draw(stage->renderer, &camera, &layers, &style,
                                 NULL);
        glFinish();
        double spent = cxcli_seconds() - start;
        g_array_append_val(seconds, spent);
        if (!cx_job_step(context->job, i, n, error))
            return false;
    }
    return true;
}

bool
cxcli_bench_frames(CxcliContext *context, GError **error)
{
    unsigned n =
        (unsigned)CLAMP(cxcli_integer(context, "runs", 300), 2, 100000);
    g_auto(Stage) stage = {NULL};
    g_autoptr(GArray) first = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) seconds = g_array_new(FALSE, FALSE, sizeof(double));
    CxcliReport *report = context->report;

    if (!prepare(context, &stage, error) ||
        !draw_round(context, &stage, n, first, error) ||
        !draw_round(context, &stage, n, seconds, error))
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (stage.sources[i] != NULL &&
            !cxgl_volume_source_is_good(stage.sources[i], error))
            return false;
    cxcli_report_real(report, "p50_ms", cxcli_quantile(seconds, 0.50) * 1e3);
    cxcli_report_real(report, "p99_ms", cxcli_quantile(seconds, 0.99) * 1e3);
    cxcli_report_integer(report, "runs", n);
    cxcli_report_text(report, "gl_renderer",
                      cxgl_offscreen_renderer(stage.offscreen));
    return true;
}
