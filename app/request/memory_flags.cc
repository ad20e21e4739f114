#include "request/memory_flags.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/byte_size.h"
#include "base/error.h"
#include "base/memory_at_hand.h"

namespace limn {
namespace {

// The rest is for the system, and for what predictions may be off.
constexpr double kShareOfMachine = 0.875;

}  // namespace

void MemoryFlags::add_to(CLI::App& command) {
  command
      .add_option("--memory", memory_,
                  "Take at most this much: a larger picture is painted in half precision or in "
                  "tiles, which need more time [7/8 of the machine's]")
      ->type_name("SIZE");
  command
      .add_option("--tile", tile_,
                  "Paint in tiles of about N pixels a side, however much memory there is [none]")
      ->type_name("N");
}

Budget MemoryFlags::given() const {
  constexpr int kLeast = 16, kMost = 1'000'000;
  if (tile_ != 0 && (tile_ < kLeast || tile_ > kMost)) {
    fail(ErrorKind::usage, "--tile: is {}, but should be {} to {} pixels", tile_, kLeast, kMost);
  }
  if (memory_.empty()) return {0, tile_};
  return {static_cast<double>(parse_byte_size(memory_, "--memory")), tile_};
}

Budget within_machine(Budget budget, const LaunchedRanks* ranks) {
  if (ranks) budget.ranks = ranks->count();
  if (budget.bytes == 0 && budget.tile == 0) {
    budget.bytes = kShareOfMachine * memory_at_hand() / (ranks ? ranks->on_this_machine() : 1);
  }
  return budget;
}

std::string chosen_text(const Size& tile, const Saving& saving) {
  std::vector<std::string> parts;
  if (saving.half_features) parts.push_back("half-precision features");
  if (tile != Size()) {
    parts.push_back(fmt::format("tiles of up to {} x {} pixels", tile.width, tile.height));
  }
  const char* precision = saving.half_history ? "half-precision " : "";
  if (saving.history > 0) {
    parts.push_back(fmt::format("a {}history of {} steps", precision, saving.history));
  } else if (saving.half_history) {
    parts.push_back("a half-precision history");
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string chosen_text(const Plan& plan) {
  for (auto level = plan.levels.rbegin(); level != plan.levels.rend(); ++level) {
    std::string text = chosen_text(level->tile, level->saving);
    if (!text.empty()) return text;
  }
  return "";
}

}  // namespace limn
