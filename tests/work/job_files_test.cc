// Whatever a painter puts under a file's name, nothing outside of the job's folder is read or
// written.
#include "work/job_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "support/temporary_folder.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

class JobFiles : public InAFolder {
 protected:
  JobFiles() {
    fs::create_directory(path("job"));
    std::ofstream(path("outside")) << "secret";
  }
  std::string own(const std::string& name) const { return path("job/" + name); }
  static std::string text_of(const std::string& file) {
    std::ifstream opened(file);
    return {std::istreambuf_iterator<char>(opened), {}};
  }
};

TEST_F(JobFiles, AreReadAndWritten) {
  append_plain(own("log"), "one\n", 100);
  append_plain(own("log"), "two\n", 100);
  append_plain(own("log"), "three\n", 7);  // it has more already
  EXPECT_EQ("one\ntwo\n", read_plain(own("log"), 8));
  EXPECT_FALSE(read_plain(own("log"), 7));
  EXPECT_FALSE(read_plain(own("none"), 7));
  EXPECT_EQ(0, replace_plain(path("job"), "log", "new"));
  EXPECT_EQ("new", text_of(own("log")));
  EXPECT_EQ(1, std::distance(fs::directory_iterator(path("job")), {}));
}

TEST_F(JobFiles, AreNoLinks) {
  for (const bool hard : {false, true}) {
    for (const char* name : {"log", ".log"}) {
      if (hard) {
        fs::create_hard_link(path("outside"), own(name));
      } else {
        fs::create_symlink(path("outside"), own(name));
      }
    }
    EXPECT_FALSE(read_plain(own("log"), 100));
    append_plain(own("log"), "more", 100);
    EXPECT_EQ(0, replace_plain(path("job"), "log", "new"));
    EXPECT_EQ("secret", text_of(path("outside")));
    EXPECT_EQ("new", read_plain(own("log"), 100));
    fs::remove(own("log"));
  }
}

TEST_F(JobFiles, AreNoPipesAndFolders) {
  ASSERT_EQ(0, mkfifo(own("pipe").c_str(), 0600));
  EXPECT_FALSE(read_plain(own("pipe"), 100));
  append_plain(own("pipe"), "more", 100);  // and does not wait
  EXPECT_EQ(0, replace_plain(path("job"), "pipe", "new"));
  fs::create_directories(own("folder/full"));
  EXPECT_FALSE(read_plain(own("folder"), 100));
  EXPECT_EQ(EISDIR, replace_plain(path("job"), "folder", "new"));
}

}  // namespace
}  // namespace limn
