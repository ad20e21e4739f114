#include "request/checkpoint_flags.h"

#include "base/error.h"

namespace limn {

void add_checkpoint_every(CLI::App& command, double& seconds) {
  command
      .add_option("--checkpoint-every", seconds,
                  "Seconds between checkpoints; they are also written at each change of size and "
                  "on Ctrl-C [60]")
      ->type_name("N");
}

void check_checkpoint_every(double seconds) {
  if (seconds >= 0 && seconds <= 1e9) return;
  fail(ErrorKind::usage, "--checkpoint-every: is {}, but should be 0 to 1e9 seconds", seconds);
}

void CheckpointFlags::add_to(CLI::App& command) {
  command
      .add_option("--checkpoint", path_,
                  "Save the state of the painting to this file, from which 'limn resume' continues")
      ->type_name("FILE.limn");
  add_checkpoint_every(command, every_);
}

double CheckpointFlags::every() const {
  check_checkpoint_every(every_);
  return every_;
}

}  // namespace limn
