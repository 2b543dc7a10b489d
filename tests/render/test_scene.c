/* The 3-D scene: coverage, looks, picking.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/offscreen.h"
#include "app/render/picking.h"
#include "tests/render/fake.h"
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define W 240
#define H 200
#define ID (UINT64_C(0xfedcba9876543211))

typedef struct {
    CxglOffscreen *offscreen;
    CxglSceneRenderer *scene;
    CxglOrbitCamera camera;
    CxglSceneContent content;
    CxglSceneStyle style;
    CxglSceneStats stats;
    uint8_t *empty, *pixels; /* without and with what is tested */
} Fixture;

/* A ball of n × n quads. */
static CxMesh *
ball(CxNm middle, double radius, uint32_t n)
{
    CxMesh *mesh = cx_mesh_new((n + 1) * (n + 1), 2 * n * n);
    float *at = mesh->positions;
    uint32_t *index = mesh->indices;

    mesh->origin_nm = middle;
    for (uint32_t i = 0; i <= n; i++) {
        for (uint32_t k = 0; k <= n; k++) {
            double theta = G_PI * i / n, phi = 2 * G_PI * k / n;

            *at++ = (float)(radius * sin(theta) * cos(phi));
            *at++ = (float)(radius * sin(theta) * sin(phi));
            *at++ = (float)(radius * cos(theta));
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < n; k++) {
            uint32_t a = i * (n + 1) + k, b = a + n + 1;

            *index++ = a, *index++ = b, *index++ = a + 1;
            *index++ = a + 1, *index++ = b, *index++ = b + 1;
        }
    }
    cx_mesh_compute_normals(mesh);
    g_assert_cmpfloat(cx_mesh_volume_nm3(mesh), >, 0);
    return mesh;
}

static void
draw(Fixture *fixture, uint8_t **pixels)
{
    cxgl_offscreen_bind(fixture->offscreen);
    cxgl_scene_renderer_draw(fixture->scene, &fixture->camera,
                             &fixture->content, &fixture->style,
                             &fixture->stats);
    g_free(*pixels);
    *pixels = cxgl_offscreen_read(fixture->offscreen);
}

static void
set_up(Fixture *fixture, const void *data)
{
    g_autoptr(GError) error = NULL;

    fixture->offscreen = cxgl_offscreen_new(W, H, &error);
    if (fixture->offscreen == NULL) {
        g_test_skip(error->message);
        return;
    }
    g_test_message("%s", cxgl_offscreen_renderer(fixture->offscreen));
    fixture->scene = cxgl_scene_renderer_new(&error);
    g_assert_no_error(error);
    fixture->camera = cxgl_orbit_camera_defaults();
    fixture->camera.width = W;
    fixture->camera.height = H;
    fixture->camera.nm_per_px = 10;
    fixture->camera.perspective = 0;
    cxgl_orbit_camera_set_focus(&fixture->camera, (CxNm){5e5, 3e5, 1e5});
    fixture->content = (CxglSceneContent){
        .lo = {5e5 - 1000, 3e5 - 1000, 1e5 - 1000},
        .hi = {5e5 + 1000, 3e5 + 1000, 1e5 + 1000},
        .cross_hair = {5e5, 3e5, 1e5},
    };
    fixture->style = cxgl_scene_style_defaults();
    fixture->style.cross_hair = fixture->style.box = fixture->style.axes =
        false;
    fixture->style.edge_shading = 0;
    fixture->style.samples = 0;
    draw(fixture, &fixture->empty);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    if (fixture->offscreen == NULL)
        return;
    g_assert_cmpuint(cxgl_offscreen_n_errors(fixture->offscreen), ==, 0);
    cxgl_scene_renderer_free(fixture->scene);
    cxgl_offscreen_free(fixture->offscreen);
    g_free(fixture->empty);
    g_free(fixture->pixels);
}

static void
add_ball(Fixture *fixture, CxId id, CxNm middle, double radius, uint32_t n)
{
    g_autoptr(CxMesh) mesh = ball(middle, radius, n);
    g_autoptr(CxglMeshData) mesh_data = cxgl_mesh_data_new(mesh);

    cxgl_scene_renderer_set_mesh(fixture->scene, id, mesh_data);
}

static void
set_look(Fixture *fixture, CxId id, CxglMeshLook look)
{
    cxgl_scene_renderer_set_look(fixture->scene, id, &look);
}

static bool
differs(const Fixture *fixture, int x, int y)
{
    const uint8_t *a = fixture->empty + 4 * (y * W + x);
    const uint8_t *b = fixture->pixels + 4 * (y * W + x);

    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]) > 6;
}

static int
n_different(const Fixture *fixture)
{
    int n = 0;

    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            n += differs(fixture, x, y);
    return n;
}

static const CxNm middle = {5e5, 3e5, 1e5};

static void
test_ball_covers_its_disc(Fixture *fixture, const void *data)
{
    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 500, 64);
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(fixture->stats.n_triangles, ==, 2 * 64 * 64);
    g_assert_cmpfloat(fabs(n_different(fixture) / (G_PI * 50 * 50) - 1), <,
                      0.02);
    /* Light from the upper left. */
    const uint8_t *lit = fixture->pixels + 4 * ((H / 2 - 20) * W + W / 2 - 15);
    const uint8_t *dim = fixture->pixels + 4 * ((H / 2 + 30) * W + W / 2 + 25);
    g_assert_cmpint(lit[0] + lit[1] + lit[2], >, dim[0] + dim[1] + dim[2]);
    /* With everything switched on it still covers the middle. */
    fixture->style = cxgl_scene_style_defaults();
    draw(fixture, &fixture->pixels);
    g_assert_true(differs(fixture, W / 2 + 10, H / 2 + 10));
    g_assert_cmpuint(cxgl_scene_renderer_gpu_bytes(fixture->scene), >, 4096);
}

static void
test_looks(Fixture *fixture, const void *data)
{
    const int at = 4 * (H / 2 * W + W / 2);
    uint8_t *p;
    int fresh, stale, solid;

    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 500, 32);
    set_look(fixture, ID, (CxglMeshLook){.colour = {220, 40, 40, 255}});
    draw(fixture, &fixture->pixels);
    p = fixture->pixels + at;
    fresh = p[0] - p[1];
    solid = p[0];
    g_assert_cmpint(fresh, >, 80);
    set_look(fixture, ID,
             (CxglMeshLook){.colour = {220, 40, 40, 255}, .stale = true});
    draw(fixture, &fixture->pixels);
    p = fixture->pixels + at;
    stale = p[0] - p[1];
    g_assert_cmpint(stale, >, 20);
    g_assert_cmpint(stale, <, fresh * 3 / 4);
    set_look(fixture, ID, (CxglMeshLook){.colour = {220, 40, 40, 128}});
    draw(fixture, &fixture->pixels);
    p = fixture->pixels + at;
    g_assert_cmpint(p[0], <, solid);
    g_assert_cmpint(p[0], >, fixture->empty[at]);
    set_look(fixture, ID,
             (CxglMeshLook){.colour = {220, 40, 40, 255}, .hidden = true});
    draw(fixture, &fixture->pixels);
    g_assert_cmpint(n_different(fixture), ==, 0);
}

static void
test_replaced_surface_keeps_its_look(Fixture *fixture, const void *data)
{
    CxglMeshLook look = {0};
    CxNm lo, hi;

    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 500, 16);
    set_look(fixture, ID, (CxglMeshLook){.colour = {1, 2, 3, 255}});
    draw(fixture, &fixture->pixels);
    add_ball(fixture, ID, middle, 200, 16);
    draw(fixture, &fixture->pixels);
    g_assert_true(cxgl_scene_renderer_get_look(fixture->scene, ID, &look));
    g_assert_cmpuint(look.colour.b, ==, 3);
    g_assert_true(cxgl_scene_renderer_bounds(fixture->scene, &lo, &hi));
    g_assert_cmpfloat_with_epsilon(hi.z - lo.z, 400, 1);
    g_assert_cmpint(n_different(fixture), <, 20 * 20 * 4);
    g_assert_cmpuint(cxgl_scene_renderer_n_meshes(fixture->scene), ==, 1);
    cxgl_scene_renderer_remove_mesh(fixture->scene, ID);
    g_assert_false(cxgl_scene_renderer_has_mesh(fixture->scene, ID));
    g_assert_false(cxgl_scene_renderer_bounds(fixture->scene, &lo, &hi));
    draw(fixture, &fixture->pixels);
    g_assert_cmpint(n_different(fixture), ==, 0);
}

/* While moving fewer triangles, the same silhouette; zoomed in, clusters out
 * of sight are left out. */
static void
test_fewer_triangles_where_possible(Fixture *fixture, const void *data)
{
    uint32_t all = 2 * 200 * 200;

    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 500, 200);
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(fixture->stats.n_triangles, ==, all);
    fixture->style.moving = true;
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(fixture->stats.n_triangles, <, all / 3);
    g_assert_cmpfloat(fabs(n_different(fixture) / (G_PI * 50 * 50) - 1), <,
                      0.03);
    fixture->style.moving = false;
    fixture->camera.nm_per_px = 0.5;
    fixture->camera.focus.x += 400;
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(fixture->stats.n_triangles, <, all / 2);
    g_assert_cmpuint(fixture->stats.n_triangles, >, 0);
}

static CxglPick
pick(Fixture *fixture, double px, double py, int radius)
{
    return cxgl_pick_scene(fixture->scene, &fixture->camera, &fixture->content,
                           &fixture->style, px, py, radius);
}

static double
distance(CxNm a, CxNm b)
{
    return hypot(hypot(a.x - b.x, a.y - b.y), a.z - b.z);
}

static void
check_picks(Fixture *fixture, CxRng *rng)
{
    for (int i = 0; i < 40; i++) {
        double px = cx_rng_uniform(rng) * W, py = cx_rng_uniform(rng) * H;
        CxglPick found = pick(fixture, px, py, 0);
        double x, y;

        if (!found.hit)
            continue;
        g_assert_cmphex(found.id, ==, ID);
        g_assert_cmpfloat_with_epsilon(distance(found.at, middle), 500, 6);
        g_assert_true(
            cxgl_orbit_camera_px_of(&fixture->camera, found.at, &x, &y));
        g_assert_cmpfloat_with_epsilon(x, floor(px) + 0.5, 0.6);
        g_assert_cmpfloat_with_epsilon(y, floor(py) + 0.5, 0.6);
        /* The near side, not the far one. */
        CxNm beyond = {2 * middle.x - found.at.x, 2 * middle.y - found.at.y,
                       2 * middle.z - found.at.z};
        CxglMat4 view = cxgl_orbit_camera_view(&fixture->camera);
        double a[4] = {found.at.x - fixture->camera.focus.x,
                       found.at.y - fixture->camera.focus.y,
                       found.at.z - fixture->camera.focus.z, 1};
        double b[4] = {beyond.x - fixture->camera.focus.x,
                       beyond.y - fixture->camera.focus.y,
                       beyond.z - fixture->camera.focus.z, 1};
        cxgl_mat4_apply(&view, a, a);
        cxgl_mat4_apply(&view, b, b);
        g_assert_cmpfloat(a[2], >, b[2] - 12);
    }
}

static void
test_picking_finds_id_and_place(Fixture *fixture, const void *data)
{
    CxRng rng = cx_test_rng();

    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 500, 96);
    draw(fixture, &fixture->pixels);
    for (int round = 0; round < 6; round++) {
        fixture->camera.perspective = round % 2 == 0 ? 0 : 0.8;
        cxgl_orbit_camera_orbit(&fixture->camera, cx_rng_normal(&rng) * 100,
                                cx_rng_normal(&rng) * 100);
        g_assert_true(pick(fixture, W / 2.0, H / 2.0, 0).hit);
        check_picks(fixture, &rng);
    }
    fixture->camera.perspective = 0;
    g_assert_false(pick(fixture, W / 2.0 + 53, H / 2.0, 0).hit);
    g_assert_true(pick(fixture, W / 2.0 + 53, H / 2.0, 5).hit);
    g_assert_false(pick(fixture, -50, -50, 2).hit);
    set_look(fixture, ID,
             (CxglMeshLook){.colour = {220, 40, 40, 255}, .hidden = true});
    g_assert_false(pick(fixture, W / 2.0, H / 2.0, 3).hit);
}

static void
test_picking_takes_the_nearer(Fixture *fixture, const void *data)
{
    CxNm nearer = {middle.x, middle.y, middle.z - 700};

    if (fixture->offscreen == NULL)
        return;
    add_ball(fixture, ID, middle, 300, 32);
    add_ball(fixture, 5, nearer, 100, 32);
    g_assert_cmphex(pick(fixture, W / 2.0, H / 2.0, 0).id, ==, 5);
    g_assert_cmphex(pick(fixture, W / 2.0 + 20, H / 2.0, 0).id, ==, ID);
    cxgl_orbit_camera_orbit(&fixture->camera, MIN(W, H), 0); /* half a turn */
    g_assert_cmphex(pick(fixture, W / 2.0, H / 2.0, 0).id, ==, ID);
}

static uint64_t
grey_120(CxVoxel voxel, unsigned level)
{
    return 120;
}

static void
test_planes_show_the_image(Fixture *fixture, const void *data)
{
    g_autoptr(Fake) image =
        fake_new(false, (CxVoxel){100, 100, 100}, (CxVoxel){32, 32, 32},
                 (CxNm){20, 20, 20}, fixture->content.lo, grey_120);
    CxglSliceStyle slice_style = cxgl_slice_style_defaults();
    CxglSliceLayers layers = {.image = {&image->grid, fake_source(image)}};
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(CxChunkKey));
    const uint8_t *p;
    CxglPick found;

    if (fixture->offscreen == NULL)
        return;
    fixture->content.layers = &layers;
    fixture->content.slice_style = &slice_style;
    fixture->style.planes[CXGL_AXIS_XY] = true;
    fake_set_level_missing(image, 0, true);
    draw(fixture, &fixture->pixels);
    g_assert_false(fixture->stats.planes_complete);
    cxgl_scene_renderer_wanted(fixture->scene, &fixture->content,
                               &fixture->style, &image->grid, keys);
    g_assert_cmpuint(keys->len, ==, 16);
    fake_set_level_missing(image, 0, false);
    draw(fixture, &fixture->pixels);
    g_assert_true(fixture->stats.planes_complete);
    p = fixture->pixels + 4 * ((H / 2 - 10) * W + W / 2 + 10);
    g_assert_cmpint(abs(p[0] - 120), <=, 1);
    found = pick(fixture, W / 2.0 + 30, H / 2.0 - 20, 0);
    g_assert_true(found.hit && found.plane);
    g_assert_cmphex(found.id, ==, 0);
    g_assert_cmpfloat_with_epsilon(found.at.z, middle.z, 1);
    g_assert_cmpfloat_with_epsilon(found.at.x, middle.x + 305, 6);
    /* Nothing new to draw into the texture: no look-ups. */
    image->n_lookups = 0;
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(image->n_lookups, ==, 0);
    fixture->content.cross_hair.z += 100;
    draw(fixture, &fixture->pixels);
    g_assert_cmpuint(image->n_lookups, >, 0);
}

static void
test_lines_and_points(Fixture *fixture, const void *data)
{
    CxNm ends[2] = {{middle.x - 500, middle.y, middle.z},
                    {middle.x + 500, middle.y, middle.z}};
    CxNm at = {middle.x, middle.y + 500, middle.z};
    CxglColour green = {0, 255, 0, 255};
    const uint8_t *p;

    if (fixture->offscreen == NULL)
        return;
    cxgl_scene_renderer_set_lines(fixture->scene, 9, ends, 1, green, 3);
    cxgl_scene_renderer_set_points(fixture->scene, &at, &green, 1, 6);
    draw(fixture, &fixture->pixels);
    p = fixture->pixels + 4 * (H / 2 * W + W / 2 - 30);
    g_assert_cmpint(p[1], >, 240);
    p = fixture->pixels + 4 * ((H / 2 + 50) * W + W / 2);
    g_assert_cmpint(p[1], >, 180);
    g_assert_false(differs(fixture, W / 2 + 60, H / 2));
    /* An end behind the eye does not turn the line over. */
    fixture->camera.perspective = 1;
    ends[1].z -= 1e6;
    cxgl_scene_renderer_set_lines(fixture->scene, 9, ends, 1, green, 3);
    draw(fixture, &fixture->pixels);
    cxgl_scene_renderer_set_lines(fixture->scene, 9, NULL, 0, green, 3);
    cxgl_scene_renderer_set_points(fixture->scene, NULL, NULL, 0, 6);
    fixture->camera.perspective = 0;
    draw(fixture, &fixture->pixels);
    g_assert_cmpint(n_different(fixture), ==, 0);
}

#define ADD(path, func)                                                        \
    g_test_add("/scene/" path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("ball", test_ball_covers_its_disc);
    ADD("looks", test_looks);
    ADD("replace", test_replaced_surface_keeps_its_look);
    ADD("fewer-triangles", test_fewer_triangles_where_possible);
    ADD("pick", test_picking_finds_id_and_place);
    ADD("pick-nearer", test_picking_takes_the_nearer);
    ADD("planes", test_planes_show_the_image);
    ADD("lines", test_lines_and_points);
    return g_test_run();
}
