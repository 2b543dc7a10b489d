/* Contacts between labels, and what the affinities say there.
 *
 * A face is a pair of 6-neighbours with different labels, neither 0.  For each
 * pair of labels the table keeps how many faces they share and the sum of the
 * u8 affinities on them (255 = 1), and, for affinities farther apart, the same
 * over pairs of voxels at that offset.  Sums are whole numbers: the result
 * does not depend on the order of adding.
 *
 * Not thread-safe; tables made by several threads are added up with
 * cx_contacts_merge().
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/segmentation/fragments.h"

typedef struct {
    uint32_t a, b;    /* a < b; 0 = free slot */
    uint32_t n_faces; /* 0: they only meet at a long offset */
    uint32_t n_far;   /* pairs at long offsets */
    uint64_t sum;     /* over the faces */
    uint64_t far_sum; /* over the far pairs */
} CxContact;

typedef struct CxContacts CxContacts;

CxContacts *cx_contacts_new(void);
void cx_contacts_free(CxContacts *contacts);

/* Faces between n pairs of labels a[i], b[i]; affinity may be NULL (0). */
void cx_contacts_add_row(CxContacts *contacts, const uint32_t *a,
                         const uint32_t *b, const uint8_t *affinity, size_t n);

/* The same for pairs at a long offset: only for pairs of labels that share a
 * face already. */
void cx_contacts_add_far_row(CxContacts *contacts, const uint32_t *a,
                             const uint32_t *b, const uint8_t *affinity,
                             size_t n);

/* All faces in a dense block.  affinity[axis]: the affinity between voxel p
 * and p + 1 along x, y, z, stored at p; each may be NULL. */
void cx_contacts_add_block(CxContacts *contacts, const uint32_t *labels,
                           CxVoxel size, const uint8_t *const affinity[3]);

/* The same pairs, nothing counted: for threads that add far rows. */
CxContacts *cx_contacts_dup_pairs(const CxContacts *contacts);

void cx_contacts_merge(CxContacts *to, const CxContacts *from);

/* Sorted by (a, b); GArray of CxContact, those with a face alone. */
GArray *cx_contacts_sorted(const CxContacts *contacts);

/* Counts voxels, bounds and an inner voxel (the middle of the longest run
 * along x, the first of equals) of labels 1 … n; out has n entries, id left 0.
 * Labels above n are left out. */
void cx_supervoxels_measure(const uint32_t *labels, CxBox box, uint32_t n,
                            CxSupervoxel *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxContacts, cx_contacts_free)
