/* How few channels and bits are enough.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_prune_panel.h"

#include "app/views/plot_chart.h"
#include "app/views/plot_parts.h"

#include <math.h>

#define FLOAT_BITS 9 /* the slider's end: not rounded */

struct _CxuiRetinaPrunePanel {
    AdwBin parent;
    CxuiRetinaSession *session;
    bool filling;
    GtkWidget *order, *fate, *k, *bits, *faithful, *channels_view, *scalar_view,
        *bits_view;
    CxuiChart *channels, *scalar, *by_bits;
};

G_DEFINE_FINAL_TYPE(CxuiRetinaPrunePanel, cxui_retina_prune_panel, ADW_TYPE_BIN)

static void
add_points(CxuiChart *chart, const CxFaithfulness *f, const char *name,
           int colour, size_t offset)
{
    g_autofree double *x = g_new0(double, f->n_points + 1);
    g_autofree double *y = g_new0(double, f->n_points + 1);

    for (size_t i = 0; i < f->n_points; i++) {
        const char *point = (const char *)&f->points[i];
        x[i] = f->points[i].k;
        y[i] = *(const double *)(const void *)(point + offset);
    }
    CxuiSeries series = {.name = name,
                         .mark = CXUI_MARK_LINE_POINTS,
                         .colour = colour,
                         .x = x,
                         .y = y,
                         .n = f->n_points};
    cxui_chart_add(chart, &series);
}

static void
show_scalar(CxuiRetinaPrunePanel *self, const CxFaithfulness *f)
{
    g_autofree char *label = g_strdup_printf(
        "%s%s%s%s", f->scalar_key, f->scalar_unit[0] != '\0' ? " (" : "",
        f->scalar_unit, f->scalar_unit[0] != '\0' ? ")" : "");

    cxui_chart_set_labels(self->scalar, "Channels kept", label);
    cxui_figure_set_title(cxui_chart_figure(self->scalar),
                          "The protocol's number");
    add_points(self->scalar, f, NULL, 3,
               G_STRUCT_OFFSET(CxFaithfulnessPoint, scalar));
    if (isfinite(f->simulator_scalar))
        cxui_chart_mark_y(self->scalar, f->simulator_scalar, "simulated retina",
                          1);
}

static void
show_curves(CxuiRetinaPrunePanel *self)
{
    const CxFaithfulness *f =
        cxui_retina_session_faithfulness(self->session, false);
    const CxFaithfulness *bits =
        cxui_retina_session_faithfulness(self->session, true);
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);
    const CxuiRetinaWish *wish = cxui_retina_session_wish(self->session);
    double now = wish->k > 0      ? wish->k
                 : replay != NULL ? (double)replay->n_channels
                                  : 8.0;

    cxui_chart_clear(self->channels);
    cxui_chart_clear(self->scalar);
    cxui_chart_clear(self->by_bits);
    if (f != NULL) {
        add_points(self->channels, f, "r", 0,
                   G_STRUCT_OFFSET(CxFaithfulnessPoint, r));
        add_points(self->channels, f, "explained", 1,
                   G_STRUCT_OFFSET(CxFaithfulnessPoint, explained));
        cxui_chart_mark_x(self->channels, now, "now", CXUI_COLOUR_TEXT);
        show_scalar(self, f);
        cxui_chart_mark_x(self->scalar, now, NULL, CXUI_COLOUR_TEXT);
    }
    if (bits != NULL) {
        add_points(self->by_bits, bits, "r to the network", 0,
                   G_STRUCT_OFFSET(CxFaithfulnessPoint, r));
        add_points(self->by_bits, bits, "r to the simulated retina", 1,
                   G_STRUCT_OFFSET(CxFaithfulnessPoint, r_simulator));
        if (wish->bits > 0)
            cxui_chart_mark_x(self->by_bits, wish->bits, "now",
                              CXUI_COLOUR_TEXT);
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->channels_view));
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->scalar_view));
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->bits_view));
}

static void
on_replay(CxuiRetinaSession *session, CxuiRetinaPrunePanel *self)
{
    const CxRetinaReplay *replay = cxui_retina_session_replay(session);
    const CxuiRetinaWish *wish = cxui_retina_session_wish(session);
    size_t n = replay->n_channels;
    size_t kept = 0;

    for (size_t c = 0; c < n; c++)
        kept += replay->mask.layer1[c] == CX_RETINA_KEEP;
    g_autofree char *text = g_strdup_printf(
        "This film, %zu of %zu channels%s: r = %.4f, explained variance "
        "%.1f %%",
        kept, n, wish->bits > 0 ? ", rounded" : "", replay->reduced_r,
        replay->reduced_explained * 100.0);
    cxui_part_say(self->faithful, text);
    self->filling = true;
    gtk_range_set_range(GTK_RANGE(self->k), 1.0, fmax((double)n, 2.0));
    gtk_range_set_value(GTK_RANGE(self->k), wish->k > 0 ? wish->k : (double)n);
    gtk_range_set_value(GTK_RANGE(self->bits),
                        wish->bits > 0 ? wish->bits : FLOAT_BITS);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->order), wish->order);
    self->filling = false;
    show_curves(self);
}

static void
on_setting(CxuiRetinaPrunePanel *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (self->filling || replay == NULL)
        return;
    unsigned k = (unsigned)gtk_range_get_value(GTK_RANGE(self->k));
    unsigned bits = (unsigned)gtk_range_get_value(GTK_RANGE(self->bits));
    wish.k = k >= replay->n_channels ? 0 : k;
    wish.bits = bits >= FLOAT_BITS ? 0 : bits;
    wish.order =
        (CxChannelOrder)gtk_drop_down_get_selected(GTK_DROP_DOWN(self->order));
    wish.fate = gtk_drop_down_get_selected(GTK_DROP_DOWN(self->fate)) == 1
                    ? CX_RETINA_HOLD
                    : CX_RETINA_ZERO;
    cxui_retina_session_set_wish(self->session, &wish);
}

static char *
format_bits(GtkScale *scale, double value, gpointer data)
{
    return value >= FLOAT_BITS ? g_strdup("float")
                               : g_strdup_printf("%.0f bit", value);
}

static void
add_controls(CxuiRetinaPrunePanel *self, GtkWidget *box)
{
    static const char *const orders[] = {
        "By this protocol's attribution", "By all four protocols",
        "By the size of the weights",     "At random",
        "By gradient times input",        NULL};
    static const char *const fates[] = {"Silent", "Held at grey", NULL};

    self->order = cxui_part_choice(box, "Order of the channels", orders);
    self->fate = cxui_part_choice(box, "A removed channel is", fates);
    self->k = cxui_part_scale(box, "Channels kept", "", 1, 8, 1, 0);
    self->bits =
        cxui_part_scale(box, "Bits of a weight", "", 2, FLOAT_BITS, 1, 0);
    gtk_scale_set_format_value_func(GTK_SCALE(self->bits), format_bits, NULL,
                                    NULL);
    self->faithful = cxui_part_text(box, "", false);
    g_signal_connect_swapped(self->order, "notify::selected",
                             G_CALLBACK(on_setting), self);
    g_signal_connect_swapped(self->fate, "notify::selected",
                             G_CALLBACK(on_setting), self);
    g_signal_connect_swapped(self->k, "value-changed", G_CALLBACK(on_setting),
                             self);
    g_signal_connect_swapped(self->bits, "value-changed",
                             G_CALLBACK(on_setting), self);
}

GtkWidget *
cxui_retina_prune_panel_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    CxuiRetinaPrunePanel *self =
        g_object_new(CXUI_TYPE_RETINA_PRUNE_PANEL, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->filling = true;
    add_controls(self, box);
    self->channels = cxui_chart_new("Faithfulness", "Channels kept", NULL);
    self->scalar =
        cxui_chart_new("The protocol's number", "Channels kept", NULL);
    self->by_bits = cxui_chart_new("Bit width", "Bits of a weight", NULL);
    cxui_chart_set_empty(self->channels, "Measuring…");
    cxui_chart_set_empty(self->scalar, "Measuring…");
    cxui_chart_set_empty(self->by_bits, "Measuring…");
    self->channels_view =
        cxui_part_plot(box, cxui_chart_figure(self->channels),
                       "Faithfulness over channels kept", 140);
    self->scalar_view =
        cxui_part_plot(box, cxui_chart_figure(self->scalar),
                       "The protocol's number over channels", 120);
    self->bits_view = cxui_part_plot(box, cxui_chart_figure(self->by_bits),
                                     "Faithfulness over bits", 130);
    self->filling = false;
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 300));
    g_signal_connect_object(session, "replay-changed", G_CALLBACK(on_replay),
                            self, 0);
    g_signal_connect_object(session, "faithfulness-changed",
                            G_CALLBACK(show_curves), self, G_CONNECT_SWAPPED);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_PRUNE_PANEL(object)->session);
    G_OBJECT_CLASS(cxui_retina_prune_panel_parent_class)->dispose(object);
}

static void
cxui_retina_prune_panel_class_init(CxuiRetinaPrunePanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_prune_panel_init(CxuiRetinaPrunePanel *self)
{
}
