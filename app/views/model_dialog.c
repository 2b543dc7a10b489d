/* Chooses the network that segments and predicts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/model_dialog.h"

struct _CxuiModelDialog {
    AdwWindow parent;

    /* template */
    GtkWidget *group;
    GtkWidget *type;
    GtkWidget *other;
    GtkWidget *message;

    CxuiSession *session; /* owned reference */
    GPtrArray *rows;      /* of GtkWidget, in the group */
    GtkFileChooserNative *chooser;
    bool filling; /* rows change by themselves */
};

G_DEFINE_FINAL_TYPE(CxuiModelDialog, cxui_model_dialog, ADW_TYPE_WINDOW)

/* Types of number as people read them, in the order of the names below. */
static const struct {
    const char *name, *text;
} types[] = {
    {"fp32", "32-bit floating point: as trained"},
    {"bf16", "bfloat16: matrix units of the processor"},
    {"int8", "8-bit integers: fastest"},
};

static CxuiSegmenter *
segmenter_of(CxuiModelDialog *self)
{
    return cxui_session_segmenter(self->session);
}

static CxuiSettings *
settings_of(CxuiModelDialog *self)
{
    return cxui_session_settings(self->session);
}

/* --- one model */

static void
add_fact(AdwExpanderRow *row, const char *title, const char *text)
{
    GtkWidget *fact = adw_action_row_new();
    g_autofree char *markup = g_markup_escape_text(text, -1);

    if (text[0] == '\0')
        return;
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(fact), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(fact), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(fact), markup);
    gtk_widget_add_css_class(fact, "fact-row");
    adw_expander_row_add_row(row, fact);
}

static void
add_facts(AdwExpanderRow *row, const CxuiModelInfo *info)
{
    g_autofree char *numbers = g_strjoinv(", ", info->types);

    add_fact(row, "Trained on", info->data);
    add_fact(row, "Scores on data it has not seen", info->scores);
    add_fact(row, "Licence of the weights", info->licence);
    add_fact(row, "Numbers it runs with here", numbers);
    if (g_str_has_suffix(info->name, ".h5"))
        add_fact(row, "File", info->name);
}

static void
on_chosen(GtkCheckButton *check, CxuiModelDialog *self)
{
    if (!self->filling && gtk_check_button_get_active(check))
        cxui_segmenter_set_model(segmenter_of(self),
                                 g_object_get_data(G_OBJECT(check), "model"));
}

static char *
dup_subtitle(const CxuiModelInfo *info)
{
    g_autofree char *text = NULL;
    bool told = info->description[0] != '\0';

    if (!info->usable)
        return g_markup_escape_text(info->text, -1);
    text = g_strdup_printf(
        "%s%s%g × %g × %g nm%s", info->description, told ? "\n" : "",
        info->voxel_nm.x, info->voxel_nm.y, info->voxel_nm.z,
        info->non_commercial ? " · not for commercial use" : "");
    return g_markup_escape_text(text, -1);
}

static GtkWidget *
new_row(CxuiModelDialog *self, const CxuiModelInfo *info, GtkWidget *first)
{
    GtkWidget *row = adw_expander_row_new();
    GtkWidget *check = gtk_check_button_new();
    g_autofree char *subtitle = dup_subtitle(info);
    g_autofree char *title = g_markup_escape_text(info->title, -1);

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(row), subtitle);
    gtk_widget_set_valign(check, GTK_ALIGN_CENTER);
    gtk_widget_set_sensitive(check, info->usable);
    gtk_accessible_update_property(
        GTK_ACCESSIBLE(check), GTK_ACCESSIBLE_PROPERTY_LABEL, info->title, -1);
    g_object_set_data_full(G_OBJECT(check), "model", g_strdup(info->name),
                           g_free);
    if (first != NULL)
        gtk_check_button_set_group(GTK_CHECK_BUTTON(check),
                                   GTK_CHECK_BUTTON(first));
    gtk_check_button_set_active(
        GTK_CHECK_BUTTON(check),
        g_str_equal(info->name, cxui_segmenter_model(segmenter_of(self))));
    g_signal_connect(check, "toggled", G_CALLBACK(on_chosen), self);
    adw_expander_row_add_prefix(ADW_EXPANDER_ROW(row), check);
    g_object_set_data(G_OBJECT(row), "check", check);
    if (info->usable)
        add_facts(ADW_EXPANDER_ROW(row), info);
    adw_expander_row_set_expanded(
        ADW_EXPANDER_ROW(row),
        gtk_check_button_get_active(GTK_CHECK_BUTTON(check)));
    return row;
}

/* --- what follows the choice */

static void
show_message(CxuiModelDialog *self)
{
    const CxuiModelInfo *info = cxui_segmenter_info(segmenter_of(self));
    g_autofree char *voxels = cxui_segmenter_dup_warning(segmenter_of(self));
    g_autoptr(GString) text = g_string_new(voxels);

    if (info != NULL && info->non_commercial) {
        if (text->len > 0)
            g_string_append(text, ".\n");
        g_string_append_printf(text, "The licence of %s forbids commercial use",
                               info->title);
    }
    gtk_label_set_text(GTK_LABEL(self->message), text->str);
    gtk_widget_set_visible(self->message, text->len > 0);
}

static const char *
text_of_type(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (g_str_equal(types[i].name, name))
            return types[i].text;
    return name;
}

/* Row 0 is automatic; the others are what model and machine can do. */
static void
show_types(CxuiModelDialog *self)
{
    const CxuiModelInfo *info = cxui_segmenter_info(segmenter_of(self));
    g_autoptr(GtkStringList) list = gtk_string_list_new(NULL);
    g_autofree char *choice = NULL;
    guint selected = 0;

    g_object_get(settings_of(self), "model-type", &choice, NULL);
    gtk_string_list_append(list, "Automatic");
    for (guint i = 0; info != NULL && info->types[i] != NULL; i++) {
        gtk_string_list_append(list, text_of_type(info->types[i]));
        if (g_str_equal(info->types[i], choice))
            selected = i + 1;
    }
    self->filling = true;
    adw_combo_row_set_model(ADW_COMBO_ROW(self->type), G_LIST_MODEL(list));
    adw_combo_row_set_selected(ADW_COMBO_ROW(self->type), selected);
    self->filling = false;
}

static void
on_type(AdwComboRow *row, GParamSpec *spec, CxuiModelDialog *self)
{
    const CxuiModelInfo *info = cxui_segmenter_info(segmenter_of(self));
    guint selected = adw_combo_row_get_selected(row);

    if (self->filling || info == NULL || selected == GTK_INVALID_LIST_POSITION)
        return;
    g_object_set(settings_of(self), "model-type",
                 selected == 0 ? "auto" : info->types[selected - 1], NULL);
}

static void
fill(CxuiModelDialog *self)
{
    const GPtrArray *infos = cxui_segmenter_infos(segmenter_of(self));
    GtkWidget *first = NULL;

    self->filling = true;
    for (guint i = 0; i < self->rows->len; i++)
        adw_preferences_group_remove(ADW_PREFERENCES_GROUP(self->group),
                                     g_ptr_array_index(self->rows, i));
    g_ptr_array_set_size(self->rows, 0);
    for (guint i = 0; i < infos->len; i++) {
        GtkWidget *row = new_row(self, g_ptr_array_index(infos, i), first);

        if (first == NULL)
            first = g_object_get_data(G_OBJECT(row), "check");
        adw_preferences_group_add(ADW_PREFERENCES_GROUP(self->group), row);
        g_ptr_array_add(self->rows, row);
    }
    self->filling = false;
    show_types(self);
    show_message(self);
}

/* Another model among those listed keeps the rows, so that what is unfolded
 * stays; a new file makes them anew. */
static void
on_model(CxuiModelDialog *self)
{
    if (cxui_segmenter_infos(segmenter_of(self))->len != self->rows->len) {
        fill(self);
        return;
    }
    show_types(self);
    show_message(self);
}

/* --- a file */

static void
on_file(GtkNativeDialog *chooser, int response, CxuiModelDialog *self)
{
    g_autoptr(GFile) file =
        response == GTK_RESPONSE_ACCEPT
            ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser))
            : NULL;
    g_autofree char *path = file != NULL ? g_file_get_path(file) : NULL;

    g_clear_object(&self->chooser);
    if (path != NULL)
        cxui_segmenter_set_model(segmenter_of(self), path);
}

static void
on_other(GtkButton *button, CxuiModelDialog *self)
{
    g_autoptr(GtkFileFilter) filter = gtk_file_filter_new();

    g_clear_object(&self->chooser);
    self->chooser = gtk_file_chooser_native_new("Model File", GTK_WINDOW(self),
                                                GTK_FILE_CHOOSER_ACTION_OPEN,
                                                "_Choose", "_Cancel");
    gtk_file_filter_set_name(filter, "Models (.h5)");
    gtk_file_filter_add_suffix(filter, "h5");
    gtk_file_chooser_add_filter(GTK_FILE_CHOOSER(self->chooser), filter);
    g_signal_connect(self->chooser, "response", G_CALLBACK(on_file), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

GtkWidget *
cxui_model_dialog_new(CxuiSession *session)
{
    CxuiModelDialog *self = g_object_new(CXUI_TYPE_MODEL_DIALOG, NULL);

    self->session = g_object_ref(session);
    g_signal_connect_object(segmenter_of(self), "notify::model",
                            G_CALLBACK(on_model), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(segmenter_of(self), "notify::models-read",
                            G_CALLBACK(fill), self, G_CONNECT_SWAPPED);
    g_signal_connect_object(session, "volumes-changed", G_CALLBACK(on_model),
                            self, G_CONNECT_SWAPPED);
    fill(self);
    return GTK_WIDGET(self);
}

static void
cxui_model_dialog_dispose(GObject *object)
{
    CxuiModelDialog *self = CXUI_MODEL_DIALOG(object);

    g_clear_object(&self->chooser);
    g_clear_object(&self->session);
    g_clear_pointer(&self->rows, g_ptr_array_unref);
    G_OBJECT_CLASS(cxui_model_dialog_parent_class)->dispose(object);
}

static void
cxui_model_dialog_init(CxuiModelDialog *self)
{
    self->rows = g_ptr_array_new();
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect(self->type, "notify::selected", G_CALLBACK(on_type), self);
    g_signal_connect(self->other, "clicked", G_CALLBACK(on_other), self);
}

static void
cxui_model_dialog_class_init(CxuiModelDialogClass *klass)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(klass);

    G_OBJECT_CLASS(klass)->dispose = cxui_model_dialog_dispose;
    gtk_widget_class_set_template_from_resource(
        widget_class, "/org/connexon/Connexon/model_dialog.ui");
    gtk_widget_class_add_binding_action(widget_class, GDK_KEY_Escape, 0,
                                        "window.close", NULL);
#define BIND(name)                                                             \
    gtk_widget_class_bind_template_child(widget_class, CxuiModelDialog, name)
    BIND(group);
    BIND(type);
    BIND(other);
    BIND(message);
#undef BIND
}
