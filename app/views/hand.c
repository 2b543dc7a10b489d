/* The meaning of a click.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/hand.h"

#include "app/views/format.h"
#include "app/views/segment_look.h"

struct _CxuiHand {
    GObject parent;
    CxuiSession *session; /* borrowed: the window owns both */
    bool swapped;
    char *remark;   /* why the last click did nothing; until the next change */
    GArray *before; /* of CxId: selection before the last single click */
};

G_DEFINE_FINAL_TYPE(CxuiHand, cxui_hand, G_TYPE_OBJECT)

enum { CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static CxuiSelection *
selection_of(CxuiHand *self)
{
    return cxui_session_selection(self->session);
}

static void
remember_selection(CxuiHand *self)
{
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection_of(self), &n);

    g_array_set_size(self->before, 0);
    if (n > 0)
        g_array_append_vals(self->before, ids, (guint)n);
}

/* The first of the two clicks has selected; the second takes that back and
 * toggles instead. */
static void
toggle_after_select(CxuiHand *self, CxId segment)
{
    CxuiSelection *selection = selection_of(self);

    cxui_selection_set(selection, (const CxId *)(void *)self->before->data,
                       self->before->len);
    cxui_selection_toggle(selection, segment);
}

static void
click_pointer(CxuiHand *self, const CxuiClick *click)
{
    CxuiSelection *selection = selection_of(self);

    if (click->segment == 0)
        return;
    if (click->modifiers & GDK_CONTROL_MASK) {
        cxui_selection_add(selection, click->segment);
    } else if (click->n_press == 2) {
        toggle_after_select(self, click->segment);
    } else {
        remember_selection(self);
        cxui_selection_select(selection, click->segment);
    }
}

/* First partner, second partner; a further click replaces the second, with
 * Ctrl it adds a third. */
static void
click_merge(CxuiHand *self, const CxuiClick *click)
{
    CxuiSelection *selection = selection_of(self);
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection, &n);

    if (click->segment == 0 || click->n_press > 1)
        return;
    if (cxui_selection_contains(selection, click->segment)) {
        if (n > 1)
            cxui_selection_remove(selection, click->segment);
        return;
    }
    if (n >= 2 && (click->modifiers & GDK_CONTROL_MASK) == 0) {
        CxId pair[2] = {ids[0], click->segment};
        cxui_selection_set(selection, pair, 2);
        return;
    }
    cxui_selection_add(selection, click->segment);
}

/* Takes the text. */
static void
remark(CxuiHand *self, char *text)
{
    g_free(self->remark);
    self->remark = text;
    g_signal_emit(self, signals[CHANGED], 0);
}

static void
click_split(CxuiHand *self, const CxuiClick *click)
{
    CxuiSelection *selection = selection_of(self);
    size_t n_seeds = 0;

    cxui_selection_seeds(selection, &n_seeds);
    if (click->segment == 0)
        return;
    if ((click->modifiers & GDK_CONTROL_MASK) == 0) {
        if (n_seeds == 0)
            cxui_selection_select(selection, click->segment);
        return;
    }
    CxuiSide side = cxui_hand_side(self);
    if (click->modifiers & GDK_SHIFT_MASK)
        side = side == CXUI_SIDE_A ? CXUI_SIDE_B : CXUI_SIDE_A;
    if (n_seeds == 0) {
        cxui_selection_select(selection, click->segment);
        cxui_selection_set_split_segment(selection, click->segment);
    }
    CxId segment = cxui_selection_split_segment(selection);
    if (click->segment != segment) {
        g_autofree char *other = cxui_format_id(click->segment);
        g_autofree char *meant = cxui_format_id(segment);
        remark(self,
               g_strdup_printf("That is %s: seeds go on %s.", other, meant));
        return;
    }
    cxui_selection_add_seed(selection,
                            (CxuiSeed){click->at, side, click->pane});
}

void
cxui_hand_click(CxuiHand *self, const CxuiClick *click)
{
    switch (cxui_selection_tool(selection_of(self))) {
    case CXUI_TOOL_POINTER:
        click_pointer(self, click);
        break;
    case CXUI_TOOL_MERGE:
        click_merge(self, click);
        break;
    case CXUI_TOOL_SPLIT:
        click_split(self, click);
        break;
    }
}

CxuiSide
cxui_hand_side(CxuiHand *self)
{
    return self->swapped ? CXUI_SIDE_B : CXUI_SIDE_A;
}

void
cxui_hand_swap_side(CxuiHand *self)
{
    self->swapped = !self->swapped;
    g_signal_emit(self, signals[CHANGED], 0);
}

bool
cxui_hand_is_ready(CxuiHand *self)
{
    CxuiEditController *edits = cxui_session_edits(self->session);

    switch (cxui_selection_tool(selection_of(self))) {
    case CXUI_TOOL_MERGE:
        return cxui_edit_controller_can_merge(edits);
    case CXUI_TOOL_SPLIT:
        return cxui_edit_controller_can_split(edits) &&
               cxui_selection_preview_state(selection_of(self)) !=
                   CXUI_PREVIEW_FAILED;
    case CXUI_TOOL_POINTER:
        break;
    }
    return false;
}

bool
cxui_hand_commit(CxuiHand *self)
{
    CxuiEditController *edits = cxui_session_edits(self->session);

    if (!cxui_hand_is_ready(self))
        return false;
    if (cxui_selection_tool(selection_of(self)) == CXUI_TOOL_MERGE)
        cxui_edit_controller_merge_selected(edits);
    else
        cxui_edit_controller_commit_split(edits);
    return true;
}

bool
cxui_hand_cancel(CxuiHand *self)
{
    CxuiSelection *selection = selection_of(self);
    size_t n = 0;

    switch (cxui_selection_tool(selection)) {
    case CXUI_TOOL_POINTER:
        return false;
    case CXUI_TOOL_SPLIT:
        cxui_selection_seeds(selection, &n);
        if (n > 0) {
            cxui_selection_clear_seeds(selection);
            return true;
        }
        break;
    case CXUI_TOOL_MERGE:
        break;
    }
    cxui_selection_set_tool(selection, CXUI_TOOL_POINTER);
    return true;
}

static char *
format_voxels(CxuiHand *self, uint64_t n_voxels)
{
    CxNm nm = cxui_view_state_voxel_nm(cxui_session_view(self->session));

    return cxui_format_volume((double)n_voxels * nm.x * nm.y * nm.z * 1e-9);
}

/* "18 014 (1.2 µm³)" */
static char *
name_segment(CxuiHand *self, CxId id)
{
    CxuiSegmentModel *model = cxui_session_segment_model(self->session);
    g_autofree char *number = cxui_format_id(id);
    CxSegment segment;

    if (!cxui_segment_model_lookup(model, id, &segment))
        return g_steal_pointer(&number);
    CxNm nm = cxui_view_state_voxel_nm(cxui_session_view(self->session));
    g_autofree char *volume = cxui_format_volume((double)segment.n_voxels *
                                                 nm.x * nm.y * nm.z * 1e-9);
    return g_strdup_printf("%s (%s)", number, volume);
}

static char *
ask_merge(CxuiHand *self)
{
    size_t n = 0;
    const CxId *ids = cxui_selection_ids(selection_of(self), &n);

    if (n == 0)
        return g_strdup("Click the segment that keeps its name.");
    g_autofree char *keep = name_segment(self, ids[0]);
    if (n == 1)
        return g_strdup_printf("<span foreground=\"#4fb7ff\">A %s</span>: "
                               "click its partner.",
                               keep);
    g_autofree char *other = n == 2 ? name_segment(self, ids[1])
                                    : g_strdup_printf("%zu segments", n - 1);
    return g_strdup_printf("Merge <span foreground=\"#ffa03c\">B %s</span> "
                           "into <span foreground=\"#4fb7ff\">A %s</span>?",
                           other, keep);
}

/* Voxels that would be cut off; both lists are sorted. */
static uint64_t
count_voxels(CxuiHand *self, CxId segment, const CxId *ids, size_t n)
{
    CxSupervoxelGraph *graph = cxui_session_graph(self->session);
    g_autoptr(GArray) members =
        graph != NULL ? cx_supervoxel_graph_members(graph, segment) : NULL;
    uint64_t total = 0;
    size_t k = 0;

    for (guint i = 0; members != NULL && i < members->len && k < n; i++) {
        const CxSupervoxel *member = &g_array_index(members, CxSupervoxel, i);
        if (member->id != ids[k])
            continue;
        total += member->n_voxels;
        k++;
    }
    return total;
}

/* Both sides by volume; what keeps the id is not for the hand to say. */
static char *
ask_split_ready(CxuiHand *self)
{
    CxuiSelection *selection = selection_of(self);
    CxId segment = cxui_selection_split_segment(selection);
    size_t n = 0;
    const CxId *ids = cxui_selection_preview(selection, &n);
    uint64_t moved = count_voxels(self, segment, ids, n);
    CxSegment whole = {0};

    cxui_segment_model_lookup(cxui_session_segment_model(self->session),
                              segment, &whole);
    uint64_t rest = whole.n_voxels > moved ? whole.n_voxels - moved : 0;
    bool moves_a = cxui_preview_side(self->session) == CXUI_SIDE_A;
    g_autofree char *name = cxui_format_id(segment);
    g_autofree char *a = format_voxels(self, moves_a ? moved : rest);
    g_autofree char *b = format_voxels(self, moves_a ? rest : moved);
    return g_strdup_printf("Cut %s into <span foreground=\"#4fb7ff\">A (%s)"
                           "</span> and <span foreground=\"#ffa03c\">B (%s)"
                           "</span>?",
                           name, a, b);
}

static char *
ask_split(CxuiHand *self)
{
    CxuiSelection *selection = selection_of(self);
    size_t n = 0;
    unsigned n_a = 0;

    switch (cxui_selection_preview_state(selection)) {
    case CXUI_PREVIEW_READY:
        return ask_split_ready(self);
    case CXUI_PREVIEW_COMPUTING:
        return g_strdup("Looking for the cut…");
    case CXUI_PREVIEW_FAILED:
        return g_markup_escape_text(cxui_selection_preview_reason(selection),
                                    -1);
    case CXUI_PREVIEW_NONE:
        break;
    }
    const CxuiSeed *seeds = cxui_selection_seeds(selection, &n);
    for (size_t i = 0; i < n; i++)
        n_a += seeds[i].side == CXUI_SIDE_A;
    if (n == 0)
        return g_strdup_printf("Ctrl+click the part that is %s.",
                               self->swapped ? "cut off (side B)"
                                             : "kept (side A)");
    return g_strdup(n_a == 0 ? "Set a seed on side A."
                             : "Ctrl+Shift+click the part that is cut off "
                               "(side B).");
}

char *
cxui_hand_dup_question(CxuiHand *self)
{
    if (self->remark != NULL)
        return g_markup_escape_text(self->remark, -1);
    switch (cxui_selection_tool(selection_of(self))) {
    case CXUI_TOOL_MERGE:
        return ask_merge(self);
    case CXUI_TOOL_SPLIT:
        return ask_split(self);
    case CXUI_TOOL_POINTER:
        break;
    }
    return NULL;
}

static void
on_selection_changed(CxuiSelection *selection, guint flags, CxuiHand *self)
{
    if (flags & CXUI_SELECTION_TOOL)
        self->swapped = false;
    if (flags & ~(guint)CXUI_SELECTION_HOVER)
        g_clear_pointer(&self->remark, g_free);
    if (flags & ~(guint)(CXUI_SELECTION_HOVER | CXUI_SELECTION_HIDDEN))
        g_signal_emit(self, signals[CHANGED], 0);
}

CxuiHand *
cxui_hand_new(CxuiSession *session)
{
    CxuiHand *self = g_object_new(CXUI_TYPE_HAND, NULL);

    self->session = session;
    g_signal_connect_object(cxui_session_selection(session), "changed",
                            G_CALLBACK(on_selection_changed), self, 0);
    return self;
}

static void
cxui_hand_finalize(GObject *object)
{
    CxuiHand *self = CXUI_HAND(object);

    g_array_unref(self->before);
    g_free(self->remark);
    G_OBJECT_CLASS(cxui_hand_parent_class)->finalize(object);
}

static void
cxui_hand_init(CxuiHand *self)
{
    self->before = g_array_new(FALSE, FALSE, sizeof(CxId));
}

static void
cxui_hand_class_init(CxuiHandClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = cxui_hand_finalize;
    signals[CHANGED] =
        g_signal_new("changed", G_TYPE_FROM_CLASS(klass), G_SIGNAL_RUN_LAST, 0,
                     NULL, NULL, NULL, G_TYPE_NONE, 0);
}
