/* Reads the command line.
 *
 * Every value is parsed into a Value as soon as it is read, so a wrong one is
 * refused before any work starts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/arguments.h"

#include <math.h>
#include <string.h>

typedef struct {
    char *text;
    uint64_t integer; /* INTEGER, BYTES, ID */
    double real;
    CxNm nm;
    CxNm lo, hi; /* BOX */
    int width, height;
    GArray *list; /* of CxNm or CxId */
} Value;

const CxcliOption cxcli_common_options[] = {
    {"json", CXCLI_FLAG, NULL, "print one JSON object and nothing else"},
    {"quiet", CXCLI_FLAG, NULL, "no progress"},
    {"force", CXCLI_FLAG, NULL, "replace an output that is already there"},
    {"threads", CXCLI_INTEGER, "N", "threads to use (default: all cores)"},
    {"memory", CXCLI_BYTES, "BYTES", "ceiling for caches and buffers (4G)"},
    {"nm", CXCLI_FLAG, NULL, "positions are nanometres, not voxels"},
    {"help", CXCLI_FLAG, NULL, "show this help"},
    {"man", CXCLI_FLAG, NULL, "print the man page of all commands"},
    {"version", CXCLI_FLAG, NULL, "show the version"},
    {NULL, CXCLI_FLAG, NULL, NULL},
};

GQuark
cxcli_error_quark(void)
{
    return g_quark_from_static_string("cxcli-usage-error");
}

void
cxcli_set_usage_error(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, CXCLI_ERROR, 0, text);
}

static void
value_free(void *data)
{
    Value *value = data;

    g_free(value->text);
    g_clear_pointer(&value->list, g_array_unref);
    g_free(value);
}

void
cxcli_context_clear(CxcliContext *context)
{
    g_clear_pointer(&context->args, g_strfreev);
    g_clear_pointer(&context->values, g_hash_table_unref);
}

static const CxcliOption *
find_option(const CxcliOption *options, const char *name)
{
    for (; options != NULL && options->name != NULL; options++)
        if (strcmp(options->name, name) == 0)
            return options;
    return NULL;
}

/* A whole text that is one finite number. */
static bool
parse_real(const char *text, double *real)
{
    char *end;

    *real = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*real);
}

static bool
parse_integer(const char *text, uint64_t *integer)
{
    return g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, integer, NULL);
}

/* A number with a unit: decimal (k, M, G, T) or binary (KiB, …). */
static bool
parse_bytes(const char *text, uint64_t *bytes)
{
    static const char units[] = "kMGT";
    char *end;
    double number = g_ascii_strtod(text, &end);
    double factor = 1.0;

    if (end == text || !(number >= 0.0))
        return false;
    const char *unit = end;
    if (*unit != '\0' && *unit != 'B') {
        const char *found = strchr(units, *unit == 'K' ? 'k' : *unit);
        bool binary = unit[1] == 'i';

        if (found == NULL)
            return false;
        factor = pow(binary ? 1024.0 : 1000.0, (double)(found - units) + 1.0);
        unit += binary ? 2 : 1;
    }
    if (*unit == 'B')
        unit++;
    if (*unit != '\0' || number * factor >= 0x1p63)
        return false;
    *bytes = (uint64_t)(number * factor);
    return true;
}

bool
cxcli_parse_id(const char *text, CxId *id, GError **error)
{
    if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT64, id, NULL))
        return true;
    cxcli_set_usage_error(error,
                          "\"%s\" is no id: expected a number from 1 to "
                          "18446744073709551615",
                          text);
    return false;
}

bool
cxcli_parse_nm(const char *text, CxNm *nm)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    return g_strv_length(parts) == 3 && parse_real(parts[0], &nm->x) &&
           parse_real(parts[1], &nm->y) && parse_real(parts[2], &nm->z);
}

static bool
parse_ids(const char *text, GArray *list)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    for (unsigned i = 0; parts[i] != NULL; i++) {
        CxId id;

        if (!cxcli_parse_id(parts[i], &id, NULL))
            return false;
        g_array_append_val(list, id);
    }
    return list->len > 0;
}

static bool
parse_size(const char *text, int *width, int *height)
{
    g_auto(GStrv) parts = g_strsplit(text, "x", -1);
    uint64_t w, h;

    if (g_strv_length(parts) != 2 || !parse_integer(parts[0], &w) ||
        !parse_integer(parts[1], &h) || w < 1 || h < 1 || w > 16384 ||
        h > 16384)
        return false;
    *width = (int)w;
    *height = (int)h;
    return true;
}

static const char *
expected(CxcliKind kind)
{
    switch (kind) {
    case CXCLI_FLAG:
    case CXCLI_TEXT:
        return "a text";
    case CXCLI_INTEGER:
        return "a whole number";
    case CXCLI_REAL:
        return "a number";
    case CXCLI_BYTES:
        return "a number of bytes such as 512M or 4GiB";
    case CXCLI_ID:
        return "an id from 1 to 18446744073709551615";
    case CXCLI_IDS:
        return "ids such as 17,18";
    case CXCLI_VOXELS:
        return "a position x,y,z";
    case CXCLI_NM:
        return "three positive lengths x,y,z in nm";
    case CXCLI_BOX:
        return "a box x0,y0,z0,x1,y1,z1 that holds a voxel";
    case CXCLI_SIZE:
        return "a size such as 1920x1080 (1 to 16384)";
    }
    return "a value";
}

static bool
parse_box(const char *text, CxNm *lo, CxNm *hi)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);

    return g_strv_length(parts) == 6 && parse_real(parts[0], &lo->x) &&
           parse_real(parts[1], &lo->y) && parse_real(parts[2], &lo->z) &&
           parse_real(parts[3], &hi->x) && parse_real(parts[4], &hi->y) &&
           parse_real(parts[5], &hi->z) && lo->x < hi->x && lo->y < hi->y &&
           lo->z < hi->z;
}

/* Positions stay real numbers until the volume is known: they may be nm. */
static bool
parse_value(CxcliKind kind, const char *text, Value *value)
{
    switch (kind) {
    case CXCLI_FLAG:
    case CXCLI_TEXT:
        return true;
    case CXCLI_INTEGER:
        return parse_integer(text, &value->integer);
    case CXCLI_REAL:
        return parse_real(text, &value->real);
    case CXCLI_BYTES:
        return parse_bytes(text, &value->integer);
    case CXCLI_ID:
        return cxcli_parse_id(text, &value->integer, NULL);
    case CXCLI_IDS:
        return parse_ids(text, value->list);
    case CXCLI_VOXELS:
        if (!cxcli_parse_nm(text, &value->nm))
            return false;
        g_array_append_val(value->list, value->nm);
        return true;
    case CXCLI_NM:
        return cxcli_parse_nm(text, &value->nm) && value->nm.x > 0.0 &&
               value->nm.y > 0.0 && value->nm.z > 0.0;
    case CXCLI_BOX:
        return parse_box(text, &value->lo, &value->hi);
    case CXCLI_SIZE:
        return parse_size(text, &value->width, &value->height);
    }
    return false;
}

static Value *
make_value(CxcliContext *context, const CxcliOption *option)
{
    Value *value = g_hash_table_lookup(context->values, option->name);

    if (value != NULL)
        return value;
    value = g_new0(Value, 1);
    if (option->kind == CXCLI_VOXELS)
        value->list = g_array_new(FALSE, FALSE, sizeof(CxNm));
    else if (option->kind == CXCLI_IDS)
        value->list = g_array_new(FALSE, FALSE, sizeof(CxId));
    g_hash_table_insert(context->values, (char *)option->name, value);
    return value;
}

static bool
take_value(CxcliContext *context, const CxcliOption *option, const char *text,
           GError **error)
{
    Value *value = make_value(context, option);

    if (!parse_value(option->kind, text, value)) {
        cxcli_set_usage_error(error, "--%s: found \"%s\", expected %s",
                              option->name, text, expected(option->kind));
        return false;
    }
    g_free(value->text);
    value->text = g_strdup(text);
    return true;
}

/* "--name", "--name=value" or "--name value"; *words moves past it. */
static bool
take_option(CxcliContext *context, char ***words, GError **error)
{
    const char *word = *(*words)++ + 2;
    const char *equals = strchr(word, '=');
    g_autofree char *name = equals != NULL
                                ? g_strndup(word, (size_t)(equals - word))
                                : g_strdup(word);
    const CxcliOption *option = find_option(cxcli_common_options, name);

    if (option == NULL && context->command != NULL)
        option = find_option(context->command->options, name);
    if (option == NULL) {
        cxcli_set_usage_error(error, "there is no option --%s", name);
        return false;
    }
    if (option->kind == CXCLI_FLAG && equals != NULL) {
        cxcli_set_usage_error(error, "--%s takes no value", name);
        return false;
    }
    if (option->kind == CXCLI_FLAG)
        return take_value(context, option, "", error);
    if (equals != NULL)
        return take_value(context, option, equals + 1, error);
    if (**words == NULL) {
        cxcli_set_usage_error(error, "--%s: expected %s", name,
                              expected(option->kind));
        return false;
    }
    if (!take_value(context, option, *(*words)++, error))
        return false;
    /* Further positions may follow without repeating the option. */
    CxNm ignored;
    while (option->kind == CXCLI_VOXELS && **words != NULL &&
           cxcli_parse_nm(**words, &ignored))
        if (!take_value(context, option, *(*words)++, error))
            return false;
    return true;
}

static bool
check_n_args(const CxcliContext *context, GError **error)
{
    const CxcliCommand *command = context->command;

    if (context->n_args >= command->min_args &&
        (command->max_args < 0 || context->n_args <= command->max_args))
        return true;
    cxcli_set_usage_error(error, "usage: connexon-cli %s %s", command->name,
                          command->usage);
    return false;
}

bool
cxcli_parse(CxcliContext *context, char **words, CxcliAsk *ask, GError **error)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    bool options_over = false;

    context->values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, value_free);
    while (*words != NULL) {
        if (options_over || !g_str_has_prefix(*words, "--"))
            g_ptr_array_add(args, g_strdup(*words++));
        else if (strcmp(*words, "--") == 0)
            options_over = words++ != NULL;
        else if (!take_option(context, &words, error))
            return false;
    }
    context->n_args = (int)args->len;
    g_ptr_array_add(args, NULL);
    context->args = (char **)g_ptr_array_steal(args, NULL);
    context->json = cxcli_has(context, "json");
    context->quiet = cxcli_has(context, "quiet");
    context->force = cxcli_has(context, "force");
    context->n_threads =
        (unsigned)MIN(cxcli_integer(context, "threads", 0), 4096);
    context->memory_bytes = (size_t)cxcli_integer(context, "memory", 0);
    *ask = cxcli_has(context, "help")      ? CXCLI_ASK_HELP
           : cxcli_has(context, "man")     ? CXCLI_ASK_MAN
           : cxcli_has(context, "version") ? CXCLI_ASK_VERSION
                                           : CXCLI_ASK_NOTHING;
    return *ask != CXCLI_ASK_NOTHING || context->command == NULL ||
           check_n_args(context, error);
}

static const Value *
find_value(const CxcliContext *context, const char *name)
{
    return g_hash_table_lookup(context->values, name);
}

bool
cxcli_has(const CxcliContext *context, const char *name)
{
    return find_value(context, name) != NULL;
}

const char *
cxcli_text(const CxcliContext *context, const char *name, const char *otherwise)
{
    const Value *value = find_value(context, name);

    return value != NULL ? value->text : otherwise;
}

uint64_t
cxcli_integer(const CxcliContext *context, const char *name, uint64_t otherwise)
{
    const Value *value = find_value(context, name);

    return value != NULL ? value->integer : otherwise;
}

double
cxcli_real(const CxcliContext *context, const char *name, double otherwise)
{
    const Value *value = find_value(context, name);

    return value != NULL ? value->real : otherwise;
}

bool
cxcli_nm(const CxcliContext *context, const char *name, CxNm *nm)
{
    const Value *value = find_value(context, name);

    if (value != NULL)
        *nm = value->nm;
    return value != NULL;
}

bool
cxcli_size(const CxcliContext *context, const char *name, int *width,
           int *height)
{
    const Value *value = find_value(context, name);

    if (value != NULL) {
        *width = value->width;
        *height = value->height;
    }
    return value != NULL;
}

static const GArray *
find_list(const CxcliContext *context, const char *name)
{
    const Value *value = find_value(context, name);

    return value != NULL ? value->list : NULL;
}

bool
cxcli_raw_box(const CxcliContext *context, const char *name, CxNm *lo, CxNm *hi)
{
    const Value *value = find_value(context, name);

    if (value != NULL) {
        *lo = value->lo;
        *hi = value->hi;
    }
    return value != NULL;
}

const GArray *
cxcli_positions(const CxcliContext *context, const char *name)
{
    return find_list(context, name);
}

const GArray *
cxcli_ids(const CxcliContext *context, const char *name)
{
    return find_list(context, name);
}
