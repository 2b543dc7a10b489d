/* json-glib behind a guard.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/json.h"

#include "core/base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_BYTES ((size_t)64 << 20)
#define MAX_DEPTH 64

/* Deepest nesting of brackets; false where a character stands outside strings
 * that JSON does not have (json-glib would take comments, and a quote in a
 * comment would hide brackets from this count). */
static bool
measure_depth(const char *text, size_t length, unsigned *deepest)
{
    unsigned depth = 0;
    bool in_string = false;

    *deepest = 0;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            *deepest = MAX(*deepest, ++depth);
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (!g_ascii_isalnum(c) && strchr(" \t\r\n+-.,:", c) == NULL) {
            return false;
        }
    }
    return true;
}

JsonNode *
cx_json_parse(const char *text, size_t length, const char *what, GError **error)
{
    g_autoptr(GError) local = NULL;
    unsigned depth;

    if (length > MAX_BYTES) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: JSON of %zu bytes, expected at most %zu", what, length,
                    MAX_BYTES);
        return NULL;
    }
    if (memchr(text, '\0', length) != NULL ||
        !measure_depth(text, length, &depth)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: not valid JSON: a character outside strings that "
                    "JSON does not have",
                    what);
        return NULL;
    }
    if (depth > MAX_DEPTH) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: JSON nested deeper than %d levels", what, MAX_DEPTH);
        return NULL;
    }
    if (!g_utf8_validate(text, (gssize)length, NULL)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: JSON that is not UTF-8 text", what);
        return NULL;
    }

    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    if (!json_parser_load_from_data(parser, text, (gssize)length, &local)) {
        g_strdelimit(local->message, "\n", ' ');
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: not valid JSON: %s",
                    what, local->message);
        return NULL;
    }

    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: empty, expected JSON", what);
        return NULL;
    }
    return json_node_ref(root);
}

static bool
read_all(int fd, GString *text)
{
    char buffer[65536];

    for (;;) {
        int64_t n = read(fd, buffer, sizeof buffer);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0 || text->len > MAX_BYTES)
            return true;
        g_string_append_len(text, buffer, (gssize)n);
    }
}

JsonNode *
cx_json_load(const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0) {
        cx_error_set_errno(error, errno, "cannot open %s", path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                    "%s: not a regular file, expected JSON", path);
        close(fd);
        return NULL;
    }
    bool ok = read_all(fd, text);
    if (!ok)
        cx_error_set_errno(error, errno, "cannot read %s", path);
    close(fd);
    return ok ? cx_json_parse(text->str, text->len, path, error) : NULL;
}

JsonObject *
cx_json_object(JsonNode *node)
{
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node))
        return NULL;
    return json_node_get_object(node);
}

JsonArray *
cx_json_array(JsonNode *node)
{
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return NULL;
    return json_node_get_array(node);
}

static JsonNode *
member(JsonObject *object, const char *name)
{
    return object != NULL ? json_object_get_member(object, name) : NULL;
}

JsonObject *
cx_json_get_object(JsonObject *object, const char *name)
{
    return cx_json_object(member(object, name));
}

JsonArray *
cx_json_get_array(JsonObject *object, const char *name)
{
    return cx_json_array(member(object, name));
}

const char *
cx_json_get_string(JsonObject *object, const char *name)
{
    return cx_json_node_string(member(object, name));
}

bool
cx_json_get_u64(JsonObject *object, const char *name, uint64_t *value)
{
    return cx_json_node_u64(member(object, name), value);
}

bool
cx_json_get_double(JsonObject *object, const char *name, double *value)
{
    return cx_json_node_double(member(object, name), value);
}

bool
cx_json_node_u64(JsonNode *node, uint64_t *value)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_INT64)
        return false;

    int64_t number = json_node_get_int(node);
    if (number < 0)
        return false;
    *value = (uint64_t)number;
    return true;
}

bool
cx_json_node_double(JsonNode *node, double *value)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node))
        return false;
    if (json_node_get_value_type(node) == G_TYPE_INT64)
        *value = (double)json_node_get_int(node);
    else if (json_node_get_value_type(node) == G_TYPE_DOUBLE)
        *value = json_node_get_double(node);
    else
        return false;
    return true;
}

const char *
cx_json_node_string(JsonNode *node)
{
    if (node == NULL || !JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_STRING)
        return NULL;
    return json_node_get_string(node);
}
