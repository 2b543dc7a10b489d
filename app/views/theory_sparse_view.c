/* Sparse coding.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/theory_sparse_view.h"

#include "app/session/theory_sparse.h"
#include "app/views/plot_chart.h"
#include "app/views/plot_map.h"
#include "app/views/plot_parts.h"

#include <math.h>

struct _CxuiTheorySparseView {
    AdwBin parent;
    CxuiTheorySparse *model;
    char *folder; /* or NULL: drawn images */
    GtkFileChooserNative *chooser;

    GtkWidget *source, *choose, *side, *atoms, *lambda, *batches, *learn;
    GtkWidget *figures;
    CxuiMap *mosaic;
    CxuiChart *objective;
    GtkWidget *mosaic_view, *objective_view;
};

G_DEFINE_FINAL_TYPE(CxuiTheorySparseView, cxui_theory_sparse_view, ADW_TYPE_BIN)

static void
show_mosaic(CxuiTheorySparseView *self)
{
    unsigned width = 0;
    unsigned height = 0;
    const uint8_t *grey =
        cxui_theory_sparse_mosaic(self->model, &width, &height);

    if (grey == NULL)
        return;
    g_autofree float *values = g_new(float, (size_t)width *height);
    for (size_t i = 0; i < (size_t)width * height; i++)
        values[i] = grey[i];
    cxui_map_set(self->mosaic, values, width, height, 0.0, 255.0);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->mosaic_view));
}

static void
show_objective(CxuiTheorySparseView *self)
{
    const double *batches = NULL;
    size_t n = 0;
    const double *objective =
        cxui_theory_sparse_objective(self->model, &batches, &n);
    CxuiSeries series = {.mark = CXUI_MARK_LINE,
                         .colour = 0,
                         .x = batches,
                         .y = objective,
                         .n = n};

    cxui_chart_clear(self->objective);
    if (n > 0)
        cxui_chart_add(self->objective, &series);
    cxui_plot_view_update(CXUI_PLOT_VIEW(self->objective_view));
}

static void
add_line(GString *text, const char *name, double value, const char *format)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append_printf(
        text, "%s%s: %s", text->len > 0 ? "\n" : "", name,
        isfinite(value) ? g_ascii_formatd(digits, sizeof digits, format, value)
                        : "not measured yet");
}

static void
show_figures(CxuiTheorySparseView *self)
{
    CxuiSparseFigures figures = cxui_theory_sparse_figures(self->model);
    bool running = cxui_theory_sparse_is_running(self->model);
    g_autoptr(GString) text = g_string_new(NULL);

    if (figures.progress.n_batches > 0) {
        g_string_append_printf(text, "Batch %u of %u",
                               figures.progress.n_batches, figures.n_wanted);
        add_line(text, "Objective a patch", figures.progress.objective, "%.4f");
        add_line(text, "Error |x − Da|² / |x|²", figures.progress.error,
                 "%.3f");
        add_line(text, "Active coefficients (%)",
                 figures.progress.active * 100.0, "%.1f");
        add_line(text, "Kurtosis (Gaussian: 3)", figures.kurtosis, "%.1f");
        add_line(text, "Atoms that are Gabor functions (%)",
                 figures.gabor_share * 100.0, "%.0f");
    }
    cxui_part_say(self->figures, text->str);
    gtk_button_set_label(GTK_BUTTON(self->learn), running ? "Cancel" : "Learn");
}

static void
on_changed(CxuiTheorySparse *model, CxuiTheorySparseView *self)
{
    show_mosaic(self);
    show_objective(self);
    show_figures(self);
}

/* --- controls */

static void
on_learn(GtkButton *button, CxuiTheorySparseView *self)
{
    cxui_theory_sparse_view_play(self);
}

static void
on_folder(GtkNativeDialog *chooser, int response, CxuiTheorySparseView *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file =
            gtk_file_chooser_get_file(GTK_FILE_CHOOSER(chooser));
        g_free(self->folder);
        self->folder = g_file_get_path(file);
        g_autofree char *base = g_path_get_basename(self->folder);
        g_autofree char *text = g_strdup_printf("Images: %s", base);
        cxui_part_say(self->source, text);
    }
    g_clear_object(&self->chooser);
}

static void
on_choose(GtkButton *button, CxuiTheorySparseView *self)
{
    g_set_object(&self->chooser, NULL);
    self->chooser = gtk_file_chooser_native_new(
        "Folder of Images", GTK_WINDOW(gtk_widget_get_root(GTK_WIDGET(self))),
        GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, "_Use", "_Cancel");
    g_signal_connect(self->chooser, "response", G_CALLBACK(on_folder), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

void
cxui_theory_sparse_view_play(CxuiTheorySparseView *self)
{
    CxSparseOptions options = cx_sparse_defaults();

    if (cxui_theory_sparse_is_running(self->model)) {
        cxui_theory_sparse_cancel(self->model);
        return;
    }
    options.side = (unsigned)gtk_range_get_value(GTK_RANGE(self->side));
    options.n_atoms = (unsigned)gtk_range_get_value(GTK_RANGE(self->atoms));
    options.lambda = gtk_range_get_value(GTK_RANGE(self->lambda));
    options.n_batches = (unsigned)gtk_range_get_value(GTK_RANGE(self->batches));
    cxui_theory_sparse_learn(self->model, &options, self->folder);
}

void
cxui_theory_sparse_view_stop(CxuiTheorySparseView *self)
{
    cxui_theory_sparse_stop(self->model);
}

/* --- making */

static GtkWidget *
new_controls(CxuiTheorySparseView *self)
{
    CxSparseOptions defaults = cx_sparse_defaults();
    GtkWidget *box = cxui_part_column();

    cxui_part_heading(box, "Images");
    self->source = cxui_part_text(box, "Images: drawn by Connexon", true);
    self->choose = cxui_part_button(box, "Choose a Folder…");
    cxui_part_heading(box, "Dictionary");
    self->side = cxui_part_scale(box, "Side of a patch", "px", 8, 16, 1, 0);
    gtk_range_set_value(GTK_RANGE(self->side), defaults.side);
    self->atoms = cxui_part_scale(box, "Atoms", "", 32, 256, 16, 0);
    gtk_range_set_value(GTK_RANGE(self->atoms), defaults.n_atoms);
    self->lambda = cxui_part_scale(box, "Sparsity λ", "", 0.01, 0.5, 0.01, 2);
    gtk_range_set_value(GTK_RANGE(self->lambda), defaults.lambda);
    self->batches = cxui_part_scale(box, "Batches", "", 100, 4000, 100, 0);
    gtk_range_set_value(GTK_RANGE(self->batches), defaults.n_batches);
    self->learn = cxui_part_button(box, "Learn");
    gtk_widget_add_css_class(self->learn, "suggested-action");
    cxui_part_heading(box, "Result");
    self->figures = cxui_part_text(box, "", false);
    cxui_part_text(box,
                   "After Olshausen and Field (1996): patches of whitened "
                   "images as sums of few atoms.",
                   true);
    g_signal_connect(self->learn, "clicked", G_CALLBACK(on_learn), self);
    g_signal_connect(self->choose, "clicked", G_CALLBACK(on_choose), self);
    return cxui_part_scrolled(box, 250);
}

GtkWidget *
cxui_theory_sparse_view_new(CxuiSession *session)
{
    CxuiTheorySparseView *self =
        g_object_new(CXUI_TYPE_THEORY_SPARSE_VIEW, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 0);
    GtkWidget *plots = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    self->model = cxui_theory_sparse_new(session);
    self->mosaic = cxui_map_new("Atoms", CXUI_SHADES_GREY);
    cxui_map_set_empty(self->mosaic, "Press Learn, and the atoms appear here");
    self->objective =
        cxui_chart_new("Objective", "Batches", "½ |x − Da|² + λ |a|, a patch");
    cxui_chart_set_empty(self->objective, "Nothing learnt yet");
    gtk_box_append(GTK_BOX(box), new_controls(self));
    self->mosaic_view = cxui_part_plot(plots, cxui_map_figure(self->mosaic),
                                       "Atoms of the dictionary", 300);
    self->objective_view =
        cxui_part_plot(plots, cxui_chart_figure(self->objective),
                       "Objective over batches", 130);
    gtk_widget_set_vexpand(self->objective_view, FALSE);
    gtk_widget_set_margin_end(plots, 6);
    gtk_widget_set_margin_bottom(plots, 6);
    gtk_box_append(GTK_BOX(box), plots);
    adw_bin_set_child(ADW_BIN(self), box);
    g_signal_connect_object(self->model, "changed", G_CALLBACK(on_changed),
                            self, 0);
    return GTK_WIDGET(self);
}

static void
dispose(GObject *object)
{
    CxuiTheorySparseView *self = CXUI_THEORY_SPARSE_VIEW(object);

    g_clear_object(&self->model);
    g_clear_object(&self->chooser);
    g_clear_pointer(&self->folder, g_free);
    G_OBJECT_CLASS(cxui_theory_sparse_view_parent_class)->dispose(object);
}

static void
cxui_theory_sparse_view_class_init(CxuiTheorySparseViewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void
cxui_theory_sparse_view_init(CxuiTheorySparseView *self)
{
}
