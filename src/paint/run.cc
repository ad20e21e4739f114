// limn::Run: a painter and everything it works on.
#include <limn/limn.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/ranks.h"
#include "paint/checkpoint.h"
#include "paint/painter.h"

namespace limn {
namespace {

// What rank 0 tells the others to do.
enum class Told { step, save, finish };

// All that ranks have to agree on, as one text.
std::string basis_of(const Plan& plan, const Digests& digests) {
  Recipe recipe = plan.recipe;
  recipe.picture.threads = 0;
  std::string text =
      fmt::format("{} {} {} {}\n", version(), instruction_set(), digests.pictures, digests.weights);
  for (const Level& level : plan.levels) {
    const Size& picture = level.sizes.picture;
    const auto& [half_features, half_history, history] = level.saving;
    text += fmt::format("{} {} {} {} {} {} {} {} {}\n", level.stage, picture.height, picture.width,
                        level.iterations, level.tile.height, level.tile.width, half_features,
                        half_history, history);
  }
  return text + to_toml(recipe);
}

// Throws Error (resources) unless all ranks are about to do the same.
void check_agreement(Ranks& ranks, const Plan& plan, const Digests& digests) {
  constexpr size_t kDigits = 64;
  std::array<char, kDigits> own, first;
  const std::string basis = basis_of(plan, digests);
  const std::string digest = sha256_of_bytes(std::as_bytes(std::span(basis)));
  std::copy_n(digest.begin(), kDigits, own.begin());
  first = own;
  broadcast<char>(ranks, first, 0);
  if (own == first) return;
  fail(
      ErrorKind::resources,
      "rank {} would paint something else than rank 0; give all machines the same version of limn, "
      "the same files and processors with the same instruction set",
      ranks.rank());
}

}  // namespace

struct Run::Inside {
  Inside(const Model& given, Pictures pictures, const Plan& plan, const std::string* checkpoint,
         Ranks* group)
      : model(given), ranks(group ? *group : alone()), pictures_digest(digest_of(pictures)) {
    if (ranks.count() > 1) check_agreement(ranks, plan, digests());
    const std::unique_ptr<State> state =
        checkpoint ? saved_state(*checkpoint, digests()) : std::unique_ptr<State>();
    if (checkpoint) meet(ranks);  // rank 0 may soon replace the file, which all have open now
    painter.emplace(model, std::move(pictures), plan, /*kept=*/nullptr, state.get(),
                    /*abandon=*/nullptr, ranks);
  }

  // The weights' digest is computed when first needed: never, without a checkpoint or other ranks.
  Digests digests() {
    if (weights_digest.empty()) weights_digest = digest_of(model);
    return {pictures_digest, weights_digest};
  }

  void tell(Told told) { agreed(ranks, told); }

  const Model model;
  Ranks& ranks;
  const std::string pictures_digest;
  std::string weights_digest;
  std::optional<Painter> painter;
};

Run::Run(const Model& model, Pictures pictures, const Plan& plan, Ranks* ranks)
    : inside_(std::make_unique<Inside>(model, std::move(pictures), plan, nullptr, ranks)) {}

Run::Run(const Model& model, Pictures pictures, const Plan& plan, const std::string& checkpoint,
         Ranks* ranks)
    : inside_(std::make_unique<Inside>(model, std::move(pictures), plan, &checkpoint, ranks)) {}

Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

bool Run::step() {
  inside_->tell(Told::step);
  return inside_->painter->step();
}

void Run::stop() { inside_->painter->stop(); }
const Plan& Run::plan() const { return inside_->painter->plan(); }
std::vector<int> Run::iterations() const { return inside_->painter->iterations(); }
const Progress& Run::now() const { return inside_->painter->now(); }
bool Run::has_begun() const { return inside_->painter->has_begun(); }

void Run::save(const std::string& path, const Notes& notes) {
  const Digests digests = inside_->digests();
  inside_->tell(Told::save);
  write_checkpoint(*inside_->painter, digests, notes, path);
}

Painted Run::finish() {
  inside_->tell(Told::finish);
  return inside_->painter->finish();
}

void Run::follow() {
  for (;;) {
    switch (agreed(inside_->ranks, Told::finish)) {
      case Told::step:
        inside_->painter->step();
        break;
      case Told::save:
        send_checkpoint(*inside_->painter);
        break;
      case Told::finish:
        return;
    }
  }
}

}  // namespace limn
