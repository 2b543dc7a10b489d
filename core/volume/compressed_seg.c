/* Neuroglancer's compressed_segmentation codec.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/volume/compressed_seg.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TABLE_OFFSET ((uint32_t)1 << 24)

/* One channel of the source, in words of 32 bits. */
typedef struct {
    const uint8_t *words;
    size_t n_words;
} Words;

static inline uint32_t
get_word(const Words *self, size_t i)
{
    uint32_t word;

    memcpy(&word, self->words + 4 * i, 4);
    return GUINT32_FROM_LE(word);
}

/* What a brick's header says. */
typedef struct {
    size_t table, values;
    unsigned bits;
} Header;

static bool
read_header(const Words *words, size_t number, Header *header)
{
    if ((number + 1) * 2 > words->n_words)
        return false;

    uint32_t first = get_word(words, number * 2);
    header->table = first & 0xffffff;
    header->bits = first >> 24;
    header->values = get_word(words, number * 2 + 1);
    switch (header->bits) {
    case 0:
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
    case 32:
        return true;
    default:
        return false;
    }
}

/* The label at a place in a brick; false if it lies outside the data. */
static bool
get_label(const Words *words, const Header *header, size_t place,
          size_t label_words, uint64_t *label)
{
    size_t index = 0;

    if (header->bits > 0) {
        size_t bit = place * header->bits;
        size_t at = header->values + bit / 32;

        if (at >= words->n_words)
            return false;
        index = get_word(words, at) >> bit % 32;
        if (header->bits < 32)
            index &= ((size_t)1 << header->bits) - 1;
    }
    size_t at = header->table + index * label_words;
    if (at + label_words > words->n_words)
        return false;
    *label = get_word(words, at);
    if (label_words == 2)
        *label |= (uint64_t)get_word(words, at + 1) << 32;
    return true;
}

static bool
decode_brick(const Words *words, const Header *header, CxBox box, CxVoxel size,
             CxVoxel brick, size_t label_bytes, uint8_t *dst)
{
    for (int64_t z = box.lo.z; z < box.hi.z; z++) {
        for (int64_t y = box.lo.y; y < box.hi.y; y++) {
            size_t place =
                (size_t)(((z - box.lo.z) * brick.y + (y - box.lo.y)) * brick.x);
            size_t to = (size_t)((z * size.y + y) * size.x + box.lo.x);

            for (int64_t x = box.lo.x; x < box.hi.x; x++, place++, to++) {
                uint64_t label;

                if (!get_label(words, header, place, label_bytes / 4, &label))
                    return false;
                if (label_bytes == 8)
                    ((uint64_t *)(void *)dst)[to] = label;
                else
                    ((uint32_t *)(void *)dst)[to] = (uint32_t)label;
            }
        }
    }
    return true;
}

static bool
decode_channel(const Words *words, CxVoxel size, CxVoxel brick,
               size_t label_bytes, uint8_t *dst)
{
    CxBox bounds = cx_box_of_size(size);
    CxVoxel n = cx_box_chunks(bounds, brick).hi;
    size_t number = 0;

    for (int64_t z = 0; z < n.z; z++)
        for (int64_t y = 0; y < n.y; y++)
            for (int64_t x = 0; x < n.x; x++, number++) {
                CxBox box =
                    cx_chunk_box_clipped((CxChunkIdx){x, y, z}, brick, bounds);
                Header header;

                if (!read_header(words, number, &header) ||
                    !decode_brick(words, &header, box, size, brick, label_bytes,
                                  dst))
                    return false;
            }
    return true;
}

bool
cx_compressed_seg_decode(const uint8_t *src, size_t n_src, CxVoxel size,
                         CxVoxel brick, unsigned n_channels, size_t label_bytes,
                         void *dst)
{
    Words all = {src, n_src / 4};
    size_t n_voxels = (size_t)(size.x * size.y * size.z);

    for (unsigned c = 0; c < n_channels; c++) {
        size_t start = c < all.n_words ? get_word(&all, c) : SIZE_MAX;

        if (start > all.n_words)
            return false;
        Words words = {src + 4 * start, all.n_words - start};
        if (!decode_channel(&words, size, brick, label_bytes,
                            (uint8_t *)dst + c * n_voxels * label_bytes))
            return false;
    }
    return true;
}

/* Labels of one brick and its table under construction. */
typedef struct {
    size_t n;
    uint64_t *labels;
    uint64_t *table; /* sorted, each once */
    size_t n_table;
} Brick;

static int
compare_labels(const void *a, const void *b)
{
    uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;

    return p < q ? -1 : p > q;
}

/* Bricks at the edge repeat their last label, which adds none. */
static void
take_brick(Brick *self, const void *src, CxBox box, CxVoxel size, CxVoxel brick,
           size_t label_bytes)
{
    self->n = 0;
    for (int64_t z = box.lo.z; z < box.lo.z + brick.z; z++)
        for (int64_t y = box.lo.y; y < box.lo.y + brick.y; y++)
            for (int64_t x = box.lo.x; x < box.lo.x + brick.x; x++) {
                size_t at = (size_t)((MIN(z, box.hi.z - 1) * size.y +
                                      MIN(y, box.hi.y - 1)) *
                                         size.x +
                                     MIN(x, box.hi.x - 1));

                self->labels[self->n++] = label_bytes == 8
                                              ? ((const uint64_t *)src)[at]
                                              : ((const uint32_t *)src)[at];
            }
    memcpy(self->table, self->labels, self->n * sizeof self->table[0]);
    qsort(self->table, self->n, sizeof self->table[0], compare_labels);
    self->n_table = 1;
    for (size_t i = 1; i < self->n; i++) {
        if (self->table[i] != self->table[self->n_table - 1])
            self->table[self->n_table++] = self->table[i];
    }
}

static void
put_word(GByteArray *out, uint32_t word)
{
    uint32_t little = GUINT32_TO_LE(word);

    g_byte_array_append(out, (const uint8_t *)&little, 4);
}

static size_t
find_index(const Brick *self, uint64_t label)
{
    const uint64_t *at = bsearch(&label, self->table, self->n_table,
                                 sizeof self->table[0], compare_labels);

    return (size_t)(at - self->table);
}

static void
put_values(const Brick *self, unsigned bits, GByteArray *out)
{
    uint32_t word = 0;
    unsigned used = 0;

    for (size_t i = 0; bits > 0 && i < self->n; i++) {
        word |= (uint32_t)find_index(self, self->labels[i]) << used;
        used += bits;
        if (used == 32 || i + 1 == self->n) {
            put_word(out, word);
            word = 0;
            used = 0;
        }
    }
}

/* Where the table stands in words; bricks of equal tables share one. */
static uint32_t
put_table(const Brick *self, size_t label_bytes, GHashTable *tables,
          GByteArray *out, size_t start)
{
    GByteArray *bytes = g_byte_array_new();

    for (size_t i = 0; i < self->n_table; i++) {
        put_word(bytes, (uint32_t)self->table[i]);
        if (label_bytes == 8)
            put_word(bytes, (uint32_t)(self->table[i] >> 32));
    }
    GBytes *key = g_byte_array_free_to_bytes(bytes);
    void *found;
    if (g_hash_table_lookup_extended(tables, key, NULL, &found)) {
        g_bytes_unref(key);
        return GPOINTER_TO_UINT(found);
    }
    uint32_t at = (uint32_t)((out->len - start) / 4);
    g_byte_array_append(out, g_bytes_get_data(key, NULL),
                        (guint)g_bytes_get_size(key));
    g_hash_table_insert(tables, key, GUINT_TO_POINTER(at));
    return at;
}

static unsigned
bits_for(size_t n)
{
    unsigned bits = 0;

    while (bits < 32 && n > (size_t)1 << bits)
        bits = bits == 0 ? 1 : bits * 2;
    return bits;
}

GByteArray *
cx_compressed_seg_encode(const void *src, CxVoxel size, CxVoxel brick,
                         size_t label_bytes)
{
    CxBox bounds = cx_box_of_size(size);
    CxVoxel n = cx_box_chunks(bounds, brick).hi;
    size_t n_bricks = (size_t)(n.x * n.y * n.z), start = 4;
    size_t n_labels = (size_t)(brick.x * brick.y * brick.z);
    g_autofree uint64_t *labels = g_new(uint64_t, n_labels);
    g_autofree uint64_t *table = g_new(uint64_t, n_labels);
    g_autoptr(GHashTable) tables = g_hash_table_new_full(
        g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    g_autoptr(GByteArray) out = g_byte_array_new();
    Brick one = {.labels = labels, .table = table};

    put_word(out, 1); /* the only channel begins at word 1 */
    g_byte_array_set_size(out, (guint)(start + n_bricks * 8));
    for (size_t i = 0; i < n_bricks; i++) {
        CxChunkIdx idx = {(int64_t)i % n.x, (int64_t)i / n.x % n.y,
                          (int64_t)i / n.x / n.y};

        take_brick(&one, src, cx_chunk_box_clipped(idx, brick, bounds), size,
                   brick, label_bytes);
        unsigned bits = bits_for(one.n_table);
        uint32_t values = (uint32_t)((out->len - start) / 4);
        put_values(&one, bits, out);
        uint32_t at = put_table(&one, label_bytes, tables, out, start);
        if (at >= MAX_TABLE_OFFSET)
            return NULL;
        uint32_t header[2] = {GUINT32_TO_LE(at | bits << 24),
                              GUINT32_TO_LE(values)};
        memcpy(out->data + start + i * 8, header, 8);
    }
    return g_steal_pointer(&out);
}
