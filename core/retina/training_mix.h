/* What the shipped networks learn from: films with the simulator's answers.
 *
 * "natural" holds scenes alone (natural.h).  "mixed" adds what scenes lack and
 * the protocols probe, without showing a protocol itself:
 *
 *   scenes    1/f^2 scenes with saccades, walk and drift
 *   bars      one bar at a time on grey, at any angle, from slow to fast (equal
 *             shares of the logarithm of speed), that sweeps to somewhere,
 *             and often turns there
 *   upright   the same with upright bars
 *   flicker   full-field flashes of some frames at irregular times, in spells
 *             with mean gaps of 1 to 10 frames, and silences
 *   steps     full-field steps of random lengths
 *
 * Flicker never is periodic and its bars never repeat a protocol's course.
 * Kinds that are constant in y are x-t films, which cost little memory; a
 * trainer repeats them in y.  Clips of a kind are neighbours; each has its own
 * random numbers, so that the same seed gives the same films and answers on
 * any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/retina/retina_train.h"
#include "core/retina/simulator.h"

typedef enum {
    CX_TRAINING_SCENES,
    CX_TRAINING_BARS,
    CX_TRAINING_UPRIGHT,
    CX_TRAINING_FLICKER,
    CX_TRAINING_STEPS,
    CX_N_TRAINING_KINDS,
} CxTrainingKind;

/* "scenes", "bars", …: the words above. */
const char *cx_training_kind_name(CxTrainingKind kind);

typedef struct {
    uint64_t seed;
    size_t n_clips, clip_frames; /* of each clip: 600 = 6 s */
    size_t first_frame;          /* targets begin here: 100, the simulator has
                                  * adapted to the clip */
    size_t height, width;        /* of the films: 50 x 50; height 1: x-t */
    size_t margin;               /* cells keep off the borders: 17 */
    double share[CX_N_TRAINING_KINDS]; /* of clips; need not sum to 1 */
    const CxRetinaParams *params;      /* of the simulator; NULL: defaults */
    unsigned knock_outs;               /* CxKnockOut */
    unsigned n_threads;                /* 0 = all cores */
} CxTrainingMix;

CxTrainingMix cx_training_mix_natural(void);
CxTrainingMix cx_training_mix_mixed(void);

/* "natural" or "mixed"; false for another name. */
bool cx_training_mix_from_name(const char *name, CxTrainingMix *mix);

typedef struct CxTrainingSet CxTrainingSet;

/* Draws the films and asks the simulator.  CX_ERROR_INVALID for sizes that
 * leave no cell, CX_ERROR_NO_MEMORY.  Steps the job. */
CxTrainingSet *cx_training_set_new(const CxTrainingMix *mix, CxJob *job,
                                   GError **error);
void cx_training_set_free(CxTrainingSet *set);

/* All clips; those of one kind (perhaps none).  Borrowed from the set. */
CxRetinaData cx_training_set_data(const CxTrainingSet *set);
CxRetinaData cx_training_set_part(const CxTrainingSet *set,
                                  CxTrainingKind kind);

/* The film of one clip: every part of a mixture as it would be seen alone. */
CxMovie *cx_training_clip_new(const CxTrainingMix *mix, CxTrainingKind kind,
                              uint64_t number, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxTrainingSet, cx_training_set_free)
