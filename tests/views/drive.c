/* Drives a program through AT-SPI, as a screen reader would: for UI tests.
 *
 *   drive APP wait  ROLE NAME [SECONDS]   until it is there and shown
 *   drive APP gone  ROLE NAME [SECONDS]   until it is not
 *   drive APP click ROLE NAME             its first action
 *   drive APP name  ROLE NAME             prints the full name
 *   drive APP value ROLE NAME             prints the number of a range
 *   drive APP type  ROLE NAME TEXT        replaces the text of an entry
 *   drive APP box   ROLE NAME             prints x y width height (window)
 *   drive APP count ROLE                  prints how many are shown
 *   drive APP unnamed                     controls without a name; 1 if any
 *   drive APP tree                        prints everything
 *
 * NAME is a pattern as of the shell.  A button with a mnemonic has the name
 * "Open _Sample Open Sample": the second part is enough.  Exit 1: not found.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <atspi/atspi.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* libatspi has none of its own */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AtspiAccessible, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AtspiAction, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AtspiComponent, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AtspiEditableText, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AtspiValue, g_object_unref)

#define MAX_CHILDREN 400
#define MAX_DEPTH 40

static int
count_children(AtspiAccessible *object, int depth)
{
    if (depth >= MAX_DEPTH)
        return 0;
    return MIN(atspi_accessible_get_child_count(object, NULL), MAX_CHILDREN);
}

/* NULL for a child that is gone: what closes while it is looked at answers
 * with its application, or with itself, and would be walked in a circle. */
static AtspiAccessible *
get_child(AtspiAccessible *object, int i)
{
    g_autoptr(AtspiAccessible) child =
        atspi_accessible_get_child_at_index(object, i, NULL);

    if (child == NULL || child == object ||
        g_strcmp0(child->parent.path, ATSPI_DBUS_PATH_ROOT) == 0)
        return NULL;
    return g_steal_pointer(&child);
}

/* GTK 4.8 leaves widgets that are not visible out of the tree, and tells no
 * more; pages of a stack that were never shown have no size. */
static bool
is_shown(AtspiAccessible *object)
{
    g_autoptr(AtspiComponent) component =
        atspi_accessible_get_component_iface(object);
    if (component == NULL)
        return true;

    AtspiRect *box =
        atspi_component_get_extents(component, ATSPI_COORD_TYPE_WINDOW, NULL);
    bool shown = box != NULL && box->width > 0 && box->height > 0;
    g_free(box);
    return shown;
}

static bool
name_matches(const char *name, const char *wanted)
{
    g_autofree char *mnemonic = g_strconcat("*_* ", wanted, NULL);

    return fnmatch(wanted, name, 0) == 0 || fnmatch(mnemonic, name, 0) == 0;
}

static bool
matches(AtspiAccessible *object, const char *role, const char *name)
{
    g_autofree char *its_role = atspi_accessible_get_role_name(object, NULL);
    g_autofree char *its_name = atspi_accessible_get_name(object, NULL);

    return its_role != NULL && its_name != NULL &&
           (role[0] == '\0' || strcmp(its_role, role) == 0) &&
           name_matches(its_name, name) && is_shown(object);
}

static AtspiAccessible *
find(AtspiAccessible *object, const char *role, const char *name, int depth)
{
    if (matches(object, role, name))
        return g_object_ref(object);
    int n = count_children(object, depth);
    for (int i = 0; i < n; i++) {
        g_autoptr(AtspiAccessible) child = get_child(object, i);
        AtspiAccessible *found =
            child != NULL ? find(child, role, name, depth + 1) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

static AtspiAccessible *
find_application(const char *name, double seconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)(seconds * 1e6);

    while (g_get_monotonic_time() < end) {
        g_autoptr(AtspiAccessible) desktop = atspi_get_desktop(0);
        int n = atspi_accessible_get_child_count(desktop, NULL);
        for (int i = 0; i < n; i++) {
            AtspiAccessible *app =
                atspi_accessible_get_child_at_index(desktop, i, NULL);
            g_autofree char *its_name =
                app != NULL ? atspi_accessible_get_name(app, NULL) : NULL;
            if (its_name != NULL && strcmp(its_name, name) == 0) {
                /* libatspi's cache may hold an object as its own child, and
                 * clearing it then recurses until the stack is full */
                atspi_accessible_set_cache_mask(app, ATSPI_CACHE_NONE);
                return app;
            }
            g_clear_object(&app);
        }
        g_usleep(100000);
    }
    return NULL;
}

static int
wait_for(AtspiAccessible *app, const char *role, const char *name, double limit,
         bool there)
{
    gint64 end = g_get_monotonic_time() + (gint64)(limit * 1e6);

    do {
        g_autoptr(AtspiAccessible) found = find(app, role, name, 0);
        if ((found != NULL) == there)
            return 0;
        g_usleep(50000);
    } while (g_get_monotonic_time() < end);
    fprintf(stderr, "drive: %s \"%s\" %s after %g s\n", role, name,
            there ? "is not there" : "is still there", limit);
    return 1;
}

static bool
do_action(AtspiAccessible *object)
{
    g_autoptr(AtspiAction) action = atspi_accessible_get_action_iface(object);

    return action != NULL && atspi_action_get_n_actions(action, NULL) > 0 &&
           atspi_action_do_action(action, 0, NULL);
}

/* A menu button leaves the action to the button inside it. */
static int
click(AtspiAccessible *object)
{
    if (do_action(object))
        return 0;
    int n = count_children(object, 0);
    for (int i = 0; i < n; i++) {
        g_autoptr(AtspiAccessible) child = get_child(object, i);
        if (child != NULL && do_action(child))
            return 0;
    }
    fprintf(stderr, "drive: it has no action\n");
    return 1;
}

static int
print_value(AtspiAccessible *object)
{
    g_autoptr(AtspiValue) value = atspi_accessible_get_value_iface(object);

    if (value == NULL)
        return 1;
    printf("%g\n", atspi_value_get_current_value(value, NULL));
    return 0;
}

static int
type_text(AtspiAccessible *object, const char *text)
{
    g_autoptr(AtspiEditableText) editable =
        atspi_accessible_get_editable_text_iface(object);

    if (editable == NULL)
        return 1;
    return atspi_editable_text_set_text_contents(editable, text, NULL) ? 0 : 1;
}

static int
print_box(AtspiAccessible *object)
{
    g_autoptr(AtspiComponent) component =
        atspi_accessible_get_component_iface(object);
    if (component == NULL)
        return 1;

    AtspiRect *box =
        atspi_component_get_extents(component, ATSPI_COORD_TYPE_WINDOW, NULL);
    if (box == NULL)
        return 1;
    printf("%d %d %d %d\n", box->x, box->y, box->width, box->height);
    g_free(box);
    return 0;
}

static void
print_tree(AtspiAccessible *object, int depth)
{
    g_autofree char *role = atspi_accessible_get_role_name(object, NULL);
    g_autofree char *name = atspi_accessible_get_name(object, NULL);
    int n = count_children(object, depth);

    if (role == NULL || name == NULL)
        return; /* gone meanwhile */
    printf("%*s%s \"%s\"%s\n", depth * 2, "", role, name,
           is_shown(object) ? "" : " (not shown)");
    for (int i = 0; i < n; i++) {
        g_autoptr(AtspiAccessible) child = get_child(object, i);
        if (child != NULL)
            print_tree(child, depth + 1);
    }
}

static int
count(AtspiAccessible *object, const char *role, int depth)
{
    g_autofree char *its_role = atspi_accessible_get_role_name(object, NULL);
    int found =
        its_role != NULL && strcmp(its_role, role) == 0 && is_shown(object);
    int n = count_children(object, depth);

    for (int i = 0; i < n; i++) {
        g_autoptr(AtspiAccessible) child = get_child(object, i);
        if (child != NULL)
            found += count(child, role, depth + 1);
    }
    return found;
}

/* Controls that a person must be able to name. */
static bool
needs_name(const char *role)
{
    static const char *const roles[] = {
        "push button", "toggle button", "check box", "slider",
        "spin button", "combo box",     "entry",     "radio button",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++) {
        if (strcmp(role, roles[i]) == 0)
            return true;
    }
    return false;
}

static int
count_unnamed(AtspiAccessible *object, const char *path, int depth)
{
    g_autofree char *role = atspi_accessible_get_role_name(object, NULL);
    g_autofree char *name = atspi_accessible_get_name(object, NULL);
    g_autofree char *here = g_strdup_printf("%s/%s \"%s\"", path, role, name);
    int n = count_children(object, depth);
    int bad = 0;

    if (role == NULL || name == NULL)
        return 0; /* gone meanwhile */
    if (is_shown(object) && needs_name(role) && name[0] == '\0') {
        printf("no name: %s\n", here);
        bad++;
    }
    for (int i = 0; i < n; i++) {
        g_autoptr(AtspiAccessible) child = get_child(object, i);
        if (child != NULL)
            bad += count_unnamed(child, here, depth + 1);
    }
    return bad;
}

static int
act_on(const char *what, AtspiAccessible *object, const char *text)
{
    if (strcmp(what, "click") == 0)
        return click(object);
    if (strcmp(what, "value") == 0)
        return print_value(object);
    if (strcmp(what, "type") == 0 && text != NULL)
        return type_text(object, text);
    if (strcmp(what, "box") == 0)
        return print_box(object);
    if (strcmp(what, "name") == 0) {
        g_autofree char *name = atspi_accessible_get_name(object, NULL);
        if (name == NULL)
            return 1; /* gone meanwhile */
        printf("%s\n", name);
        return 0;
    }
    fprintf(stderr, "drive: unknown command %s\n", what);
    return 2;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: drive APP COMMAND [ROLE NAME [ARGUMENT]]\n");
        return 2;
    }
    atspi_init();
    const char *what = argv[2];
    const char *role = argc > 3 ? argv[3] : "";
    const char *name = argc > 4 ? argv[4] : "*";
    const char *argument = argc > 5 ? argv[5] : NULL;
    bool waits = strcmp(what, "wait") == 0 || strcmp(what, "gone") == 0;
    double limit =
        waits && argument != NULL ? g_ascii_strtod(argument, NULL) : 20;
    g_autoptr(AtspiAccessible) app = find_application(argv[1], limit);

    if (app == NULL) {
        fprintf(stderr, "drive: no application %s\n", argv[1]);
        return 1;
    }
    if (strcmp(what, "tree") == 0) {
        print_tree(app, 0);
        return 0;
    }
    if (strcmp(what, "unnamed") == 0)
        return count_unnamed(app, "", 0) > 0;
    if (strcmp(what, "count") == 0) {
        printf("%d\n", count(app, role, 0));
        return 0;
    }
    if (waits)
        return wait_for(app, role, name, limit, strcmp(what, "wait") == 0);
    g_autoptr(AtspiAccessible) object = find(app, role, name, 0);
    if (object == NULL) {
        fprintf(stderr, "drive: no %s \"%s\"\n", role, name);
        return 1;
    }
    return act_on(what, object, argument);
}
