// Memory for kernel tests that detects stray accesses.
//
//   guard | ring, cells, padding between planes, slack: what the map asks for | guard
//
// All of it starts as a sentinel, a NaN with particular bits. A kernel that writes where it should
// not changes the bits there; one that uses what it may only read gets NaN in its result; and with
// the address sanitizer, one that even reads a guard is stopped.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include "base/buffer.h"
#include "kernels/feature_map.h"

namespace limn {

template <typename T>
inline constexpr T kSentinel = T{0xA5A5};  // words of bits
template <>
inline constexpr float kSentinel<float> = std::bit_cast<float>(0x7FC5A5A5u);

template <typename T>
bool is_sentinel(T value) {
  if constexpr (std::is_same_v<T, float>) return std::bit_cast<std::uint32_t>(value) == 0x7FC5A5A5u;
  return value == kSentinel<T>;
}

// `size` values between two guards.
template <typename T>
class Guarded {
 public:
  explicit Guarded(std::size_t size) : size_(size), memory_(kGuard + size + kGuard) {
    for (std::size_t i = 0; i < memory_.size(); ++i) memory_[i] = kSentinel<T>;
    poison();
  }
  ~Guarded() { unpoison(); }
  Guarded(Guarded&& other) noexcept
      : size_(std::exchange(other.size_, 0)), memory_(std::move(other.memory_)) {}
  Guarded& operator=(Guarded&&) = delete;

  T* data() { return memory_.data() + kGuard; }
  const T* data() const { return memory_.data() + kGuard; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  operator std::span<T>() { return {data(), size_}; }
  operator std::span<const T>() const { return {data(), size_}; }

  testing::AssertionResult guards_untouched() const {
    unpoison();
    std::size_t spoilt = 0;
    for (std::size_t i = 0; i < kGuard; ++i) {
      spoilt += is_sentinel(memory_[i]) ? 0 : 1;
      spoilt += is_sentinel(memory_[kGuard + size_ + i]) ? 0 : 1;
    }
    poison();
    if (spoilt == 0) return testing::AssertionSuccess();
    return testing::AssertionFailure() << spoilt << " values beside the memory were written";
  }

 private:
  // In values; preserves the alignment of the data.
  static constexpr std::size_t kGuard = 4 * kBufferAlignment / sizeof(T);

  void poison() const {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_POISON_MEMORY_REGION(memory_.data(), kGuard * sizeof(T));
    ASAN_POISON_MEMORY_REGION(memory_.data() + kGuard + size_, kGuard * sizeof(T));
#endif
  }
  void unpoison() const {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(memory_.data(), memory_.size() * sizeof(T));
#endif
  }

  std::size_t size_;
  Buffer<T> memory_;
};

// Calls visit(c, y, x) for every value of a map of this shape.
template <typename Visit>
void for_each_value(int channels, int height, int width, Visit&& visit) {
  for (int c = 0; c < channels; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) visit(c, y, x);
    }
  }
}

// A feature map in guarded memory. By default an output: nothing in it is set.
class GuardedMap {
 public:
  GuardedMap(int channels, int height, int width)
      : memory_(FeatureMap{nullptr, channels, height, width}.floats()),
        map_{memory_.data(), channels, height, width} {}
  // An input: the ring is 0, the values are value(c, y, x).
  template <typename Value>
  GuardedMap(int channels, int height, int width, Value&& value)
      : GuardedMap(channels, height, width) {
    for (int block = 0; block < map_.blocks(); ++block) {
      for (int y = -1; y <= height; ++y) {
        for (int x = -1; x <= width; ++x) std::fill_n(map_.cell(block, y, x), kBlock, 0.0f);
      }
    }
    fill(value);
  }

  // Sets the values, and nothing around them.
  template <typename Value>
  void fill(Value&& value) {
    for_each_value(map_.channels, map_.height, map_.width,
                   [&](int c, int y, int x) { map_.at(c, y, x) = value(c, y, x); });
  }

  // Sets the ring to value(), and nothing else.
  template <typename Value>
  void fill_ring(Value&& value) {
    for (int c = 0; c < map_.channels; ++c) {
      for (int y = -1; y <= map_.height; ++y) {
        const int step = y < 0 || y == map_.height ? 1 : map_.width + 1;
        for (int x = -1; x <= map_.width; x += step) map_.at(c, y, x) = value();
      }
    }
  }

  FeatureMap map() { return map_; }
  ConstFeatureMap map() const { return map_; }
  operator FeatureMap() { return map_; }
  operator ConstFeatureMap() const { return map_; }
  float at(int c, int y, int x) const { return map_.at(c, y, x); }

  // For an output: whether ring, padding, slack and guards are unchanged.
  testing::AssertionResult written_inside_only() const {
    std::size_t outside = memory_.size();
    std::size_t untouched = 0;
    for (std::size_t i = 0; i < memory_.size(); ++i) untouched += is_sentinel(memory_[i]) ? 1 : 0;
    for_each_value(map_.channels, map_.height, map_.width, [&](int c, int y, int x) {
      --outside;
      untouched -= is_sentinel(map_.at(c, y, x)) ? 1 : 0;
    });
    if (untouched != outside) {
      return testing::AssertionFailure() << outside - untouched << " values outside were written";
    }
    return memory_.guards_untouched();
  }

 private:
  Guarded<float> memory_;
  FeatureMap map_;
};

// The three planes of a picture, likewise in guarded memory.
class GuardedPlanes {
 public:
  GuardedPlanes(int height, int width)
      : memory_(InputPlanes{nullptr, height, width}.floats()),
        planes_{memory_.data(), height, width} {}
  template <typename Value>
  GuardedPlanes(int height, int width, Value&& value) : GuardedPlanes(height, width) {
    std::fill_n(planes_.data, 3 * planes_.plane_stride(), 0.0f);
    for_each_value(3, height, width,
                   [&](int c, int y, int x) { planes_.row(c, y)[x] = value(c, y, x); });
  }

  operator InputPlanes() { return planes_; }
  operator ConstInputPlanes() const { return planes_; }
  float at(int c, int y, int x) const { return planes_.row(c, y)[x]; }

  testing::AssertionResult written_inside_only() const {
    std::size_t outside = memory_.size();
    std::size_t untouched = 0;
    for (std::size_t i = 0; i < memory_.size(); ++i) untouched += is_sentinel(memory_[i]) ? 1 : 0;
    for_each_value(3, planes_.height, planes_.width, [&](int c, int y, int x) {
      --outside;
      untouched -= is_sentinel(at(c, y, x)) ? 1 : 0;
    });
    if (untouched != outside) {
      return testing::AssertionFailure() << outside - untouched << " values outside were written";
    }
    return memory_.guards_untouched();
  }

 private:
  Guarded<float> memory_;
  InputPlanes planes_;
};

// The bits of a map, likewise.
class GuardedBits {
 public:
  GuardedBits(int channels, int height, int width)
      : memory_(bit_words(channels, height, width)), bits_{memory_.data(), height, width} {}

  const CellBits& bits() const { return bits_; }
  std::span<const std::uint16_t> words() const { return memory_; }
  std::span<std::uint16_t> words() { return memory_; }
  bool at(int c, int y, int x) const {
    return (bits_.row(c / kBlock, y)[x] >> (c % kBlock) & 1) != 0;
  }
  testing::AssertionResult guards_untouched() const { return memory_.guards_untouched(); }

 private:
  Guarded<std::uint16_t> memory_;
  CellBits bits_;
};

// A map in half precision, likewise.
class GuardedHalves {
 public:
  GuardedHalves(int channels, int height, int width)
      : memory_(HalfMap{nullptr, channels, height, width}.words()),
        map_{memory_.data(), channels, height, width} {}

  const HalfMap& map() const { return map_; }
  std::span<const std::uint16_t> words() const { return memory_; }
  testing::AssertionResult guards_untouched() const { return memory_.guards_untouched(); }

 private:
  Guarded<std::uint16_t> memory_;
  HalfMap map_;
};

// ---- comparing maps, planes or anything with at(c, y, x) ----

// Whether two outputs of this shape have the same values (0 equals -0; NaN equals nothing).
template <typename A, typename B>
testing::AssertionResult same_values(const A& found, const B& expected, int channels, int height,
                                     int width) {
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(channels, height, width, [&](int c, int y, int x) {
    if (!result || found.at(c, y, x) == expected.at(c, y, x)) return;
    result = testing::AssertionFailure()
             << "channel " << c << ", row " << y << ", column " << x << ": " << found.at(c, y, x)
             << " instead of " << expected.at(c, y, x);
  });
  return result;
}

// Whether |found - expected| <= tolerance * magnitude everywhere.
template <typename A, typename B, typename C>
testing::AssertionResult near_values(const A& found, const B& expected, const C& magnitude,
                                     double tolerance, int channels, int height, int width) {
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(channels, height, width, [&](int c, int y, int x) {
    const double distance = std::abs(double{found.at(c, y, x)} - expected.at(c, y, x));
    if (!result || distance <= tolerance * magnitude.at(c, y, x)) return;  // false for NaN
    result = testing::AssertionFailure()
             << "channel " << c << ", row " << y << ", column " << x << ": " << found.at(c, y, x)
             << " is " << distance << " from " << expected.at(c, y, x) << ", allowed "
             << tolerance * magnitude.at(c, y, x);
  });
  return result;
}

// Whether every error is at most `tolerance` times the largest value: for results of several steps,
// each of which mixes the errors of many values.
template <typename A, typename B>
testing::AssertionResult near_all(const A& found, const B& expected, double tolerance, int channels,
                                  int height, int width) {
  double largest = 0;
  for_each_value(channels, height, width, [&](int c, int y, int x) {
    largest = std::max(largest, std::abs(double{expected.at(c, y, x)}));
  });
  struct Everywhere {
    double largest;
    double at(int, int, int) const { return largest; }
  };
  return near_values(found, expected, Everywhere{largest}, tolerance, channels, height, width);
}

}  // namespace limn
