/* Asks which data sets of a file are meant, if it holds several.
 *
 * An image and labels can be chosen together; what would be taken without
 * asking is chosen at first.  On the command line a path says it:
 * a.h5:/volumes/raw.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/volume.h"

#include <gtk/gtk.h>

/* specs: "file:/path" of each that was chosen, one or two. */
typedef void (*CxuiDatasetsChosen)(GtkWindow *parent, const char *const *specs,
                                   size_t n_specs);

/* list: of CxDatasetInfo, two or more; referenced.  Nothing is called if the
 * person leaves the dialog. */
void cxui_dataset_dialog_present(GtkWindow *parent, const char *path,
                                 GPtrArray *list, CxuiDatasetsChosen chosen);
