#include "core/server/process.h"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/base/strings.h"
#include "core/net/listen_socket.h"

namespace sluice {
namespace {

constexpr uid_t kNobodyNamed = static_cast<uid_t>(-1);

// Sets the groups too: those of root must not stay.
Result<void> BecomeGroups(uid_t user, gid_t group) {
  const passwd* entry = user == kNobodyNamed ? nullptr : getpwuid(user);
  const int result = entry != nullptr ? initgroups(entry->pw_name, group) : setgroups(1, &group);
  if (result != 0) return Fail(SystemError("setgroups", errno));
  if (setgid(group) != 0) return Fail(SystemError("setgid", errno));
  return {};
}

}  // namespace

uint64_t RaiseFdLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur != limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

uint32_t ConnectionsFor(uint64_t fd_limit, uint64_t reserved) {
  if (fd_limit <= reserved + 2) return 1;
  return static_cast<uint32_t>(std::min<uint64_t>((fd_limit - reserved) / 2, UINT32_MAX));
}

std::string UserName(uid_t user) {
  const passwd* const entry = getpwuid(user);
  return entry != nullptr ? entry->pw_name : std::to_string(user);
}

Result<FileOwner> FindIdentity(std::string_view user, std::string_view group) {
  const Result<uid_t> uid = FindUser(user);
  if (!uid) return Fail(uid.error());
  const Result<gid_t> gid = FindGroup(group);
  if (!gid) return Fail(gid.error());
  if (user.empty() || !group.empty()) return FileOwner{*uid, *gid};
  const passwd* entry = getpwuid(*uid);
  if (entry == nullptr) {
    return Fail(Code::kNotFound,
                StrCat({"user \"", user, "\" has no entry that says its group: set `group`"}));
  }
  return FileOwner{*uid, entry->pw_gid};
}

Result<void> DropPrivileges(std::string_view user, std::string_view group) {
  if (user.empty() && group.empty()) return {};
  const Result<FileOwner> found = FindIdentity(user, group);
  if (!found) return Fail(found.error());
  const uid_t uid = found->user;
  const bool same = (user.empty() || uid == geteuid()) && found->group == getegid();
  if (same && geteuid() != 0) return {};
  SLUICE_TRY(BecomeGroups(uid, found->group));
  if (user.empty()) return {};
  if (setuid(uid) != 0) return Fail(SystemError("setuid", errno));
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid ||
      saved != uid || (uid != 0 && setuid(0) == 0)) {
    return Fail(Code::kPermission, StrCat({"could not become user \"", user, "\" for good"}));
  }
  return {};
}

uint32_t AvailableCores() {
  // Larger machines than the plain cpu_set_t says have more than 1024 cores.
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return static_cast<uint32_t>(std::max(1, CPU_COUNT(&cores)));
  }
  return static_cast<uint32_t>(std::max<int64_t>(1, sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace sluice
