// Makes what the command's tests work on, in the folder that is its argument:
//
//   photo.png     48 x 36, colour          painting.png  40 x 40, colour
//   glass.png     the photo with alpha     grey.png      40 x 30, red = green = blue
//   photo.jpg, photo.webp, photo.tif       the photo in other formats
//   red.png, blue.png  40 x 40, of waves in these colours; half.png is red in its left half, blue
//   in
//                      its right one
//   left.png, right.png, black.png, white.png  48 x 36, masks of the photo's halves, of nothing and
//                 of everything
//   round.png     40 x 40, the painting inside a circle, transparent black outside it;
//   round_mask.png
//                 is the circle, nothing.png transparent everywhere
//   strip.png     120 x 3, tiny.png 8 x 8, too narrow for deep layers
//   coloured_mask.png  48 x 36, red on the left and green on the right
//   moving.gif    48 x 36, two frames: grey 0.2 and 0.8
//   vgg19.safetensors  VGG-19 that ends after conv1_2: painting with it takes milliseconds
//   vgg19.h5           the same in Keras's format
//   vgg16.safetensors  the same convolutions, said to be VGG-16's
//   nan.safetensors    the same with one value that is none
//   huge.safetensors   the same with values so large that no loss of theirs is finite
#include <limn/limn.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>
#include <string>

#include "base/random.h"
#include "image/animation.h"
#include "weights/read.h"
#include "weights/weights_files.h"

namespace {

using namespace limn;

// Slow waves, another for each colour, with some grain. `waves` is how many cross the picture.
Image waves_picture(int width, int height, double waves, std::uint64_t seed) {
  Image image;
  image.width = width;
  image.height = height;
  Random random(seed);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double turn = waves * (x + (c + 1.0) * y) / width;
        const double value = 0.5 + 0.3 * std::sin(6.28 * turn) + 0.15 * (random.uniform() - 0.5);
        image.rgb.push_back(static_cast<float>(value));
      }
    }
  }
  return image;
}

// Transparent at the left edge, opaque at the right.
Image with_alpha(Image image) {
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      image.alpha.push_back(static_cast<float>(x) / static_cast<float>(image.width - 1));
    }
  }
  return image;
}

Image in_grey(Image image) {
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i)
    image.rgb[pixels + i] = image.rgb[2 * pixels + i] = image.rgb[i];
  return image;
}

// Each colour plane weakened or strengthened.
Image tinted(Image image, double red, double green, double blue) {
  const size_t pixels = image.rgb.size() / 3;
  const double factors[] = {red, green, blue};
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] *= static_cast<float>(factors[i / pixels]);
  }
  return image;
}

// The left half of one picture beside the right half of another of its size.
Image halves(Image left, const Image& right) {
  for (size_t i = 0; i < left.rgb.size(); ++i) {
    const bool in_left = static_cast<int>(i % left.width) < left.width / 2;
    if (!in_left) left.rgb[i] = right.rgb[i];
  }
  return left;
}

Image plain(int width, int height, float grey) {
  Image image;
  image.width = width;
  image.height = height;
  image.rgb.assign(size_t{3} * width * height, grey);
  return image;
}

// Opaque inside a circle; outside it transparent, and black if `black`.
Image in_circle(Image image, bool black) {
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const double x = (static_cast<double>(i % image.width) + 0.5) / image.width - 0.5;
    const double y = (static_cast<double>(i / image.width) + 0.5) / image.height - 0.5;
    const bool inside = x * x + y * y < 0.16;
    image.alpha.push_back(inside ? 1.0f : 0.0f);
    for (size_t c = 0; c < 3 && black && !inside; ++c) image.rgb[c * pixels + i] = 0;
  }
  return image;
}

Image as_mask(const Image& image) {
  Image mask = plain(image.width, image.height, 0);
  for (size_t i = 0; i < mask.rgb.size(); ++i) mask.rgb[i] = image.alpha[i % image.alpha.size()];
  return mask;
}

void make_odd_pictures(const std::string& folder) {
  const Image round = in_circle(waves_picture(40, 40, 6, 2), true);
  write_image(round, folder + "round.png");
  write_image(as_mask(round), folder + "round_mask.png");
  Image nothing = plain(40, 40, 0);
  nothing.alpha.assign(size_t{40} * 40, 0.0f);
  write_image(nothing, folder + "nothing.png");
  write_image(waves_picture(120, 3, 6, 6), folder + "strip.png");
  write_image(waves_picture(8, 8, 1, 7), folder + "tiny.png");
  const Image white = plain(48, 36, 1);
  write_image(halves(tinted(white, 1, 0, 0), tinted(white, 0, 1, 0)), folder + "coloured_mask.png");
  write_animation(
      2, [](size_t frame) { return plain(48, 36, frame == 0 ? 0.2f : 0.8f); },
      folder + "moving.gif");
}

// Random kernels with the deviation that keeps features about as large as the input (He et al.
// 2015, equation 10).
Weights short_weights(const NetworkTable& network) {
  constexpr size_t kLayers = 2;
  Weights weights;
  weights.network = &network;
  weights.convention = kCaffeConvention;
  Random random(19);
  for (const Row& row : network.rows.first(kLayers)) {
    Convolution convolution;
    convolution.id = row.id;
    std::vector<float> kernel(static_cast<size_t>(row.out) * row.in * 9);
    const double deviation = std::sqrt(2.0 / (9 * row.in));
    for (float& value : kernel) value = static_cast<float>(deviation * random.normal());
    convolution.kernel = packed(kernel, row.in, row.out);
    convolution.bias = Buffer<float>(row.out);
    for (float& value : convolution.bias) value = static_cast<float>(0.1 * random.normal());
    weights.convolutions.push_back(std::move(convolution));
  }
  return weights;
}

void make_pictures(const std::string& folder) {
  const Image photo = waves_picture(48, 36, 2, 1);
  for (const char* name : {"photo.png", "photo.jpg", "photo.webp", "photo.tif"})
    write_image(photo, folder + name);
  write_image(waves_picture(40, 40, 6, 2), folder + "painting.png");
  write_image(with_alpha(photo), folder + "glass.png");
  write_image(in_grey(waves_picture(40, 30, 3, 3)), folder + "grey.png");
  const Image red = tinted(waves_picture(40, 40, 6, 4), 1.2, 0.2, 0.1);
  const Image blue = tinted(waves_picture(40, 40, 6, 5), 0.1, 0.2, 1.2);
  write_image(red, folder + "red.png");
  write_image(blue, folder + "blue.png");
  write_image(halves(red, blue), folder + "half.png");
  const Image white = plain(48, 36, 1), black = plain(48, 36, 0);
  write_image(halves(white, black), folder + "left.png");
  write_image(halves(black, white), folder + "right.png");
  write_image(black, folder + "black.png");
  write_image(white, folder + "white.png");
}

void make_weights(const std::string& folder) {
  write_safetensors(short_weights(kVgg19), folder + "vgg19.safetensors");
  write_keras_h5(folder + "vgg19.h5", short_weights(kVgg19));
  write_safetensors(short_weights(kVgg16), folder + "vgg16.safetensors");
  Weights broken = short_weights(kVgg19);
  broken.convolutions[1].kernel.values[100] = std::numeric_limits<float>::quiet_NaN();
  write_safetensors(broken, folder + "nan.safetensors");
  Weights huge = short_weights(kVgg19);
  for (float& value : huge.convolutions[1].kernel.values) value *= 1e36f;
  write_safetensors(huge, folder + "huge.safetensors");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_inputs FOLDER\n";
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  const std::string folder = std::string(argv[1]) + "/";
  make_pictures(folder);
  make_odd_pictures(folder);
  make_weights(folder);
}
