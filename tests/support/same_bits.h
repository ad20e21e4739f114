// Equality to the bit.
#pragma once

#include <cstring>
#include <span>
#include <type_traits>

namespace limn {

template <typename T>
bool same_bits(std::span<const T> a, std::span<const T> b) {
  static_assert(std::is_trivially_copyable_v<T>);
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

// For two containers of floats or words.
template <typename A, typename B>
bool same_bits(const A& a, const B& b) {
  using T = std::remove_cvref_t<decltype(*a.data())>;
  return same_bits(std::span<const T>(a.data(), a.size()), std::span<const T>(b.data(), b.size()));
}

}  // namespace limn
