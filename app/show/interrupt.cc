#include "show/interrupt.h"

#include <csignal>
#include <initializer_list>

namespace limn {
namespace {

volatile std::sig_atomic_t signalled = 0;

void remember(int signal) {
  signalled = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, remember);
}

bool interrupted() { return signalled != 0; }

}  // namespace limn
