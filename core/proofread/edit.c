/* One change of the segmentation, as plain data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/proofread/edit.h"

#include "core/base/error.h"

static const char *const kind_names[] = {
    [CX_EDIT_MERGE] = "merge",       [CX_EDIT_SPLIT] = "split",
    [CX_EDIT_NOTE] = "note",         [CX_EDIT_LOCK] = "lock",
    [CX_EDIT_PAINT] = "paint",       [CX_EDIT_REVERT] = "revert",
    [CX_EDIT_ANNOTATE] = "annotate",
};

static int
compare_ids(const void *a, const void *b)
{
    CxId left = *(const CxId *)a, right = *(const CxId *)b;

    return left < right ? -1 : left > right;
}

static void
clear_move(void *data)
{
    CxMove *move = data;

    g_array_unref(move->supervoxels);
}

CxEdit *
cx_edit_new(CxEditKind kind)
{
    CxEdit *edit = g_new0(CxEdit, 1);

    edit->kind = kind;
    edit->moves = g_array_new(FALSE, FALSE, sizeof(CxMove));
    g_array_set_clear_func(edit->moves, clear_move);
    return edit;
}

void
cx_edit_free(CxEdit *edit)
{
    if (edit == NULL)
        return;
    g_array_unref(edit->moves);
    cx_patch_free(edit->patch);
    g_clear_pointer(&edit->changes, g_bytes_unref);
    g_free(edit->author);
    g_free(edit->text);
    g_free(edit->old_text);
    g_free(edit->sentence);
    g_free(edit);
}

const char *
cx_edit_kind_name(CxEditKind kind)
{
    return kind_names[kind];
}

bool
cx_edit_kind_from_name(const char *name, CxEditKind *kind)
{
    for (guint i = 0; i < G_N_ELEMENTS(kind_names); i++) {
        if (g_strcmp0(name, kind_names[i]) == 0) {
            *kind = (CxEditKind)i;
            return true;
        }
    }
    return false;
}

void
cx_edit_add_move(CxEdit *edit, CxId from, CxId to, GArray *supervoxels)
{
    CxMove move = {from, to, supervoxels};

    g_array_sort(supervoxels, compare_ids);
    g_array_append_val(edit->moves, move);
}

void
cx_edit_take_patch(CxEdit *edit, CxPatch *patch)
{
    cx_patch_free(edit->patch);
    edit->patch = patch;
    edit->box = patch->box;
}

static void
append_segment(GArray *segments, CxId id)
{
    if (id != 0)
        g_array_append_val(segments, id);
}

static void
append_patched(GArray *segments, const CxPatch *patch)
{
    for (int side = 0; side < 2; side++) {
        const GArray *nodes = patch->nodes[side];

        for (guint i = 0; i < nodes->len; i++)
            append_segment(segments,
                           g_array_index(nodes, CxPatchNode, i).segment);
    }
}

GArray *
cx_edit_segments(const CxEdit *edit)
{
    GArray *segments = g_array_new(FALSE, FALSE, sizeof(CxId));
    guint n_unique = 0;

    for (guint i = 0; i < edit->moves->len; i++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, i);

        append_segment(segments, move->from);
        append_segment(segments, move->to);
    }
    if (edit->patch != NULL)
        append_patched(segments, edit->patch);
    if (edit->kind != CX_EDIT_ANNOTATE)
        append_segment(segments, edit->segment);
    g_array_sort(segments, compare_ids);
    for (guint i = 0; i < segments->len; i++) {
        CxId id = g_array_index(segments, CxId, i);

        if (n_unique == 0 || g_array_index(segments, CxId, n_unique - 1) != id)
            g_array_index(segments, CxId, n_unique++) = id;
    }
    g_array_set_size(segments, n_unique);
    return segments;
}

static void
put_varint(GByteArray *bytes, uint64_t value)
{
    uint8_t out[10];
    guint n = 0;

    while (value >= 0x80) {
        out[n++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (uint8_t)value;
    g_byte_array_append(bytes, out, n);
}

GByteArray *
cx_edit_encode_moves(const CxEdit *edit)
{
    GByteArray *bytes = g_byte_array_new();

    put_varint(bytes, edit->moves->len);
    for (guint i = 0; i < edit->moves->len; i++) {
        const CxMove *move = &g_array_index(edit->moves, CxMove, i);
        CxId last = 0;

        put_varint(bytes, move->from);
        put_varint(bytes, move->to);
        put_varint(bytes, move->supervoxels->len);
        for (guint k = 0; k < move->supervoxels->len; k++) {
            CxId id = g_array_index(move->supervoxels, CxId, k);

            put_varint(bytes, id - last);
            last = id;
        }
    }
    return bytes;
}

typedef struct {
    const uint8_t *next, *end;
} Bytes;

static bool
get_varint(Bytes *bytes, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (bytes->next == bytes->end)
            return false;
        uint8_t byte = *bytes->next++;

        if (shift == 63 && byte > 1)
            return false;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static GArray *
get_ids(Bytes *bytes, uint64_t n)
{
    /* Each id takes a byte or more: a bound that no odd count can pass. */
    if (n > (uint64_t)(bytes->end - bytes->next))
        return NULL;

    g_autoptr(GArray) ids =
        g_array_sized_new(FALSE, FALSE, sizeof(CxId), (guint)n);
    CxId last = 0;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t step;

        if (!get_varint(bytes, &step) || step == 0 || step > UINT64_MAX - last)
            return NULL;
        last += step;
        g_array_append_val(ids, last);
    }
    return g_steal_pointer(&ids);
}

bool
cx_edit_decode_moves(CxEdit *edit, const uint8_t *data, size_t n_bytes,
                     GError **error)
{
    Bytes bytes = {data, data + n_bytes};
    guint n_before = edit->moves->len;
    uint64_t n_moves = 0;
    bool whole = get_varint(&bytes, &n_moves);

    for (uint64_t i = 0; whole && i < n_moves; i++) {
        uint64_t from, to, n;
        GArray *ids = NULL;

        if (get_varint(&bytes, &from) && get_varint(&bytes, &to) &&
            get_varint(&bytes, &n))
            ids = get_ids(&bytes, n);
        if (ids != NULL)
            cx_edit_add_move(edit, from, to, ids);
        whole = ids != NULL;
    }
    if (whole && bytes.next == bytes.end)
        return true;
    g_array_set_size(edit->moves, n_before);
    g_set_error(
        error, CX_ERROR, CX_ERROR_FORMAT,
        "the list of moved supervoxels is damaged at byte %" G_GSIZE_FORMAT
        " of %" G_GSIZE_FORMAT,
        (gsize)(bytes.next - data), (gsize)n_bytes);
    return false;
}
