// The compiled table against the plainest matcher there can be: for random routes and requests,
// both must find the same route, with the same random draws. Every round has its own seed, which a
// failure shows.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

template <size_t kSize>
const char* OneOf(Random& random, const char* const (&choices)[kSize]) {
  return choices[random.Below(kSize)];
}

// ---- the reference ------------------------------------------------------------------------------

class Reference {
 public:
  explicit Reference(const config::Listener& listener) : listener_(listener) {}

  const config::Route* Match(const TestInput& input, Random& random) {
    if (listener_.hosts().empty()) return First(listener_.routes(), input, random);
    const config::Host* host = FindHost(std::string(input.authority));
    return host == nullptr ? nullptr : First(host->routes(), input, random);
  }

  const config::Host* FindHost(std::string name) const {
    if (const size_t colon = name.rfind(':'); colon != std::string::npos) name.resize(colon);
    if (name.ends_with('.')) name.pop_back();
    name = LowerAscii(name);
    const config::Host* best = nullptr;
    int best_rank = 0;
    for (const config::Host& host : listener_.hosts()) {
      for (const std::string& domain : host.domains()) {
        const int rank = Rank(domain, name);
        if (rank > best_rank) {
          best = &host;
          best_rank = rank;
        }
      }
    }
    return best;
  }

 private:
  using Routes = google::protobuf::RepeatedPtrField<config::Route>;

  // How specific the domain is for the name; 0: it does not match.
  static int Rank(std::string domain, const std::string& name) {
    const int size = static_cast<int>(domain.size());
    if (domain == "*") return 1;
    if (domain.ends_with(".*")) {
      domain.pop_back();
      return name.starts_with(domain) && name.size() > domain.size() ? 1000 + size : 0;
    }
    if (domain.starts_with("*.")) {
      domain.erase(0, 1);
      return name.ends_with(domain) && name.size() > domain.size() ? 2000 + size : 0;
    }
    return domain == name ? 3000 : 0;
  }

  const config::Route* First(const Routes& routes, const TestInput& input, Random& random) {
    for (const config::Route& route : routes) {
      if (Takes(route.match(), input, random)) return &route;
    }
    return nullptr;
  }

  bool Takes(const config::Match& match, const TestInput& input, Random& random) {
    if (!TakesPath(match, std::string(input.path))) return false;
    const auto& methods = match.methods();
    if (!methods.empty() && std::count(methods.begin(), methods.end(), input.method) == 0) {
      return false;
    }
    for (const config::ValueMatch& each : match.headers()) {
      if (!Holds(each, input.Header(each.name()))) return false;
    }
    for (const config::ValueMatch& each : match.query()) {
      if (!Holds(each, Parameter(std::string(input.query), '&', each.name()))) return false;
    }
    for (const config::ValueMatch& each : match.cookies()) {
      const std::string cookies(input.Header("cookie").value_or(""));
      if (!Holds(each, Parameter(cookies, ';', each.name()))) return false;
    }
    if (!match.has_fraction() || match.fraction().percent() >= 100) return true;
    if (match.fraction().percent() <= 0) return false;
    return random.Fraction() < match.fraction().percent() / 100;
  }

  bool TakesPath(const config::Match& match, const std::string& path) {
    switch (match.path_condition_case()) {
      case config::Match::kPrefix:
        return match.prefix() == "/" || path.rfind(match.prefix(), 0) == 0;
      case config::Match::kPath:
        return path == match.path();
      case config::Match::kPathPrefix:
        return match.path_prefix() == "/" || path == match.path_prefix() ||
               path.rfind(match.path_prefix() + "/", 0) == 0;
      case config::Match::kRegex:
        return Full(match.regex(), path);
      case config::Match::PATH_CONDITION_NOT_SET:
        return true;
    }
    return false;
  }

  bool Holds(const config::ValueMatch& match, std::optional<std::string_view> view) {
    if (match.has_present()) return (view.has_value() == match.present()) != match.invert();
    if (!view) return match.invert();
    const std::string value(*view);
    bool fits = true;
    if (match.has_exact()) fits = value == match.exact();
    if (match.has_prefix()) fits = value.starts_with(match.prefix());
    if (match.has_suffix()) fits = value.ends_with(match.suffix());
    if (match.has_regex()) fits = Full(match.regex(), value);
    if (match.has_range()) {
      const bool number = !value.empty() && value.find_first_not_of("0123456789") == value.npos;
      fits = number && std::stoll(value) >= match.range().start() &&
             std::stoll(value) < match.range().end();
    }
    return fits != match.invert();
  }

  static std::optional<std::string_view> Parameter(std::string_view text, char separator,
                                                   const std::string& name) {
    // Test values hold no escapes and no empty parts; cookies are written "a=1; b=2".
    static std::string kept;
    kept = text;
    size_t begin = 0;
    while (begin < kept.size()) {
      size_t end = kept.find(separator, begin);
      if (end == std::string::npos) end = kept.size();
      std::string_view part = std::string_view(kept).substr(begin, end - begin);
      if (part.starts_with(' ')) part.remove_prefix(1);
      if (part.starts_with(name + "=")) return part.substr(name.size() + 1);
      begin = end + 1;
    }
    return {};
  }

  bool Full(const std::string& pattern, const std::string& text) {
    auto& regex = regexes_[pattern];
    if (regex == nullptr) regex = std::make_unique<re2::RE2>(pattern);
    return re2::RE2::FullMatch(text, *regex);
  }

  const config::Listener& listener_;
  std::map<std::string, std::unique_ptr<re2::RE2>> regexes_;
};

// ---- random configurations and requests ---------------------------------------------------------

// Few words, so that paths and prefixes meet often.
std::string RandomPath(Random& random) {
  if (random.Below(40) == 0) return OneOf(random, {"*", ""});
  std::string path;
  for (uint64_t left = 1 + random.Below(4); left > 0; --left) {
    path += '/';
    path += OneOf(random, {"a", "b", "ab", "api", "v1", "v22", "x.y", ""});
  }
  return path;
}

std::string RandomPattern(Random& random) {
  std::string pattern = random.Below(2) == 0 ? RandomPath(random) : "";
  if (pattern == "*") pattern.clear();
  return pattern + OneOf(random, {"", ".*", "/v[0-9]+", "/(a|b)", "/[^/]+/ab", "b?/.*", "/a|/b",
                                  "(?i)/API.*", "[/ab]*", "/x\\.y", "(/a)?", "/a{1,2}.*", "$",
                                  "/.*/b", "/a+", "\\b/.*", "(^/)?a*"});
}

void FillValue(Random& random, config::ValueMatch& match) {
  match.set_name(OneOf(random, {"one", "two", "three"}));
  switch (random.Below(7)) {
    case 0:
      match.set_exact(std::to_string(random.Below(4)));
      break;
    case 1:
      match.set_prefix(std::to_string(random.Below(4)));
      break;
    case 2:
      match.set_suffix(std::to_string(random.Below(4)));
      break;
    case 3:
      match.set_regex(OneOf(random, {"[0-2]+", "1.*", ""}));
      break;
    case 4:
      match.set_present(random.Below(2) == 0);
      break;
    case 5:
      match.mutable_range()->set_start(static_cast<int64_t>(random.Below(3)));
      match.mutable_range()->set_end(static_cast<int64_t>(2 + random.Below(20)));
      break;
    default:
      break;
  }
  match.set_invert(random.Below(4) == 0);
}

void FillMatch(Random& random, bool conditions, config::Match& match) {
  std::string path = RandomPath(random);
  switch (random.Below(9)) {
    case 0:
    case 1:
      // Cut anywhere.
      match.set_prefix(path.substr(0, 1 + random.Below(path.size() + 1)));
      break;
    case 2:
    case 3:
    case 4:
      match.set_path(path);
      break;
    case 5:
    case 6:
      while (path.size() > 1 && path.back() == '/') path.pop_back();
      match.set_path_prefix(path);
      break;
    case 7:
      match.set_regex(RandomPattern(random));
      break;
    default:
      if (random.Below(4) != 0) match.set_path(path);
      break;
  }
  if (!conditions) return;
  if (random.Below(3) == 0) match.add_methods(OneOf(random, {"GET", "PUT"}));
  if (random.Below(4) == 0) FillValue(random, *match.add_headers());
  if (random.Below(6) == 0) FillValue(random, *match.add_query());
  if (random.Below(6) == 0) FillValue(random, *match.add_cookies());
  constexpr double kShares[] = {0, 25, 50, 100};
  if (random.Below(6) == 0) match.mutable_fraction()->set_percent(kShares[random.Below(4)]);
}

std::string RandomValues(Random& random, const char* separator) {
  std::string text;
  for (const char* name : {"one", "two", "three"}) {
    if (random.Below(2) == 0) continue;
    if (!text.empty()) text += separator;
    text += std::string(name) + '=' + std::to_string(random.Below(25));
  }
  return text;
}

// Domains in the order of `pool`, shuffled over the hosts; each is taken once.
void AddHosts(Random& random, int routes, config::Listener& listener) {
  std::vector<std::string> pool = {"a.com", "b.a.com", "c.b.a.com", "*.a.com", "*.b.a.com", "*.com",
                                   "a.*",   "b.a.*",   "b.*",       "www.*",   "com",       "*"};
  while (!pool.empty()) {
    config::Host& host = *listener.add_hosts();
    for (uint64_t count = std::min<uint64_t>(pool.size(), 1 + random.Below(3)); count > 0;
         --count) {
      const size_t at = random.Below(pool.size());
      host.add_domains(pool[at]);
      pool.erase(pool.begin() + static_cast<ptrdiff_t>(at));
    }
    for (int i = 0; i < routes; ++i) host.add_routes();
    if (random.Below(5) == 0) return;
  }
}

std::string RandomHost(Random& random) {
  std::string host = OneOf(random, {"a", "b", "c", "www", "A", "com"});
  for (uint64_t left = random.Below(4); left > 0; --left) {
    host += '.';
    host += OneOf(random, {"a", "b", "com", "COM"});
  }
  return host + OneOf(random, {"", "", ".", ":80", ".:80"});
}

struct Shape {
  int routes = 1;  // of each host
  bool hosts = false;
  bool conditions = true;
};

void Compare(uint64_t seed, const Shape& shape, int requests) {
  Random random(seed);
  config::Config config;
  config.add_clusters()->set_name("a");
  config::Listener& listener = *config.add_listeners();
  if (shape.hosts) {
    AddHosts(random, shape.routes, listener);
  } else {
    for (int i = 0; i < shape.routes; ++i) listener.add_routes();
  }
  const auto fill = [&](config::Route& route) {
    FillMatch(random, shape.conditions, *route.mutable_match());
    route.set_cluster("a");
  };
  for (config::Route& route : *listener.mutable_routes()) fill(route);
  for (config::Host& host : *listener.mutable_hosts()) {
    for (config::Route& route : *host.mutable_routes()) fill(route);
  }
  const auto table = RouteTable::Compile(listener, config);
  ASSERT_TRUE(table) << table.error().detail;
  Reference reference(listener);

  for (int i = 0; i < requests; ++i) {
    std::string target = RandomPath(random);
    if (const std::string query = RandomValues(random, "&"); !query.empty()) target += '?' + query;
    const std::string host = RandomHost(random);
    TestInput input(target, host);
    input.Method(OneOf(random, {"GET", "PUT", "POST"}));
    if (random.Below(2) == 0) input.With("Cookie", RandomValues(random, "; "));
    for (const char* name : {"One", "two"}) {
      if (random.Below(2) == 0) input.With(name, std::to_string(random.Below(25)));
    }
    const uint64_t draws = random.Next();
    Random ours(draws);
    Random theirs(draws);
    const Route* route = (*table)->Match(input, ours);
    const config::Route* expected = reference.Match(input, theirs);
    ASSERT_EQ(route == nullptr ? nullptr : &route->config(), expected)
        << "seed " << seed << ": " << host << " " << target << "\nexpected "
        << (expected == nullptr ? "none" : expected->ShortDebugString()) << "\ngot "
        << (route == nullptr ? "none" : route->config().ShortDebugString());
    ASSERT_EQ(ours.Next(), theirs.Next()) << "seed " << seed << ": other random draws";
    if (!shape.hosts) continue;
    const VirtualHost* found = (*table)->FindHost(host);
    ASSERT_EQ(found == nullptr ? nullptr : found->config(), reference.FindHost(host)) << host;
  }
}

TEST(RouteProperty, FewRoutes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Compare(seed, {.routes = 1 + static_cast<int>(seed % 8)}, 50);
    if (HasFatalFailure()) return;
  }
}

TEST(RouteProperty, ManyRoutes) {
  for (uint64_t seed = 1000; seed < 1020; ++seed) {
    Compare(seed, {.routes = 200}, 300);
    if (HasFatalFailure()) return;
  }
}

TEST(RouteProperty, PathsOnly) {
  for (uint64_t seed = 2000; seed < 2100; ++seed) {
    Compare(seed, {.routes = 1 + static_cast<int>(seed % 60), .conditions = false}, 100);
    if (HasFatalFailure()) return;
  }
}

TEST(RouteProperty, TenThousandRoutes) { Compare(3000, {.routes = 10'000}, 2000); }

TEST(RouteProperty, Hosts) {
  for (uint64_t seed = 4000; seed < 4100; ++seed) {
    Compare(seed, {.routes = 5, .hosts = true}, 100);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace sluice
