// KernelFile: a text file of /proc or of a cgroup, read again and again; the kernel writes it anew
// for each read. Kept open. Owned by who reads it, on its thread.
#ifndef SLUICE_CORE_SERVER_SYSTEM_KERNEL_FILE_H_
#define SLUICE_CORE_SERVER_SYSTEM_KERNEL_FILE_H_

#include <string>
#include <string_view>

#include "core/base/fd.h"

namespace sluice {

class KernelFile {
 public:
  // One that cannot be opened reads as empty.
  explicit KernelFile(const std::string& path);

  // All of it, valid until the next Read; empty if it cannot be read.
  std::string_view Read();

 private:
  Fd fd_;
  std::string text_;
};

// A file that is opened for it: for what is read seldom.
std::string ReadKernelFile(const std::string& path);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_SYSTEM_KERNEL_FILE_H_
