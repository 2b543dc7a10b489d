/* What the user prefers: theme, memory budgets, author, last choices.
 *
 * Kept in GSettings when the schema org.connexon.Connexon is installed, else
 * in $XDG_CONFIG_HOME/connexon/settings.ini; a change is stored at once.  Main
 * thread only.  Emits GObject::notify for each property.
 *
 * Properties: theme (string "system", "dark", "light"), image-budget-mib,
 * mesh-budget-mib (uint), threads (uint, 0 = one per core), author (string),
 * model (string, last used network or ""), palette (string "even",
 * "colour-blind"), reduce-motion (boolean), sample-seen (boolean).
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

/* In memory only: nothing is read or stored (tests, kiosk). */
CxuiSettings *cxui_settings_new_in_memory(void);

/* Borrowed until the next change; never NULL. */
const char *cxui_settings_theme(CxuiSettings *self);
const char *cxui_settings_model(CxuiSettings *self);
const char *cxui_settings_palette(CxuiSettings *self);

/* The name edits are signed with: the setting, else the account's name. */
const char *cxui_settings_author(CxuiSettings *self);

/* Ceiling of the chunk cache; by default a quarter of the machine's memory,
 * at least 256 MiB and at most 4 GiB. */
size_t cxui_settings_image_budget_bytes(CxuiSettings *self);

/* Ceiling of surfaces kept, by default a quarter of the former. */
size_t cxui_settings_mesh_budget_bytes(CxuiSettings *self);
unsigned cxui_settings_threads(CxuiSettings *self);
bool cxui_settings_reduce_motion(CxuiSettings *self);
