#include "core/proxy/edge.h"

#include <algorithm>
#include <string>

#include "core/base/strings.h"
#include "core/http/path.h"

namespace sluice {
namespace {

constexpr std::string_view kPrivatePrefix = "x-sluice-";

// Also with underscores: CGI and its heirs take both for the same name.
bool IsPrivate(const Headers::Entry& entry) {
  if (entry.id != HeaderId::kOther || entry.name.size() <= kPrivatePrefix.size()) return false;
  for (size_t i = 0; i < kPrivatePrefix.size(); ++i) {
    const char c = entry.name[i] == '_' ? '-' : LowerAscii(entry.name[i]);
    if (c != kPrivatePrefix[i]) return false;
  }
  return true;
}

// A field that is a known one but for its underscores, such as Transfer_Encoding or
// X_Forwarded_For: to CGI and its heirs it is that one, and says what the client chose.
bool IsTwin(const Headers::Entry& entry) {
  constexpr size_t kLongest = 64;  // of known names, with room
  if (entry.id != HeaderId::kOther || entry.name.size() > kLongest ||
      entry.name.find('_') == std::string_view::npos) {
    return false;
  }
  char name[kLongest];
  std::replace_copy(entry.name.begin(), entry.name.end(), name, '_', '-');
  return FindHeaderId(std::string_view(name, entry.name.size())) != HeaderId::kOther;
}

// What a client that is not trusted may not set.
void RemovePrivate(const ListenerSettings& settings, Headers& headers) {
  headers.RemoveIf([&settings](const Headers::Entry& entry) {
    return IsTwin(entry) || (!settings.keep_private_headers && IsPrivate(entry));
  });
}

LocalReply BadPath() {
  LocalReply reply;
  reply.status = 400;
  reply.body = "bad path\n";
  reply.flag = ResponseFlag::kDownstreamProtocolError;
  reply.details = "path_normalization_failed";
  return reply;
}

std::optional<LocalReply> PreparePath(const ListenerSettings& settings, RequestHead& head,
                                      Arena& arena) {
  if (head.path.empty() || head.path[0] != '/') return {};  // CONNECT and OPTIONS *
  PathOptions options;
  options.normalize = settings.normalize_path;
  options.merge_slashes = settings.merge_slashes;
  options.escaped_slashes =
      settings.escaped_slashes == EscapedSlashRule::kKeep     ? EscapedSlashes::kKeep
      : settings.escaped_slashes == EscapedSlashRule::kReject ? EscapedSlashes::kReject
                                                              : EscapedSlashes::kRedirect;
  Result<NormalPath> path = NormalizePath(head.path, options, arena);
  if (!path) return BadPath();
  head.path = path->path;
  if (!path->redirect) return {};
  LocalReply reply;
  reply.status = 307;
  reply.details = "path_normalization_redirect";
  // Two slashes in front would name a host: "/." in between keeps path and host (RFC 3986 4.2).
  const std::string_view guard = head.path.starts_with("//") ? "/." : "";
  reply.headers.emplace_back("location", StrCat({guard, head.path}));
  reply.unmapped = true;
  return reply;
}

// The client as x-forwarded-for tells it: the entry that the last trusted proxy of ours wrote.
std::string_view ForwardedClient(const EdgeInput& input, std::string_view forwarded) {
  const ListenerSettings& settings = input.settings;
  std::string_view client = input.remote_ip;
  uint32_t hops = settings.trusted_hops;
  bool believed = hops > 0 || input.remote_is_trusted;
  while (believed && !forwarded.empty()) {
    const size_t comma = forwarded.rfind(',');
    const std::string_view entry =
        TrimBlanks(comma == std::string_view::npos ? forwarded : forwarded.substr(comma + 1));
    const std::optional<Address> address = Address::ParseIp(entry);
    if (!address) break;
    client = entry;
    forwarded = comma == std::string_view::npos ? std::string_view() : forwarded.substr(0, comma);
    if (hops > 0) --hops;
    believed = hops > 0;
    for (const Cidr& cidr : settings.trusted_cidrs) {
      if (cidr.Contains(*address)) believed = true;
    }
  }
  return client;
}

void PrepareForwarded(const EdgeInput& input, RequestHead& head, StreamInfo& info, bool trusted) {
  Headers& headers = head.headers;
  Arena& arena = headers.arena();
  info.client_ip = input.remote_ip;
  std::optional<std::string_view> forwarded;
  if (headers.Has(HeaderId::kXForwardedFor)) forwarded = headers.GetJoined("x-forwarded-for");
  if (forwarded && trusted) info.client_ip = ForwardedClient(input, *forwarded);
  if (!input.settings.x_forwarded) return;
  if (forwarded) {
    headers.SetView(HeaderId::kXForwardedFor, arena.Join({*forwarded, ", ", input.remote_ip}));
  } else {
    headers.AddView(HeaderId::kXForwardedFor, input.remote_ip);
  }
  const std::string_view scheme = input.tls ? "https" : "http";
  if (!trusted || !headers.Has(HeaderId::kXForwardedProto)) {
    headers.SetView(HeaderId::kXForwardedProto, scheme);
  }
  if (!head.authority.empty() && (!trusted || !headers.Has(HeaderId::kXForwardedHost))) {
    headers.SetView(HeaderId::kXForwardedHost, head.authority);
  }
}

// The field that says the priority, also where it hides behind underscores.
bool IsNamed(const Headers::Entry& entry, std::string_view name) {
  return std::equal(entry.name.begin(), entry.name.end(), name.begin(), name.end(),
                    [](char a, char b) {
                      return (a == '_' ? '-' : LowerAscii(a)) == (b == '_' ? '-' : LowerAscii(b));
                    });
}

void RemovePriority(const ListenerSettings& settings, Headers& headers) {
  headers.RemoveIf([name = std::string_view(settings.priority_header)](
                       const Headers::Entry& entry) { return IsNamed(entry, name); });
}

// What is not believed, or says nothing that we know, goes no further.
void PreparePriority(const ListenerSettings& settings, Headers& headers, StreamInfo& info,
                     bool trusted) {
  if (settings.priority_header.empty()) return;
  const auto said = trusted ? headers.GetJoined(settings.priority_header) : std::nullopt;
  const auto priority = said ? ParseRequestPriority(TrimBlanks(*said)) : std::nullopt;
  if (!priority) return RemovePriority(settings, headers);
  info.priority = *priority;
  info.priority_said = true;
}

void PrepareRequestId(RequestHead& head, StreamInfo& info, Random& random, bool trusted) {
  Headers& headers = head.headers;
  if (trusted && headers.Has(HeaderId::kXRequestId)) {
    info.request_id = *headers.Get(HeaderId::kXRequestId);
    return;
  }
  char* id = static_cast<char*>(headers.arena().Allocate(36, 1));
  WriteUuid4(random, id);
  info.request_id = {id, 36};
  headers.SetView(HeaderId::kXRequestId, info.request_id);
}

std::string_view ViaVersion(Protocol protocol) {
  constexpr std::string_view kVersions[] = {"1.0 ", "1.1 ", "2 "};
  return kVersions[static_cast<size_t>(protocol)];
}

void AddVia(const ListenerSettings& settings, Protocol protocol, Headers& headers) {
  if (settings.via.empty()) return;
  headers.AddView(HeaderId::kVia, headers.arena().Join({ViaVersion(protocol), settings.via}));
}

bool BelievesPeer(const EdgeInput& input) {
  return input.remote_is_trusted || input.settings.trusted_hops > 0;
}

}  // namespace

std::optional<LocalReply> PrepareRequest(const EdgeInput& input, RequestHead& head,
                                         StreamInfo& info, Random& random) {
  const ListenerSettings& settings = input.settings;
  info.original_path = head.path;
  if (head.scheme.empty()) head.scheme = input.tls ? "https" : "http";
  const bool trusted = BelievesPeer(input);
  if (!trusted) RemovePrivate(settings, head.headers);
  PrepareForwarded(input, head, info, trusted);
  PreparePriority(settings, head.headers, info, trusted);
  if (settings.request_id) PrepareRequestId(head, info, random, trusted);
  AddVia(settings, head.protocol, head.headers);
  return PreparePath(settings, head, head.headers.arena());
}

void PrepareTrailers(const EdgeInput& input, Headers& trailers) {
  const ListenerSettings& settings = input.settings;
  if (!BelievesPeer(input)) RemovePrivate(settings, trailers);
  // What the head says of these is ours: an upstream that merges trailers into it would believe the
  // client instead.
  if (settings.x_forwarded) {
    trailers.Remove(HeaderId::kXForwardedFor);
    trailers.Remove(HeaderId::kXForwardedProto);
    trailers.Remove(HeaderId::kXForwardedHost);
  }
  if (settings.request_id) trailers.Remove(HeaderId::kXRequestId);
  if (!settings.priority_header.empty()) RemovePriority(settings, trailers);
}

void PrepareResponse(const ListenerSettings& settings, ResponseHead& head, bool local,
                     std::string_view date) {
  Headers& headers = head.headers;
  if (!local) AddVia(settings, head.protocol, headers);
  switch (settings.server_header) {
    case ServerHeaderMode::kOverwrite:
      headers.SetView(HeaderId::kServer, settings.server_name);
      break;
    case ServerHeaderMode::kPass:
      if (!headers.Has(HeaderId::kServer)) headers.AddView(HeaderId::kServer, settings.server_name);
      break;
    case ServerHeaderMode::kDrop:
      headers.Remove(HeaderId::kServer);
      break;
  }
  if (!headers.Has(HeaderId::kDate)) headers.Add(HeaderId::kDate, date);
}

}  // namespace sluice
