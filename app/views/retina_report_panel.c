/* The report card.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/retina_report_panel.h"

#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiRetinaReportPanel {
    AdwBin parent;
    CxuiRetinaSession *session;
    GtkWidget *measure, *summary;
    GtkWidget *cards[CX_N_PROTOCOLS], *verdicts[CX_N_PROTOCOLS],
        *numbers[CX_N_PROTOCOLS];
};

G_DEFINE_FINAL_TYPE(CxuiRetinaReportPanel, cxui_retina_report_panel,
                    ADW_TYPE_BIN)

static const char *
mark_of(const CxProtocolRun *run)
{
    return run == NULL ? "–" : run->result->reproduced ? "✓" : "✗";
}

static char *
dup_numbers(const CxRetinaReportPart *part, unsigned n_steps)
{
    const CxProtocolResult *net = part->network->result;
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < net->n_scalars; i++) {
        const CxScalar *s = &net->scalars[i];
        g_autofree char *own = cxui_part_dup_number(s->value);
        g_autofree char *other = cxui_part_dup_number(
            cx_protocol_scalar(part->simulator->result, s->key));
        g_string_append_printf(text, "%s%s %s %s (simulated %s)",
                               i > 0 ? "\n" : "", s->key, own, s->unit, other);
    }
    g_string_append_printf(
        text,
        "\nr to the simulated retina %.3f\ncompleteness error %.2g %% (exact), "
        "%.2g %% (%u steps)",
        part->r_simulator, part->exact.median[0] * 100.0,
        part->steps.median[0] * 100.0, n_steps);
    g_string_append_printf(text, "\nanswer key: leading pathway %s",
                           part->key.leading_agrees ? "agrees"
                                                    : "does not agree");
    for (int k = 0; k < CX_N_KNOCK_OUTS; k++) {
        if (part->knock_outs[k] != NULL)
            g_string_append_printf(
                text, "\nwithout %s: %s", cx_knock_out_name((unsigned)k),
                part->knock_outs[k]->result->reproduced ? "still there"
                                                        : "gone");
    }
    return g_string_free(text, FALSE);
}

static void
show_card(CxuiRetinaReportPanel *self, int kind, const CxRetinaReport *report)
{
    const CxRetinaReportPart *part = &report->parts[kind];
    unsigned n_steps =
        report->options.n_steps > 0 ? report->options.n_steps : 100;
    g_autofree char *verdict = g_strdup_printf(
        "Simulated %s   Network %s   Linear-nonlinear %s\n%s",
        mark_of(part->simulator), part->reproduced ? "✓" : "✗",
        mark_of(part->baseline), part->network->result->verdict);
    g_autofree char *numbers = dup_numbers(part, n_steps);

    cxui_part_say(self->verdicts[kind], verdict);
    cxui_part_say(self->numbers[kind], numbers);
}

static void
show(CxuiRetinaReportPanel *self)
{
    const CxRetinaReport *report = cxui_retina_session_report(self->session);
    bool running = cxui_retina_session_is_reporting(self->session);

    gtk_button_set_label(GTK_BUTTON(self->measure),
                         running ? "Cancel" : "Measure All Four Protocols");
    if (report == NULL) {
        cxui_part_say(self->summary,
                      running ? "Measuring…" : "Not measured yet");
        return;
    }
    g_autofree char *summary = g_strdup_printf(
        "Network: %u of %d reproduced; simulated retina: %u of %d.\n"
        "Completeness error %.3g %% (median), %.3g %% (worst).",
        report->n_reproduced, CX_N_PROTOCOLS, report->n_simulator_reproduced,
        CX_N_PROTOCOLS, report->exact.median[0] * 100.0,
        report->exact.worst[0] * 100.0);
    cxui_part_say(self->summary, summary);
    for (int i = 0; i < CX_N_PROTOCOLS; i++)
        show_card(self, i, report);
}

static void
on_measure(GtkButton *button, CxuiRetinaReportPanel *self)
{
    if (cxui_retina_session_is_reporting(self->session))
        cxui_retina_session_cancel_report(self->session);
    else
        cxui_retina_session_measure_report(self->session);
}

GtkWidget *
cxui_retina_report_panel_new(CxuiRetinaSession *session, CxuiReplayClock *clock)
{
    CxuiRetinaReportPanel *self =
        g_object_new(CXUI_TYPE_RETINA_REPORT_PANEL, NULL);
    GtkWidget *box = cxui_part_column();

    self->session = g_object_ref(session);
    self->measure = cxui_part_button(box, "Measure All Four Protocols");
    gtk_widget_add_css_class(self->measure, "suggested-action");
    self->summary = cxui_part_text(box, "", false);
    for (int i = 0; i < CX_N_PROTOCOLS; i++) {
        GtkWidget *card = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
        gtk_widget_add_css_class(card, "report-card");
        cxui_part_heading(card, cx_protocol_title((CxProtocolKind)i));
        self->verdicts[i] = cxui_part_text(card, "Not measured yet", false);
        self->numbers[i] = cxui_part_text(card, "", true);
        self->cards[i] = card;
        gtk_box_append(GTK_BOX(box), card);
    }
    adw_bin_set_child(ADW_BIN(self), cxui_part_scrolled(box, 300));
    g_signal_connect(self->measure, "clicked", G_CALLBACK(on_measure), self);
    g_signal_connect_object(session, "report-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    show(self);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    g_clear_object(&CXUI_RETINA_REPORT_PANEL(object)->session);
    G_OBJECT_CLASS(cxui_retina_report_panel_parent_class)->dispose(object);
}

static void
cxui_retina_report_panel_class_init(CxuiRetinaReportPanelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_retina_report_panel_init(CxuiRetinaReportPanel *self)
{
}
