#include "core/server/admin/admin_guard.h"

#include <sys/socket.h>

#include "core/base/strings.h"

namespace sluice {
namespace {

bool IsSocketFile(const ConnectionInfo& connection) {
  return connection.local.is_unix() && !connection.local.unix_name().starts_with('@');
}

// In a time that says nothing of where they differ.
bool SameText(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

// What nobody's DNS can give another meaning.
bool IsSureHost(std::string_view host) {
  if (host == "localhost" || host.starts_with("localhost:")) return true;
  const size_t end = host.find(host.starts_with('[') ? ']' : ':');
  if (host.starts_with('[')) {
    return end != std::string_view::npos && Address::ParseIp(host.substr(1, end - 1)).has_value();
  }
  return Address::ParseIp(host.substr(0, end)).has_value();
}

}  // namespace

bool AdminGuard::Knows(std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (!EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme)) return false;
  return SameText(TrimBlanks(authorization.substr(kScheme.size())), token_);
}

std::optional<AdminReply> AdminGuard::Refuse(const RequestHead& head,
                                             const ConnectionInfo& connection,
                                             const AdminRow* row) const {
  if (IsSocketFile(connection)) return std::nullopt;
  if (!token_.empty()) {
    if (row != nullptr && row->open) return std::nullopt;
    if (Knows(head.headers.Get(HeaderId::kAuthorization).value_or(""))) return std::nullopt;
    AdminReply reply = AdminError(401, "send Authorization: Bearer TOKEN, with admin.token");
    reply.headers.emplace_back("www-authenticate", "Bearer");
    return reply;
  }
  if (row == nullptr || row->kind != AdminKind::kAction) return std::nullopt;
  if (head.headers.Has("origin") || head.headers.Has("sec-fetch-site")) {
    return AdminError(403, "actions are not for web pages, unless admin.token is set and sent");
  }
  if (!IsSureHost(head.authority)) {
    return AdminError(403, StrCat({"ask by IP address or as localhost, not as \"", head.authority,
                                   "\": a name may be anybody's, and there is no admin.token"}));
  }
  return std::nullopt;
}

std::string AdminClientName(const ConnectionInfo& connection) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (connection.local.is_unix() &&
      getsockopt(connection.fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) {
    return StrCat({"uid ", std::to_string(peer.uid), ", pid ", std::to_string(peer.pid)});
  }
  return connection.remote.ToString();
}

}  // namespace sluice
