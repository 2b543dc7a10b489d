/* 64-bit checksum of stored bytes: XXH64 (Collet's specification, version
 * 0.1.1), fast enough to be taken of everything that is read.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/types.h"

uint64_t cx_checksum(const void *data, size_t n_bytes, uint64_t seed);
