#include "core/http/http1/target.h"

#include <cstring>

#include "core/base/strings.h"
#include "core/http/http1/grammar.h"

namespace sluice::http1 {
namespace {

const Fault* ReadAbsoluteForm(std::string_view target, RequestHead& head) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return &kInvalidUrl;
  const std::string_view scheme = target.substr(0, colon);
  if (EqualsIgnoreCase(scheme, "http")) {
    head.scheme = "http";
  } else if (EqualsIgnoreCase(scheme, "https")) {
    head.scheme = "https";
  } else {
    return &kInvalidUrl;
  }
  target.remove_prefix(colon + 3);
  const size_t end = target.find_first_of("/?");
  head.authority = target.substr(0, end);
  if (!IsAuthority(head.authority, false)) return &kInvalidUrl;
  if (end == std::string_view::npos) {
    head.path = head.method() == Method::kOptions ? "*" : "/";
  } else {
    head.path = target.substr(end);
    if (head.path[0] == '?') head.path = head.headers.arena().Join({"/", head.path});
  }
  head.headers.SetView(HeaderId::kHost, head.authority);
  return nullptr;
}

}  // namespace

const Fault* ReadTarget(std::string_view target, RequestHead& head) {
  const std::optional<std::string_view> host = head.headers.Get(HeaderId::kHost);
  if (host) {
    if (head.headers.Count(HeaderId::kHost) > 1) return &kInvalidHost;
    if (!IsAuthority(*host, false)) return &kInvalidHost;
    head.authority = *host;
  } else if (head.protocol != Protocol::kHttp10) {
    return &kMissingHost;
  }
  if (std::memchr(target.data(), '#', target.size()) != nullptr) return &kInvalidUrl;
  if (head.method() == Method::kConnect) {
    if (!IsAuthority(target, true)) return &kInvalidUrl;
    head.authority = target;
    head.headers.SetView(HeaderId::kHost, target);
    return nullptr;
  }
  if (target[0] == '/') {
    head.path = target;
    return nullptr;
  }
  if (target == "*") {
    if (head.method() != Method::kOptions) return &kInvalidUrl;
    head.path = target;
    return nullptr;
  }
  return ReadAbsoluteForm(target, head);
}

}  // namespace sluice::http1
