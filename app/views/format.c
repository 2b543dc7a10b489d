/* Numbers as people read them, and back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/views/format.h"

#include <math.h>
#include <string.h>

#define THIN_SPACE "\xe2\x80\x89"

static char *
group_digits(const char *digits)
{
    GString *text = g_string_new(NULL);
    size_t n = strlen(digits);

    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            g_string_append(text, THIN_SPACE);
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

char *
cxui_format_plain_id(CxId id)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT, id);
}

char *
cxui_format_id(CxId id)
{
    g_autofree char *plain = cxui_format_plain_id(id);

    return group_digits(plain);
}

char *
cxui_format_count(uint64_t n, const char *one, const char *many)
{
    g_autofree char *digits = cxui_format_id(n);

    return g_strdup_printf("%s %s", digits, n == 1 ? one : many);
}

static char *
three_digits(double value, const char *unit)
{
    int decimals = value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;

    return g_strdup_printf("%.*f %s", decimals, value, unit);
}

char *
cxui_format_volume(double um3)
{
    return um3 >= 1e-3 ? three_digits(um3, "µm³")
                       : three_digits(um3 * 1e9, "nm³");
}

char *
cxui_format_length_nm(double nm)
{
    return nm >= 1e6   ? three_digits(nm / 1e6, "mm")
           : nm >= 1e3 ? three_digits(nm / 1e3, "µm")
                       : three_digits(nm, "nm");
}

static char *
group_int(int64_t value)
{
    g_autofree char *plain = g_strdup_printf("%" G_GINT64_FORMAT, value);

    return group_digits(plain);
}

char *
cxui_format_voxel(CxVoxel voxel)
{
    g_autofree char *x = group_int(voxel.x);
    g_autofree char *y = group_int(voxel.y);
    g_autofree char *z = group_int(voxel.z);

    return g_strdup_printf("x %s  y %s  z %s", x, y, z);
}

char *
cxui_format_time(int64_t time_us, int64_t now_us)
{
    g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_us / 1000000);
    if (utc == NULL)
        return g_strdup("");

    g_autoptr(GDateTime) here = g_date_time_to_local(utc);
    int64_t age = now_us - time_us;
    const char *form = age < 12 * G_TIME_SPAN_HOUR ? "%H:%M"
                       : age < 6 * G_TIME_SPAN_DAY ? "%a %H:%M"
                                                   : "%Y-%m-%d %H:%M";
    return g_date_time_format(here, form);
}

char *
cxui_format_left(double seconds)
{
    if (!(seconds >= 0) || seconds > 100 * 3600)
        return NULL;
    if (seconds < 90)
        return g_strdup_printf("%.0f s left", ceil(seconds));
    if (seconds < 90 * 60)
        return g_strdup_printf("%.0f min left", ceil(seconds / 60));
    return g_strdup_printf("%.1f h left", seconds / 3600);
}

/* Plain ASCII: separators and axis letters become blanks, the thin and
 * no-break spaces that group digits vanish. */
static char *
tidy(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == 0x2009 || c == 0x202f || c == 0x00a0)
            continue;
        if (c == ',' || c == ';' || c == '(' || c == ')' || c == '[' ||
            c == ']' || c == 'x' || c == 'y' || c == 'z' || c == '\t')
            c = ' ';
        g_string_append_unichar(out, c);
    }
    return g_strstrip(g_string_free(out, FALSE));
}

static bool
parse_coordinate(const char *text, int64_t *value)
{
    return g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, value,
                                    NULL);
}

CxuiPlaceKind
cxui_parse_place(const char *text, CxVoxel *voxel, CxId *id)
{
    if (!g_utf8_validate(text, -1, NULL))
        return CXUI_PLACE_NONE;

    g_autofree char *clean = tidy(text);
    g_auto(GStrv) words = g_strsplit_set(clean, " ", -1);
    const char *numbers[3] = {NULL, NULL, NULL};
    unsigned n = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        if (words[i][0] == '\0')
            continue;
        if (n == 3)
            return CXUI_PLACE_NONE;
        numbers[n++] = words[i];
    }
    if (n == 3 && parse_coordinate(numbers[0], &voxel->x) &&
        parse_coordinate(numbers[1], &voxel->y) &&
        parse_coordinate(numbers[2], &voxel->z))
        return CXUI_PLACE_VOXEL;
    if (n == 1 &&
        g_ascii_string_to_unsigned(numbers[0], 10, 1, G_MAXUINT64, id, NULL))
        return CXUI_PLACE_ID;
    return CXUI_PLACE_NONE;
}
