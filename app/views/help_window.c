/* The manual in a window.
 *
 * Renders the small part of Markdown that the manual uses: headings, bullets,
 * two-column tables, bold and code.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/help_window.h"

#include "app/views/bindings.h"

#include <adwaita.h>
#include <string.h>

static void
add_tags(GtkTextBuffer *buffer)
{
    gtk_text_buffer_create_tag(buffer, "h1", "scale", 1.7, "weight",
                               PANGO_WEIGHT_BOLD, "pixels-above-lines", 18,
                               "pixels-below-lines", 6, NULL);
    gtk_text_buffer_create_tag(buffer, "h2", "scale", 1.25, "weight",
                               PANGO_WEIGHT_BOLD, "pixels-above-lines", 18,
                               "pixels-below-lines", 3, NULL);
    gtk_text_buffer_create_tag(buffer, "bold", "weight", PANGO_WEIGHT_BOLD,
                               NULL);
    gtk_text_buffer_create_tag(buffer, "code", "family", "monospace", NULL);
    gtk_text_buffer_create_tag(buffer, "bullet", "left-margin", 42, "indent",
                               -18, NULL);
}

/* Text with **bold** and `code`; tag is for the whole line, or NULL. */
static void
insert_spans(GtkTextBuffer *buffer, const char *text, const char *tag)
{
    const char *styles[] = {NULL, "bold", "code"};
    int style = 0;

    while (*text != '\0') {
        size_t n = strcspn(text, "*`");
        if (text[n] == '*' && text[n + 1] != '*')
            n++;
        if (n > 0) {
            GtkTextIter end;
            g_autofree char *piece = g_strndup(text, n);
            gtk_text_buffer_get_end_iter(buffer, &end);
            gtk_text_buffer_insert_with_tags_by_name(
                buffer, &end, piece, -1,
                styles[style] != NULL ? styles[style] : tag,
                styles[style] != NULL ? tag : NULL, NULL);
            text += n;
        }
        if (strncmp(text, "**", 2) == 0) {
            style = style == 1 ? 0 : 1;
            text += 2;
        } else if (*text == '`') {
            style = style == 2 ? 0 : 2;
            text++;
        }
    }
}

static void
insert_text(GtkTextBuffer *buffer, const char *text)
{
    GtkTextIter end;

    gtk_text_buffer_get_end_iter(buffer, &end);
    gtk_text_buffer_insert(buffer, &end, text, -1);
}

/* "| key | does |" */
static void
insert_table_row(GtkTextBuffer *buffer, const char *line)
{
    g_auto(GStrv) cells = g_strsplit(line, "|", -1);

    if (g_strv_length(cells) < 4 || strstr(line, "---") != NULL ||
        g_str_equal(g_strstrip(cells[1]), "Key"))
        return;
    insert_spans(buffer, cells[1], "bold");
    insert_text(buffer, "\t");
    insert_spans(buffer, g_strstrip(cells[2]), NULL);
    insert_text(buffer, "\n");
}

/* Lines of a paragraph are joined until an empty one. */
static void
insert_line(GtkTextBuffer *buffer, const char *line)
{
    if (g_str_has_prefix(line, "# ")) {
        insert_spans(buffer, line + 2, "h1");
        insert_text(buffer, "\n");
    } else if (g_str_has_prefix(line, "## ")) {
        insert_spans(buffer, line + 3, "h2");
        insert_text(buffer, "\n");
    } else if (line[0] == '|') {
        insert_table_row(buffer, line);
    } else if (g_str_has_prefix(line, "- ")) {
        insert_spans(buffer, "•  ", "bullet");
        insert_spans(buffer, line + 2, "bullet");
        insert_text(buffer, "\n");
    } else if (line[0] == '\0') {
        insert_text(buffer, "\n");
    } else {
        insert_spans(buffer, line, NULL);
        insert_text(buffer, "\n");
    }
}

static GtkWidget *
new_page(const char *markdown)
{
    GtkWidget *view = gtk_text_view_new();
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(GTK_TEXT_VIEW(view));
    g_auto(GStrv) lines = g_strsplit(markdown, "\n", -1);
    PangoTabArray *tabs =
        pango_tab_array_new_with_positions(1, TRUE, PANGO_TAB_LEFT, 190);

    gtk_text_view_set_editable(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_cursor_visible(GTK_TEXT_VIEW(view), FALSE);
    gtk_text_view_set_wrap_mode(GTK_TEXT_VIEW(view), GTK_WRAP_WORD);
    gtk_text_view_set_tabs(GTK_TEXT_VIEW(view), tabs);
    gtk_text_view_set_left_margin(GTK_TEXT_VIEW(view), 24);
    gtk_text_view_set_right_margin(GTK_TEXT_VIEW(view), 24);
    gtk_text_view_set_bottom_margin(GTK_TEXT_VIEW(view), 24);
    gtk_text_view_set_pixels_below_lines(GTK_TEXT_VIEW(view), 2);
    pango_tab_array_free(tabs);
    add_tags(buffer);
    for (size_t i = 0; lines[i] != NULL; i++)
        insert_line(buffer, lines[i]);

    GtkWidget *scrolled = gtk_scrolled_window_new();
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), view);
    gtk_widget_set_vexpand(scrolled, TRUE);
    return scrolled;
}

static char *
dup_chapter(const char *name)
{
    g_autofree char *path =
        g_strdup_printf("/org/connexon/Connexon/help/%s.md", name);
    g_autoptr(GBytes) bytes =
        g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_assert(bytes != NULL);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static void
add_chapter(GtkStack *stack, const char *name, const char *title,
            const char *markdown)
{
    gtk_stack_add_titled(stack, new_page(markdown), name, title);
}

void
cxui_help_present(GtkWindow *parent)
{
    GtkWidget *window = adw_window_new();
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *stack = gtk_stack_new();
    GtkWidget *switcher = gtk_stack_switcher_new();
    g_autofree char *start = dup_chapter("start");
    g_autofree char *formats = dup_chapter("formats");
    g_autofree char *review = dup_chapter("review");
    g_autofree char *retina = dup_chapter("retina");
    g_autofree char *keys = cxui_bindings_dup_manual();

    add_chapter(GTK_STACK(stack), "start", "First Steps", start);
    add_chapter(GTK_STACK(stack), "review", "Reviewing", review);
    add_chapter(GTK_STACK(stack), "retina", "Retina and Models", retina);
    add_chapter(GTK_STACK(stack), "keys", "Keys", keys);
    add_chapter(GTK_STACK(stack), "formats", "Formats", formats);
    gtk_stack_switcher_set_stack(GTK_STACK_SWITCHER(switcher),
                                 GTK_STACK(stack));
    adw_header_bar_set_title_widget(ADW_HEADER_BAR(header), switcher);
    gtk_box_append(GTK_BOX(box), header);
    gtk_box_append(GTK_BOX(box), stack);
    adw_window_set_content(ADW_WINDOW(window), box);
    gtk_window_set_title(GTK_WINDOW(window), "Help");
    gtk_window_set_default_size(GTK_WINDOW(window), 760, 640);
    gtk_window_set_transient_for(GTK_WINDOW(window), parent);
    gtk_window_present(GTK_WINDOW(window));
}
