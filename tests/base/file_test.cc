#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

using Names = std::set<std::string>;
using ReplaceFile = InAFolder;
using ReadText = InAFolder;
using FileSize = InAFolder;
using Identity = InAFolder;

TEST_F(ReplaceFile, WritesANewFile) {
  replace_file(path("new.txt"), std::string("painted"));
  EXPECT_EQ(contents(path("new.txt")), "painted");
  EXPECT_EQ(names(), Names{"new.txt"});
}

TEST_F(ReplaceFile, ReplacesAnOldFileWhole) {
  with_text("old.txt", "a long text that was there before");
  replace_file(path("old.txt"), std::string("new"));
  EXPECT_EQ(contents(path("old.txt")), "new");
  EXPECT_EQ(names(), Names{"old.txt"});
}

TEST_F(ReplaceFile, KeepsEveryByte) {
  const std::string text("a\0b\r\n\xff", 6);
  replace_file(path("bytes"), std::as_bytes(std::span(text)));
  EXPECT_EQ(contents(path("bytes")), text);
  replace_file(path("none"), std::string());
  EXPECT_EQ(contents(path("none")), "");
}

TEST_F(ReplaceFile, GivesTheWriterAPathInTheSameFolderWithTheSameEnding) {
  with_text("out.png", "old");
  replace_file(path("out.png"), [&](const std::string& temporary) {
    const std::filesystem::path there(temporary);
    EXPECT_EQ(there.parent_path(), folder());
    EXPECT_EQ(there.extension(), ".png");
    EXPECT_NE(there.filename(), "out.png");
    EXPECT_EQ(contents(path("out.png")), "old") << "the old file is kept until the end";
    std::ofstream(temporary) << "new";
  });
  EXPECT_EQ(contents(path("out.png")), "new");
}

TEST_F(ReplaceFile, KeepsTheOldFileWhenTheWriterThrows) {
  with_text("out.png", "old");
  EXPECT_THROW(replace_file(path("out.png"),
                            [](const std::string& temporary) {
                              std::ofstream(temporary) << "half of a pic";
                              throw std::runtime_error("disk full");
                            }),
               std::runtime_error);
  EXPECT_EQ(contents(path("out.png")), "old");
  EXPECT_EQ(names(), Names{"out.png"}) << "the temporary file is removed";
}

TEST_F(ReplaceFile, LeavesNothingWhenTheWriterThrowsBeforeWriting) {
  EXPECT_THROW(replace_file(path("out.png"),
                            [](const std::string&) { throw Error(ErrorKind::usage, "no"); }),
               Error);
  EXPECT_EQ(names(), Names{});
}

TEST_F(ReplaceFile, FailsWhenTheWriterWroteNothing) {
  with_text("out.png", "old");
  EXPECT_TRUE(says(error_of([&] { replace_file(path("out.png"), [](const std::string&) {}); }),
                   ErrorKind::file, path("out.png")));
  EXPECT_EQ(contents(path("out.png")), "old");
}

TEST_F(ReplaceFile, NamesAFolderThatIsNotThere) {
  const std::string target = path("missing/out.png");
  bool wrote = false;
  const Error error = error_of([&] { replace_file(target, [&](const auto&) { wrote = true; }); });
  EXPECT_TRUE(says(error, ErrorKind::file, target, path("missing"), "create it"));
  EXPECT_FALSE(wrote);
  EXPECT_TRUE(says(error_of([&] { check_replaceable(target); }), ErrorKind::file, target));
}

TEST_F(ReplaceFile, RefusesATargetThatIsAFolder) {
  std::filesystem::create_directory(path("out"));
  for (const std::string& target : {path("out"), path("out/"), folder(), std::string("/")}) {
    EXPECT_TRUE(says(error_of([&] { replace_file(target, std::string("x")); }), ErrorKind::file,
                     target, "folder"));
    EXPECT_TRUE(says(error_of([&] { check_replaceable(target); }), ErrorKind::file, "folder"));
  }
  EXPECT_EQ(names(), Names{"out"});
}

TEST_F(ReplaceFile, RefusesAPathThroughAFile) {
  with_text("file", "x");
  EXPECT_TRUE(says(error_of([&] { replace_file(path("file/out.png"), std::string("x")); }),
                   ErrorKind::file, path("file/out.png")));
}

TEST_F(ReplaceFile, RefusesWhatIsNoRegularFile) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  for (const std::string& target : {path("pipe"), std::string("/dev/null")}) {
    EXPECT_TRUE(says(error_of([&] { replace_file(target, std::string("x")); }), ErrorKind::file,
                     target, "not a regular file"));
  }
  EXPECT_EQ(names(), Names{"pipe"});
}

TEST_F(ReplaceFile, WritesThroughASymbolicLink) {
  std::filesystem::create_directory(path("there"));
  with_text("there/real.txt", "old");
  std::filesystem::create_symlink("there/real.txt", path("link.txt"));
  replace_file(path("link.txt"), std::string("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link.txt")));
  EXPECT_EQ(contents(path("there/real.txt")), "new");
  EXPECT_EQ(names(), (Names{"link.txt", "there"}));
}

TEST_F(ReplaceFile, TakesNamesAsLongAsTheFileSystemAllows) {
  const std::string longest = std::string(251, 'n') + ".png";
  replace_file(path(longest), std::string("new"));
  EXPECT_EQ(contents(path(longest)), "new");
  EXPECT_TRUE(says(error_of([&] { replace_file(path("n" + longest), std::string("x")); }),
                   ErrorKind::file, "longer than 255"));
  EXPECT_EQ(names(), Names{longest});
}

// Each has a temporary file of its own.
TEST_F(ReplaceFile, KeepsWritersOfTheSameFileApart) {
  replace_file(path("out.txt"), [&](const std::string& temporary) {
    std::ofstream(temporary) << "outer";
    replace_file(path("out.txt"), std::string("inner"));
    EXPECT_EQ(contents(path("out.txt")), "inner");
  });
  EXPECT_EQ(contents(path("out.txt")), "outer");
  EXPECT_EQ(names(), Names{"out.txt"});
}

TEST_F(ReplaceFile, RefusesAnEmptyPath) {
  EXPECT_TRUE(says(error_of([] { replace_file("", std::string("x")); }), ErrorKind::usage, "name"));
}

TEST_F(ReplaceFile, RefusesAFolderThatCannotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root can write everywhere";
  std::filesystem::create_directory(path("locked"));
  ASSERT_EQ(chmod(path("locked").c_str(), 0500), 0);
  EXPECT_TRUE(says(error_of([&] { replace_file(path("locked/out"), std::string("x")); }),
                   ErrorKind::file, "locked", "Permission denied"));
}

TEST_F(ReplaceFile, WritesInTheCurrentFolderWithoutOneInThePath) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder());
  replace_file("plain.txt", std::string("here"));
  std::filesystem::current_path(before);
  EXPECT_EQ(contents(path("plain.txt")), "here");
}

TEST_F(ReplaceFile, ChecksWithoutTouchingAnything) {
  with_text("old.txt", "old");
  check_replaceable(path("old.txt"));
  check_replaceable(path("new.txt"));
  EXPECT_EQ(names(), Names{"old.txt"});
  EXPECT_EQ(contents(path("old.txt")), "old");
}

TEST_F(ReadText, ReturnsTheWholeFile) {
  const std::string text("line\r\n\0\xfftail", 12);
  EXPECT_EQ(read_text(with_text("a", text), "notes", 1000), text);
  EXPECT_EQ(read_text(with_text("b", ""), "notes", 1000), "");
}

TEST_F(ReadText, TakesAsManyBytesAsAreAllowedAndNoMore) {
  const std::string file = with_text("a", "12345");
  EXPECT_EQ(read_text(file, "notes", 5), "12345");
  EXPECT_TRUE(says(error_of([&] { read_text(file, "notes", 4); }), ErrorKind::file, "notes", file,
                   "5 bytes", "4"));
}

TEST_F(ReadText, RefusesWhatIsNoFile) {
  EXPECT_TRUE(says(error_of([&] { read_text(path("missing"), "notes", 9); }), ErrorKind::file,
                   path("missing"), "there is no notes"));
  EXPECT_TRUE(says(error_of([&] { read_text(folder(), "notes", 9); }), ErrorKind::file, "folder"));
  EXPECT_TRUE(says(error_of([&] { read_text("/dev/zero", "notes", 9); }), ErrorKind::file,
                   "/dev/zero", "not a regular file"));
}

// What a shell makes of <(...).
TEST_F(ReadText, ReadsWhatComesThroughAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string text(10'000, 'x');  // more than is read at a time
  ASSERT_EQ(write(ends[1], text.data(), text.size()), std::ssize(text));
  const std::string name = "/dev/fd/" + std::to_string(ends[0]);
  std::thread slow([&] {
    EXPECT_EQ(write(ends[1], "y", 1), 1);
    close(ends[1]);
  });
  EXPECT_EQ(read_text(name, "notes", 10'001), text + "y");
  slow.join();
  close(ends[0]);
}

TEST_F(ReadText, ReadsNoMoreOfAPipeThanIsAllowed) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "12345", 5), 5);
  const std::string name = "/dev/fd/" + std::to_string(ends[0]);
  EXPECT_TRUE(
      says(error_of([&] { read_text(name, "notes", 4); }), ErrorKind::file, name, "4 bytes"));
  close(ends[1]);
  close(ends[0]);
}

TEST_F(ReadText, DoesNotWaitForEverForAPipeThatNobodyWritesTo) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(says(error_of([&] { read_text(path("pipe"), "notes", 9); }), ErrorKind::file,
                   path("pipe"), "nobody writes"));
}

// Files of /proc are longer than they say.
TEST_F(ReadText, ReadsFilesWhoseSizeIsNotKnown) {
  EXPECT_FALSE(read_text("/proc/self/stat", "notes", 10'000).empty());
  EXPECT_TRUE(says(error_of([&] { read_text("/proc/self/mem", "notes", 9); }), ErrorKind::file,
                   "cannot read the notes '/proc/self/mem'"));
}

TEST_F(FileSize, IsInBytesAndErrorsNameTheRole) {
  EXPECT_EQ(file_size(with_text("a", "12345"), "photo"), 5u);
  EXPECT_EQ(file_size(with_text("b", ""), "photo"), 0u);
  EXPECT_TRUE(says(error_of([&] { file_size(path("missing"), "photo"); }), ErrorKind::file,
                   "there is no photo", path("missing")));
  EXPECT_TRUE(says(error_of([&] { file_size(folder(), "weights file"); }), ErrorKind::file,
                   "weights file", "is a folder"));
}

TEST_F(FileSize, OfAFileThatMayNotBeReadIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root can read everything";
  ASSERT_EQ(chmod(with_text("a", "x").c_str(), 0), 0);
  EXPECT_TRUE(says(error_of([&] { file_size(path("a"), "photo"); }), ErrorKind::file,
                   "cannot read the photo", "Permission denied"));
}

// ------------------------------------------------------------------------- paths of every kind --

// Each with a word of what is said of it.
struct OddPath {
  std::string path;
  const char* reason;
};

std::vector<OddPath> odd_paths(const std::string& folder) {
  std::filesystem::create_symlink(folder + "/loop", folder + "/loop");
  std::ofstream(folder + "/file") << "x";
  return {{"", ""},
          {folder + "/loop", "Too many levels of symbolic links"},
          {folder + "/loop/file", "Too many levels of symbolic links"},
          {folder + "/" + std::string(256, 'n'), "too long"},
          {std::string(5000, 'n'), "too long"},
          {std::string(2500, '/') + std::string(2500, '.'), "too long"},
          {folder + "/file/below", ""}};
}

TEST_F(ReadText, SaysWhatIsWrongWithOddPaths) {
  for (const auto& [odd, reason] : odd_paths(folder())) {
    EXPECT_TRUE(says(error_of([&] { read_text(odd, "notes", 9); }), ErrorKind::file, odd, reason));
  }
}

TEST_F(ReplaceFile, RefusesOddPathsWithAnError) {
  for (const auto& odd : odd_paths(folder())) {
    const Error before = error_of([&] { check_replaceable(odd.path); });
    const Error error = error_of([&] { replace_file(odd.path, std::string("x")); });
    EXPECT_STREQ(before.what(), error.what());
    EXPECT_NE(error.kind(), ErrorKind::resources);
  }
  EXPECT_EQ(names(), (Names{"loop", "file"}));
}

TEST_F(FileSize, DoesNotTakeAFolderThatMayNotBeEnteredForAnEmptyOne) {
  if (geteuid() == 0) GTEST_SKIP() << "root may enter all";
  std::filesystem::create_directory(path("closed"));
  with_text("closed/a", "x");
  ASSERT_EQ(chmod(path("closed").c_str(), 0), 0);
  EXPECT_TRUE(says(error_of([&] { file_size(path("closed/a"), "photo"); }), ErrorKind::file,
                   "cannot read the photo", "Permission denied"));
  EXPECT_TRUE(says(error_of([&] { check_replaceable(path("closed/deep/a")); }), ErrorKind::file,
                   path("closed/deep"), "Permission denied"));
  EXPECT_FALSE(is_missing(path("closed/a")));
  chmod(path("closed").c_str(), 0700);
}

TEST_F(ReplaceFile, MakesWhatADanglingLinkLeadsTo) {
  std::filesystem::create_directory(path("there"));
  std::filesystem::create_symlink("there/real.txt", path("middle"));
  std::filesystem::create_symlink(path("middle"), path("link"));
  replace_file(path("link"), std::string("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(contents(path("there/real.txt")), "new");
  std::filesystem::create_symlink("nowhere/real.txt", path("astray"));
  EXPECT_TRUE(says(error_of([&] { check_replaceable(path("astray")); }), ErrorKind::file,
                   path("nowhere"), "create it first"));
}

TEST_F(Identity, IsOneForAllWaysToAFile) {
  std::filesystem::create_directory(path("folder"));
  std::filesystem::create_directory_symlink(path("folder"), path("same"));
  with_text("folder/a", "x");
  with_text("folder/b", "x");
  std::filesystem::create_symlink("folder/a", path("link"));
  std::filesystem::create_hard_link(path("folder/a"), path("hard"));
  const auto a = identity_of(path("folder/a"));
  ASSERT_TRUE(a);
  for (const char* name : {"same/a", "link", "hard", "folder/../folder//./a"}) {
    EXPECT_EQ(identity_of(path(name)), a) << name;
  }
  EXPECT_NE(identity_of(path("folder/b")), a);
  EXPECT_NE(identity_of(path("folder")), a);
}

TEST_F(Identity, OfAFileToBeMadeIsItsFolderAndName) {
  std::filesystem::create_directory(path("folder"));
  std::filesystem::create_directory_symlink(path("folder"), path("same"));
  std::filesystem::create_symlink("same/new", path("dangling"));
  const auto made = identity_of(path("folder/new"));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->name, "new");
  EXPECT_EQ(identity_of(path("same/new")), made);
  EXPECT_EQ(identity_of(path("dangling")), made);
  EXPECT_NE(identity_of(path("new")), made);
  EXPECT_NE(identity_of(path("folder/other")), made);
  with_text("folder/new", "x");
  EXPECT_NE(identity_of(path("folder/new")), made) << "now it is the file's own";
}

TEST_F(Identity, IsNoneWhereAPathLeadsNowhere) {
  for (const auto& odd : odd_paths(folder())) {
    EXPECT_FALSE(identity_of(odd.path)) << odd.path;
  }
  EXPECT_FALSE(identity_of(path("missing/a")));
}

TEST_F(Identity, KnowsStreams) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(identity_of(path("pipe"))->stream);
  EXPECT_FALSE(identity_of(with_text("a", "x"))->stream);
}

// ------------------------------------------------------------------------------ trouble on disk --

// Calls of fsync and rename, in order, and the error that the call of a name gives.
struct Disk {
  std::vector<std::string> calls;
  std::string failing;
  int error = 0;

  bool fails(const std::string& call) {
    calls.push_back(call);
    if (call == failing) errno = error;
    return call == failing;
  }
};
Disk* disk = nullptr;

class ReplaceFileOnDisk : public InAFolder {
 protected:
  ReplaceFileOnDisk() { disk = &disk_; }
  ~ReplaceFileOnDisk() override { disk = nullptr; }

  // The error with which replacing a file ends when a call fails.
  Error error_when(const std::string& call, int error) {
    disk_ = {{}, call, error};
    return error_of([&] { replace_file(path("out.png"), std::string("new")); });
  }

  Disk disk_;
};

using Calls = std::vector<std::string>;

TEST_F(ReplaceFileOnDisk, SyncsTheFileThenRenamesThenSyncsTheFolder) {
  replace_file(path("out.png"), std::string("new"));
  EXPECT_EQ(disk_.calls, (Calls{"fsync file", "rename", "fsync folder"}));
}

TEST_F(ReplaceFileOnDisk, KeepsTheOldFileWhenTheDiskTurnsOutToBeFull) {
  with_text("out.png", "old");
  EXPECT_TRUE(says(error_when("fsync file", ENOSPC), ErrorKind::file, path("out.png"),
                   "No space left on device"));
  EXPECT_EQ(disk_.calls, Calls{"fsync file"});
  EXPECT_TRUE(
      says(error_when("rename", EIO), ErrorKind::file, path("out.png"), "Input/output error"));
  EXPECT_EQ(contents(path("out.png")), "old");
  EXPECT_EQ(names(), Names{"out.png"});
}

TEST_F(ReplaceFileOnDisk, SaysThatTheFolderIsNotSynced) {
  with_text("out.png", "old");
  EXPECT_TRUE(says(error_when("fsync folder", EIO), ErrorKind::file, path("out.png"),
                   "Input/output error"));
  EXPECT_EQ(contents(path("out.png")), "new");
  EXPECT_EQ(names(), Names{"out.png"});
}

TEST_F(ReplaceFileOnDisk, TakesFoldersThatCannotBeSynced) {
  for (const int error : {EINVAL, ENOTSUP}) {
    disk_ = {{}, "fsync folder", error};
    replace_file(path("out.png"), std::string("new"));
    EXPECT_EQ(contents(path("out.png")), "new");
  }
}

}  // namespace
}  // namespace limn

// In place of the C library's.
extern "C" int fsync(int file) {
  struct stat status = {};
  fstat(file, &status);
  const bool folder = S_ISDIR(status.st_mode);
  if (limn::disk && limn::disk->fails(folder ? "fsync folder" : "fsync file")) return -1;
  return static_cast<int>(syscall(SYS_fsync, file));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  if (limn::disk && limn::disk->fails("rename")) return -1;
  return static_cast<int>(syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}
