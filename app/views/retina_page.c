/* The Retina page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_page.h"

#include "app/session/replay_clock.h"
#include "app/session/retina_session.h"
#include "app/views/plot_parts.h"
#include "app/views/retina_bar.h"
#include "app/views/retina_circuit_panel.h"
#include "app/views/retina_export.h"
#include "app/views/retina_prune_panel.h"
#include "app/views/retina_report_panel.h"
#include "app/views/retina_stimulus.h"
#include "app/views/retina_sweep_panel.h"
#include "app/views/retina_traces.h"
#include "app/views/retina_train_panel.h"

struct _CxuiRetinaPage {
    AdwBin parent;
    CxuiRetinaSession *session;
    CxuiReplayClock *clock;
    CxuiRetinaExport *export;
    GtkWidget *stimulus, *panels, *stack, *bar, *export_button, *busy;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaPage, cxui_retina_page, ADW_TYPE_BIN)

static void
on_replay(CxuiRetinaPage *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    double onset = (double)MAX(replay->condition->onset_frame, 0);
    bool first = cxui_replay_clock_n_frames(self->clock) == 0;

    cxui_replay_clock_set_n_frames(self->clock, (unsigned)replay->n_frames);
    cxui_retina_bar_set_origin(CXUI_RETINA_BAR(self->bar), onset);
    if (first)
        cxui_replay_clock_seek(self->clock,
                               (unsigned)replay->circuit->peak_frame);
}

static void
on_busy(CxuiRetinaPage *self)
{
    gtk_spinner_set_spinning(GTK_SPINNER(self->busy),
                             cxui_retina_session_is_busy(self->session));
}

/* Measures follow the panel that is looked at. */
static void
on_panel(CxuiRetinaPage *self)
{
    const char *name = gtk_stack_get_visible_child_name(GTK_STACK(self->stack));

    cxui_retina_session_show(self->session, g_strcmp0(name, "sweep") == 0,
                             g_strcmp0(name, "prune") == 0);
}

void
cxui_retina_page_play(CxuiRetinaPage *self)
{
    cxui_replay_clock_set_playing(self->clock,
                                  !cxui_replay_clock_is_playing(self->clock));
}

void
cxui_retina_page_step(CxuiRetinaPage *self, int frames)
{
    cxui_replay_clock_step(self->clock, frames);
}

void
cxui_retina_page_toggle_channel(CxuiRetinaPage *self, unsigned c)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (replay == NULL || c >= replay->n_channels)
        return;
    wish.muted ^= (uint64_t)1 << c;
    cxui_retina_session_set_wish(self->session, &wish);
}

void
cxui_retina_page_show_panels(CxuiRetinaPage *self, bool shown)
{
    gtk_widget_set_visible(self->stimulus, shown);
    gtk_widget_set_visible(self->panels, shown);
}

void
cxui_retina_page_export(CxuiRetinaPage *self)
{
    gtk_menu_button_popup(GTK_MENU_BUTTON(self->export_button));
}

void
cxui_retina_page_stop(CxuiRetinaPage *self)
{
    cxui_replay_clock_set_playing(self->clock, false);
    cxui_retina_session_stop(self->session);
}

static GtkWidget *
new_panels(CxuiRetinaPage *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *switcher = gtk_stack_switcher_new();
    GtkStack *stack;

    self->stack = gtk_stack_new();
    stack = GTK_STACK(self->stack);
    gtk_stack_add_titled(
        stack, cxui_retina_circuit_panel_new(self->session, self->clock),
        "circuit", "Circuit");
    gtk_stack_add_titled(
        stack, cxui_retina_prune_panel_new(self->session, self->clock), "prune",
        "Prune");
    gtk_stack_add_titled(
        stack, cxui_retina_sweep_panel_new(self->session, self->clock), "sweep",
        "Sweep");
    gtk_stack_add_titled(
        stack, cxui_retina_report_panel_new(self->session, self->clock),
        "report", "Report");
    gtk_stack_add_titled(
        stack, cxui_retina_train_panel_new(self->session, self->clock), "train",
        "Train");
    gtk_stack_switcher_set_stack(GTK_STACK_SWITCHER(switcher), stack);
    gtk_widget_set_margin_top(switcher, 6);
    gtk_widget_set_margin_start(switcher, 6);
    gtk_widget_set_margin_end(switcher, 6);
    gtk_widget_set_vexpand(self->stack, TRUE);
    gtk_box_append(GTK_BOX(box), switcher);
    gtk_box_append(GTK_BOX(box), self->stack);
    gtk_widget_add_css_class(box, "sidebar");
    g_signal_connect_object(self->stack, "notify::visible-child",
                            G_CALLBACK(on_panel), self, G_CONNECT_SWAPPED);
    return box;
}

static GtkWidget *
new_time_line(CxuiRetinaPage *self)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    self->bar = cxui_retina_bar_new(self->clock);
    gtk_widget_set_hexpand(self->bar, TRUE);
    gtk_box_append(GTK_BOX(row), self->bar);
    self->busy = gtk_spinner_new();
    gtk_box_append(GTK_BOX(row), self->busy);
    self->export_button = gtk_menu_button_new();
    gtk_menu_button_set_label(GTK_MENU_BUTTON(self->export_button), "Export");
    gtk_menu_button_set_direction(GTK_MENU_BUTTON(self->export_button),
                                  GTK_ARROW_UP);
    gtk_menu_button_set_menu_model(GTK_MENU_BUTTON(self->export_button),
                                   cxui_retina_export_menu(self->export));
    gtk_widget_add_css_class(self->export_button, "flat");
    gtk_widget_set_focus_on_click(self->export_button, FALSE);
    gtk_widget_set_tooltip_text(self->export_button,
                                "Traces, pictures and preset (Ctrl+E)");
    gtk_box_append(GTK_BOX(row), self->export_button);
    gtk_widget_set_margin_end(row, 6);
    return row;
}

GtkWidget *
cxui_retina_page_new(CxuiSession *session)
{
    CxuiRetinaPage *self = g_object_new(CXUI_TYPE_RETINA_PAGE, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *columns = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    self->session = cxui_retina_session_new(session);
    self->clock = cxui_replay_clock_new();
    self->export = cxui_retina_export_new(self->session, GTK_WIDGET(self));
    self->stimulus = cxui_retina_stimulus_new(self->session, self->clock);
    gtk_box_append(GTK_BOX(columns), self->stimulus);
    gtk_box_append(GTK_BOX(columns),
                   cxui_retina_traces_new(self->session, self->clock));
    self->panels = new_panels(self);
    gtk_box_append(GTK_BOX(columns), self->panels);
    gtk_widget_set_vexpand(columns, TRUE);
    gtk_box_append(GTK_BOX(box), columns);
    gtk_box_append(GTK_BOX(box), new_time_line(self));
    gtk_widget_add_css_class(box, "science");
    adw_bin_set_child(ADW_BIN(self), box);
    g_signal_connect_object(self->session, "replay-changed",
                            G_CALLBACK(on_replay), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(self->session, "busy-changed", G_CALLBACK(on_busy),
                            self, G_CONNECT_SWAPPED);
    on_busy(self);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    CxuiRetinaPage *self = CXUI_RETINA_PAGE(object);

    g_clear_object(&self->export);
    g_clear_object(&self->session);
    g_clear_object(&self->clock);
    G_OBJECT_CLASS(cxui_retina_page_parent_class)->dispose(object);
}

static void
cxui_retina_page_class_init(CxuiRetinaPageClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_page_init(CxuiRetinaPage *self)
{
}
