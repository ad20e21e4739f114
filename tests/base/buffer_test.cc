#include "base/buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

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
