#include "kernels/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/buffer.h"

namespace limn::reference {
namespace {

// Calls visit(c, y, x) for every value of a map of this shape.
template <typename T, typename Visit>
void for_each_value(BasicFeatureMap<T> map, Visit&& visit) {
  for (int c = 0; c < map.channels; ++c) {
    for (int y = 0; y < map.height; ++y) {
      for (int x = 0; x < map.width; ++x) visit(c, y, x);
    }
  }
}

void set_bit(const CellBits& bits, int c, int y, int x, bool value) {
  std::uint16_t& word = bits.row(c / kBlock, y)[x];
  const auto mask = static_cast<std::uint16_t>(1u << (c % kBlock));
  word = static_cast<std::uint16_t>(value ? word | mask : word & ~mask);
}

bool bit(const CellBits& bits, int c, int y, int x) {
  return (bits.row(c / kBlock, y)[x] >> (c % kBlock) & 1) != 0;
}

float tap(std::span<const float> kernel, int in, int o, int i, int ky, int kx) {
  return kernel[((static_cast<size_t>(o) * in + i) * 3 + ky) * 3 + kx];
}

bool inside(int y, int x, int height, int width) {
  return y >= 0 && y < height && x >= 0 && x < width;
}

// Calls visit(c, y, x) for every value of the ring.
template <typename T, typename Visit>
void for_each_of_ring(BasicFeatureMap<T> map, Visit&& visit) {
  for (int c = 0; c < map.channels; ++c) {
    for (int y = -1; y <= map.height; ++y) {
      for (int x = -1; x <= map.width; ++x) {
        if (!inside(y, x, map.height, map.width)) visit(c, y, x);
      }
    }
  }
}

// A map that owns its memory, initially 0.
struct OwnMap {
  OwnMap(int channels, int height, int width)
      : memory(FeatureMap{nullptr, channels, height, width}.floats()),
        map{memory.data(), channels, height, width} {}
  Buffer<float> memory;
  FeatureMap map;
};

struct OwnBits {
  OwnBits(int channels, int height, int width)
      : memory(bit_words(channels, height, width)), bits{memory.data(), height, width} {}
  Buffer<std::uint16_t> memory;
  CellBits bits;
};

void copy(ConstFeatureMap from, FeatureMap to) {
  for_each_value(to, [&](int c, int y, int x) { to.at(c, y, x) = from.at(c, y, x); });
}

void add(ConstFeatureMap from, FeatureMap to) {
  for_each_value(to, [&](int c, int y, int x) { to.at(c, y, x) += from.at(c, y, x); });
}

}  // namespace

// ---------------------------------------------------------------------------- 3 x 3 convolution --

void convolve(std::span<const float> kernel, const float* bias, ConstFeatureMap x, FeatureMap y) {
  for_each_value(y, [&](int o, int row, int column) {
    double sum = bias ? bias[o] : 0.0;
    for (int i = 0; i < x.channels; ++i) {
      for (int ky = 0; ky < 3; ++ky) {
        for (int kx = 0; kx < 3; ++kx) {
          sum += double{tap(kernel, x.channels, o, i, ky, kx)} *
                 x.at(i, row + ky - 1, column + kx - 1);
        }
      }
    }
    y.at(o, row, column) = static_cast<float>(sum);
  });
}

void convolve_backward(std::span<const float> kernel, ConstFeatureMap d_y, FeatureMap d_x) {
  for_each_value(d_x, [&](int i, int row, int column) {
    double sum = 0;
    for (int o = 0; o < d_y.channels; ++o) {
      for (int ky = 0; ky < 3; ++ky) {
        for (int kx = 0; kx < 3; ++kx) {
          sum += double{tap(kernel, d_x.channels, o, i, ky, kx)} *
                 d_y.at(o, row + 1 - ky, column + 1 - kx);
        }
      }
    }
    d_x.at(i, row, column) = static_cast<float>(sum);
  });
}

namespace {

// x from a source's values, without its ring.
void expand_inside(const Source& source, FeatureMap x) {
  const ConstFeatureMap& map = source.map;
  switch (source.kind) {
    case Source::Kind::map:
      copy(map, x);
      return;
    case Source::Kind::relu_gradient:
      add_relu_backward(source.signs, map, x);
      return;
    case Source::Kind::max_pool_gradient: {
      const OwnMap by_maxima(map.channels, map.height, map.width);
      add_relu_backward(source.signs, map, by_maxima.map);
      max_pool_backward(source.places, by_maxima.map, x);
      return;
    }
    case Source::Kind::average_pool_gradient:
      average_pool_backward(map, x);
      relu_backward(source.signs, x);
      return;
  }
}

}  // namespace

void expand(const Source& source, FeatureMap x) {
  std::fill_n(x.data, x.floats(), 0.0f);
  expand_inside(source, x);
  if (source.edges == Edges::periodic) {
    wrap_ring(x);
  } else if (source.kind == Source::Kind::map) {
    for_each_of_ring(x, [&](int c, int row, int column) {
      x.at(c, row, column) = source.map.at(c, row, column);
    });
  }
}

void put(ConstFeatureMap y, const Sink& sink) {
  switch (sink.kind) {
    case Sink::Kind::set:
      copy(y, sink.map);
      return;
    case Sink::Kind::add:
      add(y, sink.map);
      return;
    case Sink::Kind::relu:
      relu(y, sink.map, sink.signs);
      return;
    case Sink::Kind::relu_max_pool: {
      // The ReLU of a maximum is the maximum of the ReLUs.
      const OwnMap maxima(sink.map.channels, sink.map.height, sink.map.width);
      max_pool(y, maxima.map, sink.places);
      relu(maxima.map, sink.map, sink.signs);
      return;
    }
    case Sink::Kind::relu_average_pool: {
      const OwnMap positive(y.channels, y.height, y.width);
      relu(y, positive.map, sink.signs);
      average_pool(positive.map, sink.map);
      return;
    }
  }
}

namespace {

// A map for the expanded source. Two sizes can give the same max-pooled one; the convolution's
// output, which is as large as its input, tells which it was.
OwnMap input_of(const Source& source, const Sink& sink) {
  return {source.map.channels, sink.height, sink.width};
}

}  // namespace

void convolve(std::span<const float> kernel, Direction direction, const float* bias,
              const Source& source, const Sink& sink) {
  const OwnMap x = input_of(source, sink);
  const OwnMap y(sink.map.channels, sink.height, sink.width);
  expand(source, x.map);
  if (direction == Direction::forward) {
    convolve(kernel, bias, x.map, y.map);
  } else {
    convolve_backward(kernel, x.map, y.map);
    for_each_value(y.map, [&](int c, int row, int column) {
      if (bias) y.map.at(c, row, column) += bias[c];
    });
  }
  put(y.map, sink);
}

// ------------------------------------------------------------------------ the first convolution --

void wrap_ring(FeatureMap map) {
  for_each_of_ring(map, [&](int c, int y, int x) {
    map.at(c, y, x) = map.at(c, (y + map.height) % map.height, (x + map.width) % map.width);
  });
}

void wrap_ring(InputPlanes planes) {
  const int height = planes.height;
  const int width = planes.width;
  for (int c = 0; c < 3; ++c) {
    for (int y = -1; y <= height; ++y) {
      for (int x = -1; x <= width; ++x) {
        planes.row(c, y)[x] = planes.row(c, (y + height) % height)[(x + width) % width];
      }
    }
  }
}

void convolve_input(std::span<const float> kernel, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs) {
  for_each_value(y, [&](int o, int row, int column) {
    double sum = bias ? bias[o] : 0.0;
    for (int i = 0; i < 3; ++i) {
      for (int ky = 0; ky < 3; ++ky) {
        for (int kx = 0; kx < 3; ++kx) {
          sum += double{tap(kernel, 3, o, i, ky, kx)} * x.row(i, row + ky - 1)[column + kx - 1];
        }
      }
    }
    if (signs) set_bit(*signs, o, row, column, sum > 0);
    y.at(o, row, column) = static_cast<float>(signs ? std::max(sum, 0.0) : sum);
  });
}

void convolve_input_backward(std::span<const float> kernel, ConstFeatureMap d_y, InputPlanes d_x) {
  for (int i = 0; i < 3; ++i) {
    for (int row = 0; row < d_x.height; ++row) {
      for (int column = 0; column < d_x.width; ++column) {
        double sum = 0;
        for (int o = 0; o < d_y.channels; ++o) {
          for (int ky = 0; ky < 3; ++ky) {
            for (int kx = 0; kx < 3; ++kx) {
              sum +=
                  double{tap(kernel, 3, o, i, ky, kx)} * d_y.at(o, row + 1 - ky, column + 1 - kx);
            }
          }
        }
        d_x.row(i, row)[column] = static_cast<float>(sum);
      }
    }
  }
}

// -------------------------------------------------------------------------------- ReLU, pooling --

void relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs) {
  for_each_value(x, [&](int c, int row, int column) {
    const float value = x.at(c, row, column);
    set_bit(signs, c, row, column, value > 0);
    y.at(c, row, column) = std::max(value, 0.0f);
  });
}

void relu_backward(const CellBits& signs, FeatureMap d) {
  for_each_value(d, [&](int c, int row, int column) {
    if (!bit(signs, c, row, column)) d.at(c, row, column) = 0;
  });
}

void add_relu_backward(const CellBits& signs, ConstFeatureMap d_y, FeatureMap d_x) {
  for_each_value(d_x, [&](int c, int row, int column) {
    if (bit(signs, c, row, column)) d_x.at(c, row, column) += d_y.at(c, row, column);
  });
}

void max_pool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places) {
  for_each_value(y, [&](int c, int row, int column) {
    int best = 0;  // 0..3 in reading order
    for (int place = 1; place < 4; ++place) {
      if (x.at(c, 2 * row + place / 2, 2 * column + place % 2) >
          x.at(c, 2 * row + best / 2, 2 * column + best % 2)) {
        best = place;
      }
    }
    y.at(c, row, column) = x.at(c, 2 * row + best / 2, 2 * column + best % 2);
    set_bit(places.right, c, row, column, best % 2 == 1);
    set_bit(places.below, c, row, column, best / 2 == 1);
  });
}

void max_pool_backward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x) {
  for_each_value(d_y, [&](int c, int row, int column) {
    const int right = bit(places.right, c, row, column) ? 1 : 0;
    const int below = bit(places.below, c, row, column) ? 1 : 0;
    d_x.at(c, 2 * row + below, 2 * column + right) += d_y.at(c, row, column);
  });
}

void average_pool(ConstFeatureMap x, FeatureMap y) {
  for_each_value(y, [&](int c, int row, int column) {
    double sum = 0;
    int cells = 0;
    for (int place = 0; place < 4; ++place) {
      const int from_row = 2 * row + place / 2;
      const int from_column = 2 * column + place % 2;
      if (!inside(from_row, from_column, x.height, x.width)) continue;
      sum += x.at(c, from_row, from_column);
      ++cells;
    }
    y.at(c, row, column) = static_cast<float>(sum / cells);
  });
}

void average_pool_backward(ConstFeatureMap d_y, FeatureMap d_x) {
  for_each_value(d_x, [&](int c, int row, int column) {
    const int rows = std::min(2, d_x.height - row / 2 * 2);
    const int columns = std::min(2, d_x.width - column / 2 * 2);
    d_x.at(c, row, column) += d_y.at(c, row / 2, column / 2) / static_cast<float>(rows * columns);
  });
}

// -------------------------------------------------------------------------------- Gram matrices --

void gram(ConstFeatureMap F, std::span<float> G) {
  const size_t C = F.channels;
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j < C; ++j) {
      double sum = 0;
      for (int y = 0; y < F.height; ++y) {
        for (int x = 0; x < F.width; ++x) {
          sum += double{F.at(static_cast<int>(i), y, x)} * F.at(static_cast<int>(j), y, x);
        }
      }
      G[i * C + j] = static_cast<float>(sum);
    }
  }
}

void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P) {
  const size_t C = F.channels;
  std::vector<double> gradient(C);  // at one position
  for (int y = 0; y < F.height; ++y) {
    for (int x = 0; x < F.width; ++x) {
      for (int c = 0; c < F.channels; ++c) {
        gradient[c] = P.data ? factor * (double{F.at(c, y, x)} - P.at(c, y, x)) : 0.0;
        if (S.empty()) continue;
        for (int k = 0; k < F.channels; ++k) gradient[c] += double{S[c * C + k]} * F.at(k, y, x);
      }
      for (int c = 0; c < F.channels; ++c) F.at(c, y, x) = static_cast<float>(gradient[c]);
    }
  }
}

void add_gram_gradient(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F) {
  const size_t C = F.channels;
  for (int y = 0; y < F.height; ++y) {
    for (int x = 0; x < F.width; ++x) {
      for (int c = 0; c < F.channels; ++c) {
        double gradient = d_F.at(c, y, x);
        for (int k = 0; k < F.channels; ++k) gradient += double{S[c * C + k]} * F.at(k, y, x);
        d_F.at(c, y, x) = static_cast<float>(gradient);
      }
    }
  }
}

namespace {

// Where a shift of `by` takes place i of `length`, which may be outside.
int shifted(int i, int by, bool around, int length) {
  return around ? (i + by + length) % length : i + by;
}

}  // namespace

void shifted_gram(ConstFeatureMap F, kernels::Shift shift, std::span<float> G) {
  const size_t C = F.channels;
  std::vector<double> sums(C * C);
  for (int y = 0; y < F.height; ++y) {
    for (int x = 0; x < F.width; ++x) {
      const int to_y = shifted(y, shift.dy, shift.around, F.height);
      const int to_x = shifted(x, shift.dx, shift.around, F.width);
      if (!inside(to_y, to_x, F.height, F.width)) continue;
      for (int i = 0; i < F.channels; ++i) {
        for (int j = 0; j < F.channels; ++j) {
          sums[i * C + j] += double{F.at(i, y, x)} * F.at(j, to_y, to_x);
        }
      }
    }
  }
  for (size_t i = 0; i < C * C; ++i) G[i] = static_cast<float>(sums[i]);
}

void add_shifted_gradient(std::span<const float> S, ConstFeatureMap F, kernels::Shift shift,
                          FeatureMap d_F) {
  const size_t C = F.channels;
  for_each_value(d_F, [&](int c, int y, int x) {
    double gradient = d_F.at(c, y, x);
    for (const int sign : {1, -1}) {
      const int to_y = shifted(y, sign * shift.dy, shift.around, F.height);
      const int to_x = shifted(x, sign * shift.dx, shift.around, F.width);
      if (!inside(to_y, to_x, F.height, F.width)) continue;
      for (int k = 0; k < F.channels; ++k) {
        gradient += double{sign > 0 ? S[c * C + k] : S[k * C + c]} * F.at(k, to_y, to_x);
      }
    }
    d_F.at(c, y, x) = static_cast<float>(gradient);
  });
}

void project(std::span<const float> V, ConstFeatureMap F, FeatureMap P) {
  const size_t C = F.channels;
  for_each_value(P, [&](int n, int y, int x) {
    double sum = 0;
    for (int c = 0; c < F.channels; ++c) sum += double{V[n * C + c]} * F.at(c, y, x);
    P.at(n, y, x) = static_cast<float>(sum);
  });
}

void add_projection_backward(std::span<const float> V, ConstFeatureMap d_P, FeatureMap d_F) {
  const size_t C = d_P.channels;
  for_each_value(d_F, [&](int c, int y, int x) {
    double sum = d_F.at(c, y, x);
    for (int n = 0; n < d_P.channels; ++n) sum += double{V[n * C + c]} * d_P.at(n, y, x);
    d_F.at(c, y, x) = static_cast<float>(sum);
  });
}

void congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                std::span<double> KD, std::span<double> KDK) {
  general_congruence(K, D, C, KD, KDK);
}

void multiply_rows(std::span<const double> A, std::span<const double> K, std::size_t C,
                   std::span<double> AK) {
  for (size_t i = 0; i < A.size() / C; ++i) {
    for (size_t j = 0; j < C; ++j) {
      double sum = 0;
      for (size_t k = 0; k < C; ++k) sum += A[i * C + k] * K[k * C + j];
      AK[i * C + j] = sum;
    }
  }
}

void general_congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                        std::span<double> KD, std::span<double> KDK) {
  multiply_rows(K, D, C, KD);
  multiply_rows(KD, K, C, KDK);
}

void nearest(const kernels::Vectors& x, const kernels::Vectors& y, std::span<const float> bias,
             std::span<int> match, std::span<double> score) {
  const auto value = [](const kernels::Vectors& vectors, int i, int c) {
    return double{vectors.cell(c / kBlock, i)[c % kBlock]};
  };
  for (int i = 0; i < x.count; ++i) {
    match[i] = 0;
    score[i] = -std::numeric_limits<double>::infinity();
    for (int j = 0; j < y.count; ++j) {
      double sum = bias[j];
      for (int c = 0; c < x.channels; ++c) sum += value(x, i, c) * value(y, j, c);
      if (sum > score[i]) {
        match[i] = j;
        score[i] = sum;
      }
    }
  }
}

void gradient_from_half(const HalfMap& F, std::span<const float> S, FeatureMap d_F) {
  expand_half(F, d_F);
  turn_into_gradient(d_F, S, 0, {});
}

void mirror(FeatureMap F, kernels::Mirror mirror) {
  std::vector<float> values;
  values.reserve(F.channels * F.positions());
  for_each_value(F, [&](int c, int y, int x) { values.push_back(F.at(c, y, x)); });
  size_t next = 0;
  for_each_value(F, [&](int c, int y, int x) {
    const int to_y = mirror == kernels::Mirror::left_right ? y : F.height - 1 - y;
    const int to_x = mirror == kernels::Mirror::up_down ? x : F.width - 1 - x;
    F.at(c, to_y, to_x) = values[next++];
  });
}

// ------------------------------------------------------------ weights of positions, and moments --

namespace {

double root_weight(std::span<const float> m, ConstFeatureMap F, int y, int x) {
  return m.empty() ? 1.0 : double{m[static_cast<size_t>(y) * F.width + x]};
}

}  // namespace

void weigh(ConstFeatureMap F, std::span<const float> m, std::span<const float> mean, FeatureMap X) {
  for_each_value(X, [&](int c, int y, int x) {
    const double centred = F.at(c, y, x) - (mean.empty() ? 0.0 : double{mean[c]});
    X.at(c, y, x) = static_cast<float>(root_weight(m, F, y, x) * centred);
  });
}

void add_weighed(ConstFeatureMap X, std::span<const float> m, FeatureMap d) {
  for_each_value(d, [&](int c, int y, int x) {
    const double product = root_weight(m, X, y, x) * X.at(c, y, x);
    d.at(c, y, x) = static_cast<float>(d.at(c, y, x) + product);
  });
}

void moments(ConstFeatureMap F, std::span<const float> m, std::span<double> sums,
             std::span<double> squares) {
  std::fill(sums.begin(), sums.end(), 0.0);
  std::fill(squares.begin(), squares.end(), 0.0);
  for_each_value(F, [&](int c, int y, int x) {
    const double root = root_weight(m, F, y, x);
    sums[c] += root * root * F.at(c, y, x);
    squares[c] += root * root * F.at(c, y, x) * F.at(c, y, x);
  });
}

void add_moments_gradient(std::span<const float> a, std::span<const float> b, ConstFeatureMap F,
                          std::span<const float> m, FeatureMap d_F) {
  for_each_value(d_F, [&](int c, int y, int x) {
    const double root = root_weight(m, F, y, x);
    const double gradient = root * root * (a[c] + double{b[c]} * F.at(c, y, x));
    d_F.at(c, y, x) = static_cast<float>(d_F.at(c, y, x) + gradient);
  });
}

// ------------------------------------------------------------------------------ half precision --
// A half is a sign, 5 exponent bits and 10 significand bits. From 2^-14 to 65504 the leading 1 is
// implicit; below, the exponent bits are 0 and the significand counts multiples of 2^-24.

namespace {

constexpr int kLeastExponent = -14;
constexpr int kSignificandBits = 10;
constexpr int kExponentBias = 15;

std::uint16_t half_of(double value) {
  const double size = std::min(std::abs(value), 65504.0);
  const int exponent = size == 0 ? kLeastExponent : std::max(std::ilogb(size), kLeastExponent);
  // In units of the last bit, ties to even. Rounding up may carry into the exponent.
  const double units = std::nearbyint(std::ldexp(size, kSignificandBits - exponent));
  const int below_normal = (exponent + kExponentBias - 1) << kSignificandBits;
  const int bits = below_normal + static_cast<int>(units);
  return static_cast<std::uint16_t>(bits | (std::signbit(value) ? 0x8000 : 0));
}

float value_of(std::uint16_t half) {
  const int exponent_bits = half >> kSignificandBits & 0x1f;
  const int written = half & 0x3ff;
  const int significand = exponent_bits == 0 ? written : written + (1 << kSignificandBits);
  const int exponent = std::max(exponent_bits - kExponentBias, kLeastExponent);
  const double size = std::ldexp(significand, exponent - kSignificandBits);
  return static_cast<float>((half & 0x8000) != 0 ? -size : size);
}

}  // namespace

void round_to_half(ConstFeatureMap F, const HalfMap& half) {
  for_each_value(F, [&](int c, int y, int x) {
    half.row(c / kBlock, y)[x * kBlock + c % kBlock] = half_of(F.at(c, y, x));
  });
}

void expand_half(const HalfMap& half, FeatureMap F) {
  for_each_value(F, [&](int c, int y, int x) {
    F.at(c, y, x) = value_of(half.row(c / kBlock, y)[x * kBlock + c % kBlock]);
  });
}

void round_to_half(std::span<const float> x, float factor, std::span<std::uint16_t> half) {
  for (size_t i = 0; i < x.size(); ++i) half[i] = half_of(double{factor} * x[i]);
}

void expand_half(std::span<const std::uint16_t> half, float factor, std::span<float> x) {
  for (size_t i = 0; i < x.size(); ++i) x[i] = factor * value_of(half[i]);
}

// ------------------------------------------------------------------------------ the first level --

namespace {

// to "=" F in the window, 0 elsewhere.
void take_counted(ConstFeatureMap F, const Window& window, FeatureMap to) {
  for_each_value(F, [&](int c, int y, int x) {
    const bool inside =
        y >= window.row && y < window.end_row && x >= window.column && x < window.end_column;
    to.at(c, y, x) = inside ? F.at(c, y, x) : 0;
  });
}

}  // namespace

void first_level(const FirstLevel& level, ConstInputPlanes x, const Sink& sink,
                 std::span<float> G) {
  const int C = level.channels();
  const OwnMap before_relu(C, x.height, x.width);
  const OwnMap after_relu(C, x.height, x.width);
  const OwnBits signs(C, x.height, x.width);
  convolve_input(level.kernel_1, level.bias_1, x, before_relu.map, nullptr);
  relu(before_relu.map, after_relu.map, signs.bits);
  const bool late_relu = level.features == FirstLevel::Features::before_relu;
  const OwnMap counted(C, x.height, x.width);
  take_counted(late_relu ? before_relu.map : after_relu.map, level.counted, counted.map);
  if (level.features != FirstLevel::Features::none) gram(counted.map, G);
  Source source;
  source.map = after_relu.map;
  source.edges = level.edges;
  convolve(level.kernel_2, Direction::forward, level.bias_2, source, sink);
}

void first_level_backward(const FirstLevel& level, ConstInputPlanes x, const Source& source,
                          std::span<const float> S, InputPlanes d_x) {
  const int C = level.channels();
  const OwnMap before_relu(C, x.height, x.width);
  const OwnMap after_relu(C, x.height, x.width);
  const OwnBits signs(C, x.height, x.width);
  convolve_input(level.kernel_1, level.bias_1, x, before_relu.map, nullptr);
  relu(before_relu.map, after_relu.map, signs.bits);

  const OwnMap d(C, x.height, x.width);
  Sink sink;
  sink.map = d.map;
  sink.height = x.height;
  sink.width = x.width;
  convolve(level.kernel_2, Direction::backward, nullptr, source, sink);
  if (level.features == FirstLevel::Features::after_relu) {
    take_counted(after_relu.map, level.counted, after_relu.map);
    turn_into_gradient(after_relu.map, S, 0, {});
    add(after_relu.map, d.map);
  }
  relu_backward(signs.bits, d.map);
  if (level.features == FirstLevel::Features::before_relu) {
    take_counted(before_relu.map, level.counted, before_relu.map);
    turn_into_gradient(before_relu.map, S, 0, {});
    add(before_relu.map, d.map);
  }
  if (level.edges == Edges::periodic) wrap_ring(d.map);
  convolve_input_backward(level.kernel_1, d.map, d_x);
}

// --------------------------------------------------------------------------------- flat vectors --

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return sum;
}

double absolute_sum(std::span<const float> a) {
  double sum = 0;
  for (const float value : a) sum += std::abs(double{value});
  return sum;
}

void add_scaled(float alpha, std::span<const float> x, std::span<float> y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<float>(y[i] + double{alpha} * x[i]);
}

void scale(float alpha, std::span<float> y) {
  for (float& value : y) value *= alpha;
}

void scaled_sum(std::span<const float> x, float alpha, std::span<const float> direction,
                std::span<float> y) {
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<float>(x[i] + double{alpha} * direction[i]);
  }
}

void multiply(std::span<const float> a, std::span<const float> b, std::span<float> y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = a[i] * b[i];
}

void subtract_from(std::span<const float> x, std::span<float> y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = x[i] - y[i];
}

void products(std::span<const float* const> rows, std::span<const float> a,
              std::span<const float> b, std::span<double> results) {
  for (size_t row = 0; row < rows.size(); ++row) {
    results[2 * row] = dot({rows[row], a.size()}, a);
    results[2 * row + 1] = dot({rows[row], b.size()}, b);
  }
}

void combine(std::span<const float* const> rows, std::span<const double> coefficients,
             std::span<float> y) {
  for (size_t i = 0; i < y.size(); ++i) {
    double sum = 0;
    for (size_t row = 0; row < rows.size(); ++row) sum += coefficients[row] * rows[row][i];
    y[i] = static_cast<float>(sum);
  }
}

}  // namespace limn::reference
