#include "jobs/postgresql_cluster.h"

#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#ifdef LIMN_POSTGRESQL
#include <pqxx/pqxx>
#endif

namespace limn {
namespace {
namespace fs = std::filesystem;

#ifdef LIMN_POSTGRESQL
// Of the newest version, "" if there is none.
std::string folder_of_programs() {
  std::string found;
  std::error_code error;
  for (fs::directory_iterator entry("/usr/lib/postgresql", error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path programs = entry->path() / "bin";
    if (fs::exists(programs / "initdb", error) && programs.string() > found)
      found = programs.string();
  }
  return found;
}
#endif

}  // namespace

PostgresqlCluster& PostgresqlCluster::one() {
  static PostgresqlCluster cluster;
  return cluster;
}

PostgresqlCluster::PostgresqlCluster() {
#ifndef LIMN_POSTGRESQL
  why_not_ = "limn was built without PostgreSQL";
#else
  programs_ = folder_of_programs();
  const passwd* user = getpwnam("postgres");
  if (programs_.empty() || (geteuid() == 0 && !user)) {
    why_not_ = "the PostgreSQL server is not installed";
    return;
  }
  folder_ = "/tmp/limn-postgresql-XXXXXX";
  if (!mkdtemp(folder_.data())) throw std::runtime_error("no folder " + folder_);
  if (geteuid() == 0 && chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("cannot give away " + folder_);
  const std::string make =
      as_user(programs_ + "/initdb -D " + folder_ + "/data -U limn -A trust -E UTF8 --no-sync >" +
              folder_ + "/initdb.log 2>&1");
  if (std::system(make.c_str()) != 0) {
    why_not_ = "initdb failed";
    fs::remove_all(folder_);
    return;
  }
  where_ = "postgresql://limn@/postgres?host=" + folder_;
  start();
#endif
}

PostgresqlCluster::~PostgresqlCluster() {
  if (where_.empty()) return;
  stop();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

// initdb and postgres refuse root.
std::string PostgresqlCluster::as_user(const std::string& command) const {
  const char* user = geteuid() == 0 ? "--reuid=postgres --regid=postgres --clear-groups " : "";
  return std::string("cd / && exec setpriv ") + user + "--pdeathsig QUIT " + command;
}

// Without fsync: servers are killed here, the machine is not.
void PostgresqlCluster::start() {
  const std::string command = as_user(
      programs_ + "/postgres -D " + folder_ + "/data -k " + folder_ +
      " -c listen_addresses= -c shared_buffers=16MB -c fsync=off >>" + folder_ + "/log 2>&1");
  server_ = fork();
  if (server_ == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 1500 && !is_up(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (!is_up()) throw std::runtime_error("the PostgreSQL server does not start: see " + folder_);
}

void PostgresqlCluster::stop() {
  if (server_ < 0) return;
  kill(server_, SIGQUIT);
  waitpid(server_, nullptr, 0);
  server_ = -1;
}

bool PostgresqlCluster::is_up() const {
#ifdef LIMN_POSTGRESQL
  try {
    const pqxx::connection connection(where_);
    return true;
  } catch (const pqxx::failure&) {
    return false;
  }
#else
  return false;
#endif
}

void PostgresqlCluster::clear() {
#ifdef LIMN_POSTGRESQL
  pqxx::connection connection(where_);
  pqxx::nontransaction(connection)
      .exec(
          "SET client_min_messages TO error;"
          "DROP SCHEMA IF EXISTS limn CASCADE");
#endif
}

}  // namespace limn
