// A PostgreSQL server of the tests' own: in a folder of its own, reached by a socket there, run by
// a user without rights, and gone when the program ends, however it ends.
#pragma once

#include <string>

namespace limn {

class PostgresqlCluster {
 public:
  // Of this program; starts it first. Where that is not possible, where() is "".
  static PostgresqlCluster& one();

  PostgresqlCluster();
  ~PostgresqlCluster();
  PostgresqlCluster(const PostgresqlCluster&) = delete;
  PostgresqlCluster& operator=(const PostgresqlCluster&) = delete;

  // "postgresql://...", or "" and why there is none.
  const std::string& where() const { return where_; }
  const std::string& why_not() const { return why_not_; }
  // The folder of its socket, ".s.PGSQL.5432".
  const std::string& folder() const { return folder_; }

  void start();
  void stop();  // at once, as a power failure would
  // Removes all jobs.
  void clear();

 private:
  std::string as_user(const std::string& command) const;
  bool is_up() const;

  std::string programs_, folder_, where_, why_not_;
  int server_ = -1;  // process
};

}  // namespace limn
