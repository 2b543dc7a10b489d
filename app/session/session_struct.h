/* The inside of CxuiSession, for session.c and session_files.c alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/bell.h"
#include "app/session/open_data.h"
#include "app/session/session_private.h"

typedef struct {
    CxuiProjectReady ready;
    void *user_data;
} CxuiWaiter;

struct _CxuiSession {
    GObject parent;
    CxuiSettings *settings;
    CxScheduler *scheduler;
    CxChunkCache *cache;
    CxChunkLoader *loader;
    CxuiBell *chunk_bell; /* rung by the loader's hook */

    CxuiOpenData open;
    uint32_t image_id, labels_id; /* of the loader; 0 = none */
    uint64_t generation;
    CxJob *open_job;  /* opening other data */
    CxJob *store_job; /* making a project, or saving it elsewhere */
    GArray *waiters;  /* of CxuiWaiter, for the end of store_job */
    guint view_timeout;
    char *subtitle;

    CxuiJobList *jobs;
    CxuiViewState *view;
    CxuiSelection *selection;
    CxuiHistoryModel *history;
    CxuiEditController *edits;
    CxuiMeshController *meshes;
    CxuiSegmentModel *segment_model;
    CxuiSegmenter *segmenter;
    CxuiPrediction *prediction;
    CxuiGrower *grower;
    CxuiExporter *exporter;
    CxuiReviewQueue *review;
};

typedef enum {
    CXUI_SESSION_OPENED,
    CXUI_SESSION_CLOSED,
    CXUI_SESSION_VOLUMES_CHANGED,
    CXUI_SESSION_STATE_CHANGED,
} CxuiSessionEvent;

void cxui_session_emit(CxuiSession *self, CxuiSessionEvent event);

/* The open data are other objects: loader, meshes and models follow. */
void cxui_session_use_data(CxuiSession *self);

/* The view is worth storing again, soon. */
void cxui_session_view_changed(CxuiSession *self);
