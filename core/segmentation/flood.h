/* Grows one object from one voxel with a flood-filling network.
 *
 * Januszewski, Kornfeld, Li, Pope, Blakely, Lindsey, Maitin-Shepard, Tyka,
 * Denk, Jain: "High-precision automated reconstruction of neurons with
 * flood-filling networks", Nature Methods 15, 605-610 (2018).
 *
 * The mask m(v) holds the logit of "voxel v belongs to the object", unknown
 * at first and logit(seed) at the start.  A step at position p looks at the
 * field of view F(p) around it, where the network f sees the image and the
 * mask, unknown voxels as logit(pad):
 *
 *     n(v) = m(v) + f(image, m)(v)         v in F(p)
 *
 *     m(v) = m(v)    if m(v) < 0 and n(v) > m(v), while any n in F(p) reaches
 *                    logit(move_threshold): a voxel once found outside does
 *                    not come back while the object is being followed
 *          = n(v)    else
 *
 * Then each of the six faces of the box p +- delta is searched for its
 * largest m; where that reaches logit(move_threshold) the voxel joins the
 * queue, the larger values first.  The next position is the first of the
 * queue that lies in the box, still reaches the threshold, and whose cell of
 * the lattice with spacing delta (centred at the start) was not visited.  It
 * ends when the queue is empty, or when m(start) falls below the threshold.
 * The object is where m >= logit(threshold).
 *
 * Positions may come as near to the volume's border as they like: outside,
 * the image is mirrored (edge voxel not repeated).  Everything is computed in
 * a fixed order: the same machine gives the same object.
 *
 * Memory: 4 bytes a voxel for the cubes of 32^3 voxels the fields of view
 * have touched, 1 byte for cubes of 64^3 of the image, and the network.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/nn/network.h"
#include "core/volume/volume.h"

typedef struct CxFlood CxFlood;

typedef struct {
    uint64_t steps;
    uint64_t n_voxels; /* of the object so far */
    CxBox box;         /* what the fields of view have covered, in the box */
    CxBox changed;     /* by the last step, in the box */
    bool faded;        /* m(start) fell below the threshold to move */
    bool cut;          /* stopped by max_steps with positions left */
} CxFloodState;

/* Called on the worker after each step; no lock is held. */
typedef void (*CxFloodHook)(void *data, const CxFloodState *state);

typedef struct {
    CxBox box;          /* where the object may be; empty = the volume */
    uint64_t max_steps; /* 0 = as many as it takes */
    unsigned n_threads; /* 0 = one per core */
    const char *isa;    /* as in CxPredictorOptions */
    const char *type;   /* "fp32", "bf16"; NULL: bf16 where it is fast */
    CxFloodHook hook;   /* may be NULL */
    void *hook_data;
} CxFloodOptions;

/* Takes references to network and volume; refuses networks that do not grow,
 * and those whose parameters make no sense.  options may be NULL. */
CxFlood *cx_flood_new(CxNetwork *network, CxVolume *volume,
                      const CxFloodOptions *options, GError **error);
void cx_flood_free(CxFlood *flood);

/* Grows the object; forgets an earlier one.  `at` must lie in the box.  When
 * it is cancelled (CX_ERROR_CANCELLED) the object is what was there then.
 * Progress counts steps against those known to be left. */
bool cx_flood_grow(CxFlood *flood, CxVoxel at, CxJob *job, GError **error);

/* Thread-safe, also while it grows. */
CxFloodState cx_flood_state(CxFlood *flood);

/* u8 over any box: 1 in the object, 0 elsewhere.  Thread-safe, as above. */
CxChunk *cx_flood_read(CxFlood *flood, CxBox box, GError **error);

/* How much of a label lies in the object. */
typedef struct {
    CxId id;
    uint64_t n_inside;
} CxFloodOverlap;

/* The labels (not 0) that have voxels in the object, with how many (GArray of
 * CxFloodOverlap, sorted by id).  Not while it grows. */
GArray *cx_flood_overlaps(CxFlood *flood, CxVolume *labels, CxJob *job,
                          GError **error);

/* Objects smaller than this are not worth keeping, says the model. */
uint64_t cx_flood_min_voxels(const CxFlood *flood);
CxVoxel cx_flood_field_of_view(const CxFlood *flood);
const char *cx_flood_isa(const CxFlood *flood);
const char *cx_flood_type(const CxFlood *flood);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxFlood, cx_flood_free)
