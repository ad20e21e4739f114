// The slow twins of kernels.h: the same names and arguments, written like the formulas and summed
// in double. They are meant to be obviously right; tests compare the fast kernels with them.
//
// Where a fast kernel fuses steps, its twin calls one twin per step. Where a fast kernel takes a
// packed kernel, its twin takes the plain one, so that packing is tested too.
#pragma once

#include <cstdint>
#include <span>

#include "base/parallel.h"
#include "kernels/feature_map.h"
#include "kernels/kernels.h"

namespace limn::reference {

using kernels::Direction;
using kernels::MaxPlaces;
using kernels::Sink;
using kernels::Source;

// y = K * x + bias, "=". kernel: [y.channels][x.channels][3][3]; bias may be null. This and the
// other convolutions read the ring of what they read.
void convolve(std::span<const float> kernel, const float* bias, ConstFeatureMap x, FeatureMap y);
// d_x = K^T * d_y, "=". kernel: [d_y.channels][d_x.channels][3][3].
void convolve_backward(std::span<const float> kernel, ConstFeatureMap d_y, FeatureMap d_x);
// Expands a source into a map: x, "=", of the shape of the convolution's input. The ring is the
// opposite edges if they are periodic, otherwise the source's if that is a map, or 0. No pieces.
void expand(const Source& source, FeatureMap x);
// Stores y as the sink says. No pieces.
void put(ConstFeatureMap y, const Sink& sink);
// Expand, convolve, put. kernel: [out][in][3][3] of the forward direction; bias:
// [sink.map.channels] or null. No pieces.
void convolve(std::span<const float> kernel, Direction direction, const float* bias,
              const Source& source, const Sink& sink);

void wrap_ring(FeatureMap map);
void wrap_ring(InputPlanes planes);

// kernel: [out][3][3][3]. With `signs`, y goes through a ReLU.
void convolve_input(std::span<const float> kernel, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs);
void convolve_input_backward(std::span<const float> kernel, ConstFeatureMap d_y, InputPlanes d_x);

// kernels::FirstLevel with plain kernels.
struct FirstLevel {
  using Features = kernels::FirstLevel::Features;
  std::span<const float> kernel_1;  // [C][3][3][3]
  const float* bias_1 = nullptr;
  std::span<const float> kernel_2;  // [out][C][3][3]
  const float* bias_2 = nullptr;
  Features features = Features::none;
  Edges edges = Edges::zero;
  Window counted = kEverywhere;
  int channels() const { return static_cast<int>(kernel_1.size() / 27); }  // C
};
void first_level(const FirstLevel& level, ConstInputPlanes x, const Sink& sink, std::span<float> G);
void first_level_backward(const FirstLevel& level, ConstInputPlanes x, const Source& source,
                          std::span<const float> S, InputPlanes d_x);

void relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs);
void relu_backward(const CellBits& signs, FeatureMap d);
void add_relu_backward(const CellBits& signs, ConstFeatureMap d_y, FeatureMap d_x);
void max_pool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places);
void max_pool_backward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x);
void average_pool(ConstFeatureMap x, FeatureMap y);
void average_pool_backward(ConstFeatureMap d_y, FeatureMap d_x);

void gram(ConstFeatureMap F, std::span<float> G);
void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P);
void add_gram_gradient(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F);
void shifted_gram(ConstFeatureMap F, kernels::Shift shift, std::span<float> G);
void add_shifted_gradient(std::span<const float> S, ConstFeatureMap F, kernels::Shift shift,
                          FeatureMap d_F);
void project(std::span<const float> V, ConstFeatureMap F, FeatureMap P);
void add_projection_backward(std::span<const float> V, ConstFeatureMap d_P, FeatureMap d_F);
// For any D, and so for symmetric ones too.
void general_congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                        std::span<double> KD, std::span<double> KDK);
void congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                std::span<double> KD, std::span<double> KDK);
void multiply_rows(std::span<const double> A, std::span<const double> K, std::size_t C,
                   std::span<double> AK);
void mirror(FeatureMap F, kernels::Mirror mirror);
void weigh(ConstFeatureMap F, std::span<const float> m, std::span<const float> mean, FeatureMap X);
void add_weighed(ConstFeatureMap X, std::span<const float> m, FeatureMap d);
void moments(ConstFeatureMap F, std::span<const float> m, std::span<double> sums,
             std::span<double> squares);
void add_moments_gradient(std::span<const float> a, std::span<const float> b, ConstFeatureMap F,
                          std::span<const float> m, FeatureMap d_F);
void nearest(const kernels::Vectors& x, const kernels::Vectors& y, std::span<const float> bias,
             std::span<int> match, std::span<double> score);
void gradient_from_half(const HalfMap& F, std::span<const float> S, FeatureMap d_F);
// F = half, exactly. (The fast one, a piece, takes a row.)
void expand_half(const HalfMap& half, FeatureMap F);
void round_to_half(ConstFeatureMap F, const HalfMap& half);
// Of flat vectors; the factor is a power of two.
void round_to_half(std::span<const float> x, float factor, std::span<std::uint16_t> half);
void expand_half(std::span<const std::uint16_t> half, float factor, std::span<float> x);

double dot(std::span<const float> a, std::span<const float> b);
double squared_distance(std::span<const float> a, std::span<const float> b);
double absolute_sum(std::span<const float> a);
void add_scaled(float alpha, std::span<const float> x, std::span<float> y);
void scale(float alpha, std::span<float> y);
void scaled_sum(std::span<const float> x, float alpha, std::span<const float> direction,
                std::span<float> y);
void multiply(std::span<const float> a, std::span<const float> b, std::span<float> y);
void subtract_from(std::span<const float> x, std::span<float> y);
void products(std::span<const float* const> rows, std::span<const float> a,
              std::span<const float> b, std::span<double> results);
void combine(std::span<const float* const> rows, std::span<const double> coefficients,
             std::span<float> y);

}  // namespace limn::reference
