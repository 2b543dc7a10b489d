/* Maps of values.
 *
 * The cells are kept as a small picture, made again when values or theme
 * change, and scaled up without smoothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_map.h"

#include "app/views/plot_axis.h"

#include <math.h>

struct CxuiMap {
    CxuiFigure figure;
    CxuiShades shades;
    float *values;
    size_t n_x, n_y;
    double low, high;
    cairo_surface_t *picture;
    bool picture_is_dark;

    char *x_label, *y_label; /* x_label NULL: no axes */
    double x0, step, y0, y_step;
    double ring_x, ring_y, ring_radius;
    double band_from, band_to;
    double bar_cells;
    char *bar_label;
    unsigned blocks;
    char *key_unit;
    char *empty;
    GArray *marks; /* of Mark */
};

typedef struct {
    double x;
    int colour;
} Mark;

typedef struct {
    double x, y, width, height; /* of all cells */
} Place;

static CxuiMap *
map_of(CxuiFigure *figure)
{
    return (CxuiMap *)figure;
}

static void
make_picture(CxuiMap *map, const CxuiPlotTheme *theme)
{
    if (map->picture != NULL && map->picture_is_dark == theme->dark)
        return;
    g_clear_pointer(&map->picture, cairo_surface_destroy);
    map->picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)map->n_x,
                                              (int)map->n_y);
    map->picture_is_dark = theme->dark;
    int stride = cairo_image_surface_get_stride(map->picture);
    unsigned char *data = cairo_image_surface_get_data(map->picture);
    if (data == NULL)
        return;

    guint32 table[256];
    for (int i = 0; i < 256; i++) {
        CxuiColour c = cxui_plot_shade(theme, map->shades, i / 255.0);
        table[i] = (guint32)lround(c.r * 255) << 16 |
                   (guint32)lround(c.g * 255) << 8 | (guint32)lround(c.b * 255);
    }
    double scale = 255.0 / (map->high > map->low ? map->high - map->low : 1.0);
    for (size_t y = 0; y < map->n_y; y++) {
        guint32 *row = (guint32 *)(void *)(data + (size_t)stride * y);
        for (size_t x = 0; x < map->n_x; x++) {
            double v = (map->values[y * map->n_x + x] - map->low) * scale;
            row[x] = table[(int)lround(fmin(fmax(v, 0.0), 255.0))];
        }
    }
    cairo_surface_mark_dirty(map->picture);
}

static Place
place_of(const CxuiMap *map, const CxuiFigureFrame *frame)
{
    double s = frame->theme->scale;
    double top = map->figure.title != NULL ? 22.0 * s : 2.0 * s;
    double left = map->x_label != NULL ? 42.0 * s : 2.0 * s;
    double right = (map->key_unit != NULL ? 62.0 : 2.0) * s;
    double bottom = map->x_label != NULL       ? 32.0 * s
                    : map->figure.note != NULL ? 18.0 * s
                                               : 2.0 * s;
    Place all = {left, top, fmax(frame->width - left - right, 4.0),
                 fmax(frame->height - top - bottom, 4.0)};

    if (map->x_label != NULL || map->n_x == 0 || map->n_y == 0)
        return all;
    double cell =
        fmin(all.width / (double)map->n_x, all.height / (double)map->n_y);
    Place place = {0, 0, cell * (double)map->n_x, cell * (double)map->n_y};
    place.x = all.x + (all.width - place.width) / 2.0;
    place.y = all.y + (all.height - place.height) / 2.0;
    return place;
}

static CxuiAxis
x_axis(const CxuiMap *map, const Place *place)
{
    return (CxuiAxis){map->x0 - map->step / 2.0,
                      map->x0 + ((double)map->n_x - 0.5) * map->step, place->x,
                      place->x + place->width, false};
}

/* from < to, whichever way the rows count. */
static CxuiAxis
y_axis(const CxuiMap *map, const Place *place)
{
    double a = map->y0 - map->y_step / 2.0;
    double b = map->y0 + ((double)map->n_y - 0.5) * map->y_step;

    return a < b ? (CxuiAxis){a, b, place->y, place->y + place->height, false}
                 : (CxuiAxis){b, a, place->y + place->height, place->y, false};
}

static void
draw_cells(CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame,
           const Place *place)
{
    make_picture(map, frame->theme);
    cairo_save(cr);
    cairo_translate(cr, place->x, place->y);
    cairo_scale(cr, place->width / (double)map->n_x,
                place->height / (double)map->n_y);
    cairo_set_source_surface(cr, map->picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_NEAREST);
    cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
    cairo_rectangle(cr, 0, 0, (double)map->n_x, (double)map->n_y);
    cairo_fill(cr);
    cairo_restore(cr);

    cxui_plot_source(cr, frame->theme->grid);
    cairo_set_line_width(cr, 1.0);
    cairo_rectangle(cr, place->x - 0.5, place->y - 0.5, place->width + 1.0,
                    place->height + 1.0);
    cairo_stroke(cr);
}

static void
draw_blocks(const CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame,
            const Place *place)
{
    if (map->blocks == 0)
        return;
    double cell = place->width / (double)map->n_x;
    cxui_plot_source(cr, frame->theme->ground);
    cairo_set_line_width(cr, 1.5 * frame->theme->scale);
    for (size_t x = map->blocks; x < map->n_x; x += map->blocks) {
        cairo_move_to(cr, place->x + (double)x * cell, place->y);
        cairo_rel_line_to(cr, 0.0, place->height);
    }
    for (size_t y = map->blocks; y < map->n_y; y += map->blocks) {
        cairo_move_to(cr, place->x, place->y + (double)y * cell);
        cairo_rel_line_to(cr, place->width, 0.0);
    }
    cairo_stroke(cr);
}

static void
draw_axes(const CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame,
          const Place *place)
{
    double s = frame->theme->scale;
    double ticks[CXUI_AXIS_MAX_TICKS];
    CxuiAxis x = x_axis(map, place);
    CxuiAxis y = y_axis(map, place);
    unsigned most = (unsigned)fmax(2.0, place->width / 56.0 / s);
    unsigned n = cxui_axis_ticks(&x, most, ticks);
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 0.5, .colour = frame->theme->dim};

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *label =
            cxui_axis_dup_label(&x, ticks[i], cxui_axis_step(&x, most));
        double px = cxui_axis_pixel(&x, ticks[i]);
        letters.ax = px > place->x + place->width - 14.0 * s ? 1.0 : 0.5;
        cxui_plot_text(cr, frame->theme, &letters, px,
                       place->y + place->height + 2.0 * s, label);
    }
    letters.ax = 1.0;
    letters.ay = 1.0;
    cxui_plot_text(cr, frame->theme, &letters, place->x + place->width,
                   frame->height - 2.0 * s, map->x_label);
    letters.ay = 0.5;
    most = (unsigned)fmax(2.0, place->height / 34.0 / s);
    n = cxui_axis_ticks(&y, most, ticks);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *label =
            cxui_axis_dup_label(&y, ticks[i], cxui_axis_step(&y, most));
        cxui_plot_text(cr, frame->theme, &letters, place->x - 4.0 * s,
                       cxui_axis_pixel(&y, ticks[i]), label);
    }
    if (map->y_label != NULL) {
        letters.ax = 0.0;
        letters.ay = 1.0;
        cxui_plot_text(cr, frame->theme, &letters, 4.0 * s,
                       frame->height - 2.0 * s, map->y_label);
    }
    const double dashes[] = {4.0 * s, 3.0 * s};
    cairo_set_dash(cr, dashes, 2, 0.0);
    cairo_set_line_width(cr, 1.3 * s);
    for (guint i = 0; i < map->marks->len; i++) {
        const Mark *mark = &g_array_index(map->marks, Mark, i);
        cxui_plot_source(cr, cxui_plot_colour(frame->theme, mark->colour));
        cairo_move_to(cr, cxui_axis_pixel(&x, mark->x), place->y);
        cairo_rel_line_to(cr, 0.0, place->height);
        cairo_stroke(cr);
    }
    cairo_set_dash(cr, NULL, 0, 0.0);
}

/* A light stroke over a dark one shows on any picture. */
static void
stroke_twice(cairo_t *cr, const CxuiPlotTheme *theme, CxuiColour colour)
{
    cairo_set_line_width(cr, 4.0 * theme->scale);
    cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.55);
    cairo_stroke_preserve(cr);
    cairo_set_line_width(cr, 2.0 * theme->scale);
    cxui_plot_source(cr, colour);
    cairo_stroke(cr);
}

static void
draw_overlays(const CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame,
              const Place *place)
{
    double s = frame->theme->scale;
    double cell = place->width / (double)map->n_x;
    const CxuiColour white = {1.0, 1.0, 1.0, 1.0};
    const CxuiColour amber = {0.90, 0.62, 0.0, 1.0};

    cairo_save(cr);
    cairo_rectangle(cr, place->x, place->y, place->width, place->height);
    cairo_clip(cr);
    if (map->ring_radius > 0.0) {
        cairo_new_sub_path(cr);
        cairo_arc(cr, place->x + map->ring_x * cell,
                  place->y + map->ring_y * cell, map->ring_radius * cell, 0.0,
                  2.0 * G_PI);
        stroke_twice(cr, frame->theme, amber);
    }
    if (map->x_label != NULL && isfinite(map->band_from)) {
        CxuiAxis y = y_axis(map, place);
        for (int end = 0; end < 2; end++) {
            double at = end == 0 ? map->band_from : map->band_to;
            cairo_move_to(cr, place->x, cxui_axis_pixel(&y, at));
            cairo_rel_line_to(cr, place->width, 0.0);
            stroke_twice(cr, frame->theme, amber);
        }
    }
    cairo_restore(cr);
    if (map->bar_cells > 0.0) {
        double x = place->x + place->width - 8.0 * s;
        double y = place->y + place->height - 9.0 * s;
        double width = 0.0;
        double height = 0.0;
        CxuiPlotLetters letters = {
            .size = 0.95, .bold = true, .ax = 1.0, .ay = 1.0, .colour = white};
        cxui_plot_text_size(cr, frame->theme, &letters, map->bar_label, &width,
                            &height);
        double bar = map->bar_cells * cell;
        cairo_set_source_rgba(cr, 0.0, 0.0, 0.0, 0.55);
        cairo_rectangle(cr, x - fmax(width, bar) - 5.0 * s,
                        y - height - 5.0 * s, fmax(width, bar) + 10.0 * s,
                        height + 11.0 * s);
        cairo_fill(cr);
        cxui_plot_text(cr, frame->theme, &letters, x, y - 3.0 * s,
                       map->bar_label);
        cxui_plot_source(cr, white);
        cairo_set_line_width(cr, 3.0 * s);
        cairo_move_to(cr, x - bar, y);
        cairo_line_to(cr, x, y);
        cairo_stroke(cr);
    }
}

static void
draw_key(const CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame,
         const Place *place)
{
    double s = frame->theme->scale;
    double x = place->x + place->width + 7.0 * s;
    double width = 9.0 * s;
    CxuiPlotLetters letters = {.size = 0.85, .colour = frame->theme->dim};

    if (map->key_unit == NULL)
        return;
    for (int i = 0; i < 64; i++) {
        cxui_plot_source(
            cr, cxui_plot_shade(frame->theme, map->shades, 1.0 - i / 63.0));
        cairo_rectangle(cr, x, place->y + place->height * i / 64.0, width,
                        place->height / 64.0 + 1.0);
        cairo_fill(cr);
    }
    g_autofree char *high = g_strdup_printf("%.3g", map->high);
    g_autofree char *low = g_strdup_printf("%.3g", map->low);
    cxui_plot_text(cr, frame->theme, &letters, x + width + 4.0 * s, place->y,
                   high);
    letters.ay = 1.0;
    cxui_plot_text(cr, frame->theme, &letters, x + width + 4.0 * s,
                   place->y + place->height, low);
    letters.ay = 0.5;
    cxui_plot_text(cr, frame->theme, &letters, x + width + 4.0 * s,
                   place->y + place->height / 2.0, map->key_unit);
}

static void
draw_note(const CxuiMap *map, cairo_t *cr, const CxuiFigureFrame *frame)
{
    CxuiPlotLetters letters = {
        .size = 0.9, .ax = 0.5, .ay = 1.0, .colour = frame->theme->dim};

    if (map->figure.note != NULL && map->x_label == NULL)
        cxui_plot_text_fit(cr, frame->theme, &letters, frame->width / 2.0,
                           frame->height - 1.0, frame->width - 4.0,
                           map->figure.note);
}

static void
draw(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    CxuiMap *map = map_of(figure);
    Place place = place_of(map, frame);

    cxui_figure_draw_title(figure, cr, frame,
                           frame->width - 12.0 * frame->theme->scale);
    if (map->values == NULL) {
        CxuiPlotLetters letters = {
            .size = 1.0, .ax = 0.5, .ay = 0.5, .colour = frame->theme->dim};
        if (map->empty != NULL)
            cxui_plot_text_fit(
                cr, frame->theme, &letters, place.x + place.width / 2.0,
                place.y + place.height / 2.0, place.width, map->empty);
        return;
    }
    draw_cells(map, cr, frame, &place);
    draw_blocks(map, cr, frame, &place);
    if (map->x_label != NULL)
        draw_axes(map, cr, frame, &place);
    draw_overlays(map, cr, frame, &place);
    draw_key(map, cr, frame, &place);
    draw_note(map, cr, frame);
}

static void
draw_cursor(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    CxuiMap *map = map_of(figure);

    if (map->x_label == NULL || map->values == NULL || isnan(figure->cursor))
        return;
    Place place = place_of(map, frame);
    CxuiAxis x = x_axis(map, &place);
    double at = cxui_axis_pixel(&x, figure->cursor);
    if (at < place.x - 1.0 || at > place.x + place.width + 1.0)
        return;
    cairo_move_to(cr, at, place.y);
    cairo_rel_line_to(cr, 0.0, place.height);
    stroke_twice(cr, frame->theme, (CxuiColour){1.0, 1.0, 1.0, 1.0});
}

static double
value_at(CxuiFigure *figure, const CxuiFigureFrame *frame, double x, double y)
{
    CxuiMap *map = map_of(figure);
    if (map->x_label == NULL || map->values == NULL)
        return NAN;

    Place place = place_of(map, frame);
    CxuiAxis axis = x_axis(map, &place);
    return fmin(fmax(cxui_axis_value(&axis, x), axis.from), axis.to);
}

static int
part_at(CxuiFigure *figure, const CxuiFigureFrame *frame, double x, double y)
{
    CxuiMap *map = map_of(figure);
    Place place = place_of(map, frame);
    double cx = floor((x - place.x) / place.width * (double)map->n_x);
    double cy = floor((y - place.y) / place.height * (double)map->n_y);

    if (map->values == NULL || cx < 0.0 || cy < 0.0 || cx >= (double)map->n_x ||
        cy >= (double)map->n_y)
        return -1;
    return (int)((size_t)cy * map->n_x + (size_t)cx);
}

static void
to_csv(CxuiFigure *figure, GString *text)
{
    CxuiMap *map = map_of(figure);
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, "column,row,value\n");
    for (size_t i = 0; i < map->n_x * map->n_y; i++)
        g_string_append_printf(text, "%zu,%zu,%s\n", i % map->n_x, i / map->n_x,
                               g_ascii_formatd(digits, sizeof digits, "%.7g",
                                               (double)map->values[i]));
}

static void
map_free(CxuiFigure *figure)
{
    CxuiMap *map = map_of(figure);

    g_clear_pointer(&map->picture, cairo_surface_destroy);
    g_free(map->values);
    g_free(map->x_label);
    g_free(map->y_label);
    g_free(map->bar_label);
    g_free(map->key_unit);
    g_free(map->empty);
    g_array_unref(map->marks);
    g_free(map);
}

static const CxuiFigureClass map_class = {
    .draw = draw,
    .draw_cursor = draw_cursor,
    .value_at = value_at,
    .part_at = part_at,
    .to_csv = to_csv,
    .free = map_free,
};

CxuiMap *
cxui_map_new(const char *title, CxuiShades shades)
{
    CxuiMap *map = g_new0(CxuiMap, 1);

    map->figure.class = &map_class;
    map->figure.title = g_strdup(title);
    map->figure.cursor = NAN;
    map->shades = shades;
    map->band_from = map->band_to = NAN;
    map->marks = g_array_new(FALSE, FALSE, sizeof(Mark));
    return map;
}

void
cxui_map_clear(CxuiMap *map)
{
    g_clear_pointer(&map->values, g_free);
    g_clear_pointer(&map->picture, cairo_surface_destroy);
    map->n_x = map->n_y = 0;
    cxui_figure_touch(&map->figure);
}

static void
find_range(CxuiMap *map, double *low, double *high)
{
    float least = map->values[0];
    float largest = map->values[0];

    for (size_t i = 0; i < map->n_x * map->n_y; i++) {
        least = MIN(least, map->values[i]);
        largest = MAX(largest, map->values[i]);
    }
    if (map->shades == CXUI_SHADES_DIVERGING) {
        largest = MAX(largest, -least);
        least = -largest;
    }
    *low = isnan(*low) ? least : *low;
    *high = isnan(*high) ? largest : *high;
}

void
cxui_map_set(CxuiMap *map, const float *values, size_t n_x, size_t n_y,
             double low, double high)
{
    cxui_map_clear(map);
    if (n_x == 0 || n_y == 0)
        return;
    map->values = g_memdup2(values, n_x * n_y * sizeof *values);
    map->n_x = n_x;
    map->n_y = n_y;
    find_range(map, &low, &high);
    map->low = low;
    map->high = high;
}

void
cxui_map_set_axes(CxuiMap *map, const char *x_label, double x0, double step,
                  const char *y_label, double y0, double y_step)
{
    g_free(map->x_label);
    g_free(map->y_label);
    map->x_label = g_strdup(x_label);
    map->y_label = g_strdup(y_label);
    map->x0 = x0;
    map->step = step;
    map->y0 = y0;
    map->y_step = y_step;
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_ring(CxuiMap *map, double x, double y, double radius)
{
    map->ring_x = x;
    map->ring_y = y;
    map->ring_radius = radius;
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_band(CxuiMap *map, double from, double to)
{
    map->band_from = from;
    map->band_to = to;
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_scale_bar(CxuiMap *map, double cells, const char *label)
{
    map->bar_cells = cells;
    g_free(map->bar_label);
    map->bar_label = g_strdup(label);
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_blocks(CxuiMap *map, unsigned cells)
{
    map->blocks = cells;
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_key(CxuiMap *map, const char *unit)
{
    g_free(map->key_unit);
    map->key_unit = g_strdup(unit);
    cxui_figure_touch(&map->figure);
}

void
cxui_map_mark_x(CxuiMap *map, double x, int colour)
{
    Mark mark = {x, colour};

    g_array_append_val(map->marks, mark);
    cxui_figure_touch(&map->figure);
}

void
cxui_map_clear_marks(CxuiMap *map)
{
    g_array_set_size(map->marks, 0);
    cxui_figure_touch(&map->figure);
}

void
cxui_map_set_empty(CxuiMap *map, const char *text)
{
    g_free(map->empty);
    map->empty = g_strdup(text);
    cxui_figure_touch(&map->figure);
}
