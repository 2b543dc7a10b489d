/* What every test needs: where the data are, seeds, clear skips.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/rng.h"

#include <glib.h>

/* Path below the folder of real data ($CONNEXON_DATA, else ../shared/data
 * beside the source), or NULL after g_test_skip() with a sentence if it is
 * not there.  Owned. */
char *cx_test_data_path(const char *relative);

/* A seeded generator; the seed is $CX_TEST_SEED or the clock, and printed. */
CxRng cx_test_rng(void);

/* A fresh directory, removed with all it holds by cx_test_remove_dir(). */
char *cx_test_make_dir(void);
void cx_test_remove_dir(const char *dir);

/* Fails unless error is CX_ERROR with this code and one sentence that holds
 * every text in the NULL-terminated list; clears it. */
void cx_test_expect_error(GError **error, int code, ...) G_GNUC_NULL_TERMINATED;
