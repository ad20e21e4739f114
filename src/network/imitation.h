// How a small network's features stand for those of the large one that it imitates.
//
// Such a student (student.h) has fewer channels than its teacher, VGG-19. At each layer that losses
// may read, a "tap", a matrix Q, [C][C_s], was trained with it that takes its features F_s,
// [C_s][M], to the teacher's: Q F_s is nearly F, [C][M]. Losses compare features and Gram matrices,
// and nothing of Q matters to a distance but K = Q^T Q, [C_s][C_s]:
//
//   |Q F_s - Q P_s|^2        = <K, D D^T>      with D = F_s - P_s
//   |Q G_s Q^T - Q A_s Q^T|^2 = <D, K D K>     with D = G_s - A_s
//
// (<X, Y> is the sum of X[i][j] Y[i][j].) So no map of C channels is ever made, and any R with
// R^T R = Q^T Q serves as well as Q: files keep a square R, [C_s][C_s], upper triangular, where Q
// has up to 16 times its values. The differences are taken before the product with K, where they
// lose no digits.
#pragma once

#include <string>

#include "base/buffer.h"

namespace limn {

// A tap: a layer of the teacher's, and how the student's features stand for it.
struct Imitation {
  std::string layer;  // "relu4_1"
  int row = 0;        // of the student, at whose output F_s is read
  // Of the teacher's layer: C. Losses that divide by a number of channels divide by this one, so
  // that a recipe's weights mean the same for student and teacher.
  int channels = 0;
  Buffer<float> R;   // [C_s][C_s]
  Buffer<double> K;  // [C_s][C_s], R^T R
};

// K follows from the others. R: [C_s][C_s].
Imitation imitation_of(std::string layer, int row, int channels, Buffer<float> R);

}  // namespace limn
