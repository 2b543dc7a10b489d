/* The preferences window; every control is bound to a setting.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/settings.h"

#include <adwaita.h>

#define CXUI_TYPE_PREFERENCES (cxui_preferences_get_type())
G_DECLARE_FINAL_TYPE(CxuiPreferences, cxui_preferences, CXUI, PREFERENCES,
                     AdwPreferencesWindow)

GtkWidget *cxui_preferences_new(CxuiSettings *settings);
