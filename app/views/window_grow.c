/* Growing an object from here: the command, its network, its question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/window_private.h"

#include "app/views/format.h"

static CxuiGrower *
grower_of(CxuiWindow *self)
{
    return cxui_session_grower(self->session);
}

/* ---- the network */

/* The keys go to the pane, so that Enter and Esc answer the question. */
static void
start(CxuiWindow *self, CxVoxel at)
{
    gtk_widget_child_focus(cxui_window_pane(self, self->active),
                           GTK_DIR_TAB_FORWARD);
    cxui_grower_start(grower_of(self), at);
}

static void
on_model_response(GtkNativeDialog *chooser, int response, CxuiWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file =
            gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
        g_autofree char *path = g_file_get_path(file);

        if (path != NULL)
            cxui_grower_set_model(grower_of(self), path);
        if (self->grow_waits)
            start(self, self->grow_at);
    }
    self->grow_waits = false;
    g_clear_object(&self->chooser);
}

static void
choose_model(CxuiWindow *self)
{
    g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();

    gtk_file_filter_set_name(filter, "Networks (.h5)");
    gtk_file_filter_add_pattern(filter, "*.h5");
    cxui_window_choose_model(self, "Choose a Flood-Filling Network", filter,
                             G_CALLBACK(on_model_response));
}

static void
on_choose(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxuiWindow *self = data;

    self->grow_waits = false;
    choose_model(self);
}

/* ---- the command */

static void
grow(CxuiWindow *self, CxVoxel at)
{
    /* A network that has been taken away is asked for anew. */
    if (g_file_test(cxui_grower_model(grower_of(self)),
                    G_FILE_TEST_IS_REGULAR)) {
        start(self, at);
        return;
    }
    self->grow_at = at;
    self->grow_waits = true;
    choose_model(self);
}

/* Where the pointer is, else the cross-hair. */
static CxVoxel
here(CxuiWindow *self)
{
    return self->is_pointed
               ? self->pointed
               : cxui_view_state_voxel(cxui_session_view(self->session));
}

static void
on_grow(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    grow(data, here(data));
}

static void
on_grow_at(GSimpleAction *action, GVariant *parameter, gpointer data)
{
    CxVoxel at;

    g_variant_get(parameter, "(xxx)", &at.x, &at.y, &at.z);
    grow(data, at);
}

/* The pointer leaves the pane for the menu: the row keeps the place. */
void
cxui_window_add_grow_row(CxuiWindow *self, GMenu *menu)
{
    CxVoxel at = here(self);
    g_autoptr(GMenuItem) item = g_menu_item_new("Gro_w from Here", NULL);

    g_menu_item_set_action_and_target(item, "win.grow-at", "(xxx)", at.x, at.y,
                                      at.z);
    g_menu_append_item(menu, item);
}

/* ---- words */

static char *
dup_voxels(CxuiWindow *self)
{
    return cxui_format_count(cxui_grower_flood_state(grower_of(self)).n_voxels,
                             "voxel", "voxels");
}

static char *
dup_proposal(const CxGather *plan)
{
    g_autofree char *pieces =
        cxui_format_count(plan->movers->len, "piece", "pieces");
    g_autofree char *segments =
        cxui_format_count(plan->n_joined + plan->n_cut, "segment", "segments");
    g_autofree char *keep = cxui_format_id(plan->keep);
    g_autofree char *cut =
        plan->n_cut > 0 ? g_strdup_printf(" (%u of them cut)", plan->n_cut)
                        : g_strdup("");

    if (plan->keep == 0)
        return g_strdup_printf("Cut <b>%s</b> out of %s, as a segment of their "
                               "own?",
                               pieces, segments);
    return g_strdup_printf("Bring <b>%s</b> of %s%s into <b>%s</b>?", pieces,
                           segments, cut, keep);
}

static char *
dup_review(CxuiWindow *self)
{
    const CxGather *plan = cxui_grower_plan(grower_of(self));
    g_autofree char *voxels = dup_voxels(self);

    if (cxui_grower_is_planning(grower_of(self)))
        return g_strdup_printf("Grown: %s. Finding its segments…", voxels);
    if (plan == NULL || plan->inside->len == 0)
        return g_strdup_printf("Grown: %s. Nothing is segmented here yet: "
                               "segment the field first.",
                               voxels);
    if (plan->movers->len > 0)
        return dup_proposal(plan);
    g_autofree char *keep = cxui_format_id(plan->keep);
    return g_strdup_printf("Grown: %s. They are one segment already: <b>%s</b>",
                           voxels, keep);
}

char *
cxui_window_dup_grow_question(CxuiWindow *self)
{
    CxFloodState state = cxui_grower_flood_state(grower_of(self));

    switch (cxui_grower_state(grower_of(self))) {
    case CXUI_GROWER_GROWING: {
        g_autofree char *voxels = dup_voxels(self);
        g_autofree char *steps =
            cxui_format_count(state.steps, "step", "steps");

        return g_strdup_printf("Growing: <b>%s</b> after %s", voxels, steps);
    }
    case CXUI_GROWER_REVIEW:
        return dup_review(self);
    case CXUI_GROWER_IDLE:
        break;
    }
    return NULL;
}

const char *
cxui_window_grow_leave_label(CxuiWindow *self)
{
    switch (cxui_grower_state(grower_of(self))) {
    case CXUI_GROWER_GROWING:
        return "Stop";
    case CXUI_GROWER_REVIEW:
        return "Discard";
    case CXUI_GROWER_IDLE:
        break;
    }
    return "Leave";
}

const char *
cxui_window_grow_commit_label(CxuiWindow *self)
{
    const CxGather *plan = cxui_grower_plan(grower_of(self));

    return plan != NULL && plan->keep == 0 ? "Cut Out" : "Bring Together";
}

/* ---- wiring */

void
cxui_window_update_growing(CxuiWindow *self)
{
    static const char *const names[] = {"grow", "grow-at"};
    bool can = cxui_session_is_open(self->session) &&
               cxui_session_image(self->session) != NULL &&
               cxui_grower_state(grower_of(self)) != CXUI_GROWER_GROWING;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        GAction *action =
            g_action_map_lookup_action(G_ACTION_MAP(self), names[i]);

        g_simple_action_set_enabled(G_SIMPLE_ACTION(action), can);
    }
}

void
cxui_window_add_growing(CxuiWindow *self)
{
    static const GActionEntry entries[] = {
        {"grow", on_grow, NULL, NULL, NULL, {0}},
        {"grow-at", on_grow_at, "(xxx)", NULL, NULL, {0}},
        {"grow-model", on_choose, NULL, NULL, NULL, {0}},
    };

    g_action_map_add_action_entries(G_ACTION_MAP(self), entries,
                                    G_N_ELEMENTS(entries), self);
    g_signal_connect_object(grower_of(self), "changed",
                            G_CALLBACK(cxui_window_update_mode), self,
                            G_CONNECT_SWAPPED);
}
