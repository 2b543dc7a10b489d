/* What is known about the networks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/model_list.h"

#include <math.h>

static char *
text_of(const CxNetwork *network)
{
    static const char *const fields[] = {"description", "data", "licence",
                                         "scores"};
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        const char *value = cx_network_card(network, fields[i]);

        if (value[0] == '\0')
            continue;
        if (text->len > 0)
            g_string_append(text, " · ");
        g_string_append(text, value);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

CxuiModelInfo *
cxui_model_info_read(const char *name)
{
    CxuiModelInfo *info = g_new0(CxuiModelInfo, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_network_load(name, &error);

    info->name = g_strdup(name);
    if (network == NULL) {
        info->text = g_strdup(error->message);
        return info;
    }
    info->text = text_of(network);
    info->voxel_nm = cx_network_voxel_nm(network);
    info->usable = true;
    return info;
}

void
cxui_model_info_free(CxuiModelInfo *info)
{
    g_free(info->name);
    g_free(info->text);
    g_free(info);
}

GPtrArray *
cxui_model_list_read(void)
{
    g_auto(GStrv) names = cx_network_shipped();
    GPtrArray *models =
        g_ptr_array_new_with_free_func((GDestroyNotify)cxui_model_info_free);

    for (unsigned i = 0; names[i] != NULL; i++)
        g_ptr_array_add(models, cxui_model_info_read(names[i]));
    return models;
}

static double
squared_log(double a, double b)
{
    double x = log(a / b);

    return x * x;
}

const CxuiModelInfo *
cxui_model_list_nearest(const GPtrArray *models, CxNm voxel_nm)
{
    const CxuiModelInfo *best = NULL;
    double least = INFINITY;

    for (guint i = 0; i < models->len; i++) {
        const CxuiModelInfo *info = g_ptr_array_index(models, i);
        double distance = squared_log(info->voxel_nm.x, voxel_nm.x) +
                          squared_log(info->voxel_nm.y, voxel_nm.y) +
                          squared_log(info->voxel_nm.z, voxel_nm.z);

        if (!info->usable || !(distance < least))
            continue;
        least = distance;
        best = info;
    }
    return best;
}

static double
ratio(double a, double b)
{
    return a > b ? a / b : b / a;
}

double
cxui_voxel_ratio(CxNm a, CxNm b)
{
    return fmax(ratio(a.x, b.x), fmax(ratio(a.y, b.y), ratio(a.z, b.z)));
}
