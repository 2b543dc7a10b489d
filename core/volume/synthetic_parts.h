/* The stages behind synthetic.h, in their order: smooth noise, centre lines,
 * cells, organelles, picture.  Private to core/volume/synthetic*.c.
 *
 * All positions are float nanometres from the corner of the block.  Nothing
 * but + - * / and square roots is used on floats, and these files are
 * compiled without contraction: the same bytes on every machine.  For the same
 * reason no expression draws two random numbers (C leaves their order open).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/volume/synthetic.h"

#include <math.h>

typedef struct {
    float x, y, z;
} CxVec3;

static inline CxVec3
cx_vec3_add(CxVec3 a, CxVec3 b)
{
    return (CxVec3){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline CxVec3
cx_vec3_sub(CxVec3 a, CxVec3 b)
{
    return (CxVec3){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline CxVec3
cx_vec3_scale(CxVec3 a, float by)
{
    return (CxVec3){a.x * by, a.y * by, a.z * by};
}

static inline float
cx_vec3_dot(CxVec3 a, CxVec3 b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline float
cx_vec3_length(CxVec3 a)
{
    return sqrtf(cx_vec3_dot(a, a));
}

static inline CxVec3
cx_vec3_unit(CxVec3 a)
{
    float length = cx_vec3_length(a);

    return length > 0 ? cx_vec3_scale(a, 1 / length) : (CxVec3){1, 0, 0};
}

/* About normal (twelve uniforms), without libm. */
float cx_synthetic_normal(CxRng *rng);
CxVec3 cx_synthetic_direction(CxRng *rng);

/* Periodic smooth noise of unit variance on a lattice. */
#define CX_FIELD_NODES 64

typedef struct {
    float spacing_nm;
    float *values; /* CX_FIELD_NODES cubed */
} CxField;

bool cx_field_init(CxField *field, CxRng *rng, float spacing_nm,
                   GError **error);
void cx_field_clear(CxField *field);

/* n values from (x, y, z) on in steps of dx. */
void cx_field_row(const CxField *field, CxVec3 at, float dx, size_t n,
                  float *out);

/* A piece of a neurite: a tube from a to a + d whose radius changes evenly. */
typedef struct {
    CxVec3 a, d;
    float inverse_length2;
    float radius, radius_step;
    uint32_t neuron; /* from 0 */
} CxTube;

/* Centre lines of n_neurons (0: as many as fill the block); GArray of CxTube.
 * n_neurons is set to what it is. */
GArray *cx_synthetic_grow(CxVec3 extent_nm, unsigned *n_neurons, CxRng *rng);

/* What each voxel belongs to, and how far from the membrane it is. */
typedef struct {
    CxVoxel size;
    CxVec3 voxel_nm;
    uint32_t *cell; /* neuron, from 0 */
    uint8_t *gap;   /* distance to the membrane's middle, 255 = 127.5 nm */
    uint8_t *tilt;  /* how much the membrane leans towards z, 255 = flat */
    float *shift_x; /* of each section, nm */
    float *shift_y;
    float most_shift;
} CxCells;

bool cx_cells_init(CxCells *cells, const CxSyntheticOptions *options,
                   CxRng *rng, GError **error);
void cx_cells_clear(CxCells *cells);
bool cx_cells_fill(CxCells *cells, const GArray *tubes, CxRng *rng, CxJob *job,
                   GError **error);

/* Gives pieces that hang together an index each, from 0, without gaps; specks
 * go to their neighbours. */
bool cx_cells_separate(CxCells *cells, uint32_t *n_cells, GError **error);

typedef enum {
    CX_ORGANELLE_MITOCHONDRION,
    CX_ORGANELLE_VESICLE,
    CX_ORGANELLE_VACUOLE,
    CX_ORGANELLE_TUBULE,
    CX_ORGANELLE_DENSITY, /* dark, across the membrane */
} CxOrganelleKind;

typedef struct {
    CxOrganelleKind kind;
    CxVec3 a, d; /* a capsule */
    float inverse_length2;
    float radius;
    uint32_t cell; /* it is drawn in this one only (densities: anywhere) */
    uint32_t seed;
} CxOrganelle;

/* GArray of CxOrganelle. */
GArray *cx_synthetic_place(const CxCells *cells, const GArray *tubes,
                           CxRng *rng);

/* The picture of one section: noise and all. */
typedef struct CxPainter CxPainter;

CxPainter *cx_painter_new(const CxCells *cells, const GArray *organelles,
                          uint32_t n_cells, const CxSyntheticOptions *options,
                          CxRng *rng, GError **error);
void cx_painter_free(CxPainter *painter);
bool cx_painter_section(const CxPainter *painter, int64_t z, uint8_t *pixels,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxPainter, cx_painter_free)
