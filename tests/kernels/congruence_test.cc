// Products with a student's K against the slow twins: of matrices of Gram differences, and of maps.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

Buffer<double> random_symmetric(size_t C, std::uint64_t seed) {
  Random random(seed);
  Buffer<double> matrix(C * C);
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j <= i; ++j) matrix[i * C + j] = matrix[j * C + i] = random_signed(random);
  }
  return matrix;
}

// Two sums of C products each, of terms below 1: some C epsilons of C at most, mostly far less.
double tolerance_of(size_t C) {
  return 4 * std::numeric_limits<double>::epsilon() * static_cast<double>(C) * std::sqrt(C);
}

TEST(Congruence, IsItsTwinForEveryNumberOfBlocksAndThreads) {
  for (const size_t C : {16, 32, 48, 64, 80, 96, 160, 256}) {
    const Buffer<double> K = random_symmetric(C, 1);
    const Buffer<double> D = random_symmetric(C, C);
    Buffer<double> expected_KD(C * C), expected(C * C);
    reference::congruence(K, D, C, expected_KD, expected);
    on_every_target([&] {
      SCOPED_TRACE(testing::Message() << C << " channels");
      std::vector<double> of_one_thread;
      for (const int threads : {1, 2, 3}) {
        ThreadPool pool(threads);
        Guarded<double> KD(C * C), KDK(C * C);
        kernels::congruence(K, D, C, KD, KDK, pool);
        ASSERT_TRUE(KD.guards_untouched());
        ASSERT_TRUE(KDK.guards_untouched());
        for (size_t i = 0; i < C * C; ++i) {
          ASSERT_NEAR(KD[i], expected_KD[i], tolerance_of(C));
          ASSERT_NEAR(KDK[i], expected[i], tolerance_of(C) * static_cast<double>(C));
          ASSERT_EQ(KDK[i], KDK[i % C * C + i / C]) << "not symmetric";
        }
        const std::vector<double> found(KDK.data(), KDK.data() + C * C);
        if (threads == 1) of_one_thread = found;
        ASSERT_EQ(found, of_one_thread) << threads << " threads";
      }
    });
  }
}

TEST(MultiplyRows, IsItsTwinForAnyNumberOfThem) {
  for (const size_t C : {16, 48, 64, 256}) {
    const Buffer<double> K = random_symmetric(C, 1);
    for (const size_t rows : {16, 32, 80}) {
      std::vector<double> A(rows * C), expected(rows * C);
      Random random(C);
      for (double& value : A) value = random_signed(random);
      reference::multiply_rows(A, K, C, expected);
      on_every_target([&] {
        Guarded<double> AK(rows * C);
        kernels::multiply_rows(A, K, C, AK);
        ASSERT_TRUE(AK.guards_untouched());
        for (size_t i = 0; i < A.size(); ++i) ASSERT_NEAR(AK[i], expected[i], tolerance_of(C));
      });
    }
  }
}

TEST(Congruence, OfAnyMatrixIsItsTwin) {
  for (const size_t C : {16, 32, 48, 80, 160}) {
    const Buffer<double> K = random_symmetric(C, 1);
    Buffer<double> D(C * C);
    Random random(C);
    for (double& value : D) value = random_signed(random);
    Buffer<double> expected_KD(C * C), expected(C * C);
    reference::general_congruence(K, D, C, expected_KD, expected);
    on_every_target([&] {
      SCOPED_TRACE(testing::Message() << C << " channels");
      std::vector<double> of_one_thread;
      for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        Guarded<double> KD(C * C), KDK(C * C);
        kernels::general_congruence(K, D, C, KD, KDK, pool);
        ASSERT_TRUE(KD.guards_untouched());
        ASSERT_TRUE(KDK.guards_untouched());
        for (size_t i = 0; i < C * C; ++i) {
          ASSERT_NEAR(KD[i], expected_KD[i], tolerance_of(C));
          ASSERT_NEAR(KDK[i], expected[i], tolerance_of(C) * static_cast<double>(C));
        }
        const std::vector<double> found(KDK.data(), KDK.data() + C * C);
        if (threads == 1) of_one_thread = found;
        ASSERT_EQ(found, of_one_thread) << threads << " threads";
      }
    });
  }
}

// Whole numbers, whose products and sums are exact.
TEST(GramGradient, IsAddedToAMapLikeItsTwin) {
  Random random(2);
  const auto value = [&](int, int, int) { return random_whole(random, 3); };
  for (const int channels : {16, 32, 48, 160}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {3, 5}, {7, 13}, {2, 97}}) {
      const size_t C = channels;
      std::vector<float> S(C * C);
      for (size_t i = 0; i < C; ++i) {
        for (size_t j = 0; j <= i; ++j) S[i * C + j] = S[j * C + i] = random_whole(random, 3);
      }
      const GuardedMap F(channels, height, width, value);
      const GuardedMap before(channels, height, width, value);
      const auto copy = [&](int c, int y, int x) { return before.at(c, y, x); };
      GuardedMap expected(channels, height, width);
      expected.fill(copy);
      reference::add_gram_gradient(S, F, expected);
      on_every_target([&] {
        for (const int threads : {1, 3}) {
          ThreadPool pool(threads);
          GuardedMap found(channels, height, width);
          found.fill(copy);
          kernels::add_gram_gradient(S, F, found, pool);
          ASSERT_TRUE(found.written_inside_only());
          ASSERT_TRUE(same_values(found, expected, channels, height, width));
        }
      });
    }
  }
}

}  // namespace
}  // namespace limn
