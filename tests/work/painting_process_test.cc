// A process and its sandbox: each limit is seen to bite. The programs are Python's, which does on
// request what a decoder that has been taken over might do.
#include "work/painting_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "work/landlock.h"
#include "work/system_calls.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

constexpr double kMebibyte = 1 << 20;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class Process : public ::testing::Test {
 protected:
  Process() {
    std::string name = "/tmp/limn-process-XXXXXX";
    folder_ = mkdtemp(name.data());
    fs::create_directory(folder_ + "/own");
    request_.folder = request_.temporary = folder_ + "/own";
  }
  ~Process() override { fs::remove_all(folder_); }

  // What Python says and how it ends, within a minute.
  PaintingProcess::End run(const std::string& script) {
    request_.command = {"/usr/bin/python3", "-c", script};
    PaintingProcess process(request_);
    const auto begin = std::chrono::steady_clock::now();
    while (process.wait(0.05, [&](const std::string& line) { said_ += line + "\n"; })) {
      if (std::chrono::steady_clock::now() - begin < std::chrono::seconds(60)) continue;
      ADD_FAILURE() << "it does not end: " << said_;
      break;
    }
    output_ = process.output();
    return process.end();
  }
  void expect_exit(int code, const std::string& script) {
    const PaintingProcess::End end = run(script);
    EXPECT_EQ(code, end.exit_code) << said_;
    EXPECT_EQ(0, end.signal) << said_;
  }
  // It tries something, and fails with PermissionError.
  void expect_refused(const std::string& attempt) {
    expect_exit(7, "import ctypes, os, socket, sys\ntry:\n  " + attempt +
                       "\nexcept PermissionError: sys.exit(7)\n");
  }

  std::string folder_, said_, output_;
  ProcessRequest request_;
};

TEST_F(Process, SaysWhatItSays) {
  expect_exit(3, "import sys; print('out'); print('one\\ntwo', file=sys.stderr); sys.exit(3)");
  EXPECT_EQ("out\n", output_);
  EXPECT_EQ("one\ntwo\n", said_);
}

TEST_F(Process, GivesWay) {
  request_.niceness = 13;
  expect_exit(13, "import os, sys; sys.exit(os.nice(0))");
}

TEST_F(Process, IsSpokenTo) {
  request_.listens = true;
  request_.command = {"/usr/bin/python3", "-c",
                      "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"};
  PaintingProcess process(request_);
  const auto nothing = [](const std::string&) {};
  std::string heard;
  for (const char* word : {"one\n", "two\n"}) {
    EXPECT_TRUE(process.say(word));
    heard.clear();
    for (int i = 0; i < 600 && heard.empty(); ++i) {
      process.wait(0.05, nothing);
      heard += process.take_output();
    }
  }
  EXPECT_EQ(heard, "TWO\n");
  process.kill();
  while (process.wait(0.05, nothing)) {
  }
  EXPECT_FALSE(process.say("three\n"));
}

TEST_F(Process, IsNotWaitedForAtABell) {
  request_.command = {"/usr/bin/python3", "-c", "import time; time.sleep(60)"};
  PaintingProcess process(request_);
  std::array<int, 2> bell = {-1, -1};
  ASSERT_EQ(pipe(bell.data()), 0);
  ASSERT_EQ(write(bell[1], "!", 1), 1);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(process.wait(
      50, [](const std::string&) {}, bell[0]));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(40));
  for (const int end : bell) close(end);
}

TEST_F(Process, EndsItsLastLine) {
  expect_exit(0, "import sys; sys.stderr.write('no newline')");
  EXPECT_EQ("no newline\n", said_);
}

TEST_F(Process, MayTalkALot) {
  expect_exit(0,
              "import sys\nfor i in range(20000): print('x' * 50, file=sys.stderr)\n"
              "sys.stderr.write('y' * 10_000_000)\nsys.stdout.write('z' * 10_000_000)");
  EXPECT_EQ(20000u * 51, said_.find('y'));
  EXPECT_LE(output_.size(), 5u << 20);
}

TEST_F(Process, BeginsWithNothingOfItsParents) {
  setenv("PGPASSWORD", "secret", 1);
  const int leaked = open("/dev/null", O_RDONLY);
  expect_exit(0,
              "import os, sys\n"
              "assert 'PGPASSWORD' not in os.environ\n"
              "assert os.environ['TMPDIR'] == os.getcwd()\n"
              "assert set(os.listdir('/proc/self/fd')) <= {'0', '1', '2', '3'}\n"
              "assert sys.stdin.read() == ''\n"
              "assert os.getpgid(0) == os.getpid()");
  close(leaked);
  unsetenv("PGPASSWORD");
}

TEST_F(Process, ThatCannotStartSaysSo) {
  request_.command = {"/nowhere/limn"};
  PaintingProcess process(request_);
  while (process.wait(0.05, [](const std::string&) {})) {
  }
  EXPECT_EQ(127, process.end().exit_code);
}

TEST_F(Process, IsInterruptedAndKilled) {
  for (const bool kill : {false, true}) {
    request_.command = {"/usr/bin/python3", "-c",
                        "import sys, time\n"
                        "try: print('ready', file=sys.stderr, flush=True); time.sleep(60)\nexcept "
                        "KeyboardInterrupt: sys.exit(130)"};
    PaintingProcess process(request_);
    bool asked = false;
    while (process.wait(0.05, [&](const std::string&) { asked = true; })) {
      if (!asked) continue;
      EXPECT_GT(process.memory(), kMebibyte);
      kill ? process.kill() : process.interrupt();
      asked = false;
    }
    EXPECT_EQ(kill ? SIGKILL : 0, process.end().signal);
    EXPECT_EQ(kill ? 0 : 130, process.end().exit_code);
  }
}

TEST_F(Process, LeavesNothingRunning) {
  expect_exit(0,
              "import os, sys, time\nchild = os.fork()\n"
              "if child: print(child, file=sys.stderr); sys.exit(0)\ntime.sleep(60)");
  const int left = std::stoi(said_);
  for (int i = 0; i < 100 && ::kill(left, 0) == 0; ++i) {
    std::ifstream file("/proc/" + said_.substr(0, said_.find('\n')) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    if (stat.empty() || stat.find(") Z") != stat.npos) return;  // dead, whoever reaps it
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_NE(0, ::kill(left, 0));
}

TEST_F(Process, DiesWithItsThread) {
  int inside = 0;
  std::thread parent([&] {
    request_.command = {"/usr/bin/python3", "-c", "import time; time.sleep(60)"};
    static PaintingProcess* process = nullptr;  // never told to end it, and no leak
    process = new PaintingProcess(request_);
    process->wait(0.05, [](const std::string&) {});
    for (const auto& entry : fs::directory_iterator("/proc/self/task")) {
      std::ifstream children(entry.path() / "children");
      children >> inside;
      if (inside != 0) break;
    }
  });
  parent.join();
  ASSERT_NE(0, inside);
  int status = 0;
  EXPECT_EQ(inside, waitpid(inside, &status, 0));
  EXPECT_TRUE(WIFSIGNALED(status));
}

// ---- limits ----

TEST_F(Process, HasNoMoreMemoryThanItsLimit) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need terabytes of addresses";
  request_.limits.address_space = 300 * kMebibyte;
  expect_exit(7, "import sys\ntry: x = bytearray(400 << 20)\nexcept MemoryError: sys.exit(7)");
  expect_exit(0, "x = bytearray(100 << 20)");
}

TEST_F(Process, HasNoMoreTimeThanItsLimit) {
  request_.limits.core_seconds = 1;
  const PaintingProcess::End end = run("while True: pass");
  EXPECT_EQ(SIGXCPU, end.signal);
}

TEST_F(Process, WritesNoLargerFileThanItsLimit) {
  request_.limits.file_size = kMebibyte;
  expect_exit(7,
              "import errno, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
              "try: open('big', 'wb').write(bytes(2 << 20))\n"
              "except OSError as e: sys.exit(7 if e.errno == errno.EFBIG else 8)");
  EXPECT_LE(fs::file_size(folder_ + "/own/big"), 1u << 20);
}

TEST_F(Process, OpensNoMoreFilesThanItsLimitAndLeavesNoCore) {
  expect_exit(0,
              "import resource as r\nassert r.getrlimit(r.RLIMIT_NOFILE)[1] <= 1024\n"
              "assert r.getrlimit(r.RLIMIT_CORE) == (0, 0)");
}

TEST_F(Process, StaysOnItsCores) {
  cpu_set_t mine;
  ASSERT_EQ(0, sched_getaffinity(0, sizeof mine, &mine));
  int last = 0;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &mine)) last = core;
  }
  request_.limits.cores = {last};
  expect_exit(0, "import os\nassert os.sched_getaffinity(0) == {" + std::to_string(last) + "}");
}

TEST_F(Process, NeverGetsMoreRights) {
  expect_exit(0, "assert 'NoNewPrivs:\\t1' in open('/proc/self/status').read()");
}

// A system call by its number on this machine; PermissionError where it is refused.
constexpr const char* kCall =
    "c = ctypes.CDLL(None, use_errno=True)\n"
    "  def do(*a):\n"
    "    if c.syscall(*a) == -1 and ctypes.get_errno() == 1: raise PermissionError\n"
    "  ";

TEST_F(Process, HasNoSocketsAndTracesNobody) {
  if (filter_of_system_calls().empty()) GTEST_SKIP() << "this build filters no system calls";
  expect_refused("socket.socket()");
  expect_refused("socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)");
  expect_refused("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)");
  expect_refused("socket.socket(socket.AF_UNIX)");
  for (const char* refused :
       {"do(101, 0, 0, 0, 0)", "do(165, b'none', b'/', b'tmpfs', 0, 0)", "do(425, 1, 0)",
        "do(272, 0x10000000)", "do(321, 0, 0, 0)", "do(56, 0x10000000 | 17, 0, 0, 0, 0)"}) {
    expect_refused(kCall +
                   std::string(refused));  // ptrace, mount, io_uring_setup, unshare, bpf, clone
  }
  expect_exit(0,
              "import socket, threading\nsocket.socketpair()\n"
              "t = threading.Thread(target=print); t.start(); t.join()");
}

TEST_F(Process, LeavesOtherProcessesAlone) {
  if (filter_of_system_calls().empty()) GTEST_SKIP() << "this build filters no system calls";
  for (const char* refused :
       {"os.kill(os.getppid(), 0)", "os.kill(0, 0)", "os.kill(-1, 0)", "os.setsid()",
        "os.setpgid(0, 0)", "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
        "import fcntl; fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
        "os.sched_setscheduler(os.getppid(), os.SCHED_IDLE, os.sched_param(0))"}) {
    expect_refused(refused);
  }
  for (const char* refused :
       {"do(234, os.getppid(), os.getppid(), 0)", "do(200, os.getppid(), 0)",
        "do(129, os.getppid(), 0, None)", "do(297, os.getppid(), os.getppid(), 0, None)",
        "do(157, 1, 0)", "do(157, ctypes.c_long(1 << 32 | 1), 0)", "do(29, 0, 1, 0)"}) {
    expect_refused(kCall + std::string(refused));  // tgkill, tkill, ..., prctl, shmget
  }
  // A program may end itself.
  EXPECT_EQ(SIGABRT, run("import os; os.abort()").signal);
  EXPECT_EQ(SIGTERM, run("import os; os.kill(os.getpid(), 15)").signal);
  EXPECT_EQ(SIGSEGV, run("import signal; signal.raise_signal(signal.SIGSEGV)").signal);
}

// Landlock watches none of these, or not on every kernel.
TEST_F(Process, ChangesNoFileThatItMayOnlyRead) {
  if (filter_of_system_calls().empty()) GTEST_SKIP() << "this build filters no system calls";
  std::ofstream(folder_ + "/given") << "given";
  for (const char* refused :
       {"os.truncate('../given', 0)", "os.open('../given', os.O_RDONLY | os.O_TRUNC)",
        "os.open('../given', 3)", "os.open('../given', 3 | os.O_TRUNC)", "os.chmod('../given', 0)",
        "os.fchmod(os.open('../given', 0), 0)", "os.chown('../given', os.getuid(), os.getgid())",
        "os.setxattr('../given', 'user.a', b'b')", "os.removexattr('../given', 'user.a')",
        "os.symlink('../given', 'link')", "os.mkfifo('pipe')"}) {
    expect_refused(refused);
  }
  for (const char* refused : {"do(2, b'../given', 0o1000)", "do(452, -100, b'../given', 0, 0)",
                              "do(90, b'../given', 0)"}) {
    expect_refused(kCall + std::string(refused));  // open, fchmodat2, chmod
  }
  expect_exit(7,
              "import ctypes, sys\nc = ctypes.CDLL(None, use_errno=True)\n"
              "c.syscall(437, -100, b'../given', bytes(24), 24)\n"  // openat2
              "sys.exit(7 if ctypes.get_errno() == 38 else 1)");
  EXPECT_EQ(5u, fs::file_size(folder_ + "/given"));
  expect_exit(0,
              "import os\nopen('a', 'w').write('abc'); open('a', 'w').write('b')\n"
              "f = open('a', 'r+b'); f.truncate(0)");
}

TEST_F(Process, IsNotStartedWithoutItsSandbox) {
  rlimit before = {};
  ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
  int lowest = dup(0);
  close(lowest);
  const rlimit none = {static_cast<rlim_t>(lowest), before.rlim_max};
  ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
  ErrorKind kind = ErrorKind::usage;
  request_.limits.readable = {"/usr"};
  try {
    const Sandbox sandbox(request_.limits);
  } catch (const Error& error) {
    kind = error.kind();
  }
  setrlimit(RLIMIT_NOFILE, &before);
  if (filter_of_system_calls().empty() && !has_rules_for_files()) return;
  EXPECT_EQ(ErrorKind::resources, kind);
}

TEST_F(Process, ReadsAndWritesOnlyWhereItMay) {
  if (!has_rules_for_files()) GTEST_SKIP() << "this kernel has no Landlock";
  fs::create_directory(folder_ + "/given");
  fs::create_directory(folder_ + "/secret");
  std::ofstream(folder_ + "/given/a") << "a";
  std::ofstream(folder_ + "/secret/a") << "a";
  request_.limits.readable = {
      "/usr", "/lib", "/lib64", "/etc/ld.so.cache", folder_ + "/given", folder_ + "/not-there"};
  request_.limits.writable = {folder_ + "/own", "/dev/null"};
  expect_exit(0,
              "open('../given/a').read(); open('b', 'w').write('b'); open('b').read()\n"
              "import os; os.rename('b', 'c'); open('/dev/null', 'w').write('x')");
  expect_refused("open('../secret/a')");
  expect_refused("open('../given/a', 'w')");
  expect_refused("open('../given/b', 'w')");
  expect_refused("os.unlink('../given/a')");
  expect_refused("os.listdir('..')");
  expect_refused("open('/etc/passwd')");
  expect_refused("os.rename('../secret/a', 'a')");
  expect_refused("os.symlink('../secret/a', 'a')");
  expect_refused("open('/proc/%d/cmdline' % os.getppid())");
  expect_refused("os.listdir('/proc')");
  expect_refused("open('/dev/full', 'rb')");
  expect_exit(0,
              "open('/proc/self/status').read(); open('/proc/self/task/%d/stat' % "
              "__import__('os').getpid())");
  EXPECT_TRUE(fs::exists(folder_ + "/given/a"));
}

}  // namespace
}  // namespace limn
