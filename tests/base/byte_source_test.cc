// Where bytes come from: files, pipes that somebody or nobody writes to, endless devices, and names
// that lead nowhere.
#include "base/byte_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/error.h"

namespace limn {
namespace {

class ByteSourceTest : public ::testing::Test {
 protected:
  ByteSourceTest() {
    std::string name = (std::filesystem::temp_directory_path() / "limn-source-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for tests");
    folder_ = name;
  }
  ~ByteSourceTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string pipe(const std::string& name) const {
    EXPECT_EQ(mkfifo(path(name).c_str(), 0600), 0);
    return path(name);
  }

  std::string with_text(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  std::filesystem::path folder_;
};

std::string all_of(const ByteSource& source) {
  std::string text(source.bytes() + 1, '\0');
  const ssize_t count = pread(source.descriptor(), text.data(), text.size(), 0);
  text.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

void expect_refusal(const std::string& path, const std::string& cause,
                    ErrorKind kind = ErrorKind::file, const StreamLimits& limits = {},
                    const ByteSource::Look& look = {}) {
  try {
    const ByteSource source(path, "picture", look, limits);
    ADD_FAILURE() << path << " was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(path.c_str()), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(cause), std::string::npos) << error.what();
  }
}

TEST_F(ByteSourceTest, IsAFileAsItLiesThere) {
  const ByteSource source(with_text("a", "abc"), "picture");
  EXPECT_EQ(source.bytes(), 3u);
  EXPECT_EQ(all_of(source), "abc");
  EXPECT_EQ(all_of(source), "abc");
  EXPECT_EQ(source.path(), path("a"));
}

TEST_F(ByteSourceTest, KeepsWhatComesThroughAPipe) {
  const std::string name = pipe("pipe");
  const std::string text(3'000'000, 'x');
  std::thread writer([&] { std::ofstream(name, std::ios::binary) << text << "end"; });
  size_t looked_at = 0;
  const ByteSource source(name, "picture",
                          [&](std::span<const std::byte> bytes) { looked_at = bytes.size(); });
  writer.join();
  EXPECT_EQ(looked_at, 65536u);
  EXPECT_EQ(source.bytes(), text.size() + 3);
  EXPECT_EQ(all_of(source), text + "end");
}

TEST_F(ByteSourceTest, ShowsAllOfAShortStream) {
  const std::string name = pipe("pipe");
  std::thread writer([&] { std::ofstream(name) << "abc"; });
  std::string seen;
  const ByteSource source(name, "picture", [&](std::span<const std::byte> bytes) {
    seen.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  writer.join();
  EXPECT_EQ(seen, "abc");
}

TEST_F(ByteSourceTest, WaitsForAWriterWhoIsSilent) {
  const std::string name = pipe("pipe");
  std::thread writer([&] {
    std::ofstream file(name);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    file << "late";
  });
  const ByteSource source(name, "picture", {}, {.seconds_without_writer = 0.1});
  writer.join();
  EXPECT_EQ(all_of(source), "late");
}

TEST_F(ByteSourceTest, DoesNotWaitForEverForAWriter) {
  expect_refusal(pipe("pipe"), "nothing has opened this pipe for writing", ErrorKind::file,
                 {.seconds_without_writer = 0.05});
}

TEST_F(ByteSourceTest, RefusesAnEmptyFileOrStream) {
  expect_refusal(with_text("empty", ""), "the file is empty");
  expect_refusal("/dev/null", "the file is empty");
  const std::string name = pipe("pipe");
  std::thread writer([&] { std::ofstream file(name); });
  expect_refusal(name, "the file is empty");
  writer.join();
}

TEST_F(ByteSourceTest, RefusesAStreamOverTheLimit) {
  expect_refusal("/dev/zero", "longer than 100000 bytes", ErrorKind::resources,
                 {.most_bytes = 100'000});
}

TEST_F(ByteSourceTest, LetsTheLookRefuseAnEndlessStream) {
  expect_refusal("/dev/zero", "no picture", ErrorKind::file, {}, [](std::span<const std::byte>) {
    throw Error(ErrorKind::file, "/dev/zero is no picture");
  });
}

TEST_F(ByteSourceTest, SaysSoWhenTheDiskIsFull) {
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {1000, old_limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  expect_refusal("/dev/zero", "File too large");
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
}

TEST_F(ByteSourceTest, SaysSoWhereNoTemporaryFileCanBe) {
  const char* const old = std::getenv("TMPDIR");
  const std::string kept = old ? old : "";
  setenv("TMPDIR", "/proc", 1);
  expect_refusal("/dev/zero", "no temporary file can be made in '/proc'");
  old ? setenv("TMPDIR", kept.c_str(), 1) : unsetenv("TMPDIR");
}

TEST_F(ByteSourceTest, LeavesNoFileBehind) {
  setenv("TMPDIR", folder_.c_str(), 1);
  const std::string name = pipe("pipe");
  std::thread writer([&] { std::ofstream(name) << "abc"; });
  const ByteSource source(name, "picture");
  writer.join();
  unsetenv("TMPDIR");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(ByteSourceTest, GivesTheSystemsReasonForNamesThatLeadNowhere) {
  expect_refusal(path("none"), "there is no picture");
  expect_refusal("", "there is no picture ''");
  expect_refusal(with_text("file", "abc") + "/below", "there is no picture");
  expect_refusal(folder_.string(), "is a folder, not a file");
  expect_refusal(path(std::string(300, 'x')), "File name too long");
  std::filesystem::create_symlink(path("b"), path("a"));
  std::filesystem::create_symlink(path("a"), path("b"));
  expect_refusal(path("a"), "symbolic links");
  expect_refusal(std::string("a\0b", 3), "zero byte");
}

TEST_F(ByteSourceTest, RefusesASocket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int server = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  expect_refusal(path("socket"), "not a regular file");
  close(server);
}

// Standard input is `file` while this lives.
class StandardInput {
 public:
  explicit StandardInput(int file) : old_(dup(STDIN_FILENO)) { dup2(file, STDIN_FILENO); }
  ~StandardInput() {
    dup2(old_, STDIN_FILENO);
    close(old_);
  }

 private:
  int old_;
};

TEST_F(ByteSourceTest, ReadsStandardInput) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "abc", 3), 3);
  close(ends[1]);
  for (const char* name : {"-", "/dev/stdin"}) {
    const int file = open(with_text("file", "whole").c_str(), O_RDONLY);
    const StandardInput input(file);
    EXPECT_EQ(all_of(ByteSource(name, "picture")), "whole") << name;
    close(file);
  }
  const StandardInput input(ends[0]);
  EXPECT_EQ(all_of(ByteSource("-", "picture")), "abc");
  expect_refusal("-", "standard input can be read once");
  close(ends[0]);
}

TEST_F(ByteSourceTest, RefusesATerminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
    GTEST_SKIP() << "no terminals here";
  const int other_end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_GE(other_end, 0);
  {
    const StandardInput input(other_end);
    expect_refusal("-", "it is a terminal; redirect a file");
  }
  close(other_end);
  close(terminal);
}

}  // namespace
}  // namespace limn
