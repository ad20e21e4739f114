// The processes that mpirun, or srun, has started together: one job of MPI.
//
// Open MPI is optional. Without it launched.cc is replaced by launched_alone.cc.
#pragma once

#include <limn/ranks.h>

namespace limn {

class LaunchedRanks : public Ranks {
 public:
  // How many of them share this machine.
  virtual int on_this_machine() const = 0;
  // How many cores there are for this one: those it may use, divided among the ranks on this
  // machine unless each was given its own.
  virtual int cores() const = 0;

  // Whether the others are in the middle of something, and wait for this one.
  bool busy() const { return busy_; }
  void set_busy(bool busy) { busy_ = busy; }
  // Ends all of them at once, with this exit status: this one cannot go on.
  [[noreturn]] virtual void abandon(int exit_code) = 0;

 private:
  bool busy_ = false;
};

// Null unless this process was started as one of several. Throws Error (resources) if it was, but
// this limn was built without MPI. The processes part when the program ends.
LaunchedRanks* launched_ranks();

}  // namespace limn
