/* Asks for the box that is to be segmented, and shows it in the panes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/views/window.h"

void cxui_segment_box_present(CxuiWindow *window);
