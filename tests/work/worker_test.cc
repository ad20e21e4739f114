// Workers and their painters: with limn itself where a picture matters, and with scripts in its
// place where it is about how painters end.
#include "work/worker.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "base/error.h"
#include "image/read.h"
#include "jobs/store.h"
#include "work/landlock.h"
#include "work/worker_options.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// Another store, which can be out of reach.
class DistantStore : public Store {
 public:
  explicit DistantStore(Store& store) : store_(store) {}
  std::atomic<bool> away = false;
  std::atomic<int> missed = 0;  // calls meanwhile

  std::optional<Job> add(Job job, int most) override { return near().add(std::move(job), most); }
  std::optional<Job> find(const std::string& id) override { return near().find(id); }
  std::vector<Job> list(const JobQuery& query) override { return near().list(query); }
  std::map<JobState, std::size_t> counts() override { return near().counts(); }
  std::optional<Job> update(const std::string& id, const Change& change) override {
    return near().update(id, change);
  }
  std::optional<Job> update_next(const Change& change, const NextQuery& query) override {
    return near().update_next(change, query);
  }
  bool remove(const std::string& id, const std::function<bool(const Job&)>& may_go) override {
    return near().remove(id, may_go);
  }
  std::int64_t revision() override { return near().revision(); }

 private:
  Store& near() {
    if (!away) return store_;
    ++missed;
    fail(ErrorKind::resources, "the store is away");
  }
  Store& store_;
};

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() {
    std::string name = "/tmp/limn-worker-XXXXXX";
    folder_ = mkdtemp(name.data());
    own_store_ = open_store(folder_ + "/jobs.db");
    store_.emplace(*own_store_);
    files_.emplace(folder_);
    queue_.emplace(*store_, *files_);
    options_ = {.name = "tester",
                .memory = 4e9,
                .program = LIMN_COMMAND,
                .grace = 5,
                .silence = 30,
                .beat = 0.1,
                .lease = 0};
  }
  ~WorkerTest() override {
    worker_.reset();
    fs::remove_all(folder_);
  }

  void start() { worker_.emplace(*queue_, options_).start(); }

  // In limn's place: a plan of this many bytes, and then the script.
  void paint_by(const std::string& script, double bytes = 1e6) {
    options_.program = folder_ + "/painter";
    std::ofstream file(options_.program);
    file << "#!/bin/sh\ncase \"$*\" in *--dry-run*)\n"
         << planning_ << "\n  echo '{\"predicted_memory_bytes\": " << static_cast<long long>(bytes)
         << "}'; exit 0;;\nesac\n"
         << script << "\n";
    file.close();
    fs::permissions(options_.program, fs::perms::owner_all);
  }

  std::string upload(const std::string& bytes) {
    Files::Incoming incoming = files_->receive();
    incoming.write(std::as_bytes(std::span(bytes)));
    return incoming.keep();
  }
  std::string picture(int width, int height) {
    Image image{width, height, {}, {}};
    image.rgb.resize(size_t{3} * width * height);
    for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = 0.1f * static_cast<float>(i % 9);
    write_image(image, folder_ + "/upload.png");
    std::ifstream file(folder_ + "/upload.png", std::ios::binary);
    return upload({std::istreambuf_iterator<char>(file), {}});
  }
  JobRequest small_request() {
    Recipe recipe = named_recipe("limn");
    recipe.picture.size = 32;
    recipe.optimiser.iterations = 4;
    JobRequest request;
    request.inputs = {{"photo", "photo.png", picture(40, 30)},
                      {"painting", "oil.png", picture(40, 40)}};
    request.recipe = to_toml(recipe);
    return request;
  }
  std::string submit(bool preview = false) {
    JobRequest request = small_request();
    request.preview = preview;
    return queue_->submit(request).id;
  }

  Job job(const std::string& id) { return own_store_->find(id).value(); }
  // Waits, for at most 40 seconds.
  void until(const std::function<bool()>& done) {
    for (int i = 0; i < 2000 && !done(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(done());
  }
  Job ended(const std::string& id) {
    until([&] {
      const JobState state = job(id).state;
      return state != JobState::waiting && state != JobState::running;
    });
    return job(id);
  }
  void until_there(const std::string& id, const std::string& file) {
    until([&] { return fs::exists(path(id, file)); });
  }
  std::string path(const std::string& id, const std::string& file) const {
    return folder_ + "/jobs/" + id + "/" + file;
  }
  std::string text(const std::string& id, const std::string& name) const {
    std::ifstream file(path(id, name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void expect_in(const std::string& part, const std::string& whole) {
    EXPECT_NE(whole.npos, whole.find(part)) << whole;
  }

  // Whether of the jobs' painters, each of which wrote its times to these files, two ran at once.
  bool were_together(const std::vector<std::string>& ids, const std::string& begun,
                     const std::string& over) const {
    std::vector<std::pair<long long, long long>> times;
    times.reserve(ids.size());
    for (const std::string& id : ids) {
      times.emplace_back(std::stoll(text(id, begun)), std::stoll(text(id, over)));
    }
    std::ranges::sort(times);
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i].first < times[i - 1].second) return true;
    }
    return false;
  }

  std::string folder_;
  std::string planning_;  // what paint_by's program does besides when it plans
  std::unique_ptr<Store> own_store_;
  std::optional<DistantStore> store_;
  std::optional<Files> files_;
  std::optional<Queue> queue_;
  WorkerOptions options_;
  std::optional<Worker> worker_;
};

// Touches `begun`, then paints until it is asked to end: with its best picture.
constexpr const char* kPaintsUntilAsked =
    "trap 'touch result.png; echo "
    "\"{\\\"event\\\":\\\"result\\\",\\\"outcome\\\":\\\"stopped\\\"}\""
    " >&2; exit 130' INT\ntouch begun\nwhile :; do sleep 0.02; done";

TEST_F(WorkerTest, PaintsWhatWaits) {
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::done, ended(id).state) << job(id).reason;
  EXPECT_EQ(1, job(id).attempts);
  EXPECT_GT(job(id).bytes, 1e6);
  EXPECT_EQ(32, read_image(path(id, "result.png")).width);
  EXPECT_EQ(16, read_header(path(id, "result.png")).bits);
  EXPECT_EQ(32, read_image(path(id, "preview.jpg")).width);
  expect_in("\"iteration\":4,\"iterations\":4", text(id, "progress.json"));
  expect_in("\"photo\": \"inputs/photo.png\"", text(id, "report.json"));
  until([&] { return !fs::exists(path(id, "state.limn")); });
  EXPECT_FALSE(fs::exists(path(id, "scratch")));
  EXPECT_EQ(1u, worker_->figures().painted);
  // The picture knows its pictures by the names that the client gave them.
  const Notes notes = read_notes(path(id, "result.png"));
  expect_in("\"photo.png\"", notes.at("Inputs"));
  expect_in("\"oil.png\"", notes.at("Inputs"));
}

TEST_F(WorkerTest, PaintsEveryKind) {
  JobRequest request = small_request();
  const std::string photo = request.inputs[0].file, painting = request.inputs[1].file;
  request.kind = JobKind::season;
  request.inputs[1].role = "example";
  std::vector<std::string> ids = {queue_->submit(request).id};
  request.kind = JobKind::sweep;
  request.inputs[1].role = "painting";
  request.flags = {{"vary", "seed=1,2"}};
  ids.push_back(queue_->submit(request).id);
  Recipe texture = named_recipe("texture");
  texture.optimiser.iterations = 3;
  request.recipe = to_toml(texture);
  request.kind = JobKind::texture;
  request.inputs = {{"exemplar", "bricks.png", painting}};
  request.flags = {{"size", "48x32"}, {"shifts", "none"}};
  ids.push_back(queue_->submit(request).id);
  request.kind = JobKind::inpaint;
  request.inputs = {
      {"picture", "wall.png", photo}, {"hole", "hole.png", photo}, {"from", "oil.png", painting}};
  request.flags = {};
  ids.push_back(queue_->submit(request).id);
  start();
  for (const std::string& id : ids) {
    const Job end = ended(id);
    // The hole is a picture with colours, which is no mask: limn's own answer.
    if (end.request.kind == JobKind::inpaint && end.state == JobState::failed) continue;
    EXPECT_EQ(JobState::done, end.state) << name_of(end.request.kind) << ": " << end.reason;
    EXPECT_TRUE(fs::exists(path(id, "result.png")));
  }
  EXPECT_EQ(48, read_image(path(ids[2], "result.png")).width);
}

TEST_F(WorkerTest, FailsAJobWithItsOwnReason) {
  JobRequest request = small_request();
  request.inputs[0].file = upload("this is no picture");
  const std::string id = queue_->submit(request).id;
  request = small_request();
  request.recipe = "nonsense = true";
  const std::string other = queue_->submit(request).id;
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("'photo.png'", job(id).reason);
  EXPECT_EQ(std::string::npos, job(id).reason.find(folder_)) << job(id).reason;
  EXPECT_EQ(JobState::failed, ended(other).state);
  EXPECT_EQ(0, job(id).kills);
}

// ---- painters that die ----

TEST_F(WorkerTest, FailsAJobThatCrashesItsPainterTwice) {
  paint_by("kill -SEGV $$");
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  EXPECT_EQ(2, job(id).kills);
  EXPECT_EQ(2, job(id).attempts);
  expect_in("signal 11", job(id).reason);
}

TEST_F(WorkerTest, EndsAPainterThatSpinsInADecoder) {
  paint_by("while :; do :; done");
  options_.silence = 0.5;
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("no sign of life", job(id).reason);
}

TEST_F(WorkerTest, EndsAPainterThatTakesTooLong) {
  paint_by("while :; do echo still alive >&2; sleep 0.1; done");
  options_.patience = 0.5;
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("longer than", job(id).reason);
  expect_in("still alive", text(id, "log.txt"));
}

TEST_F(WorkerTest, EndsAPainterThatTakesTooMuchMemory) {
  paint_by("exec /usr/bin/python3 -c 'x = bytearray(700 << 20); import time; time.sleep(60)'");
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("more memory than expected", job(id).reason);
}

TEST_F(WorkerTest, KeepsALogOfAChatterboxSmall) {
  paint_by("yes 'I have a lot to say, and nothing to paint' | head -n 100000 >&2; exit 2");
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  EXPECT_LE(fs::file_size(path(id, "log.txt")), 400u << 10);
}

// Before `room` is there it says that it fails so.
std::string until_there_is_room(const std::string& failure) {
  return "if [ -e ../../room ]; then : > result.png; exit 0; fi\n" + failure;
}

TEST_F(WorkerTest, AFullDiskIsNoFaultOfAJob) {
  paint_by(until_there_is_room(
      "echo '{\"event\":\"error\",\"message\":\"cannot write: No space left on device\"}' >&2\n"
      "exit 3"));
  const std::string id = submit();
  start();
  until([&] { return !job(id).reason.empty(); });
  EXPECT_EQ("the disk is full", job(id).reason);
  EXPECT_EQ(JobState::waiting, job(id).state);
  std::ofstream(folder_ + "/room") << "room";
  EXPECT_EQ(JobState::done, ended(id).state);
}

TEST_F(WorkerTest, AFileMayHaveAFullDisksName) {
  JobRequest request = small_request();
  request.inputs[0] = {"photo", "x: No space left on device", upload("no picture")};
  const std::string id = queue_->submit(request).id;
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("No space left", job(id).reason);
}

TEST_F(WorkerTest, APainterThatCannotBeStartedIsNoFaultOfAJob) {
  paint_by(until_there_is_room("exit 127"));
  const std::string id = submit();
  start();
  until([&] { return !job(id).reason.empty(); });
  EXPECT_EQ("its painter could not be started", job(id).reason);
  std::ofstream(folder_ + "/room") << "room";
  EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_EQ(0, job(id).kills);
}

TEST_F(WorkerTest, AStateThatIsRefusedIsPutAside) {
  paint_by("[ $1 = resume ] && exit 3\n[ -e state.bad ] && [ ! -e state.limn ] && : > result.png");
  const std::string id = submit();
  std::ofstream(files_->folder_of_job(id) + "/state.limn") << "state";
  start();
  EXPECT_EQ(JobState::done, ended(id).state);
  until([&] { return !fs::exists(path(id, "state.bad")); });  // now that there is a picture
}

TEST_F(WorkerTest, AStateThatIsTooLargeNowIsKept) {
  paint_by("exit 4");
  const std::string id = submit();
  std::ofstream(files_->folder_of_job(id) + "/state.limn") << "state";
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  EXPECT_EQ("state", text(id, "state.limn"));
}

// Its picture could have been made to take over its decoder.
TEST_F(WorkerTest, APainterReadsItsOwnJobsPicturesOnly) {
  if (!has_rules_for_files()) GTEST_SKIP() << "this kernel has no Landlock";
  const std::string other = upload("another client's picture");
  paint_by(
      "for name in inputs/* ../../files/*; do\n"
      "  [ -d \"$name\" ] || (cat \"$name\" && echo $name >> read) || echo $name >> refused\n"
      "done >/dev/null 2>&1\nls ../../files > list 2>&1 || echo list >> refused\n"
      "cat ../../files/" +
      other + " > stolen && echo stolen >> read || echo stolen >> refused\n: > result.png");
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_EQ("inputs/oil.png\ninputs/photo.png\n", text(id, "read"));
  expect_in("list\nstolen\n", text(id, "refused"));
  EXPECT_EQ("", text(id, "stolen"));
}

// Where the kernel keeps no files apart a painter may make links.
TEST_F(WorkerTest, FollowsNoLinkOfAPainters) {
  paint_by(": > result.png");
  const std::string id = submit();
  std::ofstream(folder_ + "/outside") << "outside";
  for (const char* name : {"log.txt", ".progress.json", "progress.json", "recipe.toml",
                           ".recipe.toml", "report.json", ".report.json", "preview.jpg"}) {
    fs::create_symlink(folder_ + "/outside", files_->folder_of_job(id) + "/" + name);
  }
  start();
  EXPECT_EQ(JobState::done, ended(id).state);
  std::ifstream file(folder_ + "/outside");
  EXPECT_EQ("outside", std::string(std::istreambuf_iterator<char>(file), {}));
}

// ---- painters that are asked to end ----

TEST_F(WorkerTest, CancellingKeepsTheBestPicture) {
  paint_by(kPaintsUntilAsked);
  const std::string id = submit();
  start();
  until_there(id, "begun");
  ASSERT_TRUE(queue_->cancel(id));
  EXPECT_EQ(JobState::cancelled, ended(id).state);
  EXPECT_TRUE(job(id).interrupted);
}

TEST_F(WorkerTest, KillsAPainterThatDoesNotListen) {
  paint_by("trap '' INT\ntouch begun\nwhile :; do sleep 0.02; done");
  options_.grace = 0.3;
  const std::string id = submit();
  start();
  until_there(id, "begun");
  ASSERT_TRUE(queue_->cancel(id));
  EXPECT_EQ(JobState::cancelled, ended(id).state);
  EXPECT_FALSE(job(id).interrupted);
  EXPECT_EQ(0, job(id).kills);
}

TEST_F(WorkerTest, AFullJobYieldsToAPreview) {
  paint_by(std::string("case \"$*\" in *) ;; esac\n[ -e begun ] && exec sh -c 'touch again; "
                       "touch result.png'\n") +
           kPaintsUntilAsked);
  const std::string full = submit();
  start();
  until_there(full, "begun");
  paint_by("touch result.png");
  const std::string preview = submit(/*preview=*/true);
  EXPECT_EQ(JobState::done, ended(preview).state);
  EXPECT_EQ(1, job(preview).attempts);
  EXPECT_EQ(JobState::done, ended(full).state);  // by the script that paints previews
  EXPECT_EQ(2, job(full).attempts);
  EXPECT_EQ(0, job(full).kills);
}

TEST_F(WorkerTest, DrainingHandsJobsBack) {
  paint_by(kPaintsUntilAsked);
  options_.painters = 2;
  const std::string one = submit(), two = submit(), three = submit();
  start();
  until_there(one, "begun");
  until_there(two, "begun");
  worker_->drain();
  for (const std::string& id : {one, two, three}) {
    EXPECT_EQ(JobState::waiting, job(id).state);
    EXPECT_EQ(0, job(id).kills);
  }
  EXPECT_EQ(0, job(three).attempts);
  EXPECT_EQ(0, worker_->figures().painting);
}

TEST_F(WorkerTest, LeavesFilesAloneWhenItsLeaseIsLost) {
  paint_by(kPaintsUntilAsked);
  const std::string id = submit();
  start();
  until_there(id, "begun");
  // Another worker gets it, which believed this one dead.
  own_store_->update(id, [](Job& taken) {
    taken.worker = "other";
    ++taken.attempts;
    return true;
  });
  until([&] { return worker_->figures().painting == 0; });
  EXPECT_EQ(JobState::running, job(id).state);
  EXPECT_EQ("other", job(id).worker);
  EXPECT_FALSE(fs::exists(path(id, "result.png")));
}

// ---- stores ----

TEST_F(WorkerTest, PaintsOnWhileTheStoreIsAway) {
  paint_by("touch begun\nwhile [ ! -e go ]; do sleep 0.02; done\ntouch result.png");
  const std::string id = submit();
  start();
  until_there(id, "begun");
  store_->away = true;
  until([&] { return store_->missed > 3; });
  std::ofstream(path(id, "go")) << "go";
  until_there(id, "result.png");
  const int before = store_->missed;
  until([&] { return store_->missed > before + 3; });
  EXPECT_EQ(JobState::running, job(id).state);
  store_->away = false;
  EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_EQ(1, job(id).attempts);
}

TEST_F(WorkerTest, DrainsWithoutAStore) {
  paint_by(kPaintsUntilAsked);
  options_.grace = 0.5;
  const std::string id = submit();
  start();
  until_there(id, "begun");
  store_->away = true;
  worker_->drain();  // and does not wait for ever
  EXPECT_EQ(JobState::running, job(id).state);
}

TEST_F(WorkerTest, TakesBackWhatItHeldBeforeItDied) {
  const std::string id = submit();
  ASSERT_TRUE(queue_->claim("tester", 1e12));
  start();
  EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_EQ(2, job(id).attempts);
}

TEST_F(WorkerTest, TakesJobsFromAWorkerThatDoesNotBeat) {
  const std::string id = submit();
  ASSERT_TRUE(queue_->claim("dead", 1e12));
  options_.lease = 1;
  start();
  EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_EQ(2, job(id).attempts);
}

// ---- memory ----

TEST_F(WorkerTest, FailsAJobThatNeverFits) {
  paint_by("touch result.png", 3e9);
  options_.memory = 2e9;
  const std::string id = submit();
  start();
  EXPECT_EQ(JobState::failed, ended(id).state);
  expect_in("needs about 3000 MB of memory", job(id).reason);
}

TEST_F(WorkerTest, StaysWithinItsMemory) {
  paint_by("date +%s%N > begun\nsleep 0.2\ndate +%s%N > over\n: > result.png", 1.5e9);
  options_.memory = 2e9;
  options_.painters = 3;
  const std::vector<std::string> ids = {submit(), submit(), submit(), submit()};
  start();
  for (const std::string& id : ids) EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_FALSE(were_together(ids, "begun", "over"));
}

TEST_F(WorkerTest, PlansOneJobAtATime) {
  planning_ = "date +%s%N > begun\nsleep 0.2\ndate +%s%N > over";
  paint_by("date +%s%N > later\nsleep 0.5\ndate +%s%N > last\n: > result.png", 1e6);
  options_.painters = 3;
  const std::vector<std::string> ids = {submit(), submit(), submit()};
  start();
  for (const std::string& id : ids) EXPECT_EQ(JobState::done, ended(id).state);
  EXPECT_FALSE(were_together(ids, "begun", "over"));
  EXPECT_TRUE(were_together(ids, "later", "last"));  // as painters may
}

TEST_F(WorkerTest, APreviewGetsMemoryFromAFullJob) {
  paint_by(std::string("[ -e begun ] && exec touch result.png\n") + kPaintsUntilAsked, 1.5e9);
  options_.memory = 2e9;
  options_.painters = 2;
  const std::string full = submit();
  start();
  until_there(full, "begun");
  paint_by("touch result.png", 1.5e9);
  const std::string preview = submit(/*preview=*/true);
  EXPECT_EQ(JobState::done, ended(preview).state);
  EXPECT_EQ(JobState::done, ended(full).state);
  EXPECT_GE(job(full).attempts, 2);
}

// ---- options ----

TEST_F(WorkerTest, HasANameOfItsOwn) {
  start();
  try {
    Worker second(*queue_, options_);
    ADD_FAILURE() << "two workers of one name";
  } catch (const Error& error) {
    EXPECT_EQ(ErrorKind::file, error.kind());
    expect_in("a worker called 'tester' is running", error.what());
  }
  worker_.reset();
  start();  // it is free again
}

TEST(WorkerName, IsShortenedWithoutBecomingAnothers) {
  EXPECT_EQ("studio-serve", worker_name("studio", "-serve"));
  const std::string longest(58, 'a');
  EXPECT_EQ(longest + "-serve", worker_name(longest, "-serve"));
  const std::string one = worker_name(std::string(63, 'a') + "1", "-serve");
  const std::string other = worker_name(std::string(63, 'a') + "2", "-serve");
  EXPECT_NE(one, other);
  for (const std::string& name : {one, other, worker_name(std::string(255, 'b'), "")}) {
    EXPECT_EQ(64u, name.size()) << name;
    WorkerOptions options;
    options.name = name;
    EXPECT_EQ(name, completed(options).name);
  }
}

TEST_F(WorkerTest, ChecksItsOptions) {
  const auto refused = [&](WorkerOptions options) {
    try {
      Worker worker(*queue_, options);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::usage;
    }
    return false;
  };
  for (const char* name : {"../x", ".x", "a b", "a/b"}) {
    WorkerOptions options = options_;
    options.name = name;
    EXPECT_TRUE(refused(options)) << name;
  }
  WorkerOptions options = options_;
  options.painters = 0;
  EXPECT_TRUE(refused(options));
  options = options_;
  options.grace = -1;
  EXPECT_TRUE(refused(options));
  options = options_;
  options.lease = 0.2;
  EXPECT_TRUE(refused(options));
}

}  // namespace
}  // namespace limn
