#include "base/byte_size.h"

#include <gtest/gtest.h>

#include <utility>

#include "support/errors.h"

namespace limn {
namespace {

TEST(ByteSize, IsANumberAndAUnit) {
  constexpr std::uint64_t kKilo = 1024, kMega = kKilo * kKilo, kGiga = kKilo * kMega;
  for (const auto& [text, bytes] :
       {std::pair("1", std::uint64_t{1}), std::pair("100000", std::uint64_t{100'000}),
        std::pair("1B", std::uint64_t{1}), std::pair("5k", 5 * kKilo),
        std::pair("512M", 512 * kMega), std::pair("1.5g", 3 * kGiga / 2),
        std::pair("8G", 8 * kGiga), std::pair("8GB", 8 * kGiga),
        std::pair("2tb", 2 * kKilo * kGiga), std::pair("0.5K", kKilo / 2)}) {
    EXPECT_EQ(parse_byte_size(text, "--disk"), bytes) << text;
  }
}

TEST(ByteSize, IsNothingElse) {
  for (const char* text : {"",         "G",
                           "B",        "0",
                           "0.5",      "-1",
                           "-1G",      "+1G",
                           "8Q",       "8 G",
                           " 8G",      "8G ",
                           "8GG",      "8GBB",
                           "8BG",      "1e3",
                           "0x10",     "inf",
                           "nan",      "many",
                           "1000000T", "99999999999999999999",
                           "8G\n",     "8G;ls",
                           "1,5G"}) {
    EXPECT_TRUE(says(error_of([&] { parse_byte_size(text, "--disk"); }), ErrorKind::usage,
                     "--disk: '", "is not a size; write 512M or 8G"))
        << text;
  }
}

}  // namespace
}  // namespace limn
