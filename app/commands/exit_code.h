// What the command's exit codes mean. They are part of its interface.
#pragma once

namespace limn {

enum ExitCode {
  kSuccess = 0,
  kInternalError = 1,  // a fault of limn's own
  kUsageError = 2,     // a flag, recipe or setting that makes no sense
  kFileError = 3,      // a file that cannot be read, understood or written
  kResourceError = 4,  // too large a picture, or too little memory
  kInterrupted = 130,  // Ctrl-C: the best picture so far was written, or what had arrived is kept
};

}  // namespace limn
