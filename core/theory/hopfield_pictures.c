/* Small pictures for a Hopfield network: figures by formula on the square
 * [-1, 1]^2, letters from bitmaps of 8 x 8.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/theory/hopfield_pictures.h"

#include "core/base/error.h"
#include "core/volume/png_slice.h"

#include <math.h>

#define GLYPH 8

typedef struct {
    const char *name;
    bool (*ink)(double u, double v); /* or NULL: */
    uint8_t rows[GLYPH];             /* bits from the left, highest first */
} Picture;

static bool
ring(double u, double v)
{
    double r = hypot(u, v);

    return r > 0.52 && r < 0.95; /* half of the square */
}

static bool
stripes(double u, double v)
{
    return sin(2.0 * G_PI * u) > 0.0;
}

static bool
chequers(double u, double v)
{
    return sin(2.0 * G_PI * (u + 0.25)) * sin(2.0 * G_PI * (v + 0.25)) > 0.0;
}

static bool
rays(double u, double v)
{
    return sin(5.0 * atan2(v, u)) > 0.0;
}

static bool
spiral(double u, double v)
{
    return sin(9.0 * hypot(u, v) - 2.0 * atan2(v, u)) > 0.0;
}

static bool
slope(double u, double v)
{
    return sin(1.5 * G_PI * (u + v) + 0.4) > 0.0;
}

static const Picture pictures[] = {
    {"ring", ring, {0}},
    {"stripes", stripes, {0}},
    {"rays", rays, {0}},
    {"spiral", spiral, {0}},
    {"chequers", chequers, {0}},
    {"slope", slope, {0}},
    {"letter A", NULL, {0x3c, 0x7e, 0xe7, 0xc3, 0xff, 0xff, 0xc3, 0xc3}},
    {"letter T", NULL, {0xff, 0xff, 0xff, 0x18, 0x18, 0x18, 0x3c, 0x3c}},
    {"letter N", NULL, {0xe3, 0xf3, 0xf3, 0xfb, 0xdf, 0xcf, 0xcf, 0xc7}},
    {"letter L", NULL, {0xe0, 0xe0, 0xe0, 0xe0, 0xe0, 0xff, 0xff, 0xff}},
    {"letter X", NULL, {0xc3, 0xe7, 0x7e, 0x3c, 0x3c, 0x7e, 0xe7, 0xc3}},
    {"letter U", NULL, {0xe7, 0xe7, 0xe7, 0xe7, 0xe7, 0xe7, 0xff, 0x7e}},
};

unsigned
cx_picture_n_builtin(void)
{
    return G_N_ELEMENTS(pictures);
}

const char *
cx_picture_name(unsigned i)
{
    g_assert(i < G_N_ELEMENTS(pictures));
    return pictures[i].name;
}

void
cx_picture_draw(unsigned i, unsigned side, int8_t *picture)
{
    const Picture *from = &pictures[i];

    g_assert(i < G_N_ELEMENTS(pictures));
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++) {
            double u = (2.0 * x + 1.0) / side - 1.0;
            double v = (2.0 * y + 1.0) / side - 1.0;
            bool ink = from->ink != NULL ? from->ink(u, v)
                                         : (from->rows[y * GLYPH / side] >>
                                                (GLYPH - 1 - x * GLYPH / side) &
                                            1) != 0;

            picture[y * side + x] = ink ? 1 : -1;
        }
}

/* Mean of what lies in cell x, y of the middle square. */
static double
cell_mean(CxChunk *chunk, int64_t square, CxVoxel corner, unsigned side,
          unsigned x, unsigned y)
{
    CxVoxel size = cx_box_size(cx_chunk_box(chunk));
    int64_t x0 = corner.x + square * x / side;
    int64_t x1 = corner.x + square * (x + 1) / side;
    int64_t y0 = corner.y + square * y / side;
    int64_t y1 = corner.y + square * (y + 1) / side;
    bool wide = cx_chunk_dtype(chunk) == CX_DTYPE_U16;
    double sum = 0.0;

    x1 = MAX(x1, x0 + 1);
    y1 = MAX(y1, y0 + 1);
    for (int64_t b = y0; b < y1; b++)
        for (int64_t a = x0; a < x1; a++) {
            int64_t at = b * size.x + a;

            sum += wide ? ((const uint16_t *)cx_chunk_data(chunk))[at]
                        : ((const uint8_t *)cx_chunk_data(chunk))[at];
        }
    return sum / (double)((x1 - x0) * (y1 - y0));
}

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

bool
cx_picture_load(const char *path, unsigned side, int8_t *picture,
                GError **error)
{
    size_t n = (size_t)side * side;
    g_autofree double *means = g_new(double, 2 * n);
    g_autoptr(CxChunk) chunk = cx_png_read(path, 0, false, error);

    if (chunk == NULL)
        return false;
    CxVoxel size = cx_box_size(cx_chunk_box(chunk));
    int64_t square = MIN(size.x, size.y);
    CxVoxel corner = {(size.x - square) / 2, (size.y - square) / 2, 0};
    for (unsigned y = 0; y < side; y++)
        for (unsigned x = 0; x < side; x++)
            means[y * side + x] = means[n + y * side + x] =
                cell_mean(chunk, square, corner, side, x, y);
    qsort(means + n, n, sizeof *means, compare_doubles);
    double middle = means[n + n / 2];
    if (means[n] == means[2 * n - 1]) {
        g_set_error(error, CX_ERROR, CX_ERROR_INVALID,
                    "%s has the same brightness everywhere, expected a "
                    "picture",
                    path);
        return false;
    }
    if (middle == means[n]) /* more than half is black: that is the ink */
        middle = nextafter(middle, HUGE_VAL);
    for (size_t i = 0; i < n; i++)
        picture[i] = means[i] < middle ? 1 : -1;
    return true;
}
