// Every writing transaction takes its revision from the one row of `counter`, and so waits for the
// one before it to be committed: revisions become visible in their order. Jobs are locked before
// the counter (add, which locks none, begins with it), so that no two wait for each other.
#include "jobs/sql_store.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "jobs/rows.h"
#include "jobs/sqlite.h"

#ifdef LIMN_POSTGRESQL
#include "jobs/postgresql.h"
#endif

namespace limn {
namespace {

constexpr size_t kCandidates = 32;       // looked at at a time, for one to claim
constexpr size_t kMostJobs = 1'000'000;  // of a list: less than any database's own limit

std::int64_t whole(const std::vector<SqlRow>& rows) {
  if (rows.size() != 1) fail(ErrorKind::file, "the job database's counter is damaged");
  return std::get<std::int64_t>(rows.front().at(0));
}

std::int64_t next_revision(SqlTransaction& transaction) {
  return whole(
      transaction.execute("UPDATE counter SET revision = revision + 1 RETURNING revision", {}));
}

std::optional<Job> one_job(SqlTransaction& transaction, const std::string& condition,
                           const SqlRow& values) {
  const std::vector<SqlRow> rows = transaction.execute(
      fmt::format("SELECT {} FROM jobs WHERE {}", job_columns(), condition), values);
  if (rows.empty()) return {};
  return job_of(rows.front());
}

void write_job(SqlTransaction& transaction, Job& job) {
  job.revision = next_revision(transaction);
  transaction.execute(fmt::format("UPDATE jobs SET {} WHERE id = $1", job_assignments()),
                      row_of(job));
}

void insert_job(SqlTransaction& transaction, const Job& job) {
  transaction.execute(fmt::format("INSERT INTO jobs ({}) VALUES ({})", job_columns(), job_values()),
                      row_of(job));
  for (const JobInput& input : job.request.inputs) {
    if (input.file.empty()) continue;
    transaction.execute("INSERT INTO inputs (file, job) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                        {storable(input.file), job.id});
  }
}

// The statement for a query, and its values.
struct Selection {
  std::string statement;
  SqlRow values;

  void add(const char* before, SqlValue value, const char* after = "") {
    values.push_back(std::move(value));
    statement += fmt::format("{}${}{}", before, values.size(), after);
  }
};

Selection selection_of(const JobQuery& query) {
  Selection selection;
  selection.statement = fmt::format("SELECT {} FROM jobs WHERE TRUE", job_columns());
  if (!query.states.empty()) {
    const char* before = " AND state IN (";
    for (const JobState state : query.states)
      selection.add(std::exchange(before, ", "), name_of(state));
    selection.statement += ")";
  }
  if (query.client) selection.add(" AND client = ", storable(*query.client));
  if (query.changed_after >= 0) selection.add(" AND revision > ", query.changed_after);
  if (!query.file.empty())
    selection.add(" AND id IN (SELECT job FROM inputs WHERE file = ", storable(query.file), ")");
  selection.statement += query.newest_first         ? " ORDER BY revision DESC"
                         : query.changed_after >= 0 ? " ORDER BY revision"
                                                    : " ORDER BY preview DESC, place, id";
  selection.add(" LIMIT ", static_cast<std::int64_t>(std::min(query.most, kMostJobs)));
  if (query.skip > 0) selection.add(" OFFSET ", static_cast<std::int64_t>(query.skip));
  return selection;
}

class SqlStore : public Store {
 public:
  explicit SqlStore(std::unique_ptr<SqlDatabase> database) : database_(std::move(database)) {}

  std::optional<Job> add(Job job, int most_unfinished) override;
  std::optional<Job> find(const std::string& id) override;
  std::vector<Job> list(const JobQuery& query) override;
  std::map<JobState, std::size_t> counts() override;
  std::optional<Job> update(const std::string& id, const Change& change) override;
  std::optional<Job> update_next(const Change& change, const NextQuery& query) override;
  bool remove(const std::string& id, const std::function<bool(const Job&)>& may_go) override;
  std::int64_t revision() override;

 private:
  std::optional<Job> next_of(SqlTransaction& transaction, const Change& change, bool previews,
                             double bytes) const;

  std::unique_ptr<SqlDatabase> database_;
};

std::optional<Job> SqlStore::add(Job job, int most_unfinished) {
  std::optional<Job> kept;
  database_->write([&](SqlTransaction& transaction) {
    kept.reset();
    job.revision = next_revision(transaction);
    const std::string client = storable(job.request.client);
    if (!job.request.key.empty()) {
      kept = one_job(transaction, "client = $1 AND client_key = $2",
                     {client, storable(job.request.key)});
      if (kept) return false;
    }
    if (most_unfinished > 0) {
      const std::int64_t unfinished = whole(transaction.execute(
          "SELECT count(*) FROM jobs WHERE client = $1 AND state IN ('waiting', 'running')",
          {client}));
      if (unfinished >= most_unfinished) return false;
    }
    job.order = static_cast<double>(job.revision);
    insert_job(transaction, job);
    kept = job;
    return true;
  });
  return kept;
}

std::optional<Job> SqlStore::find(const std::string& id) {
  std::optional<Job> job;
  database_->read(
      [&](SqlTransaction& transaction) { job = one_job(transaction, "id = $1", {storable(id)}); });
  return job;
}

std::vector<Job> SqlStore::list(const JobQuery& query) {
  const Selection selection = selection_of(query);
  std::vector<Job> jobs;
  database_->read([&](SqlTransaction& transaction) {
    jobs.clear();
    const auto rows = transaction.execute(selection.statement, selection.values);
    jobs.reserve(rows.size());
    for (const SqlRow& row : rows) jobs.push_back(job_of(row));
  });
  return jobs;
}

std::map<JobState, std::size_t> SqlStore::counts() {
  std::map<JobState, std::size_t> counts;
  database_->read([&](SqlTransaction& transaction) {
    counts.clear();
    const auto rows = transaction.execute("SELECT state, count(*) FROM jobs GROUP BY state", {});
    for (const SqlRow& row : rows) {
      counts[parse_job_state(std::get<std::string>(row.at(0)))] =
          static_cast<std::size_t>(std::get<std::int64_t>(row.at(1)));
    }
  });
  return counts;
}

std::optional<Job> SqlStore::update(const std::string& id, const Change& change) {
  std::optional<Job> job;
  database_->write([&](SqlTransaction& transaction) {
    job = one_job(transaction, "id = $1" + database_->locking(), {storable(id)});
    if (!job || !change(*job)) {
      job.reset();
      return false;
    }
    write_job(transaction, *job);
    return true;
  });
  return job;
}

// Candidates are read without locking them, so that those which `change` does not accept are not
// withheld from others. Each look begins behind the last: the index knows that place.
std::optional<Job> SqlStore::next_of(SqlTransaction& transaction, const Change& change,
                                     bool previews, double bytes) const {
  const auto look = [](const char* behind) {
    return fmt::format(
        "SELECT {} FROM jobs WHERE state = 'waiting' AND preview = $1 AND bytes <= $2{} "
        "ORDER BY place, id LIMIT {}",
        job_columns(), behind, kCandidates);
  };
  static const std::string first_look = look(""),
                           further_look = look(" AND (place, id) > ($3, $4)");
  SqlRow values = {static_cast<std::int64_t>(previews), bytes};
  for (const std::string* statement = &first_look;; statement = &further_look) {
    const auto rows = transaction.execute(*statement, values);
    for (const SqlRow& row : rows) {
      Job candidate = job_of(row);
      values = {values[0], values[1], candidate.order, candidate.id};
      if (!change(candidate)) continue;
      std::optional<Job> job =
          one_job(transaction, "id = $1 AND state = 'waiting'" + database_->locking_unlocked(),
                  {candidate.id});
      if (!job || !change(*job)) continue;
      write_job(transaction, *job);
      return job;
    }
    if (rows.size() < kCandidates) return {};
  }
}

std::optional<Job> SqlStore::update_next(const Change& change, const NextQuery& query) {
  std::optional<Job> job;
  database_->write([&](SqlTransaction& transaction) {
    job = next_of(transaction, change, true, query.bytes);
    if (!job && !query.previews_only) job = next_of(transaction, change, false, query.bytes);
    return job.has_value();
  });
  return job;
}

bool SqlStore::remove(const std::string& id, const std::function<bool(const Job&)>& may_go) {
  bool gone = false;
  database_->write([&](SqlTransaction& transaction) {
    gone = false;
    const std::optional<Job> job =
        one_job(transaction, "id = $1" + database_->locking(), {storable(id)});
    if (!job || !may_go(*job)) return false;
    transaction.execute("DELETE FROM inputs WHERE job = $1", {id});
    transaction.execute("DELETE FROM jobs WHERE id = $1", {id});
    next_revision(transaction);
    gone = true;
    return true;
  });
  return gone;
}

std::int64_t SqlStore::revision() {
  std::int64_t last = 0;
  database_->read([&](SqlTransaction& transaction) {
    last = whole(transaction.execute("SELECT revision FROM counter", {}));
  });
  return last;
}

}  // namespace

std::unique_ptr<Store> store_in(std::unique_ptr<SqlDatabase> database) {
  return std::make_unique<SqlStore>(std::move(database));
}

std::unique_ptr<Store> open_store(const std::string& where) {
  if (!where.starts_with("postgresql://") && !where.starts_with("postgres://"))
    return store_in(open_sqlite(where));
#ifdef LIMN_POSTGRESQL
  return store_in(open_postgresql(where));
#else
  fail(ErrorKind::usage,
       "this limn was built without PostgreSQL; build it where libpqxx is installed (Debian's "
       "libpqxx-dev), or give the name of a file");
#endif
}

}  // namespace limn
