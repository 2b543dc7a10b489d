/* The bar at the bottom while something runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/jobs_bar.h"

#include "app/views/format.h"

struct _CxuiJobsBar {
    GtkWidget parent;
    GtkWidget *revealer;
    GtkWidget *progress;
    GtkWidget *text;
    GtkWidget *more; /* menu button: how many others */
    GtkWidget *cancel;
    CxuiSession *session; /* owned reference */
};

G_DEFINE_FINAL_TYPE(CxuiJobsBar, cxui_jobs_bar, GTK_TYPE_WIDGET)

static CxuiJobItem *
first_item(CxuiJobsBar *self)
{
    GListModel *jobs = G_LIST_MODEL(cxui_session_jobs(self->session));
    guint n = g_list_model_get_n_items(jobs);
    CxuiJobItem *chosen = NULL;

    for (guint i = 0; i < n; i++) {
        g_autoptr(CxuiJobItem) item = g_list_model_get_item(jobs, i);
        if (chosen == NULL || (cxui_job_item_state(item) == CX_JOB_RUNNING &&
                               cxui_job_item_state(chosen) != CX_JOB_RUNNING))
            g_set_object(&chosen, item);
    }
    return chosen;
}

/* "Segmenting the field · watershed · 38 Mvox/s · 4 s left" */
static char *
describe(CxuiJobsBar *self, CxuiJobItem *item)
{
    CxuiSegmenter *segmenter = cxui_session_segmenter(self->session);
    GString *text = g_string_new(cxui_job_item_title(item));
    const char *stage = cxui_job_item_stage(item);
    g_autofree char *left = cxui_format_left(cxui_job_item_seconds_left(item));

    if (cxui_job_item_state(item) == CX_JOB_FAILED) {
        g_string_append_printf(text, " failed: %s",
                               cxui_job_item_cause(item) != NULL
                                   ? cxui_job_item_cause(item)
                                   : "no reason given");
        return g_string_free(text, FALSE);
    }
    if (stage[0] != '\0')
        g_string_append_printf(text, " · %s", stage);
    if (cxui_segmenter_is_running(segmenter) &&
        cxui_segmenter_mvox_per_s(segmenter) > 0)
        g_string_append_printf(text, " · %.2g Mvox/s",
                               cxui_segmenter_mvox_per_s(segmenter));
    if (left != NULL)
        g_string_append_printf(text, " · %s", left);
    return g_string_free(text, FALSE);
}

static void
update(CxuiJobsBar *self)
{
    GListModel *jobs = G_LIST_MODEL(cxui_session_jobs(self->session));
    guint n = g_list_model_get_n_items(jobs);
    g_autoptr(CxuiJobItem) item = first_item(self);

    gtk_revealer_set_reveal_child(GTK_REVEALER(self->revealer), n > 0);
    if (item == NULL)
        return;
    bool failed = cxui_job_item_state(item) == CX_JOB_FAILED;
    g_autofree char *text = describe(self, item);
    gtk_label_set_text(GTK_LABEL(self->text), text);
    gtk_progress_bar_set_fraction(GTK_PROGRESS_BAR(self->progress),
                                  cxui_job_item_fraction(item));
    gtk_widget_set_visible(self->progress, !failed);
    const char *verb = failed ? "Dismiss" : "Cancel";
    gtk_button_set_label(GTK_BUTTON(self->cancel), verb);
    g_autofree char *others = g_strdup_printf("%u jobs", n);
    gtk_menu_button_set_label(GTK_MENU_BUTTON(self->more), others);
    gtk_widget_set_visible(self->more, n > 1);
}

static void
stop_item(CxuiJobsBar *self, CxuiJobItem *item)
{
    if (cxui_job_item_state(item) == CX_JOB_FAILED)
        cxui_job_list_dismiss(cxui_session_jobs(self->session), item);
    else
        cxui_job_item_cancel(item);
}

static void
on_cancel(GtkButton *button, CxuiJobsBar *self)
{
    g_autoptr(CxuiJobItem) item = first_item(self);

    if (item != NULL)
        stop_item(self, item);
}

static void
on_row_cancel(GtkButton *button, CxuiJobsBar *self)
{
    stop_item(self, g_object_get_data(G_OBJECT(button), "cx-item"));
}

static gboolean
cause_to_visible(GBinding *binding, const GValue *from, GValue *to,
                 gpointer data)
{
    g_value_set_boolean(to, g_value_get_string(from) != NULL);
    return TRUE;
}

static GtkWidget *
new_job_row(gpointer object, gpointer data)
{
    CxuiJobItem *item = object;
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *text = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    GtkWidget *title = gtk_label_new(cxui_job_item_title(item));
    GtkWidget *bar = gtk_progress_bar_new();
    GtkWidget *cause = gtk_label_new(NULL);
    GtkWidget *stop = gtk_button_new_from_icon_name("process-stop-symbolic");

    gtk_label_set_xalign(GTK_LABEL(title), 0);
    gtk_label_set_xalign(GTK_LABEL(cause), 0);
    gtk_label_set_wrap(GTK_LABEL(cause), TRUE);
    gtk_widget_set_hexpand(text, TRUE);
    g_object_bind_property(item, "fraction", bar, "fraction",
                           G_BINDING_SYNC_CREATE);
    g_object_bind_property(item, "cause", cause, "label",
                           G_BINDING_SYNC_CREATE);
    g_object_bind_property_full(item, "cause", cause, "visible",
                                G_BINDING_SYNC_CREATE, cause_to_visible, NULL,
                                NULL, NULL);
    gtk_box_append(GTK_BOX(text), title);
    gtk_box_append(GTK_BOX(text), bar);
    gtk_box_append(GTK_BOX(text), cause);
    gtk_box_append(GTK_BOX(row), text);
    gtk_widget_add_css_class(stop, "flat");
    gtk_widget_set_valign(stop, GTK_ALIGN_CENTER);
    gtk_widget_set_tooltip_text(stop, "Cancel or dismiss");
    g_autofree char *name =
        g_strdup_printf("Cancel %s", cxui_job_item_title(item));
    gtk_accessible_update_property(GTK_ACCESSIBLE(stop),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_object_set_data_full(G_OBJECT(stop), "cx-item", g_object_ref(item),
                           g_object_unref);
    g_signal_connect(stop, "clicked", G_CALLBACK(on_row_cancel), data);
    gtk_box_append(GTK_BOX(row), stop);
    return row;
}

static GtkWidget *
new_list_popover(CxuiJobsBar *self)
{
    GtkWidget *popover = gtk_popover_new();
    GtkWidget *list = gtk_list_box_new();

    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_set_size_request(list, 360, -1);
    gtk_list_box_bind_model(GTK_LIST_BOX(list),
                            G_LIST_MODEL(cxui_session_jobs(self->session)),
                            new_job_row, self, NULL);
    gtk_popover_set_child(GTK_POPOVER(popover), list);
    return popover;
}

GtkWidget *
cxui_jobs_bar_new(CxuiSession *session)
{
    CxuiJobsBar *self = g_object_new(CXUI_TYPE_JOBS_BAR, NULL);
    CxuiJobList *jobs = cxui_session_jobs(session);

    self->session = g_object_ref(session);
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(self->more),
                                new_list_popover(self));
    g_signal_connect_object(jobs, "changed", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(jobs, "items-changed", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
    update(self);
    return GTK_WIDGET(self);
}

static void
cxui_jobs_bar_dispose(GObject *object)
{
    CxuiJobsBar *self = CXUI_JOBS_BAR(object);

    g_clear_pointer(&self->revealer, gtk_widget_unparent);
    g_clear_object(&self->session);
    G_OBJECT_CLASS(cxui_jobs_bar_parent_class)->dispose(object);
}

static void
cxui_jobs_bar_init(CxuiJobsBar *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);

    self->revealer = gtk_revealer_new();
    gtk_revealer_set_transition_type(GTK_REVEALER(self->revealer),
                                     GTK_REVEALER_TRANSITION_TYPE_SLIDE_UP);
    gtk_widget_set_parent(self->revealer, GTK_WIDGET(self));
    gtk_revealer_set_child(GTK_REVEALER(self->revealer), box);
    gtk_widget_add_css_class(box, "jobs-bar");

    self->progress = gtk_progress_bar_new();
    gtk_widget_set_size_request(self->progress, 160, -1);
    gtk_widget_set_valign(self->progress, GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->progress),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL, "Progress",
                                   -1);
    self->text = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(self->text), 0);
    gtk_label_set_ellipsize(GTK_LABEL(self->text), PANGO_ELLIPSIZE_END);
    gtk_widget_set_hexpand(self->text, TRUE);
    gtk_widget_add_css_class(self->text, "numeric");
    self->more = gtk_menu_button_new();
    gtk_menu_button_set_direction(GTK_MENU_BUTTON(self->more), GTK_ARROW_UP);
    gtk_widget_add_css_class(self->more, "flat");
    self->cancel = gtk_button_new_with_label("Cancel");
    gtk_widget_add_css_class(self->cancel, "flat");
    g_signal_connect(self->cancel, "clicked", G_CALLBACK(on_cancel), self);
    gtk_box_append(GTK_BOX(box), self->progress);
    gtk_box_append(GTK_BOX(box), self->text);
    gtk_box_append(GTK_BOX(box), self->more);
    gtk_box_append(GTK_BOX(box), self->cancel);
}

static void
cxui_jobs_bar_class_init(CxuiJobsBarClass *klass)
{
    G_OBJECT_CLASS(klass)->dispose = cxui_jobs_bar_dispose;
    gtk_widget_class_set_layout_manager_type(GTK_WIDGET_CLASS(klass),
                                             GTK_TYPE_BIN_LAYOUT);
}
