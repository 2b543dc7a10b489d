/* The insides of a CxRetinaCnn, for the files of its own.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/plane_conv.h"
#include "core/retina/retina_cnn.h"

/* Order of the tensors of a layer. */
enum {
    CX_RETINA_WEIGHT,
    CX_RETINA_BIAS,
    CX_RETINA_GAIN,
    CX_RETINA_SHIFT,
    CX_RETINA_MEAN,
    CX_RETINA_VARIANCE,
};

#define CX_RETINA_EPSILON 1e-3f
#define CX_RETINA_LANES 64 /* windows computed side by side */
#define CX_RETINA_N_TEXTS 5
extern const char *const cx_retina_text_names[CX_RETINA_N_TEXTS];

struct CxRetinaCnn {
    CxRetinaShape shape;
    CxRetinaLayer layers[CX_RETINA_N_LAYERS];
    CxRetinaTensor tensors[CX_RETINA_N_TENSORS];
    float *values; /* of all tensors */
    size_t n_values;
    char *texts[CX_RETINA_N_TEXTS];
    double mean, sd;
    CxRetinaPick *picks;
    size_t n_picks;
    CxKernels kernels;

    /* what refresh makes of the tensors */
    CxPlaneConv *convs[CX_RETINA_N_LAYERS];
    float *scale[CX_RETINA_N_LAYERS];  /* norm(z) = scale z + offset; a unit */
    float *offset[CX_RETINA_N_LAYERS]; /* each, in the cell layer a map each */
    float *grey_z2;                    /* z2 of a grey film, nothing masked */
    float *chunk;                      /* scratch of cx_plane_conv_set_chunk */
};

/* Layers and limits; a sentence that begins with `what`. */
bool cx_retina_shape_check(const CxRetinaShape *shape,
                           CxRetinaLayer layers[CX_RETINA_N_LAYERS],
                           const char *what, int code, GError **error);

/* Memory for this shape, normalisation that does nothing, weights of 0; not
 * yet refreshed. */
CxRetinaCnn *cx_retina_cnn_alloc(const CxRetinaShape *shape, const char *what,
                                 int code, GError **error);

bool cx_retina_pick_is_inside(const CxRetinaCnn *net, CxRetinaPick pick);

/* scale and offset of the normalisation alone. */
void cx_retina_cnn_fold(CxRetinaCnn *net);

/* One value a unit or one a map. */
size_t cx_retina_n_norms(const CxRetinaCnn *net, unsigned layer);

/* `n` columns of floats, `from_step` apart, as rows of `lanes` floats, the
 * lanes from n on 0; and back. */
void cx_retina_to_lanes(const float *from, size_t from_step, size_t n_items,
                        size_t n, float *to, size_t lanes);
void cx_retina_from_lanes(const float *from, size_t lanes, size_t n_items,
                          size_t n, float *to, size_t to_step);

static inline float *
cx_retina_values(const CxRetinaCnn *net, unsigned layer, unsigned which)
{
    return net->tensors[layer * CX_RETINA_TENSORS_A_LAYER + which].data;
}
