/* What several commands do.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/cli/common.h"

#include "core/base/error.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

bool
cxcli_is_project(const char *path)
{
    return g_str_has_suffix(path, ".connexon");
}

bool
cxcli_exists(const char *path)
{
    struct stat found;

    return lstat(path, &found) == 0;
}

/* The file of a volume argument: without ":/dataset". */
static char *
file_of(const char *spec)
{
    const char *colon = strstr(spec, ":/");

    return colon != NULL && colon != spec
               ? g_strndup(spec, (size_t)(colon - spec))
               : g_strdup(spec);
}

static bool
is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

bool
cxcli_check_output(const CxcliContext *context, const char *path,
                   const char *const *inputs, GError **error)
{
    for (; inputs != NULL && *inputs != NULL; inputs++) {
        g_autofree char *input = file_of(*inputs);

        if (!is_same_file(input, path))
            continue;
        g_set_error(error, CX_ERROR, CX_ERROR_IO,
                    "%s: the output is also an input, expected another name",
                    path);
        return false;
    }
    if (context->force || !cxcli_exists(path))
        return true;
    g_set_error(error, CX_ERROR, CX_ERROR_EXISTS,
                "%s: is there already; --force replaces it", path);
    return false;
}

CxVolume *
cxcli_open_labels(const CxcliContext *context, const char *spec,
                  CxProject **project, GError **error)
{
    if (!cxcli_is_project(spec))
        return cx_volume_open(spec, NULL, error);
    *project = cx_project_open(spec, true, NULL, error);
    if (*project == NULL)
        return NULL;
    return cx_volume_ref(cx_project_segments(*project));
}

char *
cxcli_voxel_text(CxVoxel v)
{
    return g_strdup_printf("%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT
                           ",%" G_GINT64_FORMAT,
                           v.x, v.y, v.z);
}

static bool
set_outside_error(GError **error, const char *what, const char *text,
                  CxVoxel size)
{
    g_autofree char *bounds = cxcli_voxel_text(size);

    g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                "%s %s lies outside the volume, expected voxels from 0,0,0 to "
                "below %s",
                what, text, bounds);
    return false;
}

/* One coordinate as a whole voxel. */
static bool
place(double raw, bool is_nm, double voxel_nm, double offset_nm, int64_t *voxel)
{
    double place = is_nm ? floor((raw - offset_nm) / voxel_nm) : raw;

    if (place != floor(place) || fabs(place) > 0x1p53)
        return false;
    *voxel = (int64_t)place;
    return true;
}

static bool
place_all(const CxcliContext *context, CxVolume *volume, CxNm raw,
          CxVoxel *voxel)
{
    bool is_nm = cxcli_has(context, "nm");
    CxNm size = cx_volume_level(volume, 0).voxel_nm;
    CxNm offset = cx_volume_offset_nm(volume);

    return place(raw.x, is_nm, size.x, offset.x, &voxel->x) &&
           place(raw.y, is_nm, size.y, offset.y, &voxel->y) &&
           place(raw.z, is_nm, size.z, offset.z, &voxel->z);
}

bool
cxcli_find_box(const CxcliContext *context, CxVolume *volume, CxBox *box,
               GError **error)
{
    CxBox bounds = cx_volume_bounds(volume, 0);
    const char *text = cxcli_text(context, "box", "");
    CxNm lo, hi;

    *box = bounds;
    if (!cxcli_raw_box(context, "box", &lo, &hi))
        return true;
    if (!place_all(context, volume, lo, &box->lo) ||
        !place_all(context, volume, hi, &box->hi) || cx_box_is_empty(*box)) {
        cxcli_set_usage_error(error,
                              "--box: found \"%s\", expected whole voxels "
                              "(or --nm)",
                              text);
        return false;
    }
    if (!cx_box_contains_box(bounds, *box))
        return set_outside_error(error, "the box", text, bounds.hi);
    return true;
}

bool
cxcli_find_voxel(const CxcliContext *context, const char *name,
                 CxVolume *volume, CxNm raw, CxVoxel *voxel, GError **error)
{
    CxBox bounds = cx_volume_bounds(volume, 0);

    if (!place_all(context, volume, raw, voxel)) {
        cxcli_set_usage_error(error,
                              "--%s: found %g,%g,%g, expected whole voxels (or "
                              "--nm)",
                              name, raw.x, raw.y, raw.z);
        return false;
    }
    if (cx_box_contains(bounds, *voxel))
        return true;
    g_autofree char *what = g_strdup_printf("--%s", name);
    g_autofree char *text = cxcli_voxel_text(*voxel);
    return set_outside_error(error, what, text, bounds.hi);
}

GArray *
cxcli_find_voxels(const CxcliContext *context, const char *name,
                  CxVolume *volume, GError **error)
{
    const GArray *raw = cxcli_positions(context, name);
    g_autoptr(GArray) voxels = g_array_new(FALSE, FALSE, sizeof(CxVoxel));

    for (guint i = 0; raw != NULL && i < raw->len; i++) {
        CxVoxel voxel;

        if (!cxcli_find_voxel(context, name, volume,
                              g_array_index(raw, CxNm, i), &voxel, error))
            return NULL;
        g_array_append_val(voxels, voxel);
    }
    return g_steal_pointer(&voxels);
}

uint64_t
cxcli_peak_bytes(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}

double
cxcli_seconds(void)
{
    return (double)g_get_monotonic_time() * 1e-6;
}

bool
cxcli_write_text(const char *path, const char *text, size_t n, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (g_file_set_contents_full(path, text, (gssize)n,
                                 G_FILE_SET_CONTENTS_CONSISTENT |
                                     G_FILE_SET_CONTENTS_DURABLE,
                                 0666, &cause))
        return true;
    g_set_error(error, CX_ERROR,
                g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_NOSPC)
                    ? CX_ERROR_NO_SPACE
                    : CX_ERROR_IO,
                "cannot write %s: %s", path, cause->message);
    return false;
}

CxWriterOptions
cxcli_label_options(const CxcliContext *context, CxVolume *volume, CxBox box)
{
    CxWriterOptions options = cx_writer_options_over(volume, box);

    options.dtype = CX_DTYPE_U64;
    options.is_labels = true;
    options.overwrite = context->force;
    return options;
}
