#include "jobs/sqlite.h"

#include <sqlite3.h>

#include <filesystem>
#include <mutex>
#include <thread>
#include <type_traits>
#include <unordered_map>

#include "base/error.h"
#include "base/folder.h"
#include "jobs/rows.h"

namespace limn {
namespace {

// In the file's header: "limn", by which a database of another program is told apart.
constexpr std::int64_t kApplicationId = 0x6c696d6e;

[[noreturn]] void fail_for(int code, const std::string& path, const std::string& cause) {
  switch (code & 0xff) {  // the primary code: the rest says more of it
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail(ErrorKind::resources,
           "the job database '{}' was locked by another process for too long; nothing was changed, "
           "and it can be tried again",
           path);
    case SQLITE_FULL:
      fail(ErrorKind::resources,
           "the job database '{}' cannot grow: the disk is full; nothing was changed", path);
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
      fail(ErrorKind::resources,
           "the job database '{}' cannot be read or written ({}, code {}): its disk is full or "
           "failing; nothing was changed",
           path, cause, code);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      fail(ErrorKind::file,
           "the job database '{}' is damaged ({}). Stop limn, keep a copy of it and of its -wal "
           "file, then restore a backup, or save what can be saved with \"sqlite3 '{}' .recover | "
           "sqlite3 recovered.db\"; without the file, limn begins with no jobs",
           path, cause, path);
    default:
      fail(ErrorKind::file, "cannot use the job database '{}': {}", path, cause);
  }
}

// An open database with its prepared statements. One thread at a time.
class Connection : public SqlTransaction {
 public:
  Connection(const std::string& path, std::chrono::milliseconds patience);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::vector<SqlRow> execute(const std::string& statement, const SqlRow& values) override;
  // The one value of a statement's one row.
  SqlValue value_of(const std::string& statement) { return execute(statement, {}).at(0).at(0); }
  // What is in progress, if anything, is undone: for what is on the way to fail already.
  void roll_back() noexcept;

 private:
  [[noreturn]] void fail_now() { fail_for(sqlite3_errcode(database_), path_, message()); }
  std::string message() const { return printable(sqlite3_errmsg(database_)); }
  sqlite3_stmt* prepared(const std::string& statement);
  void bind(sqlite3_stmt* statement, const SqlRow& values);
  SqlRow row_in(sqlite3_stmt* statement);

  std::string path_;
  sqlite3* database_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
};

Connection::Connection(const std::string& path, std::chrono::milliseconds patience) : path_(path) {
  constexpr int kFlags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  // As an absolute path no name means anything special, as ":memory:" would.
  const std::string file = std::filesystem::absolute(path).string();
  const int code = sqlite3_open_v2(file.c_str(), &database_, kFlags, nullptr);
  if (code != SQLITE_OK) {
    const std::string cause = database_ ? message() : sqlite3_errstr(code);
    sqlite3_close(database_);
    fail_for(code, path, cause);
  }
  sqlite3_busy_timeout(database_, static_cast<int>(patience.count()));
}

Connection::~Connection() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(database_);
}

sqlite3_stmt* Connection::prepared(const std::string& statement) {
  sqlite3_stmt*& kept = statements_[statement];
  if (!kept && sqlite3_prepare_v3(database_, statement.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                  &kept, nullptr) != SQLITE_OK) {
    fail_now();
  }
  return kept;
}

void Connection::bind(sqlite3_stmt* statement, const SqlRow& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    const int at = sqlite3_bind_parameter_index(statement, fmt::format("${}", i + 1).c_str());
    const int code = std::visit(
        [&](const auto& value) {
          using Type = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<Type, std::string>) {
            return sqlite3_bind_text64(statement, at, value.data(), value.size(), SQLITE_STATIC,
                                       SQLITE_UTF8);
          } else if constexpr (std::is_same_v<Type, double>) {
            return sqlite3_bind_double(statement, at, value);
          } else {
            return sqlite3_bind_int64(statement, at, value);
          }
        },
        values[i]);
    if (code != SQLITE_OK) fail_now();
  }
}

SqlRow Connection::row_in(sqlite3_stmt* statement) {
  SqlRow row;
  const int columns = sqlite3_column_count(statement);
  row.reserve(static_cast<size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_INTEGER:
        row.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(statement, i)));
        break;
      case SQLITE_FLOAT:
        row.emplace_back(sqlite3_column_double(statement, i));
        break;
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement, i));
        row.emplace_back(text ? std::string(text, bytes) : std::string());
      }
    }
  }
  return row;
}

std::vector<SqlRow> Connection::execute(const std::string& statement, const SqlRow& values) {
  // Reset at the end whatever happens, or it would hold its locks.
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> running(prepared(statement),
                                                                      sqlite3_reset);
  bind(running.get(), values);
  std::vector<SqlRow> rows;
  for (;;) {
    const int code = sqlite3_step(running.get());
    if (code == SQLITE_DONE) return rows;
    if (code != SQLITE_ROW) fail_now();
    rows.push_back(row_in(running.get()));
  }
}

void Connection::roll_back() noexcept {
  // SQLite may have done it by itself, after some errors.
  if (sqlite3_get_autocommit(database_) == 0)
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

// One connection writes, one reads: in WAL mode those who read need not wait for who writes.
class SqliteDatabase : public SqlDatabase {
 public:
  SqliteDatabase(const std::string& path, std::chrono::milliseconds patience)
      : path_(path), writer_(path, patience), reader_(path, patience) {
    keep_log(patience);
    prepare_tables();
    reader_.execute("PRAGMA synchronous = FULL", {});
  }

  void write(const Work& work) override {
    const std::scoped_lock lock(writing_);
    run(writer_, "BEGIN IMMEDIATE", work);
  }
  void read(const std::function<void(SqlTransaction&)>& work) override {
    const std::scoped_lock lock(reading_);
    run(reader_, "BEGIN", [&](SqlTransaction& transaction) {
      work(transaction);
      return true;
    });
  }
  // The one who writes is alone.
  std::string locking() const override { return ""; }
  std::string locking_unlocked() const override { return ""; }

 private:
  static void run(Connection& connection, const char* begin, const Work& work) {
    try {
      connection.execute(begin, {});
      if (work(connection)) {
        connection.execute("COMMIT", {});
      } else {
        connection.roll_back();
      }
    } catch (...) {
      connection.roll_back();
      throw;
    }
  }
  void keep_log(std::chrono::milliseconds patience);
  void prepare_tables();

  std::string path_;
  std::mutex writing_, reading_;
  Connection writer_, reader_;
};

// With a write-ahead log, synced at each commit: FULL, for NORMAL may lose the last of them.
void SqliteDatabase::keep_log(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    try {
      const SqlValue mode = writer_.value_of("PRAGMA journal_mode = WAL");
      if (mode == SqlValue("wal")) break;
      fail(ErrorKind::file,
           "the job database '{}' lies in a folder without shared memory; put it on a disk of this "
           "machine, or use PostgreSQL",
           path_);
    } catch (const Error& error) {
      // Two processes that do this to a new file at once: SQLite does not wait here.
      if (error.kind() != ErrorKind::resources || std::chrono::steady_clock::now() > end) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  writer_.execute("PRAGMA synchronous = FULL", {});
}

void SqliteDatabase::prepare_tables() {
  const SqlValue found = writer_.value_of("PRAGMA quick_check(1)");
  if (found != SqlValue("ok"))
    fail_for(SQLITE_CORRUPT, path_, printable(std::get<std::string>(found)));
  bool made = false;
  write([&](SqlTransaction& transaction) {
    const auto number = [&](const char* statement) {
      return std::get<std::int64_t>(transaction.execute(statement, {}).at(0).at(0));
    };
    const std::int64_t version = number("PRAGMA user_version");
    const std::int64_t application = number("PRAGMA application_id");
    if (version == 0 && application == 0 && number("SELECT count(*) FROM sqlite_schema") == 0) {
      make_tables(transaction);
      transaction.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion), {});
      transaction.execute(fmt::format("PRAGMA application_id = {}", kApplicationId), {});
      made = true;
      return true;
    }
    if (application != kApplicationId)
      fail(ErrorKind::file, "'{}' is a database of another program; name another file", path_);
    if (version > kSchemaVersion) {
      fail(ErrorKind::file,
           "the job database '{}' has version {} and was written by a newer limn; this one knows "
           "versions up to {}. Use the newer limn, or another file",
           path_, version, kSchemaVersion);
    }
    return false;
  });
  if (made) sync_folder(std::filesystem::absolute(path_).parent_path().string());
}

}  // namespace

std::unique_ptr<SqlDatabase> open_sqlite(const std::string& path,
                                         std::chrono::milliseconds patience) {
  if (path.empty()) fail(ErrorKind::usage, "the job database needs a name");
  return std::make_unique<SqliteDatabase>(path, patience);
}

}  // namespace limn
