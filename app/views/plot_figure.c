/* What all plots have in common.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/plot_figure.h"

#include "core/base/error.h"

#include <cairo-svg.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define PNG_SCALE 2.0

void
cxui_figure_free(void *data)
{
    CxuiFigure *figure = data;

    if (figure == NULL)
        return;
    g_free(figure->title);
    g_free(figure->note);
    figure->class->free(figure);
}

void
cxui_figure_touch(CxuiFigure *figure)
{
    figure->serial++;
}

static void
set_text(CxuiFigure *figure, char **place, const char *text)
{
    if (g_strcmp0(*place, text) == 0)
        return;
    g_free(*place);
    *place = g_strdup(text);
    cxui_figure_touch(figure);
}

void
cxui_figure_set_title(CxuiFigure *figure, const char *title)
{
    set_text(figure, &figure->title, title);
}

void
cxui_figure_set_note(CxuiFigure *figure, const char *note)
{
    set_text(figure, &figure->note, note);
}

double
cxui_figure_draw_title(CxuiFigure *figure, cairo_t *cr,
                       const CxuiFigureFrame *frame, double width)
{
    CxuiPlotLetters letters = {
        .size = 1.0, .bold = true, .colour = frame->theme->text};
    double height = 0.0;

    if (figure->title == NULL || figure->title[0] == '\0')
        return 0.0;
    cxui_plot_text_size(cr, frame->theme, &letters, figure->title, NULL,
                        &height);
    cxui_plot_text_fit(cr, frame->theme, &letters, 6.0 * frame->theme->scale,
                       3.0 * frame->theme->scale, width, figure->title);
    return height + 5.0 * frame->theme->scale;
}

void
cxui_figure_draw(CxuiFigure *figure, cairo_t *cr, const CxuiFigureFrame *frame)
{
    cxui_plot_source(cr, frame->theme->ground);
    cairo_rectangle(cr, 0, 0, frame->width, frame->height);
    cairo_fill(cr);
    figure->class->draw(figure, cr, frame);
    if (figure->class->draw_cursor != NULL)
        figure->class->draw_cursor(figure, cr, frame);
}

char *
cxui_figure_to_csv(CxuiFigure *figure)
{
    GString *text = g_string_new(NULL);

    figure->class->to_csv(figure, text);
    return g_string_free(text, FALSE);
}

static cairo_surface_t *
new_surface(const CxuiFigureFrame *frame, const char *path, bool svg)
{
    if (svg)
        return cairo_svg_surface_create(path, frame->width, frame->height);
    cairo_surface_t *surface = cairo_image_surface_create(
        CAIRO_FORMAT_RGB24, (int)ceil(frame->width * PNG_SCALE),
        (int)ceil(frame->height * PNG_SCALE));
    cairo_surface_set_device_scale(surface, PNG_SCALE, PNG_SCALE);
    return surface;
}

static bool
save_picture(CxuiFigure *figure, const CxuiFigureFrame *frame, const char *path,
             const char *temporary, bool svg, GError **error)
{
    cairo_surface_t *surface = new_surface(frame, temporary, svg);
    cairo_t *cr = cairo_create(surface);

    cxui_figure_draw(figure, cr, frame);
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS && !svg)
        status = cairo_surface_write_to_png(surface, temporary);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS || g_rename(temporary, path) != 0) {
        const char *cause = status != CAIRO_STATUS_SUCCESS
                                ? cairo_status_to_string(status)
                                : g_strerror(errno);
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "%s: cannot be written: %s",
                    path, cause);
        g_unlink(temporary);
        return false;
    }
    return true;
}

bool
cxui_figure_save(CxuiFigure *figure, const CxuiFigureFrame *frame,
                 const char *path, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".part", NULL);

    if (g_str_has_suffix(path, ".png"))
        return save_picture(figure, frame, path, temporary, false, error);
    if (g_str_has_suffix(path, ".svg"))
        return save_picture(figure, frame, path, temporary, true, error);
    if (!g_str_has_suffix(path, ".csv")) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s: unknown suffix, expected .png, .svg or .csv", path);
        return false;
    }
    g_autofree char *text = cxui_figure_to_csv(figure);
    g_autoptr(GError) cause = NULL;
    if (!g_file_set_contents(path, text, (gssize)strlen(text), &cause)) {
        g_set_error(error, CX_ERROR, CX_ERROR_IO, "%s: cannot be written: %s",
                    path, cause->message);
        return false;
    }
    return true;
}
