/* Asks for the box that is to be segmented, and shows it in the panes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/segment_box.h"

#include "app/views/window_private.h"

typedef struct {
    CxuiWindow *window;  /* the dialog is transient for it */
    GtkWidget *spins[6]; /* lo x y z, hi x y z (last voxel, as people count) */
} Asking;

static CxBox
read_box(const Asking *asking)
{
    int64_t values[6] = {0};

    for (int i = 0; i < 6; i++)
        values[i] =
            gtk_spin_button_get_value_as_int(GTK_SPIN_BUTTON(asking->spins[i]));
    return (CxBox){{values[0], values[1], values[2]},
                   {values[3] + 1, values[4] + 1, values[5] + 1}};
}

static void
show_box(Asking *asking)
{
    CxBox box = read_box(asking);

    for (int i = 0; i < PANE_SCENE; i++)
        cxui_slice_view_set_box(CXUI_SLICE_VIEW(asking->window->slices[i]),
                                &box);
}

static void
on_response(AdwMessageDialog *dialog, const char *response, Asking *asking)
{
    CxuiWindow *window = asking->window;
    CxBox box = read_box(asking);

    for (int i = 0; i < PANE_SCENE; i++)
        cxui_slice_view_set_box(CXUI_SLICE_VIEW(window->slices[i]), NULL);
    if (g_str_equal(response, "segment") && !cx_box_is_empty(box))
        cxui_segmenter_run(
            cxui_session_segmenter(window->session), box,
            cxui_view_state_voxel(cxui_session_view(window->session)));
}

static void
add_spin(Asking *asking, GtkGrid *grid, int i, int64_t lo, int64_t hi,
         int64_t value)
{
    static const char *const names[6] = {"From x", "From y", "From z",
                                         "To x",   "To y",   "To z"};
    GtkWidget *spin = gtk_spin_button_new_with_range((double)lo, (double)hi, 1);

    gtk_spin_button_set_value(GTK_SPIN_BUTTON(spin), (double)value);
    gtk_accessible_update_property(GTK_ACCESSIBLE(spin),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, names[i], -1);
    gtk_entry_set_activates_default(GTK_ENTRY(gtk_widget_get_first_child(spin)),
                                    TRUE);
    g_signal_connect_swapped(spin, "value-changed", G_CALLBACK(show_box),
                             asking);
    gtk_grid_attach(grid, spin, 1 + i % 3, 1 + i / 3, 1, 1);
    asking->spins[i] = spin;
}

static GtkWidget *
new_grid(Asking *asking, CxBox bounds, CxBox box)
{
    GtkWidget *grid = gtk_grid_new();
    int64_t lo[3] = {bounds.lo.x, bounds.lo.y, bounds.lo.z};
    int64_t hi[3] = {bounds.hi.x - 1, bounds.hi.y - 1, bounds.hi.z - 1};
    int64_t values[6] = {box.lo.x,     box.lo.y,     box.lo.z,
                         box.hi.x - 1, box.hi.y - 1, box.hi.z - 1};

    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
    for (int i = 0; i < 3; i++)
        gtk_grid_attach(GTK_GRID(grid),
                        gtk_label_new((const char *[]){"x", "y", "z"}[i]),
                        1 + i, 0, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), gtk_label_new("From"), 0, 1, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), gtk_label_new("To"), 0, 2, 1, 1);
    for (int i = 0; i < 6; i++)
        add_spin(asking, GTK_GRID(grid), i, lo[i % 3], hi[i % 3], values[i]);
    return grid;
}

void
cxui_segment_box_present(CxuiWindow *window)
{
    CxBox bounds = cxui_view_state_bounds(cxui_session_view(window->session));
    CxBox field = cxui_slice_view_field(cxui_window_slice(window));
    g_autofree char *warning =
        cxui_segmenter_dup_warning(cxui_session_segmenter(window->session));
    GtkWidget *dialog = adw_message_dialog_new(
        GTK_WINDOW(window), "Segment a Box",
        warning != NULL ? warning
                        : "Blocks that touch the box and are not segmented "
                          "yet are computed.");
    Asking *asking = g_new0(Asking, 1);

    asking->window = window;
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog),
                                       new_grid(asking, bounds, field));
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel",
                                     "_Cancel", "segment", "_Segment", NULL);
    adw_message_dialog_set_response_appearance(
        ADW_MESSAGE_DIALOG(dialog), "segment", ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog),
                                            "segment");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    g_signal_connect_data(dialog, "response", G_CALLBACK(on_response), asking,
                          (GClosureNotify)(GCallback)g_free, 0);
    show_box(asking);
    gtk_window_present(GTK_WINDOW(dialog));
}
