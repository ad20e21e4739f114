// Reads every file of requests/READER/*:     replay_requests REQUESTS
#include <cstdio>

#include "fuzz/each_file.h"
#include "fuzz/requests.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: replay_requests REQUESTS\n");
    return 2;
  }
  return limn::read_each_file(arguments[1], limn::fuzzed_requests(), limn::read_request_or_abort);
}
