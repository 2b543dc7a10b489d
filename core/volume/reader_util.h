/* What several readers need: guesses, units, sizes that can be trusted.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

/* Labels or intensities?  Wide integers are labels; narrow ones if the data
 * set's name, or the file's where that says nothing, holds a word such as
 * "label", "seg", "neuron_ids"; floats never. */
bool cx_reader_guess_labels(const char *path, const char *dataset,
                            CxDtype dtype);

/* Nanometres in one unit ("um", "µm", "micron", "nanometer", …); 0 if the
 * unit is unknown. */
double cx_reader_unit_nm(const char *unit);

/* Checks a size that comes from a file: every axis in 1 … 2^40 and at most
 * 2^60 bytes in all. */
bool cx_reader_check_size(const char *path, CxVoxel size, CxDtype dtype,
                          unsigned n_channels, GError **error);

/* Compares names with runs of digits taken as numbers: "s2" before "s10". */
int cx_reader_compare_names(const char *a, const char *b);

CxDatasetInfo *cx_dataset_info_new(const char *path, CxVoxel size,
                                   CxDtype dtype, bool is_labels);
void cx_dataset_info_free(CxDatasetInfo *info);

/* The data set of a list that is most likely what somebody wants to look at:
 * by name (volumes/raw, main, …), else the largest image; NULL if empty. */
const CxDatasetInfo *cx_reader_choose(GPtrArray *list);

/* First bytes of a file into buffer; the number that could be read. */
size_t cx_reader_peek(const char *path, void *buffer, size_t size_bytes);

bool cx_reader_has_suffix(const char *path, const char *const *suffixes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxDatasetInfo, cx_dataset_info_free)
