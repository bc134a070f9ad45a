#include "core/config/history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <dtl/dtl.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/base/fd.h"
#include "core/base/one_line.h"
#include "core/base/read_file.h"
#include "core/base/strings.h"

namespace sluice {
namespace {

using nlohmann::json;

constexpr std::string_view kSuffix = ".json";
// Of a version's file. Larger than any configuration that was applied.
constexpr size_t kMostBytes = size_t{64} << 20;
// A file with a larger number is none of ours.
constexpr uint64_t kMostVersions = uint64_t{1} << 48;

// Written, synced, and in its place; or nothing has changed. kAlreadyExists: another process was
// quicker.
Result<void> WriteDurably(const std::string& folder, const std::string& path,
                          std::string_view bytes) {
  const std::string own = StrCat({path, ".", Decimal(static_cast<uint64_t>(getpid()))});
  const auto fail = [&own](std::string_view call) {
    const int error = errno;
    unlink(own.c_str());
    return Fail(SystemError(StrCat({own, ": ", call}), error));
  };
  Fd fd(open(own.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail("open");
  while (!bytes.empty()) {
    const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return fail("write");
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(fd.get()) != 0) return fail("fsync");
  fd.Close();
  if (link(own.c_str(), path.c_str()) == 0) {
    unlink(own.c_str());
  } else if (errno == EEXIST || rename(own.c_str(), path.c_str()) != 0) {
    return fail("link");  // some file systems have no links: there a rename must do
  }
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory) fsync(directory.get());
  return {};
}

std::string TextOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

template <typename Number>
Number NumberOf(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<Number>() : 0;
}

// Commands and HTTP bring what they like.
std::string Utf8(const std::string& text) {
  return json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace));
}

Result<std::string> Json(const ConfigVersion& entry) {
  const json object = {{"version", entry.version},
                       {"parent", entry.parent},
                       {"sha256", entry.hash},
                       {"time", entry.time},
                       {"author", Utf8(entry.author)},
                       {"reason", Utf8(entry.reason)},
                       {"source", entry.source},
                       {"file", Utf8(entry.file)},
                       {"from_file", entry.from_file},
                       {"format", kFormatNames[static_cast<size_t>(entry.format)]},
                       {"text", entry.text}};
  try {
    return object.dump(1) + "\n";
  } catch (const json::exception&) {
    return Fail(Code::kInvalidArgument, "history: the text is not UTF-8");
  }
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string NameOf(const ConfigVersion& version) {
  if (version.version == 0) return version.file;
  return StrCat({version.file, " version ", Decimal(version.version)});
}

std::string TimeText(int64_t seconds) {
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return std::string(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts));
}

}  // namespace

std::string HistoryLine(const ConfigVersion& version) {
  return StrCat({Decimal(version.version), "  ", version.hash.substr(0, 12), "  ",
                 TimeText(version.time), "  ", version.source, "  ", OneLine(version.author),
                 version.reason.empty() ? "" : "  ", OneLine(version.reason), "\n"});
}

std::string ConfigDiff(const ConfigVersion& before, const ConfigVersion& after) {
  dtl::Diff<std::string> diff(LinesOf(before.text), LinesOf(after.text));
  diff.onHuge();
  diff.compose();
  if (diff.getEditDistance() == 0) return {};
  diff.composeUnifiedHunks();
  std::ostringstream out;
  out << "--- " << NameOf(before) << "\n+++ " << NameOf(after) << "\n";
  diff.printUnifiedFormat(out);
  return std::move(out).str();
}

Result<ConfigHistory> ConfigHistory::Open(std::string folder, size_t keep, const FileOwner& owner) {
  const auto fail = [&folder](std::string_view call, int error) {
    return Fail(SystemError(StrCat({"history ", folder, call}), error));
  };
  std::error_code error;
  const std::filesystem::path above = std::filesystem::path(folder).parent_path();
  if (!above.empty()) std::filesystem::create_directories(above, error);
  if (error) return fail(": mkdir", error.value());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail(": mkdir", errno);
  ConfigHistory history(std::move(folder), keep);
  const FileOwner nobody;
  if (owner.user != nobody.user || owner.group != nobody.group) {
    SLUICE_TRY(history.GiveTo(owner));
  } else if (access(history.folder_.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Fail(SystemError(StrCat({"history ", history.folder_}), errno));
  }
  return history;
}

// Versions that another user wrote, and the folder; not what links lead to.
Result<void> ConfigHistory::GiveTo(const FileOwner& owner) const {
  for (const uint64_t version : Versions()) {
    if (lchown(FileOf(version).c_str(), owner.user, owner.group) != 0 && errno != ENOENT) {
      return Fail(SystemError(StrCat({"history ", FileOf(version), ": chown"}), errno));
    }
  }
  if (lchown(folder_.c_str(), owner.user, owner.group) != 0) {
    return Fail(SystemError(StrCat({"history ", folder_, ": chown"}), errno));
  }
  return {};
}

Result<ConfigVersion> ConfigHistory::Add(ConfigVersion entry) {
  entry.hash = ConfigHash(entry.text);
  constexpr int kTries = 8;
  for (int i = 0;; ++i) {
    const std::vector<uint64_t> versions = Versions();
    entry.parent = versions.empty() ? 0 : versions.back();
    if (entry.parent != 0) {
      Result<ConfigVersion> newest = Get(entry.parent);
      if (newest && newest->hash == entry.hash && newest->format == entry.format) return newest;
    }
    entry.version = entry.parent + 1;
    const Result<std::string> bytes = Json(entry);
    if (!bytes) return Fail(bytes.error());
    Result<void> written = WriteDurably(folder_, FileOf(entry.version), *bytes);
    if (written) break;
    if (written.error().code != Code::kAlreadyExists || i == kTries) {
      return Fail(std::move(written).error());
    }
  }
  DropOldest();
  return entry;
}

std::vector<uint64_t> ConfigHistory::Versions() const {
  std::vector<uint64_t> versions;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder_, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    name.resize(name.size() - kSuffix.size());
    const auto version = ParseDecimal(name);
    if (version && *version > 0 && *version <= kMostVersions) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<ConfigVersion> ConfigHistory::Get(uint64_t version) const {
  const std::string path = FileOf(version);
  const Result<std::string> bytes = ReadRegularFile(path, kMostBytes);
  if (!bytes && bytes.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound,
                StrCat({"there is no version ", Decimal(version), " in ", folder_}));
  }
  if (!bytes) return Fail(bytes.error());
  const json object = json::parse(*bytes, nullptr, false);
  if (!object.is_object()) return Fail(Code::kIo, StrCat({path, ": not a version"}));
  ConfigVersion entry;
  entry.version = version;
  entry.parent = NumberOf<uint64_t>(object, "parent");
  entry.hash = TextOf(object, "sha256");
  entry.time = NumberOf<int64_t>(object, "time");
  entry.author = TextOf(object, "author");
  entry.reason = TextOf(object, "reason");
  entry.source = TextOf(object, "source");
  entry.file = TextOf(object, "file");
  entry.from_file = object.value("from_file", json(true)) != json(false);
  entry.text = TextOf(object, "text");
  const std::string format = TextOf(object, "format");
  const auto known = std::find(std::begin(kFormatNames), std::end(kFormatNames), format);
  if (known == std::end(kFormatNames) || ConfigHash(entry.text) != entry.hash) {
    return Fail(Code::kIo, StrCat({path, ": damaged: its hash is not that of its text"}));
  }
  entry.format = static_cast<ConfigFormat>(known - std::begin(kFormatNames));
  return entry;
}

Result<ConfigVersion> ConfigHistory::Newest() const {
  const std::vector<uint64_t> versions = Versions();
  if (versions.empty()) return Fail(Code::kNotFound, StrCat({"no version in ", folder_}));
  return Get(versions.back());
}

std::string ConfigHistory::FileOf(uint64_t version) const {
  return StrCat({folder_, "/", Decimal(version), kSuffix});
}

void ConfigHistory::DropOldest() const {
  const std::vector<uint64_t> versions = Versions();
  for (size_t i = 0; i + keep_ < versions.size(); ++i) unlink(FileOf(versions[i]).c_str());
}

}  // namespace sluice
