// The command's exit codes, which are part of its interface.
#pragma once

namespace limn {

enum ExitCode {
  kSuccess = 0,
  kInternalError = 1,  // a bug in limn
  kUsageError = 2,     // an invalid flag, recipe or setting
  kFileError = 3,      // a file that cannot be read, understood or written
  kResourceError = 4,  // a picture that is too large, or too little memory
  kSomeFailed = 5,     // some pictures of a batch could not be painted; the others were
  kInterrupted = 130,  // Ctrl-C: the best picture so far was written, or a partial download is kept
};

}  // namespace limn
