// Reads every file of the saved corpus, corpus/READER/*:        replay CORPUS
// Makes those of checkpoint/ that are whole, from which others are cut and changed:
//                                                               replay --make CORPUS
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "fuzz/reading.h"

int main(int count, char** arguments) {
  if (count == 3 && std::string(arguments[1]) == "--make") {
    for (const int steps : {0, 3, 6}) {
      limn::write_checkpoint_of_corpus(
          std::string(arguments[2]) + "/checkpoint/whole-" + std::to_string(steps), steps);
    }
    return 0;
  }
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
