/* Circuits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_circuit.h"

#include <math.h>

typedef struct {
    unsigned column, row;
    char *name, *detail;
    int colour;
    bool off;
} Node;

typedef struct {
    unsigned from, to;
    double weight;
    char *label;
} Edge;

struct CxuiCircuit {
    CxuiFigure figure;
    GArray *nodes, *edges;
    char *empty;
};

typedef struct {
    double x, y, width, height;
} Place;

static CxuiCircuit *
circuit_of(CxuiFigure *figure)
{
    return (CxuiCircuit *)figure;
}

static Node *
node_of(const CxuiCircuit *circuit, unsigned i)
{
    return &g_array_index(circuit->nodes, Node, i);
}

static unsigned
count_rows(const CxuiCircuit *circuit, unsigned column)
{
    unsigned n = 0;

    for (guint i = 0; i < circuit->nodes->len; i++)
        n += node_of(circuit, i)->column == column;
    return n;
}

static unsigned
count_columns(const CxuiCircuit *circuit)
{
    unsigned n = 1;

    for (guint i = 0; i < circuit->nodes->len; i++)
        n = MAX(n, node_of(circuit, i)->column + 1);
    return n;
}

static Place
place_of(const CxuiCircuit *circuit, unsigned i, const CxuiFigureFrame *frame)
{
    double s = frame->theme->scale;
    const Node *node = node_of(circuit, i);
    unsigned n_columns = count_columns(circuit);
    unsigned n_rows = count_rows(circuit, node->column);
    double top = (circuit->figure.title != NULL ? 24.0 : 4.0) * s;
    double bottom = (circuit->figure.note != NULL ? 20.0 : 4.0) * s;
    double room = frame->height - top - bottom;
    double each = room / n_rows;
    double width = fmin(124.0 * s, frame->width / (n_columns * 1.45));
    double height = fmin((node->detail != NULL ? 34.0 : 26.0) * s, each * 0.86);
    double gap = n_columns > 1
                     ? (frame->width - 16.0 * s - width) / (n_columns - 1)
                     : 0.0;

    return (Place){8.0 * s + gap * node->column,
                   top + each * (node->row + 0.5) - height / 2.0, width,
                   height};
}

static double
largest_weight(const CxuiCircuit *circuit)
{
    double most = 0.0;

    for (guint i = 0; i < circuit->edges->len; i++)
        most = fmax(most, fabs(g_array_index(circuit->edges, Edge, i).weight));
    return most > 0.0 ? most : 1.0;
}

static void
draw_end(cairo_t *cr, bool excites, double x, double y, double size)
{
    if (excites) {
        cairo_move_to(cr, x - size, y - size * 0.75);
        cairo_line_to(cr, x, y);
        cairo_line_to(cr, x - size, y + size * 0.75);
        cairo_close_path(cr);
        cairo_fill(cr);
        return;
    }
    cairo_rectangle(cr, x - size * 0.35, y - size, size * 0.35, size * 2.0);
    cairo_fill(cr);
}

static void
draw_edge(const CxuiCircuit *circuit, const Edge *edge, double most,
          cairo_t *cr, const CxuiFigureFrame *frame)
{
    double s = frame->theme->scale;
    Place a = place_of(circuit, edge->from, frame);
    Place b = place_of(circuit, edge->to, frame);
    bool off =
        node_of(circuit, edge->from)->off || node_of(circuit, edge->to)->off;
    double share = fabs(edge->weight) / most;
    double width = (1.0 + 8.0 * share) * s;
    double size = (5.0 + 6.0 * share) * s;
    double x0 = a.x + a.width;
    double y0 = a.y + a.height / 2.0;
    double x1 = b.x - 2.0 * s;
    double y1 = b.y + b.height / 2.0;
    const double dashes[] = {4.0 * s, 4.0 * s};
    bool plain = edge->weight == 0.0;
    CxuiColour colour = plain                ? frame->theme->dim
                        : edge->weight > 0.0 ? frame->theme->excite
                                             : frame->theme->inhibit;

    /* ends side by side rather than on one point */
    unsigned n_rows = count_rows(circuit, node_of(circuit, edge->from)->column);
    if (n_rows > 1 &&
        count_rows(circuit, node_of(circuit, edge->to)->column) == 1) {
        double t = (node_of(circuit, edge->from)->row + 0.5) / n_rows - 0.5;
        y1 += t * fmin(frame->height * 0.4, 120.0 * s);
        y1 = fmin(fmax(y1, b.y - 30.0 * s), b.y + b.height + 30.0 * s);
    }
    cxui_plot_source(cr, cxui_colour_fade(colour, off ? 0.35 : 0.9));
    cairo_set_line_width(cr, off || plain ? 1.2 * s : width);
    cairo_set_dash(cr, dashes, off ? 2 : 0, 0.0);
    cairo_move_to(cr, x0, y0);
    cairo_curve_to(cr, x0 + (x1 - x0) * 0.45, y0, x0 + (x1 - x0) * 0.55, y1,
                   plain ? b.x : x1 - size * 0.8, y1);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0.0);
    if (!plain)
        draw_end(cr, edge->weight > 0.0, x1, y1, size);
    if (edge->label != NULL) {
        CxuiPlotLetters letters = {
            .size = 0.9, .ax = 0.0, .ay = 1.0, .colour = frame->theme->text};
        cxui_plot_text(cr, frame->theme, &letters, x0 + 6.0 * s,
                       y0 - width / 2.0, edge->label);
    }
}

static void
add_round_box(cairo_t *cr, const Place *p, double r)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, p->x + p->width - r, p->y + r, r, -G_PI / 2.0, 0.0);
    cairo_arc(cr, p->x + p->width - r, p->y + p->height - r, r, 0.0,
              G_PI / 2.0);
    cairo_arc(cr, p->x + r, p->y + p->height - r, r, G_PI / 2.0, G_PI);
    cairo_arc(cr, p->x + r, p->y + r, r, G_PI, G_PI * 1.5);
    cairo_close_path(cr);
}

static void
draw_node(const CxuiCircuit *circuit, unsigned i, cairo_t *cr,
          const CxuiFigureFrame *frame)
{
    double s = frame->theme->scale;
    const Node *node = node_of(circuit, i);
    Place p = place_of(circuit, i, frame);
    CxuiColour colour = cxui_plot_colour(frame->theme, node->colour);
    const double dashes[] = {3.0 * s, 3.0 * s};
    CxuiPlotLetters letters = {.size = 1.0,
                               .bold = true,
                               .ax = 0.5,
                               .ay = 0.5,
                               .colour = node->off ? frame->theme->dim
                                                   : frame->theme->text};
    bool two = node->detail != NULL && p.height >= 28.0 * s;

    add_round_box(cr, &p, fmin(7.0 * s, p.height / 2.0));
    cxui_plot_source(cr, frame->theme->ground);
    cairo_fill_preserve(cr);
    cxui_plot_source(cr, cxui_colour_fade(colour, node->off ? 0.0 : 0.25));
    cairo_fill_preserve(cr);
    cxui_plot_source(cr, cxui_colour_fade(colour, node->off ? 0.6 : 1.0));
    cairo_set_line_width(cr, 1.6 * s);
    cairo_set_dash(cr, dashes, node->off ? 2 : 0, 0.0);
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0.0);
    cxui_plot_text_fit(cr, frame->theme, &letters, p.x + p.width / 2.0,
                       p.y + p.height * (two ? 0.30 : 0.5), p.width - 6.0 * s,
                       node->name);
    if (!two)
        return;
    letters.bold = false;
    letters.size = 0.88;
    letters.colour = frame->theme->dim;
    cxui_plot_text_fit(cr, frame->theme, &letters, p.x + p.width / 2.0,
                       p.y + p.height * 0.72, p.width - 6.0 * s, node->detail);
}

static void
draw(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    CxuiCircuit *circuit = circuit_of(figure);
    double most = largest_weight(circuit);
    double s = frame->theme->scale;

    cxui_figure_draw_title(figure, cr, frame, frame->width - 12.0 * s);
    for (guint i = 0; i < circuit->edges->len; i++)
        draw_edge(circuit, &g_array_index(circuit->edges, Edge, i), most, cr,
                  frame);
    for (guint i = 0; i < circuit->nodes->len; i++)
        draw_node(circuit, i, cr, frame);
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 0.5, .ay = 1.0, .colour = frame->theme->dim};
    if (figure->note != NULL)
        cxui_plot_text_fit(cr, frame->theme, &letters, frame->width / 2.0,
                           frame->height - 3.0 * s, frame->width - 12.0 * s,
                           figure->note);
    letters.ay = 0.5;
    if (circuit->nodes->len == 0 && circuit->empty != NULL)
        cxui_plot_text_fit(cr, frame->theme, &letters, frame->width / 2.0,
                           frame->height / 2.0, frame->width - 12.0 * s,
                           circuit->empty);
}

static int
part_at(CxuiFigure *figure, const CxuiFigureFrame *frame, double x, double y)
{
    CxuiCircuit *circuit = circuit_of(figure);

    for (guint i = 0; i < circuit->nodes->len; i++) {
        Place p = place_of(circuit, i, frame);
        if (x >= p.x && x <= p.x + p.width && y >= p.y && y <= p.y + p.height)
            return (int)i;
    }
    return -1;
}

static void
to_csv(CxuiFigure *figure, GString *text)
{
    CxuiCircuit *circuit = circuit_of(figure);
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, "from,to,weight\n");
    for (guint i = 0; i < circuit->edges->len; i++) {
        const Edge *edge = &g_array_index(circuit->edges, Edge, i);
        g_string_append_printf(
            text, "%s,%s,%s\n", node_of(circuit, edge->from)->name,
            node_of(circuit, edge->to)->name,
            g_ascii_formatd(digits, sizeof digits, "%.7g", edge->weight));
    }
}

static void
clear_node(void *data)
{
    Node *node = data;

    g_free(node->name);
    g_free(node->detail);
}

static void
clear_edge(void *data)
{
    g_free(((Edge *)data)->label);
}

static void
circuit_free(CxuiFigure *figure)
{
    CxuiCircuit *circuit = circuit_of(figure);

    g_array_unref(circuit->nodes);
    g_array_unref(circuit->edges);
    g_free(circuit->empty);
    g_free(circuit);
}

static const CxuiFigureClass circuit_class = {
    .draw = draw,
    .part_at = part_at,
    .to_csv = to_csv,
    .free = circuit_free,
};

CxuiCircuit *
cxui_circuit_new(const char *title)
{
    CxuiCircuit *circuit = g_new0(CxuiCircuit, 1);

    circuit->figure.class = &circuit_class;
    circuit->figure.title = g_strdup(title);
    circuit->figure.cursor = NAN;
    circuit->nodes = g_array_new(FALSE, FALSE, sizeof(Node));
    circuit->edges = g_array_new(FALSE, FALSE, sizeof(Edge));
    g_array_set_clear_func(circuit->nodes, clear_node);
    g_array_set_clear_func(circuit->edges, clear_edge);
    return circuit;
}

void
cxui_circuit_clear(CxuiCircuit *circuit)
{
    g_array_set_size(circuit->nodes, 0);
    g_array_set_size(circuit->edges, 0);
    cxui_figure_touch(&circuit->figure);
}

unsigned
cxui_circuit_add_node(CxuiCircuit *circuit, unsigned column, const char *name,
                      const char *detail, int colour, bool off)
{
    Node node = {column,         count_rows(circuit, column),
                 g_strdup(name), g_strdup(detail),
                 colour,         off};

    g_array_append_val(circuit->nodes, node);
    cxui_figure_touch(&circuit->figure);
    return circuit->nodes->len - 1;
}

void
cxui_circuit_connect(CxuiCircuit *circuit, unsigned from, unsigned to,
                     double weight, const char *label)
{
    Edge edge = {from, to, weight, g_strdup(label)};

    g_assert(from < circuit->nodes->len && to < circuit->nodes->len);
    g_array_append_val(circuit->edges, edge);
    cxui_figure_touch(&circuit->figure);
}

void
cxui_circuit_set_empty(CxuiCircuit *circuit, const char *text)
{
    g_free(circuit->empty);
    circuit->empty = g_strdup(text);
    cxui_figure_touch(&circuit->figure);
}
