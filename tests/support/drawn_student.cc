#include "support/drawn_student.h"

#include <cmath>

#include "support/drawn.h"
#include "support/random_values.h"

namespace limn {
namespace {

// The upper triangular R with R^T R = Q^T Q: Cholesky's factor.
Buffer<float> factor_of(const std::vector<double>& Q, int C, int C_s) {
  std::vector<double> R(static_cast<size_t>(C_s) * C_s);
  const auto at = [&](int i, int j) -> double& { return R[static_cast<size_t>(i) * C_s + j]; };
  for (int i = 0; i < C_s; ++i) {
    for (int j = i; j < C_s; ++j) {
      double sum = 0;
      for (int c = 0; c < C; ++c) sum += Q[c * C_s + i] * Q[c * C_s + j];
      for (int k = 0; k < i; ++k) sum -= at(k, i) * at(k, j);
      at(i, j) = i == j ? std::sqrt(sum) : sum / at(i, i);
    }
  }
  Buffer<float> rounded(R.size());
  for (size_t i = 0; i < R.size(); ++i) rounded[i] = static_cast<float>(R[i]);
  return rounded;
}

}  // namespace

DrawnStudent draw_student(const StudentWidths& widths, std::uint64_t seed, int more_channels) {
  Random stream(seed);
  DrawnStudent drawn;
  std::vector<Row> rows = student_rows(widths);
  std::vector<Imitation> imitations;
  for (int row = 0; row < static_cast<int>(rows.size()); ++row) {
    const bool first = rows[row].id.ends_with("_1");
    if (rows[row].kind == RowKind::pooling || (!first && rows[row].id != "4_2")) continue;
    const std::string layer = "relu" + std::string(rows[row].id);
    const int C_s = rows[row].out;
    DrawnTap& tap = drawn.taps[layer];
    tap.channels = C_s + more_channels;
    tap.Q.resize(static_cast<size_t>(tap.channels) * C_s);
    for (double& value : tap.Q) value = stream.normal() / std::sqrt(C_s);
    imitations.push_back(
        imitation_of(layer, row, tap.channels, factor_of(tap.Q, tap.channels, C_s)));
  }
  Weights& weights = drawn.weights;
  weights.student = make_student(std::move(rows), std::move(imitations),
                                 {"VGG-19", R"({"steps": 7})", "nobody", "CC-BY-4.0"});
  weights.network = &weights.student->table;
  weights.convention = kCaffeConvention;
  weights.source = "student.safetensors";
  weights.convolutions = draw_convolutions(*weights.network, stream);
  return drawn;
}

DrawnStudent open_student() {
  const StudentWidths widths = {{16, 32, 16}};
  DrawnStudent drawn = draw_student(widths, 5);
  Random random(6);
  std::vector<Imitation> taps;
  const char* const layers[] = {"relu1_1", "relu2_1", "relu4_2"};
  for (int row = 0; row < 3; ++row) {
    const size_t C = widths[0][row];
    Buffer<float> R(C * C);
    for (size_t i = 0; i < C; ++i) {
      for (size_t j = i; j < C; ++j)
        R[i * C + j] = (i == j ? 1.0f : 0.0f) + random_signed(random) / 4;
    }
    taps.push_back(imitation_of(layers[row], row, static_cast<int>(C) + 5, std::move(R)));
  }
  Weights& weights = drawn.weights;
  weights.student = make_student(student_rows(widths), std::move(taps));
  weights.network = &weights.student->table;
  weights.convention = kTorchvisionConvention;
  for (Convolution& convolution : weights.convolutions) {
    for (float& bias : convolution.bias) bias += 4;
    for (float& value : convolution.kernel.values) value *= 0.25f;
  }
  return drawn;
}

}  // namespace limn
