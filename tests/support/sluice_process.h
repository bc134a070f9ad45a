// SluiceProcess: the real binary, for black box tests.
//
//   test::Driver driver;
//   test::SluiceProcess sluice(driver, {"run", "-c", file});
//   ASSERT_TRUE(sluice.WaitUntilReady());
//   test::RawClient client(driver, sluice.Where("web"));
#ifndef SLUICE_TESTS_SUPPORT_SLUICE_PROCESS_H_
#define SLUICE_TESTS_SUPPORT_SLUICE_PROCESS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/net/address.h"
#include "tests/support/driver.h"
#include "tests/support/listener_line.h"
#include "tests/support/process.h"

namespace sluice::test {

class SluiceProcess final : public Process {
 public:
  // The build gives its own binary to each test as SLUICE_BINARY.
  SluiceProcess(Driver& driver, const std::vector<std::string>& arguments)
      : Process(driver, SLUICE_BINARY, arguments) {}

  // It accepts.
  bool WaitUntilReady() { return WaitForErr("server: ready: "); }

  // Where it says that the listener of this name is ("admin": the admin API); fails the test if it
  // did not say so. REQUIRES: it is ready.
  Address Where(std::string_view listener) const { return ListenerIn(err(), listener); }
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_SLUICE_PROCESS_H_
