/* Films with the rates that answer them, in the layout of the published
 * recordings (salamander retina, doi 10.25740/rk663dm5577):
 *
 *   <session>/naturalscene.h5, <session>/whitenoise.h5
 *     train | test
 *       stimulus                    [frame][y][x], any number type
 *       time                        [frame], s
 *       response
 *         firing_rate_5ms, firing_rate_10ms, firing_rate_20ms, binned
 *                                   [cell][frame], Hz; spikes a frame
 *       repeats                     (a group, one data set a cell; not read)
 *
 * Our own files have the same layout, float samples and an attribute `source`
 * at the root that says "simulated retina": a program must be able to tell a
 * simulation from a recording.
 *
 * Not thread-safe; several objects may be used side by side.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/retina/movie.h"

typedef enum {
    CX_RECORDING_TRAIN,
    CX_RECORDING_TEST,
    CX_N_RECORDING_PARTS,
} CxRecordingPart;

typedef enum {
    CX_RATE_5MS, /* smoothed by so much */
    CX_RATE_10MS,
    CX_RATE_20MS,
    CX_RATE_BINNED,
    CX_N_RATES,
} CxRateKind;

typedef struct CxRecording CxRecording;

/* Checks the shapes of all there is; a part or kind of rate may be missing.
 * CX_ERROR_NOT_FOUND, _FORMAT (damaged, other layout) or _IO. */
CxRecording *cx_recording_open(const char *path, GError **error);
void cx_recording_free(CxRecording *recording);

/* "simulated retina", or "" if the file does not say; borrowed. */
const char *cx_recording_source(const CxRecording *recording);

/* 0 frames or cells: not in the file. */
size_t cx_recording_n_frames(const CxRecording *recording,
                             CxRecordingPart part);
size_t cx_recording_height(const CxRecording *recording, CxRecordingPart part);
size_t cx_recording_width(const CxRecording *recording, CxRecordingPart part);
size_t cx_recording_n_cells(const CxRecording *recording, CxRecordingPart part,
                            CxRateKind kind);

/* Frames [first, first + n), as stored.  CX_ERROR_INVALID beyond the end. */
CxMovie *cx_recording_read_movie(const CxRecording *recording,
                                 CxRecordingPart part, size_t first, size_t n,
                                 GError **error);

/* Rates [frame][cell] of the same frames; free with cx_free(). */
float *cx_recording_read_rates(const CxRecording *recording,
                               CxRecordingPart part, CxRateKind kind,
                               size_t first, size_t n, GError **error);

/* Mean and standard deviation of a film's samples, over everything; and
 * (sample - mean) / (sd + 1e-7) in place: 0 becomes mean grey.  A test film is
 * normalised with the numbers of the film trained on. */
void cx_movie_statistics(const CxMovie *movie, double *mean, double *sd);
void cx_movie_normalise(CxMovie *movie, double mean, double sd);

/* What goes into a part: rates[t * n_cells + i] in Hz. */
typedef struct {
    const CxMovie *movie; /* NULL: no such part */
    const float *rates;
    size_t n_cells;
} CxRecordingContent;

/* Writes firing_rate_10ms.  The file appears under its name only when it is
 * whole; an older one is replaced.  source: see above. */
bool cx_recording_write(const char *path, const char *source,
                        const CxRecordingContent *train,
                        const CxRecordingContent *test, CxJob *job,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxRecording, cx_recording_free)
