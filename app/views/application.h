/* The program: command line, windows, preferences, about, help.
 *
 * One instance a user; files given to a second launch open in the first
 * (G_APPLICATION_HANDLES_OPEN) unless --new-instance is given.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "app/session/settings.h"

#include <adwaita.h>

#define CXUI_TYPE_APPLICATION (cxui_application_get_type())
G_DECLARE_FINAL_TYPE(CxuiApplication, cxui_application, CXUI, APPLICATION,
                     AdwApplication)

#define CXUI_APPLICATION_ID "org.connexon.Connexon"

CxuiApplication *cxui_application_new(void);

/* Borrowed; shared by all windows. */
CxuiSettings *cxui_application_settings(CxuiApplication *self);

/* Light or dark, as the settings say, after a window has opened or closed
 * data. */
void cxui_application_update_scheme(CxuiApplication *self);
