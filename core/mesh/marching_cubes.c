/* Marching cubes over labels; see marching_cubes.h.
 *
 * Vertices are found again through two slots per grid edge (one for the label
 * at each end) of the two planes that the current layer of cells touches.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/mesh/marching_cubes.h"

#include "core/mesh/marching_cubes_table.h"

#include <string.h>

#define NO_VERTEX UINT32_MAX

/* Vertex numbers on the edges of one plane of voxels, or of one layer of
 * cells: two per edge. */
typedef uint32_t Slots[2];

typedef struct {
    const uint32_t *labels;
    CxVoxel size;
    CxBox inner;
    CxCubes *cubes;
    Slots *along_x[2], *along_y[2]; /* of the layer's lower and upper plane */
    Slots *along_z;
    uint8_t *is_mixed; /* cells of one row */
} Pass;

CxCubes *
cx_cubes_new(void)
{
    CxCubes *cubes = g_new0(CxCubes, 1);

    cubes->vertices = g_array_new(FALSE, FALSE, sizeof(CxCubesVertex));
    cubes->triangles = g_array_new(FALSE, FALSE, sizeof(CxCubesTriangle));
    cubes->inner = g_array_new(FALSE, FALSE, sizeof(uint8_t));
    return cubes;
}

void
cx_cubes_free(CxCubes *cubes)
{
    if (cubes == NULL)
        return;
    g_array_unref(cubes->vertices);
    g_array_unref(cubes->triangles);
    g_array_unref(cubes->inner);
    g_free(cubes);
}

/* Cells of the row y of layer z whose corners are not all one label. */
static void
find_mixed(const Pass *pass, int64_t y, int64_t z)
{
    int64_t nx = pass->size.x, plane = nx * pass->size.y;
    const uint32_t *a = pass->labels + z * plane + y * nx;
    const uint32_t *b = a + nx, *c = a + plane, *d = c + nx;
    uint8_t *mixed = pass->is_mixed;

    for (int64_t x = 0; x + 1 < nx; x++) {
        uint32_t here = (a[x] ^ b[x]) | (a[x] ^ c[x]) | (a[x] ^ d[x]);
        uint32_t next = (a[x + 1] ^ b[x + 1]) | (a[x + 1] ^ c[x + 1]) |
                        (a[x + 1] ^ d[x + 1]);

        mixed[x] = (here | next | (a[x] ^ a[x + 1])) != 0;
    }
}

/* Place of the vertex of a label on an edge of the cell x, y, z. */
static uint32_t *
edge_slot(const Pass *pass, int64_t x, int64_t y, int edge, int end)
{
    int k = edge & 3;
    int64_t nx = pass->size.x;

    if (edge < 4)
        return &pass->along_x[k >> 1][(y + (k & 1)) * nx + x][end];
    if (edge < 8)
        return &pass->along_y[k >> 1][y * nx + x + (k & 1)][end];
    return &pass->along_z[(y + (k >> 1)) * nx + x + (k & 1)][end];
}

static uint32_t
get_vertex(const Pass *pass, int64_t x, int64_t y, int64_t z, unsigned mask,
           uint32_t label, int edge)
{
    /* Lower corner of each edge: 0, 2, 4, 6 / 0, 1, 4, 5 / 0, 1, 2, 3. */
    static const uint8_t lower[12] = {0, 2, 4, 6, 0, 1, 4, 5, 0, 1, 2, 3};
    int corner = lower[edge], direction = edge >> 2;
    int end = (mask >> corner & 1) ? 0 : 1;
    uint32_t *slot = edge_slot(pass, x, y, edge, end);

    if (*slot == NO_VERTEX) {
        CxCubesVertex vertex = {
            {(uint16_t)(2 * (x + (corner & 1)) + (direction == 0)),
             (uint16_t)(2 * (y + (corner >> 1 & 1)) + (direction == 1)),
             (uint16_t)(2 * (z + (corner >> 2)) + (direction == 2))},
            label};

        *slot = pass->cubes->vertices->len;
        g_array_append_val(pass->cubes->vertices, vertex);
    }
    return *slot;
}

static void
add_label(const Pass *pass, int64_t x, int64_t y, int64_t z, unsigned mask,
          uint32_t label)
{
    const int8_t *row = cx_marching_cubes_table[mask];
    uint8_t is_inner = cx_box_contains(pass->inner, (CxVoxel){x, y, z});

    for (; *row >= 0; row += 3) {
        CxCubesTriangle triangle = {
            {get_vertex(pass, x, y, z, mask, label, row[0]),
             get_vertex(pass, x, y, z, mask, label, row[1]),
             get_vertex(pass, x, y, z, mask, label, row[2])}};

        g_array_append_val(pass->cubes->triangles, triangle);
        g_array_append_val(pass->cubes->inner, is_inner);
    }
}

/* Every label among the corners of a mixed cell. */
static void
add_cell(const Pass *pass, int64_t x, int64_t y, int64_t z)
{
    int64_t nx = pass->size.x, plane = nx * pass->size.y;
    const uint32_t *at = pass->labels + z * plane + y * nx + x;
    const uint32_t corner[8] = {
        at[0],     at[1],         at[nx],         at[nx + 1],
        at[plane], at[plane + 1], at[plane + nx], at[plane + nx + 1]};
    unsigned done = 0;

    for (int c = 0; c < 8; c++) {
        unsigned mask = 0;

        if (corner[c] == 0 || (done >> c & 1))
            continue;
        for (int k = 0; k < 8; k++)
            mask |= (unsigned)(corner[k] == corner[c]) << k;
        done |= mask;
        add_label(pass, x, y, z, mask, corner[c]);
    }
}

static void
clear_slots(Slots *slots, CxVoxel size)
{
    memset(slots, 0xff, (size_t)(size.x * size.y) * sizeof *slots);
}

static void
next_layer(Pass *pass)
{
    Slots *x = pass->along_x[0], *y = pass->along_y[0];

    pass->along_x[0] = pass->along_x[1];
    pass->along_x[1] = x;
    pass->along_y[0] = pass->along_y[1];
    pass->along_y[1] = y;
    clear_slots(x, pass->size);
    clear_slots(y, pass->size);
    clear_slots(pass->along_z, pass->size);
}

static void
add_layer(const Pass *pass, int64_t z)
{
    for (int64_t y = 0; y + 1 < pass->size.y; y++) {
        const uint8_t *mixed = pass->is_mixed;
        int64_t n = pass->size.x - 1;

        find_mixed(pass, y, z);
        for (int64_t x = 0; x < n; x++) {
            uint64_t eight;

            if (x + 8 <= n) {
                memcpy(&eight, mixed + x, sizeof eight);
                if (eight == 0) {
                    x += 7;
                    continue;
                }
            }
            if (mixed[x])
                add_cell(pass, x, y, z);
        }
    }
}

void
cx_marching_cubes(const uint32_t *labels, CxVoxel size, CxBox inner,
                  CxCubes *cubes)
{
    size_t plane = (size_t)(size.x * size.y);
    g_autofree Slots *slots = g_new(Slots, 5 * plane);
    g_autofree uint8_t *mixed = g_new(uint8_t, size.x);
    Pass pass = {
        .labels = labels,
        .size = size,
        .inner = inner,
        .cubes = cubes,
        .along_x = {slots, slots + plane},
        .along_y = {slots + 2 * plane, slots + 3 * plane},
        .along_z = slots + 4 * plane,
        .is_mixed = mixed,
    };

    memset(slots, 0xff, 5 * plane * sizeof *slots);
    for (int64_t z = 0; z + 1 < size.z; z++) {
        if (z > 0)
            next_layer(&pass);
        add_layer(&pass, z);
    }
}
