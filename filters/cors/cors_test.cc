#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/config/loader.h"
#include "filters/cors/cors.pb.h"
#include "tests/support/filter_harness.h"

namespace sluice::cors {
namespace {

constexpr char kApp[] = "https://app.example.com";

class Cors : public testing::Test {
 protected:
  // One exact origin, and what `change` adds.
  void Use(const std::function<void(CorsConfig&)>& change = [](CorsConfig&) {}) {
    CorsConfig config;
    config.add_origins()->set_exact(kApp);
    config.set_forward_not_matching_preflights(true);
    change(config);
    const auto added = harness_.Add("cors", config);
    EXPECT_TRUE(added) << added.error().detail;
  }

  static HeaderList Preflight(const char* origin = kApp) {
    return {{"origin", origin},
            {"access-control-request-method", "PUT"},
            {"access-control-request-headers", "x-a, authorization"}};
  }

  // Sends a preflight, and gives back the answer's stream.
  std::unique_ptr<FilterStream> Options(const HeaderList& headers) {
    auto stream = harness_.NewStream();
    stream->SetRequest("OPTIONS", "/", headers);
    stream->RequestHeaders(true);
    return stream;
  }

  std::unique_ptr<FilterStream> Exchange(const HeaderList& request, const HeaderList& response) {
    auto stream = harness_.NewStream();
    stream->Get("/", request);
    stream->Respond(200, response, "ok");
    return stream;
  }

  double Count(const char* kind, const char* result) {
    return harness_.Metric(
        "sluice_cors_requests_total",
        std::string(R"(kind=")") + kind + R"(",listener="web",result=")" + result + "\"");
  }

  FilterHarness harness_;
};

std::string Get(FilterStream& stream, std::string_view name) {
  return std::string(stream.response().headers.GetJoined(name).value_or("(none)"));
}

TEST_F(Cors, SimpleRequestOfAnAllowedOrigin) {
  Use([](CorsConfig& config) {
    config.add_expose("x-request-id");
    config.add_expose("etag");
    config.set_credentials(true);
  });
  auto stream = Exchange({{"origin", kApp}}, {{"content-type", "text/plain"}});
  EXPECT_TRUE(stream->request_out().ended);
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), kApp);
  EXPECT_EQ(Get(*stream, "access-control-allow-credentials"), "true");
  EXPECT_EQ(Get(*stream, "access-control-expose-headers"), "x-request-id, etag");
  EXPECT_EQ(Get(*stream, "vary"), "origin");
  EXPECT_EQ(Get(*stream, "access-control-allow-methods"), "(none)");
  EXPECT_EQ(Count("simple", "allowed"), 1);
}

TEST_F(Cors, ReplacesWhatTheUpstreamSays) {
  Use();
  auto stream = Exchange({{"origin", kApp}}, {{"access-control-allow-origin", "*"},
                                              {"Access-Control-Allow-Origin", "https://b.example"},
                                              {"access-control-allow-credentials", "true"},
                                              {"access-control-expose-headers", "etag"}});
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), kApp);
  EXPECT_EQ(Get(*stream, "access-control-allow-credentials"), "(none)");
  EXPECT_EQ(Get(*stream, "access-control-expose-headers"), "etag");
}

TEST_F(Cors, OtherOriginsGetNothing) {
  Use([](CorsConfig& config) { config.set_credentials(true); });
  for (const char* origin :
       {"http://app.example.com", "https://app.example.com:8443", "https://app.example.com.evil",
        "null", "", "*", "https://APP.example.com"}) {
    auto stream = Exchange({{"origin", origin}}, {});
    EXPECT_EQ(Get(*stream, "access-control-allow-origin"), "(none)") << origin;
    EXPECT_EQ(Get(*stream, "access-control-allow-credentials"), "(none)") << origin;
    EXPECT_EQ(Get(*stream, "vary"), "origin") << origin;
  }
  EXPECT_EQ(Count("simple", "denied"), 7);
}

TEST_F(Cors, VarySaysOriginOnceAndKeepsTheRest) {
  Use();
  const struct {
    HeaderList vary;
    const char* expected;
  } kCases[] = {
      {{}, "origin"},
      {{{"vary", "accept-encoding"}}, "accept-encoding, origin"},
      {{{"vary", "accept-encoding"}, {"vary", "accept"}}, "accept-encoding, accept, origin"},
      {{{"vary", "accept-encoding, Origin"}}, "accept-encoding, Origin"},
      {{{"vary", "accept"}, {"vary", "ORIGIN"}}, "accept, ORIGIN"},
      {{{"vary", "*"}}, "*"},
      {{{"vary", ""}}, "origin"},
      {{{"vary", "x-origin"}}, "x-origin, origin"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Get(*Exchange({{"origin", kApp}}, test.vary), "vary"), test.expected);
    EXPECT_EQ(Get(*Exchange({}, test.vary), "vary"), test.expected) << "without an Origin too";
  }
}

TEST_F(Cors, WithoutAnOriginNothingButVary) {
  Use([](CorsConfig& config) { config.set_credentials(true); });
  auto stream = Exchange({}, {});
  EXPECT_EQ(Get(*stream, "vary"), "origin");
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), "(none)");
  EXPECT_EQ(Count("simple", "allowed") + Count("simple", "denied"), 0);
}

TEST_F(Cors, AnyOriginIsTheSameAnswerForAll) {
  Use([](CorsConfig& config) { config.add_origins()->set_exact("*"); });
  for (const HeaderList& request : {HeaderList{}, HeaderList{{"origin", "https://b.example"}}}) {
    auto stream = Exchange(request, {{"access-control-allow-credentials", "true"}});
    EXPECT_EQ(Get(*stream, "access-control-allow-origin"), "*");
    EXPECT_EQ(Get(*stream, "access-control-allow-credentials"), "(none)");
    EXPECT_EQ(Get(*stream, "vary"), "(none)");
  }
  auto preflight = Options(Preflight("null"));
  EXPECT_EQ(Get(*preflight, "access-control-allow-origin"), "*");
  EXPECT_EQ(Get(*preflight, "vary"), "(none)");
}

TEST_F(Cors, SuffixesAreOfTheHost) {
  Use([](CorsConfig& config) {
    config.add_origins()->set_suffix(".b.example");
    config.add_origins()->set_suffix("://c.example:8443");
  });
  for (const char* origin :
       {"https://x.b.example", "http://x.y.b.example", "http://c.example:8443"}) {
    EXPECT_EQ(Get(*Exchange({{"origin", origin}}, {}), "access-control-allow-origin"), origin);
  }
  for (const char* origin :
       {"https://b.example", "https://evilb.example", "https://x.b.example:81", "https://c.example",
        "https://xc.example:8443", "https://evil.example/.b.example",
        "https://evil.example?.b.example", "https://evil.example#.b.example", ".b.example",
        "x.b.example", "://x.b.example", "https://a@x.b.example",
        "https://a.example, x.b.example"}) {
    EXPECT_EQ(Get(*Exchange({{"origin", origin}}, {}), "access-control-allow-origin"), "(none)")
        << origin;
  }
}

TEST_F(Cors, RegexesMatchTheWholeOrigin) {
  Use([](CorsConfig& config) {
    config.add_origins()->set_regex(R"(https://pr-[0-9]+\.b\.example)");
  });
  EXPECT_EQ(
      Get(*Exchange({{"origin", "https://pr-17.b.example"}}, {}), "access-control-allow-origin"),
      "https://pr-17.b.example");
  for (const char* origin : {"https://pr-17.b.example.evil", "xhttps://pr-17.b.example",
                             "https://pr-.b.example", "https://pr-17xb.example"}) {
    EXPECT_EQ(Get(*Exchange({{"origin", origin}}, {}), "access-control-allow-origin"), "(none)");
  }
}

TEST_F(Cors, NullOnlyWhereItIsWritten) {
  Use([](CorsConfig& config) { config.add_origins()->set_exact("null"); });
  EXPECT_EQ(Get(*Exchange({{"origin", "null"}}, {}), "access-control-allow-origin"), "null");
}

TEST_F(Cors, PreflightIsAnsweredHere) {
  Use([](CorsConfig& config) {
    config.add_methods("PUT");
    config.add_methods("DELETE");
    config.add_headers("x-a");
    config.add_headers("authorization");
    config.add_expose("etag");
    config.set_max_age(600 * kSecond);
    config.set_credentials(true);
  });
  auto stream = Options(Preflight());
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->response().status, 204);
  EXPECT_TRUE(stream->reply()->unmapped);
  EXPECT_FALSE(stream->request_out().headers);
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), kApp);
  EXPECT_EQ(Get(*stream, "access-control-allow-methods"), "PUT, DELETE");
  EXPECT_EQ(Get(*stream, "access-control-allow-headers"), "x-a, authorization");
  EXPECT_EQ(Get(*stream, "access-control-max-age"), "600");
  EXPECT_EQ(Get(*stream, "access-control-allow-credentials"), "true");
  EXPECT_EQ(Get(*stream, "vary"), "origin");
  EXPECT_EQ(Get(*stream, "access-control-expose-headers"), "(none)") << "not for preflights";
  EXPECT_EQ(Get(*stream, "access-control-allow-private-network"), "(none)");
  EXPECT_EQ(Count("preflight", "allowed"), 1);
}

TEST_F(Cors, AStarForMethodsAndHeadersSaysBackWhatWasAskedFor) {
  Use([](CorsConfig& config) {
    config.add_methods("*");
    config.add_headers("*");
    config.set_credentials(true);
  });
  auto stream = Options(Preflight());
  EXPECT_EQ(Get(*stream, "access-control-allow-methods"), "PUT");
  EXPECT_EQ(Get(*stream, "access-control-allow-headers"), "x-a, authorization");
  EXPECT_EQ(Get(*stream, "vary"),
            "origin, access-control-request-method, access-control-request-headers");
  auto bare = Options({{"origin", kApp}, {"access-control-request-method", "GET"}});
  EXPECT_EQ(Get(*bare, "access-control-allow-methods"), "GET");
  EXPECT_EQ(Get(*bare, "access-control-allow-headers"), "(none)");
}

TEST_F(Cors, PrivateNetworkOnlyWhenAskedForAndAllowed) {
  Use([](CorsConfig& config) { config.set_private_network(true); });
  HeaderList asks = Preflight();
  asks.emplace_back("access-control-request-private-network", "true");
  auto stream = Options(asks);
  EXPECT_EQ(Get(*stream, "access-control-allow-private-network"), "true");
  EXPECT_EQ(Get(*stream, "vary"), "origin, access-control-request-private-network");
  EXPECT_EQ(Get(*Options(Preflight()), "access-control-allow-private-network"), "(none)");
}

TEST_F(Cors, PrivateNetworkIsOffUnlessWritten) {
  Use();
  HeaderList asks = Preflight();
  asks.emplace_back("access-control-request-private-network", "true");
  EXPECT_EQ(Get(*Options(asks), "access-control-allow-private-network"), "(none)");
}

TEST_F(Cors, APreflightOfAnotherOriginGoesUpstream) {
  Use();
  auto stream = Options(Preflight("https://b.example"));
  EXPECT_TRUE(stream->request_out().ended);
  stream->Respond(204, {{"access-control-allow-origin", "https://b.example"}});
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), "https://b.example");
  EXPECT_EQ(Get(*stream, "vary"), "origin");
  EXPECT_EQ(Count("preflight", "denied"), 1);
}

TEST_F(Cors, APreflightOfAnotherOriginIsRefusedWhereForwardingIsOff) {
  Use([](CorsConfig& config) { config.set_forward_not_matching_preflights(false); });
  auto stream = Options(Preflight("https://b.example"));
  ASSERT_NE(stream->reply(), nullptr);
  EXPECT_EQ(stream->response().status, 403);
  EXPECT_EQ(Get(*stream, "access-control-allow-origin"), "(none)");
  EXPECT_EQ(Get(*stream, "vary"), "origin");
}

TEST_F(Cors, OptionsThatAreNoPreflightsGoUpstream) {
  Use([](CorsConfig& config) { config.set_forward_not_matching_preflights(false); });
  for (const HeaderList& headers :
       {HeaderList{}, HeaderList{{"origin", kApp}}, HeaderList{{"origin", "https://b.example"}},
        HeaderList{{"access-control-request-method", "PUT"}}}) {
    EXPECT_TRUE(Options(headers)->request_out().ended);
  }
  auto get = harness_.NewStream();
  get->Get("/", Preflight());
  EXPECT_TRUE(get->request_out().ended) << "a preflight is an OPTIONS request";
}

TEST(CorsPolicy, RefusesWhatBrowsersOrOperatorsWouldMisread) {
  const auto fault = [](const std::function<void(CorsConfig&)>& fill) {
    FilterHarness harness;
    CorsConfig config;
    fill(config);
    const auto result = harness.Add("cors", config);
    return result ? std::string() : result.error().detail;
  };
  EXPECT_EQ(fault([](auto& config) {
              config.add_origins()->set_exact("*");
              config.set_credentials(true);
            }),
            "origins[0].exact: \"*\" cannot go with credentials: name the origins, or use a suffix "
            "or a regex");
  EXPECT_EQ(fault([](auto& config) {
              config.add_origins()->set_exact(kApp);
              config.add_expose("*");
              config.set_credentials(true);
            }),
            "expose: \"*\" cannot go with credentials: name the header fields");
  EXPECT_EQ(fault([](auto& config) {
              config.add_origins()->set_exact(kApp);
              config.add_origins()->set_exact("https://a.example/");
            }),
            "origins[1].exact: an origin ends after host and port: write \"https://a.example\"");
  EXPECT_EQ(fault([](auto& config) { config.add_origins()->set_exact("a.example"); }),
            "origins[0].exact: expected an origin such as https://example.com, got \"a.example\"");
  EXPECT_EQ(fault([](auto& config) { config.add_origins()->set_suffix("a.example"); }),
            "origins[0].suffix: expected a suffix that begins with \".\" or \"://\", such as "
            "\".example.com\", got \"a.example\"");
  EXPECT_TRUE(fault([](auto& config) {
                config.add_origins()->set_regex("(");
              }).starts_with("origins[0].regex: "));
}

TEST(CorsSchema, FormsAndDefaults) {
  CorsConfig config;
  ASSERT_TRUE(LoadMessage(R"({ origins: ["*", { suffix: .b.example }, { regex: "https://.+" }],
                               methods: ["*"], headers: [x-a, "*"], max_age: 10m })",
                          ConfigFormat::kYaml, config)
                  .empty());
  EXPECT_EQ(config.origins(0).exact(), "*");
  EXPECT_EQ(config.origins(1).suffix(), ".b.example");
  EXPECT_EQ(config.origins(2).regex(), "https://.+");
  EXPECT_EQ(config.max_age(), 600 * kSecond);
  EXPECT_TRUE(config.forward_not_matching_preflights());
  EXPECT_FALSE(config.credentials());
  EXPECT_FALSE(config.private_network());
  for (const char* text :
       {"{}", "{ origins: [] }", "{ origins: [{ exact: a, suffix: .b }] }",
        "{ origins: [\"*\"], methods: [\"A B\"] }", "{ origins: [\"*\"], headers: [\"a:\"] }",
        "{ origins: [{ regex: \"(\" }] }"}) {
    CorsConfig refused;
    EXPECT_FALSE(LoadMessage(text, ConfigFormat::kYaml, refused).empty()) << text;
  }
}

}  // namespace
}  // namespace sluice::cors
