// limn::Run: a painter and everything it works on.
#include <limn/limn.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "paint/checkpoint.h"
#include "paint/painter.h"

namespace limn {

struct Run::Inside {
  Inside(const Model& given, Pictures pictures, const Plan& plan, const std::string* checkpoint)
      : model(given), pictures_digest(digest_of(pictures)) {
    const std::unique_ptr<State> state =
        checkpoint ? saved_state(*checkpoint, digests()) : std::unique_ptr<State>();
    painter.emplace(model, std::move(pictures), plan, /*kept=*/nullptr, state.get());
  }

  // The weights' digest is computed when first needed: never, without a checkpoint.
  Digests digests() {
    if (weights_digest.empty()) weights_digest = digest_of(model);
    return {pictures_digest, weights_digest};
  }

  const Model model;
  const std::string pictures_digest;
  std::string weights_digest;
  std::optional<Painter> painter;
};

Run::Run(const Model& model, Pictures pictures, const Plan& plan)
    : inside_(std::make_unique<Inside>(model, std::move(pictures), plan, nullptr)) {}

Run::Run(const Model& model, Pictures pictures, const Plan& plan, const std::string& checkpoint)
    : inside_(std::make_unique<Inside>(model, std::move(pictures), plan, &checkpoint)) {}

Run::Run(Run&&) noexcept = default;
Run& Run::operator=(Run&&) noexcept = default;
Run::~Run() = default;

bool Run::step() { return inside_->painter->step(); }
void Run::stop() { inside_->painter->stop(); }
const Plan& Run::plan() const { return inside_->painter->plan(); }
std::vector<int> Run::iterations() const { return inside_->painter->iterations(); }
const Progress& Run::now() const { return inside_->painter->now(); }
bool Run::has_begun() const { return inside_->painter->has_begun(); }

void Run::save(const std::string& path, const Notes& notes) {
  write_checkpoint(*inside_->painter, inside_->digests(), notes, path);
}

Painted Run::finish() { return inside_->painter->finish(); }

}  // namespace limn
