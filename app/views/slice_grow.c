/* The layer of a pane that shows an object while it grows.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/slice_view_private.h"

static const CxglColour object_colour = {0xff, 0xee, 0x58, 0xff};

static CxChunk *
lookup(void *data, const CxChunkKey *key)
{
    return cxui_grower_lookup(data, key);
}

void
cxui_slice_view_add_grower(CxuiSliceView *self, CxglSliceLayers *layers,
                           CxglSliceStyle *style)
{
    CxuiGrower *grower = cxui_session_grower(self->session);
    CxuiGrowerGrid grid = cxui_grower_grid(grower);

    self->grower_grid = (CxglChunkGrid){
        .volume_id = grid.volume_id,
        .n_levels = 1,
        .offset_nm = grid.offset_nm,
    };
    self->grower_grid.levels[0].size = grid.size;
    self->grower_grid.levels[0].chunk_size = grid.chunk;
    self->grower_grid.levels[0].voxel_nm = grid.voxel_nm;
    if (grid.volume_id == 0 || self->raw)
        return;
    layers->overlay = (CxglSliceLayer){&self->grower_grid,
                                       {.lookup = lookup, .data = grower}};
    style->overlay_opacity = 0.8f;
    style->overlay_colour = object_colour;
}

static void
redraw(CxuiSliceView *self)
{
    gtk_gl_area_queue_render(GTK_GL_AREA(self->area));
}

void
cxui_slice_view_follow_grower(CxuiSliceView *self)
{
    g_signal_connect_object(cxui_session_grower(self->session), "mask-changed",
                            G_CALLBACK(redraw), self, G_CONNECT_SWAPPED);
}
