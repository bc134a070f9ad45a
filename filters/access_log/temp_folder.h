// A folder of the test's own that is gone afterwards, and what its files hold.
#ifndef SLUICE_FILTERS_ACCESS_LOG_TEMP_FOLDER_H_
#define SLUICE_FILTERS_ACCESS_LOG_TEMP_FOLDER_H_

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "core/base/check.h"

namespace sluice::access_log {

class TempFolder {
 public:
  TempFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "access_log.XXXXXX").string();
    CHECK(mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // "(none)" if there is no such file.
  std::string Read(const std::string& name) const {
    std::ifstream file(Path(name), std::ios::binary);
    if (!file) return "(none)";
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

}  // namespace sluice::access_log

#endif  // SLUICE_FILTERS_ACCESS_LOG_TEMP_FOLDER_H_
