/* The project file: one SQLite database.
 *
 * WAL, synchronous=FULL: what commit() has confirmed survives the end of the
 * process and of the power.  Writers take turns (begin … commit or rollback
 * holds a lock); chunk reads go through a connection of their own and do not
 * wait for a commit.  Thread-safe.
 *
 * Only the journal*.c files speak SQL, and only journal.c opens a database.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/jobs/job.h"
#include "core/proofread/edit.h"
#include "core/segmentation/fragments.h"

typedef struct CxJournal CxJournal;

/* Makes a new project file at a path where nothing is; it appears whole.
 * CX_ERROR_EXISTS if something is there. */
bool cx_journal_create(const char *path, GError **error);

/* Looks at the first bytes, then opens; what is not a project of this version
 * is refused in one sentence and not touched.  A crash is recovered from by
 * SQLite when it opens. */
CxJournal *cx_journal_open(const char *path, bool read_only, GError **error);
void cx_journal_free(CxJournal *journal);
bool cx_journal_is_read_only(const CxJournal *journal);

/* A transaction; everything between belongs to the calling thread.  After a
 * failed begin or commit nothing has changed and no lock is held.  A full
 * disk is CX_ERROR_NO_SPACE. */
bool cx_journal_begin(CxJournal *journal, GError **error);
bool cx_journal_commit(CxJournal *journal, GError **error);
void cx_journal_rollback(CxJournal *journal);

/* SQLite's own check of the whole file; appends sentences (char *). */
bool cx_journal_check(CxJournal *journal, GPtrArray *problems, GError **error);

/* Writes all that is committed now to a new file, which must not be there. */
bool cx_journal_copy(CxJournal *journal, const char *path, CxJob *job,
                     GError **error);

/* Gives a finished copy its name, durably.  replace = false: CX_ERROR_EXISTS
 * if something is there; else it and what belongs to it goes. */
bool cx_journal_install(const char *partial, const char *path, bool replace,
                        GError **error);

/* Removes the file and what SQLite keeps beside it. */
void cx_journal_delete(const char *path);

/* Single values; get leaves *value as it is if there is none. */
bool cx_journal_set_meta(CxJournal *journal, const char *key, int64_t value,
                         GError **error);
bool cx_journal_get_meta(CxJournal *journal, const char *key, int64_t *value,
                         GError **error);
bool cx_journal_set_text(CxJournal *journal, const char *key, const char *text,
                         GError **error);
bool cx_journal_get_text(CxJournal *journal, const char *key, char **text,
                         GError **error);

/* Where the image is and how it looked. */
typedef struct {
    char *spec;     /* absolute */
    char *relative; /* to the folder of the project, or NULL */
    int64_t size_bytes, mtime_us;
    CxDtype dtype;
    CxVoxel size;
    CxNm voxel_nm, offset_nm;
} CxImageNote;

void cx_image_note_clear(CxImageNote *note);
bool cx_journal_set_image(CxJournal *journal, const CxImageNote *note,
                          GError **error);
bool cx_journal_get_image(CxJournal *journal, CxImageNote *note,
                          GError **error);

/* Label chunks as bytes of store_codec.h.  get: the newest overlay whose edit
 * is_active(), else the chunk itself; *data NULL if there is none; the
 * checksum is verified.  May be called at any time. */
typedef bool (*CxIsActiveFunc)(int64_t sequence, void *user_data);
bool cx_journal_put_chunk(CxJournal *journal, CxChunkIdx index, GBytes *data,
                          GError **error);
bool cx_journal_get_chunk(CxJournal *journal, CxChunkIdx index,
                          CxIsActiveFunc is_active, void *user_data,
                          GBytes **data, GError **error);

/* Removes all chunks (of an import that did not end). */
bool cx_journal_clear_chunks(CxJournal *journal, GError **error);

/* Indices of all stored chunks (GArray of CxChunkIdx), overlays included. */
GArray *cx_journal_list_chunks(CxJournal *journal, GError **error);

/* Overlays: chunks as an edit left them.  get: *data NULL if the edit did not
 * change the chunk.  list: the chunks that one edit changed (0: any edit). */
bool cx_journal_put_overlay(CxJournal *journal, CxChunkIdx index,
                            int64_t sequence, GBytes *data, GError **error);
bool cx_journal_get_overlay(CxJournal *journal, CxChunkIdx index,
                            int64_t sequence, GBytes **data, GError **error);
GArray *cx_journal_list_overlays(CxJournal *journal, int64_t sequence,
                                 GError **error);

/* The edits that changed a chunk (GArray of int64_t). */
GArray *cx_journal_list_overlay_edits(CxJournal *journal, CxChunkIdx index,
                                      GError **error);

/* True if some overlay belongs to no edit of the log. */
bool cx_journal_has_stray_overlay(CxJournal *journal, bool *has,
                                  GError **error);

/* Parts of the graph.  segments: one a supervoxel. */
typedef struct {
    int64_t part;
    GArray *supervoxels; /* of CxSupervoxel */
    GArray *edges;       /* of CxEdge */
    GArray *segments;    /* of CxId */
} CxGraphPart;

void cx_graph_part_init(CxGraphPart *part);
void cx_graph_part_clear(CxGraphPart *part);

/* Stores a part under the next number, which it sets. */
bool cx_journal_add_part(CxJournal *journal, CxGraphPart *part, GError **error);
bool cx_journal_set_part_segments(CxJournal *journal, int64_t part,
                                  const GArray *segments, GError **error);

/* Calls back with each part in order of number. */
typedef bool (*CxPartFunc)(const CxGraphPart *part, void *user_data,
                           GError **error);
bool cx_journal_each_part(CxJournal *journal, CxPartFunc func, void *user_data,
                          GError **error);

bool cx_journal_add_block(CxJournal *journal, CxVoxel index, int64_t part,
                          GError **error);

/* Indices of the stored blocks (GArray of CxVoxel). */
GArray *cx_journal_list_blocks(CxJournal *journal, GError **error);

/* Joined segments in order, as pairs segment, into (GArray of CxId). */
bool cx_journal_add_joined(CxJournal *journal, CxId segment, CxId into,
                           GError **error);
bool cx_journal_clear_joined(CxJournal *journal, GError **error);
GArray *cx_journal_list_joined(CxJournal *journal, GError **error);

/* Adds the edit with its sequence and parent as set.  One with a patch, or of
 * a kind that format 1 did not know, makes a file of format 1 one of format
 * 2, in the same transaction. */
bool cx_journal_add_edit(CxJournal *journal, const CxEdit *edit,
                         GError **error);
bool cx_journal_add_step(CxJournal *journal, int64_t head, const char *author,
                         int64_t time_us, GError **error);
bool cx_journal_get_head(CxJournal *journal, int64_t *head, GError **error);

/* Edits first … last in order (GPtrArray of CxEdit, owned); their checksums
 * are verified.  undone and superseded are left false. */
GPtrArray *cx_journal_list_edits(CxJournal *journal, int64_t first,
                                 int64_t last, bool with_moves, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxJournal, cx_journal_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CxGraphPart, cx_graph_part_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CxImageNote, cx_image_note_clear)
