/* Surfaces as PLY, OBJ, STL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/mesh_format.h"

#include <math.h>
#include <string.h>

/* Arrays are written as they lie in memory. */
G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN);

CxMeshFormat
cx_mesh_format_of(const char *path)
{
    static const struct {
        const char *suffix;
        CxMeshFormat format;
    } formats[] = {
        {".ply", cx_mesh_write_ply},
        {".obj", cx_mesh_write_obj},
        {".stl", cx_mesh_write_stl},
        {".glb", cx_mesh_write_glb},
    };

    for (guint i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (g_str_has_suffix(path, formats[i].suffix))
            return formats[i].format;
    }
    return NULL;
}

static void
position(const CxMesh *mesh, uint32_t vertex, double out[3])
{
    const float *p = mesh->positions + 3 * (size_t)vertex;

    out[0] = mesh->origin_nm.x + (double)p[0];
    out[1] = mesh->origin_nm.y + (double)p[1];
    out[2] = mesh->origin_nm.z + (double)p[2];
}

static bool
write_ply_vertices(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    for (uint32_t v = 0; v < mesh->n_vertices; v++) {
        uint8_t record[36];
        double at[3];

        position(mesh, v, at);
        memcpy(record, at, sizeof at);
        memcpy(record + sizeof at, mesh->normals + 3 * (size_t)v, 12);
        if (!cx_export_file_write(file, record, sizeof record, error))
            return false;
    }
    return true;
}

bool
cx_mesh_write_ply(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    if (!cx_export_file_printf(
            file, error,
            "ply\nformat binary_little_endian 1.0\n"
            "comment Connexon, positions in nm\n"
            "element vertex %u\n"
            "property double x\nproperty double y\nproperty double z\n"
            "property float nx\nproperty float ny\nproperty float nz\n"
            "element face %u\nproperty list uchar uint vertex_indices\n"
            "end_header\n",
            mesh->n_vertices, mesh->n_triangles) ||
        !write_ply_vertices(mesh, file, error))
        return false;
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        uint8_t record[13] = {3};

        memcpy(record + 1, mesh->indices + 3 * (size_t)t, 12);
        if (!cx_export_file_write(file, record, sizeof record, error))
            return false;
    }
    return true;
}

/* "v 1.5 2 -3\n", with a point whatever the locale. */
static bool
write_obj_line(CxExportFile *file, const char *word, const char *format,
               const double xyz[3], GError **error)
{
    char x[40], y[40], z[40];

    g_ascii_formatd(x, sizeof x, format, xyz[0]);
    g_ascii_formatd(y, sizeof y, format, xyz[1]);
    g_ascii_formatd(z, sizeof z, format, xyz[2]);
    return cx_export_file_printf(file, error, "%s %s %s %s\n", word, x, y, z);
}

bool
cx_mesh_write_obj(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    if (!cx_export_file_puts(file, "# Connexon, positions in nm\n", error))
        return false;
    for (uint32_t v = 0; v < mesh->n_vertices; v++) {
        double at[3];

        position(mesh, v, at);
        if (!write_obj_line(file, "v", "%.3f", at, error))
            return false;
    }
    for (uint32_t v = 0; v < mesh->n_vertices; v++) {
        const float *n = mesh->normals + 3 * (size_t)v;
        double normal[3] = {(double)n[0], (double)n[1], (double)n[2]};

        if (!write_obj_line(file, "vn", "%.5f", normal, error))
            return false;
    }
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        const uint32_t *i = mesh->indices + 3 * (size_t)t;

        if (!cx_export_file_printf(file, error, "f %u//%u %u//%u %u//%u\n",
                                   i[0] + 1, i[0] + 1, i[1] + 1, i[1] + 1,
                                   i[2] + 1, i[2] + 1))
            return false;
    }
    return true;
}

/* Unit normal of a triangle; 0 for one without area. */
static void
face_normal(double corners[3][3], float out[3])
{
    double u[3], v[3], n[3], length;

    for (int i = 0; i < 3; i++) {
        u[i] = corners[1][i] - corners[0][i];
        v[i] = corners[2][i] - corners[0][i];
    }
    n[0] = u[1] * v[2] - u[2] * v[1];
    n[1] = u[2] * v[0] - u[0] * v[2];
    n[2] = u[0] * v[1] - u[1] * v[0];
    length = sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (int i = 0; i < 3; i++)
        out[i] = length > 0 ? (float)(n[i] / length) : 0;
}

bool
cx_mesh_write_stl(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    char header[80] = "Connexon, positions in nm";

    if (!cx_export_file_write(file, header, sizeof header, error) ||
        !cx_export_file_write(file, &mesh->n_triangles,
                              sizeof mesh->n_triangles, error))
        return false;
    for (uint32_t t = 0; t < mesh->n_triangles; t++) {
        float record[12];
        uint8_t bytes[50] = {0};
        double corners[3][3];

        for (int k = 0; k < 3; k++) {
            position(mesh, mesh->indices[3 * (size_t)t + (size_t)k],
                     corners[k]);
            for (int i = 0; i < 3; i++)
                record[3 + 3 * k + i] = (float)corners[k][i];
        }
        face_normal(corners, record);
        memcpy(bytes, record, sizeof record);
        if (!cx_export_file_write(file, bytes, sizeof bytes, error))
            return false;
    }
    return true;
}
