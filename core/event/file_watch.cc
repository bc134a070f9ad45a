#include "core/event/file_watch.h"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/base/strings.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

// Not IN_MODIFY: a log in the same folder would wake us with each line. Whoever writes in place
// closes the file at the end.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                             IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr int kMaxLinks = 40;  // as the kernel has it
// While folders are moved, what was looked up may be another one by the time it is watched.
constexpr int kTries = 8;

Nanos TimeOf(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

bool IsFolder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

}  // namespace

FileWatch::Stamp FileWatch::StampOf(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return {};
  return {about.st_dev, about.st_ino, about.st_size, TimeOf(about.st_mtim), TimeOf(about.st_ctim)};
}

void FileWatch::AddFolders(const std::string& path, std::set<std::string>& folders) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  fs::path reached = "/";
  std::vector<fs::path> rest;  // the next one last
  const auto push = [&rest](const fs::path& parts) {
    const std::vector<fs::path> list(parts.begin(), parts.end());
    for (auto part = list.rbegin(); part != list.rend(); ++part) {
      if (!part->empty() && *part != "/" && *part != ".") rest.push_back(*part);
    }
  };
  push(whole);
  for (int links = 0; !rest.empty();) {
    const fs::path name = std::move(rest.back());
    rest.pop_back();
    if (name == "..") {
      reached = reached.parent_path();
      continue;
    }
    const fs::path next = reached / name;
    const fs::path target = fs::read_symlink(next, error);
    if (!error) {
      folders.insert(reached.string());
      if (++links > kMaxLinks) return;
      if (target.is_absolute()) reached = "/";
      push(target);
      continue;
    }
    if (rest.empty() || !IsFolder(next)) {
      folders.insert(reached.string());
      return;
    }
    reached = next;
  }
}

Result<void> FileWatch::Watch(const std::vector<std::string>& paths) {
  std::map<std::string, Stamp> before = std::exchange(files_, {});
  for (const std::string& path : paths) {
    const auto known = before.find(path);
    files_[path] = known == before.end() ? StampOf(path) : known->second;
  }
  if (!fd_) {
    fd_ = Fd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!fd_) return Fail(SystemError("inotify_init1", errno));
    if (Result<void> started = watch_.Start(fd_.get(), false); !started) {
      fd_.Close();
      return started;
    }
  }
  Result<void> watched = WatchFolders();
  Look();
  return watched;
}

void FileWatch::Stop() {
  if (!fd_) return;
  watch_.Stop();
  fd_.Close();
  folders_.clear();
}

std::set<std::string> FileWatch::TakeChanged() { return std::exchange(changed_, {}); }

// All anew: a folder that was moved away keeps its watch, and one that came in its place has none.
Result<void> FileWatch::WatchFolders() {
  Result<void> result;
  std::set<std::string> wanted;
  for (int i = 0; i < kTries; ++i) {
    std::set<std::string> now;
    for (const auto& [path, stamp] : files_) AddFolders(path, now);
    if (i > 0 && now == wanted) break;
    wanted = std::move(now);
    result = {};
    std::map<int, std::string> watched;
    for (const std::string& folder : wanted) {
      const int number = inotify_add_watch(fd_.get(), folder.c_str(), kEvents | IN_ONLYDIR);
      if (number >= 0) {
        watched.emplace(number, folder);
      } else if (errno != ENOENT && errno != ENOTDIR) {  // those: it is gone again
        result = Fail(SystemError(StrCat({"inotify_add_watch ", folder}), errno));
      }
    }
    for (const auto& [number, folder] : folders_) {
      if (!watched.contains(number)) inotify_rm_watch(fd_.get(), number);
    }
    folders_ = std::move(watched);
  }
  return result;
}

void FileWatch::OnReady(uint32_t) {
  alignas(inotify_event) char events[4096];
  // What they say does not matter, only that something has happened; that they were too many, too.
  while (read(fd_.get(), events, sizeof(events)) > 0 || errno == EINTR) {
  }
  // Its error was told when the watch began; now it is as good as it can be.
  static_cast<void>(WatchFolders());
  Look();
  if (!changed_.empty()) callback_();
}

void FileWatch::Look() {
  for (auto& [path, stamp] : files_) {
    const Stamp now = StampOf(path);
    if (now == stamp) continue;
    stamp = now;
    changed_.insert(path);
  }
}

}  // namespace sluice
