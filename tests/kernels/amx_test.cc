// Products on AMX's tile registers against sums in double.
#include "kernels/amx.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr int kBlock = 16;

struct Shape {
  int in, rows;
  int written() const { return (rows + kernels::kAmxRows - 1) / kernels::kAmxRows * 16; }
};

class Amx : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernels::amx_available()) GTEST_SKIP() << "this machine has no AMX";
  }

  // M of rows x 32, before and after, from random V and U, `count` inputs at a time.
  void expect_product(const Shape& shape, int count) {
    const auto [in, rows] = shape;
    const size_t v_block = static_cast<size_t>(shape.written()) * kBlock;
    const size_t m_block = v_block + kBlock;
    Guarded<float> V(v_block * in / kBlock);
    std::fill_n(V.data(), V.size(), std::nan(""));  // what lies behind the rows must not matter
    Random random(static_cast<std::uint64_t>(1000 * in + rows));
    for (int i = 0; i < in; ++i) {
      for (int row = 0; row < rows; ++row) at(V.data(), v_block, i, row) = random_signed(random);
    }
    const std::vector<float> U = random_values(static_cast<size_t>(in) * 32, 7);  // [in][32]
    Guarded<float> M(2 * m_block);
    Guarded<std::uint16_t> parts(kernels::AmxRows{nullptr, in, rows}.values());
    Guarded<std::uint16_t> scratch(kernels::AmxProducts::kScratch);
    const kernels::AmxRows cut = {parts.data(), in, rows};
    kernels::amx_cut(V.data(), v_block, cut);

    Guarded<float> blocks(U.size());  // [2 blocks][in][16]
    for (int i = 0; i < in; ++i) {
      for (int out = 0; out < 32; ++out) {
        blocks[(out / 16 * in + i) * 16 + out % 16] = U[i * 32 + out];
      }
    }
    const auto columns_from = [&](int first) -> kernels::AmxColumns {
      if (first >= in) return {};
      return {blocks.data() + first * kBlock, static_cast<size_t>(in) * kBlock,
              std::min(count, in - first)};
    };
    const kernels::AmxRegisters registers;
    kernels::AmxProducts products(scratch.data(), columns_from(0));
    for (int first = 0; first < in; first += count) {
      products.multiply(cut, first, first > 0, M.data(), m_block, columns_from(first + count));
    }
    ASSERT_TRUE(V.guards_untouched() && M.guards_untouched() && parts.guards_untouched() &&
                scratch.guards_untouched());
    for (int row = 0; row < rows; ++row) {
      for (int out = 0; out < 32; ++out) {
        double sum = 0, magnitude = 0;
        for (int i = 0; i < in; ++i) {
          const double term = double{at(V.data(), v_block, i, row)} * U[i * 32 + out];
          sum += term;
          magnitude += std::abs(term);
        }
        ASSERT_NEAR(at(M.data(), m_block, out, row), sum, kSumTolerance * magnitude)
            << in << " inputs, " << rows << " rows, by " << count << ": row " << row << ", output "
            << out;
      }
    }
  }

 private:
  static float& at(float* values, size_t block, int channel, int row) {
    return values[channel / kBlock * block + row * kBlock + channel % kBlock];
  }
};

TEST_F(Amx, MultipliesLikeFloat32) {
  for (const int in : {32, 64, 96, 128, 160, 512}) {
    for (const int rows : {1, 15, 16, 17, 31, 32, 33, 48, 64, 70}) {
      expect_product({in, rows}, kernels::kAmxMostInputs);
      if (HasFailure()) return;
    }
  }
}

TEST_F(Amx, AddsUpWhatIsGivenInParts) {
  for (const int count : {32, 64, 96}) {
    expect_product({256, 40}, count);
    if (HasFailure()) return;
  }
}

// All 24 bits count: two numbers that differ in the last one give products that do.
TEST_F(Amx, KeepsTheLastBit) {
  alignas(64) float V[2 * 16 * kBlock] = {};
  alignas(64) float U[2 * 32 * kBlock] = {};
  alignas(64) float M[2 * 16 * kBlock] = {};
  const float value = 1.0f + std::numeric_limits<float>::epsilon();
  V[0] = value;
  U[0] = 1.0f;
  Guarded<std::uint16_t> parts(kernels::AmxRows{nullptr, 32, 1}.values());
  Guarded<std::uint16_t> scratch(kernels::AmxProducts::kScratch);
  const kernels::AmxRows cut = {parts.data(), 32, 1};
  kernels::amx_cut(V, 16 * kBlock, cut);
  const kernels::AmxRegisters registers;
  kernels::AmxProducts products(scratch.data(), {U, 32 * kBlock, 32});
  products.multiply(cut, 0, false, M, 16 * kBlock, {});
  EXPECT_EQ(M[0], value);
}

}  // namespace
}  // namespace limn
