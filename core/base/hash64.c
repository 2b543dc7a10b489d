/* Open-addressing map from a non-zero 64-bit key to a 64-bit value.
 *
 * Linear probing at a load of at most one half; deletion shifts the run back,
 * so there are no tombstones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/base/hash64.h"

typedef struct {
    uint64_t key;
    uint64_t value;
} Slot;

struct CxHash64 {
    Slot *slots;
    size_t mask;
    size_t n_used;
};

uint64_t
cx_hash64_mix(uint64_t key)
{
    key ^= key >> 30;
    key *= UINT64_C(0xbf58476d1ce4e5b9);
    key ^= key >> 27;
    key *= UINT64_C(0x94d049bb133111eb);
    return key ^ key >> 31;
}

static Slot *
find(const CxHash64 *map, uint64_t key)
{
    size_t i = cx_hash64_mix(key) & map->mask;

    while (map->slots[i].key != 0 && map->slots[i].key != key)
        i = (i + 1) & map->mask;
    return &map->slots[i];
}

static void
allocate(CxHash64 *map, size_t n_slots)
{
    map->slots = g_new0(Slot, n_slots);
    map->mask = n_slots - 1;
}

CxHash64 *
cx_hash64_new(size_t expected)
{
    CxHash64 *map = g_new0(CxHash64, 1);
    size_t n_slots = 16;

    while (n_slots < expected * 2)
        n_slots *= 2;
    allocate(map, n_slots);
    return map;
}

void
cx_hash64_free(CxHash64 *map)
{
    if (map == NULL)
        return;
    g_free(map->slots);
    g_free(map);
}

size_t
cx_hash64_size(const CxHash64 *map)
{
    return map->n_used;
}

static void
grow(CxHash64 *map)
{
    g_autofree Slot *old = map->slots;
    size_t n_old = map->mask + 1;

    allocate(map, n_old * 2);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].key != 0)
            *find(map, old[i].key) = old[i];
    }
}

uint64_t *
cx_hash64_at(CxHash64 *map, uint64_t key, uint64_t initial, bool *was_new)
{
    g_assert(key != 0);
    Slot *slot = find(map, key);
    bool is_new = slot->key == 0;

    if (is_new) {
        if ((map->n_used + 1) * 2 > map->mask + 1) {
            grow(map);
            slot = find(map, key);
        }
        *slot = (Slot){key, initial};
        map->n_used++;
    }
    if (was_new != NULL)
        *was_new = is_new;
    return &slot->value;
}

void
cx_hash64_set(CxHash64 *map, uint64_t key, uint64_t value)
{
    *cx_hash64_at(map, key, value, NULL) = value;
}

bool
cx_hash64_get(const CxHash64 *map, uint64_t key, uint64_t *value)
{
    const Slot *slot;

    if (key == 0 || (slot = find(map, key))->key == 0)
        return false;
    if (value != NULL)
        *value = slot->value;
    return true;
}

bool
cx_hash64_remove(CxHash64 *map, uint64_t key)
{
    Slot *slot;

    if (key == 0 || (slot = find(map, key))->key == 0)
        return false;

    size_t hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & map->mask; map->slots[i].key != 0;
         i = (i + 1) & map->mask) {
        size_t home = cx_hash64_mix(map->slots[i].key) & map->mask;

        if (((i - home) & map->mask) >= ((i - hole) & map->mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (Slot){0, 0};
    map->n_used--;
    return true;
}

bool
cx_hash64_next(const CxHash64 *map, size_t *cursor, uint64_t *key,
               uint64_t *value)
{
    for (; *cursor <= map->mask; (*cursor)++) {
        const Slot *slot = &map->slots[*cursor];

        if (slot->key != 0) {
            *key = slot->key;
            if (value != NULL)
                *value = slot->value;
            (*cursor)++;
            return true;
        }
    }
    return false;
}
