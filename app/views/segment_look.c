/* Follows selection and edits into the colour table.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/segment_look.h"

struct _CxuiSegmentLook {
    GObject parent;
    CxuiSession *session; /* owned reference */
    CxglSegmentTable *table;
    GArray *sided;      /* of CxId: segments in the colour of a side */
    GArray *recoloured; /* of CxId: segments with another id's colour */
};

G_DEFINE_FINAL_TYPE(CxuiSegmentLook, cxui_segment_look, G_TYPE_OBJECT)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

/* CxglResolveFunc. */
static void
resolve_labels(void *data, const CxId *labels, CxId *segments, size_t n)
{
    CxuiSegmentLook *self = data;
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);

    if (graph != NULL) {
        cx_supervoxel_graph_map(graph, labels, segments, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        segments[i] = labels[i];
}

static void
emit_changed(CxuiSegmentLook *self)
{
    g_signal_emit(self, signals[CHANGED], 0, FALSE);
}

static void
follow_ids(CxuiSegmentLook *self, CxuiSelection *selection)
{
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);

    cxgl_segment_table_set_flagged(self->table, CXGL_SEGMENT_SELECTED, ids, n);
}

static void
follow_hidden(CxuiSegmentLook *self, CxuiSelection *selection)
{
    size_t n = 0;
    const CxId *ids = cxui_selection_hidden(selection, &n);

    cxgl_segment_table_set_flagged(self->table, CXGL_SEGMENT_HIDDEN, ids, n);
}

static void
follow_hover(CxuiSegmentLook *self, CxuiSelection *selection)
{
    CxId id = cxui_selection_hover(selection);

    cxgl_segment_table_set_flagged(self->table, CXGL_SEGMENT_HOVER, &id,
                                   id != 0 ? 1 : 0);
}

static void
set_segment_side(CxuiSegmentLook *self, CxId id, CxglSide side)
{
    cxgl_segment_table_set_colour(self->table, id,
                                  cxgl_segment_table_side_colour(side));
    g_array_append_val(self->sided, id);
}

/* The first partner is side A, the others are side B. */
static void
side_merge(CxuiSegmentLook *self, CxuiSelection *selection)
{
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);

    for (size_t i = 0; i < n; i++)
        set_segment_side(self, ids[i], i == 0 ? CXGL_SIDE_A : CXGL_SIDE_B);
}

static bool
is_moved(const CxId *moved, size_t n, CxId supervoxel)
{
    for (size_t i = 0; i < n; i++) {
        if (moved[i] == supervoxel)
            return true;
    }
    return false;
}

CxuiSide
cxui_preview_side(CxuiSession *session)
{
    CxuiSelection *selection = cxui_session_selection(session);
    size_t n_seeds = 0;
    size_t n = 0;
    const CxuiSeed *seeds = cxui_selection_seeds(selection, &n_seeds);
    const CxId *moved = cxui_selection_preview(selection, &n);

    for (size_t i = 0; i < n_seeds; i++) {
        CxId supervoxel = 0;
        CxId segment = 0;
        if (cxui_session_pick(session, seeds[i].at, &supervoxel, &segment) &&
            is_moved(moved, n, supervoxel))
            return seeds[i].side;
    }
    return CXUI_SIDE_B;
}

static void
side_split(CxuiSegmentLook *self, CxuiSelection *selection)
{
    CxId segment = cxui_selection_split_segment(selection);
    size_t n_seeds = 0;
    size_t n = 0;

    cxui_selection_seeds(selection, &n_seeds);
    if (segment == 0 || n_seeds == 0)
        return;
    bool moves_a = cxui_preview_side(self->session) == CXUI_SIDE_A;
    set_segment_side(self, segment, moves_a ? CXGL_SIDE_B : CXGL_SIDE_A);
    const CxId *labels = cxui_selection_preview(selection, &n);
    cxgl_segment_table_set_side(self->table, labels, n,
                                moves_a ? CXGL_SIDE_A : CXGL_SIDE_B);
}

static void
follow_sides(CxuiSegmentLook *self, CxuiSelection *selection)
{
    for (guint i = 0; i < self->sided->len; i++)
        cxgl_segment_table_set_colour(self->table,
                                      g_array_index(self->sided, CxId, i),
                                      (CxglColour){0, 0, 0, 0});
    g_array_set_size(self->sided, 0);
    cxgl_segment_table_clear_sides(self->table);

    switch (cxui_selection_tool(selection)) {
    case CXUI_TOOL_MERGE:
        side_merge(self, selection);
        break;
    case CXUI_TOOL_SPLIT:
        side_split(self, selection);
        break;
    case CXUI_TOOL_POINTER:
        break;
    }
}

static void
follow_colours(CxuiSegmentLook *self, CxuiSelection *selection)
{
    size_t n = 0;
    const CxuiRecolour *colours = cxui_selection_recoloured(selection, &n);

    for (guint i = 0; i < self->recoloured->len; i++) {
        CxId id = g_array_index(self->recoloured, CxId, i);

        cxgl_segment_table_set_colour_key(self->table, id, id);
    }
    g_array_set_size(self->recoloured, 0);
    for (size_t i = 0; i < n; i++) {
        cxgl_segment_table_set_colour_key(self->table, colours[i].segment,
                                          colours[i].key);
        g_array_append_val(self->recoloured, colours[i].segment);
    }
}

static void
on_selection_changed(CxuiSelection *selection, guint flags,
                     CxuiSegmentLook *self)
{
    if (flags & CXUI_SELECTION_IDS)
        follow_ids(self, selection);
    if (flags & CXUI_SELECTION_HIDDEN)
        follow_hidden(self, selection);
    if (flags & CXUI_SELECTION_HOVER)
        follow_hover(self, selection);
    if (flags & CXUI_SELECTION_COLOURS)
        follow_colours(self, selection);
    if (flags & (CXUI_SELECTION_IDS | CXUI_SELECTION_TOOL |
                 CXUI_SELECTION_SEEDS | CXUI_SELECTION_PREVIEW))
        follow_sides(self, selection);
    g_signal_emit(self, signals[CHANGED], 0, flags == CXUI_SELECTION_HOVER);
}

static void
on_volumes_changed(CxuiSession *session, CxuiSegmentLook *self)
{
    cxgl_segment_table_refresh_all(self->table);
    on_selection_changed(cxui_session_selection(session), ~0u, self);
}

static void
on_segments_changed(CxuiSession *session, GArray *ids, CxBox *box,
                    CxuiSegmentLook *self)
{
    cxgl_segment_table_refresh_all(self->table);
    emit_changed(self);
}

static void
on_block_segmented(CxuiSession *session, CxBox *box, CxuiSegmentLook *self)
{
    cxgl_segment_table_refresh_all(self->table);
    emit_changed(self);
}

/* After a split the colour stays with the larger part. */
static void
on_committed(CxuiEditController *edits, CxEdit *edit, gboolean undone,
             CxuiSegmentLook *self)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    CxSegment from;
    CxSegment to;

    if (edit->kind != CX_EDIT_SPLIT || undone || edit->moves->len != 1)
        return;
    const CxMove *move = &g_array_index(edit->moves, CxMove, 0);
    if (!cxui_segment_model_lookup(model, move->from, &from) ||
        !cxui_segment_model_lookup(model, move->to, &to) ||
        to.n_voxels <= from.n_voxels)
        return;
    cxgl_segment_table_set_colour_key(self->table, move->to, move->from);
    cxgl_segment_table_set_colour_key(self->table, move->from, move->to);
    emit_changed(self);
}

static void
on_palette(CxuiSettings *settings, GParamSpec *spec, CxuiSegmentLook *self)
{
    bool safe = g_str_equal(cxui_settings_palette(settings), "colour-blind");

    cxgl_segment_table_set_palette(self->table, safe ? CXGL_PALETTE_COLOUR_BLIND
                                                     : CXGL_PALETTE_EVEN);
    emit_changed(self);
}

CxuiSegmentLook *
cxui_segment_look_new(CxuiSession *session)
{
    CxuiSegmentLook *self = g_object_new(CXUI_TYPE_SEGMENT_LOOK, NULL);

    self->session = g_object_ref(session);
    self->table = cxgl_segment_table_new(resolve_labels, self);
    g_signal_connect_object(session, "volumes-changed",
                            G_CALLBACK(on_volumes_changed), self, 0);
    g_signal_connect_object(session, "segments-changed",
                            G_CALLBACK(on_segments_changed), self, 0);
    g_signal_connect_object(session, "block-segmented",
                            G_CALLBACK(on_block_segmented), self, 0);
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    g_signal_connect_object(cxui_session_edits(session), "committed",
                            G_CALLBACK(on_committed), self, 0);
    CxuiSettings *settings = cxui_session_settings(session);
    g_signal_connect_object(settings, "notify::palette", G_CALLBACK(on_palette),
                            self, 0);
    on_palette(settings, NULL, self);
    return self;
}

CxglSegmentTable *
cxui_segment_look_table(CxuiSegmentLook *self)
{
    return self->table;
}

CxglColour
cxui_segment_look_colour(CxuiSegmentLook *self, CxId segment)
{
    return cxgl_segment_table_colour(self->table, segment);
}

static void
cxui_segment_look_dispose(GObject *object)
{
    CxuiSegmentLook *self = CXUI_SEGMENT_LOOK(object);

    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_segment_look_parent_class)->dispose(object);
}

static void
cxui_segment_look_finalize(GObject *object)
{
    CxuiSegmentLook *self = CXUI_SEGMENT_LOOK(object);

    cxgl_segment_table_free(self->table);
    g_array_unref(self->sided);
    g_array_unref(self->recoloured);
    G_OBJECT_CLASS(cxui_segment_look_parent_class)->finalize(object);
}

static void
cxui_segment_look_init(CxuiSegmentLook *self)
{
    self->sided = g_array_new(FALSE, FALSE, sizeof(CxId));
    self->recoloured = g_array_new(FALSE, FALSE, sizeof(CxId));
}

static void
cxui_segment_look_class_init(CxuiSegmentLookClass *klass)
{
    GObjectClass *object_class = G_OBJECT_CLASS(klass);

    object_class->dispose = cxui_segment_look_dispose;
    object_class->finalize = cxui_segment_look_finalize;
    signals[CHANGED] =
        g_signal_new("changed", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
}
