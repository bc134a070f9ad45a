// HeadRouteInput: a request's head as routing looks at it. Lives for one call.
#ifndef SLUICE_CORE_PROXY_HEAD_ROUTE_INPUT_H_
#define SLUICE_CORE_PROXY_HEAD_ROUTE_INPUT_H_

#include <optional>
#include <string_view>

#include "core/config/route_input.h"
#include "core/http/message.h"

namespace sluice {

class HeadRouteInput final : public RouteInput {
 public:
  HeadRouteInput(const RequestHead& head, std::string_view client_ip)
      : head_(head), client_ip_(client_ip) {
    method = head.method_name();
    authority = head.authority;
    path = head.path_only();
    query = head.query();
  }

  std::optional<std::string_view> Header(std::string_view name) const override {
    return head_.headers.GetJoined(name);
  }
  std::optional<std::string_view> CookieLine(size_t index) const override {
    std::optional<std::string_view> line;
    head_.headers.ForEachValue(HeaderId::kCookie, [&](std::string_view value) {
      if (index-- == 0) line = value;
    });
    return line;
  }
  std::string_view ClientAddress() const override { return client_ip_; }

 private:
  const RequestHead& head_;
  std::string_view client_ip_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_HEAD_ROUTE_INPUT_H_
