/* The time line of the Retina page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_bar.h"

#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiRetinaBar {
    AdwBin parent;
    CxuiReplayClock *clock; /* owned reference */
    double origin;
    GtkWidget *play, *loop, *speed, *slider, *time;
    bool following; /* the slider moves by itself */
};

G_DEFINE_FINAL_TYPE(CxuiRetinaBar, cxui_retina_bar, ADW_TYPE_BIN)

static const double speeds[] = {0.02, 0.05, 0.1, 0.25, 0.5, 1.0};

static void
show(CxuiRetinaBar *self)
{
    unsigned frame = cxui_replay_clock_frame(self->clock);
    unsigned n = cxui_replay_clock_n_frames(self->clock);
    bool playing = cxui_replay_clock_is_playing(self->clock);
    g_autofree char *text = g_strdup_printf("%.0f ms · frame %u of %u",
                                            (frame - self->origin) * 10.0,
                                            n > 0 ? frame + 1 : 0, n);

    self->following = true;
    gtk_range_set_range(GTK_RANGE(self->slider), 0.0, fmax(n, 2.0) - 1.0);
    gtk_range_set_value(GTK_RANGE(self->slider), frame);
    self->following = false;
    cxui_part_say(self->time, text);
    gtk_button_set_icon_name(GTK_BUTTON(self->play),
                             playing ? "media-playback-pause-symbolic"
                                     : "media-playback-start-symbolic");
    gtk_widget_set_sensitive(GTK_WIDGET(self), n > 0);
}

static void
on_slider(GtkRange *range, CxuiRetinaBar *self)
{
    if (!self->following)
        cxui_replay_clock_seek(self->clock,
                               (unsigned)lround(gtk_range_get_value(range)));
}

static void
on_speed(GtkDropDown *choice, GParamSpec *spec, CxuiRetinaBar *self)
{
    guint i = gtk_drop_down_get_selected(choice);

    if (i < G_N_ELEMENTS(speeds))
        cxui_replay_clock_set_speed(self->clock, speeds[i]);
}

void
cxui_retina_bar_set_origin(CxuiRetinaBar *self, double frame)
{
    self->origin = frame;
    show(self);
}

static void
add_speed(CxuiRetinaBar *self, GtkWidget *box)
{
    static const char *const names[] = {"1/50 ×", "1/20 ×", "1/10 ×", "1/4 ×",
                                        "1/2 ×",  "1 ×",    NULL};

    self->speed = gtk_drop_down_new_from_strings(names);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->speed), 3);
    gtk_widget_set_tooltip_text(self->speed, "Speed: 1 × is real time");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->speed),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Speed", -1);
    gtk_widget_set_focus_on_click(gtk_widget_get_first_child(self->speed),
                                  FALSE);
    gtk_box_append(GTK_BOX(box), self->speed);
    g_signal_connect(self->speed, "notify::selected", G_CALLBACK(on_speed),
                     self);
}

GtkWidget *
cxui_retina_bar_new(CxuiReplayClock *clock)
{
    CxuiRetinaBar *self = g_object_new(CXUI_TYPE_RETINA_BAR, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

    self->clock = g_object_ref(clock);
    cxui_part_icon(box, "media-skip-backward-symbolic", "One frame back",
                   "win.replay-step(-1)");
    self->play = cxui_part_icon(box, "media-playback-start-symbolic", "Play",
                                "win.play");
    cxui_part_icon(box, "media-skip-forward-symbolic", "One frame on",
                   "win.replay-step(1)");
    self->loop = gtk_toggle_button_new();
    gtk_button_set_icon_name(GTK_BUTTON(self->loop),
                             "media-playlist-repeat-symbolic");
    gtk_widget_add_css_class(self->loop, "flat");
    gtk_widget_set_focus_on_click(self->loop, FALSE);
    gtk_widget_set_tooltip_text(self->loop, "Begin again at the end");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->loop),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Loop", -1);
    g_object_bind_property(clock, "loop", self->loop, "active",
                           G_BINDING_SYNC_CREATE | G_BINDING_BIDIRECTIONAL);
    gtk_box_append(GTK_BOX(box), self->loop);
    add_speed(self, box);
    self->slider =
        gtk_scale_new_with_range(GTK_ORIENTATION_HORIZONTAL, 0, 1, 1);
    gtk_scale_set_draw_value(GTK_SCALE(self->slider), FALSE);
    gtk_widget_set_hexpand(self->slider, TRUE);
    gtk_widget_set_focus_on_click(self->slider, FALSE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->slider),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Time", -1);
    g_signal_connect(self->slider, "value-changed", G_CALLBACK(on_slider),
                     self);
    gtk_box_append(GTK_BOX(box), self->slider);
    self->time = gtk_label_new("");
    gtk_label_set_width_chars(GTK_LABEL(self->time), 24);
    gtk_label_set_xalign(GTK_LABEL(self->time), 1.0F);
    gtk_widget_add_css_class(self->time, "numeric");
    gtk_box_append(GTK_BOX(box), self->time);
    gtk_widget_add_css_class(box, "time-line");
    adw_bin_set_child(ADW_BIN(self), box);
    g_signal_connect_object(clock, "notify", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    show(self);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_BAR(object)->clock);
    G_OBJECT_CLASS(cxui_retina_bar_parent_class)->dispose(object);
}

static void
cxui_retina_bar_class_init(CxuiRetinaBarClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_bar_init(CxuiRetinaBar *self)
{
}
