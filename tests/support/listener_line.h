// Where a process of the real binary says, in its log, that its listeners are.
#ifndef SLUICE_TESTS_SUPPORT_LISTENER_LINE_H_
#define SLUICE_TESTS_SUPPORT_LISTENER_LINE_H_

#include <string>
#include <string_view>

#include "core/net/address.h"

namespace sluice::test {

// The first line about this listener ("admin": the admin API); fails the test if there is none.
Address ListenerIn(const std::string& log, std::string_view listener);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_LISTENER_LINE_H_
