#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::test {
namespace {

struct Pipe {
  Fd read;
  Fd write;
};

Pipe NewPipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "pipe2 failed";
    return {};
  }
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return {Fd(fds[0]), Fd(fds[1])};
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void Execute(const char* program, char* const* arguments, int out, int err,
                          pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(program, arguments);
  _exit(127);
}

}  // namespace

Process::Process(Driver& driver, const std::string& program,
                 const std::vector<std::string>& arguments)
    : driver_(driver) {
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(program.c_str()));
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  Pipe out = NewPipe();
  Pipe err = NewPipe();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) Execute(program.c_str(), argv.data(), out.write.get(), err.write.get(), parent);
  if (pid_ < 0) ADD_FAILURE() << "fork failed";
  out_.fd = std::move(out.read);
  err_.fd = std::move(err.read);
  driver_.Add(*this);
}

Process::~Process() {
  driver_.Remove(*this);
  if (pid_ <= 0 || exited()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

void Process::Signal(int signal_number) {
  if (pid_ > 0 && !exited()) kill(pid_, signal_number);
}

bool Process::WaitForErr(std::string_view text) { return WaitFor(err_, text); }
bool Process::WaitForOut(std::string_view text) { return WaitFor(out_, text); }

bool Process::WaitFor(const Output& output, std::string_view text) {
  const auto there = [&] { return output.text.find(text) != std::string::npos; };
  const bool waited = driver_.RunUntil([&] { return there() || (exited() && !output.fd); }, text);
  if (waited && there()) return true;
  ADD_FAILURE() << "the process did not write \"" << text << "\"; stdout:\n"
                << out() << "\nstderr:\n"
                << err();
  return false;
}

int Process::WaitForExit() {
  if (!driver_.RunUntil([&] { return exited() && !out_.fd && !err_.fd; }, "the process' end")) {
    ADD_FAILURE() << "stdout:\n" << out() << "\nstderr:\n" << err();
    return -1;
  }
  return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 128 + WTERMSIG(*status_);
}

bool Process::Step() {
  bool busy = Read(out_);
  busy |= Read(err_);
  int status = 0;
  if (pid_ > 0 && !exited() && waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = status;
    busy = true;
  }
  return busy;
}

bool Process::Read(Output& output) {
  if (!output.fd) return false;
  char piece[16384];
  const ssize_t got = read(output.fd.get(), piece, sizeof(piece));
  if (got > 0) {
    output.text.append(piece, static_cast<size_t>(got));
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  output.fd.Close();
  return true;
}

void Process::AddPollFds(std::vector<pollfd>& fds) const {
  for (const Output* output : {&out_, &err_}) {
    if (output->fd) fds.push_back({output->fd.get(), POLLIN, 0});
  }
}

}  // namespace sluice::test
