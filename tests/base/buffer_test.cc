#include "base/buffer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/errors.h"

// The address sanitizer ends the program at a size that malloc would refuse, unless asked not to.
#define LIMN_VISIBLE __attribute__((visibility("default")))
extern "C" LIMN_VISIBLE const char*
__asan_default_options();  // NOLINT(bugprone-reserved-identifier)
extern "C" LIMN_VISIBLE const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}

namespace limn {
namespace {

TEST(Buffer, IsAlignedAndZeroAtEverySize) {
  for (size_t size = 1; size < 200; ++size) {
    Buffer<float> floats(size);
    Buffer<std::uint16_t> words(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(floats.data()) % 64, 0u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(words.data()) % 64, 0u);
    ASSERT_EQ(floats.size(), size);
    for (size_t i = 0; i < size; ++i) {
      EXPECT_EQ(floats[i], 0.0f);
      EXPECT_EQ(words[i], 0);
      floats[i] = 1;  // memory that is used again must be zeroed again
      words[i] = 1;
    }
  }
}

// From 4 MB on it begins at a huge page.
TEST(Buffer, ThatIsLargeIsAlignedToAHugePageAndZero) {
  constexpr size_t kLarge = size_t{4} << 20;
  constexpr size_t kHugePage = size_t{2} << 20;
  const auto place = [](const auto& buffer) {
    return reinterpret_cast<std::uintptr_t>(buffer.data());
  };
  for (const size_t bytes : {kLarge - 1, kLarge, kLarge + 1, kLarge + kHugePage - 1,
                             kLarge + kHugePage, 3 * kLarge + 12345}) {
    SCOPED_TRACE(bytes);
    for (int round = 0; round < 3; ++round) {
      Buffer<std::uint8_t> buffer(bytes);
      EXPECT_EQ(place(buffer) % (bytes < kLarge ? 64 : kHugePage), 0u);
      // All of it is there, and zero also where memory was used and given back before.
      EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + bytes, [](int v) { return v == 0; }));
      std::fill_n(buffer.data(), bytes, std::uint8_t{1});
    }
  }
}

// Buffers side by side, made and given back in another order: none touches another.
TEST(Buffer, ThatIsLargeKeepsToItself) {
  constexpr size_t kFloats = (size_t{5} << 20) / sizeof(float) + 77;
  std::vector<Buffer<float>> buffers;
  for (int i = 0; i < 6; ++i) {
    buffers.emplace_back(kFloats);
    std::fill_n(buffers.back().data(), kFloats, static_cast<float>(i));
  }
  for (const int gone : {4, 1, 2}) buffers[gone] = {};
  for (const int kept : {0, 3, 5}) {
    const float* data = buffers[kept].data();
    EXPECT_TRUE(std::all_of(data, data + kFloats, [&](float v) { return v == kept; })) << kept;
  }
  for (const int gone : {4, 1, 2}) EXPECT_EQ(buffers[gone].data(), nullptr);
}

TEST(Buffer, IsMovedOntoItselfUnharmed) {
  Buffer<float> buffer(3);
  buffer[1] = 7;
  Buffer<float>& same = buffer;
  buffer = std::move(same);
  ASSERT_EQ(buffer.size(), 3u);
  EXPECT_EQ(buffer[1], 7);
}

TEST(Buffer, OfNothingHasNoMemory) {
  const Buffer<float> unmade;
  const Buffer<float> none(0);
  for (const Buffer<float>* buffer : {&unmade, &none}) {
    EXPECT_EQ(buffer->data(), nullptr);
    EXPECT_EQ(buffer->size(), 0u);
    EXPECT_TRUE(buffer->empty());
  }
}

TEST(Buffer, IsMovedAndLeavesNothing) {
  static_assert(!std::is_copy_constructible_v<Buffer<float>>);
  static_assert(!std::is_copy_assignable_v<Buffer<float>>);
  static_assert(std::is_nothrow_move_constructible_v<Buffer<float>>);
  Buffer<float> first(3);
  first[2] = 7;
  const float* memory = first.data();
  Buffer<float> second(std::move(first));
  EXPECT_EQ(second.data(), memory);
  EXPECT_EQ(second.size(), 3u);
  EXPECT_EQ(second[2], 7);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT(bugprone-use-after-move): what moving leaves
  EXPECT_TRUE(first.empty());
  Buffer<float> third(10);
  third = std::move(second);
  EXPECT_EQ(third.data(), memory);
  EXPECT_EQ(third.size(), 3u);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Buffer, IsASpanOfItsValues) {
  Buffer<float> buffer(4);
  const std::span<float> all = buffer;
  EXPECT_EQ(all.data(), buffer.data());
  EXPECT_EQ(all.size(), 4u);
  const Buffer<float>& constant = buffer;
  const std::span<const float> seen = constant;
  EXPECT_EQ(seen.data(), buffer.data());
}

TEST(Buffer, ThatMemoryCannotHoldNamesItsSizeAndWhatToDo) {
  const Error error = error_of([] { Buffer<float> huge(size_t{1} << 50); });
  EXPECT_TRUE(says(error, ErrorKind::resources, "no memory", "4503599627.4 MB", "--size"));
}

TEST(Buffer, WhoseByteCountWouldOverflowIsAnErrorToo) {
  constexpr size_t kMost = std::numeric_limits<size_t>::max();
  for (const size_t size : {kMost, kMost / 2, kMost / 4 + 1, kMost / 4 + 2, kMost / 8 + 1}) {
    EXPECT_TRUE(says(error_of([&] { Buffer<float> huge(size); }), ErrorKind::resources))
        << size << " floats";
  }
}

}  // namespace
}  // namespace limn
