// What goes wrong with a file: others lock it, the disk is full, it is damaged, it is not ours.
#include "jobs/sqlite.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "jobs/jobs_for_tests.h"
#include "jobs/sql_store.h"
#include "jobs/states.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

using std::chrono::milliseconds;

class Sqlite : public InAFolder {
 protected:
  std::string file() const { return path("jobs.db"); }
  std::unique_ptr<Store> opened(milliseconds patience = milliseconds(200)) const {
    return store_in(open_sqlite(file(), patience));
  }
};

// Another program's connection, such as a backup's or an administrator's.
class Another {
 public:
  explicit Another(const std::string& file) { sqlite3_open(file.c_str(), &database_); }
  ~Another() { sqlite3_close(database_); }
  Another(const Another&) = delete;
  Another& operator=(const Another&) = delete;
  void run(const char* statement) {
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database_, statement, nullptr, nullptr, &message), SQLITE_OK) << message;
    sqlite3_free(message);
  }
  std::string value_of(const char* statement) {
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v2(database_, statement, -1, &prepared, nullptr);
    std::string value;
    if (sqlite3_step(prepared) == SQLITE_ROW)
      value = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0));
    sqlite3_finalize(prepared);
    return value;
  }

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(Sqlite, AnAcceptedJobIsOnTheDisk) {
  opened();
  Another another(file());
  EXPECT_EQ(another.value_of("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(another.value_of("PRAGMA user_version"), "1");
}

TEST_F(Sqlite, ALockedFileIsWaitedForAndThenRefused) {
  const auto store = opened();
  const Job job = store->add(new_job()).value();
  {
    Another another(file());
    another.run("BEGIN IMMEDIATE");
    for (const auto& act : std::vector<std::function<void()>>{
             [&] { store->add(new_job()); },
             [&] { store->update(job.id, [](Job&) { return true; }); },
             [&] { store->update_next([](Job&) { return true; }); },
             [&] { store->remove(job.id, may_be_erased); }}) {
      const auto before = std::chrono::steady_clock::now();
      EXPECT_TRUE(
          says(error_of(act), ErrorKind::resources, file(), "locked", "nothing was changed"));
      EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(190));
    }
    // Those who read do not wait.
    EXPECT_EQ(store->list({}).size(), 1u);
    EXPECT_EQ(store->find(job.id)->revision, job.revision);
    EXPECT_EQ(store->revision(), job.revision);
    another.run("ROLLBACK");
  }
  EXPECT_TRUE(store->add(new_job()));
  EXPECT_EQ(store->revision(), job.revision + 1);
}

TEST_F(Sqlite, ALockThatEndsInTimeIsNoError) {
  const auto store = opened(milliseconds(10'000));
  const pid_t process = fork();
  if (process == 0) {
    Another another(file());
    another.run("BEGIN EXCLUSIVE");
    usleep(400'000);
    another.run("COMMIT");
    _exit(0);
  }
  usleep(100'000);
  EXPECT_TRUE(store->add(new_job()));
  waitpid(process, nullptr, 0);
}

// In a process of its own, whose files may not grow: to a program that is a full disk.
TEST_F(Sqlite, WhereTheDiskIsFullNothingIsChanged) {
  opened()->add(new_job());
  const pid_t process = fork();
  if (process == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const auto store = opened();
    const rlimit few = {100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &few);
    Job large = new_job();
    large.request.recipe = std::string(300'000, 'r');
    const std::int64_t revision = store->revision();
    const Error error = error_of([&] { store->add(large); });
    const bool good = says(error, ErrorKind::resources, file(), "disk", "nothing was changed") &&
                      store->revision() == revision && store->list({}).size() == 1 &&
                      store->add(new_job()).has_value();  // for which there is room
    if (!good) fprintf(stderr, "%s\n", error.what());
    _exit(good && !testing::Test::HasFailure() ? 0 : 1);
  }
  int status = 0;
  waitpid(process, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(opened()->list({}).size(), 2u);
  EXPECT_EQ(Another(file()).value_of("PRAGMA integrity_check"), "ok");
}

TEST_F(Sqlite, ADamagedFileIsNamedWithWhatToDo) {
  with_text("jobs.db", std::string(20'000, 'x'));
  EXPECT_TRUE(
      says(error_of([&] { opened(); }), ErrorKind::file, file(), "damaged", "backup", ".recover"));
}

TEST_F(Sqlite, SoIsOneThatIsDamagedWithin) {
  {
    const auto store = opened();
    for (int i = 0; i < 200; ++i) store->add(new_job());
  }  // closing writes the log into the file
  std::fstream stream(file(), std::ios::binary | std::ios::in | std::ios::out);
  for (int page = 2; page < 20; ++page) {
    stream.seekp(page * 4096 + 100);
    stream << std::string(2000, '\x7f');
  }
  stream.close();
  EXPECT_TRUE(says(error_of([&] { opened(); }), ErrorKind::file, file(), "damaged"));
}

TEST_F(Sqlite, ARowThatIsDamagedIsNamed) {
  const auto store = opened();
  const Job job = store->add(new_job()).value();
  Another(file()).run("UPDATE jobs SET state = 'dreaming'");
  EXPECT_TRUE(says(error_of([&] { store->find(job.id); }), ErrorKind::file, job.id, "dreaming"));
  Another(file()).run("UPDATE jobs SET state = 'waiting', request = '{\"kind\": 7}'");
  EXPECT_TRUE(says(error_of([&] { store->find(job.id); }), ErrorKind::file, job.id, "damaged"));
}

TEST_F(Sqlite, AFileOfANewerLimnIsLeftAlone) {
  opened();
  Another(file()).run("PRAGMA user_version = 99");
  EXPECT_TRUE(says(error_of([&] { opened(); }), ErrorKind::file, file(), "version 99", "newer"));
}

TEST_F(Sqlite, AFileOfAnotherProgramIsLeftAlone) {
  Another(file()).run("CREATE TABLE songs (name TEXT)");
  EXPECT_TRUE(says(error_of([&] { opened(); }), ErrorKind::file, file(), "another program"));
  EXPECT_EQ(Another(file()).value_of("SELECT count(*) FROM sqlite_schema"), "1");
}

TEST_F(Sqlite, ManyProcessesMayOpenANewFileAtOnce) {
  std::vector<pid_t> processes;
  for (int i = 0; i < 8; ++i) {
    const pid_t process = fork();
    if (process == 0) {
      bool good = false;
      try {
        good = opened(milliseconds(10'000))->add(new_job()).has_value();
      } catch (const Error& error) {
        fprintf(stderr, "%s\n", error.what());
      }
      _exit(good ? 0 : 1);
    }
    processes.push_back(process);
  }
  for (const pid_t process : processes) {
    int status = 0;
    waitpid(process, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(opened()->list({}).size(), 8u);
}

TEST_F(Sqlite, NoNameIsSpecial) {
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(folder());
  store_in(open_sqlite(":memory:"))->add(new_job());
  std::filesystem::current_path(before);
  EXPECT_TRUE(names().contains(":memory:"));
}

}  // namespace
}  // namespace limn
