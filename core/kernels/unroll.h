/* Unrolls the loop that follows completely, whichever the compiler; its
 * bounds must be constants after inlining.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#pragma once

#ifdef __clang__
#define CX_UNROLL _Pragma("unroll")
#define CX_UNROLL_4 _Pragma("unroll 4")
#else
#define CX_UNROLL _Pragma("GCC unroll 32")
#define CX_UNROLL_4 _Pragma("GCC unroll 4")
#endif
