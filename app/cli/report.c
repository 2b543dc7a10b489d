/* Collects what a command found and prints it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/report.h"

#include <json-glib/json-glib.h>
#include <math.h>

struct CxcliReport {
    JsonBuilder *builder;
};

CxcliReport *
cxcli_report_new(void)
{
    CxcliReport *report = g_new0(CxcliReport, 1);

    report->builder = json_builder_new();
    json_builder_begin_object(report->builder);
    return report;
}

void
cxcli_report_free(CxcliReport *report)
{
    g_object_unref(report->builder);
    g_free(report);
}

static void
put_key(CxcliReport *report, const char *key)
{
    if (key != NULL)
        json_builder_set_member_name(report->builder, key);
}

void
cxcli_report_text(CxcliReport *report, const char *key, const char *text)
{
    put_key(report, key);
    json_builder_add_string_value(report->builder, text);
}

void
cxcli_report_integer(CxcliReport *report, const char *key, int64_t value)
{
    put_key(report, key);
    json_builder_add_int_value(report->builder, value);
}

void
cxcli_report_real(CxcliReport *report, const char *key, double value)
{
    put_key(report, key);
    if (isfinite(value))
        json_builder_add_double_value(report->builder, value);
    else
        json_builder_add_null_value(report->builder);
}

void
cxcli_report_bool(CxcliReport *report, const char *key, bool value)
{
    put_key(report, key);
    json_builder_add_boolean_value(report->builder, value);
}

void
cxcli_report_null(CxcliReport *report, const char *key)
{
    put_key(report, key);
    json_builder_add_null_value(report->builder);
}

void
cxcli_report_id(CxcliReport *report, const char *key, CxId id)
{
    char text[24];

    g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, id);
    cxcli_report_text(report, key, text);
}

void
cxcli_report_voxel(CxcliReport *report, const char *key, CxVoxel voxel)
{
    cxcli_report_begin_array(report, key);
    cxcli_report_integer(report, NULL, voxel.x);
    cxcli_report_integer(report, NULL, voxel.y);
    cxcli_report_integer(report, NULL, voxel.z);
    cxcli_report_end_array(report);
}

void
cxcli_report_nm(CxcliReport *report, const char *key, CxNm nm)
{
    cxcli_report_begin_array(report, key);
    cxcli_report_real(report, NULL, nm.x);
    cxcli_report_real(report, NULL, nm.y);
    cxcli_report_real(report, NULL, nm.z);
    cxcli_report_end_array(report);
}

void
cxcli_report_begin_array(CxcliReport *report, const char *key)
{
    put_key(report, key);
    json_builder_begin_array(report->builder);
}

void
cxcli_report_end_array(CxcliReport *report)
{
    json_builder_end_array(report->builder);
}

void
cxcli_report_begin_object(CxcliReport *report, const char *key)
{
    put_key(report, key);
    json_builder_begin_object(report->builder);
}

void
cxcli_report_end_object(CxcliReport *report)
{
    json_builder_end_object(report->builder);
}

/* True if the elements are single values, to be shown in one line. */
static bool
is_flat(JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNodeType type =
            json_node_get_node_type(json_array_get_element(array, i));

        if (type == JSON_NODE_ARRAY || type == JSON_NODE_OBJECT)
            return false;
    }
    return true;
}

static void
print_value(GString *out, JsonNode *node)
{
    if (json_node_is_null(node))
        g_string_append(out, "–");
    else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        g_string_append(out, json_node_get_boolean(node) ? "yes" : "no");
    else if (json_node_get_value_type(node) == G_TYPE_INT64)
        g_string_append_printf(out, "%" G_GINT64_FORMAT,
                               json_node_get_int(node));
    else if (json_node_get_value_type(node) == G_TYPE_DOUBLE)
        g_string_append_printf(out, "%.6g", json_node_get_double(node));
    else
        g_string_append(out, json_node_get_string(node));
}

static void print_object(GString *out, JsonObject *object, int indent);

static void
print_array(GString *out, JsonArray *array, int indent)
{
    bool flat = is_flat(array);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);

        if (flat) {
            if (i > 0)
                g_string_append_c(out, ' ');
            print_value(out, node);
        } else if (JSON_NODE_HOLDS_OBJECT(node)) {
            g_string_append_printf(out, "\n%*s-", indent, "");
            print_object(out, json_node_get_object(node), indent + 2);
        } else {
            g_string_append_printf(out, "\n%*s- ", indent, "");
            print_array(out, json_node_get_array(node), indent + 2);
        }
    }
}

/* One member a line, the values in a column. */
static void
print_object(GString *out, JsonObject *object, int indent)
{
    g_autoptr(GList) names = json_object_get_members(object);

    for (GList *l = names; l != NULL; l = l->next) {
        JsonNode *node = json_object_get_member(object, l->data);

        if (out->len > 0)
            g_string_append_c(out, '\n');
        g_string_append_printf(out, "%*s%-16s ", indent, "",
                               (const char *)l->data);
        if (JSON_NODE_HOLDS_OBJECT(node))
            print_object(out, json_node_get_object(node), indent + 2);
        else if (JSON_NODE_HOLDS_ARRAY(node))
            print_array(out, json_node_get_array(node), indent + 2);
        else
            print_value(out, node);
    }
}

char *
cxcli_report_finish(CxcliReport *report, bool json)
{
    json_builder_end_object(report->builder);
    g_autoptr(JsonNode) root = json_builder_get_root(report->builder);
    g_autoptr(GString) out = g_string_new(NULL);

    if (json) {
        g_autofree char *text = json_to_string(root, false);

        g_string_append(out, text);
    } else {
        print_object(out, json_node_get_object(root), 0);
    }
    if (out->len > 0)
        g_string_append_c(out, '\n');
    return g_string_free(g_steal_pointer(&out), FALSE);
}
