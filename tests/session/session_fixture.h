/* A session on small files, and what it said.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/session.h"
#include "tests/core/proofread_fixture.h"
#include "tests/support/check.h"

typedef struct {
    char *dir;
    char *image, *labels; /* specs of HDF5 files of the proofread fixture */
    CxuiSession *session;
    GPtrArray *toasts, *failures; /* sentences (char *) */
    guint n_undo;                 /* of the last toast */
    unsigned n_opened, n_closed, n_volumes, n_segments, n_blocks, n_chunks;
    GArray *last_ids; /* of CxId, of the last segments-changed */
    CxBox last_box;
} SessionFixture;

/* In place of g_test_init() and g_test_run(): the user's folders are fresh
 * ones, removed at the end. */
void session_test_init(int *argc, char ***argv);
int session_test_run(void);

void session_fixture_set_up(SessionFixture *fixture, const void *data);
void session_fixture_tear_down(SessionFixture *fixture, const void *data);

/* Another session in place of the present one, as after a restart. */
void session_fixture_restart(SessionFixture *fixture);

/* Runs the main loop until the condition holds; fails after 60 s. */
typedef bool (*SessionCondition)(SessionFixture *fixture);
void session_fixture_wait(SessionFixture *fixture, SessionCondition condition);

bool session_is_idle(SessionFixture *fixture);     /* no job runs */
bool session_has_failed(SessionFixture *fixture);  /* something was said */
bool session_has_project(SessionFixture *fixture); /* and its list is there */

void session_fixture_open(SessionFixture *fixture, const char *first,
                          const char *second);

/* Opens image and labels and waits for the project made of them. */
void session_fixture_open_both(SessionFixture *fixture);

/* Path of the open project; owned. */
char *session_fixture_project_path(SessionFixture *fixture);
const char *session_last(GPtrArray *sentences);
