/* A convolutional network that predicts the firing rates of retinal ganglion
 * cells from a film, after McIntosh et al. 2016 and Tanaka et al. 2019.
 *
 *   film window s  [history][height][width]
 *   layer 1        z1 = W1 * s + b1          a1 = relu(norm1(z1))
 *   layer 2        z2 = W2 * a1 + b2         a2 = relu(norm2(z2))
 *   cells          u  = W3 * a2 + b3         r  = log(1 + exp(norm3(u)))
 *
 * * is a correlation over the whole overlap ("valid", stride 1).  norm is a
 * trained batch normalisation, |gain| (x - mean) / sqrt(variance + epsilon) +
 * shift, with values for each unit (channel, y, x) in layers 1 and 2 and for
 * each map in the cell layer.  Gains count by magnitude, so no normalisation
 * turns a channel's sign round.  The cell layer gives maps; a cell is a place
 * on a map (a pick).  Where its kernel covers all of layer 2 each map is one
 * place: a dense layer.
 *
 * All sizes are free within the limits below: a film of height 1 with kernels
 * of height 1 is a network of x and time.
 *
 * Time: window t holds the frames t … t + history - 1, oldest first, and
 * predicts the rate in the bin of frame t + history, so a film of n frames has
 * n - history windows.
 *
 * Arrays are float, contiguous, the last index fastest: z1 of a window is
 * [channel][y][x] of layer 1, several windows follow one another.
 *
 * Threads: a network is constant after load, new or refresh and may be used
 * from several threads; each thread brings its own scratch.  Results do not
 * depend on the number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/retina/movie.h"

#define CX_RETINA_N_LAYERS 3      /* layer 1, layer 2, cells */
#define CX_RETINA_MAX_CHANNELS 64 /* of a layer; maps: CX_RETINA_MAX_MAPS */
#define CX_RETINA_MAX_MAPS 1024
#define CX_RETINA_MAX_HISTORY 256
#define CX_RETINA_MAX_SIDE 512
#define CX_RETINA_MAX_UNITS ((size_t)1 << 24)   /* of a layer */
#define CX_RETINA_MAX_WEIGHTS ((size_t)1 << 25) /* of a layer's kernels */
#define CX_RETINA_MAX_PICKS 100000

/* y of a kernel may be 1; a side of 0 is refused. */
typedef struct {
    uint32_t history, height, width;
    uint32_t n_channels[2]; /* of layers 1 and 2 */
    uint32_t n_maps;        /* of the cell layer */
    uint32_t kernel_y[3], kernel_x[3];
} CxRetinaShape;

/* 40 x 50 x 50, 8 channels 15 x 15, 8 channels 11 x 11, 1 map 11 x 11. */
CxRetinaShape cx_retina_shape_default(void);

/* One layer as the shape gives it. */
typedef struct {
    size_t n_in, in_y, in_x;
    size_t n_out, out_y, out_x;
    size_t kernel_y, kernel_x;
    size_t n_units; /* n_out * out_y * out_x */
} CxRetinaLayer;

/* A place on a map of the cell layer. */
typedef struct {
    int32_t map, y, x;
} CxRetinaPick;

/* What becomes of the output of a channel of layer 1 or 2. */
typedef enum {
    CX_RETINA_KEEP, /* 0: as trained */
    CX_RETINA_ZERO, /* the next layer sees 0 */
    CX_RETINA_HOLD, /* the next layer sees what a grey film gives */
} CxRetinaFate;

/* {0} keeps everything; NULL stands for that as well. */
typedef struct {
    uint8_t layer1[CX_RETINA_MAX_CHANNELS]; /* CxRetinaFate */
    uint8_t layer2[CX_RETINA_MAX_CHANNELS];
} CxRetinaMask;

typedef struct CxRetinaCnn CxRetinaCnn;

/* Random weights (He), normalisation that does nothing, no picks.
 * CX_ERROR_INVALID if the sizes do not fit together or exceed the limits. */
CxRetinaCnn *cx_retina_cnn_new(const CxRetinaShape *shape, uint64_t seed,
                               GError **error);
CxRetinaCnn *cx_retina_cnn_copy(const CxRetinaCnn *net, GError **error);
void cx_retina_cnn_free(CxRetinaCnn *net);

/* Reads a network of ours or of the user (layout: README.md of this folder).
 * Every size is checked before memory is taken; NaN and infinity are refused.
 * CX_ERROR_NOT_FOUND, _FORMAT, _IO or _NO_MEMORY. */
CxRetinaCnn *cx_retina_cnn_load(const char *path, GError **error);

/* The file appears under its name only when it is whole; an older one is
 * replaced. */
bool cx_retina_cnn_save(const CxRetinaCnn *net, const char *path,
                        GError **error);

const CxRetinaShape *cx_retina_cnn_shape(const CxRetinaCnn *net);
const CxRetinaLayer *cx_retina_cnn_layer(const CxRetinaCnn *net,
                                         unsigned layer);
size_t cx_retina_cnn_n_weights(const CxRetinaCnn *net);

/* UTF-8 texts of the card, never NULL: name, description, data, licence,
 * training.  Setting copies. */
const char *cx_retina_cnn_text(const CxRetinaCnn *net, const char *key);
void cx_retina_cnn_set_text(CxRetinaCnn *net, const char *key,
                            const char *text);

/* Raw pixels become samples as (pixel - mean) / sd; 0 and 1 for films that are
 * samples already. */
void cx_retina_cnn_normalisation(const CxRetinaCnn *net, double *mean,
                                 double *sd);
void cx_retina_cnn_set_normalisation(CxRetinaCnn *net, double mean, double sd);

/* The cells the network was made for; without any in the file, the middle of
 * each map.  Borrowed. */
const CxRetinaPick *cx_retina_cnn_picks(const CxRetinaCnn *net, size_t *n);
bool cx_retina_cnn_set_picks(CxRetinaCnn *net, const CxRetinaPick *picks,
                             size_t n, GError **error);

/* The pixel of the film a map position looks at (centre of its field; exact
 * for odd fields, else rounded down). */
CxCellPosition cx_retina_cnn_pick_centre(const CxRetinaCnn *net,
                                         CxRetinaPick pick);

/* Pixels a side of the field of a cell, and their first in y and x. */
void cx_retina_cnn_pick_field(const CxRetinaCnn *net, CxRetinaPick pick,
                              int32_t *y0, int32_t *x0, int32_t *n_y,
                              int32_t *n_x);

/* Weights: 6 tensors a layer in the order weight, bias, gain, shift, mean,
 * variance; layer l starts at 6 l.  weight is [out][in][y][x] (in of layer 1:
 * lag, oldest first).  data may be written through if the network is not in
 * use elsewhere; call cx_retina_cnn_refresh() afterwards. */
#define CX_RETINA_TENSORS_A_LAYER 6
typedef struct {
    const char *name; /* "layer1/weight"; static */
    float *data;
    size_t n;
    unsigned n_dims;
    size_t dims[4];
} CxRetinaTensor;
#define CX_RETINA_N_TENSORS (CX_RETINA_N_LAYERS * CX_RETINA_TENSORS_A_LAYER)
const CxRetinaTensor *cx_retina_cnn_tensor(const CxRetinaCnn *net, unsigned i);
void cx_retina_cnn_refresh(CxRetinaCnn *net);

/* A copy whose kernels are rounded to `bits` (2 … 8) with one scale an output
 * channel: q = round(w / s), s = max |w| / (2^(bits - 1) - 1).  The rest stays
 * float.  NULL without memory. */
CxRetinaCnn *cx_retina_cnn_quantised(const CxRetinaCnn *net, unsigned bits,
                                     GError **error);

/* ---- running ---------------------------------------------------------- */

/* Memory of one thread for one network, about 20 MB for the default shape. */
typedef struct CxRetinaScratch CxRetinaScratch;
/* NULL without memory. */
CxRetinaScratch *cx_retina_scratch_new(const CxRetinaCnn *net);
void cx_retina_scratch_free(CxRetinaScratch *scratch);

/* 0 if the film is shorter than history + 1. */
size_t cx_retina_cnn_n_windows(const CxRetinaCnn *net, size_t n_frames);

/* rates [n_windows][n_picks], the caller's.  picks NULL: those of the network.
 * n_threads 0: one a core.  CX_ERROR_INVALID if the film's sides are not the
 * network's or it is too short; a film of height 1 is repeated in y. */
bool cx_retina_cnn_respond(const CxRetinaCnn *net, const CxMovie *movie,
                           const CxRetinaPick *picks, size_t n_picks,
                           const CxRetinaMask *mask, unsigned n_threads,
                           float *rates, CxJob *job, GError **error);

/* The whole maps: rates [n_windows][map][y][x]. */
bool cx_retina_cnn_respond_maps(const CxRetinaCnn *net, const CxMovie *movie,
                                const CxRetinaMask *mask, unsigned n_threads,
                                float *rates, CxJob *job, GError **error);

/* Inputs of the normalisation, before any mask, of n windows from first on:
 * z1 [n][units of layer 1].  Errors as of respond. */
bool cx_retina_cnn_z1(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                      const CxMovie *movie, size_t first, size_t n, float *z1,
                      GError **error);

/* z1 of a film that is grey throughout (the bias in every unit), and z2 of
 * the same with the mask on layer 1. */
void cx_retina_cnn_grey(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                        const CxRetinaMask *mask, float *z1, float *z2);

/* From z1 to z2, n windows. */
void cx_retina_cnn_z2(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                      const CxRetinaMask *mask, const float *z1, size_t n,
                      float *z2);

/* Rates from z of layer 1 or 2: rates [n][n_picks]. */
void cx_retina_cnn_rates(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                         const CxRetinaMask *mask, unsigned layer,
                         const float *z, size_t n, const CxRetinaPick *picks,
                         size_t n_picks, float *rates);

/* One cell's rate and its gradient with respect to z of layer 1 or 2 at n
 * points: rates [n] (may be NULL), gradient [n][units of the layer].  The
 * gradient at a kink of a relu is that of its flat side. */
void cx_retina_cnn_gradient(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                            const CxRetinaMask *mask, unsigned layer,
                            const float *z, size_t n, CxRetinaPick pick,
                            float *rates, float *gradient);

/* Integral along a ray: sum over k of weights[k] d rate / d z (base + alpha[k]
 * delta), which times delta is the attribution of each unit.  base, delta,
 * sum: units of the layer; rates [n] as above.  The same as
 * cx_retina_cnn_gradient() without its memory. */
void cx_retina_cnn_ray(const CxRetinaCnn *net, CxRetinaScratch *scratch,
                       const CxRetinaMask *mask, unsigned layer,
                       const float *base, const float *delta,
                       const double *alpha, const double *weights, size_t n,
                       CxRetinaPick pick, float *rates, double *sum);

/* Pearson's r of two rows with these strides; 0 if one of them is constant. */
double cx_retina_pearson(const float *a, size_t stride_a, const float *b,
                         size_t stride_b, size_t n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaCnn, cx_retina_cnn_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRetinaScratch, cx_retina_scratch_free)
