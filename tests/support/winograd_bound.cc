#include "support/winograd_bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace limn {
namespace {

constexpr int kTile = 4;   // outputs on a side
constexpr int kPatch = 6;  // inputs on a side, and points

// |A^T|, |B^T| and |G| of the points 0, a, -a, b, -b and infinity.
constexpr double a = 0.625, b = 1.5, a2 = a * a, b2 = b * b;
constexpr double p = a2 * b2, q = 2 * a2 * (b2 - a2), r = 2 * b2 * (b2 - a2);
constexpr double kA[kTile][kPatch] = {{1, 1, 1, 1, 1, 0},
                                      {0, a, a, b, b, 0},
                                      {0, a2, a2, b2, b2, 0},
                                      {0, a* a2, a* a2, b* b2, b* b2, 1}};
constexpr double kB[kPatch][kPatch] = {{p, 0, a2 + b2, 0, 1, 0}, {0, a* b2, b2, a, 1, 0},
                                       {0, a* b2, b2, a, 1, 0},  {0, b* a2, a2, b, 1, 0},
                                       {0, b* a2, a2, b, 1, 0},  {0, p, 0, a2 + b2, 0, 1}};
constexpr double kG[kPatch][3] = {{1 / p, 0, 0},          {1 / q, a / q, a2 / q},
                                  {1 / q, a / q, a2 / q}, {1 / r, b / r, b2 / r},
                                  {1 / r, b / r, b2 / r}, {0, 0, 1}};

// M X M^T.
template <int kRows, int kColumns>
std::array<double, kRows * kRows> transformed(const double (&M)[kRows][kColumns],
                                              const std::array<double, kColumns * kColumns>& X) {
  std::array<double, kRows * kRows> result{};
  for (int i = 0; i < kRows; ++i) {
    double MX[kColumns] = {};  // row i of it
    for (int k = 0; k < kColumns; ++k) {
      for (int l = 0; l < kColumns; ++l) MX[l] += M[i][k] * X[k * kColumns + l];
    }
    for (int j = 0; j < kRows; ++j) {
      for (int l = 0; l < kColumns; ++l) result[i * kRows + j] += MX[l] * M[j][l];
    }
  }
  return result;
}

using Points = std::array<double, kPatch * kPatch>;

// |G| |g| |G^T| for the channels that a convolution in this direction reads and writes:
// [channels][x_channels].
std::vector<Points> transformed_kernel(std::span<const float> kernel, kernels::Direction direction,
                                       int x_channels, int channels) {
  std::vector<Points> result;
  for (int o = 0; o < channels; ++o) {
    for (int i = 0; i < x_channels; ++i) {
      const bool forward = direction == kernels::Direction::forward;
      const size_t pair =
          forward ? static_cast<size_t>(o) * x_channels + i : static_cast<size_t>(i) * channels + o;
      std::array<double, 9> g;
      for (int tap = 0; tap < 9; ++tap) {
        g[tap] = std::abs(kernel[pair * 9 + (forward ? tap : 8 - tap)]);
      }
      result.push_back(transformed(kG, g));
    }
  }
  return result;
}

}  // namespace

GuardedMap winograd_magnitude(std::span<const float> kernel, kernels::Direction direction,
                              const float* bias, ConstFeatureMap x, int channels) {
  const std::vector<Points> U = transformed_kernel(kernel, direction, x.channels, channels);
  std::vector<Points> V(x.channels);
  GuardedMap magnitude(channels, x.height, x.width);
  const FeatureMap to = magnitude;
  for (int row = 0; row < x.height; row += kTile) {
    for (int column = 0; column < x.width; column += kTile) {
      const int rows = std::min(kTile, x.height - row);
      const int columns = std::min(kTile, x.width - column);
      for (int c = 0; c < x.channels; ++c) {
        Points d{};  // 0 beyond the ring
        for (int i = 0; i < rows + 2; ++i) {
          for (int j = 0; j < columns + 2; ++j) {
            d[i * kPatch + j] = std::abs(x.at(c, row + i - 1, column + j - 1));
          }
        }
        V[c] = transformed(kB, d);
      }
      for (int o = 0; o < channels; ++o) {
        Points M{};
        for (int c = 0; c < x.channels; ++c) {
          const Points& u = U[static_cast<size_t>(o) * x.channels + c];
          for (size_t point = 0; point < M.size(); ++point) M[point] += u[point] * V[c][point];
        }
        const auto Y = transformed(kA, M);
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < columns; ++j) {
            to.at(o, row + i, column + j) =
                static_cast<float>(Y[i * kTile + j] + (bias ? std::abs(bias[o]) : 0.0));
          }
        }
      }
    }
  }
  return magnitude;
}

}  // namespace limn
