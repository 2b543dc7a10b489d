/* Cameras, matrices, colours, scale bars: no GL.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/camera.h"
#include "app/render/colour.h"
#include "app/render/overlay_renderer.h"
#include "tests/support/check.h"

#include <math.h>
#include <stdlib.h>

#define NEAR(a, b, eps) g_assert_cmpfloat_with_epsilon(a, b, eps)

static double
between(CxRng *rng, double lo, double hi)
{
    return lo + (hi - lo) * cx_rng_uniform(rng);
}

static CxNm
random_nm(CxRng *rng)
{
    return (CxNm){between(rng, -5e5, 5e5), between(rng, -5e5, 5e5),
                  between(rng, -5e5, 5e5)};
}

static CxglSliceCamera
random_slice(CxRng *rng)
{
    return (CxglSliceCamera){
        .axis = (CxglAxis)cx_rng_below(rng, 3),
        .centre = random_nm(rng),
        .nm_per_px = exp(between(rng, -3, 6)),
        .width = 1 + (int)cx_rng_below(rng, 2000),
        .height = 1 + (int)cx_rng_below(rng, 2000),
    };
}

static CxglOrbitCamera
random_orbit(CxRng *rng)
{
    CxglOrbitCamera camera = cxgl_orbit_camera_defaults();

    cxgl_orbit_camera_set_focus(&camera, random_nm(rng));
    camera.rotation =
        cxgl_quat_from_axis(cx_rng_normal(rng), cx_rng_normal(rng),
                            cx_rng_normal(rng), between(rng, 0, 6));
    camera.nm_per_px = exp(between(rng, -1, 4));
    camera.perspective = cx_rng_below(rng, 3) == 0 ? 0 : between(rng, 0.1, 1);
    camera.width = 100 + (int)cx_rng_below(rng, 1500);
    camera.height = 100 + (int)cx_rng_below(rng, 1500);
    return camera;
}

static void
test_slice_pixels_and_positions(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 500; i++) {
        CxglSliceCamera camera = random_slice(&rng);
        double px = between(&rng, 0, camera.width), x, y;
        double py = between(&rng, 0, camera.height);
        CxNm held = cxgl_slice_camera_nm_at(&camera, px, py);
        double eps = 1e-9 * 5e5 / camera.nm_per_px + 1e-9;

        cxgl_slice_camera_px_of(&camera, held, &x, &y);
        NEAR(x, px, eps);
        NEAR(y, py, eps);
        cxgl_slice_camera_zoom_at(&camera, exp(between(&rng, -1, 1)), px, py);
        cxgl_slice_camera_px_of(&camera, held, &x, &y);
        NEAR(x, px, 10 * eps);
        NEAR(y, py, 10 * eps);
        cxgl_slice_camera_pan(&camera, 12, -7);
        cxgl_slice_camera_px_of(&camera, held, &x, &y);
        NEAR(x, px + 12, 10 * eps);
        NEAR(y, py - 7, 10 * eps);
    }
}

static void
test_slice_axes(void)
{
    CxglSliceCamera camera = {CXGL_AXIS_XZ, {10, 20, 30}, 2, 100, 50};
    CxNm nm = cxgl_slice_camera_nm_at(&camera, 51, 27);

    NEAR(nm.x, 12, 1e-12);
    NEAR(nm.y, 20, 1e-12);
    NEAR(nm.z, 34, 1e-12);
    camera.axis = CXGL_AXIS_YZ;
    nm = cxgl_slice_camera_nm_at(&camera, 51, 27);
    NEAR(nm.x, 10, 1e-12);
    NEAR(nm.y, 22, 1e-12);
    NEAR(nm.z, 34, 1e-12);
}

static void
test_slice_fit_shows_all(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 100; i++) {
        CxglSliceCamera camera = random_slice(&rng);
        CxNm lo = random_nm(&rng), hi = lo, from, to;

        hi.x += between(&rng, 10, 1e5);
        hi.y += between(&rng, 10, 1e5);
        hi.z += between(&rng, 10, 1e5);
        cxgl_slice_camera_fit(&camera, lo, hi, 0.02);
        cxgl_slice_camera_bounds(&camera, &from, &to);
        for (unsigned c = 0; c < 3; c++) {
            double depth = cxgl_nm_get(camera.centre, c);

            if (c == cxgl_axis_depth(camera.axis)) {
                g_assert_cmpfloat(depth, >=, cxgl_nm_get(lo, c));
                g_assert_cmpfloat(depth, <, cxgl_nm_get(hi, c));
                continue;
            }
            g_assert_cmpfloat(cxgl_nm_get(from, c), <=, cxgl_nm_get(lo, c));
            g_assert_cmpfloat(cxgl_nm_get(to, c), >=, cxgl_nm_get(hi, c));
        }
    }
}

/* Pixel of a position through the matrices that GL gets. */
static void
px_by_matrices(const CxglOrbitCamera *camera, CxNm nm, double *px, double *py)
{
    CxglMat4 view = cxgl_orbit_camera_view(camera);
    CxglMat4 projection = cxgl_orbit_camera_projection(camera, 1e6);
    CxglMat4 clip = cxgl_mat4_multiply(&projection, &view);
    double at[4] = {nm.x - camera->focus.x, nm.y - camera->focus.y,
                    nm.z - camera->focus.z, 1};

    cxgl_mat4_apply(&clip, at, at);
    *px = (at[0] / at[3] + 1) / 2 * camera->width;
    *py = (1 - at[1] / at[3]) / 2 * camera->height;
}

static void
test_orbit_pixels_and_positions(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 500; i++) {
        CxglOrbitCamera camera = random_orbit(&rng);
        double px = between(&rng, 0, camera.width), x, y, mx, my;
        double py = between(&rng, 0, camera.height);
        CxNm held = cxgl_orbit_camera_nm_at(&camera, px, py);

        g_assert_true(cxgl_orbit_camera_px_of(&camera, held, &x, &y));
        NEAR(x, px, 1e-5);
        NEAR(y, py, 1e-5);
        px_by_matrices(&camera, held, &mx, &my);
        NEAR(mx, px, 0.01);
        NEAR(my, py, 0.01);
        cxgl_orbit_camera_zoom_at(&camera, exp(between(&rng, -1, 1)), px, py);
        cxgl_orbit_camera_px_of(&camera, held, &x, &y);
        NEAR(x, px, 1e-4);
        NEAR(y, py, 1e-4);
        cxgl_orbit_camera_pan(&camera, 30, 11);
        cxgl_orbit_camera_px_of(&camera, held, &x, &y);
        NEAR(x, px + 30, 1e-3);
        NEAR(y, py + 11, 1e-3);
    }
}

static void
test_orbit_keeps_its_pivot(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 200; i++) {
        CxglOrbitCamera camera = random_orbit(&rng);
        double px, py, x, y;

        camera.pivot = cxgl_orbit_camera_nm_at(&camera, 40, 77);
        cxgl_orbit_camera_px_of(&camera, camera.pivot, &px, &py);
        cxgl_orbit_camera_orbit(&camera, between(&rng, -200, 200),
                                between(&rng, -200, 200));
        cxgl_orbit_camera_roll(&camera, between(&rng, -3, 3));
        cxgl_orbit_camera_px_of(&camera, camera.pivot, &x, &y);
        NEAR(x, px, 1e-3);
        NEAR(y, py, 1e-3);
    }
}

/* A drag to the right moves the near side to the right. */
static void
test_orbit_follows_the_drag(void)
{
    CxglOrbitCamera camera = cxgl_orbit_camera_defaults();
    CxNm near_point = {0, 0, -100}; /* towards the eye */
    double x, y;

    camera.width = camera.height = 400;
    camera.perspective = 0;
    camera.nm_per_px = 1;
    cxgl_orbit_camera_orbit(&camera, 20, 0);
    cxgl_orbit_camera_px_of(&camera, near_point, &x, &y);
    g_assert_cmpfloat(x, >, 205);
    NEAR(y, 200, 1e-6);
    camera.rotation = cxgl_quat_identity();
    cxgl_orbit_camera_orbit(&camera, 0, 20);
    cxgl_orbit_camera_px_of(&camera, near_point, &x, &y);
    g_assert_cmpfloat(y, >, 205);
}

/* Looking along an axis shows what the slice pane shows. */
static void
test_orbit_agrees_with_panes(void)
{
    CxRng rng = cx_test_rng();

    for (int axis = 0; axis < 3; axis++) {
        CxglOrbitCamera orbit = random_orbit(&rng);
        CxglSliceCamera slice = {(CxglAxis)axis, orbit.focus, orbit.nm_per_px,
                                 orbit.width, orbit.height};

        cxgl_orbit_camera_look_along(&orbit, (CxglAxis)axis);
        for (int i = 0; i < 20; i++) {
            CxNm nm =
                cxgl_slice_camera_nm_at(&slice, between(&rng, 0, slice.width),
                                        between(&rng, 0, slice.height));
            double sx, sy, ox, oy;

            cxgl_slice_camera_px_of(&slice, nm, &sx, &sy);
            cxgl_orbit_camera_px_of(&orbit, nm, &ox, &oy);
            NEAR(ox, sx, 1e-4);
            NEAR(oy, sy, 1e-4);
        }
    }
}

static void
test_orbit_fit_shows_all(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 200; i++) {
        CxglOrbitCamera camera = random_orbit(&rng);
        CxNm lo = random_nm(&rng), hi = lo;
        double least = INFINITY;

        hi.x += between(&rng, 10, 1e5);
        hi.y += between(&rng, 10, 1e5);
        hi.z += between(&rng, 10, 1e5);
        cxgl_orbit_camera_fit(&camera, lo, hi, 0);
        for (int corner = 0; corner < 8; corner++) {
            CxNm nm = {corner & 1 ? hi.x : lo.x, corner & 2 ? hi.y : lo.y,
                       corner & 4 ? hi.z : lo.z};
            double x, y;

            g_assert_true(cxgl_orbit_camera_px_of(&camera, nm, &x, &y));
            least = fmin(least, fmin(x, camera.width - x));
            least = fmin(least, fmin(y, camera.height - y));
        }
        NEAR(least, 0, 1e-3); /* touches a side, no more */
    }
}

static void
test_matrices(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 100; i++) {
        CxglMat4 a, back, one;

        for (int k = 0; k < 16; k++)
            a.m[k] = (float)cx_rng_normal(&rng);
        if (!cxgl_mat4_invert(&a, &back))
            continue;
        one = cxgl_mat4_multiply(&a, &back);
        for (int k = 0; k < 16; k++)
            NEAR((double)one.m[k], k % 5 == 0, 0.02);
    }
    CxglMat4 singular = cxgl_mat4_scaling(1, 0, 1), out;
    g_assert_false(cxgl_mat4_invert(&singular, &out));
}

static void
test_glide_ends_where_it_should(void)
{
    CxRng rng = cx_test_rng();
    CxglOrbitCamera a = random_orbit(&rng), b = random_orbit(&rng), out;

    out = cxgl_orbit_camera_mix(&a, &b, 0);
    NEAR(out.focus.x, a.focus.x, 1e-6);
    NEAR(out.nm_per_px, a.nm_per_px, 1e-6);
    out = cxgl_orbit_camera_mix(&a, &b, 1);
    NEAR(out.focus.z, b.focus.z, 1e-6);
    NEAR(out.nm_per_px, b.nm_per_px, 1e-6);
    NEAR(fabs(out.rotation.x * b.rotation.x + out.rotation.y * b.rotation.y +
              out.rotation.z * b.rotation.z + out.rotation.w * b.rotation.w),
         1, 1e-6);
}

/* sRGB to the lightness of OKLab. */
static double
lightness_of(CxglColour colour)
{
    const uint8_t bytes[3] = {colour.r, colour.g, colour.b};
    double linear[3], l, m, s;

    for (int i = 0; i < 3; i++) {
        double c = bytes[i] / 255.0;
        linear[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
    }
    l = cbrt(0.4122214708 * linear[0] + 0.5363325363 * linear[1] +
             0.0514459929 * linear[2]);
    m = cbrt(0.2119034982 * linear[0] + 0.6806995451 * linear[1] +
             0.1073969566 * linear[2]);
    s = cbrt(0.0883024619 * linear[0] + 0.2817188376 * linear[1] +
             0.6299787005 * linear[2]);
    return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
}

static void
test_colours_are_even(void)
{
    CxRng rng = cx_test_rng();

    for (int i = 0; i < 3000; i++) {
        CxglColour colour =
            cxgl_colour_of_id(CXGL_PALETTE_EVEN, 1 + cx_rng_next(&rng));
        double lightness = lightness_of(colour);
        int most = MAX(colour.r, MAX(colour.g, colour.b));
        int least = MIN(colour.r, MIN(colour.g, colour.b));

        g_assert_cmpfloat(lightness, >, 0.64);
        g_assert_cmpfloat(lightness, <, 0.84);
        g_assert_cmpint(most - least, >, 60);
        g_assert_cmpint(colour.a, ==, 255);
    }
    NEAR(lightness_of(cxgl_colour_from_oklch(0.7, 0.1, 0.3)), 0.7, 0.01);
    NEAR(lightness_of(cxgl_colour_from_oklch(0.7, 0.4, 0.6)), 0.7, 0.01);
}

static void
test_neighbouring_ids_differ(void)
{
    for (int palette = 0; palette < 2; palette++) {
        unsigned n_close = 0;

        for (CxId id = 1; id < 1000; id++) {
            CxglColour a = cxgl_colour_of_id((CxglPalette)palette, id);
            CxglColour b = cxgl_colour_of_id((CxglPalette)palette, id + 1);
            int d = abs(a.r - b.r) + abs(a.g - b.g) + abs(a.b - b.b);

            n_close += d < 40;
        }
        g_assert_cmpuint(n_close, <, palette == 0 ? 1 : 120);
    }
}

static void
test_colour_names(void)
{
    CxglColour colour;

    g_assert_true(cxgl_colour_parse("#0a80ff", &colour));
    g_assert_cmpuint(colour.g, ==, 128);
    g_assert_cmpuint(colour.a, ==, 255);
    g_assert_true(cxgl_colour_parse("#0a80ff40", &colour));
    g_assert_cmpuint(colour.a, ==, 64);
    g_assert_false(cxgl_colour_parse("0a80ff", &colour));
    g_assert_false(cxgl_colour_parse("#0a80f", &colour));
    g_assert_false(cxgl_colour_parse("#0a80fg", &colour));
}

static void
test_scale_bars_are_round(void)
{
    CxRng rng = cx_test_rng();
    CxglScaleBar bar = cxgl_scale_bar(10, 120);

    g_assert_cmpstr(bar.text, ==, "1 µm");
    NEAR(bar.length_px, 100, 1e-9);
    bar = cxgl_scale_bar(4, 150);
    g_assert_cmpstr(bar.text, ==, "500 nm");
    bar = cxgl_scale_bar(20000, 120);
    g_assert_cmpstr(bar.text, ==, "2 mm");
    for (int i = 0; i < 200; i++) {
        double most = between(&rng, 40, 300);

        bar = cxgl_scale_bar(exp(between(&rng, -5, 12)), most);
        g_assert_cmpfloat(bar.length_px, <=, most * 1.000001);
        g_assert_cmpfloat(bar.length_px, >, most * 0.39);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/camera/slice-pixels", test_slice_pixels_and_positions);
    g_test_add_func("/camera/slice-axes", test_slice_axes);
    g_test_add_func("/camera/slice-fit", test_slice_fit_shows_all);
    g_test_add_func("/camera/orbit-pixels", test_orbit_pixels_and_positions);
    g_test_add_func("/camera/orbit-pivot", test_orbit_keeps_its_pivot);
    g_test_add_func("/camera/orbit-drag", test_orbit_follows_the_drag);
    g_test_add_func("/camera/orbit-panes", test_orbit_agrees_with_panes);
    g_test_add_func("/camera/orbit-fit", test_orbit_fit_shows_all);
    g_test_add_func("/camera/matrices", test_matrices);
    g_test_add_func("/camera/glide", test_glide_ends_where_it_should);
    g_test_add_func("/colour/even", test_colours_are_even);
    g_test_add_func("/colour/neighbours", test_neighbouring_ids_differ);
    g_test_add_func("/colour/names", test_colour_names);
    g_test_add_func("/scale-bar/round", test_scale_bars_are_round);
    return g_test_run();
}
