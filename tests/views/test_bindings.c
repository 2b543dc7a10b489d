/* The table of keys: no key twice, every one can be parsed, and hints, tool
 * tips and manual are made from it.  Needs no display.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/bindings.h"
#include "tests/support/check.h"

#include <string.h>

static void
test_every_key_is_known_and_used_once(void)
{
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    size_t n = 0;
    const CxuiBinding *rows = cxui_bindings(&n);

    for (size_t i = 0; i < n; i++) {
        if (rows[i].scope == CXUI_SCOPE_HAND || rows[i].keys == NULL)
            continue;
        g_auto(GStrv) keys = g_strsplit(rows[i].keys, " ", -1);
        for (size_t k = 0; keys[k] != NULL; k++) {
            guint keyval = 0;
            GdkModifierType modifiers = 0;
            g_assert_true(gtk_accelerator_parse(keys[k], &keyval, &modifiers));
            char *name = gtk_accelerator_name(keyval, modifiers);
            if (!g_hash_table_add(seen, name))
                g_error("key %s of %s is taken", keys[k], rows[i].action);
        }
    }
    g_assert_cmpuint(g_hash_table_size(seen), >, 30);
}

static void
test_every_action_has_a_name_of_its_scope(void)
{
    size_t n = 0;
    const CxuiBinding *rows = cxui_bindings(&n);

    for (size_t i = 0; i < n; i++) {
        g_assert_nonnull(rows[i].title);
        if (rows[i].scope == CXUI_SCOPE_HAND) {
            g_assert_null(rows[i].action);
            continue;
        }
        g_autofree char *name = NULL;
        g_autoptr(GVariant) target = NULL;
        g_assert_true(
            g_action_parse_detailed_name(rows[i].action, &name, &target, NULL));
        g_assert_true(g_str_has_prefix(name, "win.") ||
                      g_str_has_prefix(name, "app."));
    }
}

static void
test_hints_change_with_the_mode(void)
{
    g_autofree char *pointer = cxui_bindings_dup_hint(CXUI_HINT_POINTER);
    g_autofree char *split = cxui_bindings_dup_hint(CXUI_HINT_SPLIT);
    g_autofree char *ready =
        cxui_bindings_dup_hint(CXUI_HINT_SPLIT | CXUI_HINT_READY);

    g_assert_nonnull(strstr(pointer, "M merge"));
    g_assert_nonnull(strstr(split, "Ctrl+Shift+click seed B"));
    g_assert_null(strstr(split, "Enter"));
    g_assert_nonnull(strstr(ready, "Enter"));
}

static void
test_manual_lists_every_row(void)
{
    g_autofree char *manual = cxui_bindings_dup_manual();
    g_autofree char *tip = cxui_bindings_dup_tooltip("win.undo");
    size_t n = 0;
    const CxuiBinding *rows = cxui_bindings(&n);

    for (size_t i = 0; i < n; i++)
        g_assert_nonnull(strstr(manual, rows[i].title));
    g_assert_cmpstr(tip, ==, "Undo the last edit (Ctrl+Z)");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bindings/keys", test_every_key_is_known_and_used_once);
    g_test_add_func("/bindings/actions",
                    test_every_action_has_a_name_of_its_scope);
    g_test_add_func("/bindings/hints", test_hints_change_with_the_mode);
    g_test_add_func("/bindings/manual", test_manual_lists_every_row);
    return g_test_run();
}
