#include "core/server/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "core/base/strings.h"
#include "core/server/notify.h"
#include "core/server/spawn.h"

namespace sluice {
namespace {

// Ends everything; the others are for whoever serves now.
bool EndsAll(int signal) { return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT; }

sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&set, signal);
  }
  return set;
}

// A datagram socket under a name that the kernel chooses, which $NOTIFY_SOCKET says to children.
Result<Fd> OpenNotices() {
  Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Fail(SystemError("supervisor: socket", errno));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)) != 0) {
    return Fail(SystemError("supervisor: bind", errno));
  }
  const int on = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
    return Fail(SystemError("supervisor: SO_PASSCRED", errno));
  }
  return fd;
}

// Others can find the socket too. A child whose parent has ended is ours by then.
bool DescendsFromUs(pid_t pid) {
  constexpr int kMostGenerations = 64;
  for (int i = 0; i < kMostGenerations && pid > 1; ++i) {
    if (pid == getpid()) return true;
    // "PID (NAME) STATE PPID ...", where NAME may hold anything.
    std::ifstream file(StrCat({"/proc/", Decimal(static_cast<uint64_t>(pid)), "/stat"}));
    std::string line;
    std::getline(file, line);
    const size_t name_end = line.rfind(") ");
    if (name_end == std::string::npos || line.size() < name_end + 4) return false;
    const std::string_view rest = std::string_view(line).substr(name_end + 4);
    const std::optional<uint64_t> parent = ParseDecimal(rest.substr(0, rest.find(' ')));
    pid = parent ? static_cast<pid_t>(*parent) : 0;
  }
  return pid == getpid();
}

pid_t SenderOf(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sender;
    std::memcpy(&sender, CMSG_DATA(part), sizeof(sender));
    return sender.pid;
  }
  return 0;
}

std::string NameOf(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  const size_t length = size - offsetof(sockaddr_un, sun_path);
  std::string name(address.sun_path, length);
  if (!name.empty()) name.front() = '@';
  return name;
}

}  // namespace

Result<int> Supervisor::Run(const std::vector<std::string>& command) {
  Supervisor supervisor;
  SLUICE_TRY(supervisor.Init());
  SLUICE_TRY(supervisor.Start(command));
  supervisor.Serve();
  return supervisor.exit_code_;
}

Result<void> Supervisor::Init() {
  // Processes that outlive their parent, such as the draining one's successor, come to us.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return Fail(SystemError("supervisor: prctl", errno));
  const sigset_t set = WatchedSignals();
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) {
    return Fail(SystemError("supervisor: sigprocmask", errno));
  }
  signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) return Fail(SystemError("supervisor: signalfd", errno));
  Result<Fd> notices = OpenNotices();
  if (!notices) return Fail(std::move(notices).error());
  notices_ = std::move(*notices);
  return {};
}

Result<void> Supervisor::Start(const std::vector<std::string>& command) {
  // A group of its own: Ctrl-C comes through us, once.
  const Result<pid_t> pid =
      Spawn(command, "NOTIFY_SOCKET", NameOf(notices_.get()), SpawnGroup::kItsOwn);
  if (!pid) return Fail(pid.error());
  serving_.push_back(*pid);
  return {};
}

void Supervisor::Serve() {
  pollfd fds[] = {{signals_.get(), POLLIN, 0}, {notices_.get(), POLLIN, 0}};
  while (!over_) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) return;
    OnNotice();  // first: a process may say that it serves and end at once
    OnSignals();
  }
}

void Supervisor::OnSignals() {
  signalfd_siginfo info;
  while (!over_ && read(signals_.get(), &info, sizeof(info)) == sizeof(info)) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      Reap();
    } else {
      Forward(signal);
    }
  }
}

void Supervisor::OnNotice() {
  char text[1024];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  for (;;) {
    iovec vector{text, sizeof(text)};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t size = recvmsg(notices_.get(), &message, MSG_CMSG_CLOEXEC);
    if (size < 0) return;
    if (!DescendsFromUs(SenderOf(message))) continue;
    std::string passed_on;
    std::string_view rest(text, static_cast<size_t>(size));
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!line.starts_with("MAINPID=")) {
        passed_on += StrCat({line, "\n"});
        continue;
      }
      const std::optional<uint64_t> pid = ParseDecimal(line.substr(8));
      if (!pid || *pid <= 1 || !DescendsFromUs(static_cast<pid_t>(*pid))) continue;
      std::erase(serving_, static_cast<pid_t>(*pid));
      serving_.push_back(static_cast<pid_t>(*pid));
    }
    if (!passed_on.empty()) NotifyStarter(passed_on);
  }
}

void Supervisor::Reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == ECHILD) {
      over_ = true;
      return;
    }
    if (pid <= 0) return;
    if (!serving_.empty() && serving_.back() == pid) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    std::erase(serving_, pid);
  }
}

void Supervisor::Forward(int signal) {
  if (!EndsAll(signal)) {
    if (!serving_.empty()) kill(serving_.back(), signal);
    return;
  }
  for (const pid_t pid : serving_) kill(pid, signal);
}

}  // namespace sluice
