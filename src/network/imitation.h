// How a small network's features stand in for those of the large network it imitates.
//
// Such a student (student.h) has fewer channels than its teacher, VGG-19. At each layer that losses
// may read, a "tap", a matrix Q, [C][C_s], was trained along with it to map the student's features
// F_s, [C_s][M], to the teacher's: Q F_s is close to F, [C][M]. Losses compare features and Gram
// matrices, and such distances depend on Q only through K = Q^T Q, [C_s][C_s]:
//
//   |Q F_s - Q P_s|^2        = <K, D D^T>      with D = F_s - P_s
//   |Q G_s Q^T - Q A_s Q^T|^2 = <D, K D K>     with D = G_s - A_s
//
// (<X, Y> is the sum of X[i][j] Y[i][j].) So no map of C channels is ever made, and R can be any
// matrix with R^T R = Q^T Q: files store a square R, [C_s][C_s], upper triangular, where Q has up
// to 16 times as many values. Differences are taken before the product with K, so no digits are
// lost.
#pragma once

#include <string>

#include "base/buffer.h"

namespace limn {

// A tap: a layer of the teacher, and how the student's features stand in for it.
struct Imitation {
  std::string layer;  // "relu4_1"
  int row = 0;        // of the student; F_s is its output
  // C, of the teacher's layer. Losses that are normalised by the number of channels use this one,
  // so that a recipe's weights mean the same for student and teacher.
  int channels = 0;
  Buffer<float> R;   // [C_s][C_s]
  Buffer<double> K;  // [C_s][C_s], R^T R
};

// Computes K from R, [C_s][C_s].
Imitation imitation_of(std::string layer, int row, int channels, Buffer<float> R);

}  // namespace limn
