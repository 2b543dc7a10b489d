/* The table, and what is made from it.
 *
 * The base map is Neuroglancer's, with what four or more tools share: wheel =
 * slice, Ctrl+wheel = zoom, drag = pan, comma and stop = one slice, Shift = ten.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/bindings.h"

#include <string.h>

#define APP CXUI_SCOPE_APP
#define KEYS CXUI_SCOPE_KEYS
#define HAND CXUI_SCOPE_HAND
#define POINTER CXUI_HINT_POINTER
#define MERGE CXUI_HINT_MERGE
#define SPLIT CXUI_HINT_SPLIT
#define READY CXUI_HINT_READY
#define RETINA CXUI_HINT_RETINA
#define MODELS CXUI_HINT_MODELS

/* clang-format off */
static const CxuiBinding table[] = {
    { APP, CXUI_GROUP_FILE, "win.open", "<Control>o", "Open a volume or project", NULL, 0 },
    { APP, CXUI_GROUP_FILE, "win.open-folder", "<Control><Shift>o", "Open a folder of slices, Zarr or precomputed", NULL, 0 },
    { APP, CXUI_GROUP_FILE, "win.open-sample", NULL, "Open the sample", NULL, 0 },
    { APP, CXUI_GROUP_FILE, "win.export", "<Control>e", "Export", NULL, 0 },
    { APP, CXUI_GROUP_FILE, "win.close", "<Control>w", "Close the window", NULL, 0 },
    { APP, CXUI_GROUP_FILE, "app.quit", "<Control>q", "Quit", NULL, 0 },

    { HAND, CXUI_GROUP_MOVE, NULL, "Wheel", "Next and previous slice (Shift: ten)", "slice", POINTER },
    { HAND, CXUI_GROUP_MOVE, NULL, "Ctrl+wheel", "Zoom at the pointer", "zoom", POINTER },
    { HAND, CXUI_GROUP_MOVE, NULL, "Drag", "Move the slice", "pan", POINTER },
    { HAND, CXUI_GROUP_MOVE, NULL, "Right-click", "Centre all panes here (hold: menu)", "centre", POINTER },
    { KEYS, CXUI_GROUP_MOVE, "win.step(1)", "period f", "Next slice", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.step(-1)", "comma d", "Previous slice", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.step(10)", "<Shift>greater <Shift>f", "Ten slices on", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.step(-10)", "<Shift>less <Shift>d", "Ten slices back", NULL, 0 },
    { HAND, CXUI_GROUP_MOVE, NULL, "Arrow keys", "Move the cross-hair by one voxel (Shift: ten)", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.zoom-in", "plus equal KP_Add", "Zoom in", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.zoom-out", "minus KP_Subtract", "Zoom out", NULL, 0 },
    { KEYS, CXUI_GROUP_MOVE, "win.zoom-fit", "0", "Show the whole volume", NULL, 0 },
    { APP, CXUI_GROUP_MOVE, "win.go-to", "<Control>g", "Go to a position or segment", NULL, 0 },
    { HAND, CXUI_GROUP_MOVE, NULL, "Hold Space", "Image only, without segments", "raw image", POINTER },
    { KEYS, CXUI_GROUP_MOVE, "win.live-prediction", "p", "Live prediction: the network runs over what is shown", NULL, 0 },

    { HAND, CXUI_GROUP_SCENE, NULL, "Drag", "Turn around the cross-hair", NULL, 0 },
    { HAND, CXUI_GROUP_SCENE, NULL, "Shift+drag", "Move sideways", NULL, 0 },
    { HAND, CXUI_GROUP_SCENE, NULL, "Wheel", "Zoom at the pointer", NULL, 0 },
    { KEYS, CXUI_GROUP_SCENE, "win.reset-scene", "r", "Reset the view in 3-D", NULL, 0 },

    { HAND, CXUI_GROUP_SELECT, NULL, "Click", "Select the segment", "select", POINTER },
    { HAND, CXUI_GROUP_SELECT, NULL, "Ctrl+click", "Add to the selection", "add", POINTER },
    { HAND, CXUI_GROUP_SELECT, NULL, "Double-click", "Take into or out of the selection", NULL, 0 },
    { APP, CXUI_GROUP_SELECT, "win.find", "<Control>f", "Find a segment by id or note", NULL, 0 },
    { APP, CXUI_GROUP_SELECT, "win.clear-selection", "<Control><Shift>a", "Select nothing", NULL, 0 },
    { APP, CXUI_GROUP_SELECT, "win.selection-back", "<Alt>Left", "Selection before this one", NULL, 0 },
    { KEYS, CXUI_GROUP_SELECT, "win.hide-selected", "h", "Hide or show the selected segments", NULL, 0 },
    { KEYS, CXUI_GROUP_SELECT, "win.isolate-selected", "i", "Show the selected segments alone, or all again", NULL, 0 },
    { KEYS, CXUI_GROUP_SELECT, "win.recolour-selected", "c", "Give the selected segments another colour", NULL, 0 },
    { KEYS, CXUI_GROUP_SELECT, "win.lock-selected", "l", "Lock or unlock the selected segments", NULL, 0 },
    { APP, CXUI_GROUP_SELECT, "win.copy-ids", "<Control><Shift>c", "Copy the selected ids", NULL, 0 },

    { HAND, CXUI_GROUP_EDIT, NULL, "Click", "Merge: first and second partner", "pick a partner", MERGE },
    { KEYS, CXUI_GROUP_EDIT, "win.tool::merge", "m", "Merge tool", "merge", POINTER },
    { KEYS, CXUI_GROUP_EDIT, "win.tool::split", "x", "Split tool", "split", POINTER },
    { HAND, CXUI_GROUP_EDIT, NULL, "Ctrl+click", "Split: seed of side A (of side B after G)", "seed A", SPLIT },
    { HAND, CXUI_GROUP_EDIT, NULL, "Ctrl+Shift+click", "Split: seed of side B", "seed B", SPLIT },
    { KEYS, CXUI_GROUP_EDIT, "win.swap-side", "g", "Split: Ctrl+click sets the other side", "other side", SPLIT },
    { KEYS, CXUI_GROUP_EDIT, "win.commit", "Return KP_Enter", "Carry out the merge or split shown", "carry out", READY },
    { KEYS, CXUI_GROUP_EDIT, "win.cancel", "Escape", "Clear the seeds, then leave the tool", "leave", MERGE | SPLIT },
    { KEYS, CXUI_GROUP_EDIT, "win.answer::same", "y", "Queue: yes, the same neuron", NULL, 0 },
    { KEYS, CXUI_GROUP_EDIT, "win.answer::different", "u", "Queue: no, two neurons", NULL, 0 },
    { KEYS, CXUI_GROUP_EDIT, "win.answer::unsure", "question <Shift>question", "Queue: not sure", NULL, 0 },
    { KEYS, CXUI_GROUP_EDIT, "win.candidate(1)", "n", "Queue: next, this one later", NULL, 0 },
    { KEYS, CXUI_GROUP_EDIT, "win.candidate(-1)", "<Shift>n", "Queue: the one before", NULL, 0 },
    { APP, CXUI_GROUP_EDIT, "win.undo", "<Control>z", "Undo the last edit", NULL, 0 },
    { APP, CXUI_GROUP_EDIT, "win.redo", "<Control><Shift>z <Control>y", "Redo", NULL, 0 },
    { KEYS, CXUI_GROUP_EDIT, "win.grow", "o", "Grow the object under the pointer (Esc stops)", NULL, 0 },
    { APP, CXUI_GROUP_EDIT, "win.segment-field", "<Control>r", "Segment the field shown", NULL, 0 },
    { APP, CXUI_GROUP_EDIT, "win.choose-model", "<Control>m", "Choose the network", NULL, 0 },

    { KEYS, CXUI_GROUP_SCIENCE, "win.play", "space", "Play or pause; run or stop a model", "play", RETINA | MODELS },
    { KEYS, CXUI_GROUP_SCIENCE, "win.replay-step(-1)", "Left", "One frame (10 ms) back", "frame", RETINA },
    { KEYS, CXUI_GROUP_SCIENCE, "win.replay-step(1)", "Right", "One frame (10 ms) on", "frame", RETINA },
    { KEYS, CXUI_GROUP_SCIENCE, "win.replay-step(-10)", "<Shift>Left", "Ten frames back", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.replay-step(10)", "<Shift>Right", "Ten frames on", NULL, 0 },
    { HAND, CXUI_GROUP_SCIENCE, NULL, "Drag on a trace", "Move the time", "seek", RETINA },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(1)", "1", "Take channel 1 out or in (likewise 2 to 8)", "take a channel out", RETINA },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(2)", "2", "Channel 2", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(3)", "3", "Channel 3", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(4)", "4", "Channel 4", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(5)", "5", "Channel 5", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(6)", "6", "Channel 6", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(7)", "7", "Channel 7", NULL, 0 },
    { KEYS, CXUI_GROUP_SCIENCE, "win.toggle-channel(8)", "8", "Channel 8", NULL, 0 },
    { HAND, CXUI_GROUP_SCIENCE, NULL, "Left and right button", "Associative memory: paint ink or paper into the state", "paint the state", MODELS },

    { APP, CXUI_GROUP_WINDOW, "win.mode::proofread", "<Alt>1", "Proofread", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.mode::retina", "<Alt>2", "Retina", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.mode::models", "<Alt>3", "Models", NULL, 0 },
    { HAND, CXUI_GROUP_WINDOW, NULL, "Tap Space", "Next layout of the panes", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.show-sidebar", "F9", "Show or hide the side bar", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.full-screen", "F11", "Full screen; again: stage (large type, no panels)", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.main-menu", "F10", "Main menu", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "app.preferences", "<Control>comma", "Preferences", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "app.shortcuts", "<Control>question", "Keyboard shortcuts", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "app.help", "F1", "Help", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "app.new-window", "<Control>n", "New window", NULL, 0 },
    { APP, CXUI_GROUP_WINDOW, "win.debug", "F12", "Debug overlay", NULL, 0 },
};
/* clang-format on */

static const char *const group_titles[CXUI_N_GROUPS] = {
    [CXUI_GROUP_FILE] = "Files",
    [CXUI_GROUP_MOVE] = "Slices",
    [CXUI_GROUP_SCENE] = "3-D",
    [CXUI_GROUP_SELECT] = "Segments",
    [CXUI_GROUP_EDIT] = "Corrections",
    [CXUI_GROUP_SCIENCE] = "Retina and Models",
    [CXUI_GROUP_WINDOW] = "Window",
};

const CxuiBinding *
cxui_bindings(size_t *n)
{
    *n = G_N_ELEMENTS(table);
    return table;
}

void
cxui_bindings_install(GtkApplication *application)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].scope != CXUI_SCOPE_APP || table[i].keys == NULL)
            continue;
        g_auto(GStrv) keys = g_strsplit(table[i].keys, " ", -1);
        gtk_application_set_accels_for_action(application, table[i].action,
                                              (const char *const *)keys);
    }
}

static void
add_shortcut(GtkShortcutController *controller, const CxuiBinding *row,
             const char *key)
{
    g_autoptr(GVariant) target = NULL;
    g_autofree char *name = NULL;
    bool ok = g_action_parse_detailed_name(row->action, &name, &target, NULL);
    g_assert(ok);

    guint keyval = 0;
    GdkModifierType modifiers = 0;
    ok = gtk_accelerator_parse(key, &keyval, &modifiers);
    g_assert(ok);

    GtkShortcut *shortcut = gtk_shortcut_new(
        gtk_keyval_trigger_new(keyval, modifiers), gtk_named_action_new(name));
    if (target != NULL)
        gtk_shortcut_set_arguments(shortcut, target);
    gtk_shortcut_controller_add_shortcut(controller, shortcut);
}

static bool
is_key_of(const CxuiBinding *row, bool science)
{
    bool own = (row->group == CXUI_GROUP_SCIENCE) == science;

    return row->scope == CXUI_SCOPE_KEYS &&
           (own || g_strcmp0(row->action, "win.cancel") == 0);
}

GtkEventController *
cxui_bindings_key_controller(bool science)
{
    GtkEventController *controller = gtk_shortcut_controller_new();

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (!is_key_of(&table[i], science))
            continue;
        g_auto(GStrv) keys = g_strsplit(table[i].keys, " ", -1);
        for (size_t k = 0; keys[k] != NULL; k++)
            add_shortcut(GTK_SHORTCUT_CONTROLLER(controller), &table[i],
                         keys[k]);
    }
    return controller;
}

/* Where the name of the key is not what is printed on it. */
static const struct {
    guint keyval;
    const char *name;
} key_names[] = {
    {GDK_KEY_Return, "Enter"}, {GDK_KEY_Escape, "Esc"},  {GDK_KEY_greater, "."},
    {GDK_KEY_less, ","},       {GDK_KEY_space, "Space"}, {GDK_KEY_Left, "←"},
    {GDK_KEY_Right, "→"},
};

/* "<Control><Shift>z" → "Ctrl+Shift+Z"; independent of the language, since
 * the manual is made from it. */
static char *
label_of_key(const char *key)
{
    guint keyval = 0;
    GdkModifierType modifiers = 0;
    bool ok = gtk_accelerator_parse(key, &keyval, &modifiers);
    g_assert(ok);

    GString *label = g_string_new(NULL);
    if (modifiers & GDK_CONTROL_MASK)
        g_string_append(label, "Ctrl+");
    if (modifiers & GDK_ALT_MASK)
        g_string_append(label, "Alt+");
    if (modifiers & GDK_SHIFT_MASK)
        g_string_append(label, "Shift+");
    for (size_t i = 0; i < G_N_ELEMENTS(key_names); i++) {
        if (key_names[i].keyval == keyval) {
            g_string_append(label, key_names[i].name);
            return g_string_free(label, FALSE);
        }
    }
    gunichar c = gdk_keyval_to_unicode(keyval);
    if (c > 32 && c != 127)
        g_string_append_unichar(label, g_unichar_toupper(c));
    else
        g_string_append(label, gdk_keyval_name(keyval));
    return g_string_free(label, FALSE);
}

static char *
label_of_first_key(const CxuiBinding *row)
{
    if (row->keys == NULL)
        return NULL;
    if (row->scope == CXUI_SCOPE_HAND)
        return g_strdup(row->keys);
    g_auto(GStrv) keys = g_strsplit(row->keys, " ", 2);
    return label_of_key(keys[0]);
}

char *
cxui_bindings_dup_hint(unsigned mode)
{
    GString *line = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].hint == NULL || (table[i].hint_modes & mode) == 0)
            continue;
        g_autofree char *key = label_of_first_key(&table[i]);
        if (line->len > 0)
            g_string_append(line, " · ");
        g_string_append_printf(line, "%s %s", key, table[i].hint);
    }
    return g_string_free(line, FALSE);
}

static const CxuiBinding *
find_action(const char *action)
{
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_strcmp0(table[i].action, action) == 0)
            return &table[i];
    }
    return NULL;
}

char *
cxui_bindings_dup_key_label(const char *action)
{
    const CxuiBinding *row = find_action(action);

    return row != NULL ? label_of_first_key(row) : NULL;
}

char *
cxui_bindings_dup_tooltip(const char *action)
{
    const CxuiBinding *row = find_action(action);
    if (row == NULL)
        return NULL;

    g_autofree char *key = label_of_first_key(row);
    return key != NULL ? g_strdup_printf("%s (%s)", row->title, key)
                       : g_strdup(row->title);
}

/* GtkShortcutsWindow of GTK 4.8 takes its rows from a builder only. */
static void
append_row_xml(GString *xml, const CxuiBinding *row)
{
    if (row->keys == NULL)
        return;
    g_autofree char *title =
        row->scope == CXUI_SCOPE_HAND
            ? g_markup_printf_escaped("%s: %s", row->keys, row->title)
            : g_markup_escape_text(row->title, -1);
    g_string_append(xml, "<child><object class='GtkShortcutsShortcut'>");
    g_string_append_printf(xml, "<property name='title'>%s</property>", title);
    if (row->scope == CXUI_SCOPE_HAND) {
        g_string_append(xml,
                        "<property name='shortcut-type'>gesture</property>"
                        "<property name='icon'><object class='GThemedIcon'>"
                        "<property name='name'>cx-hand-symbolic</property>"
                        "</object></property>");
    } else {
        g_autofree char *keys = g_markup_escape_text(row->keys, -1);
        g_string_append_printf(
            xml, "<property name='accelerator'>%s</property>", keys);
    }
    g_string_append(xml, "</object></child>");
}

GtkWidget *
cxui_bindings_shortcuts_window(void)
{
    g_autoptr(GString) xml = g_string_new(
        "<interface><object class='GtkShortcutsWindow' id='window'>"
        "<property name='modal'>1</property>"
        "<child><object class='GtkShortcutsSection'>"
        "<property name='section-name'>all</property>"
        "<property name='max-height'>16</property>");

    for (int group = 0; group < CXUI_N_GROUPS; group++) {
        g_string_append_printf(xml,
                               "<child><object class='GtkShortcutsGroup'>"
                               "<property name='title'>%s</property>",
                               group_titles[group]);
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
            if ((int)table[i].group == group)
                append_row_xml(xml, &table[i]);
        }
        g_string_append(xml, "</object></child>");
    }
    g_string_append(xml, "</object></child></object></interface>");

    g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml->str, -1);
    return GTK_WIDGET(gtk_builder_get_object(builder, "window"));
}

static void
append_manual_row(GString *text, const CxuiBinding *row)
{
    g_string_append(text, "| ");
    if (row->scope == CXUI_SCOPE_HAND) {
        g_string_append(text, row->keys);
    } else if (row->keys != NULL) {
        g_auto(GStrv) keys = g_strsplit(row->keys, " ", -1);
        for (size_t k = 0; keys[k] != NULL; k++) {
            if (g_str_has_prefix(keys[k], "KP_"))
                continue;
            g_autofree char *label = label_of_key(keys[k]);
            g_string_append_printf(text, "%s%s", k > 0 ? ", " : "", label);
        }
    } else {
        g_string_append(text, "menu");
    }
    g_string_append_printf(text, " | %s |\n", row->title);
}

char *
cxui_bindings_dup_manual(void)
{
    GString *text = g_string_new("# Keys and gestures\n");

    for (int group = 0; group < CXUI_N_GROUPS; group++) {
        g_string_append_printf(text, "\n## %s\n\n| Key | Does |\n|---|---|\n",
                               group_titles[group]);
        for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
            if ((int)table[i].group == group)
                append_manual_row(text, &table[i]);
        }
    }
    return g_string_free(text, FALSE);
}
