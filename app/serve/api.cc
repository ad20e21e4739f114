#include "serve/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "serve/conditions.h"
#include "serve/file_reply.h"
#include "serve/job_json.h"
#include "serve/job_request.h"
#include "serve/live_request.h"
#include "serve/openapi.h"
#include "serve/pages.h"
#include "serve/problem.h"
#include "serve/recipe_reply.h"
#include "serve/settings.h"
#include "work/command_line.h"

namespace limn {
namespace {

constexpr int kMostListed = 200;  // 160 KB
constexpr int kFurthestListed = 1'000'000'000;

Problem no_job() { return {404, "there is no such job"}; }

// "waiting,running"
std::vector<JobState> states_in(const std::string& text) {
  std::vector<JobState> states;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    try {
      states.push_back(parse_job_state(text.substr(begin, end - begin)));
    } catch (const Error& error) {
      throw Problem(400, fmt::format("state: {}", error.what()));
    }
    begin = end + 1;
  }
  return states;
}

// Of each role the files in their order: a form's fields may come in any.
std::vector<std::pair<std::string, std::string>> inputs_by_role(const JobRequest& request) {
  std::vector<std::pair<std::string, std::string>> inputs;
  inputs.reserve(request.inputs.size());
  for (const JobInput& input : request.inputs) {
    inputs.emplace_back(input.role, input.file.empty() ? input.name : input.file);
  }
  std::ranges::stable_sort(inputs, {}, &std::pair<std::string, std::string>::first);
  return inputs;
}

// The same request under the same key, in whatever order it says things.
bool is_same(const JobRequest& a, const JobRequest& b) {
  return a.kind == b.kind && a.recipe == b.recipe && a.preview == b.preview &&
         inputs_by_role(a) == inputs_by_role(b) && std::ranges::is_permutation(a.flags, b.flags);
}

}  // namespace

Reply json_reply(const Json& json, int status) {
  return {.status = status,
          .type = "application/json",
          .body = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Api::Api(Queue& queue, const Access& access, Metrics& metrics, ApiOptions options)
    : queue_(queue),
      access_(access),
      metrics_(metrics),
      options_(std::move(options)),
      results_(queue.files(), options_.converter),
      pictures_(queue.files(), options_.converter, options_.describer) {}

void Api::stop() {
  results_.stop();
  pictures_.stop();
  if (options_.live != nullptr) options_.live->stop();
}

// --------------------------------------------------------------------------- who may, and where --

Match Api::admit(const Request& request) const {
  access_.check_source(request);
  Match match = match_route(request.method, request.target.path);
  if (match.route != nullptr && match.route->open) return match;
  const bool page = match.route != nullptr && match.route->operation == Operation::page;
  const std::string* token = page ? request.target.query.find("token") : nullptr;
  if (token != nullptr ? !access_.is_token(*token) : !access_.has_token(request)) {
    throw Problem(401,
                  "this needs the server's token: 'Authorization: Bearer TOKEN', or the "
                  "cookie that the link printed by limn serve sets");
  }
  if (match.allowed.empty()) throw Problem(404, "there is nothing at this address");
  if (match.route == nullptr && request.method != "OPTIONS") {
    throw Problem(405, fmt::format("this address takes {}", match.allowed));
  }
  return match;
}

Reply Api::refusal(const std::exception& error, const Request& request) const {
  Reply reply;
  reply.type = kProblemType;
  if (const auto* problem = dynamic_cast<const Problem*>(&error)) {
    reply.status = problem->status();
    reply.body = problem_json(reply.status, problem->what(), problem->pointer());
  } else if (dynamic_cast<const Error*>(&error) != nullptr) {
    reply.status = 503;  // the store or the disk
    reply.body = problem_json(503, error.what());
  } else {
    const bool memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
    reply.status = memory ? 503 : 500;
    reply.body = problem_json(reply.status, memory ? "not enough memory" : "an internal error");
  }
  if (reply.status == 401) {
    reply.fields.emplace_back("WWW-Authenticate", "Bearer");
    if (request.target.path == "/") {
      reply.type = kPageType;
      reply.body = locked_page();
    }
  }
  if (reply.status == 405) {
    reply.fields.emplace_back("Allow", match_route(request.method, request.target.path).allowed);
  }
  if (reply.status == 503 || reply.status == 429) reply.fields.emplace_back("Retry-After", "5");
  return reply;
}

Api::Effort Api::effort_of(const Match& match, const Request& request) {
  if (match.route == nullptr) return Effort::none;
  const Query& query = request.target.query;
  switch (match.route->operation) {
    case Operation::get_result:
      return query.find("format") != nullptr || query.find("bits") != nullptr ||
                     query.find("width") != nullptr
                 ? Effort::conversion
                 : Effort::heavy;
    case Operation::get_input:
      return query.find("width") != nullptr ? Effort::conversion : Effort::quick;
    case Operation::get_upload:
    case Operation::get_upload_picture:
      return Effort::conversion;
    case Operation::get_example:
    case Operation::upload_example:
      return Effort::heavy;
    case Operation::list_jobs:
      // What is left out is counted all the same.
      return query.find("offset") != nullptr ||
                     (query.find("limit") != nullptr && query.find("limit")->size() > 2)
                 ? Effort::heavy
                 : Effort::quick;
    case Operation::follow_jobs:
      return Effort::heavy;
    case Operation::health:
    case Operation::page:
    case Operation::page_file:
    case Operation::openapi:
      return Effort::none;
    default:
      return Effort::quick;
  }
}

Reply Api::answer(const Match& match, const Request& request) {
  if (match.route == nullptr) {  // OPTIONS
    return {.status = 204, .fields = {{"Allow", match.allowed}}};
  }
  switch (match.route->operation) {
    case Operation::page:
      return page(request);
    case Operation::page_file:
      return page_reply(request, match.arguments.front());
    case Operation::health:
      return {.type = "text/plain; charset=utf-8", .body = "ok\n"};
    case Operation::metrics:
      return metrics_text();
    case Operation::openapi:
      return text_reply(request, "application/yaml", std::string(openapi_text()));
    case Operation::submit_job:
      return submit(request);
    case Operation::list_jobs:
      return list(request);
    case Operation::follow_jobs:
      return all_events(request);
    case Operation::upload_file:
      return upload(request);
    case Operation::get_upload:
    case Operation::get_upload_picture:
      return std::move(*of_picture(match, request, true));
    case Operation::paint_live:
      return live(request);
    case Operation::list_examples:
      return list_examples(request);
    case Operation::get_example:
      return example(match.arguments.front(), request);
    case Operation::upload_example:
      return upload_example(match.arguments.front(), request);
    case Operation::check_recipe:
      request.target.query.allow({});
      return json_reply(checked_recipe(request));
    case Operation::list_recipes: {
      request.target.query.allow({});
      Json recipes = Json::array();
      for (const std::string& name : recipe_names()) {
        recipes.push_back({{"name", name}, {"summary", named_recipe(name).summary}});
      }
      return json_reply({{"recipes", recipes}});
    }
    case Operation::get_recipe: {
      request.target.query.allow({});
      const std::vector<std::string> names = recipe_names();
      const std::string& name = match.arguments.front();
      if (std::ranges::find(names, name) == names.end()) {
        throw Problem(404, fmt::format("there is no recipe '{}'", shown(name)));
      }
      return json_reply({{"name", name},
                         {"settings", recipe_json(named_recipe(name))},
                         {"toml", recipe_text(name)}});
    }
    default:
      return of_job(match, request);
  }
}

// ------------------------------------------------------------------------------------- of a job --

Job Api::find(const std::string& id) {
  if (!is_job_id(id)) throw no_job();
  std::optional<Job> job = queue_.find(id);
  if (!job) throw no_job();
  return std::move(*job);
}

Reply Api::of_job(const Match& match, const Request& request) {
  const Job job = find(match.arguments.front());
  switch (match.route->operation) {
    case Operation::get_job:
      request.target.query.allow({});
      return json_reply(job_json(job));
    case Operation::delete_job:
      return erase(job);
    case Operation::follow_job:
      return events_of(job, request);
    case Operation::get_result:
      return std::move(*of_picture(match, request, true));
    case Operation::get_preview:
      return preview(job, request);
    case Operation::get_input:
      return std::move(*of_picture(match, request, true));
    case Operation::cancel_job:
      return changed(queue_.cancel(job.id), job.id, "only waiting and running jobs are cancelled");
    case Operation::retry_job:
      return changed(queue_.retry(job.id), job.id, "the job is not over");
    case Operation::move_job:
      return move(job, request);
    default:
      throw Problem(404, "there is nothing at this address");
  }
}

Reply Api::changed(const std::optional<Job>& job, const std::string& id, const std::string& why) {
  if (job) return json_reply(summary_json(*job));
  const Job now = find(id);
  throw Problem(409, fmt::format("the job is {}: {}", name_of(now.state), why));
}

Reply Api::erase(const Job& job) {
  if (!queue_.erase(job.id)) {
    const Job now = find(job.id);
    throw Problem(409, fmt::format("the job is {}; cancel it first", name_of(now.state)));
  }
  note_deletion(*options_.deletions, queue_, job.id);
  return {.status = 204};
}

Reply Api::move(const Job& job, const Request& request) {
  const Json json = parse_json(request.text, "the request");
  if (!json.is_object() || json.size() != 1 || !json.contains("before") ||
      !(json["before"].is_string() || json["before"].is_null())) {
    throw Problem(422, "should be {\"before\": ID}, or null to go behind all others", "/before");
  }
  std::string before;
  if (json["before"].is_string()) {
    before = json["before"].get<std::string>();
    if (!is_job_id(before) || !queue_.find(before)) {
      throw Problem(422, "/before: there is no such job", "/before");
    }
  }
  return changed(queue_.move_before(job.id, before), job.id,
                 "only waiting jobs are moved, before other waiting ones");
}

std::optional<Reply> Api::result(const Job& job, const Request& request, bool may_convert) {
  const Conversion conversion = parse_conversion(request.target.query);
  if (!has_result(job)) {
    throw Problem(409, fmt::format("the job is {}, and has no picture", name_of(job.state)));
  }
  std::optional<std::string> path = results_.find(job, conversion);
  if (!path && !may_convert) return {};
  if (!path) path = results_.make(job, conversion);
  return file_reply(request, *path, media_type_of(conversion.format),
                    fmt::format("{}.{}", picture_name(job), conversion.format));
}

std::optional<Reply> Api::answer_at_once(const Match& match, const Request& request) {
  return of_picture(match, request, false);
}

// What may have to be made, by a process that looks into a picture.
std::optional<Reply> Api::of_picture(const Match& match, const Request& request, bool may_make) {
  const std::string& id = match.arguments.front();
  switch (match.route->operation) {
    case Operation::get_upload:
      return about_upload(id, request, may_make);
    case Operation::get_upload_picture:
      return upload_picture(id, request, may_make);
    case Operation::get_input:
      return input(find(id), match.arguments.back(), request, may_make);
    default:
      return result(find(id), request, may_make);
  }
}

Reply Api::preview(const Job& job, const Request& request) {
  request.target.query.allow({"version"});
  return file_reply(request, queue_.files().folder_of_job(job.id) + "/" + kPreviewFile,
                    "image/jpeg", fmt::format("limn-{}-preview.jpg", job.id.substr(0, 8)));
}

std::optional<Reply> Api::input(const Job& job, const std::string& number, const Request& request,
                                bool may_make) {
  request.target.query.allow({"width"});
  const bool digits = !number.empty() && number.size() <= 3 &&
                      number.find_first_not_of("0123456789") == std::string::npos;
  const size_t index = digits ? std::stoul(number) : job.request.inputs.size();
  if (index >= job.request.inputs.size() || job.request.inputs[index].file.empty()) {
    throw Problem(404, "the job has no such picture");
  }
  if (request.target.query.find("width") != nullptr) {
    return upload_picture(job.request.inputs[index].file, request, may_make);
  }
  const std::string path = queue_.files().path_of(job.request.inputs[index].file);
  return file_reply(request, path, picture_type(path), job.request.inputs[index].name);
}

Reply Api::events_of(const Job& job, const Request& request) {
  request.target.query.allow({});
  const auto seen = parse_revision(request.field_or_empty("last-event-id"));
  // There is nothing more to come: 204 keeps an EventSource from asking again.
  if (is_over(job) && seen && *seen >= job.revision) return {.status = 204};
  Reply reply = {.type = "text/event-stream"};
  reply.events = std::make_unique<JobEvents>(queue_, job, seen);
  return reply;
}

// -------------------------------------------------------------------------------------- of all --

Reply Api::all_events(const Request& request) {
  request.target.query.allow({"after"});
  const std::int64_t now = queue_.revision();
  const std::int64_t after = request.target.query.number("after", 0, INT64_MAX, now);
  const auto seen = parse_revision(request.field_or_empty("last-event-id"));
  Reply reply = {.type = "text/event-stream"};
  reply.events = std::make_unique<AllEvents>(queue_, *options_.deletions, seen.value_or(after));
  return reply;
}

Reply Api::submit(const Request& request) {
  JobRequest wanted = read_job_request(request, queue_.files());
  const JobRequest asked = wanted;
  Job job;
  try {
    job = queue_.submit(std::move(wanted), options_.quotas);
  } catch (const QuotaUsed& error) {
    throw Problem(429, error.what());
  } catch (const Error& error) {  // a picture was removed in the meantime
    if (error.kind() == ErrorKind::usage) throw Problem(422, error.what());
    throw;
  }
  if (!asked.key.empty() && !is_same(job.request, asked)) {
    throw Problem(422, "the Idempotency-Key was used for another request", "Idempotency-Key");
  }
  Reply reply = json_reply(summary_json(job), 201);
  reply.fields.emplace_back("Location", "/api/v1/jobs/" + job.id);
  return reply;
}

Reply Api::upload(const Request& request) {
  request.target.query.allow({});
  if (request.files.empty()) throw Problem(400, "the upload is empty");
  return json_reply({{"id", request.files.front().id}}, 201);
}

Reply Api::live(const Request& request) {
  request.target.query.allow({});
  LiveRequest wanted = read_live_request(request, queue_.files());
  if (options_.live == nullptr) throw Problem(503, "this server shows no previews");
  Reply reply = {.type = fmt::format("multipart/mixed; boundary={}", PartStream::kBoundary)};
  reply.parts = options_.live->paint(std::move(wanted.job), wanted.seat);
  return reply;
}

Reply Api::list(const Request& request) {
  const Query& query = request.target.query;
  query.allow({"state", "client", "after", "order", "limit", "offset"});
  const auto limit = static_cast<size_t>(query.number("limit", 1, kMostListed, 100));
  const auto offset = static_cast<size_t>(query.number("offset", 0, kFurthestListed, 0));
  JobQuery wanted;
  if (const std::string* states = query.find("state")) wanted.states = states_in(*states);
  if (const std::string* client = query.find("client")) wanted.client = *client;
  wanted.changed_after = query.number("after", 0, INT64_MAX, -1);
  const std::string* order = query.find("order");
  if (order != nullptr && *order != "newest" && *order != "queue") {
    throw Problem(400, "order: should be newest or queue");
  }
  wanted.newest_first = order == nullptr || *order == "newest";
  wanted.skip = offset;
  wanted.most = limit + 1;
  const std::int64_t revision = queue_.revision();
  const std::vector<Job> jobs = queue_.list(wanted);
  Json listed = Json::array();
  for (size_t i = 0; i < std::min(jobs.size(), limit); ++i) {
    listed.push_back(summary_json(jobs[i]));
  }
  const bool more = jobs.size() > limit;
  return json_reply({{"jobs", listed},
                     {"revision", revision},
                     {"next", more ? Json(offset + limit) : Json(nullptr)}});
}

Reply Api::metrics_text() {
  std::string text = metrics_.text();
  text += metric_head("limn_jobs", "gauge", "Jobs, by state.");
  const std::map<JobState, std::size_t> counts = queue_.store().counts();
  for (const JobState state : {JobState::waiting, JobState::running, JobState::done,
                               JobState::failed, JobState::cancelled}) {
    const auto count = counts.find(state);
    text += fmt::format("limn_jobs{{state=\"{}\"}} {}\n", name_of(state),
                        count == counts.end() ? 0 : count->second);
  }
  text += fmt::format("{}limn_store_revision {}\n",
                      metric_head("limn_store_revision", "counter", "Changes of jobs so far."),
                      queue_.revision());
  text += fmt::format("{}limn_disk_free_bytes {}\n",
                      metric_head("limn_disk_free_bytes", "gauge", "Free space for pictures."),
                      queue_.files().free_bytes());
  if (options_.metrics) text += options_.metrics();
  return {.type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

Reply Api::page(const Request& request) const {
  if (request.target.query.find("token") != nullptr) {  // admitted, so it is right
    return {.status = 303, .fields = {{"Location", "/"}, {"Set-Cookie", access_.cookie()}}};
  }
  return page_reply(request, "index.html");
}

}  // namespace limn
