/* What is known about the networks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/model_list.h"

#include "core/nn/choose.h"
#include "core/nn/program.h"

#include <math.h>
#include <string.h>

/* Slowest first. */
static const char *const all_types[] = {"fp32", "bf16", "int8"};

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

bool
cxui_licence_is_non_commercial(const char *licence)
{
    static const char *const words[] = {"not for commercial",
                                        "non-commercial",
                                        "noncommercial",
                                        "by-nc",
                                        "cc-nc",
                                        "research use"};
    g_autofree char *text = g_ascii_strdown(licence, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* By trying: only the engine knows what it can run here. */
static char **
find_types(const CxNetwork *network)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(all_types); i++) {
        CxLayerType type;
        CxKernels kernels;

        if (!cx_nn_choose(all_types[i], NULL, &type, &kernels, NULL))
            continue;
        g_autoptr(CxProgram) program = cx_program_new(network, type, NULL);
        if (program != NULL)
            g_ptr_array_add(types, g_strdup(all_types[i]));
    }
    g_ptr_array_add(types, NULL);
    return (char **)g_ptr_array_steal(types, NULL);
}

/* Shipped models go by their name, files by both. */
static char *
title_of(const char *name, const CxNetwork *network)
{
    g_autofree char *base = g_path_get_basename(name);

    if (!g_str_has_suffix(name, ".h5"))
        return g_strdup(name);
    if (network == NULL || cx_network_name(network)[0] == '\0')
        return g_steal_pointer(&base);
    return g_strdup_printf("%s (%s)", cx_network_name(network), base);
}

static void
read_card(CxuiModelInfo *info, const CxNetwork *network)
{
    info->text = text_of(network);
    info->description = g_strdup(cx_network_card(network, "description"));
    info->data = g_strdup(cx_network_card(network, "data"));
    info->licence = g_strdup(cx_network_card(network, "licence"));
    info->scores = g_strdup(cx_network_card(network, "scores"));
    info->voxel_nm = cx_network_voxel_nm(network);
    info->grows = cx_network_grows(network);
    info->non_commercial = cxui_licence_is_non_commercial(info->licence);
}

CxuiModelInfo *
cxui_model_info_read(const char *name)
{
    CxuiModelInfo *info = g_new0(CxuiModelInfo, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxNetwork) network = cx_network_load(name, &error);

    info->name = g_strdup(name);
    info->title = title_of(name, network);
    if (network == NULL) {
        info->text = g_strdup(error->message);
        info->types = g_new0(char *, 1);
        return info;
    }
    read_card(info, network);
    info->types = info->grows ? g_new0(char *, 1) : find_types(network);
    info->usable = info->types[0] != NULL;
    return info;
}

void
cxui_model_info_free(CxuiModelInfo *info)
{
    g_free(info->name);
    g_free(info->title);
    g_free(info->text);
    g_free(info->description);
    g_free(info->data);
    g_free(info->licence);
    g_free(info->scores);
    g_strfreev(info->types);
    g_free(info);
}

const char *
cxui_model_info_type(const CxuiModelInfo *info, const char *choice)
{
    guint n = g_strv_length(info->types);

    for (guint i = 0; i < n; i++)
        if (g_str_equal(info->types[i], choice))
            return info->types[i];
    return n > 0 ? info->types[n - 1] : all_types[0];
}

static void
add_model(GPtrArray *models, const char *name)
{
    CxuiModelInfo *info;

    for (guint i = 0; i < models->len; i++)
        if (g_str_equal(((CxuiModelInfo *)models->pdata[i])->name, name))
            return;
    info = cxui_model_info_read(name);
    if (info->grows)
        cxui_model_info_free(info);
    else
        g_ptr_array_add(models, info);
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Model files of $XDG_DATA_HOME/connexon/models, in order of name. */
static GPtrArray *
list_folder(void)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder =
        g_build_filename(g_get_user_data_dir(), "connexon", "models", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *file;

    while (dir != NULL && (file = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(file, ".h5"))
            g_ptr_array_add(paths, g_build_filename(folder, file, NULL));
    g_ptr_array_sort(paths, compare_names);
    return paths;
}

GPtrArray *
cxui_model_list_read(const char *files)
{
    g_auto(GStrv) names = cx_network_shipped();
    g_auto(GStrv) own = g_strsplit(files, "\n", -1);
    g_autoptr(GPtrArray) folder = list_folder();
    GPtrArray *models =
        g_ptr_array_new_with_free_func((GDestroyNotify)cxui_model_info_free);

    for (unsigned i = 0; names[i] != NULL; i++)
        add_model(models, names[i]);
    for (guint i = 0; i < folder->len; i++)
        add_model(models, g_ptr_array_index(folder, i));
    for (unsigned i = 0; own[i] != NULL; i++)
        if (g_file_test(own[i], G_FILE_TEST_IS_REGULAR))
            add_model(models, own[i]);
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

        if (!info->usable || info->grows || !(distance < least))
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
