#include "containers/numbers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace limn {
namespace {

// IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 31u;
  const std::uint32_t fraction = half & 1023u;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in a float
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  // The exponent's bias grows from 15 to 127; 31, for infinity and NaN, becomes 255.
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

// A bfloat16 is the upper half of a float.
float from_bfloat(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

// C++'s own conversion: exact if a float can hold the number, otherwise the nearest.
constexpr auto kNearest = [](auto number) { return static_cast<float>(number); };

// Reads the numbers in `bytes` as Stored and converts each.
template <typename Stored, typename Convert>
void convert_all(std::span<const std::byte> bytes, bool swapped, Buffer<float>& values,
                 Convert&& convert) {
  for (size_t i = 0; i < values.size(); ++i) {
    std::array<std::byte, sizeof(Stored)> number;
    std::memcpy(number.data(), bytes.data() + i * sizeof(Stored), sizeof(Stored));
    if (swapped) std::ranges::reverse(number);
    values[i] = convert(std::bit_cast<Stored>(number));
  }
}

}  // namespace

size_t bytes_of(NumberType type) {
  switch (type) {
    case NumberType::u8:
    case NumberType::i8:
      return 1;
    case NumberType::u16:
    case NumberType::i16:
    case NumberType::f16:
    case NumberType::bf16:
      return 2;
    case NumberType::u32:
    case NumberType::i32:
    case NumberType::f32:
      return 4;
    case NumberType::f64:
      return 8;
  }
  return 0;
}

Buffer<float> to_floats(std::span<const std::byte> bytes, NumberType type, bool big_endian) {
  const bool swapped = big_endian != (std::endian::native == std::endian::big);
  Buffer<float> values(bytes.size() / bytes_of(type));
  switch (type) {
    case NumberType::f16:
      convert_all<std::uint16_t>(bytes, swapped, values, from_half);
      break;
    case NumberType::bf16:
      convert_all<std::uint16_t>(bytes, swapped, values, from_bfloat);
      break;
    case NumberType::f32:
      convert_all<float>(bytes, swapped, values, kNearest);
      break;
    case NumberType::f64:
      convert_all<double>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u8:
      convert_all<std::uint8_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i8:
      convert_all<std::int8_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u16:
      convert_all<std::uint16_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i16:
      convert_all<std::int16_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u32:
      convert_all<std::uint32_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i32:
      convert_all<std::int32_t>(bytes, swapped, values, kNearest);
      break;
  }
  return values;
}

// A half has 11 significant bits, down to multiples of 2^-24.
std::uint16_t to_half(float value) {
  const auto sign = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000u);
  const float size = std::abs(value);
  if (std::isnan(value)) return sign | 0x7e00u;
  if (size >= kHalfEnd) return sign | 0x7c00u;
  if (size < 0x1p-14f) {  // subnormal: 2^-24 is the last bit of floats from 1/2 up
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(size + 0.5f) & 0xffffu);
  }
  // Drops the lower 13 of a float's 23 fraction bits: adding half of their range, minus one where a
  // tie is already even, carries into the bits that stay. The exponent's bias falls from 127 to 15.
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(size);
  const std::uint32_t rounded = bits + 0xfffu + (bits >> 13 & 1u);
  return sign | static_cast<std::uint16_t>((rounded >> 13) - (112u << 10));
}

}  // namespace limn
