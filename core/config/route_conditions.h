// RouteConditions: what a route asks of a request besides the place of its path in the index:
// method, header fields, query parameters, cookies, a share. Owned by a RouteMatcher; immutable,
// read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_CONDITIONS_H_
#define SLUICE_CORE_CONFIG_ROUTE_CONDITIONS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/random.h"
#include "core/base/result.h"
#include "core/config/route_fraction.h"
#include "core/config/route_input.h"

namespace re2 {
class RE2;
}

namespace sluice {
namespace config {
class Config;
class Fraction;
class Match;
class ValueMatch;
}  // namespace config

// The test of one header field, query parameter or cookie. Where the value is missing, every test
// fails but that it be absent.
class RouteValueTest {
 public:
  // Errors begin with the field's name: "regex: ...".
  static Result<RouteValueTest> Compile(const config::ValueMatch& match);

  RouteValueTest(RouteValueTest&&) noexcept;
  ~RouteValueTest();

  const std::string& name() const { return name_; }
  bool Holds(std::optional<std::string_view> value) const;

 private:
  enum class Kind : uint8_t { kPresent, kAbsent, kExact, kPrefix, kSuffix, kRegex, kRange };

  RouteValueTest();
  bool Fits(std::string_view value) const;

  Kind kind_ = Kind::kPresent;
  bool invert_ = false;
  std::string name_;
  std::string text_;
  std::unique_ptr<re2::RE2> regex_;
  int64_t start_ = 0;  // whole numbers from here
  int64_t end_ = 0;    // up to, not including, here
};

// The share that `runtime` has for the fraction's key, or else the fraction's own.
RouteFraction CompileFraction(const config::Fraction& fraction, const config::Config& config);

class RouteConditions {
 public:
  // Errors begin with the field's name: "headers[0].regex: ...". The path is not looked at.
  static Result<RouteConditions> Compile(const config::Match& match, const config::Config& config);

  // No condition: holds always.
  bool none() const;
  // The fraction is drawn last, if all else holds.
  bool Hold(const RouteInput& input, Random& random) const;

 private:
  std::vector<std::string> methods_;
  std::vector<RouteValueTest> headers_;
  std::vector<RouteValueTest> query_;
  std::vector<RouteValueTest> cookies_;
  RouteFraction fraction_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_CONDITIONS_H_
