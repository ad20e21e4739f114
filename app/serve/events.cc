#include "serve/events.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "serve/job_json.h"
#include "serve/results.h"
#include "serve/settings.h"
#include "work/command_line.h"
#include "work/job_files.h"

namespace limn {
namespace {

constexpr size_t kMostProgressBytes = 64 * 1024;
constexpr size_t kMostAtATime = 50;  // 40 KB

// A heartbeat is a change of a job too, but no news to anybody.
std::string state_of(const Job& job) {
  Json json = summary_json(job);
  json.erase("revision");
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string state_event(const Job& job) {
  return event_text("state", summary_json(job).dump(-1, ' ', false, Json::error_handler_t::replace),
                    job.revision);
}

}  // namespace

void Deletions::add(const std::string& id, std::int64_t revision) {
  const std::lock_guard lock(mutex_);
  deleted_.emplace_back(id, revision);
  if (deleted_.size() > kMost) deleted_.pop_front();
  ++last_;
}

std::uint64_t Deletions::known_at(std::int64_t revision) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t known = last_;
  for (auto next = deleted_.rbegin(); next != deleted_.rend() && next->second > revision; ++next) {
    --known;
  }
  return known;
}

std::pair<std::vector<std::string>, std::uint64_t> Deletions::since(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t news = std::min<std::uint64_t>(last_ - after, deleted_.size());
  std::vector<std::string> ids;
  ids.reserve(news);
  for (size_t i = deleted_.size() - news; i < deleted_.size(); ++i) {
    ids.push_back(deleted_[i].first);
  }
  return {std::move(ids), last_};
}

// Where the store no longer answers, everybody who connects again is told.
void note_deletion(Deletions& deletions, Queue& queue, const std::string& id) {
  std::int64_t revision = INT64_MAX;
  try {
    revision = queue.revision();
  } catch (const Error&) {
  }
  deletions.add(id, revision);
}

std::string event_text(const std::string& name, const std::string& data,
                       std::optional<std::int64_t> id) {
  const std::string number = id ? fmt::format("id: {}\n", *id) : "";
  return fmt::format("event: {}\n{}data: {}\n\n", name, number, data);
}

std::string RunningFiles::news() {
  std::string text;
  const std::string progress = folder_ + "/" + kProgressFile;
  const std::string progress_tag = tag_of_file(progress);
  if (!progress_tag.empty() && progress_tag != progress_tag_) {
    const std::optional<std::string> kept = read_plain(progress, kMostProgressBytes);
    try {
      Json json = parse_json(kept.value_or(""), "progress");
      if (json.is_object()) {
        json["id"] = id_;
        text += event_text("progress", json.dump(-1, ' ', false, Json::error_handler_t::replace));
      }
      progress_tag_ = progress_tag;
    } catch (const Error&) {
      // It has just gone, or been replaced: the next look will tell.
    }
  }
  std::string tag = tag_of_file(folder_ + "/" + kPreviewFile);
  if (!tag.empty() && tag != preview_tag_) {
    preview_tag_ = tag;
    std::erase(tag, '"');
    const Json json = {{"id", id_},
                       {"url", fmt::format("/api/v1/jobs/{}/preview?version={}", id_, tag)}};
    text += event_text("preview", json.dump());
  }
  return text;
}

JobEvents::JobEvents(Queue& queue, const Job& job, std::optional<std::int64_t> seen)
    : queue_(queue), job_(job), seen_(seen), files_(job.id, queue.files().folder_of_job(job.id)) {
  if (seen_ && *seen_ >= job.revision) sent_ = state_of(job);
}

EventStream::Step JobEvents::next(std::int64_t revision) {
  Step step;
  if (revision != looked_at_) {
    const std::optional<Job> job = queue_.find(job_.id);
    if (!job) return {event_text("deleted", Json{{"id", job_.id}}.dump()), true, false};
    looked_at_ = revision;
    job_ = *job;
    std::string state = state_of(job_);
    if (state != sent_) {
      step.text += state_event(job_);
      sent_ = std::move(state);
    }
  }
  if (job_.state == JobState::running) step.text += files_.news();
  step.end = is_over(job_);
  return step;
}

AllEvents::AllEvents(Queue& queue, const Deletions& deletions, std::int64_t seen)
    : queue_(queue), deleted_(deletions), seen_(seen), seen_deletions_(deletions.known_at(seen)) {
  for (const Job& job : queue_.list({.states = {JobState::running}})) running(job.id);
}

AllEvents::Running& AllEvents::running(const std::string& id) {
  const auto known = running_.find(id);
  if (known != running_.end()) return known->second;
  Running fresh = {RunningFiles(id, queue_.files().folder_of_job(id))};
  return running_.emplace(id, std::move(fresh)).first->second;
}

std::string AllEvents::deletions() {
  const auto [ids, last] = deleted_.since(seen_deletions_);
  seen_deletions_ = last;
  std::string text;
  for (const std::string& id : ids) {
    running_.erase(id);
    text += event_text("deleted", Json{{"id", id}}.dump());
  }
  return text;
}

void AllEvents::add_changes(Step& step, std::int64_t revision) {
  std::vector<Job> jobs = queue_.list({.changed_after = seen_, .most = kMostAtATime});
  std::ranges::sort(jobs, {}, &Job::revision);
  for (const Job& job : jobs) {
    if (job.state != JobState::running) {
      running_.erase(job.id);
      step.text += state_event(job);
      continue;
    }
    std::string& last = running(job.id).sent;
    std::string state = state_of(job);
    if (state != last) step.text += state_event(job);
    last = std::move(state);
  }
  step.more = jobs.size() == kMostAtATime;
  seen_ = step.more ? jobs.back().revision : std::max(seen_, revision);
}

EventStream::Step AllEvents::next(std::int64_t revision) {
  Step step = {deletions(), false, false};
  if (revision > seen_) add_changes(step, revision);
  for (auto& [id, job] : running_) step.text += job.files.news();
  return step;
}

}  // namespace limn
