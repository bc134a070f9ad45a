#include "core/server/commands/terminal.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>

#include "core/base/strings.h"

namespace sluice {
namespace {

// Blocked but while we wait, so that none comes between a look at these and the wait.
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

volatile sig_atomic_t end_signal_seen = 0;
volatile sig_atomic_t stop_seen = 0;
volatile sig_atomic_t redraw_seen = 0;

void OnSignal(int number) {
  if (number == SIGTSTP) {
    stop_seen = 1;
  } else if (number == SIGCONT || number == SIGWINCH) {
    redraw_seen = 1;
  } else {
    end_signal_seen = number;
  }
}

void HandleSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : kSignals) {
    sigaddset(&blocked, number);
    sigaction(number, &action, nullptr);
  }
  sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";  // the other screen, no cursor
constexpr std::string_view kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";

std::string_view SequenceOf(TopStyle style) {
  switch (style) {
    case TopStyle::kPlain:
      break;
    case TopStyle::kBold:
      return "\x1b[1m";
    case TopStyle::kHeading:
      return "\x1b[7m";
    case TopStyle::kBad:
      return "\x1b[1;31m";
  }
  return "";
}

}  // namespace

bool Terminal::IsThere() { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

Terminal::Terminal() {
  tcgetattr(STDIN_FILENO, &before_);
  HandleSignals();
  Enter();
}

Terminal::~Terminal() { Leave(); }

void Terminal::Enter() {
  termios mode = before_;
  mode.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);  // Ctrl-C and Ctrl-Z stay signals
  mode.c_cc[VMIN] = 1;
  mode.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &mode);
  Write(kEnter);
}

void Terminal::Leave() {
  Write(kLeave);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

// Ctrl-Z: the shell gets its terminal as it was, and we ours when it lets us go on.
void Terminal::Stop() {
  Leave();
  raise(SIGSTOP);
  Enter();
}

Terminal::Size Terminal::size() const {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) {
    return {80, 24};
  }
  return {window.ws_col, window.ws_row};
}

int Terminal::end_signal() const { return end_signal_seen; }

Terminal::Event Terminal::Wait(Nanos until) {
  SystemClock clock;
  sigset_t none;
  sigemptyset(&none);
  while (true) {
    if (end_signal_seen != 0 || gone_) return {Event::Kind::kEnd};
    if (stop_seen != 0) {
      stop_seen = 0;
      Stop();
      return {Event::Kind::kRedraw};
    }
    if (redraw_seen != 0) {
      redraw_seen = 0;
      return {Event::Kind::kRedraw};
    }
    if (!input_.empty()) return TakeKey();
    const Nanos left = std::max<Nanos>(until - clock.Monotonic(), 0);
    const timespec limit = {left / kSecond, left % kSecond};
    pollfd in = {STDIN_FILENO, POLLIN, 0};
    const int ready = ppoll(&in, 1, &limit, &none);
    if (ready == 0) return {Event::Kind::kTime};
    if (ready < 0) continue;  // a signal
    char bytes[256];
    const ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (size > 0) {
      input_.append(bytes, static_cast<size_t>(size));
    } else if (size == 0 || (errno != EINTR && errno != EAGAIN)) {
      gone_ = true;
    }
  }
}

Terminal::Event Terminal::TakeKey() {
  constexpr struct {
    std::string_view bytes;
    TopKey key;
  } kKeys[] = {{"\x1b[A", TopKey::kUp},      {"\x1b[B", TopKey::kDown},
               {"\x1bOA", TopKey::kUp},      {"\x1bOB", TopKey::kDown},
               {"\x1b[5~", TopKey::kPageUp}, {"\x1b[6~", TopKey::kPageDown}};
  for (const auto& [bytes, key] : kKeys) {
    if (!input_.starts_with(bytes)) continue;
    input_.erase(0, bytes.size());
    return {Event::Kind::kKey, key, 0};
  }
  const char character = input_[0];
  // A sequence that we do not know is none of our letters: it goes as a whole.
  input_.erase(0, character == '\x1b' ? input_.size() : 1);
  return {Event::Kind::kKey, TopKey::kCharacter, character};
}

void Terminal::Draw(const std::vector<TopText>& lines) {
  std::string out = "\x1b[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    // No line end behind the last one: it would scroll the window.
    out += StrCat({i == 0 ? "" : "\r\n", SequenceOf(lines[i].style), lines[i].text, "\x1b[0m"});
    if (lines[i].text.size() < size().width) out += "\x1b[K";
  }
  Write(out + "\x1b[J");
}

void Terminal::Write(std::string_view text) {
  while (!text.empty() && !gone_) {
    const ssize_t size = write(STDOUT_FILENO, text.data(), text.size());
    if (size > 0) {
      text.remove_prefix(static_cast<size_t>(size));
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
}

}  // namespace sluice
