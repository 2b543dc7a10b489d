/* What hdf5.c and its helper processes say to each other over a socket.
 *
 * Both are the same program, so structs travel as they are.  The helper is
 * not trusted: hdf5.c checks every number that comes back.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#include "core/volume/reader.h"

/* Names the descriptor of the socket in the helper's environment. */
#define CX_HDF5_HELPER_VARIABLE "CX_HDF5_HELPER"

#define CX_HDF5_MAX_TEXT 8192
#define CX_HDF5_MAX_LISTED 4096

typedef enum {
    CX_HDF5_OPEN, /* path, data set → reply, CxVolumeInfo */
    CX_HDF5_LIST, /* path → reply, n_items CxHdf5Item with their paths */
    CX_HDF5_READ, /* box → for each piece: reply, samples */
} CxHdf5Operation;

typedef struct {
    CxHdf5Operation operation;
    uint32_t path_length;
    uint32_t dataset_length; /* UINT32_MAX: none */
    CxBox box;
} CxHdf5Request;

typedef struct {
    int32_t ok;
    int32_t code;         /* CxErrorCode, if not ok … */
    uint32_t text_length; /* … and the message that follows */
    uint32_t n_items;
} CxHdf5Reply;

typedef struct {
    CxVoxel size;
    CxDtype dtype;
    uint32_t is_labels;
    uint32_t path_length;
} CxHdf5Item;

/* Sections of a piece of a box: all of the box if it is small. */
int64_t cx_hdf5_piece_depth(CxVoxel size);

/* False at the end of the stream or an error of the system. */
bool cx_hdf5_send(int fd, const void *bytes, size_t n);
bool cx_hdf5_receive(int fd, void *bytes, size_t n);
