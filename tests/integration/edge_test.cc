// What the edge does to requests and responses: paths, forwarding fields, request ids, Via, Server,
// Date, private fields.
#include <gtest/gtest.h>

#include <regex>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Edge : public ProxyFixture {
 protected:
  Edge() { upstream_.AlwaysAnswer(kOk); }

  // The target that the upstream sees.
  std::string Seen(std::string_view target) {
    EXPECT_EQ(Ask(Get(target)).status, 200) << target;
    const std::string& line = LastRequest().start_line;
    return line.substr(4, line.size() - 4 - std::string_view(" HTTP/1.1").size());
  }
  std::optional<std::string> SeenField(std::string_view name, std::string_view fields = {}) {
    EXPECT_EQ(Ask(Get("/", fields)).status, 200);
    return LastRequest().Header(name);
  }
};

TEST_F(Edge, PathsAreNormalised) {
  Start();
  EXPECT_EQ(Seen("/a/./b/../c?x=../y"), "/a/c?x=../y");
  EXPECT_EQ(Seen("/../../etc/passwd"), "/etc/passwd");
  EXPECT_EQ(Seen("/a/%2e%2E/b"), "/b");
  EXPECT_EQ(Seen("/%61%7E%2d%5f"), "/a~-_");
  EXPECT_EQ(Seen("/%c3%a4%20"), "/%C3%A4%20");
  EXPECT_EQ(Seen("/a//b"), "/a//b");
  EXPECT_EQ(Seen("/a%2Fb%5cc"), "/a%2Fb%5Cc");
  EXPECT_EQ(Seen("/?%61"), "/?%61");
  EXPECT_EQ(Ask(Get("/a%00b")).status, 400);
  EXPECT_EQ(Ask(Get("/a%zzb")).status, 400);
}

TEST_F(Edge, PathsAreLeftAloneWhenConfigured) {
  Start({.listener = "path: { normalize: off }"});
  EXPECT_EQ(Seen("/a/./b/../c"), "/a/./b/../c");
  EXPECT_EQ(Seen("/%61"), "/%61");
}

TEST_F(Edge, SlashesAreMergedWhenConfigured) {
  Start({.listener = "path: { merge_slashes: on }"});
  EXPECT_EQ(Seen("//a///b//?c=//d"), "/a/b/?c=//d");
}

TEST_F(Edge, MatchingAndTheUpstreamSeeTheSamePath) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', routes: ["
      "  { match: /admin, respond: { status: 403 } }, { match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }]\n");
  for (const char* target : {"/admin", "/x/../admin", "/%61dmin", "/./admin/", "/x/%2e%2e/admin",
                             "http://b/x/../admin"}) {
    EXPECT_EQ(Ask(Get(target)).status, 403) << target;
  }
  EXPECT_EQ(Seen("/admin/../x"), "/x");
}

TEST_F(Edge, EscapedSlashesAreRejected) {
  Start({.listener = "path: { escaped_slashes: reject }"});
  for (const char* target : {"/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb"}) {
    EXPECT_EQ(Ask(Get(target)).status, 400) << target;
  }
  EXPECT_EQ(Ended(1).details, "path_normalization_failed");
  EXPECT_EQ(upstream_.connection_count(), 0U);
  EXPECT_EQ(Seen("/a?b=%2F"), "/a?b=%2F");
}

TEST_F(Edge, EscapedSlashesAreRedirected) {
  Start({.listener = "path: { escaped_slashes: redirect }"});
  const HttpText response = Ask(Get("/a%2Fb?c=%2F"));
  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.Header("location"), "/a/b?c=%2F");
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

TEST_F(Edge, ARedirectNeverLeavesTheHost) {
  // A location that begins with two slashes would name another host.
  Start({.listener = "path: { escaped_slashes: redirect }"});
  for (const char* target : {"/%2Fevil.test/", "/%5Cevil.test/", "//evil.test%2f"}) {
    EXPECT_EQ(Ask(Get(target)).Header("location"), "/.//evil.test/") << target;
  }
  EXPECT_EQ(Seen("/.//evil.test/"), "//evil.test/");
}

TEST_F(Edge, ForwardingFieldsOfStrangersAreNotBelieved) {
  Start();
  EXPECT_EQ(Ask(Get("/",
                    "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n"
                    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\n"))
                .status,
            200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "1.2.3.4, 5.6.7.8, 127.0.0.1");
  EXPECT_EQ(LastRequest().Header("x-forwarded-proto"), "http");
  EXPECT_EQ(LastRequest().Header("x-forwarded-host"), "a.test");
  EXPECT_EQ(Ended(1).client_ip, "127.0.0.1");
}

TEST_F(Edge, ForwardingFieldsOfTrustedPeersAreBelieved) {
  Start({.listener = "forwarded: { trusted_cidrs: [127.0.0.0/8, 10.0.0.0/8] }"});
  EXPECT_EQ(Ask(Get("/",
                    "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.1.1\r\n"
                    "X-Forwarded-Proto: https\r\nX-Forwarded-Host: edge.test\r\n"))
                .status,
            200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "6.6.6.6, 1.2.3.4, 10.1.1.1, 127.0.0.1");
  EXPECT_EQ(LastRequest().Header("x-forwarded-proto"), "https");
  EXPECT_EQ(LastRequest().Header("x-forwarded-host"), "edge.test");
  EXPECT_EQ(Ended(1).client_ip, "1.2.3.4");
}

TEST_F(Edge, TrustedHopsAreCountedFromTheRight) {
  Start({.listener = "forwarded: { trusted_hops: 2 }"});
  EXPECT_EQ(Ask(Get("/", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 9.9.9.9\r\n")).status, 200);
  EXPECT_EQ(Ended(1).client_ip, "1.2.3.4");
  EXPECT_EQ(Ask(Get("/", "X-Forwarded-For: 1.2.3.4\r\n")).status, 200);
  EXPECT_EQ(Ended(2).client_ip, "1.2.3.4");
  EXPECT_EQ(Ask(Get("/", "X-Forwarded-For: 1.2.3.4, not an address\r\n")).status, 200);
  EXPECT_EQ(Ended(3).client_ip, "127.0.0.1");
}

TEST_F(Edge, OtherPeersAreStrangers) {
  Start({.listener = "forwarded: { trusted_cidrs: [10.0.0.0/8] }"});
  EXPECT_EQ(Ask(Get("/", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-proto"), "http");
  EXPECT_EQ(Ended(1).client_ip, "127.0.0.1");
}

TEST_F(Edge, ForwardingFieldsCanBeOff) {
  Start({.listener = "forwarded: { x_forwarded: off, request_id: off }"});
  EXPECT_EQ(SeenField("x-forwarded-for"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-forwarded-proto"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-forwarded-host"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-request-id"), std::nullopt);
}

TEST_F(Edge, EachRequestGetsAnId) {
  Start();
  const std::regex uuid4("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  const std::string first = *SeenField("x-request-id", "X-Request-Id: mine\r\n");
  EXPECT_TRUE(std::regex_match(first, uuid4)) << first;
  EXPECT_NE(*SeenField("x-request-id"), first);
}

TEST_F(Edge, TrustedPeersKeepTheirIds) {
  Start({.listener = "forwarded: { trusted_cidrs: [127.0.0.1/32] }"});
  EXPECT_EQ(SeenField("x-request-id", "X-Request-Id: mine\r\n"), "mine");
  EXPECT_EQ(SeenField("x-request-id")->size(), 36U);
}

TEST_F(Edge, ViaIsWrittenBothWaysWhenConfigured) {
  Start();
  EXPECT_EQ(SeenField("via", "Via: 1.0 before\r\n"), "1.0 before");
  Start({.listener = "forwarded: { via: edge }"});
  const HttpText response = Ask("GET / HTTP/1.0\r\nHost: a\r\nVia: 1.1 before\r\n\r\n");
  EXPECT_EQ(LastRequest().Header("via"), "1.1 before, 1.0 edge");
  EXPECT_EQ(response.Header("via"), "1.1 edge");
}

TEST_F(Edge, ServerIsOverwrittenPassedOrDropped) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n");
  other_.AlwaysAnswer(kOk);
  const auto server = [&](std::string_view listener, std::string_view path) {
    StartYaml(
        "listeners: [{ name: web, listen: '127.0.0.1:0', " + std::string(listener) +
        " routes: [{ match: /theirs, cluster: api }, { match: /none, cluster: other }] }]\n"
        "clusters: [{ name: api, endpoints: [$UP] }, { name: other, endpoints: [$OTHER] }]\n");
    return Ask(Get(path)).Header("server");
  };
  EXPECT_EQ(server("", "/theirs"), "sluice");
  EXPECT_EQ(server("", "/no-route"), "sluice");
  EXPECT_EQ(server("server_header: { name: ours },", "/theirs"), "ours");
  EXPECT_EQ(server("server_header: pass,", "/theirs"), "theirs");
  EXPECT_EQ(server("server_header: pass,", "/none"), "sluice");
  EXPECT_EQ(server("server_header: drop,", "/theirs"), std::nullopt);
  EXPECT_EQ(server("server_header: drop,", "/no-route"), std::nullopt);
}

TEST_F(Edge, DateIsAddedWhereMissing) {
  upstream_.Next().AwaitRequest().Send(kOk).AwaitRequest().Send(
      "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n");
  Start();
  EXPECT_EQ(Ask(Get("/")).Header("date"), "Tue, 14 Nov 2023 22:13:21 GMT");
  EXPECT_EQ(Ask(Get("/")).Header("date"), "Sun, 06 Nov 1994 08:49:37 GMT");
  Advance(2 * kSecond);
  upstream_.StopListening();
  EXPECT_EQ(Ask("BAD\r\n\r\n").Header("date"), "Tue, 14 Nov 2023 22:13:23 GMT");
}

TEST_F(Edge, PrivateFieldsOfStrangersAreStripped) {
  const std::string fields =
      "X-Sluice-Internal: 1\r\nx-sluice-a: 2\r\nX-Sluices: 3\r\nX-Slu: 4\r\n";
  Start();
  EXPECT_EQ(SeenField("x-sluice-internal", fields), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-sluice-a"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-sluices"), "3");
  EXPECT_EQ(LastRequest().Header("x-slu"), "4");
  Start({.listener = "forwarded: { trusted_cidrs: [127.0.0.1/32] }"});
  EXPECT_EQ(SeenField("x-sluice-internal", fields), "1");
}

TEST_F(Edge, TrailersSayNothingThatTheHeadCouldNot) {
  const auto post = [](std::string_view trailers) {
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n" +
           std::string(trailers) + "\r\n";
  };
  const std::string all =
      "X-Sluice-Internal: 1\r\nX-Forwarded-For: 1.2.3.4\r\nx-forwarded-proto: https\r\n"
      "x-forwarded-host: b\r\nX-Request-Id: c\r\n";
  Start();
  EXPECT_EQ(Ask(post(all + "x-sum: 5\r\n")).status, 200);
  EXPECT_EQ(LastRequest().trailers, (HttpText::Fields{{"x-sum", "5"}}));
  EXPECT_EQ(Ask(post(all)).status, 200);
  EXPECT_EQ(LastRequest().trailers, HttpText::Fields());
  Start({.listener = "forwarded: { trusted_cidrs: [127.0.0.1/32] }"});
  EXPECT_EQ(Ask(post(all)).status, 200);
  EXPECT_EQ(LastRequest().trailers, (HttpText::Fields{{"X-Sluice-Internal", "1"}}));
}

}  // namespace
}  // namespace sluice::test
