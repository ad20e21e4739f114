#include "support/drawn.h"

#include <cmath>
#include <memory>

namespace limn {

std::vector<Convolution> draw_convolutions(const NetworkTable& table, Random& stream,
                                           std::size_t most) {
  std::vector<Convolution> convolutions;
  for (const Row& row : table.rows) {
    if (row.kind == RowKind::pooling || convolutions.size() == most) continue;
    Convolution& convolution = convolutions.emplace_back();
    convolution.id = row.id;
    convolution.bias = Buffer<float>(row.out);
    std::vector<float> kernel(static_cast<size_t>(row.in) * row.out * 9);
    const double bound = std::sqrt(6.0 / (9.0 * row.in));
    for (float& value : kernel) {
      value = static_cast<float>((2 * stream.uniform() - 1) * bound);
    }
    convolution.kernel = packed(kernel, row.in, row.out);
    for (float& value : convolution.bias) {
      value = static_cast<float>((2 * stream.uniform() - 1) * 0.1);
    }
  }
  return convolutions;
}

Image draw_picture(int width, int height, Random& stream) {
  Image picture;
  picture.width = width;
  picture.height = height;
  picture.rgb.resize(3 * static_cast<size_t>(width) * height);
  for (float& value : picture.rgb) value = static_cast<float>(stream.uniform());
  return picture;
}

Model small_vgg19(std::uint64_t seed) {
  Random stream(seed);
  auto weights = std::make_shared<Weights>();
  weights->network = &kVgg19;
  weights->convention = kCaffeConvention;
  weights->source = "small.h5";
  weights->convolutions = draw_convolutions(kVgg19, stream, 2);
  return Model(weights);
}

Image smooth_picture(int width, int height, std::uint64_t seed) {
  Random random(seed);
  Image picture;
  picture.width = width;
  picture.height = height;
  for (int c = 0; c < 3; ++c) {
    const double along_x = 0.2 + random.uniform();
    const double along_y = 0.2 + random.uniform();
    const double start = 6 * random.uniform();
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        picture.rgb.push_back(
            static_cast<float>(0.5 + 0.45 * std::sin(start + along_x * x + along_y * y)));
      }
    }
  }
  return picture;
}

Recipe small_recipe() {
  Recipe recipe;
  recipe.name = "small";
  recipe.content.weight = 0.01;  // next to nothing, so that there is much to gain
  recipe.content.layers = {{"relu1_2", 1.0}};
  recipe.content.form = ContentForm::mean;
  recipe.style.weight = 1e-4;  // Gram matrices of features near 100
  recipe.style.gram = GramForm::per_position;
  recipe.style.form = StyleForm::mean;
  recipe.style.layers = {{"relu1_1", 0.5}, {"relu1_2", 0.5}};
  recipe.optimiser.iterations = 10;
  recipe.picture.size = 0;
  recipe.picture.threads = 2;
  return recipe;
}

}  // namespace limn
