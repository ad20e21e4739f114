// Tests that run over each store: parameter "sqlite" or "postgresql".
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "jobs/jobs_for_tests.h"
#include "jobs/postgresql_cluster.h"
#include "jobs/store.h"
#include "support/temporary_folder.h"

namespace limn {

class EachStore : public InAFolder, public testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    where_ = path("jobs.db");
    if (GetParam() == "postgresql") {
      PostgresqlCluster& cluster = PostgresqlCluster::one();
      if (cluster.where().empty()) GTEST_SKIP() << cluster.why_not();
      cluster.clear();
      where_ = cluster.where();
    }
    store_ = open_store(where_);
  }

  Store& store() { return *store_; }
  const std::string& where() const { return where_; }

  Job added(const std::string& client = "somebody", bool preview = false) {
    return store().add(new_job(request_of(client, "", preview))).value();
  }

  // In so many threads with one store, or processes with one each, at once. `act` gets a number
  // from 0. A process in which it throws, or returns false, fails the test.
  void in_threads(int count, const std::function<void(Store&, int)>& act) {
    std::vector<std::thread> threads;
    threads.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back([&, i] { act(store(), i); });
    for (std::thread& thread : threads) thread.join();
  }
  void in_processes(int count, const std::function<bool(Store&, int)>& act) {
    wait_for(processes(count, act));
  }
  // The two halves of it. Processes are to be made while there is no other thread, whose locks they
  // would take with them.
  std::vector<pid_t> processes(int count, const std::function<bool(Store&, int)>& act) {
    std::vector<pid_t> made;
    made.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) {
      const pid_t process = fork();
      if (process == 0) {
        bool good = false;
        try {
          good = act(*open_store(where_), i);
        } catch (const std::exception& error) {
          fprintf(stderr, "process %d: %s\n", i, error.what());
        }
        _exit(good ? 0 : 1);
      }
      made.push_back(process);
    }
    return made;
  }
  static void wait_for(const std::vector<pid_t>& processes) {
    for (const pid_t process : processes) {
      int status = 0;
      waitpid(process, &status, 0);
      EXPECT_EQ(status, 0);
    }
  }

 private:
  std::string where_;
  std::unique_ptr<Store> store_;
};

inline std::string name_of_store(const testing::TestParamInfo<std::string>& info) {
  return info.param;
}

#define LIMN_WITH_EACH_STORE(suite) \
  INSTANTIATE_TEST_SUITE_P(With, suite, testing::Values("sqlite", "postgresql"), name_of_store)

}  // namespace limn
