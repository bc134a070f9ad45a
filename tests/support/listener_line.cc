#include "tests/support/listener_line.h"

#include <gtest/gtest.h>

namespace sluice::test {

Address ListenerIn(const std::string& log, std::string_view listener) {
  const std::string line = "listener: " + std::string(listener) + " on ";
  const size_t found = log.find(line);
  if (found == std::string::npos) {
    ADD_FAILURE() << "no \"" << line << "\" in:\n" << log;
    return {};
  }
  const size_t begin = found + line.size();
  auto address = Address::Parse(log.substr(begin, log.find('\n', begin) - begin));
  if (address) return *address;
  ADD_FAILURE() << address.error().detail;
  return {};
}

}  // namespace sluice::test
