// Reads every file of the saved corpus, corpus/READER/*:        replay CORPUS
// Makes those of checkpoint/ that are whole, from which others are cut and changed:
//                                                               replay --make CORPUS
#include <cstdio>
#include <string>

#include "fuzz/each_file.h"
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
  return limn::read_each_file(arguments[1], limn::fuzzed_readers(), limn::read_or_abort);
}
