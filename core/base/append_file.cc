#include "core/base/append_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/strings.h"

namespace sluice {
namespace {

bool MayAccess(const std::string& path, int mode) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

}  // namespace

Result<void> MakeFileOf(const std::string& path, const FileOwner& owner) {
  const FileOwner nobody;
  if (owner.user == nobody.user && owner.group == nobody.group) return {};
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
  if (fd < 0) return {};
  const int error = fchown(fd, owner.user, owner.group) == 0 ? 0 : errno;
  close(fd);
  if (error != 0) return Fail(SystemError(StrCat({"chown ", path}), error));
  return {};
}

Result<void> CheckAppend(const std::string& path) {
  const auto fail = [&path](int error) {
    return Fail(SystemError(StrCat({"open ", path}), error));
  };
  struct stat about {};
  if (stat(path.c_str(), &about) == 0) {
    if (S_ISDIR(about.st_mode)) return fail(EISDIR);
    if (!MayAccess(path, W_OK)) return fail(errno);
    return {};
  }
  if (errno != ENOENT) return fail(errno);
  const size_t slash = path.rfind('/');
  if (slash == path.size() - 1) return fail(EISDIR);
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  if (!MayAccess(folder, W_OK | X_OK)) return fail(errno);
  return {};
}

}  // namespace sluice
