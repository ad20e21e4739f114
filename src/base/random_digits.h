// Digits that nobody can guess: for names that must not be given twice, and for tokens.
#pragma once

#include <cstddef>
#include <string>

namespace limn {

// Two hexadecimal digits for each of so many bytes, drawn by the system. Throws Error (resources)
// if it gives none.
std::string random_digits(std::size_t bytes);

}  // namespace limn
