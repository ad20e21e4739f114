#include "image/transport.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace limn {
namespace {

// Once small, the off-diagonal is squared by each round of rotations: five suffice for doubles.
constexpr int kMostRounds = 20;

constexpr Matrix3 kIdentity = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

Matrix3 operator*(const Matrix3& left, const Matrix3& right) {
  Matrix3 product{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) product[i][j] += left[i][k] * right[k][j];
  return product;
}

// axes diag(function(value)) axes^T, exactly symmetric.
template <typename Function>
Matrix3 mapped(const Matrix3& symmetric, Function&& function) {
  const auto [values, axes] = eigen_of(symmetric);
  Matrix3 result{};
  for (int k = 0; k < 3; ++k) {
    const double value = function(values[k]);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) result[i][j] += value * (axes[i][k] * axes[j][k]);
  }
  return result;
}

Matrix3 widened(Matrix3 covariance, double least) {
  for (int i = 0; i < 3; ++i) covariance[i][i] += least;
  return covariance;
}

}  // namespace

Vector3 operator*(const Matrix3& matrix, const Vector3& vector) {
  Vector3 product{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) product[i] += matrix[i][j] * vector[j];
  return product;
}

// Jacobi's method: a series of plane rotations, each of which zeroes the element (p, q) (Golub and
// Van Loan, "Matrix Computations", section 8.5).
Eigen3 eigen_of(const Matrix3& symmetric) {
  Matrix3 S = symmetric;
  Matrix3 axes = kIdentity;
  for (int round = 0; round < kMostRounds; ++round) {
    for (const auto& [p, q] : {std::pair{0, 1}, {0, 2}, {1, 2}}) {
      if (S[p][q] == 0) continue;
      const double tau = (S[q][q] - S[p][p]) / (2 * S[p][q]);
      const double tangent = std::copysign(1.0, tau) / (std::abs(tau) + std::hypot(1.0, tau));
      const double cosine = 1 / std::hypot(1.0, tangent);
      Matrix3 rotation = kIdentity;
      rotation[p][p] = rotation[q][q] = cosine;
      rotation[p][q] = cosine * tangent;
      rotation[q][p] = -cosine * tangent;
      Matrix3 back = rotation;
      std::swap(back[p][q], back[q][p]);
      S = back * S * rotation;
      S[p][q] = S[q][p] = 0;
      axes = axes * rotation;
    }
  }
  return {{S[0][0], S[1][1], S[2][2]}, axes};
}

Matrix3 transport_map(const Matrix3& from, const Matrix3& to, double least, double most_gain) {
  // Variances that rounding has made negative count as `least`.
  const auto root = [&](double value) { return std::sqrt(std::max(value, least)); };
  const Matrix3 wide = widened(from, least);
  const Matrix3 half = mapped(wide, root);
  const Matrix3 inverse_half = mapped(wide, [&](double value) { return 1 / root(value); });
  const Matrix3 middle = mapped(half * widened(to, least) * half,
                                [](double value) { return std::sqrt(std::max(value, 0.0)); });
  return mapped(inverse_half * middle * inverse_half,
                [&](double gain) { return std::clamp(gain, 0.0, most_gain); });
}

Matrix3 whitening_colouring_map(const Matrix3& from, const Matrix3& to, double least) {
  const auto root = [&](double value) { return std::sqrt(std::max(value, least)); };
  const Matrix3 whitening = mapped(widened(from, least), [&](double v) { return 1 / root(v); });
  return mapped(widened(to, least), root) * whitening;
}

}  // namespace limn
