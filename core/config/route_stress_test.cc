// Routing under bytes that nobody meant: whatever a configuration and a request hold, compiling and
// matching end well, and what comes out keeps its form. Seeded; meant for sanitizers.
#include <re2/re2.h>

#include "core/config/route_regex.h"
#include "core/config/route_test_input.h"

namespace sluice {
namespace {

using std::string_view_literals::operator""sv;

// Bytes that mean something to one of the parsers, and some that mean nothing to any.
std::string RandomBytes(Random& random, size_t most) {
  constexpr std::string_view kBytes = "/.*?&=;: \"\\#%[](){}^$|+-,09aZ\0\n\x7f\x80\xc3\xff"sv;
  std::string text;
  for (uint64_t size = random.Below(most); size > 0; --size) {
    text += random.Below(8) == 0 ? static_cast<char>(random.Below(256))
                                 : kBytes[random.Below(kBytes.size())];
  }
  return text;
}

void FillValue(Random& random, config::ValueMatch& match) {
  match.set_name(RandomBytes(random, 4));
  const std::string text = RandomBytes(random, 6);
  switch (random.Below(5)) {
    case 0:
      match.set_exact(text);
      break;
    case 1:
      match.set_prefix(text);
      break;
    case 2:
      match.set_suffix(text);
      break;
    case 3:
      match.set_regex(text);
      break;
    default:
      match.mutable_range()->set_start(static_cast<int64_t>(random.Next()));
      match.mutable_range()->set_end(static_cast<int64_t>(random.Next()));
      break;
  }
  match.set_invert(random.Below(2) == 0);
}

void FillMatch(Random& random, config::Match& match) {
  switch (random.Below(5)) {
    case 0:
      match.set_prefix(RandomBytes(random, 4));
      break;
    case 1:
      match.set_path(RandomBytes(random, 4));
      break;
    case 2:
      match.set_path_prefix(RandomBytes(random, 4));
      break;
    case 3:
      match.set_regex(RandomBytes(random, 8));
      break;
    default:
      break;
  }
  if (random.Below(4) == 0) FillValue(random, *match.add_headers());
  if (random.Below(4) == 0) FillValue(random, *match.add_query());
  if (random.Below(4) == 0) FillValue(random, *match.add_cookies());
  if (random.Below(4) == 0) {
    match.mutable_fraction()->set_percent(static_cast<double>(random.Below(300)) - 100);
  }
}

template <typename Message>
void FillPathChange(Random& random, Message& message) {
  if (random.Below(2) == 0) {
    message.set_prefix(RandomBytes(random, 6));
  } else {
    message.mutable_regex()->set_pattern(RandomBytes(random, 5));
    message.mutable_regex()->set_substitution(RandomBytes(random, 5));
  }
}

void FillRoute(Random& random, config::Route& route) {
  FillMatch(random, *route.mutable_match());
  switch (random.Below(4)) {
    case 0:
      route.set_cluster("a");
      FillPathChange(random, *route.mutable_rewrite());
      break;
    case 1:
      route.set_cluster_header(RandomBytes(random, 3));
      break;
    case 2:
      for (int i = 0; i < 3; ++i) {
        config::WeightedCluster& each = *route.mutable_weighted_clusters()->add_clusters();
        each.set_name("a");
        each.set_weight(static_cast<uint32_t>(random.Next()));
      }
      route.mutable_weighted_clusters()->mutable_sticky()->set_query(RandomBytes(random, 3));
      break;
    default: {
      config::Redirect& redirect = *route.mutable_redirect();
      if (random.Below(2) == 0) redirect.set_host("b.com");
      redirect.set_port(static_cast<uint32_t>(random.Below(65536)));
      if (random.Below(2) == 0) {
        redirect.set_path(RandomBytes(random, 8));
      } else {
        FillPathChange(random, redirect);
      }
      break;
    }
  }
}

void CheckRoute(const Route& route, const TestInput& input, Random& random) {
  Arena arena;
  if (route.redirect() != nullptr) {
    const std::string_view location =
        route.redirect()->Location("http", "a.com:80", input.path, input.query, arena);
    // The authority is the configuration's; after it nothing may end the field or the URI.
    const size_t path = location.find('/', std::string_view("http://").size());
    ASSERT_NE(path, std::string_view::npos) << location;
    for (const char c : location.substr(path)) ASSERT_TRUE(c > ' ' && c < '\x7f') << location;
    return;
  }
  if (route.rewrite() != nullptr) {
    const std::string_view target = route.rewrite()->Target(input.path, input.query, arena);
    if (input.path.starts_with('/')) {
      ASSERT_TRUE(target.starts_with('/')) << target;
    }
  }
  const RouteTarget target = route.Pick(input, random);
  ASSERT_LT(target.choice, route.choice_count());
  ASSERT_TRUE(target.cluster_index == 0 || route.action() == Route::Action::kClusterHeader);
}

TEST(RouteStress, AnyBytes) {
  int compiled = 0;
  int matched = 0;
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    Random random(seed);
    config::Config config;
    config.add_clusters()->set_name("a");
    config::Listener& listener = *config.add_listeners();
    for (uint64_t hosts = 1 + random.Below(3); hosts > 0; --hosts) {
      config::Host& host = *listener.add_hosts();
      host.add_domains(hosts == 1 ? "*" : RandomBytes(random, 6) + "." + std::to_string(hosts));
      for (uint64_t count = random.Below(12); count > 0; --count) {
        // One that cannot be compiled would end the round: most of the time it is left out.
        config::Config single;
        single.add_clusters()->set_name("a");
        FillRoute(random, *single.add_listeners()->add_routes());
        if (RouteTable::Compile(single.listeners(0), single) || random.Below(50) == 0) {
          *host.add_routes() = single.listeners(0).routes(0);
        }
      }
    }
    const auto table = RouteTable::Compile(listener, config);
    if (!table) {
      EXPECT_TRUE(table.error().detail.starts_with("listener \"\": hosts["));
      continue;
    }
    ++compiled;
    for (int i = 0; i < 20; ++i) {
      const std::string authority = RandomBytes(random, i == 0 ? 600 : 12);
      const std::string target = "/" + RandomBytes(random, 12);
      TestInput input(target, authority);
      if (random.Below(10) == 0) input.path = {};
      input.With(RandomBytes(random, 4), RandomBytes(random, 8));
      input.With("cookie", RandomBytes(random, 20));
      const VirtualHost* host = nullptr;
      const Route* route = (*table)->Match(input, random, &host);
      ASSERT_NE(host, nullptr);
      if (route == nullptr) continue;
      ++matched;
      ASSERT_EQ(&route->host(), host);
      CheckRoute(*route, input, random);
      if (HasFatalFailure()) FAIL() << "seed " << seed;
    }
  }
  // It is no use if nothing gets through.
  EXPECT_GT(compiled, 1500);
  EXPECT_GT(matched, 10'000);
}

// Where a pattern is cut into prefix and rest, it must still be the same pattern.
TEST(RouteStress, AnyRegex) {
  constexpr std::string_view kPieces[] = {
      "/", "a", "b",   "ab",  ".",   "*",   "+",     "?",    "|",   "(",   ")",   "[",       "]",
      "^", "$", "\\.", "\\b", "\\d", "{2}", "{0,1}", "(?i)", "(?:", "\\Q", "\\E", "\xc3\xa4"};
  constexpr std::string_view kTextPieces[] = {"/", "a", "b", "A", ".", "1", "\xc3\xa4", "\xc3"};
  int compiled = 0;
  int matched = 0;
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern = random.Below(2) == 0 ? "/a" : "";
    for (uint64_t left = random.Below(7); left > 0; --left) {
      pattern += kPieces[random.Below(std::size(kPieces))];
    }
    const auto whole = CompileRegex(pattern);
    RegexPool pool;
    const auto split = RouteRegex::Compile(pattern, pool);
    ASSERT_EQ(whole.has_value(), split.has_value()) << pattern;
    if (!whole) continue;
    ++compiled;
    for (int k = 0; k < 20; ++k) {
      std::string text = random.Below(2) == 0 ? "/a" : "";
      for (uint64_t left = random.Below(4); left > 0; --left) {
        text += kTextPieces[random.Below(std::size(kTextPieces))];
      }
      const bool expected = FullMatch(**whole, text);
      matched += expected;
      ASSERT_EQ(text.starts_with(split->prefix()) && split->Matches(text), expected)
          << pattern << " on " << text;
    }
  }
  EXPECT_GT(compiled, 5000);
  EXPECT_GT(matched, 5000);
}

}  // namespace
}  // namespace sluice
