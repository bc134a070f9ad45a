// What routing costs a request: tables of 1, 10 and 10,000 routes of each kind, 1,000 hosts.
// Requests go over a thousand different targets in random order, so that the caches hold what they
// would.
#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/config/config.pb.h"
#include "core/config/route_input.h"
#include "core/config/route_table.h"

namespace sluice {
namespace {

class Input final : public RouteInput {
 public:
  std::optional<std::string_view> Header(std::string_view) const override { return tenant; }
  std::string_view ClientAddress() const override { return {}; }

  std::optional<std::string_view> tenant;
};

struct Request {
  std::string host = "service.example.com";
  std::string path;
};

// A listener under construction, and then its table.
class Setup {
 public:
  Setup() {
    config_.add_clusters()->set_name("a");
    listener_ = config_.add_listeners();
  }
  config::Listener& listener() { return *listener_; }
  config::Match& AddRoute() { return AddRoute(*listener_->add_routes()); }
  static config::Match& AddRoute(config::Route& route) {
    route.set_cluster("a");
    return *route.mutable_match();
  }

  // Matches `requests` in turn; each must find a route.
  void Run(benchmark::State& state, const std::vector<Request>& requests) {
    const auto table = RouteTable::Compile(*listener_, config_);
    if (!table) {
      state.SkipWithError(table.error().detail.c_str());
      return;
    }
    Random random(1);
    Input input;
    input.method = "GET";
    size_t next = 0;
    for (auto _ : state) {
      const Request& request = requests[next];
      if (++next == requests.size()) next = 0;
      input.authority = request.host;
      input.path = request.path;
      const Route* route = (*table)->Match(input, random);
      if (route == nullptr) {
        state.SkipWithError("no route");
        return;
      }
      benchmark::DoNotOptimize(route);
    }
  }

 private:
  config::Config config_;
  config::Listener* listener_;
};

std::string Number(uint64_t i) { return std::to_string(i); }
std::string Place(uint64_t i) { return "/api/v1/service-" + Number(i); }

// A thousand requests, each for one of `count` at random.
template <typename Make>
std::vector<Request> Requests(uint64_t count, Make make) {
  Random random(7);
  std::vector<Request> requests;
  for (int i = 0; i < 1000; ++i) requests.push_back(make(random.Below(count)));
  return requests;
}

void Slash(benchmark::State& state) {
  Setup setup;
  setup.AddRoute().set_prefix("/");
  setup.Run(state, {{.path = "/index.html"}});
}
BENCHMARK(Slash);

void Exact(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) setup.AddRoute().set_path(Place(i));
  setup.AddRoute().set_prefix("/");
  setup.Run(state, Requests(count, [](uint64_t i) { return Request{.path = Place(i)}; }));
}
BENCHMARK(Exact)->Arg(1)->Arg(10)->Arg(10'000);

void Prefix(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) setup.AddRoute().set_prefix(Place(i) + "/");
  setup.AddRoute().set_prefix("/");
  setup.Run(state,
            Requests(count, [](uint64_t i) { return Request{.path = Place(i) + "/users/42"}; }));
}
BENCHMARK(Prefix)->Arg(1)->Arg(10)->Arg(10'000);

void PathPrefix(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) setup.AddRoute().set_path_prefix(Place(i));
  setup.Run(state,
            Requests(count, [](uint64_t i) { return Request{.path = Place(i) + "/users/42"}; }));
}
BENCHMARK(PathPrefix)->Arg(1)->Arg(10)->Arg(10'000);

// The last route takes what none before does.
void Fallback(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) {
    setup.AddRoute().set_path(Place(i));
    setup.AddRoute().set_prefix(Place(i) + "/");
  }
  setup.AddRoute().set_prefix("/");
  setup.Run(state, Requests(count, [](uint64_t i) { return Request{.path = Place(i) + "x"}; }));
}
BENCHMARK(Fallback)->Arg(1)->Arg(10)->Arg(10'000);

// Each regex has a beginning of its own: the tree tells them apart.
void Regex(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) setup.AddRoute().set_regex(Place(i) + "/users/[0-9]+");
  setup.Run(state,
            Requests(count, [](uint64_t i) { return Request{.path = Place(i) + "/users/42"}; }));
}
BENCHMARK(Regex)->Arg(1)->Arg(10)->Arg(10'000);

// All regexes begin alike: only the set tells them apart.
void RegexAlike(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) {
    setup.AddRoute().set_regex("/users/[0-9]+/thing-" + Number(i));
  }
  setup.Run(state, Requests(count, [](uint64_t i) {
              return Request{.path = "/users/42/thing-" + Number(i)};
            }));
}
BENCHMARK(RegexAlike)->Arg(1)->Arg(10)->Arg(10'000);

// A third of each kind, some under conditions that do not hold.
void Mix(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) {
    config::Match& match = setup.AddRoute();
    if (i % 3 == 0) match.set_path(Place(i));
    if (i % 3 == 1) match.set_prefix(Place(i) + "/");
    if (i % 3 == 2) match.set_regex(Place(i) + "/[a-z]+");
    if (i % 7 == 0) match.add_methods("PUT");
  }
  setup.AddRoute().set_prefix("/");
  setup.Run(state, Requests(count, [](uint64_t i) {
              return Request{.path = Place(i) + (i % 3 == 0 ? "" : "/users")};
            }));
}
BENCHMARK(Mix)->Arg(1)->Arg(10)->Arg(10'000);

// Routes of one path that differ by a header are tried one after the other.
void OnePathByHeader(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) {
    config::Match& match = setup.AddRoute();
    match.set_prefix("/");
    match.add_headers()->set_name("x-tenant");
    match.mutable_headers(0)->set_exact(Number(i));
  }
  setup.AddRoute().set_prefix("/");
  setup.Run(state, {{.path = "/index.html"}});
}
BENCHMARK(OnePathByHeader)->Arg(1)->Arg(10)->Arg(100);

void Hosts(benchmark::State& state) {
  const auto count = static_cast<uint64_t>(state.range(0));
  Setup setup;
  for (uint64_t i = 0; i < count; ++i) {
    config::Host& host = *setup.listener().add_hosts();
    host.add_domains("shop-" + Number(i) + ".example.com");
    host.add_domains("*.shop-" + Number(i) + ".example.com");
    Setup::AddRoute(*host.add_routes()).set_prefix("/");
  }
  setup.Run(state, Requests(count, [](uint64_t i) {
              return Request{
                  .host = (i % 2 == 0 ? "Shop-" : "www.shop-") + Number(i) + ".example.com:8080",
                  .path = "/"};
            }));
}
BENCHMARK(Hosts)->Arg(1)->Arg(10)->Arg(1'000);

}  // namespace
}  // namespace sluice
