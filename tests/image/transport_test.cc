// The map between two covariances: it does what it says, and nothing wild where one is flat.
#include "image/transport.h"

#include <cmath>
#include <random>

#include "pictures.h"

namespace limn {
namespace {

constexpr double kLeast = 1e-12;
constexpr double kNoLimit = 1e9;

Matrix3 product(const Matrix3& left, const Matrix3& right) {
  Matrix3 out{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) out[i][j] += left[i][k] * right[k][j];
  return out;
}

Matrix3 transposed(const Matrix3& matrix) {
  Matrix3 out{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) out[i][j] = matrix[j][i];
  return out;
}

void expect_near(const Matrix3& found, const Matrix3& right, double tolerance) {
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_NEAR(found[i][j], right[i][j], tolerance) << i << " " << j;
}

Matrix3 random_covariance(std::mt19937& random) {
  std::normal_distribution<double> normal;
  Matrix3 factor;
  for (auto& row : factor)
    for (double& value : row) value = normal(random);
  return product(factor, transposed(factor));
}

constexpr Matrix3 diagonal(double a, double b, double c) {
  return {{{a, 0, 0}, {0, b, 0}, {0, 0, c}}};
}

TEST(Eigen, GivesTheMatrixBack) {
  std::mt19937 random(1);
  std::vector<Matrix3> all = {diagonal(0, 0, 0), diagonal(3, 3, 1), diagonal(1, 0, -2)};
  all.push_back({{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}}});        // rank 1
  all.push_back({{{0, 1e-9, 0}, {1e-9, 0, 5}, {0, 5, 0}}});  // of very unlike sizes
  for (int i = 0; i < 50; ++i) all.push_back(random_covariance(random));
  for (const Matrix3& matrix : all) {
    const auto [values, axes] = eigen_of(matrix);
    const Matrix3 back =
        product(product(axes, diagonal(values[0], values[1], values[2])), transposed(axes));
    expect_near(back, matrix, 1e-13);
    expect_near(product(transposed(axes), axes), diagonal(1, 1, 1), 1e-14);
  }
}

TEST(TransportMap, GivesOneCovarianceTheOther) {
  std::mt19937 random(2);
  for (int i = 0; i < 50; ++i) {
    const Matrix3 from = random_covariance(random);
    const Matrix3 to = random_covariance(random);
    const Matrix3 A = transport_map(from, to, kLeast, kNoLimit);
    expect_near(A, transposed(A), 1e-12);
    expect_near(product(product(A, from), A), to, 1e-6);
    for (const double gain : eigen_of(A).values) EXPECT_GT(gain, 0);  // nothing is mirrored
  }
}

TEST(TransportMap, LeavesAPictureAsItIsForItself) {
  std::mt19937 random(3);
  for (const Matrix3& any : {random_covariance(random), diagonal(0.1, 0, 0), diagonal(0, 0, 0)})
    expect_near(transport_map(any, any, 1e-6, 4), diagonal(1, 1, 1), 1e-7);
}

TEST(TransportMap, StretchesAxesByTheRatioOfDeviations) {
  const Matrix3 A = transport_map(diagonal(1, 4, 0.25), diagonal(4, 1, 0.25), kLeast, kNoLimit);
  expect_near(A, diagonal(2, 0.5, 1), 1e-9);
}

TEST(TransportMap, StretchesNothingBeyondItsLimit) {
  std::mt19937 random(4);
  const Matrix3 flat = {{{1e-30, 0, 0}, {0, 0, 0}, {0, 0, -1e-18}}};
  for (const Matrix3& from : {flat, diagonal(0.04, 0, 0), random_covariance(random)}) {
    for (const Matrix3& to : {flat, diagonal(0, 1, 1), random_covariance(random)}) {
      const Matrix3 A = transport_map(from, to, 1e-6, 4);
      for (const double gain : eigen_of(A).values) {
        EXPECT_GE(gain, -1e-12);
        EXPECT_LE(gain, 4 + 1e-12);
      }
    }
  }
}

TEST(WhiteningColouringMap, GivesOneCovarianceTheOtherBySymmetricRoots) {
  std::mt19937 random(5);
  for (int i = 0; i < 50; ++i) {
    const Matrix3 from = random_covariance(random);
    const Matrix3 to = random_covariance(random);
    const Matrix3 T = whitening_colouring_map(from, to, kLeast);
    expect_near(product(product(T, from), transposed(T)), to, 1e-6);
    // to^1/2: of all roots of `to`, the symmetric one without mirrored axes.
    const Matrix3 root = product(T, whitening_colouring_map(diagonal(1, 1, 1), from, kLeast));
    expect_near(root, transposed(root), 1e-6);
    for (const double value : eigen_of(root).values) EXPECT_GT(value, 0);
  }
}

TEST(WhiteningColouringMap, WidensWhatIsFlat) {
  const Matrix3 T = whitening_colouring_map(diagonal(0, 3e-4, -1e-9), diagonal(3e-4, 0, 0), 1e-4);
  expect_near(T, diagonal(2, 0.5, 1), 1e-4);
}

}  // namespace
}  // namespace limn
