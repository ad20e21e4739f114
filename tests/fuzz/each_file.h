// A saved corpus, read again: what a fuzzer found stays found.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace limn {

// read(reader, bytes) for every file of corpus/READER/*. Returns the exit code: 1 if a reader has
// no file.
int read_each_file(const std::filesystem::path& corpus, const auto& readers, const auto& read) {
  for (const auto& reader : readers) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus / reader.name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      std::printf("%s\n", entry.path().c_str());  // the last one printed is the one that fails
      std::fflush(stdout);
      read(reader, bytes);
      ++files;
    }
    if (files == 0) {
      std::fprintf(stderr, "%s has no corpus\n", std::string(reader.name).c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace limn
