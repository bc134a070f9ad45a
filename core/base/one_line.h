// Text from outside on its way into one line of a log, a list or an error.
#ifndef SLUICE_CORE_BASE_ONE_LINE_H_
#define SLUICE_CORE_BASE_ONE_LINE_H_

#include <string>

namespace sluice {

// `text` with "?" in place of each control character: a line end would begin a line of its own, and
// a terminal would obey the others.
std::string OneLine(std::string text);

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_ONE_LINE_H_
