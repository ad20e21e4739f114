#include "paint/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ranks.h"
#include "base/share.h"
#include "containers/safetensors_file.h"
#include "network/weights.h"

namespace limn {
namespace {

// Keys of the metadata. Keys of notes begin with kNote.
constexpr const char* kVersionKey = "limn";
constexpr const char* kSetKey = "limn.instruction_set";
constexpr const char* kRecipeKey = "limn.recipe";
constexpr const char* kPicturesKey = "limn.pictures";
constexpr const char* kWeightsKey = "limn.weights";
constexpr std::string_view kNote = "note.";

// ------------------------------------------------------------------------------------- writing --

// Bytes that ranks exchange at once: enough for a network's full speed, and little memory.
constexpr size_t kChunk = size_t{4} << 20;

// Writes a vector that ranks share to the sink. All of them call it together, with what each keeps;
// where the sink fails, the rest is exchanged all the same. chunk: memory for what others keep.
void pass_on(const Share& share, std::span<std::byte> kept, size_t value_bytes,
             std::span<std::byte> chunk, const ByteSink& sink) {
  Ranks& ranks = share.ranks();
  std::exception_ptr failure;
  for (int rank = 0; rank < ranks.count(); ++rank) {
    const size_t end = share.begin_of(rank + 1) * value_bytes;
    for (size_t first = share.begin_of(rank) * value_bytes; first < end; first += kChunk) {
      const size_t count = std::min(kChunk, end - first);
      const std::span<std::byte> part =
          rank == ranks.rank() ? kept.subspan(first - share.first() * value_bytes, count)
                               : chunk.first(count);
      broadcast(ranks, part, rank);
      if (failure) continue;
      try {
        sink(part);
      } catch (...) {
        failure = std::current_exception();
      }
    }
  }
  if (failure) std::rethrow_exception(failure);
}

class Writing : public State {
 public:
  bool restores() const override { return false; }
  void floats(std::string_view name, std::span<float> values) override {
    add(name, "F32", values.size(), std::as_bytes(values));
  }
  void halves(std::string_view name, std::span<std::uint16_t> values) override {
    add(name, "F16", values.size(), std::as_bytes(values));
  }
  void words(std::string_view name, std::span<std::uint32_t> values) override {
    add(name, "U32", values.size(), std::as_bytes(values));
  }
  void floats(std::string_view name, const Share& share, std::span<float> kept) override {
    add_shared(name, "F32", share, kept);
  }
  void halves(std::string_view name, const Share& share, std::span<std::uint16_t> kept) override {
    add_shared(name, "F16", share, kept);
  }
  void numbers(std::string_view name, std::span<double> values) override {
    const std::vector<double>& copy = numbers_.emplace_back(values.begin(), values.end());
    add(name, "F64", copy.size(), std::as_bytes(std::span(copy)));
  }
  std::size_t saved_numbers(std::string_view) const override { return 0; }
  bool has(std::string_view) const override { return false; }
  [[noreturn]] void refuse(const std::string& why) const override { throw std::logic_error(why); }

  const std::vector<TensorToWrite>& tensors() const { return tensors_; }
  // Ranks that exchange tensors do so with all of them: those that have not been written yet, too.
  void pass_on_the_rest() {
    while (passed_on_ < tensors_.size()) {
      tensors_[passed_on_].write([](std::span<const std::byte>) {});
    }
  }

 private:
  void check(std::string_view, double, double, double) const override {}
  void add(std::string_view name, std::string_view dtype, std::uint64_t count,
           std::span<const std::byte> bytes) {
    tensors_.push_back(
        {std::string(name), dtype, {count}, bytes.size(), [this, bytes](const ByteSink& sink) {
           ++passed_on_;
           sink(bytes);
         }});
  }
  template <typename T>
  void add_shared(std::string_view name, std::string_view dtype, const Share& share,
                  std::span<T> kept) {
    if (share.is_shared()) chunk_.resize(kChunk);
    tensors_.push_back({std::string(name),
                        dtype,
                        {share.size()},
                        share.size() * sizeof(T),
                        [this, share, kept](const ByteSink& sink) {
                          ++passed_on_;
                          pass_on(share, std::as_writable_bytes(kept), sizeof(T), chunk_, sink);
                        }});
  }

  std::vector<TensorToWrite> tensors_;
  std::deque<std::vector<double>> numbers_;  // a deque, so that elements do not move
  std::vector<std::byte> chunk_;             // of another rank; empty if there is none
  size_t passed_on_ = 0;                     // tensors
};

// ------------------------------------------------------------------------------------- reading --

class Restoring : public State {
 public:
  explicit Restoring(SafetensorsFile file) : file_(std::move(file)) {}

  bool restores() const override { return true; }
  void floats(std::string_view name, std::span<float> values) override {
    read(name, "F32", values.size(), 0, values);
  }
  void halves(std::string_view name, std::span<std::uint16_t> values) override {
    read(name, "F16", values.size(), 0, values);
  }
  void floats(std::string_view name, const Share& share, std::span<float> kept) override {
    read(name, "F32", share.size(), share.first(), kept);
  }
  void halves(std::string_view name, const Share& share, std::span<std::uint16_t> kept) override {
    read(name, "F16", share.size(), share.first(), kept);
  }
  void words(std::string_view name, std::span<std::uint32_t> values) override {
    read(name, "U32", values.size(), 0, values);
  }
  void numbers(std::string_view name, std::span<double> values) override {
    read(name, "F64", values.size(), 0, values);
  }
  [[noreturn]] void refuse(const std::string& why) const override {
    fail(ErrorKind::file, "the checkpoint '{}' {}", file_.path(), why);
  }
  bool has(std::string_view name) const override {
    return file_.header.tensors.contains(std::string(name));
  }
  std::size_t saved_numbers(std::string_view name) const override {
    const SafetensorsTensor& tensor = find(name);
    return (tensor.end - tensor.begin) / sizeof(double);
  }

 private:
  const SafetensorsTensor& find(std::string_view name) const {
    const auto found = file_.header.tensors.find(std::string(name));
    if (found != file_.header.tensors.end()) return found->second;
    refuse(fmt::format("has no '{}'; it is damaged, or belongs to another recipe", name));
  }
  // The values of a tensor of `count`, from number `first` on.
  template <typename T>
  void read(std::string_view name, std::string_view dtype, std::size_t count, std::size_t first,
            std::span<T> values) {
    const SafetensorsTensor& tensor = find(name);
    const std::vector<std::uint64_t> shape = {count};
    if (tensor.dtype != dtype || tensor.shape != shape ||
        tensor.end - tensor.begin != count * sizeof(T)) {
      fail(ErrorKind::file,
           "the checkpoint '{}': '{}' should be {} values of {}; it is damaged, or belongs to "
           "pictures of another size",
           file_.path(), name, count, dtype);
    }
    file_.bytes.read(file_.data_begin + tensor.begin + first * sizeof(T),
                     std::as_writable_bytes(values));
  }
  void check(std::string_view name, double number, double least, double most) const override {
    if (number >= least && number <= most && number == std::floor(number)) return;
    fail(ErrorKind::file,
         "the checkpoint '{}': '{}' is {}, but should be a whole number from {} to {}",
         file_.path(), name, number, least, most);
  }

  SafetensorsFile file_;
};

SafetensorsFile open_checkpoint(const std::string& path) {
  SafetensorsFile file = open_safetensors(FileBytes(path));
  const auto& metadata = file.header.metadata;
  for (const char* key : {kVersionKey, kSetKey, kRecipeKey, kPicturesKey, kWeightsKey}) {
    if (metadata.contains(key)) continue;
    fail(ErrorKind::file, "'{}' is a safetensors file, but not a limn checkpoint", path);
  }
  return file;
}

}  // namespace

// ------------------------------------------------------------------------------------- digests --

namespace {

// A SHA-256 of everything added, taken over the digests of the parts.
class Digest {
 public:
  template <typename T>
  void add(const std::vector<T>& values) {
    add_bytes(std::as_bytes(std::span(values)));
  }
  void add(const Buffer<float>& values) {
    add_bytes(std::as_bytes(std::span(values.data(), values.size())));
  }
  void add(const std::string& text) { add_bytes(std::as_bytes(std::span(text))); }
  void add(const Image& image) {
    add(fmt::format("image {} {}", image.width, image.height));
    add(image.rgb);
    add(image.alpha);
  }
  void add(const Mask& mask) {
    add(fmt::format("mask {} {}", mask.width, mask.height));
    add(mask.values);
  }
  std::string text() const { return sha256_of_bytes(std::as_bytes(std::span(parts_))); }

 private:
  void add_bytes(std::span<const std::byte> bytes) { parts_ += sha256_of_bytes(bytes); }
  std::string parts_;
};

}  // namespace

std::string digest_of(const Pictures& pictures) {
  Digest digest;
  digest.add(pictures.photo);
  for (const Style& style : pictures.styles) {
    digest.add(fmt::format("style {}", style.paintings.size()));
    for (const Image& painting : style.paintings) digest.add(painting);
    digest.add(style.from);
    digest.add(style.to);
  }
  digest.add(pictures.keep);
  return digest.text();
}

std::string digest_of(const Model& model) {
  Digest digest;
  for (const Convolution& convolution : model.weights().convolutions) {
    digest.add(convolution.id);
    digest.add(convolution.kernel.values);
    digest.add(convolution.bias);
  }
  return digest.text();
}

void write_checkpoint(Painter& painter, const Digests& digests, const Notes& notes,
                      const std::string& path) {
  std::vector<std::pair<std::string, std::string>> metadata = {
      {kVersionKey, std::string(version())},
      {kSetKey, std::string(instruction_set())},
      {kRecipeKey, to_toml(painter.plan().recipe)},
      {kPicturesKey, digests.pictures},
      {kWeightsKey, digests.weights}};
  for (const auto& [key, text] : notes) metadata.emplace_back(std::string(kNote) + key, text);
  Writing state;
  painter.keep(state);
  try {
    write_safetensors_file(path, metadata, state.tensors());
  } catch (...) {
    state.pass_on_the_rest();  // the other ranks wait for it
    throw;
  }
}

void send_checkpoint(Painter& painter) {
  Writing state;
  painter.keep(state);
  state.pass_on_the_rest();
}

std::unique_ptr<State> saved_state(const std::string& path, const Digests& digests) {
  SafetensorsFile file = open_checkpoint(path);
  const auto expect = [&](const char* key, const std::string& digest, const char* what) {
    if (file.header.metadata.at(key) == digest) return;
    fail(ErrorKind::file, "the checkpoint '{}' was made with different {}", path, what);
  };
  expect(kPicturesKey, digests.pictures, "pictures");
  expect(kWeightsKey, digests.weights, "weights");
  return std::make_unique<Restoring>(std::move(file));
}

Checkpoint read_checkpoint(const std::string& path) {
  SafetensorsFile file = open_checkpoint(path);
  const auto& metadata = file.header.metadata;
  Checkpoint checkpoint;
  checkpoint.version = metadata.at(kVersionKey);
  checkpoint.instruction_set = metadata.at(kSetKey);
  try {
    checkpoint.recipe = parse_recipe(metadata.at(kRecipeKey), path);
  } catch (const Error& error) {  // the file is at fault, not the user
    fail(ErrorKind::file, "the checkpoint's recipe: {}", error.what());
  }
  for (const auto& [key, text] : metadata) {
    if (key.starts_with(kNote)) checkpoint.notes[key.substr(kNote.size())] = text;
  }
  Restoring state(std::move(file));
  state.number("painter.seconds", checkpoint.seconds);
  int done = 0, iteration = 0;
  state.integer("painter.done", done, 0, 1e6);
  state.integer("descent.iteration", iteration, 0, 1e6);
  checkpoint.iteration = done + iteration;
  if (!(checkpoint.seconds >= 0 && checkpoint.seconds < 1e9)) {
    fail(ErrorKind::file, "the checkpoint '{}' is damaged: it says that {} seconds have passed",
         path, checkpoint.seconds);
  }
  return checkpoint;
}

}  // namespace limn
