// Published weights files by their digests. A file does not always say how it wants its input:
// Caffe's VGG converted for PyTorch has torchvision's names, but wants BGR in 0..255; mistaken for
// torchvision's it would silently paint wrong pictures.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "network/weights.h"

namespace limn {

struct KnownFile {
  std::string_view name;     // as published
  std::string_view what;     // "torchvision's VGG-19"
  std::string_view network;  // "vgg19"
  // The file's SHA-256, or as many of its first digits as were published (8 or more, in lower
  // case): enough to recognise a file, not to prove that it is the published one. Empty where none
  // was published.
  std::string_view sha256;
  InputConvention convention;
  // Keras publishes these instead: enough to detect damage, not forgery.
  std::string_view md5 = {};
  // For files that limn fetches.
  std::uint64_t bytes = 0;
  std::string_view url = {};
};

// All of them.
std::span<const KnownFile> known_files();

// The file with this SHA-256 (64 digits in lower case), or nullptr.
const KnownFile* known_file(std::string_view sha256);

// The file with this MD5 (32 digits in lower case), or nullptr.
const KnownFile* known_file_of_md5(std::string_view md5);

// The file that limn fetches for this network ("vgg19"), or nullptr.
const KnownFile* fetchable_file(std::string_view network);

// How Caffe's VGG-16 and VGG-19 want their input, recognised by the values of their first
// convolution: a file that was saved again, say in half precision, has another SHA-256 but the same
// values. RGB if its input channels were reversed. Nothing for other weights.
std::optional<InputConvention> convention_of_values(const Weights& weights);

}  // namespace limn
