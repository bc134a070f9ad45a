// Driver: keeps a test's actors (raw clients, scripted upstreams) and the product's loop going
// until something is true, all on the test's own thread. Without a loop it drives the actors alone:
// the product runs elsewhere, on worker threads or as a process of its own.
//
//   SystemClock clock;
//   auto loop = Loop::Create(clock).value();
//   test::Driver driver(loop.get());
//   test::RawClient client(driver, server_address);
//   client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   EXPECT_EQ(client.ReadResponse().status, 200);
//
// Nothing blocks for good: after kGuard of real time without the end a wait fails the test.
#ifndef SLUICE_TESTS_SUPPORT_DRIVER_H_
#define SLUICE_TESTS_SUPPORT_DRIVER_H_

#include <poll.h>

#include <functional>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace sluice {
class Loop;
}

namespace sluice::test {

class Actor {
 public:
  virtual ~Actor() = default;
  // Does what can be done now; never blocks. Says whether anything was.
  virtual bool Step() = 0;
  // Adds what would let Step do more.
  virtual void AddPollFds(std::vector<pollfd>& fds) const = 0;
};

class Driver {
 public:
  static constexpr Nanos kGuard = 10 * kSecond;

  // `loop` is borrowed, and may be null.
  explicit Driver(Loop* loop = nullptr) : loop_(loop) {}
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Goes on until `done` holds, and says so; else fails the test, which then names `what`.
  bool RunUntil(const std::function<bool()>& done, std::string_view what);
  // So many rounds without waiting: time enough for what must not happen to show.
  void RunRounds(int rounds);

  // Of the actors' constructors and destructors.
  void Add(Actor& actor) { actors_.push_back(&actor); }
  void Remove(Actor& actor) { std::erase(actors_, &actor); }

 private:
  // One turn of the loop and a step of each actor. Says whether an actor did anything.
  bool Round(int loop_wait_ms);
  void WaitForActors(int milliseconds);

  Loop* loop_;
  std::vector<Actor*> actors_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_DRIVER_H_
