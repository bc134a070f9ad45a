#include "core/server/system/kernel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace sluice {
namespace {

constexpr size_t kFirstSize = 1024;
constexpr size_t kMostSize = 1 << 20;

}  // namespace

KernelFile::KernelFile(const std::string& path)
    : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}

std::string_view KernelFile::Read() {
  if (!fd_) return {};
  if (text_.empty()) text_.resize(kFirstSize);
  size_t used = 0;
  for (;;) {
    const ssize_t size =
        pread(fd_.get(), text_.data() + used, text_.size() - used, static_cast<off_t>(used));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return {};
    used += static_cast<size_t>(size);
    if (size == 0 || used >= kMostSize) return std::string_view(text_).substr(0, used);
    if (used == text_.size()) text_.resize(2 * text_.size());
  }
}

std::string ReadKernelFile(const std::string& path) { return std::string(KernelFile(path).Read()); }

}  // namespace sluice
