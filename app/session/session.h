/* What the user is working on: the open data, and all that is shared between
 * the views of it.
 *
 * Owns scheduler, caches, project, and the controllers and models below.  Main
 * thread only: anything slow is a job whose result comes home by one pending
 * idle and is dropped if other data have been opened since (generation).
 *
 * What may be open: an image, labels, both, or a project.  The first thing
 * that has to be stored (a segmented block, an edit) makes an untitled project
 * in $XDG_DATA_HOME/connexon/projects, so nothing is ever lost; "save as" puts
 * it where the user wants it.  Source files are never written.
 *
 * Signals:
 *   opened()            data are there; views frame them
 *   closed()            nothing is open any more
 *   volumes-changed()   image, labels, graph or their ids are other objects
 *                       (at opening, closing, and when a project appears
 *                       under data that were open already)
 *   segments-changed(GArray of CxId ids, CxBox *box)
 *                       an edit was stored: these segments are new, other or
 *                       gone; all lie in the box (empty = unknown: anywhere)
 *   block-segmented(CxBox *box)   labels appeared in this box
 *   chunks-changed()    chunks asked of the loader arrived or failed: draw
 *   state-changed()     title, subtitle, is_opening or is_storing
 *   toast(const char *sentence, guint n_undo)
 *                       something is done; n_undo > 0: offer Undo, which
 *                       calls cxui_edit_controller_undo(n_undo)
 *   failed(const char *sentence, const char *details)
 *                       details may be NULL
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/edit_controller.h"
#include "app/session/exporter.h"
#include "app/session/grower.h"
#include "app/session/history_model.h"
#include "app/session/job_list.h"
#include "app/session/mesh_controller.h"
#include "app/session/prediction.h"
#include "app/session/review_queue.h"
#include "app/session/segment_model.h"
#include "app/session/segmenter.h"
#include "app/session/selection.h"
#include "app/session/settings.h"
#include "app/session/view_state.h"
#include "core/proofread/project.h"
#include "core/volume/chunk_loader.h"

#define CXUI_TYPE_SESSION (cxui_session_get_type())
G_DECLARE_FINAL_TYPE(CxuiSession, cxui_session, CXUI, SESSION, GObject)

/* Takes a reference to settings; NULL = cxui_settings_new(). */
CxuiSession *cxui_session_new(CxuiSettings *settings);

/* Opens what the specs name, in place of what is open: a project, an image,
 * labels, or image and labels together (told apart by their content; two
 * images or two projects are refused).  Returns at once; opened or failed
 * follows.  While it runs the old data stay. */
void cxui_session_open(CxuiSession *self, const char *const *specs,
                       size_t n_specs);

/* Draws the sample into $XDG_DATA_HOME/connexon/sample once, and opens an
 * untitled copy of its project: supervoxels, and segments with some false
 * splits and mergers, ready to be proofread. */
void cxui_session_open_sample(CxuiSession *self);
void cxui_session_cancel_open(CxuiSession *self);

/* Stores the view, waits for edits under way, closes. */
void cxui_session_close(CxuiSession *self);

/* Puts the project at path (.connexon) and goes on there: an untitled one
 * moves, a named one is copied.  Makes a project if there is none. */
void cxui_session_save_as(CxuiSession *self, const char *path, bool overwrite);

bool cxui_session_is_open(CxuiSession *self);
bool cxui_session_is_opening(CxuiSession *self);

/* False while an edit waits for its commit. */
bool cxui_session_is_stored(CxuiSession *self);

/* "fib-medulla"; never NULL, "" when nothing is open. */
const char *cxui_session_title(CxuiSession *self);

/* True words: "all edits stored", "storing…", "read-only", "no edits yet". */
const char *cxui_session_subtitle(CxuiSession *self);

/* Borrowed; NULL where there is none. */
CxVolume *cxui_session_image(CxuiSession *self);

/* What label chunks hold: the project's supervoxels, or the label file. */
CxVolume *cxui_session_labels(CxuiSession *self);

/* Volume of segments as they are now (for meshes): the project's, or the
 * label file. */
CxVolume *cxui_session_segments(CxuiSession *self);

/* Maps labels to segments; NULL: every label is its own segment. */
CxSupervoxelGraph *cxui_session_graph(CxuiSession *self);
CxProject *cxui_session_project(CxuiSession *self);
bool cxui_session_is_untitled(CxuiSession *self);

/* Loader and cache shared by the panes; client numbers for wants are the
 * pane's (0 xy, 1 xz, 2 yz, 3 scene).  Volume ids are 0 without that volume. */
CxScheduler *cxui_session_scheduler(CxuiSession *self);
CxChunkCache *cxui_session_cache(CxuiSession *self);
CxChunkLoader *cxui_session_loader(CxuiSession *self);
uint32_t cxui_session_image_id(CxuiSession *self);
uint32_t cxui_session_labels_id(CxuiSession *self);

/* Supervoxel and segment under a voxel from what is in the cache (never
 * blocks); false if that chunk is not there yet or nothing is open. */
bool cxui_session_pick(CxuiSession *self, CxVoxel at, CxId *supervoxel,
                       CxId *segment);

/* Segment of a label as it is now (the label itself without a graph). */
CxId cxui_session_segment_of(CxuiSession *self, CxId label);

/* Grows with each opening; results of an older one are dropped. */
uint64_t cxui_session_generation(CxuiSession *self);

/* Parts; borrowed, live as long as the session. */
CxuiSettings *cxui_session_settings(CxuiSession *self);
CxuiViewState *cxui_session_view(CxuiSession *self);
CxuiSelection *cxui_session_selection(CxuiSession *self);
CxuiEditController *cxui_session_edits(CxuiSession *self);
CxuiMeshController *cxui_session_meshes(CxuiSession *self);
CxuiSegmentModel *cxui_session_segment_model(CxuiSession *self);
CxuiHistoryModel *cxui_session_history(CxuiSession *self);
CxuiJobList *cxui_session_jobs(CxuiSession *self);
CxuiSegmenter *cxui_session_segmenter(CxuiSession *self);
CxuiPrediction *cxui_session_prediction(CxuiSession *self);
CxuiGrower *cxui_session_grower(CxuiSession *self);
CxuiExporter *cxui_session_exporter(CxuiSession *self);
CxuiReviewQueue *cxui_session_review(CxuiSession *self);
