// The state of a long-running computation, as named numbers and arrays.
//
// Each class with state visits it in one function that names every item once:
//
//   void Sgd::keep(State& state) {
//     state.number("sgd.learning_rate", learning_rate_);
//     state.integer("sgd.steps", steps_, 0, kMostSteps);
//   }
//
// A State that saves reads the items; one that restores sets them to the saved values, so the two
// cannot disagree. Restored values are not trusted: integers are checked against their range,
// arrays against their size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/share.h"

namespace limn {

class State {
 public:
  virtual ~State() = default;

  virtual bool restores() const = 0;

  // Arrays keep their size. Floats, halves and words, of which there may be many, are not copied:
  // they must stay alive, and as they are, until the state has been written.
  virtual void floats(std::string_view name, std::span<float> values) = 0;
  virtual void halves(std::string_view name, std::span<std::uint16_t> values) = 0;  // 16-bit floats
  virtual void words(std::string_view name, std::span<std::uint32_t> values) = 0;
  // Of arrays that ranks share, what this one keeps. All ranks save or restore them together.
  virtual void floats(std::string_view name, const Share& share, std::span<float> kept) = 0;
  virtual void halves(std::string_view name, const Share& share, std::span<std::uint16_t> kept) = 0;
  virtual void numbers(std::string_view name, std::span<double> values) = 0;
  // How many numbers were saved under this name. Only when restoring.
  virtual std::size_t saved_numbers(std::string_view name) const = 0;

  // Whether anything was saved under this name. Only when restoring.
  virtual bool has(std::string_view name) const = 0;

  void number(std::string_view name, double& value) { numbers(name, {&value, 1}); }

  // A whole number up to 2^53. Throws Error (file) unless it is within least..most.
  template <typename Integer>
  void integer(std::string_view name, Integer& value, double least, double most) {
    auto number = static_cast<double>(value);
    this->number(name, number);
    if (!restores()) return;
    check(name, number, least, most);
    value = static_cast<Integer>(number);
  }
  void flag(std::string_view name, bool& value) { integer(name, value, 0, 1); }
  // The same of many, from 0 to `most`.
  void integers(std::string_view name, std::span<std::uint32_t> values, std::uint32_t most) {
    words(name, values);
    if (!restores()) return;
    for (const std::uint32_t value : values) check(name, value, 0, most);
  }

  // Throws Error (file): the saved state does not belong to what is being restored. `why` continues
  // the sentence that starts with the source's name: "is of a painting of 20 x 10 pixels".
  [[noreturn]] virtual void refuse(const std::string& why) const = 0;

 protected:
  // Throws Error (file), naming the item, unless it is a whole number in this range.
  virtual void check(std::string_view name, double number, double least, double most) const = 0;
};

}  // namespace limn
