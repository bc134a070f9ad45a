// StatsSource: where `stats` and `top` read: the segment of an instance, opened again when a
// process has put another in its place. One thread.
#ifndef SLUICE_CORE_SERVER_COMMANDS_STATS_SOURCE_H_
#define SLUICE_CORE_SERVER_COMMANDS_STATS_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/stats/stats_file.h"

namespace CLI {
class App;
}

namespace sluice {

class StatsSource {
 public:
  // --id, --stats and --interval.
  void AddOptions(CLI::App& app);

  // Errors: it cannot be opened, and what to do; --interval is none. What follows REQUIRES success.
  Result<void> Open();
  // Looks whether the path names another file by now. True: what is read from here on is of that
  // one. One that cannot be opened yet is tried at the next look.
  bool Renewed();

  StatsReader reader() const { return file_->reader(); }
  std::vector<StatsFile::Process> processes() const { return file_->processes(); }
  bool live() const;
  // What is looked at: the id, or the path if one was given.
  const std::string& name() const { return path_.empty() ? id_ : path_; }
  Nanos interval() const { return interval_; }

 private:
  std::string path() const { return path_.empty() ? StatsFile::DefaultPath(id_) : path_; }

  std::string id_ = "sluice";
  std::string path_;
  std::string interval_text_ = "1s";
  Nanos interval_ = 0;
  std::unique_ptr<StatsFile> file_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_COMMANDS_STATS_SOURCE_H_
