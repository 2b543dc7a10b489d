/* What the user has picked: segments, the tool in hand, seeds in progress, and
 * colours other than the palette's.
 *
 * Selected ids keep the order of picking; the first one gives a merge its id
 * and colour.  Every change of the selected set is remembered, so that a
 * deselection by accident can be taken back.  Main thread only.
 *
 * Properties: tool (uint, CxuiTool, read-write), hover (uint64, read-write),
 * can-go-back, can-go-forward (boolean).
 * Signals: changed(guint flags of CxuiSelectionChange).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/geometry.h"

#include <gio/gio.h>

typedef enum {
    CXUI_TOOL_POINTER,
    CXUI_TOOL_MERGE,
    CXUI_TOOL_SPLIT,
} CxuiTool;

typedef enum {
    CXUI_SIDE_A, /* the source: keeps its place */
    CXUI_SIDE_B, /* the sink: is cut off */
} CxuiSide;

typedef enum {
    CXUI_SELECTION_IDS = 1 << 0,
    CXUI_SELECTION_HIDDEN = 1 << 1,
    CXUI_SELECTION_HOVER = 1 << 2,
    CXUI_SELECTION_TOOL = 1 << 3,
    CXUI_SELECTION_SEEDS = 1 << 4,
    CXUI_SELECTION_PREVIEW = 1 << 5,
    CXUI_SELECTION_COLOURS = 1 << 6,
} CxuiSelectionChange;

/* A segment that was recoloured shows the colour another id would have. */
typedef struct {
    CxId segment, key;
} CxuiRecolour;

typedef struct {
    CxVoxel at;
    CxuiSide side;
    unsigned pane; /* where it was set: 0 xy, 1 xz, 2 yz, 3 scene */
} CxuiSeed;

typedef enum {
    CXUI_PREVIEW_NONE,
    CXUI_PREVIEW_COMPUTING,
    CXUI_PREVIEW_READY,
    CXUI_PREVIEW_FAILED,
} CxuiPreviewState;

#define CXUI_TYPE_SELECTION (cxui_selection_get_type())
G_DECLARE_FINAL_TYPE(CxuiSelection, cxui_selection, CXUI, SELECTION, GObject)

CxuiSelection *cxui_selection_new(void);

/* Ids in order of picking; borrowed until the next change. */
const CxId *cxui_selection_ids(CxuiSelection *self, size_t *n);
bool cxui_selection_contains(CxuiSelection *self, CxId id);

/* The last picked id, or 0. */
CxId cxui_selection_current(CxuiSelection *self);

/* Id 0 is ignored (select: clears). */
void cxui_selection_select(CxuiSelection *self, CxId id); /* only this one */
void cxui_selection_add(CxuiSelection *self, CxId id);
void cxui_selection_remove(CxuiSelection *self, CxId id);
void cxui_selection_toggle(CxuiSelection *self, CxId id);
void cxui_selection_set(CxuiSelection *self, const CxId *ids, size_t n);
void cxui_selection_clear(CxuiSelection *self);

/* Through the selections there were. */
bool cxui_selection_go_back(CxuiSelection *self);
bool cxui_selection_go_forward(CxuiSelection *self);

/* Hidden segments are drawn nowhere; hidden is not forgotten. */
bool cxui_selection_is_hidden(CxuiSelection *self, CxId id);
void cxui_selection_set_hidden(CxuiSelection *self, CxId id, bool hidden);
void cxui_selection_show_all(CxuiSelection *self);
const CxId *cxui_selection_hidden(CxuiSelection *self, size_t *n);

/* Gives segments the next colour; those that are gone keep theirs, for an undo
 * may bring them back. */
void cxui_selection_recolour(CxuiSelection *self, const CxId *ids, size_t n);
const CxuiRecolour *cxui_selection_recoloured(CxuiSelection *self, size_t *n);

/* Segment under the pointer, 0 = none. */
CxId cxui_selection_hover(CxuiSelection *self);
void cxui_selection_set_hover(CxuiSelection *self, CxId id);

/* Another tool drops seeds and preview. */
CxuiTool cxui_selection_tool(CxuiSelection *self);
void cxui_selection_set_tool(CxuiSelection *self, CxuiTool tool);

/* Seeds of a split, in order of setting; borrowed until the next change. */
const CxuiSeed *cxui_selection_seeds(CxuiSelection *self, size_t *n);

/* False (nothing happens) if a seed is at that voxel already. */
bool cxui_selection_add_seed(CxuiSelection *self, CxuiSeed seed);
bool cxui_selection_remove_last_seed(CxuiSelection *self);
void cxui_selection_clear_seeds(CxuiSelection *self);

/* The segment the seeds are meant to cut: set with the first seed. */
CxId cxui_selection_split_segment(CxuiSelection *self);
void cxui_selection_set_split_segment(CxuiSelection *self, CxId segment);

/* What a split with these seeds would cut off (supervoxels of side B, sorted;
 * the former ones while COMPUTING), set by the edit controller. */
CxuiPreviewState cxui_selection_preview_state(CxuiSelection *self);
const CxId *cxui_selection_preview(CxuiSelection *self, size_t *n);

/* Why the preview FAILED: one sentence, or NULL. */
const char *cxui_selection_preview_reason(CxuiSelection *self);
void cxui_selection_set_preview(CxuiSelection *self, CxuiPreviewState state,
                                const CxId *supervoxels, size_t n,
                                const char *reason);

/* An edit made one segment into others: selected and hidden ids that are gone
 * are replaced or dropped.  The history is mapped too. */
typedef CxId (*CxuiIdMap)(CxId id, void *data); /* 0 = gone */
void cxui_selection_remap(CxuiSelection *self, CxuiIdMap map, void *data);

/* Selected, hidden and recoloured ids as JSON (ids as strings), and back; false
 * if it is no JSON object.  What is damaged in it is left out. */
char *cxui_selection_to_json(CxuiSelection *self);
bool cxui_selection_from_json(CxuiSelection *self, const char *json);

/* Everything as at the start (other data are shown). */
void cxui_selection_reset(CxuiSelection *self);
