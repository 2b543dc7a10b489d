/* Labels on disk while they are made.
 *
 * SPDX-License-Identifier: Apache-2.0
 */

#include "core/volume/chunk.h"

/* Collects labels that arrive block by block in any order in an unnamed
 * temporary file beside the output (8 bytes a voxel), to be read back slab by
 * slab: a volume larger than memory can be relabelled as a whole. */
typedef struct CxcliLabelStore CxcliLabelStore;

/* beside: the output's path; its folder must be writable. */
CxcliLabelStore *cxcli_label_store_new(const char *beside, CxBox box,
                                       GError **error);
void cxcli_label_store_free(CxcliLabelStore *store);

/* Takes over the part of a u64 chunk inside the box. */
bool cxcli_label_store_put(CxcliLabelStore *store, const CxChunk *labels,
                           GError **error);

/* u64 labels of all sections z … z + n_z - 1 of the box; what was never put is
 * 0. */
CxChunk *cxcli_label_store_get(CxcliLabelStore *store, int64_t z, int64_t n_z,
                               GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxcliLabelStore, cxcli_label_store_free)
