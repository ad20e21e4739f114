// Reads every file of the saved corpus: corpus/READER/*. Argument: the corpus.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz/reading.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: replay CORPUS\n");
    return 2;
  }
  const std::filesystem::path corpus = arguments[1];
  for (const limn::FuzzedReader& reader : limn::fuzzed_readers()) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus / reader.name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      std::printf("%s\n", entry.path().c_str());  // the last one printed is the one that fails
      std::fflush(stdout);
      limn::read_or_abort(reader, bytes);
      ++files;
    }
    if (files == 0) {
      std::fprintf(stderr, "%s has no corpus\n", std::string(reader.name).c_str());
      return 1;
    }
  }
  return 0;
}
