// The pictures of --save-every: after which iterations to save, and under which names. Names are
// made and recognised here, so that none replaces an input.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

class SavedPictures {
 public:
  // Saves next to `output`, as the recipe's [output] says; not at all if it does not, or if
  // `output` is a pipe.
  SavedPictures(const std::string& output, const Recipe& recipe);

  bool takes(int iteration) const;

  // out.png becomes out-0020.png or, say, out-20260131-235959-0020.png, with enough digits that
  // names sort like iterations.
  std::string path(int iteration) const;

  // The folder of all of them.
  std::string folder() const;

  // Whether one of them may get this name: its iteration is saved, and its time is not in the past.
  bool may_be_called(const std::string& name) const;

 private:
  std::string number(int iteration) const;

  std::string output_;
  int every_;
  int iterations_;
  bool timed_;
};

}  // namespace limn
