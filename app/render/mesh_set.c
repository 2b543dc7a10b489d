/* Surfaces by id; see mesh_set.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/render/mesh_set.h"

#include <math.h>

typedef struct {
    CxId id;
    CxglMeshData *data;
    CxglMeshBuffers buffers;
    bool is_filled;
    CxglMeshLook look;
} Item;

struct CxglMeshSet {
    GHashTable *items; /* id (in the item) → Item */
    GArray *dead;      /* CxglMeshBuffers to delete */
};

static void
free_item(void *data)
{
    Item *item = data;

    cxgl_mesh_data_unref(item->data);
    g_free(item);
}

CxglMeshSet *
cxgl_mesh_set_new(void)
{
    CxglMeshSet *set = g_new0(CxglMeshSet, 1);

    set->items =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_item);
    set->dead = g_array_new(FALSE, FALSE, sizeof(CxglMeshBuffers));
    return set;
}

static void
bury(CxglMeshSet *set)
{
    for (guint i = 0; i < set->dead->len; i++)
        cxgl_mesh_buffers_clear(&g_array_index(set->dead, CxglMeshBuffers, i));
    g_array_set_size(set->dead, 0);
}

void
cxgl_mesh_set_free(CxglMeshSet *set)
{
    if (set == NULL)
        return;
    cxgl_mesh_set_remove_all(set);
    bury(set);
    g_hash_table_unref(set->items);
    g_array_unref(set->dead);
    g_free(set);
}

void
cxgl_mesh_set_sync(CxglMeshSet *set)
{
    GHashTableIter iter;
    void *value;

    bury(set);
    g_hash_table_iter_init(&iter, set->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        Item *item = value;

        if (item->is_filled)
            continue;
        cxgl_mesh_buffers_fill(&item->buffers, item->data);
        item->is_filled = true;
    }
}

static Item *
find(const CxglMeshSet *set, CxId id)
{
    return g_hash_table_lookup(set->items, &id);
}

void
cxgl_mesh_set_put(CxglMeshSet *set, CxId id, CxglMeshData *data)
{
    Item *item = find(set, id);

    if (item == NULL) {
        item = g_new0(Item, 1);
        item->id = id;
        item->look.colour = cxgl_colour_of_id(CXGL_PALETTE_EVEN, id);
        g_hash_table_insert(set->items, &item->id, item);
    }
    cxgl_mesh_data_ref(data);
    cxgl_mesh_data_unref(item->data);
    item->data = data;
    item->is_filled = false;
}

void
cxgl_mesh_set_remove(CxglMeshSet *set, CxId id)
{
    Item *item = find(set, id);

    if (item == NULL)
        return;
    g_array_append_val(set->dead, item->buffers);
    g_hash_table_remove(set->items, &id);
}

void
cxgl_mesh_set_remove_all(CxglMeshSet *set)
{
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, set->items);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_array_append_val(set->dead, ((Item *)value)->buffers);
    g_hash_table_remove_all(set->items);
}

CxglMeshLook *
cxgl_mesh_set_look(CxglMeshSet *set, CxId id)
{
    Item *item = find(set, id);

    return item != NULL ? &item->look : NULL;
}

size_t
cxgl_mesh_set_size(const CxglMeshSet *set)
{
    return g_hash_table_size(set->items);
}

bool
cxgl_mesh_set_bounds(const CxglMeshSet *set, CxNm *lo, CxNm *hi)
{
    GHashTableIter iter;
    bool any = false;
    void *value;

    g_hash_table_iter_init(&iter, set->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Item *item = value;
        CxNm a, b;

        if (item->look.hidden || !cxgl_mesh_data_bounds(item->data, &a, &b))
            continue;
        if (!any) {
            *lo = a;
            *hi = b;
        }
        any = true;
        *lo = (CxNm){fmin(lo->x, a.x), fmin(lo->y, a.y), fmin(lo->z, a.z)};
        *hi = (CxNm){fmax(hi->x, b.x), fmax(hi->y, b.y), fmax(hi->z, b.z)};
    }
    return any;
}

size_t
cxgl_mesh_set_gpu_bytes(const CxglMeshSet *set)
{
    GHashTableIter iter;
    size_t bytes = 0;
    void *value;

    g_hash_table_iter_init(&iter, set->items);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        bytes += cxgl_mesh_data_size_bytes(((Item *)value)->data);
    return bytes;
}

uint32_t
cxgl_mesh_set_draw(CxglMeshSet *set, bool see_through, bool coarse,
                   const CxglOrbitCamera *camera, const CxglMat4 *clip_from_eye,
                   CxglMeshSetup setup, void *data)
{
    CxglMat4 view = cxgl_orbit_camera_view(camera);
    uint32_t n_drawn = 0;
    GHashTableIter iter;
    void *value;

    g_hash_table_iter_init(&iter, set->items);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Item *item = value;
        CxNm origin = cxgl_mesh_data_origin(item->data);
        CxglMat4 moved, eye, clip;

        if (item->look.hidden || (item->look.colour.a < 255) != see_through)
            continue;
        moved = cxgl_mat4_translation(origin.x - camera->focus.x,
                                      origin.y - camera->focus.y,
                                      origin.z - camera->focus.z);
        eye = cxgl_mat4_multiply(&view, &moved);
        clip = cxgl_mat4_multiply(clip_from_eye, &eye);
        setup(item->id, &item->look, &eye, data);
        n_drawn +=
            cxgl_mesh_buffers_draw(&item->buffers, item->data, coarse, &clip);
    }
    return n_drawn;
}
