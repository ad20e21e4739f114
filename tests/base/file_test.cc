#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

using Names = std::set<std::string>;
using ReplaceFile = InAFolder;
using ReadText = InAFolder;
using FileSize = InAFolder;

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

// Opening one would wait for a writer for ever.
TEST_F(ReadText, RefusesAPipe) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_TRUE(
      says(error_of([&] { read_text(path("pipe"), "notes", 9); }), ErrorKind::file, path("pipe")));
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

}  // namespace
}  // namespace limn
