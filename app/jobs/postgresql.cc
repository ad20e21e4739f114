// A call goes on when the server has been away: a transaction that was broken off is run again. The
// one case in which that is not right by itself is a commit whose answer was lost, for it may have
// been carried out. Then the server is asked what became of the transaction, by its number
// (txid_status); only what was aborted is run again.
#include "jobs/postgresql.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <pqxx/pqxx>
#include <thread>
#include <type_traits>

#include "base/error.h"
#include "jobs/rows.h"

namespace limn {
namespace {

using Clock = std::chrono::steady_clock;

// What a connection sets for itself, besides how long it waits for a lock. A machine that freezes
// in the middle of a transaction must not keep the others waiting for long, so the server ends that
// transaction.
constexpr const char* kSettings =
    "SET client_encoding TO 'UTF8';"
    "SET search_path TO limn;"
    "SET default_transaction_isolation TO 'read committed';"
    "SET statement_timeout TO '10s';"
    "SET idle_in_transaction_session_timeout TO '10s';"
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'";

constexpr std::chrono::milliseconds kMostLockTime{5000};

// "name=value" of libpq, for what the address does not set: a server that does not answer is given
// up after seconds, not hours.
constexpr std::array<const char*, 6> kConnectionSettings = {
    "application_name=limn", "connect_timeout=5",     "tcp_user_timeout=10000",
    "keepalives_idle=5",     "keepalives_interval=2", "keepalives_count=3"};

std::string with_settings(std::string where) {
  for (const std::string_view setting : kConnectionSettings) {
    if (where.find(setting.substr(0, setting.find('=') + 1)) != std::string::npos) continue;
    where += where.find('?') == std::string::npos ? '?' : '&';
    where += setting;
  }
  return where;
}

// The address without what may be secret, for messages.
std::string shown(const std::string& where) {
  const std::string address = where.substr(0, where.find('?'));
  const size_t begin = address.find("://") + 3;
  const size_t end = address.rfind('@');
  if (end == std::string::npos || end < begin) return printable(address);
  return printable(address.substr(0, begin) + address.substr(end + 1));
}

// ------------------------------------------------------------------------------- transactions --

std::string text_of(const SqlValue& value) {
  return std::visit(
      [](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::string>) {
          return held;
        } else {
          return fmt::format("{}", held);  // of a double, as many digits as it takes
        }
      },
      value);
}

SqlValue value_in(const pqxx::field& field) {
  constexpr pqxx::oid kBigint = 20;
  constexpr pqxx::oid kDouble = 701;
  if (field.type() == kBigint) return field.as<std::int64_t>();
  if (field.type() == kDouble) return field.as<double>();
  return std::string(field.c_str(), field.size());
}

class PostgresqlTransaction : public SqlTransaction {
 public:
  explicit PostgresqlTransaction(pqxx::transaction_base& transaction) : transaction_(transaction) {}

  std::vector<SqlRow> execute(const std::string& statement, const SqlRow& values) override {
    std::vector<std::string> texts;
    texts.reserve(values.size());
    for (const SqlValue& value : values) texts.push_back(text_of(value));
    const pqxx::result result =
        transaction_.exec_params(statement, pqxx::prepare::make_dynamic_params(texts));
    std::vector<SqlRow> rows;
    rows.reserve(result.size());
    for (const auto& found : result) {
      SqlRow& row = rows.emplace_back();
      row.reserve(found.size());
      for (const auto& field : found) row.push_back(value_in(field));
    }
    return rows;
  }

 private:
  pqxx::transaction_base& transaction_;
};

// -------------------------------------------------------------------------------------- errors --

enum class Remedy { none, again, reconnect };

// By SQLSTATE.
Remedy remedy_for(const std::string& state) {
  if (state == "40001" || state == "40P01") return Remedy::again;  // serialization, deadlock
  // Shut down, not yet up, no connection left, and what was ended for idling.
  if (state.starts_with("57P") || state == "53300" || state == "25P03" || state.starts_with("08"))
    return Remedy::reconnect;
  return Remedy::none;
}

[[noreturn]] void fail_for(const pqxx::sql_error& error, const std::string& where) {
  const std::string& state = error.sqlstate();
  const std::string cause = printable(error.what());
  if (state == "55P03" || state == "57014") {
    fail(
        ErrorKind::resources,
        "the job database {} was locked by others for too long; nothing was changed, and it can be "
        "tried again",
        where);
  }
  if (state.starts_with("53") || state.starts_with("58") || state == "25006") {
    fail(ErrorKind::resources,
         "the job database {} cannot be written ({}): its disk is full or failing, or it is a "
         "standby; nothing was changed",
         where, cause);
  }
  fail(ErrorKind::file, "the job database {} refuses a statement ({}): {}", where, printable(state),
       cause);
}

// ------------------------------------------------------------------------------------ database --

class PostgresqlDatabase : public SqlDatabase {
 public:
  PostgresqlDatabase(const std::string& where, std::chrono::milliseconds patience)
      : address_(with_settings(where)), where_(shown(where)), patience_(patience) {
    try {
      give_back(connect());
    } catch (const pqxx::broken_connection& error) {
      fail_to_reach(error.what());
    }
    prepare_tables();
  }

  void write(const Work& work) override;
  void read(const std::function<void(SqlTransaction&)>& work) override;
  std::string locking() const override { return " FOR UPDATE"; }
  std::string locking_unlocked() const override { return " FOR UPDATE SKIP LOCKED"; }

 private:
  using Connection = std::unique_ptr<pqxx::connection>;

  [[noreturn]] void fail_to_reach(const std::string& cause) const {
    fail(ErrorKind::resources, "the job database {} cannot be reached: {}", where_,
         printable(cause));
  }
  Connection connect() const;
  Connection borrow();
  void give_back(Connection connection);
  void drop_all();
  void persist(const std::function<void(pqxx::connection&)>& attempt);
  bool was_committed(std::int64_t number, Clock::time_point end);
  void prepare_tables();

  std::string address_, where_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::vector<Connection> idle_;  // each is used by one thread at a time
};

PostgresqlDatabase::Connection PostgresqlDatabase::connect() const {
  auto connection = std::make_unique<pqxx::connection>(address_);
  const auto lock = std::min(patience_, kMostLockTime);
  pqxx::nontransaction(*connection)
      .exec(fmt::format("{};SET lock_timeout TO '{}ms'", kSettings, lock.count()));
  return connection;
}

PostgresqlDatabase::Connection PostgresqlDatabase::borrow() {
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      Connection connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return connect();
}

void PostgresqlDatabase::give_back(Connection connection) {
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(connection));
}

void PostgresqlDatabase::drop_all() {
  const std::scoped_lock lock(mutex_);
  idle_.clear();
}

// Until it succeeds, or patience ends, or it fails for another reason than the connection.
void PostgresqlDatabase::persist(const std::function<void(pqxx::connection&)>& attempt) {
  const auto end = Clock::now() + patience_;
  std::chrono::milliseconds pause(0);
  for (;;) {
    std::string cause;
    Connection connection;
    try {
      connection = borrow();
      attempt(*connection);
      give_back(std::move(connection));
      return;
    } catch (const pqxx::sql_error& error) {
      cause = error.what();
      const Remedy remedy =
          connection && connection->is_open() ? remedy_for(error.sqlstate()) : Remedy::reconnect;
      if (remedy == Remedy::none) fail_for(error, where_);
      if (remedy == Remedy::reconnect) drop_all();
    } catch (const pqxx::failure& error) {  // the connection is broken, or could not be made
      cause = error.what();
      drop_all();  // when the server was restarted all are
    }
    if (Clock::now() + pause > end) fail_to_reach(cause);
    std::this_thread::sleep_for(pause);
    constexpr std::chrono::milliseconds kFirstPause(20);
    constexpr std::chrono::milliseconds kLongestPause(500);
    pause = std::clamp(pause * 2, kFirstPause, kLongestPause);
  }
}

// False if nobody knows whether it was carried out. (Not only pqxx::in_doubt_error says so: a
// server that is shut down may have committed too, and says that it ended the connection.)
bool commit(pqxx::work& transaction) {
  try {
    transaction.commit();
    return true;
  } catch (const pqxx::sql_error& error) {
    if (remedy_for(error.sqlstate()) != Remedy::reconnect) throw;
  } catch (const pqxx::failure&) {
  }
  return false;
}

void PostgresqlDatabase::write(const Work& work) {
  persist([&](pqxx::connection& connection) {
    pqxx::work transaction(connection);
    PostgresqlTransaction statements(transaction);
    if (!work(statements)) return;
    const auto number = transaction.exec1("SELECT txid_current()")[0].as<std::int64_t>();
    if (commit(transaction)) return;
    drop_all();
    if (was_committed(number, Clock::now() + patience_)) return;
    throw pqxx::broken_connection("a commit was lost");  // it is as if it had never begun
  });
}

void PostgresqlDatabase::read(const std::function<void(SqlTransaction&)>& work) {
  persist([&](pqxx::connection& connection) {
    pqxx::nontransaction transaction(connection);
    PostgresqlTransaction statements(transaction);
    work(statements);
  });
}

bool PostgresqlDatabase::was_committed(std::int64_t number, Clock::time_point end) {
  while (Clock::now() < end) {
    try {
      const Connection connection = connect();
      const std::string status = pqxx::nontransaction(*connection)
                                     .exec_params1("SELECT txid_status($1)", number)[0]
                                     .as<std::string>("unknown");
      if (status == "committed") return true;
      if (status == "aborted") return false;
    } catch (const pqxx::failure&) {  // not back yet
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fail(ErrorKind::resources,
       "the job database {} went away while it committed a change; whether it was made is unknown",
       where_);
}

void PostgresqlDatabase::prepare_tables() {
  write([&](SqlTransaction& transaction) {
    // One at a time, however many machines start at once.
    constexpr std::int64_t kLock = 0x6c696d6e;
    transaction.execute(fmt::format("SELECT 1 FROM pg_advisory_xact_lock({})", kLock), {});
    const auto number = [&](const char* statement) {
      return std::get<std::int64_t>(transaction.execute(statement, {}).at(0).at(0));
    };
    if (number("SELECT count(*) FROM pg_tables WHERE schemaname = 'limn' AND "
               "tablename = 'version'") == 0) {
      transaction.execute("CREATE SCHEMA IF NOT EXISTS limn", {});
      transaction.execute("CREATE TABLE version (version BIGINT NOT NULL)", {});
      transaction.execute("INSERT INTO version VALUES ($1)", {std::int64_t{kSchemaVersion}});
      make_tables(transaction);
      return true;
    }
    const std::int64_t version = number("SELECT version FROM version");
    if (version > kSchemaVersion) {
      fail(ErrorKind::file,
           "the job database {} has version {} and was made by a newer limn; this one knows "
           "versions up to {}. Use the newer limn, or another database",
           where_, version, kSchemaVersion);
    }
    return false;
  });
}

}  // namespace

std::unique_ptr<SqlDatabase> open_postgresql(const std::string& where,
                                             std::chrono::milliseconds patience) {
  return std::make_unique<PostgresqlDatabase>(where, patience);
}

}  // namespace limn
