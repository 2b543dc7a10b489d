/* A project: where the image is, its supervoxels, their graph, every edit.
 *
 * One SQLite file, name.connexon (WAL, synchronous=FULL).  An edit is one
 * transaction and is committed before the call returns; the graph in memory
 * changes only after the commit.  Undo moves the head; nothing is deleted.
 * The image stays where it is and is never written.
 *
 * Thread-safe; edits are serialised inside.  One process at a time may write:
 * a second opener gets CX_ERROR_BUSY with the owner's pid, or read-only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/annotation.h"
#include "core/proofread/supervoxel_graph.h"
#include "core/segmentation/pipeline.h"

typedef struct CxProject CxProject;

/* Creates the file beside nothing of that name; image is noted by path
 * (absolute and relative) and fingerprint (size, mtime, shape). */
CxProject *cx_project_create(const char *path, CxVolume *image, GError **error);

/* Opens and recovers.  The image may be missing: cx_project_image() is then
 * NULL and all else works.  read_only: no lock, no change. */
CxProject *cx_project_open(const char *path, bool read_only, CxJob *job,
                           GError **error);
CxProject *cx_project_ref(CxProject *project);
void cx_project_unref(CxProject *project);

/* Writes all of a project, as it is now, to another file, which appears whole;
 * the project itself stays where and as it is.  CX_ERROR_EXISTS if something
 * is there and overwrite is false, CX_ERROR_BUSY if that is in use. */
bool cx_project_copy(CxProject *project, const char *path, bool overwrite,
                     CxJob *job, GError **error);

/* Removes a project file with what belongs to it; whoever still has it open
 * works on what nobody will find again. */
void cx_project_delete_files(const char *path);

const char *cx_project_path(const CxProject *project);
bool cx_project_is_read_only(const CxProject *project);
CxVolume *cx_project_image(CxProject *project); /* borrowed, or NULL */
/* File or folder the image lies in, without its data set (owned). */
char *cx_project_dup_image_path(CxProject *project);

/* Why there is no image (one sentence), or NULL. */
const char *cx_project_image_problem(CxProject *project);
const char *cx_project_image_spec(CxProject *project);   /* as noted */
CxSupervoxelGraph *cx_project_graph(CxProject *project); /* borrowed */

/* Label volumes over the project's store and overlay: supervoxel ids as
 * stored, and mapped to the current segments.  Borrowed; live as long as the
 * project and always show its present state.  0 where nothing is segmented. */
CxVolume *cx_project_supervoxels(CxProject *project);
CxVolume *cx_project_segments(CxProject *project);

/* What is segmented so far: blocks of the grid that are stored. */
CxVoxel cx_project_block_size(CxProject *project);
bool cx_project_has_block(CxProject *project, CxVoxel index);
size_t cx_project_n_blocks(CxProject *project, size_t *n_total);

/* Called on the segmenting thread after a block is stored and joined. */
typedef void (*CxBlockHook)(CxProject *project, CxBox box, void *data);

/* Segments the blocks that touch box and are not stored yet, nearest to
 * focus first; every block is one transaction.  When the box is the whole
 * volume and nothing is stored, agglomerates all blocks together at the end;
 * else each block joins what is there, existing segments staying whole. */
bool cx_project_segment(CxProject *project, CxPipeline *pipeline, CxBox box,
                        CxVoxel focus, CxBlockHook hook, void *data, CxJob *job,
                        GError **error);

/* Takes the labels of another volume as supervoxels (each label one segment;
 * region graph by contacts, weighed by the brightness of the image there).  The
 * project must be empty. */
bool cx_project_import_labels(CxProject *project, CxVolume *labels, CxJob *job,
                              GError **error);

/* The same, with the segment of each supervoxel, which must be the id of one
 * of its supervoxels.  Called once for each label, in order of id. */
typedef CxId (*CxSegmentFunc)(CxId supervoxel, void *user_data);
bool cx_project_import_supervoxels(CxProject *project, CxVolume *labels,
                                   CxSegmentFunc segment_of, void *user_data,
                                   CxJob *job, GError **error);

/* Supervoxel and segment under a voxel; 0 = background or not segmented. */
bool cx_project_pick(CxProject *project, CxVoxel at, CxId *supervoxel,
                     CxId *segment, GError **error);

/* Edits.  Each returns the committed edit (owned), or NULL with error and
 * nothing changed.  at: where to fly to. */
CxEdit *cx_project_merge(CxProject *project, CxId keep, CxId other, CxVoxel at,
                         GError **error);

/* Splits.  Seeds are voxels, several a side; those on background or in other
 * segments are an error that names the seed.  The cut runs between supervoxels
 * where it can, and through one where both sides have seeds in it or where
 * that is plainly better: the voxels of that supervoxel are then divided
 * (voxel_cut.h), along membranes seen in the boundary map, else in the image,
 * else at the narrowest place, and the edit has a patch and a box.  There is
 * no error where a cut exists; where little speaks for it, `weak` is set and
 * the sentence says so. */
typedef struct {
    GArray *movers;    /* of CxId, sorted: would leave; pieces of supervoxels
                          that would be divided have ids nobody knows yet */
    GArray *sink_side; /* of CxId, sorted: all on the sinks' side */
    bool sinks_leave;  /* else the sources' side moves to the new segment */
    CxChunk *sides;    /* u8 over the box of the divided supervoxels: 1 their
                          voxels on the sources' side, 2 on the sinks', 0 all
                          other voxels; NULL if none is divided */
    bool weak;
    uint64_t n_faces;                   /* cut */
    double cut_affinity, mean_affinity; /* of faces cut, and of all inside */
    char *sentence;
} CxSplitPreview;

void cx_split_preview_free(CxSplitPreview *preview);

CxSplitPreview *cx_project_preview_cut(CxProject *project, CxId segment,
                                       const CxVoxel *sources, size_t n_sources,
                                       const CxVoxel *sinks, size_t n_sinks,
                                       CxJob *job, GError **error);

/* The movers alone. */
GArray *cx_project_preview_split(CxProject *project, CxId segment,
                                 const CxVoxel *sources, size_t n_sources,
                                 const CxVoxel *sinks, size_t n_sinks,
                                 CxJob *job, GError **error);
CxEdit *cx_project_split(CxProject *project, CxId segment,
                         const CxVoxel *sources, size_t n_sources,
                         const CxVoxel *sinks, size_t n_sinks, CxJob *job,
                         GError **error);

/* A map of membranes (u8, 255 = membrane, same size as the image) to cut along
 * inside supervoxels, as a network predicts it; a reference is kept.  NULL:
 * the image's darkness stands in. */
void cx_project_set_boundary(CxProject *project, CxVolume *boundary);

/* Carries out an edit made on another project with the same supervoxels: its
 * voxels (edit->changes), moves, note, lock or annotation.  CX_ERROR_INVALID
 * if a supervoxel is not in the segment it should leave, or not as large. */
CxEdit *cx_project_apply(CxProject *project, const CxEdit *edit,
                         GError **error);
CxEdit *cx_project_set_note(CxProject *project, CxId segment, const char *text,
                            GError **error);
CxEdit *cx_project_set_locked(CxProject *project, CxId segment, bool locked,
                              GError **error);

/* The voxels that an edit with a patch changed, for cx_project_apply(); owned.
 * edit: as cx_project_edits() returns it with its moves. */
GBytes *cx_project_dup_changes(CxProject *project, const CxEdit *edit,
                               GError **error);

/* Annotations: adds one (number 0) or changes it; removes one.  They are edits
 * like all others. */
CxEdit *cx_project_annotate(CxProject *project, const CxAnnotation *annotation,
                            GError **error);
CxEdit *cx_project_remove_annotation(CxProject *project, int64_t number,
                                     GError **error);

/* All of them by number (GPtrArray of CxAnnotation, owned). */
GPtrArray *cx_project_annotations(CxProject *project);

/* The edit that was taken back or done again; CX_ERROR_NOT_FOUND at the end
 * of the history. */
CxEdit *cx_project_undo(CxProject *project, GError **error);
CxEdit *cx_project_redo(CxProject *project, GError **error);

int64_t cx_project_head(CxProject *project);
int64_t cx_project_n_edits(CxProject *project); /* undone ones included */

/* Edits first … last by sequence (GPtrArray of CxEdit, owned; moves left out
 * unless with_moves). */
GPtrArray *cx_project_edits(CxProject *project, int64_t first, int64_t last,
                            bool with_moves, GError **error);

char *cx_project_dup_note(CxProject *project, CxId segment); /* or NULL */
bool cx_project_is_locked(CxProject *project, CxId segment);

/* Small texts kept with the project ("view", "author", …); NULL = none. */
bool cx_project_set_text(CxProject *project, const char *key, const char *text,
                         GError **error);
char *cx_project_dup_text(CxProject *project, const char *key);

/* Full check: SQLite's own, checksums of all chunks (also those of undone
 * edits), replay of the log against the graph.  Appends sentences (char *) to
 * problems. */
bool cx_project_check(CxProject *project, GPtrArray *problems, CxJob *job,
                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxSplitPreview, cx_split_preview_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxProject, cx_project_unref)
