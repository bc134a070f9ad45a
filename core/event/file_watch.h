// FileWatch: a callback on the loop's thread when one of a few files has changed: written, replaced
// by a rename, gone, come back, or reached by another way, since a symbolic link on the way to it
// leads elsewhere now (Kubernetes swaps one to change all files of a volume at once). A member of
// its owner.
//
// It watches folders, since a file that is replaced is another one: each in which the file, or a
// link on the way to it, is looked up. Of those that are not there the nearest above it.
#ifndef SLUICE_CORE_EVENT_FILE_WATCH_H_
#define SLUICE_CORE_EVENT_FILE_WATCH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/event/callback.h"
#include "core/event/loop.h"

namespace sluice {

class FileWatch final : private FdWatch::Handler {
 public:
  FileWatch(Loop& loop, Callback callback) : watch_(loop, *this), callback_(callback) {}
  ~FileWatch() { Stop(); }

  // Watches these from here on, in place of those before. One that was watched until now, or until
  // Stop, and is another one by now, has changed: the callback comes with the next event, or the
  // caller asks has_changed. Errors (inotify's limits, a folder that we may not read) name what is
  // not watched; what can be is.
  Result<void> Watch(const std::vector<std::string>& paths);
  // What they were is kept for the next Watch.
  void Stop();

  bool has_changed() const { return !changed_.empty(); }
  // Which have changed since the last call.
  std::set<std::string> TakeChanged();

 private:
  // What tells one state of a file from another; zeros: it is not there.
  struct Stamp {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = 0;
    Nanos modified = 0;
    Nanos changed = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  static Stamp StampOf(const std::string& path);
  // The folders in which `path` is looked up.
  static void AddFolders(const std::string& path, std::set<std::string>& folders);

  void OnReady(uint32_t events) override;
  Result<void> WatchFolders();
  void Look();

  FdWatch watch_;
  Callback callback_;
  Fd fd_;
  std::map<std::string, Stamp> files_;
  std::set<std::string> changed_;
  std::map<int, std::string> folders_;  // by inotify's number
};

}  // namespace sluice

#endif  // SLUICE_CORE_EVENT_FILE_WATCH_H_
