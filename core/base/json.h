/* json-glib behind a guard: at most 64 MiB and 64 levels of nesting, checked
 * before parsing (json-glib recurses and a deep file would end the program).
 *
 * The getters return false or NULL where a member is missing or of another
 * type, so that nothing in a file can provoke a GLib warning.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

#include <json-glib/json-glib.h>

/* what is named in errors: a path, or "x.h5: attribute axistags".  The root
 * node, never NULL without error. */
JsonNode *cx_json_parse(const char *text, size_t length, const char *what,
                        GError **error);
JsonNode *cx_json_load(const char *path, GError **error);

/* The node's object or array, or NULL (also for a NULL node). */
JsonObject *cx_json_object(JsonNode *node);
JsonArray *cx_json_array(JsonNode *node);

JsonObject *cx_json_get_object(JsonObject *object, const char *name);
JsonArray *cx_json_get_array(JsonObject *object, const char *name);
const char *cx_json_get_string(JsonObject *object, const char *name);

/* Numbers, exact over all 64 bits; false for negative, fractional or absent. */
bool cx_json_get_u64(JsonObject *object, const char *name, uint64_t *value);
bool cx_json_get_double(JsonObject *object, const char *name, double *value);

bool cx_json_node_u64(JsonNode *node, uint64_t *value);
bool cx_json_node_double(JsonNode *node, double *value);
const char *cx_json_node_string(JsonNode *node);
