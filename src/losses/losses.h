// The terms of the style transfer objective, each with its gradient.
//
// One layer's features are F, C channels by M positions; P are the photo's features of the same
// layer and shape. G = F F^T is the Gram matrix, not divided by anything. The forms by which
// published systems scale these sums are choices in the recipe (include/limn/limn.h), so every loss
// here is a factor times one of three sums. d_x is the gradient by x; gradients are added ("+=").
//
// Losses that are "mapped" read the features of a student (network/imitation.h): they compare R F
// with R P, which comes to products with K = R^T R. <X, Y> is the sum of X[i][j] Y[i][j].
//
// Gradients may be wanted in another unit than losses (loss_unit.h): they are times `unit`.
#pragma once

#include <limn/limn.h>

#include <span>

#include "base/parallel.h"
#include "kernels/feature_map.h"

namespace limn {

// ------------------------------------------------------------------------------------- content --

// The factor of sum (F - P)^2 for C channels and M positions.
double content_factor(ContentForm form, double C, double M);

// factor * sum (F - P)^2. The maps must lie alike (same shape), padding zero in both. Its gradient
// by F is 2 factor (F - P) (kernels::turn_into_gradient).
double content_loss(double factor, ConstFeatureMap F, ConstFeatureMap P, ThreadPool& pool);

// factor * sum w (F - P)^2, each position counted w = m^2 times; m: [H][W]. On the way D, alike in
// shape, becomes the target for which the gradient with respect to F, 2 factor w (F - P), is
// 2 factor (F - D) ("="; padding too).
double weighed_content_loss(double factor, ConstFeatureMap F, ConstFeatureMap P,
                            std::span<const float> m, FeatureMap D, ThreadPool& pool);

// factor * sum w (R F - R P)^2 = factor <K, (m E) (m E)^T> of the difference E = F - P; m empty: 1
// everywhere. On the way D becomes w E ("="; padding too): the gradient with respect to F is
// 2 factor K D (TapGradient's third term). D_gram, [C][C], and sums, kernels::gram_scratch_size(D),
// are scratch.
double mapped_content_loss(double factor, std::span<const double> K, ConstFeatureMap F,
                           ConstFeatureMap P, std::span<const float> m, FeatureMap D,
                           std::span<float> D_gram, std::span<double> sums, ThreadPool& pool);

// --------------------------------------------------------------------------------------- style --

// What a Gram matrix over M positions is multiplied with before it is compared: g in
//   loss = factor * sum over i, j of (g G - A)^2,    A = g' * (the painting's Gram matrix).
double gram_scale(GramForm form, double M);

// The factor of that sum for C channels, M positions and a picture of `pixels`.
double style_factor(StyleForm form, double C, double M, double pixels);

// Returns the loss above, and turns G into S = unit 4 factor g (g G - A), so that the loss's
// gradient by F is S F (kernels::turn_into_gradient). G and A: [C][C], symmetric.
//
// Because G is symmetric, d loss / d G = 2 factor g (g G - A), and G = F F^T doubles it.
double style_loss(double factor, double g, std::span<float> G, std::span<const float> A,
                  double unit = 1);

// The same of R G R^T and R A R^T: with D = g G - A the loss is factor <D, K D K>, and
// S = unit 4 factor g K D K. scratch: three matrices of [C][C], each aligned like a buffer.
double mapped_style_loss(double factor, double g, std::span<const double> K, std::span<float> G,
                         std::span<const float> A, std::span<double> scratch, ThreadPool& pool,
                         double unit = 1);

// ----------------------------------------------------------------------------- total variation --

// The total variation of x, three planes of height x width, in the given form.
// d_x += unit * weight * its gradient. Returns weight * the variation.
// Where a difference is 0, the derivative of |difference| is taken as 0.
double total_variation(VariationForm form, double weight, std::span<const float> x, int height,
                       int width, std::span<float> d_x, ThreadPool& pool, double unit = 1);

}  // namespace limn
