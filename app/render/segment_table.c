/* Label → index → segment, colour, flags; see segment_table.h.
 *
 * Labels of one segment are chained through their entries, so that a flag or
 * a colour that changes rewrites just these.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/segment_table.h"

#include "core/base/hash64.h"

#define N_FLAGS 4

/* One label. */
typedef struct {
    CxId label;
    uint32_t segment;    /* number in segments; 0 = background */
    uint32_t prev, next; /* others of the segment; 0 ends the chain */
    uint8_t side;
} Entry;

typedef struct {
    CxId id;
    CxId colour_key;
    CxglColour own_colour; /* alpha 0 = by key */
    uint32_t first;        /* entry */
    uint8_t flags;
} Segment;

typedef struct {
    uint32_t *words;
    uint64_t version;
} Row;

struct CxglSegmentTable {
    CxglResolveFunc resolve;
    void *resolve_data;
    CxglPalette palette;
    CxHash64 *index_of_label;
    CxHash64 *number_of_segment;
    GArray *entries;          /* Entry; 0 is the background */
    GArray *segments;         /* Segment; 0 is the background */
    GArray *flagged[N_FLAGS]; /* numbers of segments that have flag 1 << i */
    GArray *sided;            /* entries with a side */
    CxHash64 *pending_sides;  /* label → side, for labels not seen yet */
    GArray *rows;             /* Row */
    uint64_t version;
};

static Entry *
entry_at(const CxglSegmentTable *table, uint32_t index)
{
    return &g_array_index(table->entries, Entry, index);
}

static Segment *
segment_at(const CxglSegmentTable *table, uint32_t number)
{
    return &g_array_index(table->segments, Segment, number);
}

static void
free_row(void *data)
{
    g_free(((Row *)data)->words);
}

CxglSegmentTable *
cxgl_segment_table_new(CxglResolveFunc resolve, void *data)
{
    CxglSegmentTable *table = g_new0(CxglSegmentTable, 1);
    Entry background = {0};
    Segment nothing = {0};

    table->resolve = resolve;
    table->resolve_data = data;
    table->index_of_label = cx_hash64_new(1024);
    table->number_of_segment = cx_hash64_new(1024);
    table->pending_sides = cx_hash64_new(16);
    table->entries = g_array_new(FALSE, TRUE, sizeof(Entry));
    table->segments = g_array_new(FALSE, TRUE, sizeof(Segment));
    table->rows = g_array_new(FALSE, TRUE, sizeof(Row));
    g_array_set_clear_func(table->rows, free_row);
    table->sided = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (int i = 0; i < N_FLAGS; i++)
        table->flagged[i] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_array_append_val(table->entries, background);
    g_array_append_val(table->segments, nothing);

    Row row = {g_new0(uint32_t, 2 * CXGL_TABLE_WIDTH), ++table->version};
    g_array_append_val(table->rows, row);
    return table;
}

void
cxgl_segment_table_free(CxglSegmentTable *table)
{
    if (table == NULL)
        return;
    cx_hash64_free(table->index_of_label);
    cx_hash64_free(table->number_of_segment);
    cx_hash64_free(table->pending_sides);
    g_array_unref(table->entries);
    g_array_unref(table->segments);
    g_array_unref(table->rows);
    g_array_unref(table->sided);
    for (int i = 0; i < N_FLAGS; i++)
        g_array_unref(table->flagged[i]);
    g_free(table);
}

static CxglColour
colour_of(const CxglSegmentTable *table, const Segment *segment)
{
    if (segment->own_colour.a > 0)
        return segment->own_colour;
    return cxgl_colour_of_id(table->palette, segment->colour_key);
}

/* Number of a segment, made when it is new. */
static uint32_t
intern_segment(CxglSegmentTable *table, CxId id)
{
    bool was_new;
    uint64_t *number;

    if (id == 0)
        return 0;
    number = cx_hash64_at(table->number_of_segment, id, table->segments->len,
                          &was_new);
    if (was_new) {
        Segment segment = {.id = id, .colour_key = id};
        g_array_append_val(table->segments, segment);
    }
    return (uint32_t)*number;
}

static const Segment *
find_segment(const CxglSegmentTable *table, CxId id)
{
    uint64_t number;

    if (id == 0 || !cx_hash64_get(table->number_of_segment, id, &number))
        return NULL;
    return segment_at(table, (uint32_t)number);
}

/* The texels of one entry. */
static void
write_entry(CxglSegmentTable *table, uint32_t index)
{
    const Entry *entry = entry_at(table, index);
    const Segment *segment = segment_at(table, entry->segment);
    uint32_t r = index / CXGL_TABLE_WIDTH;
    uint32_t words[2] = {0, 0};
    Row *row;

    while (r >= table->rows->len) {
        Row fresh = {g_new0(uint32_t, 2 * CXGL_TABLE_WIDTH), 0};
        g_array_append_val(table->rows, fresh);
    }
    if (entry->segment != 0) {
        CxglColour colour =
            entry->side != CXGL_SIDE_NONE
                ? cxgl_segment_table_side_colour((CxglSide)entry->side)
                : colour_of(table, segment);
        uint32_t bits = segment->flags & (CXGL_ENTRY_SELECTED |
                                          CXGL_ENTRY_HIDDEN | CXGL_ENTRY_HOVER);

        if (entry->side != CXGL_SIDE_NONE)
            bits |= CXGL_ENTRY_SIDE;
        words[0] = entry->segment;
        words[1] = (uint32_t)colour.r | (uint32_t)colour.g << 8 |
                   (uint32_t)colour.b << 16 | bits << 24;
    }
    row = &g_array_index(table->rows, Row, r);
    uint32_t *place = row->words + 2 * (index % CXGL_TABLE_WIDTH);
    if (place[0] == words[0] && place[1] == words[1])
        return;
    place[0] = words[0];
    place[1] = words[1];
    row->version = ++table->version;
}

static void
write_segment(CxglSegmentTable *table, uint32_t number)
{
    for (uint32_t i = segment_at(table, number)->first; i != 0;
         i = entry_at(table, i)->next)
        write_entry(table, i);
}

static void
unlink_entry(CxglSegmentTable *table, uint32_t index)
{
    Entry *entry = entry_at(table, index);

    if (entry->segment == 0)
        return;
    if (entry->prev != 0)
        entry_at(table, entry->prev)->next = entry->next;
    else
        segment_at(table, entry->segment)->first = entry->next;
    if (entry->next != 0)
        entry_at(table, entry->next)->prev = entry->prev;
    entry->prev = entry->next = 0;
    entry->segment = 0;
}

static void
link_entry(CxglSegmentTable *table, uint32_t index, CxId segment_id)
{
    uint32_t number = intern_segment(table, segment_id);
    Entry *entry = entry_at(table, index);

    if (entry->segment != number) {
        unlink_entry(table, index);
        entry->segment = number;
        if (number != 0) {
            Segment *segment = segment_at(table, number);

            entry->next = segment->first;
            if (entry->next != 0)
                entry_at(table, entry->next)->prev = index;
            segment->first = index;
        }
    }
    write_entry(table, index);
}

static CxId
resolve_one(CxglSegmentTable *table, CxId label)
{
    CxId segment = label;

    if (table->resolve != NULL)
        table->resolve(table->resolve_data, &label, &segment, 1);
    return segment;
}

static void
set_entry_side(CxglSegmentTable *table, uint32_t index, CxglSide side)
{
    Entry *entry = entry_at(table, index);

    if (entry->side == CXGL_SIDE_NONE && side != CXGL_SIDE_NONE)
        g_array_append_val(table->sided, index);
    entry->side = (uint8_t)side;
    write_entry(table, index);
}

uint32_t
cxgl_segment_table_index(CxglSegmentTable *table, CxId label)
{
    bool was_new;
    uint64_t index, side;

    if (label == 0)
        return 0;
    index = *cx_hash64_at(table->index_of_label, label, table->entries->len,
                          &was_new);
    if (was_new) {
        Entry entry = {.label = label};

        g_array_append_val(table->entries, entry);
        link_entry(table, (uint32_t)index, resolve_one(table, label));
        if (cx_hash64_get(table->pending_sides, label, &side))
            set_entry_side(table, (uint32_t)index, (CxglSide)side);
    }
    return (uint32_t)index;
}

void
cxgl_segment_table_map(CxglSegmentTable *table, const CxId *labels, size_t step,
                       size_t n, uint32_t *indices)
{
    CxId last = 0;
    uint32_t index = 0;

    for (size_t i = 0; i < n; i++) {
        CxId label = labels[i * step];

        if (label != last) {
            index = cxgl_segment_table_index(table, label);
            last = label;
        }
        indices[i] = index;
    }
}

uint32_t
cxgl_segment_table_n_entries(const CxglSegmentTable *table)
{
    return table->entries->len;
}

CxId
cxgl_segment_table_label(const CxglSegmentTable *table, uint32_t index)
{
    return index < table->entries->len ? entry_at(table, index)->label : 0;
}

CxId
cxgl_segment_table_segment(const CxglSegmentTable *table, uint32_t index)
{
    if (index >= table->entries->len)
        return 0;
    return segment_at(table, entry_at(table, index)->segment)->id;
}

void
cxgl_segment_table_refresh(CxglSegmentTable *table, const CxId *labels,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t index;

        if (labels[i] != 0 &&
            cx_hash64_get(table->index_of_label, labels[i], &index))
            link_entry(table, (uint32_t)index, resolve_one(table, labels[i]));
    }
}

void
cxgl_segment_table_refresh_all(CxglSegmentTable *table)
{
    uint32_t n = table->entries->len;
    g_autofree CxId *labels = g_new(CxId, n);
    g_autofree CxId *segments = g_new(CxId, n);

    if (table->resolve == NULL || n <= 1)
        return;
    for (uint32_t i = 1; i < n; i++)
        labels[i] = entry_at(table, i)->label;
    table->resolve(table->resolve_data, labels + 1, segments + 1, n - 1);
    for (uint32_t i = 1; i < n; i++)
        link_entry(table, i, segments[i]);
}

void
cxgl_segment_table_set_palette(CxglSegmentTable *table, CxglPalette palette)
{
    if (table->palette == palette)
        return;
    table->palette = palette;
    for (uint32_t i = 1; i < table->entries->len; i++)
        write_entry(table, i);
    table->version++;
}

static int
bit_of(CxglSegmentFlags flag)
{
    int bit = 0;

    while (bit < N_FLAGS && (flag >> bit) != 1)
        bit++;
    g_assert(bit < N_FLAGS);
    return bit;
}

static void
write_flag(CxglSegmentTable *table, uint32_t number, CxglSegmentFlags flag,
           bool on)
{
    Segment *segment = segment_at(table, number);
    unsigned flags = on ? segment->flags | flag : segment->flags & ~flag;

    if (flags == segment->flags)
        return;
    segment->flags = (uint8_t)flags;
    table->version++;
    write_segment(table, number);
}

void
cxgl_segment_table_set_flag(CxglSegmentTable *table, CxglSegmentFlags flag,
                            CxId segment, bool on)
{
    GArray *list = table->flagged[bit_of(flag)];
    uint32_t number = intern_segment(table, segment);

    if (number == 0 || on == ((segment_at(table, number)->flags & flag) != 0))
        return;
    if (on)
        g_array_append_val(list, number);
    for (guint i = 0; !on && i < list->len; i++)
        if (g_array_index(list, uint32_t, i) == number)
            g_array_remove_index_fast(list, i--);
    write_flag(table, number, flag, on);
}

void
cxgl_segment_table_set_flagged(CxglSegmentTable *table, CxglSegmentFlags flag,
                               const CxId *segments, size_t n)
{
    int bit = bit_of(flag);
    GArray *old = table->flagged[bit];
    g_autoptr(CxHash64) keep = cx_hash64_new(n);

    table->flagged[bit] = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        uint32_t number = intern_segment(table, segments[i]);
        bool was_new = false;

        if (number != 0)
            cx_hash64_at(keep, number, 1, &was_new);
        if (was_new)
            g_array_append_val(table->flagged[bit], number);
    }
    for (guint i = 0; i < old->len; i++) {
        uint32_t number = g_array_index(old, uint32_t, i);
        uint64_t kept;

        if (!cx_hash64_get(keep, number, &kept))
            write_flag(table, number, flag, false);
    }
    for (guint i = 0; i < table->flagged[bit]->len; i++)
        write_flag(table, g_array_index(table->flagged[bit], uint32_t, i), flag,
                   true);
    g_array_unref(old);
}

unsigned
cxgl_segment_table_flags(const CxglSegmentTable *table, CxId segment)
{
    const Segment *found = find_segment(table, segment);

    return found != NULL ? found->flags : 0;
}

size_t
cxgl_segment_table_n_flagged(const CxglSegmentTable *table,
                             CxglSegmentFlags flag)
{
    return table->flagged[bit_of(flag)]->len;
}

void
cxgl_segment_table_set_side(CxglSegmentTable *table, const CxId *labels,
                            size_t n, CxglSide side)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t index;

        if (labels[i] == 0)
            continue;
        cx_hash64_set(table->pending_sides, labels[i], side);
        if (cx_hash64_get(table->index_of_label, labels[i], &index))
            set_entry_side(table, (uint32_t)index, side);
    }
    table->version++;
}

void
cxgl_segment_table_clear_sides(CxglSegmentTable *table)
{
    for (guint i = 0; i < table->sided->len; i++) {
        uint32_t index = g_array_index(table->sided, uint32_t, i);

        entry_at(table, index)->side = CXGL_SIDE_NONE;
        write_entry(table, index);
    }
    if (cx_hash64_size(table->pending_sides) > 0) {
        cx_hash64_free(table->pending_sides);
        table->pending_sides = cx_hash64_new(16);
        table->version++;
    }
    g_array_set_size(table->sided, 0);
}

CxglSide
cxgl_segment_table_side(const CxglSegmentTable *table, CxId label)
{
    uint64_t side;

    if (label == 0 || !cx_hash64_get(table->pending_sides, label, &side))
        return CXGL_SIDE_NONE;
    return (CxglSide)side;
}

/* A light blue and an orange: far apart for every kind of eye. */
CxglColour
cxgl_segment_table_side_colour(CxglSide side)
{
    switch (side) {
    case CXGL_SIDE_A:
        return (CxglColour){64, 170, 255, 255};
    case CXGL_SIDE_B:
        return (CxglColour){255, 150, 40, 255};
    case CXGL_SIDE_NONE:
        break;
    }
    return (CxglColour){0, 0, 0, 0};
}

void
cxgl_segment_table_set_colour_key(CxglSegmentTable *table, CxId segment,
                                  CxId key)
{
    uint32_t number = intern_segment(table, segment);

    if (number == 0 || segment_at(table, number)->colour_key == key)
        return;
    segment_at(table, number)->colour_key = key;
    table->version++;
    write_segment(table, number);
}

void
cxgl_segment_table_set_colour(CxglSegmentTable *table, CxId segment,
                              CxglColour colour)
{
    uint32_t number = intern_segment(table, segment);

    if (number == 0)
        return;
    segment_at(table, number)->own_colour = colour;
    table->version++;
    write_segment(table, number);
}

CxglColour
cxgl_segment_table_colour(const CxglSegmentTable *table, CxId segment)
{
    const Segment *found = find_segment(table, segment);

    if (found != NULL)
        return colour_of(table, found);
    return cxgl_colour_of_id(table->palette, segment);
}

uint64_t
cxgl_segment_table_version(const CxglSegmentTable *table)
{
    return table->version;
}

uint32_t
cxgl_segment_table_n_rows(const CxglSegmentTable *table)
{
    return table->rows->len;
}

const uint32_t *
cxgl_segment_table_row(const CxglSegmentTable *table, uint32_t row,
                       uint64_t *row_version)
{
    const Row *found = &g_array_index(table->rows, Row, row);

    *row_version = found->version;
    return found->words;
}
