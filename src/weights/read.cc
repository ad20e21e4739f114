// The format of a file is detected from its first bytes, never from its name: names are often
// wrong, and a download may have brought a web page instead.
#include "weights/read.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "containers/pth_file.h"
#include "weights/strangers.h"

namespace limn {
namespace {

using namespace std::string_view_literals;

bool is_zip(std::string_view head) { return head.starts_with("PK\x03\x04"); }

bool is_pytorch(std::string_view head) { return is_zip(head) || is_pth_stream(head); }

bool is_hdf5(std::string_view head) { return head.starts_with("\x89HDF\r\n\x1a\n"); }

// There is no signature, but the JSON after its 8-byte length must begin with '{', and a length
// made of text would be terabytes.
bool is_safetensors(std::string_view head) {
  return head.size() > 8 && head[8] == '{' && !is_text(head.substr(0, 8));
}

bool is_matlab5(std::string_view head) { return head.starts_with("MATLAB 5.0 MAT-file"); }

bool is_npy(std::string_view head) { return head.starts_with("\x93NUMPY"); }

// A line break is also the tag of a network's name, so a page after blank lines may look like one.
bool is_caffe(std::string_view head) {
  return is_caffemodel(head) && !is_text(head) && !is_markup(head);
}

struct Format {
  std::string_view name;
  bool (*is)(std::string_view head);
  Weights (*read)(const std::string& path);
  bool (*holds)(const std::string& path) = nullptr;  // asked if the first bytes do not decide
};

// Each format is a line here, a function in read.h and a file in this folder.
constexpr Format kFormats[] = {
    {"Keras .h5", is_hdf5, read_keras_h5},
    {kSafetensorsFormat, is_safetensors, read_safetensors},
    {"NumPy .npz", is_zip, read_numpy_npz, holds_numpy_arrays},
    {"NumPy .npy", is_npy, read_numpy_npy},
    {"PyTorch .pth", is_pytorch, read_pytorch_pth},
    {"MatConvNet .mat", is_matlab5, read_matconvnet},
    {"TensorFlow.js model.json", is_tensorflow_js, read_tensorflow_js},
    {".caffemodel", is_caffe, read_caffemodel},  // last: it has no signature
};

std::string read_head(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(kHeadBytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (file.bad() || !file.is_open())
    fail(ErrorKind::file, "cannot read the weights file '{}': {}", path, std::strerror(errno));
  head.resize(static_cast<size_t>(file.gcount()));
  return head;
}

}  // namespace

Weights read_weights(const std::string& path) {
  file_size(path, "weights file");  // throws if there is none
  const std::string head = read_head(path);
  for (const Format& format : kFormats) {
    if (!format.is(head) || (format.holds && !format.holds(path))) continue;
    Weights weights = format.read(path);
    weights.format = format.name;
    return weights;
  }
  std::vector<std::string_view> names;
  for (const Format& format : kFormats) names.push_back(format.name);
  fail(ErrorKind::file, "'{}' is {}; limn reads {}", path, describe_stranger(head),
       fmt::join(names, ", "));
}

std::vector<std::string> files_of_weights(const std::string& path) {
  file_size(path, "weights file");
  std::vector<std::string> files;
  if (is_tensorflow_js(read_head(path))) files = shards_of_tensorflow_js(path);
  files.insert(files.begin(), path);
  return files;
}

}  // namespace limn
