/* Surfaces: closed, of the right size, the same however they are cut into
 * chunks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/error.h"
#include "core/base/hash64.h"
#include "core/mesh/marching_cubes_table.h"
#include "core/mesh/mesh_builder.h"
#include "core/mesh/simplify.h"
#include "core/volume/synthetic.h"
#include "tests/support/check.h"

#include <math.h>
#include <string.h>

/* Larger than a double can tell from its neighbours. */
#define BIG ((UINT64_C(1) << 53) + 1)

static const CxNm isotropic = {10, 10, 10};

static CxChunk *
new_labels(CxVoxel size)
{
    g_autoptr(GError) error = NULL;
    CxChunk *chunk =
        cx_chunk_new(CX_DTYPE_U64, cx_box_of_size(size), 1, &error);

    g_assert_no_error(error);
    memset(cx_chunk_data_mut(chunk), 0, cx_chunk_size_bytes(chunk));
    return chunk;
}

typedef bool (*Inside)(double x, double y, double z);

static CxChunk *
paint(CxVoxel size, CxId id, Inside inside)
{
    CxChunk *chunk = new_labels(size);
    CxId *out = cx_chunk_data_mut(chunk);

    for (int64_t z = 0; z < size.z; z++)
        for (int64_t y = 0; y < size.y; y++)
            for (int64_t x = 0; x < size.x; x++)
                *out++ =
                    inside((double)x + 0.5, (double)y + 0.5, (double)z + 0.5)
                        ? id
                        : 0;
    return chunk;
}

static bool
in_ball(double x, double y, double z)
{
    return hypot(hypot(x - 40, y - 41), z - 39.5) < 30;
}

static bool
in_torus(double x, double y, double z)
{
    double ring = hypot(x - 50, y - 50) - 30;

    return hypot(ring, z - 20) < 11;
}

/* Closed where the volume ends: a corner of a ball. */
static bool
in_corner(double x, double y, double z)
{
    return hypot(hypot(x, y), z) < 25;
}

static CxMeshOptions
raw_options(void)
{
    CxMeshOptions options = cx_mesh_defaults();

    options.simplify = 1;
    options.smooth = 0;
    options.n_threads = 2;
    return options;
}

static CxMesh *
mesh_of(CxChunk *chunk, CxId id, CxNm voxel_nm, const CxMeshOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, voxel_nm, (CxNm){1000, -500, 70}, true);
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(volume, options);
    CxMesh *mesh = cx_mesh_builder_run(builder, id, cx_volume_bounds(volume, 0),
                                       NULL, &error);

    g_assert_no_error(error);
    return mesh;
}

static void
assert_near(double found, double expected, double share)
{
    g_test_message("%g, expected %g (%+.2f %%)", found, expected,
                   100 * (found / expected - 1));
    g_assert_cmpfloat(fabs(found / expected - 1), <=, share);
}

static void
check_shape(Inside inside, CxVoxel size, double volume, double area,
            double keep)
{
    g_autoptr(CxChunk) chunk = paint(size, BIG, inside);
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxMesh) mesh = NULL;

    options.simplify = keep;
    mesh = mesh_of(chunk, BIG, isotropic, &options);
    g_assert_cmpuint(cx_mesh_n_open_edges(mesh), ==, 0);
    assert_near(cx_mesh_volume_nm3(mesh), volume * 1000, 0.02);
    assert_near(cx_mesh_area_nm2(mesh), area * 100, 0.05);
    for (size_t v = 0; v < mesh->n_vertices; v++) {
        const float *n = mesh->normals + 3 * v;

        g_assert_cmpfloat(fabsf(hypotf(hypotf(n[0], n[1]), n[2]) - 1), <, 1e-4);
    }
}

static void
test_ball(void)
{
    double volume = 4.0 / 3 * G_PI * 30 * 30 * 30, area = 4 * G_PI * 30 * 30;

    check_shape(in_ball, (CxVoxel){80, 82, 79}, volume, area, 1);
    check_shape(in_ball, (CxVoxel){80, 82, 79}, volume, area, 0.1);
}

static void
test_torus(void)
{
    double volume = 2 * G_PI * G_PI * 30 * 11 * 11;
    double area = 4 * G_PI * G_PI * 30 * 11;

    check_shape(in_torus, (CxVoxel){100, 100, 40}, volume, area, 1);
    check_shape(in_torus, (CxVoxel){100, 100, 40}, volume, area, 0.1);
}

static void
test_surface_closes_at_volume_border(void)
{
    double ball = 4.0 / 3 * G_PI * 25 * 25 * 25;

    check_shape(in_corner, (CxVoxel){64, 64, 64}, ball / 8,
                4 * G_PI * 625 / 8 + 3 * G_PI * 625 / 4, 1);

    /* Sides cut off by the volume: as many voxels as there are. */
    g_autoptr(CxChunk) chunk = paint((CxVoxel){20, 64, 22}, 3, in_corner);
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxMesh) mesh = mesh_of(chunk, 3, isotropic, &options);
    size_t n = 0;

    for (size_t i = 0; i < cx_chunk_n_voxels(chunk); i++)
        n += ((const CxId *)cx_chunk_data(chunk))[i] != 0;
    g_assert_cmpuint(cx_mesh_n_open_edges(mesh), ==, 0);
    assert_near(cx_mesh_volume_nm3(mesh), (double)n * 1000, 0.02);
}

/* Normals and positions: outwards, in the global frame, anisotropic. */
static void
test_positions_are_global_nm(void)
{
    g_autoptr(CxChunk) chunk = new_labels((CxVoxel){5, 5, 5});
    CxMeshOptions options = raw_options();
    g_autoptr(CxMesh) mesh = NULL;
    CxNm lo, hi;

    ((CxId *)cx_chunk_data_mut(chunk))[2 + 5 * 2 + 25 * 2] = 7;
    mesh = mesh_of(chunk, 7, (CxNm){4, 6, 40}, &options);
    g_assert_cmpuint(mesh->n_vertices, ==, 6);
    g_assert_cmpuint(mesh->n_triangles, ==, 8);
    g_assert_true(cx_mesh_bounds(mesh, &lo, &hi));
    assert_near(lo.x, 1000 + 2 * 4, 1e-6);
    assert_near(hi.x, 1000 + 3 * 4, 1e-6);
    assert_near(lo.y, -500 + 2 * 6, 1e-6);
    assert_near(hi.z, 70 + 3 * 40, 1e-6);
    assert_near(cx_mesh_volume_nm3(mesh), 4 * 6 * 40 / 6.0, 1e-4);
}

/* Random labels, every one a mess of ambiguous cells. */
static CxChunk *
noise_labels(CxRng *rng, CxVoxel size, unsigned n_labels)
{
    CxChunk *chunk = new_labels(size);
    CxId *out = cx_chunk_data_mut(chunk);
    int64_t n = size.x * size.y * size.z;

    for (int64_t i = 0; i < n; i++) {
        uint64_t k = cx_rng_below(rng, n_labels + 1);

        out[i] = k == 0 ? 0 : BIG * k;
    }
    return chunk;
}

/* Blobs: the nearest of random centres, some of them background. */
static CxChunk *
blob_labels(CxRng *rng, CxVoxel size, unsigned n_blobs)
{
    CxChunk *chunk = new_labels(size);
    CxId *out = cx_chunk_data_mut(chunk);
    g_autofree double *at = g_new(double, 3 * n_blobs);

    for (unsigned i = 0; i < n_blobs; i++) {
        at[3 * i] = cx_rng_uniform(rng) * (double)size.x;
        at[3 * i + 1] = cx_rng_uniform(rng) * (double)size.y;
        at[3 * i + 2] = cx_rng_uniform(rng) * (double)size.z;
    }
    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            for (int64_t x = 0; x < size.x; x++) {
                double best = INFINITY;
                unsigned nearest = 0;

                for (unsigned i = 0; i < n_blobs; i++) {
                    double d = hypot(
                        hypot((double)x - at[3 * i], (double)y - at[3 * i + 1]),
                        (double)z - at[3 * i + 2]);
                    if (d < best) {
                        best = d;
                        nearest = i;
                    }
                }
                *out++ = nearest % 5 == 0 ? 0 : BIG + nearest;
            }
        }
    }
    return chunk;
}

/* A triangle by its three positions, in an order that does not depend on
 * which vertex came first. */
typedef struct {
    float p[9];
} Facet;

static int
compare_facets(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(Facet));
}

static Facet
make_facet(const float *a, const float *b, const float *c)
{
    const float *order[3] = {a, b, c};
    int first = 0;
    Facet facet;

    for (int i = 1; i < 3; i++)
        if (memcmp(order[i], order[first], 3 * sizeof(float)) < 0)
            first = i;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++)
            facet.p[3 * i + k] = order[(first + i) % 3][k] + 0.0f;
    return facet;
}

/* Positions in half voxels from the centre of voxel 0. */
static GArray *
facets_of_mesh(const CxMesh *mesh, CxNm offset)
{
    GArray *facets = g_array_new(FALSE, FALSE, sizeof(Facet));
    g_autofree float *at = g_new(float, 3 * (size_t)mesh->n_vertices);
    double shift[3] = {mesh->origin_nm.x - offset.x,
                       mesh->origin_nm.y - offset.y,
                       mesh->origin_nm.z - offset.z};

    for (size_t i = 0; i < 3 * (size_t)mesh->n_vertices; i++)
        at[i] =
            (float)round(((mesh->positions[i] + shift[i % 3]) / 10 - 0.5) * 2);
    for (size_t t = 0; t < mesh->n_triangles; t++) {
        const uint32_t *v = mesh->indices + 3 * t;
        Facet facet = make_facet(at + 3 * (size_t)v[0], at + 3 * (size_t)v[1],
                                 at + 3 * (size_t)v[2]);
        g_array_append_val(facets, facet);
    }
    g_array_sort(facets, compare_facets);
    return facets;
}

/* The slow twin: every cell of the padded volume, one label. */
static GArray *
facets_by_force(const CxChunk *chunk, CxId id)
{
    static const uint8_t lower[12] = {0, 2, 4, 6, 0, 1, 4, 5, 0, 1, 2, 3};
    CxBox box = cx_chunk_box(chunk);
    GArray *facets = g_array_new(FALSE, FALSE, sizeof(Facet));

    for (int64_t z = -1; z < box.hi.z; z++) {
        for (int64_t y = -1; y < box.hi.y; y++) {
            for (int64_t x = -1; x < box.hi.x; x++) {
                unsigned mask = 0;
                float at[12][3];

                for (int c = 0; c < 8; c++) {
                    CxVoxel v = {x + (c & 1), y + (c >> 1 & 1), z + (c >> 2)};
                    if (cx_box_contains(box, v) &&
                        cx_chunk_label_at(chunk, v) == id)
                        mask |= 1u << c;
                }
                for (int e = 0; e < 12; e++) {
                    int c = lower[e];
                    at[e][0] = (float)(2 * (x + (c & 1)) + (e / 4 == 0));
                    at[e][1] = (float)(2 * (y + (c >> 1 & 1)) + (e / 4 == 1));
                    at[e][2] = (float)(2 * (z + (c >> 2)) + (e / 4 == 2));
                }
                for (const int8_t *t = cx_marching_cubes_table[mask]; *t >= 0;
                     t += 3) {
                    Facet facet = make_facet(at[t[0]], at[t[1]], at[t[2]]);
                    g_array_append_val(facets, facet);
                }
            }
        }
    }
    g_array_sort(facets, compare_facets);
    return facets;
}

typedef struct {
    const CxChunk *chunk;
    CxMeshBuilder *builder;
    size_t n_labels;
    CxId last;
} Twin;

static bool
compare_with_twin(CxId id, CxMesh *mesh, void *data, GError **error)
{
    static const CxNm offset = {1000, -500, 70};
    Twin *twin = data;
    g_autoptr(CxMesh) owned = mesh;
    g_autoptr(GArray) fast = facets_of_mesh(mesh, offset);
    g_autoptr(GArray) slow = facets_by_force(twin->chunk, id);
    g_autoptr(CxMesh) single = cx_mesh_builder_run(
        twin->builder, id, cx_chunk_box(twin->chunk), NULL, error);
    g_autoptr(GArray) one = NULL;

    g_assert_nonnull(single);
    one = facets_of_mesh(single, offset);
    g_assert_cmpuint(id, >, twin->last);
    twin->last = id;
    twin->n_labels++;
    g_assert_cmpuint(cx_mesh_n_open_edges(mesh), ==, 0);
    g_assert_cmpmem(fast->data, fast->len * sizeof(Facet), slow->data,
                    slow->len * sizeof(Facet));
    g_assert_cmpmem(fast->data, fast->len * sizeof(Facet), one->data,
                    one->len * sizeof(Facet));
    return true;
}

static void
check_twin(CxChunk *chunk, size_t n_labels, int64_t side)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, isotropic, (CxNm){1000, -500, 70}, true);
    CxMeshOptions options = raw_options();

    options.chunk = (CxVoxel){side, side + 3, side + 1};
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(volume, &options);
    Twin twin = {chunk, builder, 0, 0};

    cx_mesh_builder_all(builder, compare_with_twin, &twin, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(twin.n_labels, ==, n_labels);
}

static void
test_one_pass_equals_label_by_label(void)
{
    CxRng rng = cx_test_rng();

    for (int round = 0; round < 6; round++) {
        CxVoxel size = {(int64_t)(5 + cx_rng_below(&rng, 20)),
                        (int64_t)(5 + cx_rng_below(&rng, 20)),
                        (int64_t)(5 + cx_rng_below(&rng, 20))};
        unsigned n_labels = 1 + (unsigned)cx_rng_below(&rng, 5);
        g_autoptr(CxChunk) chunk = noise_labels(&rng, size, n_labels);

        check_twin(chunk, n_labels, 8 + (int64_t)cx_rng_below(&rng, 9));
    }
}

/* The same surface, vertex by vertex, however the volume is cut; smoothing
 * included. */
static void
test_chunks_do_not_show(void)
{
    CxRng rng = cx_test_rng();
    g_autoptr(CxChunk) chunk = blob_labels(&rng, (CxVoxel){50, 44, 37}, 12);
    CxMeshOptions whole = raw_options(), cut = raw_options();

    whole.smooth = cut.smooth = 2;
    whole.chunk = (CxVoxel){64, 64, 64};
    cut.chunk = (CxVoxel){11, 13, 9};
    for (CxId id = BIG + 1; id < BIG + 12; id++) {
        g_autoptr(CxMesh) a = NULL, b = NULL;

        if ((id - BIG) % 5 == 0)
            continue;
        a = mesh_of(chunk, id, isotropic, &whole);
        b = mesh_of(chunk, id, isotropic, &cut);
        g_assert_cmpuint(a->n_vertices, ==, b->n_vertices);
        g_assert_cmpuint(a->n_triangles, ==, b->n_triangles);
        g_assert_cmpuint(cx_mesh_n_open_edges(b), ==, 0);
        assert_near(cx_mesh_volume_nm3(b), cx_mesh_volume_nm3(a), 1e-5);
        assert_near(cx_mesh_area_nm2(b), cx_mesh_area_nm2(a), 1e-5);
    }
}

static bool
check_closed(CxId id, CxMesh *mesh, void *data, GError **error)
{
    g_autoptr(CxMesh) owned = mesh;
    size_t *counts = data;
    size_t n_open = cx_mesh_n_open_edges(mesh);

    counts[0]++;
    counts[1] += mesh->n_triangles;
    counts[2] += n_open > 0;
    if (n_open > 0)
        g_test_message("label %" G_GUINT64_FORMAT ": %zu open edges", id,
                       n_open);
    return true;
}

static void
test_simplified_blobs_are_closed(void)
{
    g_autoptr(GError) error = NULL;
    CxRng rng = cx_test_rng();
    g_autoptr(CxChunk) chunk = blob_labels(&rng, (CxVoxel){70, 66, 61}, 25);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, isotropic, (CxNm){0}, true);
    CxMeshOptions options = cx_mesh_defaults();
    size_t counts[3] = {0};

    options.chunk = (CxVoxel){24, 24, 24};
    options.n_threads = 2;
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(volume, &options);
    cx_mesh_builder_all(builder, check_closed, counts, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(counts[0], >=, 15);
    g_assert_cmpuint(counts[2], ==, 0);
}

static void
test_real_labels_are_closed(void)
{
    g_autofree char *path = cx_test_data_path("labels-pinky40/labels.h5");
    g_autoptr(GError) error = NULL;
    g_autoptr(CxVolume) file = NULL, part = NULL;
    g_autoptr(CxChunk) labels = NULL;
    CxMeshOptions options = cx_mesh_defaults();
    size_t counts[3] = {0};

    if (path == NULL)
        return;
    file = cx_volume_open(path, NULL, &error);
    g_assert_no_error(error);
    CxBox box = cx_box_intersect(
        cx_volume_bounds(file, 0),
        cx_box((CxVoxel){100, 100, 20}, (CxVoxel){292, 260, 116}));
    labels = cx_volume_read_labels(file, 0, box, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(CxChunk) moved = new_labels(cx_box_size(box));
    memcpy(cx_chunk_data_mut(moved), cx_chunk_data(labels),
           cx_chunk_size_bytes(labels));
    part = cx_volume_from_chunk(moved, cx_volume_level(file, 0).voxel_nm,
                                (CxNm){0}, true);
    options.n_threads = 2;
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(part, &options);
    int64_t start = g_get_monotonic_time();
    cx_mesh_builder_all(builder, check_closed, counts, NULL, &error);
    g_assert_no_error(error);
    g_test_message("%zu labels, %zu triangles, %.3f s", counts[0], counts[1],
                   (double)(g_get_monotonic_time() - start) / 1e6);
    g_assert_cmpuint(counts[0], >, 20);
    g_assert_cmpuint(counts[2], ==, 0);
}

/* Another label under the builder: seen only after it was told. */
static void
test_invalidate_sees_new_labels(void)
{
    g_autoptr(CxChunk) chunk = new_labels((CxVoxel){40, 20, 20});
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, isotropic, (CxNm){0}, true);
    CxMeshOptions options = raw_options();
    CxId *data = cx_chunk_data_mut(chunk);
    g_autoptr(GError) error = NULL;

    options.chunk = (CxVoxel){16, 16, 16};
    options.smooth = 1;
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(volume, &options);
    CxBox all = cx_volume_bounds(volume, 0);
    data[10 + 40 * 10 + 800 * 10] = 5;
    g_autoptr(CxMesh) before = cx_mesh_builder_run(builder, 5, all, NULL, NULL);
    g_assert_nonnull(before);
    data[11 + 40 * 10 + 800 * 10] = 5;
    data[30 + 40 * 10 + 800 * 10] = 6;
    g_autoptr(CxMesh) cached = cx_mesh_builder_run(builder, 5, all, NULL, NULL);
    g_assert_cmpuint(cached->n_triangles, ==, before->n_triangles);
    g_assert_null(cx_mesh_builder_run(builder, 6, all, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "label 6", NULL);
    cx_mesh_builder_invalidate(
        builder, cx_box((CxVoxel){11, 10, 10}, (CxVoxel){31, 11, 11}));
    g_autoptr(CxMesh) after = cx_mesh_builder_run(builder, 5, all, NULL, NULL);
    g_assert_cmpuint(after->n_triangles, >, before->n_triangles);
    g_autoptr(CxMesh) new = cx_mesh_builder_run(builder, 6, all, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(new->n_triangles, ==, 8);
}

static void
test_errors_name_what_is_wrong(void)
{
    g_autoptr(CxChunk) chunk = paint((CxVoxel){20, 20, 20}, 3, in_corner);
    g_autoptr(CxVolume) volume =
        cx_volume_from_chunk(chunk, isotropic, (CxNm){0}, true);
    CxMeshOptions options = cx_mesh_defaults();
    g_autoptr(CxMeshBuilder) builder = cx_mesh_builder_new(volume, &options);
    CxBox all = cx_volume_bounds(volume, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(CxJob) job = cx_job_new("Mesh");

    g_assert_null(cx_mesh_builder_run(builder, BIG, all, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "9007199254740993", NULL);
    g_assert_null(cx_mesh_builder_run(builder, 0, all, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_NOT_FOUND, "label 0", NULL);
    cx_job_cancel(job);
    g_assert_null(cx_mesh_builder_run(builder, 3, all, job, &error));
    g_assert_true(cx_error_is_cancelled(error));
    g_clear_error(&error);
    options.level = 2;
    g_autoptr(CxMeshBuilder) deep = cx_mesh_builder_new(volume, &options);
    g_assert_null(cx_mesh_builder_run(deep, 3, all, NULL, &error));
    cx_test_expect_error(&error, CX_ERROR_INVALID, "level 2", "1 level", NULL);
}

/* Two halves of a ball, made apart, with origins far from each other. */
static void
test_join_welds_equal_positions(void)
{
    g_autoptr(CxChunk) chunk = paint((CxVoxel){80, 82, 79}, 3, in_ball);
    CxMeshOptions options = raw_options();
    g_autoptr(CxMesh) mesh = mesh_of(chunk, 3, isotropic, &options);
    CxMesh *halves[2] = {NULL};
    g_autoptr(CxMesh) joined = NULL;

    for (int half = 0; half < 2; half++) {
        CxMesh *part = cx_mesh_new(mesh->n_vertices, mesh->n_triangles);
        double shift = half == 0 ? 0 : 12345.678;

        for (size_t i = 0; i < 3 * (size_t)mesh->n_vertices; i++)
            part->positions[i] = (float)(mesh->positions[i] - shift);
        part->origin_nm =
            (CxNm){mesh->origin_nm.x + shift, mesh->origin_nm.y + shift,
                   mesh->origin_nm.z + shift};
        part->n_triangles = 0;
        for (size_t t = 0; t < mesh->n_triangles; t++) {
            const uint32_t *v = mesh->indices + 3 * t;

            if ((mesh->positions[3 * (size_t)v[0]] < 0) == (half == 0))
                memcpy(part->indices + 3 * (size_t)part->n_triangles++, v,
                       3 * sizeof *v);
        }
        halves[half] = part;
    }
    g_assert_cmpuint(cx_mesh_n_open_edges(halves[0]), >, 0);
    joined = cx_mesh_join(halves, 2);
    g_assert_cmpuint(joined->n_triangles, ==, mesh->n_triangles);
    g_assert_cmpuint(cx_mesh_n_open_edges(joined), ==, 0);
    assert_near(cx_mesh_volume_nm3(joined), cx_mesh_volume_nm3(mesh), 1e-5);
    cx_mesh_free(halves[0]);
    cx_mesh_free(halves[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mesh/ball", test_ball);
    g_test_add_func("/mesh/torus", test_torus);
    g_test_add_func("/mesh/volume-border",
                    test_surface_closes_at_volume_border);
    g_test_add_func("/mesh/global-nm", test_positions_are_global_nm);
    g_test_add_func("/mesh/one-pass", test_one_pass_equals_label_by_label);
    g_test_add_func("/mesh/chunks", test_chunks_do_not_show);
    g_test_add_func("/mesh/simplified", test_simplified_blobs_are_closed);
    g_test_add_func("/mesh/real-labels", test_real_labels_are_closed);
    g_test_add_func("/mesh/invalidate", test_invalidate_sees_new_labels);
    g_test_add_func("/mesh/errors", test_errors_name_what_is_wrong);
    g_test_add_func("/mesh/join", test_join_welds_equal_positions);
    return g_test_run();
}
