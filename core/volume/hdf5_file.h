/* libhdf5 made safe to call: its lock, its silence, its handles.
 *
 * libhdf5 keeps process-wide state: every call happens between cx_hdf5_lock()
 * and cx_hdf5_unlock(), here, in hdf5.c and in writer_hdf5.c only.  Links that
 * leave the file are never followed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/base/dtype.h"

#include <glib.h>
#include <hdf5.h>

/* Also keeps libhdf5 from printing to stderr in this thread. */
void cx_hdf5_lock(void);
void cx_hdf5_unlock(void);

/* Owned local handle of any kind: CX_HID file = H5Fopen(…); */
static inline void
cx_hid_cleanup(hid_t *id)
{
    if (*id >= 0)
        H5Idec_ref(*id);
}
#define CX_HID __attribute__((cleanup(cx_hid_cleanup))) hid_t

/* The errno that libhdf5's last error quotes, or 0. */
int cx_hdf5_errno(void);

/* Opens for reading, without file locks (sources may lie on a read-only or
 * network disk); negative and error on failure. */
hid_t cx_hdf5_open_file(const char *path, GError **error);

/* Brings a closed file to the disk, then gives it its name. */
bool cx_hdf5_install(const char *part, const char *path);

/* Opens an object by path without following external links. */
hid_t cx_hdf5_open_object(hid_t file, const char *path);

/* Sample type of a data set's type; false for what is no number.  Booleans
 * (enumerations) are the integers they are stored as. */
bool cx_hdf5_dtype(hid_t type, CxDtype *dtype);

/* Type in memory to read or write with; from H5Tcopy: to be closed. */
hid_t cx_hdf5_memory_type(hid_t type, CxDtype dtype);
hid_t cx_hdf5_native(CxDtype dtype); /* not to be closed */

/* Can the samples be read: filters present, data inside this file?  where:
 * "a.h5:/volumes/raw". */
bool cx_hdf5_check_storage(hid_t dataset, const char *where, GError **error);

/* Attributes; false or NULL if absent or of another kind. */
bool cx_hdf5_attribute_doubles(hid_t object, const char *name, double *values,
                               unsigned n_values);
char *cx_hdf5_attribute_string(hid_t object, const char *name);
