/* The queue in the side bar.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/queue_panel.h"

#include "app/views/format.h"

#include <math.h>

struct _CxuiQueuePanel {
    GtkWidget parent;

    /* template */
    GtkWidget *box;
    GtkWidget *stack;
    GtkWidget *question;
    GtkWidget *what;
    GtkWidget *evidence;
    GtkWidget *same;
    GtkWidget *different;
    GtkWidget *answers;
    GtkWidget *progress;
    GtkWidget *spinner;
    GtkWidget *truth;
    GtkWidget *scores;
    GtkWidget *start;
    GtkWidget *stop;

    CxuiSession *session; /* owned reference */
    GtkFileChooserNative *chooser;
};

G_DEFINE_FINAL_TYPE(CxuiQueuePanel, cxui_queue_panel, GTK_TYPE_WIDGET)

static CxuiReviewQueue *
queue_of(CxuiQueuePanel *self)
{
    return cxui_session_review(self->session);
}

static void
show_question(CxuiQueuePanel *self, const CxSuspicion *suspicion)
{
    bool is_merge = suspicion->kind == CX_SUSPECT_MERGE;
    g_autofree char *a = cxui_format_id(suspicion->segment_a);
    g_autofree char *b = cxui_format_id(suspicion->segment_b);
    g_autofree char *what =
        is_merge ? g_strdup_printf("%s may be two neurons that touch here. The "
                                   "two colours show where it would be cut.",
                                   a)
                 : g_strdup_printf(
                       "%s and %s touch here and may be one neuron.", a, b);
    double share = 100.0 * (double)MIN(suspicion->n_a, suspicion->n_b) /
                   (double)(suspicion->n_a + suspicion->n_b);
    g_autofree char *evidence = g_strdup_printf(
        "%.0f %% likely wrong · affinity %.2f over %u faces · the smaller side "
        "has %.0f %% of both",
        100 * suspicion->probability, (double)suspicion->affinity,
        suspicion->contacts, share);

    gtk_label_set_text(GTK_LABEL(self->what), what);
    gtk_label_set_text(GTK_LABEL(self->evidence), evidence);
    gtk_widget_set_tooltip_text(self->same, is_merge
                                                ? "Yes, leave it whole (Y)"
                                                : "Yes, merge the two (Y)");
    gtk_widget_set_tooltip_text(self->different,
                                is_merge ? "No, cut it as shown (U)"
                                         : "No, leave them apart (U)");
}

static void
show_progress(CxuiQueuePanel *self)
{
    CxuiReviewQueue *queue = queue_of(self);
    double per_hour = cxui_review_queue_per_hour(queue);
    g_autofree char *pace = per_hour > 0
                                ? g_strdup_printf(" · %.0f an hour", per_hour)
                                : g_strdup("");
    g_autofree char *text = g_strdup_printf(
        "%u answered%s · %u left", cxui_review_queue_n_answered(queue), pace,
        cxui_review_queue_n_left(queue));

    gtk_label_set_text(GTK_LABEL(self->progress), text);
    gtk_widget_set_visible(self->spinner,
                           cxui_review_queue_is_searching(queue));
}

static void
show_scores(CxuiQueuePanel *self)
{
    CxScores now, first;

    if (!cxui_review_queue_scores(queue_of(self), &now, &first)) {
        gtk_widget_set_visible(self->scores, FALSE);
        return;
    }
    double voi = now.voi_split + now.voi_merge;
    double change = voi - first.voi_split - first.voi_merge;
    g_autofree char *text = g_strdup_printf(
        "VOI %.3f bits (split %.3f + merge %.3f), %s%.3f since the start\n"
        "Adapted Rand error %.4f",
        voi, now.voi_split, now.voi_merge, change > 0 ? "+" : "−", fabs(change),
        now.arand);

    gtk_label_set_text(GTK_LABEL(self->scores), text);
    gtk_widget_set_visible(self->scores, TRUE);
}

static void
show(CxuiQueuePanel *self)
{
    CxuiReviewQueue *queue = queue_of(self);
    const CxSuspicion *suspicion = cxui_review_queue_current(queue);
    bool is_on = cxui_review_queue_is_on(queue);
    const char *page = suspicion != NULL                       ? "question"
                       : !is_on                                ? "off"
                       : cxui_review_queue_is_searching(queue) ? "searching"
                                                               : "done";

    gtk_stack_set_visible_child_name(GTK_STACK(self->stack), page);
    gtk_widget_set_visible(self->stop, is_on);
    gtk_widget_set_sensitive(self->start,
                             cxui_session_segments(self->session) != NULL);
    gtk_widget_set_sensitive(self->truth,
                             cxui_session_project(self->session) != NULL);
    if (suspicion != NULL)
        show_question(self, suspicion);
    show_progress(self);
    show_scores(self);
}

static void
on_truth_chosen(GtkNativeDialog *chooser, int response, CxuiQueuePanel *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file =
            gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
        g_autofree char *path = file != NULL ? g_file_get_path(file) : NULL;

        if (path != NULL)
            cxui_review_queue_set_truth(queue_of(self), path);
    }
    g_clear_object(&self->chooser);
}

static void
on_truth(GtkButton *button, CxuiQueuePanel *self)
{
    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new(
        "Labels to Compare With",
        GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self))),
        GTK_FILE_CHOOSER_ACTION_OPEN, "_Compare", NULL);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
    g_signal_connect(self->chooser, "response", G_CALLBACK(on_truth_chosen),
                     self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

static void
on_start(GtkButton *button, CxuiQueuePanel *self)
{
    cxui_review_queue_start(queue_of(self));
}

static void
on_stop(GtkButton *button, CxuiQueuePanel *self)
{
    cxui_review_queue_stop(queue_of(self));
}

GtkWidget *
cxui_queue_panel_new(CxuiSession *session)
{
    CxuiQueuePanel *self = g_object_new(CXUI_TYPE_QUEUE_PANEL, NULL);

    self->session = g_object_ref(session);
    g_signal_connect_object(cxui_session_review(session), "changed",
                            G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "state-changed", G_CALLBACK(show), self,
                            G_CONNECT_SWAPPED);
    show(self);
    return GTK_WIDGET(self);
}

static void
cxui_queue_panel_dispose(GObject *object)
{
    CxuiQueuePanel *self = CXUI_QUEUE_PANEL(object);

    g_clear_object(&self->chooser);
    g_clear_pointer(&self->box, gtk_widget_unparent);
    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_queue_panel_parent_class)->dispose(object);
}

static void
cxui_queue_panel_init(CxuiQueuePanel *self)
{
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->start, "clicked", G_CALLBACK(on_start), self);
    g_signal_connect(self->stop, "clicked", G_CALLBACK(on_stop), self);
    g_signal_connect(self->truth, "clicked", G_CALLBACK(on_truth), self);
}

static void
cxui_queue_panel_class_init(CxuiQueuePanelClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_queue_panel_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/queue_panel.ui");
    gtk_widget_class_set_layout_manager_type(widget_class, GTK_TYPE_BIN_LAYOUT);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiQueuePanel, name)
    BIND(box);
    BIND(stack);
    BIND(question);
    BIND(what);
    BIND(evidence);
    BIND(same);
    BIND(different);
    BIND(answers);
    BIND(progress);
    BIND(spinner);
    BIND(truth);
    BIND(scores);
    BIND(start);
    BIND(stop);
#undef BIND
}
