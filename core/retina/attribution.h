/* What each channel of a retina network gives to a cell's rate, over a film:
 * integrated gradients to the units of layers 1 and 2 (attribution_ray.h).
 *
 * The path leads from mean grey (the bias in every unit) to the film's window.
 * A_u(t) is the part of r(t) - r(0) that flows through unit u; a layer cuts
 * every way from film to cell, so the parts of a layer sum to r(t) - r(0).
 * Full-field and drifting films say nothing by position, so the parts of a
 * channel are summed over space: A_c(t).
 *
 * Time is counted in frames of the film (movie.h): frame t is answered by the
 * window of frames t - history ... t - 1; frames before `history` have no
 * window, their values are 0 and their rate is r(0).
 *
 * Each frame is computed on its own: results are equal bit by bit for any
 * number of threads.  Networks and films are only read.
 *
 * Labels are after the published notebooks of Maheswaranathan et al. 2023:
 * with k_c(lag) the sum of the kernel over space, the lag of its largest
 * magnitude among the newest frames says ON (positive: answers light) or OFF.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/attribution_ray.h"
#include "core/retina/retina_cnn.h"

typedef struct {
    CxAttributionRule rule;
    uint32_t n_steps; /* of the two rules with steps; 0 = 100 */
    const CxRetinaMask *mask;
    uint32_t stride;    /* every so many frames, the others 0; 0 = 1 */
    size_t first, end;  /* frames; end 0 = all */
    unsigned n_threads; /* 0 = one a core */
} CxAttributionOptions;

typedef struct {
    CxRetinaPick pick;
    size_t n_frames, history;
    size_t n_channels[2]; /* of layers 1 and 2 */
    double rate0;         /* r(0) */
    double *rate;         /* [frame] */
    bool *done;           /* [frame]: whether it was computed */
    double *sum[2];       /* [frame][channel]: A_c, layers 1 and 2 */
    double *magnitude[2]; /* [frame][channel]: sum of |A_u| over space */
    double *gap[2];       /* [frame]: sum of A - (r - r(0)) */
    /* |gap| / |r - r(0)| over the frames whose |r - r(0)| is at least 1 % of
     * the largest; NaN if nothing ever differs from r(0). */
    double median_error[2], worst_error[2];
    double mean_kinks; /* of a frame */
} CxAttribution;

/* "exact", "midpoint", "right". */
const char *cx_attribution_rule_name(CxAttributionRule rule);
bool cx_attribution_rule_from_name(const char *name, CxAttributionRule *rule);

/* The ray of a cell; the patch of layer 1 it sees starts at *y0, *x0 (may be
 * NULL).  CX_ERROR_INVALID if the pick lies outside its map. */
CxRetinaRay *cx_attribution_ray(const CxRetinaCnn *net, CxRetinaPick pick,
                                const CxRetinaMask *mask, int32_t *y0,
                                int32_t *x0, GError **error);

/* options NULL: exact, every frame.  Steps the job. */
CxAttribution *cx_attribution_new(const CxRetinaCnn *net, const CxMovie *movie,
                                  CxRetinaPick pick,
                                  const CxAttributionOptions *options,
                                  CxJob *job, GError **error);
void cx_attribution_free(CxAttribution *attribution);

/* One frame's parts in space: layer 1 [channel][y][x] in the layer's full
 * size, zero where the cell does not see; layer2 likewise; either may be
 * NULL.  frame >= history. */
bool cx_attribution_map(const CxRetinaCnn *net, const CxMovie *movie,
                        CxRetinaPick pick, const CxAttributionOptions *options,
                        size_t frame, float *layer1, float *layer2,
                        GError **error);

/* Where one frame's integral comes from: cx_retina_walk_path(). */
bool cx_attribution_path(const CxRetinaCnn *net, const CxMovie *movie,
                         CxRetinaPick pick, const CxRetinaMask *mask,
                         size_t frame, uint32_t n_points, double *rate,
                         double *density, GError **error);

/* The saliency of each channel at one frame: sum over its units of dr/dz1
 * (z1 - z1 of grey).  parts: [channels of layer 1]. */
bool cx_attribution_gradient(const CxRetinaCnn *net, const CxMovie *movie,
                             CxRetinaPick pick, size_t frame, double *parts,
                             GError **error);

/* What a channel of layer 1 looks for. */
typedef struct {
    bool on;       /* answers light; else dark */
    bool fast;     /* its lag is at most the median of the channels */
    double lag_ms; /* from the newest frame to the extremum of the filter */
    float *filter; /* k_c [history], oldest first; owned */
    size_t history;
} CxChannelLabel;

/* One a channel of layer 1; owned, cx_channel_labels_free(). */
CxChannelLabel *cx_channel_labels_new(const CxRetinaCnn *net, double frame_ms);
void cx_channel_labels_free(CxChannelLabel *labels, size_t n);

/* "ON fast", "OFF slow", ...; static. */
const char *cx_channel_label_text(const CxChannelLabel *label);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxAttribution, cx_attribution_free)
