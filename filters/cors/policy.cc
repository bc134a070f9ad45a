#include "filters/cors/policy.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/config/route_regex.h"
#include "filters/cors/cors.pb.h"

namespace sluice::cors {
namespace {

using StringList = google::protobuf::RepeatedPtrField<std::string>;

// What is wrong with an exact origin; empty: nothing.
std::string FaultOfExact(const std::string& origin, bool credentials) {
  if (origin == "*") {
    if (!credentials) return {};
    return "\"*\" cannot go with credentials: name the origins, or use a suffix or a regex";
  }
  if (origin == "null") return {};
  const size_t scheme_end = origin.find("://");
  if (scheme_end == std::string::npos || scheme_end == 0) {
    return "expected an origin such as https://example.com, got \"" + origin + "\"";
  }
  const size_t path = origin.find_first_of("/?#", scheme_end + 3);
  if (path == std::string::npos) return {};
  return "an origin ends after host and port: write \"" + origin.substr(0, path) + "\"";
}

std::string FaultOfSuffix(const std::string& suffix) {
  if (suffix.size() > 1 && (suffix[0] == '.' || suffix.starts_with("://"))) return {};
  // "example.com" would let evilexample.com in.
  return "expected a suffix that begins with \".\" or \"://\", such as \".example.com\", got \"" +
         suffix + "\"";
}

bool IsAny(const StringList& list) {
  return std::find(list.begin(), list.end(), "*") != list.end();
}

std::string Join(const StringList& list) {
  std::string joined;
  for (const std::string& element : list) {
    if (!joined.empty()) joined += ", ";
    joined += element;
  }
  return joined;
}

// scheme://host or scheme://host:port. Browsers send nothing else; what could end in a suffix
// although its host does not is looked at here.
bool IsOrigin(std::string_view origin) {
  const size_t scheme_end = origin.find("://");
  return scheme_end != std::string_view::npos && scheme_end > 0 &&
         origin.find_first_of("/?#@\\, \t", scheme_end + 3) == std::string_view::npos;
}

}  // namespace

Policy::Policy() = default;
Policy::Policy(Policy&&) noexcept = default;
Policy& Policy::operator=(Policy&&) noexcept = default;
Policy::~Policy() = default;

Result<Policy> Policy::Compile(const CorsConfig& config) {
  Policy policy;
  for (int i = 0; i < config.origins_size(); ++i) {
    const Origin& origin = config.origins(i);
    const std::string field = StrCat({"origins[", Decimal(static_cast<uint64_t>(i)), "]."});
    if (origin.has_suffix()) {
      const std::string fault = FaultOfSuffix(origin.suffix());
      if (!fault.empty()) return Fail(Code::kInvalidArgument, StrCat({field, "suffix: ", fault}));
      policy.suffixes_.push_back(origin.suffix());
    } else if (origin.has_regex()) {
      auto regex = CompileRegex(origin.regex());
      if (!regex) {
        return Fail(Code::kInvalidArgument, StrCat({field, "regex: ", regex.error().detail}));
      }
      policy.regexes_.push_back(std::move(*regex));
    } else {
      const std::string fault = FaultOfExact(origin.exact(), config.credentials());
      if (!fault.empty()) return Fail(Code::kInvalidArgument, StrCat({field, "exact: ", fault}));
      policy.any_origin_ = policy.any_origin_ || origin.exact() == "*";
      policy.exact_.push_back(origin.exact());
    }
  }
  std::sort(policy.exact_.begin(), policy.exact_.end());

  Answer& answer = policy.answer_;
  answer.credentials = config.credentials();
  answer.private_network = config.private_network();
  answer.forward_not_matching = config.forward_not_matching_preflights();
  // With credentials a literal * means nothing to browsers, and without it does not stand for
  // Authorization: what was asked for is said back instead.
  answer.any_method = IsAny(config.methods());
  answer.any_header = IsAny(config.headers());
  if (!answer.any_method) answer.methods = Join(config.methods());
  if (!answer.any_header) answer.headers = Join(config.headers());
  if (IsAny(config.expose()) && answer.credentials) {
    return Fail(Code::kInvalidArgument,
                "expose: \"*\" cannot go with credentials: name the header fields");
  }
  answer.expose = IsAny(config.expose()) ? "*" : Join(config.expose());
  if (config.has_max_age()) {
    answer.max_age = Decimal(static_cast<uint64_t>(config.max_age() / kSecond)).view();
  }
  const auto depends_on = [&answer](std::string_view field) {
    if (!answer.preflight_vary.empty()) answer.preflight_vary += ", ";
    answer.preflight_vary += field;
  };
  if (!policy.any_origin_) depends_on("origin");
  if (answer.any_method) depends_on("access-control-request-method");
  if (answer.any_header) depends_on("access-control-request-headers");
  if (answer.private_network) depends_on("access-control-request-private-network");
  return policy;
}

bool Policy::Allows(std::string_view origin) const {
  if (any_origin_) return true;
  if (std::binary_search(exact_.begin(), exact_.end(), origin)) return true;
  const auto ends_with = [origin](const std::string& suffix) { return origin.ends_with(suffix); };
  if (std::any_of(suffixes_.begin(), suffixes_.end(), ends_with) && IsOrigin(origin)) return true;
  return std::any_of(regexes_.begin(), regexes_.end(),
                     [origin](const auto& regex) { return FullMatch(*regex, origin); });
}

}  // namespace sluice::cors
