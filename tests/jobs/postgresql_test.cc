// PostgreSQL that goes away: for a moment, for long, and while it commits.
#ifdef LIMN_POSTGRESQL
#include "jobs/postgresql.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <pqxx/pqxx>
#include <thread>

#include "jobs/cutting_proxy.h"
#include "jobs/jobs_for_tests.h"
#include "jobs/postgresql_cluster.h"
#include "jobs/sql_store.h"
#include "jobs/states.h"
#include "support/errors.h"

namespace limn {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class Postgresql : public testing::Test {
 protected:
  void SetUp() override {
    if (cluster().where().empty()) GTEST_SKIP() << cluster().why_not();
    cluster().clear();
  }
  static PostgresqlCluster& cluster() { return PostgresqlCluster::one(); }
  static std::unique_ptr<Store> opened(milliseconds patience = milliseconds(20'000)) {
    return store_in(open_postgresql(cluster().where(), patience));
  }
  static void run(const std::string& statement) {
    pqxx::connection connection(cluster().where());
    pqxx::nontransaction(connection).exec(statement);
  }
};

TEST_F(Postgresql, ConnectionsThatWereCutAreMadeAgain) {
  const auto store = opened();
  const Job job = store->add(new_job()).value();
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'limn'");
  EXPECT_TRUE(store->find(job.id));
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'limn'");
  EXPECT_TRUE(store->update(job.id, [](Job& it) { return move_to(it, 5); }));
  EXPECT_EQ(store->find(job.id)->order, 5);
}

// It stops as in a power failure, and is away for a second: nothing is lost, nobody notices.
TEST_F(Postgresql, AServerThatIsAwayIsWaitedFor) {
  const auto store = opened();
  const Job first = store->add(new_job()).value();
  cluster().stop();
  auto adding = std::async(std::launch::async, [&] { return store->add(new_job()); });
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_NE(adding.wait_for(milliseconds(0)), std::future_status::ready);
  cluster().start();
  const std::optional<Job> second = adding.get();
  EXPECT_TRUE(second);
  EXPECT_TRUE(store->find(first.id));
  EXPECT_EQ(store->list({}).size(), 2u);
}

TEST_F(Postgresql, AServerThatStaysAwayIsAnError) {
  const auto store = opened(milliseconds(300));
  const Job job = store->add(new_job()).value();
  cluster().stop();
  for (const auto& act :
       std::vector<std::function<void()>>{[&] { store->add(new_job()); }, [&] { store->list({}); },
                                          [&] { store->update_next([](Job&) { return true; }); }}) {
    const auto before = steady_clock::now();
    EXPECT_TRUE(says(error_of(act), ErrorKind::resources, "cannot be reached"));
    EXPECT_LT(steady_clock::now() - before, milliseconds(10'000));
  }
  cluster().start();
  EXPECT_EQ(store->list({}).size(), 1u);
  EXPECT_EQ(store->revision(), job.revision);
}

// The answer to a commit is lost: what was carried out is not done again.
TEST_F(Postgresql, ACommitWhoseAnswerIsLostIsNotRepeated) {
  CuttingProxy proxy(cluster().folder());
  const auto store = store_in(
      open_postgresql("postgresql://limn@/postgres?host=" + proxy.folder(), milliseconds(10'000)));
  const Job job = store->add(new_job()).value();
  proxy.cut_after_commit();
  const std::optional<Job> second = store->add(new_job());
  EXPECT_EQ(proxy.cuts(), 1);
  ASSERT_TRUE(second);
  EXPECT_EQ(store->list({}).size(), 2u);

  proxy.cut_after_commit();
  const std::optional<Job> beaten = store->update(job.id, [](Job& it) {
    ++it.attempts;
    return true;
  });
  EXPECT_EQ(proxy.cuts(), 2);
  ASSERT_TRUE(beaten);
  EXPECT_EQ(store->find(job.id)->attempts, 1);
  EXPECT_EQ(store->find(job.id)->revision, beaten->revision);
}

// The commit itself is lost: then it is done again.
TEST_F(Postgresql, ACommitThatNeverArrivedIs) {
  CuttingProxy proxy(cluster().folder());
  const auto store = store_in(
      open_postgresql("postgresql://limn@/postgres?host=" + proxy.folder(), milliseconds(10'000)));
  const Job job = store->add(new_job()).value();
  proxy.cut_before_commit();
  const std::optional<Job> beaten = store->update(job.id, [](Job& it) {
    ++it.attempts;
    return true;
  });
  EXPECT_EQ(proxy.cuts(), 1);
  ASSERT_TRUE(beaten);
  EXPECT_EQ(store->find(job.id)->attempts, 1);
  EXPECT_EQ(store->find(job.id)->revision, beaten->revision);
}

TEST_F(Postgresql, AJobThatAnotherHasLockedIsPassedOver) {
  const auto store = opened();
  const Job first = store->add(new_job()).value();
  const Job second = store->add(new_job()).value();
  pqxx::connection connection(cluster().where());
  pqxx::work other(connection);
  other.exec("SELECT 1 FROM limn.jobs WHERE id = " + other.quote(first.id) + " FOR UPDATE");
  EXPECT_EQ(store->update_next([](Job& job) { return claim(job, "w", 1); })->id, second.id);
  EXPECT_FALSE(store->update_next([](Job& job) { return claim(job, "w", 1); }));
  other.abort();
  EXPECT_EQ(store->update_next([](Job& job) { return claim(job, "w", 1); })->id, first.id);
}

TEST_F(Postgresql, ALockThatIsHeldTooLongIsAnError) {
  const auto store = opened(milliseconds(1000));
  const Job job = store->add(new_job()).value();
  pqxx::connection connection(cluster().where());
  pqxx::work other(connection);
  other.exec("UPDATE limn.counter SET revision = revision");
  EXPECT_TRUE(says(error_of([&] { store->add(new_job()); }), ErrorKind::resources, "locked"));
  other.abort();
  EXPECT_TRUE(store->add(new_job()));
  EXPECT_EQ(store->list({}).size(), 2u);
}

TEST_F(Postgresql, ADatabaseOfANewerLimnIsLeftAlone) {
  opened();
  run("UPDATE limn.version SET version = 99");
  EXPECT_TRUE(says(error_of([] { opened(); }), ErrorKind::file, "version 99", "newer"));
}

TEST_F(Postgresql, ManyMayMakeTheTablesAtOnce) {
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] { made += opened()->add(new_job()) ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 6);
  EXPECT_EQ(opened()->list({}).size(), 6u);
}

TEST_F(Postgresql, NoMessageHoldsThePassword) {
  const Error error =
      error_of([] { open_store("postgresql://me:secret@/nothing?host=/nowhere&password=secret"); });
  EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
}

}  // namespace
}  // namespace limn
#endif
