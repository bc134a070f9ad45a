// ConfigHistory: every configuration that was applied, each a file of its own in a folder, numbered
// by version. What is kept is the text as it was given, with its ${...}: secrets that it refers to
// are not in it. The newest is the last one that was good. Owned by the server, or by a command
// that looks; main thread; blocks on the disk.
//
// A file is written whole under another name, synced and moved: what is there is complete, whenever
// the process or the machine ends.
#ifndef SLUICE_CORE_CONFIG_HISTORY_H_
#define SLUICE_CORE_CONFIG_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/append_file.h"
#include "core/base/result.h"
#include "core/config/hash.h"
#include "core/config/loader.h"

namespace sluice {

struct ConfigVersion {
  uint64_t version = 0;  // counts from 1; 0: not applied yet
  uint64_t parent = 0;   // the one before it; 0: none
  std::string hash;      // SHA-256 of the text, in hex
  int64_t time = 0;      // seconds since the epoch
  std::string author;
  std::string reason;
  std::string source;     // what brought it: "start", "command", "http", ...
  std::string file;       // the instance's configuration file
  bool from_file = true;  // the text is that file's
  ConfigFormat format = ConfigFormat::kYaml;
  std::string text;
};

// What changed from `before` to `after`, as `diff -u` writes it; empty if nothing did.
std::string ConfigDiff(const ConfigVersion& before, const ConfigVersion& after);

// A line for people: version, hash, time, what brought it, who, why.
std::string HistoryLine(const ConfigVersion& version);

class ConfigHistory {
 public:
  // Makes the folder and those above it if they are not there; it is readable for its owner alone.
  // `owner`: whose it is and its files are from here on, for a process that is about to become
  // them. The last `keep` versions stay. Errors name what cannot be used.
  static Result<ConfigHistory> Open(std::string folder, size_t keep, const FileOwner& owner = {});
  // For looking only: a folder that is not there is empty.
  static ConfigHistory View(std::string folder) { return ConfigHistory(std::move(folder), 0); }

  // Adds `entry` as the newest, setting its version, parent and hash, and returns it. One whose
  // text is the newest's already is that one. Another process may add at the same time. After an
  // error there is no new version.
  Result<ConfigVersion> Add(ConfigVersion entry);

  // The versions that are there, the oldest first.
  std::vector<uint64_t> Versions() const;
  // Errors: kNotFound; what is wrong with its file.
  Result<ConfigVersion> Get(uint64_t version) const;
  // kNotFound if there is none.
  Result<ConfigVersion> Newest() const;

  const std::string& folder() const { return folder_; }

 private:
  ConfigHistory(std::string folder, size_t keep) : folder_(std::move(folder)), keep_(keep) {}
  std::string FileOf(uint64_t version) const;
  Result<void> GiveTo(const FileOwner& owner) const;
  void DropOldest() const;

  std::string folder_;
  size_t keep_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_HISTORY_H_
