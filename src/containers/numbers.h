// Converts the numbers in files to floats, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/buffer.h"

namespace limn {

enum class NumberType { u8, i8, u16, i16, u32, i32, f16, bf16, f32, f64 };
size_t bytes_of(NumberType type);

// The numbers in `bytes` (a multiple of their size), least significant byte first unless
// big_endian.
Buffer<float> to_floats(std::span<const std::byte> bytes, NumberType type, bool big_endian = false);

// The nearest IEEE 754 half, ties to even; infinity for magnitudes from kHalfEnd on.
std::uint16_t to_half(float value);
inline constexpr float kHalfEnd = 65520;  // halfway from the largest half, 65504, to 2^16

}  // namespace limn
