#include "core/stats/segment_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/base/strings.h"
#include "core/stats/layout.h"
#include "core/stats/segment_check.h"

namespace sluice {
namespace {

// The error of a system call on the file, with what to do about it where that is known.
tl::unexpected<Error> FileError(std::string_view what, const std::string& path, int error) {
  Error failed = SystemError(StrCat({"stats: ", what, " ", path}), error);
  if (error == ENOSPC || error == ENOMEM) {
    failed.code = Code::kExhausted;
    failed.detail += ": shared memory is full; make room, or set stats.path";
  } else if (error == ENOENT) {
    failed.detail += ": no such folder? stats.path names another place";
  }
  return Fail(std::move(failed));
}

std::unique_ptr<StatsSegmentHeader> NewHeader(const StatsFileOptions& options) {
  auto header = std::make_unique<StatsSegmentHeader>();
  header->magic = kStatsMagic;
  header->layout_version = kStatsLayoutVersion;
  header->size = options.size;
  const std::string boot = StatsBootId();
  std::memcpy(header->boot_id, boot.data(), boot.size());
  header->limits = options.limits;
  header->pages_used = static_cast<uint32_t>(RegionsOf(options.limits).pages / kStatsPage);
  return header;
}

// Makes an empty file a segment.
Result<void> Fill(int fd, const std::string& path, const StatsFileOptions& options) {
  rlimit limit{};
  // Beyond it ftruncate would end the process (SIGXFSZ).
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && options.size > limit.rlim_cur) {
    return FileError("sizing", path, EFBIG);
  }
  if (ftruncate(fd, static_cast<off_t>(options.size)) != 0) {
    return FileError("sizing", path, errno);
  }
  const int error = options.reserver(fd, 0, sizeof(StatsSegmentHeader));
  if (error != 0) return FileError("reserving memory in", path, error);
  const auto header = NewHeader(options);
  if (pwrite(fd, header.get(), sizeof(*header), 0) != ssize_t{sizeof(*header)}) {
    return FileError("writing", path, errno);
  }
  return {};
}

}  // namespace

Result<void> CheckStatsFileOptions(const StatsFileOptions& options) {
  if (options.size < kStatsMinSize || options.size > kStatsMaxSize) {
    return Fail(Code::kInvalidArgument, "stats: expected a size of 1MiB to 16GiB");
  }
  // What the checks of an attach would refuse must not be made.
  if (options.limits.max_series > kStatsMaxScalars + kStatsMaxHistograms + kStatsMaxWords ||
      options.limits.max_histograms > kStatsMaxHistograms ||
      options.limits.max_words > kStatsMaxWords ||
      options.limits.max_families > kStatsMaxFamilies || options.limits.text_size > kStatsMaxText ||
      RegionsOf(options.limits).pages > options.size) {
    return Fail(Code::kInvalidArgument, "stats: limits out of range");
  }
  return {};
}

namespace {

std::string_view KindOf(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// Anybody may make something in /dev/shm that has our name. It is not ours to remove.
tl::unexpected<Error> InTheWay(const std::string& path, std::string_view kind,
                               const struct stat& found) {
  return Fail(Code::kPermission,
              StrCat({"stats: ", path, " is ", kind, " of user ", Decimal(found.st_uid),
                      ", expected a regular file of user ", Decimal(geteuid()),
                      "; remove it, or set stats.path to a folder that only the proxy's user "
                      "writes to"}));
}

// What the header says to be in use must be there: a page that is not would be SIGBUS.
Result<void> ReserveAgain(const std::string& path, int fd, const StatsSegmentHeader& header,
                          uint64_t file_bytes, StatsMemory::Reserver reserver) {
  const StatsRegions at = RegionsOf(header.limits);
  const struct {
    uint64_t begin;
    uint64_t bytes;
  } parts[] = {
      {0, sizeof(StatsSegmentHeader)},
      {at.families, uint64_t{header.family_count} * sizeof(StatsFamilyEntry)},
      {at.series, uint64_t{header.series_count} * sizeof(StatsSeriesEntry)},
      {at.text, uint64_t{header.text_used} * sizeof(StatsCell)},
      {at.words, uint64_t{header.words_used} * sizeof(StatsWord)},
      {at.pages, uint64_t{header.pages_used} * kStatsPage - at.pages},
  };
  uint64_t bytes = 0;
  for (const auto& part : parts) bytes += part.bytes;
  if (bytes > file_bytes) {
    return Fail(Code::kInvalidArgument, StrCat({"it says to use ", Decimal(bytes),
                                                " bytes, but has ", Decimal(file_bytes)}));
  }
  if (reserver == nullptr) return {};
  for (const auto& part : parts) {
    if (part.bytes == 0) continue;
    const int error = reserver(fd, part.begin, part.bytes);
    if (error != 0) return FileError("reserving memory in", path, error);
  }
  return {};
}

}  // namespace

Result<Fd> OpenStatsFile(const std::string& path, std::optional<uid_t> owner) {
  // Without waiting for whoever might write to it, were it a pipe.
  Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  const int error = errno;
  if (!fd && error == ENOENT) return FileError("opening", path, error);
  struct stat found {};
  const int looked = fd ? fstat(fd.get(), &found) : lstat(path.c_str(), &found);
  if (looked != 0) return FileError("looking at", path, errno);
  if (!S_ISREG(found.st_mode)) return InTheWay(path, KindOf(found.st_mode), found);
  if (found.st_uid != geteuid() && found.st_uid != owner) return InTheWay(path, "a file", found);
  if (!fd) return FileError("opening", path, error);
  return fd;
}

Result<Fd> OpenStatsFileForReading(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return Fail(SystemError(path, errno));
  struct stat found {};
  if (fstat(fd.get(), &found) != 0) return Fail(SystemError(path, errno));
  if (!S_ISREG(found.st_mode)) {
    return Fail(Code::kInvalidArgument, StrCat({path, ": it is not a regular file"}));
  }
  return fd;
}

Result<void> MakeStatsFile(const std::string& path, const StatsFileOptions& options) {
  std::string name = path + ".new.XXXXXX";
  const Fd fd(mkostemp(name.data(), O_CLOEXEC));  // 0600
  if (!fd) return FileError("making", path, errno);
  Result<void> made = Fill(fd.get(), path, options);
  if (made && options.owner && geteuid() == 0 &&
      fchown(fd.get(), *options.owner, static_cast<gid_t>(-1)) != 0) {
    made = FileError("making over", path, errno);
  }
  // link, unlike rename, replaces nothing.
  if (made && link(name.c_str(), path.c_str()) != 0) {
    made = errno == EEXIST ? Fail(Code::kAlreadyExists, path) : FileError("making", path, errno);
  }
  unlink(name.c_str());
  return made;
}

Result<Fd> MakeNamelessStatsFile(const StatsFileOptions& options) {
  Fd fd(memfd_create("sluice-stats", MFD_CLOEXEC));
  if (!fd) return FileError("making", "an anonymous segment", errno);
  SLUICE_TRY(Fill(fd.get(), "an anonymous segment", options));
  return fd;
}

bool IsStatsFileAt(const std::string& path, int fd) {
  struct stat ours {};
  struct stat there {};
  return fstat(fd, &ours) == 0 && lstat(path.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

Result<void> SetStatsFileAside(const std::string& path) {
  if (rename(path.c_str(), (path + ".old").c_str()) == 0) return {};
  return FileError(StrCat({"renaming to ", path, ".old"}), path, errno);
}

Result<StatsFileFound> CheckStatsFile(const std::string& path, int fd, uint64_t expected_size,
                                      StatsMemory::Reserver reserver) {
  struct stat file {};
  if (fstat(fd, &file) != 0) return FileError("looking at", path, errno);
  const auto size = static_cast<uint64_t>(file.st_size);
  // Read, not mapped: reading needs no page to be there.
  const auto header = std::make_unique<StatsSegmentHeader>();
  if (pread(fd, header.get(), sizeof(*header), 0) != ssize_t{sizeof(*header)}) {
    return Fail(Code::kInvalidArgument, StrCat({"it has only ", Decimal(size), " bytes"}));
  }
  SLUICE_TRY(CheckStatsHeader(*header, size));
  // Again, after the counts were read: what they count was reserved before.
  if (fstat(fd, &file) != 0) return FileError("looking at", path, errno);
  if (expected_size != 0 && size != expected_size) {
    return Fail(Code::kInvalidArgument,
                StrCat({"size ", Decimal(size), ", expected ", Decimal(expected_size)}));
  }
  SLUICE_TRY(
      ReserveAgain(path, fd, *header, static_cast<uint64_t>(file.st_blocks) * 512, reserver));
  return StatsFileFound{size, header->limits};
}

}  // namespace sluice
