// What the two databases have in common: statements with values $1, $2, ..., in transactions. The
// store's verbs are written once upon this (sql_store.cc); what differs is in sqlite.cc and
// postgresql.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace limn {

using SqlValue = std::variant<std::int64_t, double, std::string>;
using SqlRow = std::vector<SqlValue>;  // never with a NULL: no column allows it

// A transaction in progress.
class SqlTransaction {
 public:
  virtual ~SqlTransaction() = default;
  // The rows of the result. The text is one of few constants, so it is prepared once; nothing
  // from outside is ever part of it.
  virtual std::vector<SqlRow> execute(const std::string& statement, const SqlRow& values) = 0;
};

// Members may be called from any thread. What cannot be done throws Error: resources (unreachable,
// locked, full) or file (damaged).
class SqlDatabase {
 public:
  virtual ~SqlDatabase() = default;

  using Work = std::function<bool(SqlTransaction&)>;
  // Runs `work` in a transaction that writes, and commits it if it returns true; the commit is on
  // the disk when this returns. Where it returns false or throws, nothing is changed. It may be run
  // several times; all but the last have had no effect.
  virtual void write(const Work& work) = 0;
  // The same for one that only reads, and does not wait for those that write.
  virtual void read(const std::function<void(SqlTransaction&)>& work) = 0;

  // What follows a SELECT that is to lock its rows until the end of the transaction, waiting for
  // others, or leaving out what they have locked.
  virtual std::string locking() const = 0;
  virtual std::string locking_unlocked() const = 0;
};

}  // namespace limn
