// RouteInput: what routing looks at in a request. The proxy implements it over a request's head;
// nothing here is copied or allocated. Lives for one call; of that call's thread.
#ifndef SLUICE_CORE_CONFIG_ROUTE_INPUT_H_
#define SLUICE_CORE_CONFIG_ROUTE_INPUT_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice {

class RouteInput {
 public:
  std::string_view method;
  // The host, perhaps with a port; empty where a request has none.
  std::string_view authority;
  // Normalised, without the query. "*" (OPTIONS) and the empty path of CONNECT match routes without
  // a path condition, the prefix "/", and regexes that take them.
  std::string_view path;
  // Without the question mark.
  std::string_view query;

  // The value of the field, whatever the case of `name`; of several lines the joined one (RFC 9110
  // 5.3). Nothing if the request has no such field.
  virtual std::optional<std::string_view> Header(std::string_view name) const = 0;
  // The index-th Cookie line: HTTP/2 may split the field (RFC 9113 8.2.3), and its lines must not
  // be joined by commas. Nothing beyond the last.
  virtual std::optional<std::string_view> CookieLine(size_t index) const {
    return index == 0 ? Header("cookie") : std::nullopt;
  }
  // The client's address without the port, for hashing: its bytes or its text, but always the same.
  // Empty if unknown.
  virtual std::string_view ClientAddress() const = 0;

 protected:
  RouteInput() = default;
  RouteInput(const RouteInput&) = default;
  RouteInput& operator=(const RouteInput&) = default;
  ~RouteInput() = default;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_INPUT_H_
