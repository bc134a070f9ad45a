#include "core/config/route_values.h"

#include "core/base/strings.h"

namespace sluice {
namespace {

// Takes what comes before the next `separator` off `rest`.
std::string_view TakePart(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return part;
}

}  // namespace

std::optional<std::string_view> FindQueryParameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = TakePart(query, '&');
    if (value.empty()) continue;
    if (TakePart(value, '=') == name) return value;
  }
  return {};
}

std::optional<std::string_view> FindCookie(const RouteInput& input, std::string_view name) {
  for (size_t i = 0;; ++i) {
    std::optional<std::string_view> line = input.CookieLine(i);
    if (!line) return {};
    while (!line->empty()) {
      const std::string_view pair = TrimBlanks(TakePart(*line, ';'));
      const size_t equals = pair.find('=');
      if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
        return pair.substr(equals + 1);
      }
    }
  }
}

}  // namespace sluice
