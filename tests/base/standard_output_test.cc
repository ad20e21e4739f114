// Standard output as a place for a file: all of it arrives, or an error says why not, without a
// signal.
#include "base/standard_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <span>
#include <string>
#include <thread>

#include "base/error.h"
#include "base/temporary_file.h"

namespace limn {
namespace {

// Standard output is `file` while this lives; below 0: closed.
class StandardOutput {
 public:
  explicit StandardOutput(int file) : old_(dup(STDOUT_FILENO)) {
    if (file < 0) {
      close(STDOUT_FILENO);
    } else {
      dup2(file, STDOUT_FILENO);
    }
  }
  ~StandardOutput() {
    dup2(old_, STDOUT_FILENO);
    close(old_);
  }

 private:
  int old_;
};

std::string error_text(int output, int file) {
  const StandardOutput redirected(output);
  try {
    copy_to_standard_output(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    return error.what();
  }
  return "no error";
}

class StandardOutputTest : public ::testing::Test {
 protected:
  StandardOutputTest() { write_all(file_.number(), std::as_bytes(std::span(text_))); }
  const std::string text_ = std::string(3'000'000, 'x') + "end";
  Descriptor file_ = Descriptor(open_temporary_file("cannot test"));
};

TEST_F(StandardOutputTest, GetsAllBytesThroughAPipeThatDoesNotWait) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  fcntl(ends[0], F_SETFL, 0);
  std::string arrived;
  std::thread reader([&] {
    char piece[100'000];
    for (ssize_t count; (count = read(ends[0], piece, sizeof(piece))) > 0;)
      arrived.append(piece, static_cast<size_t>(count));
  });
  EXPECT_EQ(error_text(ends[1], file_.number()), "no error");
  close(ends[1]);
  reader.join();
  EXPECT_EQ(arrived, text_);
  close(ends[0]);
}

TEST_F(StandardOutputTest, SaysSoWhenNobodyReads) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(error_text(ends[1], file_.number()), "cannot write '-': Broken pipe");
  close(ends[1]);
}

TEST_F(StandardOutputTest, SaysSoWhenTheDiskIsFull) {
  const int full = open("/dev/full", O_WRONLY);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  EXPECT_EQ(error_text(full, file_.number()), "cannot write '-': No space left on device");
  close(full);
}

TEST_F(StandardOutputTest, IsRefusedWhenClosed) {
  std::string message;
  {
    const StandardOutput closed(-1);
    try {
      check_standard_output();
    } catch (const Error& error) {
      message = error.what();
    }
  }
  EXPECT_EQ(message, "cannot write '-': standard output is closed");
}

TEST_F(StandardOutputTest, IsRefusedWhenATerminal) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
    GTEST_SKIP() << "no terminals here";
  const int other_end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  ErrorKind kind = ErrorKind::file;
  {
    const StandardOutput redirected(other_end);
    try {
      check_standard_output();
    } catch (const Error& error) {
      kind = error.kind();
    }
  }
  EXPECT_EQ(kind, ErrorKind::usage);
  close(other_end);
  close(terminal);
}

}  // namespace
}  // namespace limn
