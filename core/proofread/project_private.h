/* What the project*.c files share.
 *
 *   project.c          create, open, close, image, texts
 *   project_store.c    label chunks, the two label volumes, picking
 *   project_blocks.c   storing a block; which blocks are there
 *   project_place.c    which segments the supervoxels of a block belong to
 *   project_segment.c  segmentation on demand
 *   project_import.c   labels of another volume as supervoxels
 *   project_edit.c     merge, note, lock, edits from elsewhere
 *   project_split.c    splits by seeds (project_cut_inside.c: in a supervoxel)
 *   project_voxels.c   committing changed voxels; they as portable bytes
 *   project_paint.c    rules, brush; project_fill.c, project_reshape.c
 *   project_divide.c   detach, split neighbours, cut by a curve
 *   project_revert.c   one segment as it was born
 *   project_annotate.c annotations
 *   project_history.c  log, undo, redo, replay
 *   project_check.c    the full check
 *   project_copy.c     all of it in another file
 *
 * Order of locks: segment_lock, edit_lock, the journal's, history_lock, the
 * graph's.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/hash64.h"
#include "core/proofread/journal.h"
#include "core/proofread/project.h"
#include "core/proofread/project_lock.h"
#include "core/proofread/voxel_draft.h"
#include "core/volume/chunk_cache.h"

/* One edit in the tree of the history. */
typedef struct {
    int64_t parent;
    int64_t newest_child; /* where redo goes; 0 = nowhere */
    bool is_done;         /* on the way from the root to the head */
} CxHistoryNode;

struct CxProject {
    gatomicrefcount refs;  /* users */
    gatomicrefcount holds; /* users together, and each volume: memory */
    char *path;            /* as given */
    char *real_path;
    bool read_only;
    CxProjectLock *lock;
    CxImageNote note;
    CxVolume *image;
    CxVolume *boundary; /* under edit_lock; a membrane map, or NULL */
    char *image_problem;
    CxSupervoxelGraph *graph;
    CxVolume *supervoxels, *segments;

    GRWLock journal_lock; /* guards the pointer: NULL after the last user */
    CxJournal *journal;

    GMutex segment_lock; /* one segmentation or import at a time */
    GMutex edit_lock;    /* one change at a time */
    CxId next_segment;   /* under edit_lock */

    GMutex history_lock; /* guards all below */
    CxHash64 *edited;    /* segments that some edit, undone or not, names */
    uint64_t n_changes;  /* of the graph, since it was loaded */
    GArray *history;     /* of CxHistoryNode, by sequence; [0] is the root */
    int64_t head;
    CxHash64 *locked;        /* segments */
    GHashTable *notes;       /* segment → text */
    GHashTable *annotations; /* number → CxAnnotation */
    int64_t next_annotation;
    CxVoxel block_size;
    CxVoxel n_blocks; /* of the grid */
    GHashTable *blocks;

    CxChunkCache *cache;    /* decoded chunks of supervoxel ids */
    guint cache_generation; /* atomic; rises when stored labels change */
};

/* Side of a stored chunk of labels, voxels. */
#define CX_STORE_SIDE 64

/* Drops a hold; the memory goes with the last. */
void cx_project_release(CxProject *project);

CxBox cx_project_bounds(const CxProject *project);

/* The image as seen from another project file (owned), or NULL if there is no
 * such file. */
char *cx_project_relative_image(const CxProject *project,
                                const char *project_path);

/* An id no segment has or had, for one to come.  Takes edit_lock. */
CxId cx_project_take_new_id(CxProject *project);

/* The same with edit_lock held. */
CxId cx_project_next_id(CxProject *project);

/* What several kinds of edit ask first; edit_lock is held. */
bool cx_project_find_segment(CxProject *project, CxId id, CxSegment *segment,
                             GError **error);
bool cx_project_check_unlocked(CxProject *project, CxId segment,
                               GError **error);

/* A supervoxel found in a segment is where a move takes it from. */
bool cx_project_check_leaves(const CxMove *move, CxId id, CxId found,
                             GError **error);

/* project_voxels.c */
/* Makes the patch, refuses if a locked segment would change, commits.
 * CX_ERROR_INVALID if nothing would change. */
bool cx_project_commit_draft(CxProject *project, CxEdit *edit,
                             CxVoxelDraft *draft, CxJob *job, GError **error);

/* The same with a patch that was made already (taken). */
bool cx_project_commit_patch(CxProject *project, CxEdit *edit,
                             CxVoxelDraft *draft, CxPatch *patch,
                             GError **error);
CxEdit *cx_project_apply_voxels(CxProject *project, const CxEdit *foreign,
                                GError **error);

/* project_annotate.c */
void cx_project_note_annotation(CxProject *project, const CxEdit *edit);
CxEdit *cx_project_apply_annotation(CxProject *project, const CxEdit *foreign,
                                    GError **error);
void cx_project_carry_out_annotation(CxProject *project, const CxEdit *edit,
                                     bool inverse);

/* Orders CxId, for g_array_sort(). */
int cx_project_compare_ids(const void *a, const void *b);

/* Ids of an array of CxSupervoxel (GArray of CxId). */
GArray *cx_project_ids_of(const GArray *supervoxels);

/* project_store.c */
void cx_project_make_volumes(CxProject *project);
void cx_project_drop_cache(CxProject *project);

/* Forgets the decoded chunks that touch a box. */
void cx_project_drop_chunks(CxProject *project, CxBox box);

/* The stored chunk, or NULL without error if nothing is there. */
CxChunk *cx_project_load_chunk(CxProject *project, CxChunkIdx index,
                               GError **error);

/* Encoded chunks for labels put over what is stored (GArray of
 * CxEncodedChunk), to be stored within a transaction. */
typedef struct {
    CxChunkIdx index;
    GBytes *data;
} CxEncodedChunk;
GArray *cx_project_encode_labels(CxProject *project, const CxChunk *labels,
                                 CxJob *job, GError **error);
bool cx_project_put_chunks(CxProject *project, const GArray *encoded,
                           GError **error);
GArray *cx_project_new_encoded(void);

/* A chunk as it was at a place in the history (NULL without error: nothing is
 * stored); past the cache. */
CxChunk *cx_project_load_chunk_at(CxProject *project, CxChunkIdx index,
                                  int64_t tip, GError **error);

/* New labels go below the overlays of chunks that they share with edits:
 * writes them into each (within a transaction). */
bool cx_project_underlay(CxProject *project, const CxChunk *labels,
                         GError **error);

/* project_place.c: what a block will change. */
typedef struct {
    GArray *segments; /* CxId of each new supervoxel */
    GArray *joined;   /* pairs of CxId: segment, into */
    CxBox box;        /* of the joined segments */
} CxPlace;

void cx_place_clear(CxPlace *place);

/* with_segments: the block joins the segments around it, else it is looked at
 * alone. */
bool cx_project_find_place(CxProject *project, const CxFragments *fragments,
                           const CxAgglomerateOptions *options,
                           bool with_segments, CxPlace *place, CxJob *job,
                           GError **error);

/* Segments of all supervoxels of the graph anew (GArray of CxId, in the order
 * of the list). */
GArray *cx_project_agglomerate_all(CxProject *project,
                                   const GArray *supervoxels,
                                   const CxAgglomerateOptions *options,
                                   CxJob *job, GError **error);

/* project_history.c */
bool cx_project_load_history(CxProject *project, CxJob *job, GError **error);

/* Commits a new edit on top of the head, then changes the graph.  Sets
 * sequence, parent, author and time.  With edit_lock held. */
bool cx_project_commit_edit(CxProject *project, CxEdit *edit, GError **error);

/* The same with chunks as the edit leaves them (GArray of CxEncodedChunk, or
 * NULL), in one transaction. */
bool cx_project_commit_voxels(CxProject *project, CxEdit *edit,
                              const GArray *overlays, GError **error);

/* True if an edit is on the way from the root to another (or is that). */
bool cx_project_is_below(CxProject *project, int64_t sequence, int64_t tip);

/* True if the edit is on the way from the root to the head. */
bool cx_project_is_done(CxProject *project, int64_t sequence);

/* Calls back with every edit in order, and whether it is done. */
typedef void (*CxEditFunc)(const CxEdit *edit, bool is_done, void *user_data);
bool cx_project_each_edit(CxProject *project, CxEditFunc func, void *user_data,
                          CxJob *job, GError **error);

/* True if any edit, undone or not, names the segment. */
bool cx_project_is_edited(CxProject *project, CxId segment);

/* Counts changes of the graph, to see whether one came between. */
void cx_project_note_change(CxProject *project);
uint64_t cx_project_n_changes(CxProject *project);

/* project_blocks.c */
bool cx_project_load_blocks(CxProject *project, GError **error);

/* Removes what an import that was killed left behind. */
bool cx_project_finish_import(CxProject *project, GError **error);

/* Calls back with the parts of the journal, joins worked into their segments;
 * puts them all into an empty graph. */
bool cx_project_each_born_part(CxProject *project, CxPartFunc func,
                               void *user_data, GError **error);
bool cx_project_replay_parts(CxProject *project, CxSupervoxelGraph *graph,
                             CxJob *job, GError **error);

/* Fixes the grid of blocks and the first id for split-off segments, which must
 * lie above all supervoxel ids the project can ever get (largest).  Within a
 * transaction that is the first to store anything. */
bool cx_project_init_grid(CxProject *project, CxVoxel block_size, CxId largest,
                          GError **error);

/* Forgets what cx_project_init_grid() set, if its transaction failed. */
void cx_project_reset_grid(CxProject *project);

/* Marks a block as present (after the commit). */
void cx_project_note_block(CxProject *project, CxVoxel index);
