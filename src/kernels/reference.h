// The slow twins of kernels.h: the same names and arguments, written as the formulas are, summed in
// double. They exist to be obviously right; tests hold the fast kernels against them.
//
// Where a fast kernel takes a packed kernel, its twin takes the plain one, so that packing is
// tested too.
#pragma once

#include <span>

#include "base/parallel.h"
#include "kernels/feature_map.h"
#include "kernels/kernels.h"

namespace limn::reference {

using kernels::MaxPlaces;

// kernel: [y.channels][x.channels][3][3]
void convolve(std::span<const float> kernel, const float* bias, ConstFeatureMap x, FeatureMap y,
              const CellBits* signs);
// d_x of the convolution above: kernel [d_y.channels][d_x.channels][3][3]. "="
void convolve_backward(std::span<const float> kernel, ConstFeatureMap d_y, FeatureMap d_x);
void convolve_input(std::span<const float> kernel, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs);
void convolve_input_backward(std::span<const float> kernel, ConstFeatureMap d_y, InputPlanes d_x);

void relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs);
void relu_backward(const CellBits& signs, FeatureMap d);
void max_pool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places);
void max_pool_backward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x);
void average_pool(ConstFeatureMap x, FeatureMap y);
void average_pool_backward(ConstFeatureMap d_y, FeatureMap d_x);

void gram(ConstFeatureMap F, std::span<float> G);
void gram_backward(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F);

double dot(std::span<const float> a, std::span<const float> b);
double squared_distance(std::span<const float> a, std::span<const float> b);
double absolute_sum(std::span<const float> a);
void add_scaled(float alpha, std::span<const float> x, std::span<float> y);
void add_scaled_difference(float alpha, std::span<const float> a, std::span<const float> b,
                           std::span<float> y);
void scale(float alpha, std::span<float> y);
void scaled_sum(std::span<const float> x, float alpha, std::span<const float> direction,
                std::span<float> y);
void subtract_from(std::span<const float> x, std::span<float> y);
void products(std::span<const float* const> rows, std::span<const float> a,
              std::span<const float> b, std::span<double> results);
void combine(std::span<const float* const> rows, std::span<const double> coefficients,
             std::span<float> y);

}  // namespace limn::reference
