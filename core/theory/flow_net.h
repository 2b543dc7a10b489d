/* A network of weights for pruning: forward and backward in double.
 *
 * A graph of nodes in order of execution, each over one array [channel][z][y]
 * [x].  It is small, plain and exact rather than fast: scores of SynFlow reach
 * 1e34 and are compared to 1e-9.  Fully connected layers are convolutions that
 * cover their whole input.  Built node by node; then weights, masks and values
 * may be changed by one thread at a time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"
#include "core/jobs/job.h"

#define CX_FLOW_MAX_INPUTS 16

typedef enum {
    CX_FLOW_INPUT,
    CX_FLOW_CONV,   /* kernel, padding "same" or none; weights, bias */
    CX_FLOW_UPCONV, /* kernel = stride = factor; weights, bias */
    CX_FLOW_SCALE,  /* positive gain and shift a channel, not prunable */
    CX_FLOW_RELU,   /* the rest has no weights */
    CX_FLOW_MAXPOOL,
    CX_FLOW_MEANPOOL,
    CX_FLOW_UPSAMPLE, /* nearest */
    CX_FLOW_CONCAT,
    CX_FLOW_ADD,
} CxFlowOp;

typedef struct {
    uint32_t n_channels, nz, ny, nx;
} CxFlowShape;

typedef struct {
    CxFlowOp op;
    char *name; /* "fc1"; shown to people */
    unsigned n_inputs;
    unsigned inputs[CX_FLOW_MAX_INPUTS]; /* earlier nodes */
    CxFlowShape shape;                   /* of its output */
    uint32_t extent[3];                  /* kernel or factor; z, y, x */
    bool same; /* conv: zeros around, output as large as the input */
    size_t n_weights;
    double *weight; /* conv [out][in][z][y][x]; upconv [in][out][z][y][x];
                       scale [channel] or [all of shape], positive */
    double *bias;   /* conv, upconv [out]; scale as weight; or NULL */
    uint8_t *mask;  /* [n_weights] of conv and upconv, 1 = there; else NULL */
    double *weight_gradient, *bias_gradient; /* after a backward pass */
    double *value, *gradient;                /* of the output */
} CxFlowNode;

typedef struct {
    unsigned n_nodes;
    CxFlowNode *nodes; /* 0 is the input, the last one the output */
    unsigned room;
} CxFlowNet;

CxFlowNet *cx_flow_net_new(CxFlowShape input, GError **error);
void cx_flow_net_free(CxFlowNet *net);

/* Each appends a node and returns its index, 0 with error.  n_out: channels of
 * the output.  Weights begin as 0, masks as 1. */
unsigned cx_flow_add_conv(CxFlowNet *net, const char *name, unsigned input,
                          uint32_t n_out, const uint32_t kernel[3], bool same,
                          GError **error);
unsigned cx_flow_add_upconv(CxFlowNet *net, const char *name, unsigned input,
                            uint32_t n_out, const uint32_t factor[3],
                            GError **error);

/* A kernel of the size of its input, without padding. */
unsigned cx_flow_add_dense(CxFlowNet *net, const char *name, unsigned input,
                           uint32_t n_out, GError **error);

/* per_unit: a gain for each place rather than for each channel. */
unsigned cx_flow_add_scale(CxFlowNet *net, unsigned input, bool per_unit,
                           GError **error);
unsigned cx_flow_add_relu(CxFlowNet *net, unsigned input, GError **error);
unsigned cx_flow_add_pool(CxFlowNet *net, CxFlowOp op, unsigned input,
                          const uint32_t factor[3], GError **error);

/* CX_FLOW_CONCAT or CX_FLOW_ADD. */
unsigned cx_flow_add_join(CxFlowNet *net, CxFlowOp op, const unsigned *inputs,
                          unsigned n_inputs, GError **error);

size_t cx_flow_shape_size(CxFlowShape shape);
const CxFlowNode *cx_flow_net_output(const CxFlowNet *net);

/* Whether pruning may take its weights: conv and upconv. */
bool cx_flow_is_prunable(const CxFlowNode *node);

/* Prunable weights, all and those whose mask is 1. */
size_t cx_flow_n_weights(const CxFlowNet *net);
size_t cx_flow_n_kept(const CxFlowNet *net);
unsigned cx_flow_n_layers(const CxFlowNet *net); /* prunable ones */

/* Normal weights of variance 2 / inputs (He et al., 2015), biases 0. */
void cx_flow_net_init(CxFlowNet *net, CxRng *rng);

/* Values of all nodes; masked weights count as 0.  absolute: with |weights|
 * and without biases and shifts, as SynFlow wants it. */
void cx_flow_forward(CxFlowNet *net, const double *input, bool absolute);

/* Gradients of all nodes and weights (of masked ones too) for
 * output_gradient = dR / d(output), after a forward pass of the same kind.
 * Adds to the weights' gradients; cx_flow_clear_gradients() sets them to 0. */
void cx_flow_backward(CxFlowNet *net, const double *output_gradient,
                      bool absolute);
void cx_flow_clear_gradients(CxFlowNet *net);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFlowNet, cx_flow_net_free)
