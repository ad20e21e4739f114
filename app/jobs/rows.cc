#include "jobs/rows.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace limn {
namespace {

using nlohmann::json;

struct Column {
  const char* name;
  const char* type;
};

// What is searched or sorted by has columns of its own; the rest of the request, which never
// changes, is one text of JSON.
constexpr std::array<Column, 21> kColumns = {{
    {"id", "TEXT PRIMARY KEY"},
    {"state", "TEXT NOT NULL"},
    {"preview", "BIGINT NOT NULL"},
    {"place", "DOUBLE PRECISION NOT NULL"},  // Job::order, a word of SQL's own
    {"client", "TEXT NOT NULL"},
    {"client_key", "TEXT NOT NULL"},
    {"request", "TEXT NOT NULL"},
    {"worker", "TEXT NOT NULL"},
    {"beat", "BIGINT NOT NULL"},
    {"wish", "TEXT NOT NULL"},
    {"attempts", "BIGINT NOT NULL"},
    {"kills", "BIGINT NOT NULL"},
    {"losses", "BIGINT NOT NULL"},
    {"reason", "TEXT NOT NULL"},
    {"bytes", "DOUBLE PRECISION NOT NULL"},
    {"interrupted", "BIGINT NOT NULL"},
    {"created", "BIGINT NOT NULL"},
    {"started", "BIGINT NOT NULL"},
    {"ended", "BIGINT NOT NULL"},
    {"revision", "BIGINT NOT NULL"},
    {"format", "BIGINT NOT NULL"},  // of `request`
}};
constexpr std::int64_t kRequestFormat = 1;

// The columns, each written by `write(column, number from 1)`, with commas.
template <typename Write>
std::string listed(Write write, size_t first = 0) {
  std::string text;
  for (size_t i = first; i < kColumns.size(); ++i) {
    if (!text.empty()) text += ", ";
    text += write(kColumns[i], i + 1);
  }
  return text;
}

std::string json_of(const JobRequest& request) {
  json inputs = json::array();
  for (const JobInput& input : request.inputs)
    inputs.push_back({{"role", input.role}, {"name", input.name}, {"file", input.file}});
  json flags = json::array();
  for (const auto& [name, value] : request.flags) flags.push_back({name, value});
  const json all = {{"kind", name_of(request.kind)},
                    {"inputs", inputs},
                    {"recipe", request.recipe},
                    {"flags", flags}};
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

// Throws json::exception if the text is none of json_of's.
JobRequest request_of(const std::string& text) {
  const json all = json::parse(text);
  JobRequest request;
  request.kind = parse_job_kind(all.at("kind").get<std::string>());
  for (const json& input : all.at("inputs")) {
    request.inputs.push_back({input.at("role").get<std::string>(),
                              input.at("name").get<std::string>(),
                              input.at("file").get<std::string>()});
  }
  request.recipe = all.at("recipe").get<std::string>();
  for (const json& flag : all.at("flags"))
    request.flags.emplace_back(flag.at(0).get<std::string>(), flag.at(1).get<std::string>());
  return request;
}

// Takes the values of a row one after the other.
class Reading {
 public:
  explicit Reading(const SqlRow& row) : row_(row) {}
  const std::string& text() { return std::get<std::string>(next()); }
  std::int64_t whole() { return std::get<std::int64_t>(next()); }
  int number() { return static_cast<int>(whole()); }
  double real() { return std::get<double>(next()); }

 private:
  const SqlValue& next() { return row_.at(at_++); }

  const SqlRow& row_;
  size_t at_ = 0;
};

Job read_job(const SqlRow& row) {
  Reading reading(row);
  Job job;
  job.id = reading.text();
  job.state = parse_job_state(reading.text());
  const bool preview = reading.whole() != 0;
  job.order = reading.real();
  const std::string client = reading.text();
  const std::string key = reading.text();
  job.request = request_of(reading.text());
  job.request.preview = preview;
  job.request.client = client;
  job.request.key = key;
  job.worker = reading.text();
  job.beat = reading.whole();
  job.wish = parse_wish(reading.text());
  job.attempts = reading.number();
  job.kills = reading.number();
  job.losses = reading.number();
  job.reason = reading.text();
  job.bytes = reading.real();
  job.interrupted = reading.whole() != 0;
  job.created = reading.whole();
  job.started = reading.whole();
  job.ended = reading.whole();
  job.revision = reading.whole();
  return job;
}

}  // namespace

void make_tables(SqlTransaction& transaction) {
  const std::string columns = listed(
      [](const Column& column, size_t) { return fmt::format("{} {}", column.name, column.type); });
  for (const std::string& statement : {
           // The last revision given to a change.
           std::string("CREATE TABLE counter (revision BIGINT NOT NULL)"),
           std::string("INSERT INTO counter VALUES (0)"),
           fmt::format("CREATE TABLE jobs ({})", columns),
           std::string("CREATE INDEX jobs_as_they_run ON jobs (state, preview DESC, place, id)"),
           std::string("CREATE UNIQUE INDEX jobs_by_revision ON jobs (revision)"),
           std::string("CREATE INDEX jobs_of_client ON jobs (client, state)"),
           std::string("CREATE UNIQUE INDEX jobs_by_key ON jobs (client, client_key) "
                       "WHERE client_key <> ''"),
           // Which files a job is painted from: what `request` says, to be searched.
           std::string("CREATE TABLE inputs (file TEXT NOT NULL, job TEXT NOT NULL, "
                       "PRIMARY KEY (file, job))"),
           std::string("CREATE INDEX inputs_of_job ON inputs (job)"),
       }) {
    transaction.execute(statement, {});
  }
}

const std::string& job_columns() {
  static const std::string text =
      listed([](const Column& column, size_t) { return std::string(column.name); });
  return text;
}

const std::string& job_values() {
  static const std::string text =
      listed([](const Column&, size_t number) { return fmt::format("${}", number); });
  return text;
}

const std::string& job_assignments() {
  static const std::string text =
      listed([](const Column& column,
                size_t number) { return fmt::format("{} = ${}", column.name, number); },
             1);
  return text;
}

SqlRow row_of(const Job& job) {
  const auto whole = [](auto number) { return static_cast<std::int64_t>(number); };
  return {job.id,
          name_of(job.state),
          whole(job.request.preview),
          job.order,
          storable(job.request.client),
          storable(job.request.key),
          json_of(job.request),
          storable(job.worker),
          job.beat,
          name_of(job.wish),
          whole(job.attempts),
          whole(job.kills),
          whole(job.losses),
          storable(job.reason),
          job.bytes,
          whole(job.interrupted),
          job.created,
          job.started,
          job.ended,
          job.revision,
          kRequestFormat};
}

Job job_of(const SqlRow& row) {
  try {
    return read_job(row);
  } catch (const std::exception& error) {
    const std::string* id = row.empty() ? nullptr : std::get_if<std::string>(&row.front());
    fail(ErrorKind::file, "the database's row of job '{}' is damaged: {}",
         id ? printable(*id) : "?", printable(error.what()));
  }
}

std::string storable(const std::string& text) {
  const json whole = text;
  std::string valid =
      json::parse(whole.dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  for (char& character : valid) {
    if (character == '\0') character = ' ';
  }
  return valid;
}

}  // namespace limn
