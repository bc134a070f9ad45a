#include "core/server/configuration/config_watch.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/config/secrets.h"
#include "core/server/configuration/config_desk.h"

namespace sluice {
namespace {

// As it is, good or bad; of a file that cannot be read: nothing.
std::string TextOf(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return std::move(text).str();
}

std::string Names(const std::set<std::string>& paths) {
  std::string names;
  for (const std::string& path : paths) names += StrCat({names.empty() ? "" : ", ", path});
  return names;
}

}  // namespace

ConfigWatch::ConfigWatch(Loop& loop, ConfigDesk& desk)
    : loop_(loop),
      desk_(desk),
      files_(loop, Callback::To<&ConfigWatch::OnChange>(this)),
      timer_(loop, Callback::To<&ConfigWatch::OnTimer>(this)) {
  desk_.Add(*this);
}

ConfigWatch::~ConfigWatch() { desk_.Remove(*this); }

void ConfigWatch::Start() {
  started_ = true;
  WatchFiles();
  if (!std::exchange(started_before_, true) || files_.has_changed()) OnChange();
}

void ConfigWatch::Stop() {
  started_ = false;
  timer_.Cancel();
  files_.Stop();
}

void ConfigWatch::OnConfigUsed(ConfigSource) {
  if (!started_) return;
  WatchFiles();
  if (files_.has_changed()) OnChange();
}

void ConfigWatch::OnChange() {
  if (!timer_.pending()) first_ = loop_.now();
  timer_.Start(std::min(kQuiet, std::max<Nanos>(first_ + kLongest - loop_.now(), 0)));
}

void ConfigWatch::OnTimer() {
  WatchFiles();  // first: what changes from here on is seen
  const std::set<std::string> changed = files_.TakeChanged();
  ConfigAsker asker{ConfigSource::kWatch, "watch",
                    changed.empty() ? "" : StrCat({"changed: ", Names(changed)})};
  // What was posted or gone back to does not give way to a file that is as it was.
  if (changed.contains(desk_.file()) || !desk_.differs_from_file()) {
    desk_.ReloadFile(std::move(asker));
  } else {
    desk_.ReadSecretsAgain(std::move(asker));
  }
}

void ConfigWatch::WatchFiles() {
  std::vector<std::string> paths = SecretFilesIn(TextOf(desk_.file()));
  for (std::string& path : SecretFilesIn(desk_.current().text)) paths.push_back(std::move(path));
  paths.push_back(desk_.file());
  const Result<void> watched = files_.Watch(paths);
  const std::string complaint = watched ? "" : watched.error().detail;
  if (!complaint.empty() && complaint != complaint_) {
    Log(LogLevel::kWarning, "config",
        StrCat({"not all changes of files will be seen, reload by SIGHUP: ", complaint}));
  }
  complaint_ = complaint;
}

}  // namespace sluice
