// A State in memory. Threads that are ranks may save into the same one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/share.h"
#include "base/state.h"

namespace limn {

// By name, the bytes of an array.
struct KeptArrays {
  std::map<std::string, std::vector<std::byte>, std::less<>> arrays;
  std::mutex mutex;
};

class KeptState : public State {
 public:
  KeptState(KeptArrays& kept, bool restores) : kept_(kept), restores_(restores) {}

  bool restores() const override { return restores_; }
  void floats(std::string_view name, std::span<float> values) override { all(name, values); }
  void halves(std::string_view name, std::span<std::uint16_t> values) override {
    all(name, values);
  }
  void words(std::string_view name, std::span<std::uint32_t> values) override { all(name, values); }
  void numbers(std::string_view name, std::span<double> values) override { all(name, values); }
  void floats(std::string_view name, const Share& share, std::span<float> kept) override {
    part(name, share, kept);
  }
  void halves(std::string_view name, const Share& share, std::span<std::uint16_t> kept) override {
    part(name, share, kept);
  }
  std::size_t saved_numbers(std::string_view name) const override {
    return kept_.arrays.find(name)->second.size() / sizeof(double);
  }
  bool has(std::string_view name) const override { return kept_.arrays.contains(name); }
  [[noreturn]] void refuse(const std::string& why) const override { throw std::logic_error(why); }

 private:
  void check(std::string_view, double, double, double) const override {}

  template <typename T>
  void all(std::string_view name, std::span<T> values) {
    part(name, Share(values.size(), std::max<size_t>(values.size(), 1), 0, alone()), values);
  }
  // Of an array, what a rank owns is saved, and what it keeps is restored.
  template <typename T>
  void part(std::string_view name, const Share& share, std::span<T> kept) {
    const std::lock_guard lock(kept_.mutex);
    std::vector<std::byte>& bytes = kept_.arrays[std::string(name)];
    if (restores_ && bytes.size() != share.size() * sizeof(T)) {
      throw std::logic_error(std::string(name));
    }
    bytes.resize(share.size() * sizeof(T));
    std::byte* of_rank = bytes.data() + share.first() * sizeof(T);
    if (restores_) {
      std::memcpy(kept.data(), of_rank, share.kept() * sizeof(T));
    } else if (share.own() > 0) {
      std::memcpy(of_rank, kept.data(), share.own() * sizeof(T));
    }
  }

  KeptArrays& kept_;
  const bool restores_;
};

}  // namespace limn
