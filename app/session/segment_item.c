/* One row of the segment list.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "app/session/segment_item.h"

struct _CxuiSegmentItem {
    GObject parent;
    CxId id;
    uint64_t n_voxels;
    unsigned n_supervoxels;
    double voxel_um3;
    char *note;
    bool locked;
};

enum {
    PROPERTY_ID = 1,
    PROPERTY_NOTE,
    PROPERTY_LOCKED,
    PROPERTY_VOXELS,
    N_PROPERTIES,
};

static GParamSpec *specs[N_PROPERTIES];

G_DEFINE_FINAL_TYPE(CxuiSegmentItem, cxui_segment_item, G_TYPE_OBJECT)

static void
get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    CxuiSegmentItem *self = CXUI_SEGMENT_ITEM(object);

    switch (id) {
    case PROPERTY_ID:
        g_value_set_uint64(value, self->id);
        break;
    case PROPERTY_NOTE:
        g_value_set_string(value, self->note);
        break;
    case PROPERTY_LOCKED:
        g_value_set_boolean(value, self->locked);
        break;
    case PROPERTY_VOXELS:
        g_value_set_uint64(value, self->n_voxels);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void
finalize(GObject *object)
{
    g_free(CXUI_SEGMENT_ITEM(object)->note);
    G_OBJECT_CLASS(cxui_segment_item_parent_class)->finalize(object);
}

static void
cxui_segment_item_class_init(CxuiSegmentItemClass *class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(class);
    GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object_class->get_property = get_property;
    object_class->finalize = finalize;
    specs[PROPERTY_ID] =
        g_param_spec_uint64("id", NULL, NULL, 0, G_MAXUINT64, 0, flags);
    specs[PROPERTY_NOTE] = g_param_spec_string("note", NULL, NULL, "", flags);
    specs[PROPERTY_LOCKED] =
        g_param_spec_boolean("locked", NULL, NULL, FALSE, flags);
    specs[PROPERTY_VOXELS] =
        g_param_spec_uint64("voxels", NULL, NULL, 0, G_MAXUINT64, 0, flags);
    g_object_class_install_properties(object_class, N_PROPERTIES, specs);
}

static void
cxui_segment_item_init(CxuiSegmentItem *self)
{
    self->note = g_strdup("");
}

CxuiSegmentItem *
cxui_segment_item_new(CxId id, double voxel_um3)
{
    CxuiSegmentItem *self = g_object_new(CXUI_TYPE_SEGMENT_ITEM, NULL);

    self->id = id;
    self->voxel_um3 = voxel_um3;
    return self;
}

void
cxui_segment_item_set_size(CxuiSegmentItem *self, uint64_t n_voxels,
                           unsigned n_supervoxels)
{
    if (n_voxels == self->n_voxels && n_supervoxels == self->n_supervoxels)
        return;
    self->n_voxels = n_voxels;
    self->n_supervoxels = n_supervoxels;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_VOXELS]);
}

void
cxui_segment_item_set_note(CxuiSegmentItem *self, const char *note)
{
    if (g_strcmp0(note, self->note) == 0)
        return;
    g_free(self->note);
    self->note = g_strdup(note != NULL ? note : "");
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_NOTE]);
}

void
cxui_segment_item_set_locked(CxuiSegmentItem *self, bool locked)
{
    if (locked == self->locked)
        return;
    self->locked = locked;
    g_object_notify_by_pspec(G_OBJECT(self), specs[PROPERTY_LOCKED]);
}

CxId
cxui_segment_item_id(CxuiSegmentItem *self)
{
    return self->id;
}

uint64_t
cxui_segment_item_n_voxels(CxuiSegmentItem *self)
{
    return self->n_voxels;
}

unsigned
cxui_segment_item_n_supervoxels(CxuiSegmentItem *self)
{
    return self->n_supervoxels;
}

double
cxui_segment_item_volume_um3(CxuiSegmentItem *self)
{
    return (double)self->n_voxels * self->voxel_um3;
}

const char *
cxui_segment_item_note(CxuiSegmentItem *self)
{
    return self->note;
}

bool
cxui_segment_item_is_locked(CxuiSegmentItem *self)
{
    return self->locked;
}
