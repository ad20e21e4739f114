#include "weights/known_files.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace limn {
namespace {

// The VGG-16 that the SSD detector started from, as torchvision publishes it: RGB in 0..255 minus a
// mean in whole numbers.
constexpr InputConvention kSsdConvention = {false, 255.0f, {123, 117, 104}, {1, 1, 1}};

// By PyTorch's convention a file's name ends with the first digits of its SHA-256. The MD5 and URL
// of Keras's files are from its own source (keras/applications/vgg19.py and vgg16.py).
constexpr KnownFile kKnownFiles[] = {
    {"vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5", "Keras's VGG-19", "vgg19", "",
     kCaffeConvention, "253f8cb515780f3b799900260a226db6", 80'134'624,
     "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
     "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"},
    {"vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "Keras's VGG-16", "vgg16", "",
     kCaffeConvention, "6d6bbae143d832006294945121d1f1fc", 58'889'256,
     "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
     "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"},
    {"vgg19-dcbb9e9d.pth", "torchvision's VGG-19", "vgg19", "dcbb9e9d", kTorchvisionConvention},
    {"vgg16-397923af.pth", "torchvision's VGG-16", "vgg16", "397923af", kTorchvisionConvention},
    {"vgg16_features-amdegroot-88682ab5.pth", "the VGG-16 of SSD", "vgg16", "88682ab5",
     kSsdConvention},
    {"vgg19-d01eb7cb.pth", "Caffe's VGG-19, converted by Justin Johnson", "vgg19", "d01eb7cb",
     kCaffeConvention},
    {"vgg16-00b39a1b.pth", "Caffe's VGG-16, converted by Justin Johnson", "vgg16", "00b39a1b",
     kCaffeConvention},
};

// The values of Caffe's first convolution that are compared.
struct FirstValues {
  std::array<float, 3> kernel;  // kernel[0][i][0][0] for the inputs blue, green, red
  std::array<float, 2> bias;
};

constexpr FirstValues kCaffeFirstValues[] = {
    {{0.341195226f, 0.464183718f, 0.394167036f}, {0.730177581f, 0.0649362877f}},  // VGG-19
    {{0.429470569f, 0.550379455f, 0.480015403f}, {0.734298348f, 0.0934036747f}},  // VGG-16
};

// Whether these are the same value, up to the rounding of either half precision (1 / 512 at most).
bool is_near(float a, float b) { return std::abs(a - b) <= std::abs(b) / 256; }

template <typename Predicate>
const KnownFile* find(Predicate&& predicate) {
  const auto known = std::ranges::find_if(kKnownFiles, predicate);
  return known == std::end(kKnownFiles) ? nullptr : known;
}

}  // namespace

std::span<const KnownFile> known_files() { return kKnownFiles; }

const KnownFile* known_file(std::string_view sha256) {
  return find([&](const KnownFile& file) {
    return !file.sha256.empty() && sha256.starts_with(file.sha256);
  });
}

const KnownFile* known_file_of_md5(std::string_view md5) {
  return find([&](const KnownFile& file) { return !file.md5.empty() && file.md5 == md5; });
}

const KnownFile* fetchable_file(std::string_view network) {
  return find([&](const KnownFile& file) { return !file.url.empty() && file.network == network; });
}

std::optional<InputConvention> convention_of_values(const Weights& weights) {
  const Convolution& first = weights.convolutions.front();
  const std::vector<float> kernel = unpacked(first.kernel);
  constexpr size_t kTaps = 9;
  std::array<float, 3> inputs = {kernel[0], kernel[kTaps], kernel[2 * kTaps]};
  for (const InputConvention& convention : {kCaffeConvention, kMatConvNetConvention}) {
    for (const FirstValues& known : kCaffeFirstValues) {
      if (std::ranges::equal(inputs, known.kernel, is_near) &&
          is_near(first.bias[0], known.bias[0]) && is_near(first.bias[1], known.bias[1]))
        return convention;
    }
    std::ranges::reverse(inputs);  // for the second round: red, green, blue
  }
  return std::nullopt;
}

}  // namespace limn
