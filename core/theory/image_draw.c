/* Draws images with the statistics of photographs: dead leaves.
 *
 * Leaves are laid from the front to the back, each onto pixels that are still
 * free, until hardly any are.  Their radius r has density r^-3, for which the
 * picture looks the same at every scale.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/alloc.h"
#include "core/base/error.h"
#include "core/theory/fft.h"
#include "core/theory/image_set_private.h"

#include <math.h>

#define MIN_DRAWN_SIDE 64
#define MAX_DRAWN_SIDE 1024
#define FINE 2           /* pixels are drawn at twice the resolution */
#define LEAST_RADIUS 6.0 /* fine pixels */
#define FREE_SHARE 1e-3  /* of the pixels left to the background */
#define MAX_LEAVES 200000
#define LEAVES_A_STEP 256

typedef struct {
    unsigned side; /* fine */
    float *grey;
    uint8_t *taken;
    size_t n_free;
    const double *texture; /* side * side, periodic, variance 1 */
} Canvas;

typedef struct {
    double x, y, radius;
    double cos, sin, flat; /* direction and shape of an ellipse */
    bool is_box;
    double grey, slope_x, slope_y, roughness;
    unsigned shift_x, shift_y; /* of the texture */
} Leaf;

/* Noise with power 1 / f^2: normal amplitudes over f, transformed. */
static bool
draw_texture(double *texture, unsigned side, CxRng *rng, GError **error)
{
    size_t n = (size_t)side * side;
    CX_AUTOFREE double *im = cx_try_alloc(n, sizeof *im, error);
    double squares = 0.0;

    if (im == NULL)
        return false;
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            double f =
                hypot(cx_fft_frequency(x, side), cx_fft_frequency(y, side));
            double gain = f > 0.0 ? 1.0 / f : 0.0;

            texture[(size_t)y * side + x] = gain * cx_rng_normal(rng);
            im[(size_t)y * side + x] = gain * cx_rng_normal(rng);
        }
    cx_fft_2d(texture, im, side, side, true);
    for (size_t i = 0; i < n; i++)
        squares += texture[i] * texture[i];
    double scale = 1.0 / sqrt(squares / (double)n);
    for (size_t i = 0; i < n; i++)
        texture[i] *= scale;
    return true;
}

static Leaf
draw_leaf(CxRng *rng, unsigned side)
{
    double most = side / 3.0, u = cx_rng_uniform(rng);
    double angle = 2.0 * G_PI * cx_rng_uniform(rng);
    /* the inverse of the distribution of a density r^-3 */
    double a = 1.0 / (LEAST_RADIUS * LEAST_RADIUS), b = 1.0 / (most * most);
    double radius = 1.0 / sqrt(a - u * (a - b));
    Leaf leaf = {
        .x = (cx_rng_uniform(rng) * 1.4 - 0.2) * side,
        .y = (cx_rng_uniform(rng) * 1.4 - 0.2) * side,
        .radius = radius,
        .cos = cos(angle),
        .sin = sin(angle),
        .flat = 0.25 + 0.75 * cx_rng_uniform(rng),
        .is_box = cx_rng_uniform(rng) < 0.4,
        .grey = cx_rng_normal(rng),
        .roughness = 0.25 * cx_rng_uniform(rng),
        .shift_x = (unsigned)cx_rng_below(rng, side),
        .shift_y = (unsigned)cx_rng_below(rng, side),
    };

    leaf.slope_x = 0.3 * cx_rng_normal(rng) / radius;
    leaf.slope_y = 0.3 * cx_rng_normal(rng) / radius;
    return leaf;
}

static bool
covers(const Leaf *leaf, double dx, double dy)
{
    double u = dx * leaf->cos + dy * leaf->sin;
    double v = (dy * leaf->cos - dx * leaf->sin) / leaf->flat;

    return leaf->is_box ? fmax(fabs(u), fabs(v)) < 0.8 * leaf->radius
                        : u * u + v * v < leaf->radius * leaf->radius;
}

static void
paint_pixel(Canvas *canvas, const Leaf *leaf, unsigned x, unsigned y)
{
    size_t at = (size_t)y * canvas->side + x;
    double dx = x - leaf->x, dy = y - leaf->y;

    if (canvas->taken[at] || !covers(leaf, dx, dy))
        return;
    size_t tx = (x + leaf->shift_x) % canvas->side;
    size_t ty = (y + leaf->shift_y) % canvas->side;
    canvas->grey[at] =
        (float)(leaf->grey + leaf->slope_x * dx + leaf->slope_y * dy +
                leaf->roughness * canvas->texture[ty * canvas->side + tx]);
    canvas->taken[at] = 1;
    canvas->n_free--;
}

static void
paint_leaf(Canvas *canvas, const Leaf *leaf)
{
    double reach = leaf->radius * 1.2, last = canvas->side - 1.0;
    unsigned x0 = (unsigned)CLAMP(leaf->x - reach, 0.0, last);
    unsigned x1 = (unsigned)CLAMP(leaf->x + reach + 1.0, 0.0, last);
    unsigned y0 = (unsigned)CLAMP(leaf->y - reach, 0.0, last);
    unsigned y1 = (unsigned)CLAMP(leaf->y + reach + 1.0, 0.0, last);

    for (unsigned y = y0; y <= y1; y++)
        for (unsigned x = x0; x <= x1; x++)
            paint_pixel(canvas, leaf, x, y);
}

static bool
paint_leaves(Canvas *canvas, CxRng *rng, CxJob *job, GError **error)
{
    size_t n = (size_t)canvas->side * canvas->side;

    for (unsigned i = 0;
         i < MAX_LEAVES && canvas->n_free > FREE_SHARE * (double)n; i++) {
        Leaf leaf = draw_leaf(rng, canvas->side);

        paint_leaf(canvas, &leaf);
        if (i % LEAVES_A_STEP == 0 && !cx_job_check(job, error))
            return false;
    }
    return true;
}

/* Means of FINE * FINE pixels. */
static void
reduce(const Canvas *canvas, unsigned side, float *pixels)
{
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            float sum = 0.0f;

            for (unsigned k = 0; k < FINE * FINE; k++)
                sum +=
                    canvas->grey[(size_t)(y * FINE + k / FINE) * canvas->side +
                                 x * FINE + k % FINE];
            pixels[(size_t)y * side + x] = sum / (FINE * FINE);
        }
}

static bool
draw_image(CxImageSet *set, unsigned image, unsigned side, CxRng *rng,
           CxJob *job, GError **error)
{
    size_t n = (size_t)side * side * FINE * FINE;
    CX_AUTOFREE double *texture = cx_try_alloc(n, sizeof *texture, error);
    CX_AUTOFREE float *grey =
        texture != NULL ? cx_try_alloc0(n, sizeof *grey, error) : NULL;
    CX_AUTOFREE uint8_t *taken =
        grey != NULL ? cx_try_alloc0(n, 1, error) : NULL;
    Canvas canvas = {side * FINE, grey, taken, n, texture};

    if (taken == NULL || !draw_texture(texture, canvas.side, rng, error) ||
        !paint_leaves(&canvas, rng, job, error) ||
        !cx_image_set_size(set, image, side, side, error))
        return false;
    reduce(&canvas, side, set->images[image].pixels);
    return true;
}

CxImageSet *
cx_image_set_draw(unsigned n_images, unsigned side, uint64_t seed, CxJob *job,
                  GError **error)
{
    if (n_images == 0 || side < MIN_DRAWN_SIDE || side > MAX_DRAWN_SIDE ||
        cx_fft_size(side) != side) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%u images of %u pixels a side were asked for, expected "
                    "at least one and a power of two from %d to %d",
                    n_images, side, MIN_DRAWN_SIDE, MAX_DRAWN_SIDE);
        return NULL;
    }
    g_autoptr(CxImageSet) set = cx_image_set_new(n_images);
    CxRng seeds;
    cx_rng_init(&seeds, seed);
    for (unsigned i = 0; i < n_images; i++) {
        CxRng rng;

        cx_rng_init(&rng, cx_rng_next(&seeds));
        if (!draw_image(set, i, side, &rng, job, error) ||
            !cx_job_step(job, i + 1, n_images, error))
            return NULL;
    }
    return g_steal_pointer(&set);
}
