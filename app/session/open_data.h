/* What is open, as plain data, and the slow work of getting it open.
 *
 * No GObject, no main loop: these functions run in jobs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

typedef struct {
    CxVolume *image;    /* owned, or NULL */
    CxVolume *labels;   /* a label file while there is no project, or NULL */
    CxProject *project; /* or NULL */
    bool untitled;      /* the project lies in our own folder */
    bool copied;        /* and holds nothing but a copy of labels or sample */
    char *title;        /* for people: "fib-medulla" */
    char *remark;       /* something to tell at opening, or NULL */
} CxuiOpenData;

void cxui_open_data_clear(CxuiOpenData *data);

/* References to everything. */
CxuiOpenData cxui_open_data_copy(const CxuiOpenData *data);

/* Opens what the specs name (see cxui_session_open). */
bool cxui_open_data_open(CxuiOpenData *data, const char *const *specs,
                         CxJob *job, GError **error);

/* Makes the sample if it is not in the cache yet, and opens it. */
bool cxui_open_data_sample(CxuiOpenData *data, CxJob *job, GError **error);

/* Gives the data a project at path, or an untitled one if path is NULL; an
 * open label file is taken over as supervoxels. */
bool cxui_open_data_make_project(CxuiOpenData *data, const char *path,
                                 CxJob *job, GError **error);

/* Later edits of the project, if there is one that may be written, are signed
 * with this name. */
bool cxui_open_data_sign(const CxuiOpenData *data, const char *author,
                         GError **error);

/* Where untitled projects are kept; the folder is made.  Owned. */
char *cxui_open_data_projects_folder(void);

/* The volume that says where things are: image, else labels. */
CxVolume *cxui_open_data_space(const CxuiOpenData *data);
