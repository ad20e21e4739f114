// The results of a sweep so far: the cells of its sheet, the rows of its table.
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "image/contact_sheet.h"
#include "request/arguments.h"
#include "request/opened_inputs.h"
#include "request/vary.h"
#include "show/unpainted.h"

namespace limn {

// The files that a sweep writes.
struct SweepOutputs {
  std::string sheet;
  std::optional<std::string> animation, report;
  WriteOptions write;
};

class SweepResults {
 public:
  // All but the inputs must outlive this. For a style with several paintings, the sheet shows the
  // first. Throws Error (usage) when sheet or animation would be larger than their formats allow.
  SweepResults(const PaintingArguments& arguments, const SweepOutputs& outputs,
               const Variation& variation, const Model& model, const Inputs& inputs);

  // Adds painting number `index`, even if stopped, failed or unpainted.
  void add(size_t index, const Painted& painted);

  bool empty() const { return painted_ == 0; }  // whether no value led to a painting
  bool stopped() const { return stopped_; }     // whether the last painting was stopped
  size_t size() const { return rows_.size(); }
  size_t painted() const { return painted_; }
  struct UnpaintedValue {
    size_t index;
    Unpainted why;
  };
  const std::optional<UnpaintedValue>& first_unpainted() const { return first_unpainted_; }

  // "style.weight 0.1"
  std::string label(size_t index) const;

  // Write the sheet, and the report if requested. Throw Error (file).
  void write_sheet_and_report(double seconds) const;
  void write_animation() const;

 private:
  std::string label(size_t index, const Painted& painted) const;
  nlohmann::ordered_json row(size_t index, const Painted& painted) const;

  const PaintingArguments& arguments_;
  const SweepOutputs& outputs_;
  const Variation& variation_;
  const Model& model_;
  SheetLayout layout_;
  int inputs_ = 0;           // cells for photo and paintings
  std::vector<Cell> cells_;  // those, then the results
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
  size_t painted_ = 0;  // without failed and unpainted ones
  std::optional<UnpaintedValue> first_unpainted_;
  bool stopped_ = false;
};

}  // namespace limn
