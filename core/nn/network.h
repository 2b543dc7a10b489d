/* A network as data: layers read from a model file, checked once.
 *
 * The file format is in core/nn/README.md.  Immutable after loading, so it may
 * be shared between threads; reference counted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"
#include "core/jobs/job.h"

typedef struct CxNetwork CxNetwork;

typedef enum {
    CX_OUTPUT_BOUNDARY = 0, /* probability of membrane */
    CX_OUTPUT_AFFINITY = 1, /* between voxel p and p + offset */
    CX_OUTPUT_OBJECT = 2,   /* what to add to the logit of the object's mask */
} CxOutputKind;

typedef struct {
    CxOutputKind kind;
    CxVoxel offset;
} CxOutput;

/* spec: a path ending in .h5, or the name of a shipped model ("fib",
 * "sstem"), looked for in $CONNEXON_MODELS, the source tree, CX_DATA_DIR. */
CxNetwork *cx_network_load(const char *spec, GError **error);

/* The file that spec means; owned. */
char *cx_network_find(const char *spec, GError **error);
CxNetwork *cx_network_ref(CxNetwork *network);
void cx_network_unref(CxNetwork *network);

/* Names of the shipped models that can be found; NULL-terminated, owned.
 * Networks of the retina (retina-*.h5, core/retina) lie in the same folder and
 * are no models of images. */
char **cx_network_shipped(void);

const char *cx_network_name(const CxNetwork *network);

/* A text attribute of the card ("description", "data", "licence", "scores"),
 * or "". */
const char *cx_network_card(const CxNetwork *network, const char *field);
CxNm cx_network_voxel_nm(const CxNetwork *network);
unsigned cx_network_n_outputs(const CxNetwork *network);
CxOutput cx_network_output(const CxNetwork *network, unsigned channel);

/* Whether it grows one object from a seed (method "flood"): its input is the
 * image and the mask so far.  core/segmentation/flood.h runs such a network,
 * a predictor refuses it. */
bool cx_network_grows(const CxNetwork *network);

/* Distance a voxel of the input can act on the output, each side. */
CxVoxel cx_network_halo(const CxNetwork *network);

/* 2: sections are channels and one is predicted at a time; 3: in space. */
unsigned cx_network_dims(const CxNetwork *network);

/* Whether it may run with this axis (0 x, 1 y, 2 z) as cutting direction: z
 * always; others where nothing tells them from z: voxels equal within 1.25,
 * no statistics of sections, outputs closed under the turn. */
bool cx_network_can_cut(const CxNetwork *network, unsigned axis);
double cx_network_flop_per_voxel(const CxNetwork *network);

/* Post-processing defaults stored with the model (group /segmentation). */
const char *
cx_network_method(const CxNetwork *network); /* volume|sections|flood */
double cx_network_parameter(const CxNetwork *network, const char *name,
                            double otherwise);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxNetwork, cx_network_unref)
