/* Surfaces as GLB: glTF 2.0 in one file (Khronos, section 4.4).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/export/mesh_format.h"

#include "core/base/error.h"

#include <string.h>

#define METRES_PER_NM 1e-9

/* Shortest text that reads back as the same number. */
static void
append_number(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_dtostr(text, sizeof text, value));
}

static void
append_vector(GString *out, const double v[3])
{
    g_string_append_c(out, '[');
    for (int i = 0; i < 3; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_number(out, v[i]);
    }
    g_string_append_c(out, ']');
}

/* Bounds are of the floats as stored, which validators compare exactly. */
static void
append_bounds(GString *out, const CxMesh *mesh)
{
    double lo[3], hi[3];

    for (int i = 0; i < 3; i++)
        lo[i] = hi[i] = (double)mesh->positions[i];
    for (size_t k = 0; k < 3 * (size_t)mesh->n_vertices; k++) {
        double value = (double)mesh->positions[k];

        lo[k % 3] = MIN(lo[k % 3], value);
        hi[k % 3] = MAX(hi[k % 3], value);
    }
    g_string_append(out, "\"min\":");
    append_vector(out, lo);
    g_string_append(out, ",\"max\":");
    append_vector(out, hi);
}

static void
append_node(GString *out, const CxMesh *mesh)
{
    double translation[3] = {mesh->origin_nm.x * METRES_PER_NM,
                             mesh->origin_nm.y * METRES_PER_NM,
                             mesh->origin_nm.z * METRES_PER_NM};
    double scale[3] = {METRES_PER_NM, METRES_PER_NM, METRES_PER_NM};

    g_string_append(out, "\"nodes\":[{\"mesh\":0,\"translation\":");
    append_vector(out, translation);
    g_string_append(out, ",\"scale\":");
    append_vector(out, scale);
    g_string_append(out, "}],");
}

static GString *
make_json(const CxMesh *mesh, uint64_t vertex_bytes, uint64_t index_bytes)
{
    GString *out = g_string_new(
        "{\"asset\":{\"version\":\"2.0\",\"generator\":\"Connexon\"},"
        "\"scene\":0,\"scenes\":[{\"nodes\":[0]}],");

    append_node(out, mesh);
    g_string_append_printf(
        out,
        "\"meshes\":[{\"primitives\":[{\"attributes\":{\"POSITION\":0,"
        "\"NORMAL\":1},\"indices\":2,\"mode\":4}]}],"
        "\"buffers\":[{\"byteLength\":%" G_GUINT64_FORMAT "}],"
        "\"bufferViews\":["
        "{\"buffer\":0,\"byteLength\":%" G_GUINT64_FORMAT ",\"target\":34962},"
        "{\"buffer\":0,\"byteOffset\":%" G_GUINT64_FORMAT
        ",\"byteLength\":%" G_GUINT64_FORMAT ",\"target\":34962},"
        "{\"buffer\":0,\"byteOffset\":%" G_GUINT64_FORMAT
        ",\"byteLength\":%" G_GUINT64_FORMAT ",\"target\":34963}],",
        2 * vertex_bytes + index_bytes, vertex_bytes, vertex_bytes,
        vertex_bytes, 2 * vertex_bytes, index_bytes);
    g_string_append_printf(
        out,
        "\"accessors\":["
        "{\"bufferView\":0,\"componentType\":5126,\"count\":%u,"
        "\"type\":\"VEC3\",",
        mesh->n_vertices);
    append_bounds(out, mesh);
    g_string_append_printf(
        out,
        "},{\"bufferView\":1,\"componentType\":5126,\"count\":%u,"
        "\"type\":\"VEC3\"},"
        "{\"bufferView\":2,\"componentType\":5125,\"count\":%u,"
        "\"type\":\"SCALAR\"}]}",
        mesh->n_vertices, 3 * mesh->n_triangles);
    while (out->len % 4 != 0)
        g_string_append_c(out, ' ');
    return out;
}

bool
cx_mesh_write_glb(const CxMesh *mesh, CxExportFile *file, GError **error)
{
    uint64_t vertex_bytes = UINT64_C(12) * mesh->n_vertices;
    uint64_t index_bytes = UINT64_C(12) * mesh->n_triangles;
    uint64_t bin_bytes = 2 * vertex_bytes + index_bytes;
    GString *json = make_json(mesh, vertex_bytes, index_bytes);
    g_autofree char *text = g_string_free(json, FALSE);
    size_t n_text = strlen(text);
    uint64_t total = 12 + 8 + n_text + 8 + bin_bytes;
    uint32_t head[] = {0x46546c67, 2, (uint32_t)total, (uint32_t)n_text,
                       0x4e4f534a};
    uint32_t bin_head[] = {(uint32_t)bin_bytes, 0x004e4942};

    if (total > UINT32_MAX) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "a surface of %u triangles is larger than a .glb can "
                    "hold; .ply holds it",
                    mesh->n_triangles);
        return false;
    }
    return cx_export_file_write(file, head, sizeof head, error) &&
           cx_export_file_write(file, text, n_text, error) &&
           cx_export_file_write(file, bin_head, sizeof bin_head, error) &&
           cx_export_file_write(file, mesh->positions, vertex_bytes, error) &&
           cx_export_file_write(file, mesh->normals, vertex_bytes, error) &&
           cx_export_file_write(file, mesh->indices, index_bytes, error);
}
