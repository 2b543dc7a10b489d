/* HDF5 data sets, read by helper processes.
 *
 * libhdf5 was never made for files that want to do harm, and it decodes under
 * one lock.  So it runs in processes of its own (this program once more,
 * hdf5_server.c): one that dies or spins leaves a sentence about a damaged
 * file, and several decode at the same time.  Where no process can be started
 * the file is read in this one.
 *
 * What is understood, and the order of axes: hdf5_local.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

extern const CxReader cx_hdf5_reader;
