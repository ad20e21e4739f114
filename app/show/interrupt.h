// Ctrl-C, a polite kill, or a closed terminal: commands with something to save end at their next
// check.
#pragma once

namespace limn {

// From now on the first such signal only makes interrupted() true. A second one ends the program at
// once.
void catch_interrupts();

bool interrupted();

}  // namespace limn
