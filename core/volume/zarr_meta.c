/* What the metadata of a Zarr array say, checked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/zarr_meta.h"

#include "core/base/error.h"
#include "core/base/json.h"

#include <math.h>
#include <string.h>

#define MAX_BLOCK_BYTES ((uint64_t)1 << 30)

static bool
fail(const char *where, GError **error, const char *found, const char *expected)
{
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT, "%s: %s, expected %s", where,
                found, expected);
    return false;
}

/* An array of rank numbers, none below least. */
static bool
read_shape(JsonArray *list, int rank, uint64_t least, uint64_t *shape)
{
    if (list == NULL || (int)json_array_get_length(list) != rank)
        return false;
    for (int i = 0; i < rank; i++) {
        JsonNode *node = json_array_get_element(list, (guint)i);

        if (!cx_json_node_u64(node, &shape[i]) || shape[i] < least ||
            shape[i] > (uint64_t)1 << 40)
            return false;
    }
    return true;
}

static bool
check_block(const CxZarrMeta *meta, const uint64_t *shape, const char *where,
            GError **error)
{
    uint64_t n = cx_dtype_size_bytes(meta->dtype);

    for (int i = 0; i < meta->rank; i++) {
        if (__builtin_mul_overflow(n, shape[i], &n) || n > MAX_BLOCK_BYTES) {
            g_set_error(error, CX_ERROR, CX_ERROR_NO_MEMORY,
                        "%s: chunks of more than 1 GiB", where);
            return false;
        }
    }
    return true;
}

static bool
dtype_of(char kind, unsigned size, CxDtype *dtype)
{
    static const struct {
        char kind;
        unsigned size;
        CxDtype dtype;
    } table[] = {
        {'b', 1, CX_DTYPE_U8},  {'u', 1, CX_DTYPE_U8},  {'u', 2, CX_DTYPE_U16},
        {'u', 4, CX_DTYPE_U32}, {'u', 8, CX_DTYPE_U64}, {'i', 1, CX_DTYPE_I8},
        {'i', 2, CX_DTYPE_I16}, {'i', 4, CX_DTYPE_I32}, {'i', 8, CX_DTYPE_I64},
        {'f', 4, CX_DTYPE_F32}, {'f', 8, CX_DTYPE_F64},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (table[i].kind == kind && table[i].size == size) {
            *dtype = table[i].dtype;
            return true;
        }
    }
    return false;
}

static void
set_fill(CxZarrMeta *meta, JsonNode *node)
{
    const char *text = cx_json_node_string(node);
    double number = 0;
    int64_t integer = 0;
    float single;

    meta->fill = 0;
    if (node == NULL)
        return;
    if (text != NULL)
        number = g_str_equal(text, "NaN")         ? NAN
                 : g_str_equal(text, "Infinity")  ? INFINITY
                 : g_str_equal(text, "-Infinity") ? -INFINITY
                                                  : 0;
    else if (!cx_json_node_double(node, &number))
        number = json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
                 json_node_get_boolean(node);
    if (meta->dtype == CX_DTYPE_F32) {
        single = (float)number;
        memcpy(&meta->fill, &single, sizeof single);
        return;
    }
    if (meta->dtype == CX_DTYPE_F64) {
        memcpy(&meta->fill, &number, sizeof number);
        return;
    }
    if (JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_INT64)
        integer = json_node_get_int(node); /* u64 keeps its bits so */
    else if (fabs(number) < 9e18)
        integer = (int64_t)number;
    meta->fill = (uint64_t)integer;
}

/* One compressor at most: sizes in between two would not be known. */
static bool
set_codec(CxZarrBlock *block, const char *name)
{
    return name != NULL && block->codec == CX_CODEC_RAW &&
           !block->has_checksum && cx_codec_from_name(name, &block->codec);
}

static bool
fail_codec(const char *where, const char *name, GError **error)
{
    g_autofree char *part = g_strndup(name != NULL ? name : "?", 40);
    g_autofree char *valid = g_utf8_make_valid(part, -1);

    g_strdelimit(valid, "\r\n", ' ');
    g_set_error(error, CX_ERROR, CX_ERROR_FORMAT,
                "%s: compressed with \"%s\", expected none, zlib, gzip, zstd, "
                "blosc or lz4",
                where, valid);
    return false;
}

static bool
read_v2_storage(JsonObject *root, CxZarrMeta *meta, const char *where,
                GError **error)
{
    JsonObject *compressor = cx_json_get_object(root, "compressor");
    JsonArray *filters = cx_json_get_array(root, "filters");
    const char *order = cx_json_get_string(root, "order");
    const char *separator = cx_json_get_string(root, "dimension_separator");

    if (filters != NULL && json_array_get_length(filters) > 0)
        return fail(where, error, "filters before the compressor", "none");
    if (compressor != NULL) {
        const char *id = cx_json_get_string(compressor, "id");

        if (!set_codec(&meta->block, id))
            return fail_codec(where, id, error);
    }
    for (int i = 0; i < meta->rank; i++)
        meta->block.order[i] =
            order != NULL && order[0] == 'F' ? meta->rank - 1 - i : i;
    meta->separator = separator != NULL && separator[0] == '/' ? '/' : '.';
    return true;
}

static bool
read_v2(JsonObject *root, CxZarrMeta *meta, const char *where, GError **error)
{
    JsonArray *shape = cx_json_get_array(root, "shape");
    JsonArray *chunks = cx_json_get_array(root, "chunks");
    const char *type = cx_json_get_string(root, "dtype");

    meta->rank = shape != NULL ? (int)json_array_get_length(shape) : 0;
    if (meta->rank < 1 || meta->rank > CX_MAX_RANK ||
        !read_shape(shape, meta->rank, 0, meta->shape) ||
        !read_shape(chunks, meta->rank, 1, meta->block.shape))
        return fail(where, error, "shape or chunks are damaged",
                    "1 to 8 numbers each");
    if (type == NULL || strlen(type) < 3 ||
        !dtype_of(type[1], (unsigned)g_ascii_strtoull(type + 2, NULL, 10),
                  &meta->dtype))
        return fail(where, error, "samples are no plain numbers",
                    "integers or floats of up to 64 bits");
    meta->block.big_endian = type[0] == '>';
    set_fill(meta, json_object_get_member(root, "fill_value"));
    return read_v2_storage(root, meta, where, error) &&
           check_block(meta, meta->block.shape, where, error);
}

static bool
read_transpose(JsonObject *configuration, CxZarrMeta *meta)
{
    JsonArray *order = cx_json_get_array(configuration, "order");
    const char *letter = cx_json_get_string(configuration, "order");
    unsigned seen = 0;

    for (int i = 0; i < meta->rank; i++) {
        uint64_t axis = (uint64_t)i;

        if (letter != NULL && letter[0] == 'F')
            axis = (uint64_t)(meta->rank - 1 - i);
        else if (order != NULL &&
                 ((int)json_array_get_length(order) != meta->rank ||
                  !cx_json_node_u64(json_array_get_element(order, (guint)i),
                                    &axis) ||
                  axis >= (uint64_t)meta->rank))
            return false;
        meta->block.order[i] = (int)axis;
        seen |= 1u << axis;
    }
    return seen == (1u << meta->rank) - 1;
}

static bool read_codecs(JsonArray *list, CxZarrMeta *meta, const char *where,
                        GError **error);

/* Codecs of the index: bytes, little-endian, and maybe crc32c. */
static bool
read_index_codecs(JsonArray *list, CxZarrMeta *meta)
{
    guint n = list != NULL ? json_array_get_length(list) : 0;

    meta->index_has_checksum = n == 0;
    for (guint i = 0; i < n; i++) {
        JsonObject *codec = cx_json_object(json_array_get_element(list, i));
        const char *name = cx_json_get_string(codec, "name");
        const char *endian = cx_json_get_string(
            cx_json_get_object(codec, "configuration"), "endian");

        if (name != NULL && g_str_equal(name, "crc32c"))
            meta->index_has_checksum = true;
        else if (name == NULL || !g_str_equal(name, "bytes") ||
                 (endian != NULL && !g_str_equal(endian, "little")))
            return false;
    }
    return true;
}

static bool
read_sharding(JsonObject *configuration, CxZarrMeta *meta, const char *where,
              GError **error)
{
    const char *location = cx_json_get_string(configuration, "index_location");
    uint64_t n = 1;

    memcpy(meta->shard_shape, meta->block.shape, sizeof meta->shard_shape);
    if (meta->is_sharded ||
        !read_shape(cx_json_get_array(configuration, "chunk_shape"), meta->rank,
                    1, meta->block.shape))
        return fail(where, error, "the description of shards is damaged",
                    "a chunk_shape of as many numbers as axes");
    if (!read_index_codecs(cx_json_get_array(configuration, "index_codecs"),
                           meta))
        return fail(where, error, "an index of shards of another kind",
                    "plain little-endian numbers");
    for (int i = 0; i < meta->rank; i++) {
        uint64_t inner = meta->block.shape[i];

        if (meta->shard_shape[i] % inner != 0 ||
            __builtin_mul_overflow(n, meta->shard_shape[i] / inner, &n) ||
            n > 1 << 24)
            return fail(where, error, "shards that inner chunks do not fill",
                        "a whole number, at most 2^24, of them in a shard");
    }
    meta->is_sharded = true;
    meta->index_at_start = location != NULL && g_str_equal(location, "start");
    return read_codecs(cx_json_get_array(configuration, "codecs"), meta, where,
                       error);
}

static bool
read_codec(JsonObject *codec, CxZarrMeta *meta, const char *where,
           GError **error)
{
    const char *name = cx_json_get_string(codec, "name");
    JsonObject *configuration = cx_json_get_object(codec, "configuration");

    if (name == NULL)
        return fail_codec(where, name, error);
    if (g_str_equal(name, "transpose"))
        return read_transpose(configuration, meta) ||
               fail(where, error, "a damaged transpose", "each axis once");
    if (g_str_equal(name, "sharding_indexed"))
        return read_sharding(configuration, meta, where, error);
    if (g_str_equal(name, "bytes") || g_str_equal(name, "endian")) {
        const char *endian = cx_json_get_string(configuration, "endian");

        meta->block.big_endian = endian != NULL && g_str_equal(endian, "big");
        return true;
    }
    if (g_str_equal(name, "crc32c")) {
        meta->block.has_checksum = true;
        return true;
    }
    if (!set_codec(&meta->block, name))
        return fail_codec(where, name, error);
    return true;
}

static bool
read_codecs(JsonArray *list, CxZarrMeta *meta, const char *where,
            GError **error)
{
    guint n = list != NULL ? json_array_get_length(list) : 0;

    for (int i = 0; i < meta->rank; i++)
        meta->block.order[i] = i;
    for (guint i = 0; i < n; i++) {
        JsonObject *codec = cx_json_object(json_array_get_element(list, i));

        if (!read_codec(codec, meta, where, error))
            return false;
    }
    return true;
}

static void
read_keys(JsonObject *root, CxZarrMeta *meta)
{
    JsonObject *encoding = cx_json_get_object(root, "chunk_key_encoding");
    const char *name = cx_json_get_string(encoding, "name");
    JsonObject *configuration = cx_json_get_object(encoding, "configuration");
    const char *separator = cx_json_get_string(configuration, "separator");

    meta->has_c = name == NULL || g_str_equal(name, "default");
    meta->separator = separator != NULL && separator[0] != '\0' ? separator[0]
                      : meta->has_c                             ? '/'
                                                                : '.';
    if (meta->separator != '/')
        meta->separator = '.';
}

static void
read_names(JsonObject *root, CxZarrMeta *meta)
{
    JsonArray *list = cx_json_get_array(root, "dimension_names");

    if (list == NULL || (int)json_array_get_length(list) != meta->rank)
        return;
    meta->names = g_new0(char *, (gsize)meta->rank + 1);
    for (int i = 0; i < meta->rank; i++)
        meta->names[i] = g_strdup(
            cx_json_node_string(json_array_get_element(list, (guint)i)));
    for (int i = 0; i < meta->rank; i++) {
        if (meta->names[i] == NULL)
            meta->names[i] = g_strdup("");
    }
}

static bool
read_v3(JsonObject *root, CxZarrMeta *meta, const char *where, GError **error)
{
    JsonArray *shape = cx_json_get_array(root, "shape");
    JsonObject *grid = cx_json_get_object(root, "chunk_grid");
    JsonObject *configuration = cx_json_get_object(grid, "configuration");
    const char *type = cx_json_get_string(root, "data_type");
    const char *node_type = cx_json_get_string(root, "node_type");

    if (node_type == NULL || !g_str_equal(node_type, "array"))
        return fail(where, error, "not an array", "node_type \"array\"");
    meta->rank = shape != NULL ? (int)json_array_get_length(shape) : 0;
    if (meta->rank < 1 || meta->rank > CX_MAX_RANK ||
        !read_shape(shape, meta->rank, 0, meta->shape) ||
        !read_shape(cx_json_get_array(configuration, "chunk_shape"), meta->rank,
                    1, meta->block.shape))
        return fail(where, error, "shape or chunk_shape are damaged",
                    "1 to 8 numbers each");
    if (type != NULL && g_str_equal(type, "bool"))
        meta->dtype = CX_DTYPE_U8;
    else if (type == NULL || !cx_dtype_from_name(type, &meta->dtype))
        return fail(where, error, "samples are no plain numbers",
                    "integers or floats of up to 64 bits");
    read_keys(root, meta);
    read_names(root, meta);
    set_fill(meta, json_object_get_member(root, "fill_value"));
    return read_codecs(cx_json_get_array(root, "codecs"), meta, where, error) &&
           check_block(meta, meta->block.shape, where, error);
}

bool
cx_zarr_meta_read(const char *dir, CxZarrMeta *meta, GError **error)
{
    g_autofree char *v2 = g_build_filename(dir, ".zarray", NULL);
    g_autofree char *v3 = g_build_filename(dir, "zarr.json", NULL);
    bool is_v2 = g_file_test(v2, G_FILE_TEST_EXISTS);
    const char *where = is_v2 ? v2 : v3;
    g_autoptr(JsonNode) node = cx_json_load(where, error);
    JsonObject *root = cx_json_object(node);

    *meta = (CxZarrMeta){0};
    if (node == NULL)
        return false;
    if (root == NULL)
        return fail(where, error, "JSON that is no object", "an object");
    if (is_v2 ? read_v2(root, meta, where, error)
              : read_v3(root, meta, where, error))
        return true;
    cx_zarr_meta_clear(meta);
    return false;
}

void
cx_zarr_meta_clear(CxZarrMeta *meta)
{
    g_clear_pointer(&meta->names, g_strfreev);
}
