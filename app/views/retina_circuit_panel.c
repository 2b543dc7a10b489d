/* The circuit, and the answer key.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_circuit_panel.h"

#include "app/views/plot_circuit.h"
#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiRetinaCircuitPanel {
    AdwBin parent;
    CxuiRetinaSession *session;
    bool filling;
    GtkWidget *net_view, *key_view, *show_key, *rule, *steps;
    GtkWidget *parts[CX_N_KNOCK_OUTS];
    CxuiCircuit *net, *key;
    unsigned channel_of[CX_RETINA_MAX_CHANNELS + 1]; /* of node 1 … */
};

G_DEFINE_FINAL_TYPE(CxuiRetinaCircuitPanel, cxui_retina_circuit_panel,
                    ADW_TYPE_BIN)

static const char *const part_titles[CX_N_KNOCK_OUTS] = {
    "Gain control",      "Slow inhibition",     "ON bipolar cells",
    "OFF bipolar cells", "Synaptic depression",
};

static void
show_net(CxuiRetinaCircuitPanel *self, const CxRetinaReplay *replay)
{
    const CxCircuit *circuit = replay->circuit;
    g_autofree char *rate = g_strdup_printf("peak %.1f Hz", circuit->peak_rate);

    cxui_circuit_clear(self->net);
    unsigned film = cxui_circuit_add_node(self->net, 0, "stimulus", NULL,
                                          CXUI_COLOUR_DIM, false);
    g_autofree unsigned *nodes = g_new0(unsigned, circuit->n_nodes);
    for (size_t i = 0; i < circuit->n_nodes; i++) {
        const CxCircuitNode *node = &circuit->nodes[i];
        g_autofree char *name = g_strdup_printf("%u %s %s", node->channel + 1,
                                                node->on ? "ON" : "OFF",
                                                node->fast ? "fast" : "slow");
        g_autofree char *detail = g_strdup_printf(
            "%.0f ms · %.0f %%", node->lag_ms, node->share * 100.0);
        bool off = replay->mask.layer1[node->channel] != CX_RETINA_KEEP;
        nodes[i] = cxui_circuit_add_node(self->net, 1, name, detail,
                                         (int)node->channel, off);
        self->channel_of[nodes[i]] = node->channel;
    }
    unsigned cell = cxui_circuit_add_node(self->net, 2, "cell", rate,
                                          CXUI_COLOUR_TEXT, false);
    for (size_t i = 0; i < circuit->n_nodes; i++) {
        const CxCircuitNode *node = &circuit->nodes[i];
        cxui_circuit_connect(self->net, film, nodes[i], 0.0, NULL);
        cxui_circuit_connect(self->net, nodes[i], cell,
                             copysign(node->strength, node->effect), NULL);
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->net_view));
}

static double
mean_of(const float *values, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; values != NULL && i < n; i++)
        sum += fabs((double)values[i]);
    return n > 0 ? sum / (double)n : 0.0;
}

/* Mean drives of the true parts at this cell; the slow branch inhibits where
 * its mean is below 0. */
static void
show_key(CxuiRetinaCircuitPanel *self, const CxRetinaReplay *replay)
{
    static const struct {
        const char *name, *detail;
        CxKnockOut part;
    } rows[] = {
        {"OFF bipolar", "fast", CX_KNOCK_OUT_OFF_BIPOLAR},
        {"ON bipolar", "42 ms later", CX_KNOCK_OUT_ON_BIPOLAR},
        {"slow branch", "inhibits", CX_KNOCK_OUT_SLOW_BRANCH},
    };
    const float *drives[] = {replay->drive_off, replay->drive_on,
                             replay->drive_slow};
    unsigned out = cxui_retina_session_wish(self->session)->knock_outs;
    unsigned nodes[3];

    cxui_circuit_clear(self->key);
    unsigned film = cxui_circuit_add_node(self->key, 0, "stimulus", NULL,
                                          CXUI_COLOUR_DIM, false);
    for (int i = 0; i < 3; i++)
        nodes[i] =
            cxui_circuit_add_node(self->key, 1, rows[i].name, rows[i].detail,
                                  CXUI_COLOUR_DIM, (out & rows[i].part) != 0);
    unsigned cell = cxui_circuit_add_node(self->key, 2, "cell", NULL,
                                          CXUI_COLOUR_TEXT, false);
    for (int i = 0; i < 3; i++) {
        double sum = 0.0;
        for (size_t t = 0; t < replay->n_frames; t++)
            sum += drives[i][t];
        double weight = copysign(mean_of(drives[i], replay->n_frames), sum);
        cxui_circuit_connect(self->key, film, nodes[i], 0.0, NULL);
        cxui_circuit_connect(self->key, nodes[i], cell, weight, NULL);
    }
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->key_view));
}

static void
on_replay(CxuiRetinaSession *session, CxuiRetinaCircuitPanel *self)
{
    const CxuiRetinaWish *wish = cxui_retina_session_wish(session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(session);
    guint steps = wish->rule == CX_ATTRIBUTION_EXACT ? 3
                  : wish->n_steps <= 10              ? 0
                  : wish->n_steps <= 50              ? 1
                                                     : 2;

    show_net(self, replay);
    show_key(self, replay);
    self->filling = true;
    for (int i = 0; i < CX_N_KNOCK_OUTS; i++)
        gtk_check_button_set_active(GTK_CHECK_BUTTON(self->parts[i]),
                                    wish->knock_outs >> i & 1);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->steps), steps);
    self->filling = false;
}

/* --- controls */

static void
on_net_part(CxuiPlotView *view, int part, guint button, int clicks,
            CxuiRetinaCircuitPanel *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);
    const CxRetinaReplay *replay = cxui_retina_session_replay(self->session);

    if (replay == NULL || part < 1 || (size_t)part > replay->n_channels)
        return;
    wish.muted ^= (uint64_t)1 << self->channel_of[part];
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_key_part(CxuiPlotView *view, int part, guint button, int clicks,
            CxuiRetinaCircuitPanel *self)
{
    static const CxKnockOut bits[] = {
        CX_KNOCK_OUT_NONE, CX_KNOCK_OUT_OFF_BIPOLAR, CX_KNOCK_OUT_ON_BIPOLAR,
        CX_KNOCK_OUT_SLOW_BRANCH};
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (part < 1 || part >= (int)G_N_ELEMENTS(bits))
        return;
    wish.knock_outs ^= bits[part];
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_knock_out(GtkCheckButton *check, CxuiRetinaCircuitPanel *self)
{
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (self->filling)
        return;
    wish.knock_outs = 0;
    for (unsigned i = 0; i < CX_N_KNOCK_OUTS; i++) {
        if (gtk_check_button_get_active(GTK_CHECK_BUTTON(self->parts[i])))
            wish.knock_outs |= 1U << i;
    }
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_steps(GtkDropDown *choice, GParamSpec *spec, CxuiRetinaCircuitPanel *self)
{
    static const uint32_t steps[] = {10, 50, 100, 100};
    guint row = gtk_drop_down_get_selected(choice);
    CxuiRetinaWish wish = *cxui_retina_session_wish(self->session);

    if (self->filling || row >= G_N_ELEMENTS(steps))
        return;
    wish.rule = row == 3 ? CX_ATTRIBUTION_EXACT : CX_ATTRIBUTION_MIDPOINT;
    wish.n_steps = steps[row];
    cxui_retina_session_set_wish(self->session, &wish);
}

static void
on_show_key(GtkCheckButton *check, CxuiRetinaCircuitPanel *self)
{
    gtk_widget_set_visible(self->key_view, gtk_check_button_get_active(check));
}

GtkWidget *
cxui_retina_circuit_panel_new(CxuiRetinaSession *session,
                              CxuiReplayClock *clock)
{
    static const char *const steps[] = {"10 steps", "50 steps", "100 steps",
                                        "Exact (kink to kink)", NULL};
    CxuiRetinaCircuitPanel *self =
        g_object_new(CXUI_TYPE_RETINA_CIRCUIT_PANEL, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->net = cxui_circuit_new("Our network's circuit");
    cxui_circuit_set_empty(self->net, "Computing…");
    self->net_view = cxui_part_plot(box, cxui_circuit_figure(self->net),
                                    "Circuit of the network", 230);
    cxui_part_text(box,
                   "Width: mean |A|. Arrow and orange excite, bar and blue "
                   "inhibit. Click a channel to take it out.",
                   true);
    self->steps = cxui_part_choice(box, "Steps of the integral", steps);
    gtk_drop_down_set_selected(GTK_DROP_DOWN(self->steps), 3);
    self->show_key = cxui_part_check(box, "Answer key: the simulated retina");
    gtk_check_button_set_active(GTK_CHECK_BUTTON(self->show_key), TRUE);
    self->key = cxui_circuit_new("What is really there");
    self->key_view = cxui_part_plot(box, cxui_circuit_figure(self->key),
                                    "Circuit of the simulated retina", 130);
    cxui_part_heading(box, "Knock out in the simulated retina");
    for (int i = 0; i < CX_N_KNOCK_OUTS; i++) {
        self->parts[i] = cxui_part_check(box, part_titles[i]);
        g_signal_connect(self->parts[i], "toggled", G_CALLBACK(on_knock_out),
                         self);
    }
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 300));
    g_signal_connect(self->net_view, "part", G_CALLBACK(on_net_part), self);
    g_signal_connect(self->key_view, "part", G_CALLBACK(on_key_part), self);
    g_signal_connect(self->show_key, "toggled", G_CALLBACK(on_show_key), self);
    g_signal_connect(self->steps, "notify::selected", G_CALLBACK(on_steps),
                     self);
    g_signal_connect_object(session, "replay-changed", G_CALLBACK(on_replay),
                            self, 0);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_CIRCUIT_PANEL(object)->session);
    G_OBJECT_CLASS(cxui_retina_circuit_panel_parent_class)->dispose(object);
}

static void
cxui_retina_circuit_panel_class_init(CxuiRetinaCircuitPanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_circuit_panel_init(CxuiRetinaCircuitPanel *self)
{
}
