#include "serve/live_reply.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace limn {
namespace {

std::string part(std::string_view type, const std::string& fields, std::string_view body) {
  return fmt::format("--{}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}\r\n",
                     PartStream::kBoundary, type, body.size(), fields, body);
}

std::string progress_field(const LiveFigures& figures) {
  const double done = figures.iterations == 0 ? 1 : 1.0 * figures.iteration / figures.iterations;
  return fmt::format(
      R"(Limn-Progress: {{"width":{},"height":{},"iteration":{},"iterations":{},"done":{:.4g}}})"
      "\r\n",
      figures.width, figures.height, figures.iteration, figures.iterations, done);
}

std::string last_part(const std::string& json) {
  return part("application/json", "", json) + fmt::format("--{}--\r\n", PartStream::kBoundary);
}

}  // namespace

void LiveReply::show(const LiveFigures& figures, std::string jpeg) {
  const std::lock_guard lock(mutex_);
  if (!is_open()) return;
  frame_ = Frame{figures, std::move(jpeg)};
  if (news_) news_();
}

void LiveReply::finish(const LiveFigures& figures) {
  const std::lock_guard lock(mutex_);
  if (!is_open()) return;
  finished_ = figures;
  if (news_) news_();
}

void LiveReply::fail(const Problem& problem) {
  const std::lock_guard lock(mutex_);
  if (!is_open()) return;
  problem_ = problem;
  if (news_) news_();
}

bool LiveReply::is_wanted() const {
  const std::lock_guard lock(mutex_);
  return is_open();
}

PartStream::Step LiveReply::next() {
  const std::lock_guard lock(mutex_);
  PartStream::Step step;
  if (problem_ && !begun_) throw Problem(*problem_);
  if (const std::optional<Frame> frame = std::exchange(frame_, {})) {
    step.text = part("image/jpeg", progress_field(frame->figures), frame->jpeg);
  }
  if (finished_) {
    step.text += last_part(fmt::format(R"({{"done":true,"width":{},"height":{},"seconds":{:.3f}}})",
                                       finished_->width, finished_->height, finished_->seconds));
  } else if (problem_) {
    step.text += last_part(
        fmt::format(R"({{"problem":{}}})",
                    problem_json(problem_->status(), problem_->what(), problem_->pointer())));
  }
  step.end = finished_ || problem_;
  begun_ = begun_ || !step.text.empty();
  return step;
}

void LiveReply::on_news(std::function<void()> call) {
  const std::lock_guard lock(mutex_);
  news_ = std::move(call);
}

void LiveReply::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  frame_.reset();
  news_ = {};
}

}  // namespace limn
