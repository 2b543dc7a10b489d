/* A small project to edit, and a naive model of what edits do to it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/proofread/project.h"

/* Labels of size 40 × 30 × 20 voxels in cells of 4 × 5 × 5, so that every cell
 * touches its neighbours; ids are 1, 2, … but for the first six, which are
 * 2^32 ± 1, 2^53 ± 1, 2^63 and 2^64 − 1.  One cell in 29 is background. */
CxVolume *cx_fixture_labels(void);
CxVolume *cx_fixture_image(void);

/* A project at path with these labels imported. */
CxProject *cx_fixture_project(const char *path);

/* Id and a voxel of each cell; n_cells is the number that are not 0. */
#define CX_FIXTURE_CELLS 240
typedef struct {
    CxId id;
    CxVoxel at;
} CxFixtureCell;
size_t cx_fixture_cells(CxFixtureCell cells[CX_FIXTURE_CELLS]);
