#include "tests/support/step_gate.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace sluice::test {
namespace {

constexpr const char* kVariable = "SLUICE_RESTART_STEPS";

}  // namespace

StepGate::StepGate(Driver& driver, std::string path) : driver_(driver) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof(address.sun_path) - 1));
  listener_ = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(listen(listener_.get(), 16), 0);
  setenv(kVariable, path.c_str(), 1);
  driver_.Add(*this);
}

StepGate::~StepGate() {
  unsetenv(kVariable);
  driver_.Remove(*this);
}

int StepGate::WaitForHeld() {
  driver_.RunUntil([this] { return held_pid_ != 0; }, "a process at " + hold_at_);
  return held_pid_;
}

void StepGate::Release() { held_.Close(); }

bool StepGate::Step() {
  bool busy = false;
  for (;;) {
    Fd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) break;
    callers_.push_back({std::move(fd), {}});
    busy = true;
  }
  busy |= std::erase_if(callers_, [this](Caller& caller) { return Hear(caller); }) > 0;
  return busy;
}

// True: it is done with.
bool StepGate::Hear(Caller& caller) {
  char piece[256];
  const ssize_t got = recv(caller.fd.get(), piece, sizeof(piece), 0);
  if (got == 0) return true;
  if (got < 0) return false;
  caller.line.append(piece, static_cast<size_t>(got));
  if (caller.line.back() != '\n') return false;
  const size_t space = caller.line.find(' ');
  passed_.push_back(caller.line.substr(0, space));
  if (passed_.back() != hold_at_ || held_pid_ != 0) return true;  // the end of it lets it go on
  held_pid_ = std::atoi(caller.line.c_str() + space);
  held_ = std::move(caller.fd);
  return true;
}

void StepGate::AddPollFds(std::vector<pollfd>& fds) const {
  fds.push_back({listener_.get(), POLLIN, 0});
  for (const Caller& caller : callers_) fds.push_back({caller.fd.get(), POLLIN, 0});
}

}  // namespace sluice::test
