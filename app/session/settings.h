/* What the user prefers: look, memory budgets, author, last choices.
 *
 * Kept in GSettings when the schema org.connexon.Connexon is found, else in
 * $XDG_CONFIG_HOME/connexon/settings.ini; a change is stored at once.  The
 * properties carry the names, types, ranges and defaults of the schema's keys
 * (data/desktop/org.connexon.Connexon.gschema.xml), so widgets may be bound to
 * them: color-scheme, palette, author, model, last-folder (string),
 * label-opacity, dim-others (double), show-borders, smooth-image,
 * show-cross-hair, show-sidebar, window-maximized (boolean), image-cache-mib,
 * mesh-cache-mib (uint), window-width, window-height (int); of the networks:
 * model-type ("auto", "fp32", …), model-files (paths chosen by hand, a line
 * each), live-prediction (boolean), prediction-channel (int, -1 = boundary),
 * prediction-opacity, prediction-gamma (double), grow-model (path of a network
 * that grows objects).  Main thread only.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>

#define CXUI_TYPE_SETTINGS (cxui_settings_get_type())
G_DECLARE_FINAL_TYPE(CxuiSettings, cxui_settings, CXUI, SETTINGS, GObject)

CxuiSettings *cxui_settings_new(void);

/* In memory only: nothing is read or stored (tests). */
CxuiSettings *cxui_settings_new_in_memory(void);

/* In a key file of this name (what is used without a schema; tests). */
CxuiSettings *cxui_settings_new_for_file(const char *path);

/* Borrowed until the next change of the property; never NULL. */
const char *cxui_settings_color_scheme(CxuiSettings *self);
const char *cxui_settings_palette(CxuiSettings *self);
const char *cxui_settings_model(CxuiSettings *self);
const char *cxui_settings_grow_model(CxuiSettings *self);
const char *cxui_settings_last_folder(CxuiSettings *self);

/* The name edits are signed with: the setting, else the login name. */
const char *cxui_settings_author(CxuiSettings *self);

/* Ceilings of decoded chunks and of surfaces. */
size_t cxui_settings_image_budget_bytes(CxuiSettings *self);
size_t cxui_settings_mesh_budget_bytes(CxuiSettings *self);
