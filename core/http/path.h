// Normalises the path of a request target, so that routes, filters and upstreams all see the same
// one: dot segments (RFC 3986 5.2.4), percent-encoded unreserved characters, empty segments,
// escaped slashes. The query is never touched. Pure; doing it twice changes nothing more.
#ifndef SLUICE_CORE_HTTP_PATH_H_
#define SLUICE_CORE_HTTP_PATH_H_

#include <cstdint>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/result.h"

namespace sluice {

// What to do with %2F, %5C and a backslash, which some servers take for a slash and some do not.
enum class EscapedSlashes : uint8_t {
  kKeep,
  kReject,
  kRedirect,  // they become slashes, and the client is sent there
};

struct PathOptions {
  bool normalize = true;       // dot segments, percent-decoding, upper-case escapes
  bool merge_slashes = false;  // "//" becomes "/"
  EscapedSlashes escaped_slashes = EscapedSlashes::kKeep;
};

struct NormalPath {
  std::string_view path;  // with the query; the very view that was given if nothing had to change
  bool redirect = false;  // answer with a redirect to `path`
};

// `path` as RequestHead has it: path and query, "*", or empty. The result lives as long as `path`
// and the arena. Fails (kProtocol) on a fragment, a control byte, a broken or zero percent-escape,
// and on what kReject rejects.
Result<NormalPath> NormalizePath(std::string_view path, const PathOptions& options, Arena& arena);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_PATH_H_
