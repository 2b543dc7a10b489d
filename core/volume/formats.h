/* The readers, in the order in which they are asked.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

/* Ends with NULL. */
extern const CxReader *const cx_readers[];
