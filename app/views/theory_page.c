/* The Models page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/theory_page.h"

#include "app/views/theory_flow_view.h"
#include "app/views/theory_hopfield_view.h"
#include "app/views/theory_sparse_view.h"

struct _CxuiTheoryPage {
    AdwBin parent;
    GtkWidget *stack;
    GtkWidget *hopfield, *sparse, *flow;
};

G_DEFINE_FINAL_TYPE(CxuiTheoryPage, cxui_theory_page, ADW_TYPE_BIN)

void
cxui_theory_page_play(CxuiTheoryPage *self)
{
    GtkWidget *shown = gtk_stack_get_visible_child(GTK_STACK(self->stack));

    if (shown == self->hopfield)
        cxui_theory_hopfield_view_play(CXUI_THEORY_HOPFIELD_VIEW(shown));
    else if (shown == self->sparse)
        cxui_theory_sparse_view_play(CXUI_THEORY_SPARSE_VIEW(shown));
    else
        cxui_theory_flow_view_play(CXUI_THEORY_FLOW_VIEW(shown));
}

void
cxui_theory_page_stop(CxuiTheoryPage *self)
{
    cxui_theory_hopfield_view_stop(CXUI_THEORY_HOPFIELD_VIEW(self->hopfield));
    cxui_theory_sparse_view_stop(CXUI_THEORY_SPARSE_VIEW(self->sparse));
    cxui_theory_flow_view_stop(CXUI_THEORY_FLOW_VIEW(self->flow));
}

GtkWidget *
cxui_theory_page_new(CxuiSession *session)
{
    CxuiTheoryPage *self = g_object_new(CXUI_TYPE_THEORY_PAGE, NULL);
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *switcher = gtk_stack_switcher_new();

    self->stack = gtk_stack_new();
    gtk_widget_set_vexpand(self->stack, TRUE);
    gtk_stack_switcher_set_stack(GTK_STACK_SWITCHER(switcher),
                                 GTK_STACK(self->stack));
    gtk_widget_set_halign(switcher, GTK_ALIGN_CENTER);
    gtk_widget_set_margin_top(switcher, 6);
    gtk_widget_set_margin_bottom(switcher, 6);
    self->hopfield = cxui_theory_hopfield_view_new(session);
    self->sparse = cxui_theory_sparse_view_new(session);
    self->flow = cxui_theory_flow_view_new(session);
    gtk_stack_add_titled(GTK_STACK(self->stack), self->hopfield, "hopfield",
                         "Associative Memory");
    gtk_stack_add_titled(GTK_STACK(self->stack), self->sparse, "sparse",
                         "Sparse Coding");
    gtk_stack_add_titled(GTK_STACK(self->stack), self->flow, "flow",
                         "SynFlow Pruning");
    gtk_box_append(GTK_BOX(box), switcher);
    gtk_box_append(GTK_BOX(box), self->stack);
    gtk_widget_add_css_class(box, "science");
    adw_bin_set_child(ADW_BIN(self), box);
    return GTK_WIDGET(self);
}

static void
cxui_theory_page_class_init(CxuiTheoryPageClass *class)
{
}

static void
cxui_theory_page_init(CxuiTheoryPage *self)
{
}
