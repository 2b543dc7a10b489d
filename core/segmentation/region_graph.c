/* Contacts between labels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/segmentation/region_graph.h"

#include <stdlib.h>

struct CxContacts {
    CxContact *slots;
    size_t mask, n_used;
    CxContact *last; /* found or made by the call before */
};

CxContacts *
cx_contacts_new(void)
{
    CxContacts *contacts = g_new0(CxContacts, 1);

    contacts->mask = 4095;
    contacts->slots = g_new0(CxContact, contacts->mask + 1);
    contacts->last = contacts->slots;
    return contacts;
}

void
cx_contacts_free(CxContacts *contacts)
{
    if (contacts == NULL)
        return;
    g_free(contacts->slots);
    g_free(contacts);
}

static inline CxContact *
find(CxContact *slots, size_t mask, uint32_t a, uint32_t b)
{
    uint64_t pair = (uint64_t)a << 32 | b;
    size_t at = (pair * UINT64_C(0x9e3779b97f4a7c15)) >> 24;

    for (;; at++) {
        CxContact *slot = &slots[at & mask];
        if (slot->a == 0 || (slot->a == a && slot->b == b))
            return slot;
    }
}

static void
grow(CxContacts *contacts)
{
    size_t mask = 2 * contacts->mask + 1;
    CxContact *slots = g_new0(CxContact, mask + 1);

    for (size_t i = 0; i <= contacts->mask; i++) {
        const CxContact *old = &contacts->slots[i];
        if (old->a != 0)
            *find(slots, mask, old->a, old->b) = *old;
    }
    g_free(contacts->slots);
    contacts->slots = slots;
    contacts->mask = mask;
    contacts->last = slots;
}

/* The entry of a pair; made if it is new. */
static inline CxContact *
contact_of(CxContacts *contacts, uint32_t a, uint32_t b)
{
    uint32_t lo = MIN(a, b), hi = MAX(a, b);
    CxContact *slot = contacts->last;

    if (slot->a == lo && slot->b == hi)
        return slot;
    slot = find(contacts->slots, contacts->mask, lo, hi);
    if (slot->a == 0) {
        if (2 * ++contacts->n_used > contacts->mask) {
            grow(contacts);
            slot = find(contacts->slots, contacts->mask, lo, hi);
        }
        slot->a = lo;
        slot->b = hi;
    }
    contacts->last = slot;
    return slot;
}

/* First i >= from with a[i] != b[i], or n. */
static inline size_t
next_difference(const uint32_t *a, const uint32_t *b, size_t from, size_t n)
{
    while (from + 8 <= n) {
        uint32_t diff = 0;
        for (size_t k = 0; k < 8; k++)
            diff |= a[from + k] ^ b[from + k];
        if (diff != 0)
            break;
        from += 8;
    }
    while (from < n && a[from] == b[from])
        from++;
    return from;
}

void
cx_contacts_add_row(CxContacts *contacts, const uint32_t *a, const uint32_t *b,
                    const uint8_t *affinity, size_t n)
{
    for (size_t i = next_difference(a, b, 0, n); i < n;
         i = next_difference(a, b, i + 1, n)) {
        if (a[i] == 0 || b[i] == 0)
            continue;
        CxContact *contact = contact_of(contacts, a[i], b[i]);
        contact->n_faces++;
        contact->sum += affinity != NULL ? affinity[i] : 0;
    }
}

void
cx_contacts_add_far_row(CxContacts *contacts, const uint32_t *a,
                        const uint32_t *b, const uint8_t *affinity, size_t n)
{
    for (size_t i = next_difference(a, b, 0, n); i < n;
         i = next_difference(a, b, i + 1, n)) {
        if (a[i] == 0 || b[i] == 0)
            continue;
        uint32_t lo = MIN(a[i], b[i]), hi = MAX(a[i], b[i]);
        CxContact *contact = contacts->last;
        if (contact->a != lo || contact->b != hi)
            contact = find(contacts->slots, contacts->mask, lo, hi);
        if (contact->a == 0)
            continue;
        contacts->last = contact;
        contact->n_far++;
        contact->far_sum += affinity[i];
    }
}

void
cx_contacts_add_block(CxContacts *contacts, const uint32_t *labels,
                      CxVoxel size, const uint8_t *const affinity[3])
{
    size_t nx = (size_t)size.x;
    size_t steps[3] = {1, nx, nx * (size_t)size.y};

    for (int64_t z = 0; z < size.z; z++) {
        for (int64_t y = 0; y < size.y; y++) {
            size_t at = (size_t)(z * size.y + y) * nx;
            bool has_next[3] = {nx > 1, y + 1 < size.y, z + 1 < size.z};

            for (int axis = 0; axis < 3; axis++) {
                const uint8_t *values = affinity[axis];
                if (has_next[axis])
                    cx_contacts_add_row(contacts, labels + at,
                                        labels + at + steps[axis],
                                        values != NULL ? values + at : NULL,
                                        axis == 0 ? nx - 1 : nx);
            }
        }
    }
}

CxContacts *
cx_contacts_dup_pairs(const CxContacts *contacts)
{
    CxContacts *copy = g_new0(CxContacts, 1);

    copy->mask = contacts->mask;
    copy->n_used = contacts->n_used;
    copy->slots = g_new0(CxContact, copy->mask + 1);
    copy->last = copy->slots;
    for (size_t i = 0; i <= copy->mask; i++) {
        copy->slots[i].a = contacts->slots[i].a;
        copy->slots[i].b = contacts->slots[i].b;
    }
    return copy;
}

void
cx_contacts_merge(CxContacts *to, const CxContacts *from)
{
    for (size_t i = 0; i <= from->mask; i++) {
        const CxContact *other = &from->slots[i];
        if (other->a == 0)
            continue;
        CxContact *contact = contact_of(to, other->a, other->b);
        contact->n_faces += other->n_faces;
        contact->sum += other->sum;
        contact->n_far += other->n_far;
        contact->far_sum += other->far_sum;
    }
}

static int
compare(const void *a, const void *b)
{
    const CxContact *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return x->b < y->b ? -1 : x->b > y->b;
}

GArray *
cx_contacts_sorted(const CxContacts *contacts)
{
    GArray *out = g_array_sized_new(FALSE, FALSE, sizeof(CxContact),
                                    (guint)contacts->n_used);

    for (size_t i = 0; i <= contacts->mask; i++) {
        if (contacts->slots[i].n_faces > 0)
            g_array_append_val(out, contacts->slots[i]);
    }
    if (out->len > 1)
        qsort(out->data, out->len, sizeof(CxContact), compare);
    return out;
}

static void
measure_run(CxSupervoxel *out, uint32_t *longest, CxVoxel at, int64_t end)
{
    int64_t n = end - at.x;

    out->box.lo.x = MIN(out->box.lo.x, at.x);
    out->box.hi.x = MAX(out->box.hi.x, end);
    out->box.lo.y = MIN(out->box.lo.y, at.y);
    out->box.hi.y = MAX(out->box.hi.y, at.y + 1);
    out->box.hi.z = at.z + 1;
    out->n_voxels += (uint64_t)n;
    if (n > *longest) {
        *longest = (uint32_t)n;
        out->inside = (CxVoxel){at.x + n / 2, at.y, at.z};
    }
}

void
cx_supervoxels_measure(const uint32_t *labels, CxBox box, uint32_t n,
                       CxSupervoxel *out)
{
    g_autofree uint32_t *longest = g_new0(uint32_t, (size_t)n + 1);
    int64_t nx = box.hi.x - box.lo.x;
    const uint32_t *row = labels;

    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++, row += nx) {
            for (int64_t x = 0; x < nx;) {
                uint32_t label = row[x];
                int64_t end = x + 1;

                while (end < nx && row[end] == label)
                    end++;
                CxVoxel at = {box.lo.x + x, y, z};
                if (label != 0 && label <= n) {
                    CxSupervoxel *one = &out[label - 1];
                    if (longest[label] == 0)
                        *one = (CxSupervoxel){
                            .box = {at, {at.x + 1, at.y + 1, at.z + 1}}};
                    measure_run(one, &longest[label], at, box.lo.x + end);
                }
                x = end;
            }
        }
    }
}
