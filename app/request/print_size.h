// Sizes of prints, as --size takes them: "60cm@300dpi", "297mm", "24in@150dpi". What is painted has
// pixels; a print says how many they are, and how many go into an inch.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>

namespace limn {

// Of a print whose resolution is not given: what photographs are printed at.
inline constexpr double kPrintDpi = 300;

// Whether the text is meant as a print's size rather than as pixels; it may still be invalid.
bool is_print_size(const std::string& text);

struct PrintSize {
  Size pixels;     // one length: of a square
  double dpi = 0;  // pixels per inch
};

// "60cm@300dpi", or "60x40cm@300dpi" with the width first. Units: cm, mm, in, inch. `dpi` is that
// of --dpi, for a text that gives none; without either it is kPrintDpi. Throws Error (usage),
// naming `flag`: not such a size, a dpi out of range or unlike --dpi, less than a pixel, more than
// 100,000 pixels.
PrintSize parse_print_size(const std::string& text, const std::string& flag,
                           std::optional<double> dpi = {});

// Throws Error (usage) for a --dpi out of range.
void check_dpi(double dpi);

// The length of a print's side, in cm.
double cm_of(int pixels, double dpi);

// "60.0 x 45.0 cm at 300 dpi"
std::string print_text(const Size& pixels, double dpi);

}  // namespace limn
