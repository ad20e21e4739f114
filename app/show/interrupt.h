// Ctrl-C, a polite kill, and a terminal that goes away: commands that have something to save end
// when they next look.
#pragma once

namespace limn {

// From now on the first such signal only sets what interrupted() says. A second one ends the
// program at once.
void catch_interrupts();

bool interrupted();

}  // namespace limn
