// Terminal: the window that a live command draws in: keys come as they are pressed, the screen
// before is put back at the end, whichever way that comes: a key, a signal, Ctrl-Z and fg. ANSI
// escape sequences only. One at a time: it takes the process' signal handlers while it lives. The
// thread that made it.
#ifndef SLUICE_CORE_SERVER_COMMANDS_TERMINAL_H_
#define SLUICE_CORE_SERVER_COMMANDS_TERMINAL_H_

#include <termios.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/server/stats/top_frame.h"

namespace sluice {

class Terminal {
 public:
  // Are standard input and output one?
  static bool IsThere();

  // REQUIRES: IsThere().
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  struct Size {
    size_t width;
    size_t height;
  };
  Size size() const;

  struct Event {
    // kRedraw: the window has another size, or the process was in the background.
    enum class Kind : uint8_t { kTime, kKey, kRedraw, kEnd } kind;
    TopKey key = TopKey::kCharacter;
    char character = 0;
  };
  // The next thing that happens; kTime at that monotonic time. After kEnd REQUIRES: no more calls.
  Event Wait(Nanos until);

  // In place of what is there.
  void Draw(const std::vector<TopText>& lines);

  // The signal that led to kEnd; 0: the terminal is gone.
  int end_signal() const;

 private:
  void Enter();
  void Leave();
  void Stop();
  Event TakeKey();
  void Write(std::string_view text);

  termios before_{};
  std::string input_;  // not yet taken
  bool gone_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_COMMANDS_TERMINAL_H_
