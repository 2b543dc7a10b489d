/* What ImageJ and OME write into the description of the first page.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/tiff_meta.h"

#include "core/volume/reader_util.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <string.h>

/* Value of "key=value" on a line of its own; owned, or NULL. */
static char *
find_line(const char *text, const char *key)
{
    size_t n = strlen(key);

    for (const char *at = text; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');

        if (strncmp(at, key, n) == 0 && at[n] == '=') {
            const char *value = at + n + 1;
            size_t length = end != NULL ? (size_t)(end - value) : strlen(value);

            return g_strstrip(g_strndup(value, length));
        }
        at = end != NULL ? end + 1 : NULL;
    }
    return NULL;
}

static uint64_t
find_count(const char *text, const char *key, uint64_t fallback)
{
    g_autofree char *value = find_line(text, key);
    uint64_t n = value != NULL ? g_ascii_strtoull(value, NULL, 10) : 0;

    return n > 0 && n < (uint64_t)1 << 40 ? n : fallback;
}

static double
find_double(const char *text, const char *key)
{
    g_autofree char *value = find_line(text, key);
    double number = value != NULL ? g_ascii_strtod(value, NULL) : NAN;

    return isfinite(number) ? number : NAN;
}

/* ImageJ counts the origin in voxels from the first one. */
static double
origin_nm(const char *text, const char *key, double voxel_nm)
{
    double origin = find_double(text, key);

    return isnan(origin) ? 0 : -origin * voxel_nm;
}

static double
unit_of_line(const char *text, const char *key, double fallback)
{
    g_autofree char *unit = find_line(text, key);
    double nm = unit != NULL ? cx_reader_unit_nm(unit) : 0;

    return nm > 0 ? nm : fallback;
}

/* Page order of ImageJ is always channel, z, time. */
static void
parse_imagej(const char *text, double x_per_unit, double y_per_unit,
             CxTiffMeta *meta)
{
    double unit = unit_of_line(text, "unit", 0);
    double spacing = find_double(text, "spacing");

    meta->n_images = find_count(text, "images", 1);
    meta->n_channels = find_count(text, "channels", 1);
    meta->n_z = find_count(text, "slices", 1);
    meta->n_times = find_count(text, "frames", 1);
    if (meta->n_z == 1) { /* stacks are often saved as frames */
        meta->n_z = meta->n_times;
        meta->n_times = 1;
    }
    meta->channel_step = 1;
    meta->z_step = meta->n_channels;
    if (unit > 0 && x_per_unit > 0 && y_per_unit > 0) {
        meta->voxel_nm.x = unit / x_per_unit;
        meta->voxel_nm.y = unit_of_line(text, "yunit", unit) / y_per_unit;
        meta->voxel_nm.z =
            unit_of_line(text, "zunit", unit) *
            (spacing != 0 && !isnan(spacing) ? fabs(spacing) : 1.0);
    }
    meta->offset_nm = (CxNm){origin_nm(text, "xorigin", meta->voxel_nm.x),
                             origin_nm(text, "yorigin", meta->voxel_nm.y),
                             origin_nm(text, "zorigin", meta->voxel_nm.z)};
    meta->display_min = find_double(text, "min");
    meta->display_max = find_double(text, "max");
    meta->has_display_range = meta->display_max > meta->display_min;
}

static xmlNode *
find_element(xmlNode *node, const char *name)
{
    for (; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE &&
            g_str_equal((const char *)node->name, name))
            return node;
    }
    return NULL;
}

static double
get_number(xmlNode *node, const char *name, double fallback)
{
    xmlChar *text = xmlGetProp(node, (const xmlChar *)name);
    double value =
        text != NULL ? g_ascii_strtod((const char *)text, NULL) : fallback;

    xmlFree(text);
    return isfinite(value) ? value : fallback;
}

static double
get_size_nm(xmlNode *pixels, const char *name)
{
    g_autofree char *unit_name = g_strconcat(name, "Unit", NULL);
    xmlChar *text = xmlGetProp(pixels, (const xmlChar *)unit_name);
    double unit = text != NULL ? cx_reader_unit_nm((const char *)text) : 1000.0;

    xmlFree(text);
    return get_number(pixels, name, 0) * unit;
}

static uint64_t
get_count(xmlNode *node, const char *name)
{
    double value = get_number(node, name, 1);

    return value >= 1 && value < 1e12 ? (uint64_t)value : 1;
}

/* DimensionOrder is XY and then Z, C, T in any order, first fastest. */
static void
take_order(xmlNode *pixels, uint64_t n_channels, CxTiffMeta *meta)
{
    xmlChar *text = xmlGetProp(pixels, (const xmlChar *)"DimensionOrder");
    const char *order = text != NULL ? (const char *)text : "XYZCT";
    uint64_t step = 1;

    for (const char *at = order; *at != '\0'; at++) {
        if (*at == 'Z') {
            meta->z_step = step;
            step *= meta->n_z;
        } else if (*at == 'C') {
            meta->channel_step = step;
            step *= n_channels;
        } else if (*at == 'T') {
            step *= meta->n_times;
        }
    }
    xmlFree(text);
}

static void
take_pixels(xmlNode *pixels, CxTiffMeta *meta)
{
    xmlNode *channel = find_element(pixels->children, "Channel");
    uint64_t samples =
        channel != NULL ? get_count(channel, "SamplesPerPixel") : 1;
    uint64_t n_channels = get_count(pixels, "SizeC");

    meta->n_z = get_count(pixels, "SizeZ");
    meta->n_times = get_count(pixels, "SizeT");
    meta->n_channels = MAX(n_channels / samples, 1);
    take_order(pixels, meta->n_channels, meta);
    if (meta->n_z == 1 && meta->n_times > 1) {
        meta->n_z = meta->n_times;
        meta->n_times = 1;
        meta->z_step = meta->n_channels;
    }
    meta->voxel_nm = (CxNm){get_size_nm(pixels, "PhysicalSizeX"),
                            get_size_nm(pixels, "PhysicalSizeY"),
                            get_size_nm(pixels, "PhysicalSizeZ")};
}

static void
ignore_message(void *context, const char *format, ...)
{
}

static void
parse_ome(const char *text, CxTiffMeta *meta)
{
    xmlParserCtxt *context = xmlNewParserCtxt();

    if (context == NULL)
        return;
    context->sax->error = context->sax->warning = ignore_message;
    context->sax->serror = NULL;
    xmlDoc *doc = xmlCtxtReadMemory(
        context, text, (int)strlen(text), "description", NULL,
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (doc != NULL && doc->intSubset == NULL) {
        xmlNode *root = find_element(xmlDocGetRootElement(doc), "OME");
        xmlNode *image =
            root != NULL ? find_element(root->children, "Image") : NULL;
        xmlNode *pixels =
            image != NULL ? find_element(image->children, "Pixels") : NULL;

        if (pixels != NULL)
            take_pixels(pixels, meta);
    }
    if (doc != NULL)
        xmlFreeDoc(doc);
    xmlFreeParserCtxt(context);
}

#define MAX_TEXT ((size_t)64 << 20)

CxTiffMeta
cx_tiff_meta_parse(const char *description, double x_per_unit,
                   double y_per_unit)
{
    CxTiffMeta meta = {0};

    if (description == NULL || strlen(description) > MAX_TEXT)
        return meta;
    if (g_str_has_prefix(description, "ImageJ="))
        parse_imagej(description, x_per_unit, y_per_unit, &meta);
    else if (strstr(description, "<OME") != NULL)
        parse_ome(description, &meta);
    return meta;
}
