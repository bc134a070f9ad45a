// TempFolder: a folder for a test's files, gone with all in it when the object is.
#ifndef SLUICE_TESTS_SUPPORT_TEMP_FOLDER_H_
#define SLUICE_TESTS_SUPPORT_TEMP_FOLDER_H_

#include <string>
#include <string_view>

namespace sluice::test {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(std::string_view name) const;
  // Writes a file; returns its path.
  std::string Write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

// A whole file; fails the test if it cannot be read.
std::string ReadWholeFile(const std::string& path);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_TEMP_FOLDER_H_
