#include "core/base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/strings.h"

namespace sluice {

Result<std::string> ReadRegularFile(const std::string& path, size_t most) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return Fail(SystemError(StrCat({path, ": open"}), errno));
  struct stat about {};
  if (fstat(fd.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
    return Fail(Code::kInvalidArgument, StrCat({path, ": not a regular file"}));
  }
  std::string text;
  char piece[4096];
  while (text.size() <= most) {
    const ssize_t got = read(fd.get(), piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(SystemError(StrCat({path, ": read"}), errno));
    if (got == 0) return text;
    text.append(piece, static_cast<size_t>(got));
  }
  return Fail(Code::kOverflow, StrCat({path, ": larger than ", Decimal(most / 1024), " KiB"}));
}

}  // namespace sluice
