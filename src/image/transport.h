// The linear maps that give one cloud of colours the spread of another.
#pragma once

#include <array>

namespace limn {

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;  // row by row

Vector3 operator*(const Matrix3& matrix, const Vector3& vector);

// A symmetric matrix as axes diag(values) axes^T; the axes are the columns, orthonormal.
struct Eigen3 {
  Vector3 values;
  Matrix3 axes;
};
Eigen3 eigen_of(const Matrix3& symmetric);

// The symmetric A with A from A = to, given two covariances: of all such maps, the one that moves
// points least (for normal distributions, the optimal transport). Pitié and Kokaram 2007 ("The
// linear Monge-Kantorovitch linear colour mapping for example-based colour transfer"):
//
//   A = from^-1/2 (from^1/2 to from^1/2)^1/2 from^-1/2
//
// Both covariances are widened by `least` (a variance, above 0) in every direction, so that a flat
// cloud has a map too. No direction is stretched by more than `most_gain`.
Matrix3 transport_map(const Matrix3& from, const Matrix3& to, double least, double most_gain);

// T = to^1/2 from^-1/2, with symmetric square roots: whitening, then colouring. T from T^T = to,
// with both covariances widened as above. Not symmetric, so it may turn the cloud; it equals
// transport_map where the two covariances have the same axes.
Matrix3 whitening_colouring_map(const Matrix3& from, const Matrix3& to, double least);

}  // namespace limn
