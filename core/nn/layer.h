/* What is inside a CxNetwork: for core/nn alone.
 *
 * Axes of extents, scales and kernels are z, y, x, as in the model file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"

#define CX_NN_MAX_LAYERS 1000
#define CX_NN_MAX_INPUTS 16          /* of one layer */
#define CX_NN_MAX_CHANNELS 4096      /* of one layer */
#define CX_NN_MAX_FACTOR 8           /* of one pooling or up-sampling */
#define CX_NN_MAX_SCALE 256          /* of all poolings together, an axis */
#define CX_NN_MAX_SECTIONS 63        /* input_sections */
#define CX_NN_MAX_OUTPUTS 64         /* channels of the last layer */
#define CX_NN_MAX_WEIGHTS (1u << 25) /* floats of all layers, n_out in 16s */

typedef enum {
    CX_OP_CONV,
    CX_OP_MAXPOOL,
    CX_OP_UPSAMPLE,
    CX_OP_UPCONV,
    CX_OP_CONCAT,
    CX_OP_ADD,
    CX_OP_SIGMOID,
} CxLayerOp;

/* How the products of a layer are formed. */
typedef enum {
    CX_LAYER_F32,
    CX_LAYER_BF16, /* products of bfloat16, sums of float */
    CX_LAYER_INT8, /* products of 8 bits, sums of 32 */
} CxLayerType;

typedef struct {
    CxLayerOp op;
    CxLayerType type;
    double amax; /* |output| that 8 bits reach to, from calibration; 0 = none */
    unsigned n_inputs;
    int32_t inputs[CX_NN_MAX_INPUTS]; /* earlier layers; -1 = network input */
    int32_t extent[3];                /* kernel or factor; 1, 1, 1 if none */
    bool relu;                        /* conv, add */
    unsigned n_in, n_out;             /* channels; n_in is the sum for concat */
    unsigned scale[3]; /* input voxels along a voxel of the output */
    float *weight;     /* [n_out][n_in][z][y][x]; upconv [n_in][n_out]… */
    float *bias;       /* [n_out] */
    float *mean;       /* [n_out] of the output in calibration; or NULL */
} CxLayer;

typedef struct {
    char *name;
    double number;
    char *text; /* NULL for numbers */
} CxNetworkParameter;

struct CxNetwork {
    gatomicrefcount refs;
    char *name;
    char *description, *data, *licence, *scores;
    CxNm voxel_nm;
    int32_t dims;           /* 2: sections are channels; 3 */
    int32_t input_sections; /* channels of the image when dims = 2, else 1 */
    bool grows; /* one more channel of the input: the mask so far, logits */
    bool per_section; /* normalise each section by its own statistics */
    double norm_mean, norm_std;
    double input_amax; /* as amax, for the normalised input */
    int32_t views;     /* cutting directions averaged: 1 or 3 */
    unsigned n_outputs;
    CxOutput outputs[CX_NN_MAX_OUTPUTS];
    GPtrArray *parameters; /* CxNetworkParameter */
    unsigned n_layers;
    CxLayer *layers;
    size_t n_weights; /* floats read so far, against CX_NN_MAX_WEIGHTS */
    CxVoxel halo;
};

/* Channels of the input. */
unsigned cx_network_n_inputs(const CxNetwork *network);

/* An empty network with one reference. */
CxNetwork *cx_network_new(unsigned n_layers);

/* Fills n_in, n_out (for layers without weights) and scale of a layer whose
 * op, inputs and extent are set, from the layers before it.  For conv and
 * upconv n_out must be set by the caller.  what: "model.h5: layer 003". */
bool cx_layer_check(CxNetwork *network, unsigned index, const char *what,
                    GError **error);

/* Products and sums of one layer for a voxel of the network's input. */
double cx_layer_flop(const CxLayer *layer);

/* Checks what can only be seen with all layers there, and fills the halo. */
bool cx_network_finish(CxNetwork *network, const char *path, GError **error);

/* Which output channel of a run on axes turned by view (0, 1, 2) gives this
 * channel; -1 if the outputs are not closed under the turn. */
int cx_network_turned_channel(const CxNetwork *network, unsigned view,
                              unsigned channel);
