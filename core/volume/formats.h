/* The readers, in the order in which they are asked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

/* Parts "path:/dataset" (an existing file of the whole name comes first);
 * *dataset is NULL if there is none.  Both owned. */
void cx_volume_split_spec(const char *spec, char **path, char **dataset);

/* Ends with NULL. */
extern const CxReader *const cx_readers[];
