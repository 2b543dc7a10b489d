/* peak.h with AMX.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "core/kernels/peak.h"

#include <immintrin.h>

static void
clear_tiles(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
}

void
cx_peak_u8_amx(size_t n_rounds)
{
    clear_tiles();
    for (; n_rounds > 0; n_rounds--) {
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 7);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
    }
}

void
cx_peak_bf16_amx(size_t n_rounds)
{
    clear_tiles();
    for (; n_rounds > 0; n_rounds--) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
}
