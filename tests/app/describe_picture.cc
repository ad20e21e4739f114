// Prints what limn reads from each picture named: size, whether it is opaque, and the mean of its
// colours and of its alpha. "48 x 36 opaque, colour 0.502" or "48 x 36 alpha 0.500, colour 0.502".
#include <limn/limn.h>

#include <fmt/format.h>

#include <numeric>

namespace {

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const limn::Image image = limn::read_image(argv[i]);
    fmt::print("{} x {} {}, colour {:.3f}\n", image.width, image.height,
               image.alpha.empty() ? "opaque" : fmt::format("alpha {:.3f}", mean(image.alpha)),
               mean(image.rgb));
  }
}
