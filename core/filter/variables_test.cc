#include "core/filter/variables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/filter/variable_writer.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

class VariablesTest : public ::testing::Test {
 protected:
  VariablesTest() : info(arena, connection), request(arena), response(arena), trailers(arena) {
    connection.id = 7;
    connection.listener = "web";
    connection.direct_remote = *Address::Parse("10.0.0.1:5000");
    connection.remote = *Address::Parse("[2001:db8::1]:40000");
    connection.local = *Address::Parse("192.0.2.80:8080");
    request.SetMethod("GET");
    request.scheme = "http";
    request.authority = "a.example:8080";
    request.path = "/new?q=1&team=a%20b&empty=&flag&team=c";
    request.headers.Add("user-agent", "curl/8");
    request.headers.Add("referer", "http://b.example/");
    request.headers.Add("x-forwarded-for", "192.0.2.1");
    request.headers.Add("x-team", "blue");
    request.headers.Add("x-empty", "");
    response.headers.Add("content-type", "text/html");
    response.headers.Add("x-up", "1");
    trailers.Add("grpc-status", "0");
    info.request = &request;
    info.response = &response;
    info.response_trailers = &trailers;
    info.original_path = "/old/../x?q=1";
    info.request_id = "id-1";
    info.client_ip = "192.0.2.1";
    info.status = 503;
    info.details = "via_upstream";
    info.termination = "closed";
    info.local_reply_body = "no";
    info.route_name = "r";
    info.virtual_host = "v";
    info.cluster = "c";
    info.upstream_host = "127.0.0.1:9001";
    info.upstream_local = "[::1]:33000";
    info.upstream_failure = "refused";
    info.upstream_connection_id = 99;
    info.attempts = 2;
    info.upstream_protocol = Protocol::kHttp11;
    info.request_body_bytes = 10;
    info.response_body_bytes = 20;
    info.request_head_bytes = 30;
    info.response_head_bytes = 40;
    info.stream_id = 11;
    info.flags.Set(ResponseFlag::kUpstreamConnectionFailure);
    info.flags.Set(ResponseFlag::kUpstreamRetryLimitExceeded);
    info.start = 1'000 * kMillisecond;
    info.request_end = 1'001 * kMillisecond;
    info.pool_ready = 1'002 * kMillisecond;
    info.upstream_start = 1'003 * kMillisecond;
    info.upstream_end = 1'005 * kMillisecond;
    info.response_start = 1'009 * kMillisecond;
    info.response_end = 1'020 * kMillisecond;
    info.end = 1'021 * kMillisecond + 500 * kMicrosecond;
    info.wall_start = 1'700'000'000 * kSecond + 123'456'789;
    info.SetMetadata("jwt", "sub", "joe");
  }

  std::string Text(std::string_view text, std::string_view missing = "-") {
    const auto compiled = VariableText::Compile(text);
    if (!compiled) return "error: " + compiled.error().detail;
    std::string out;
    compiled->AppendTo(out, info, missing);
    EXPECT_EQ(compiled->Render(info, arena, missing), out);
    return out;
  }

  Arena arena;
  ConnectionInfo connection;
  StreamInfo info;
  RequestHead request;
  ResponseHead response;
  Headers trailers;
};

TEST_F(VariablesTest, EveryVariable) {
  setenv("SLUICE_VARIABLES_TEST", "from environment", 1);
  char hostname[256] = {};
  ASSERT_EQ(gethostname(hostname, sizeof(hostname) - 1), 0);
  const std::pair<std::string_view, std::string_view> kExpected[] = {
      {"start_time", "2023-11-14T22:13:20.123Z"},
      {"start_time(%Y)", "2023"},
      {"start_time_local(%s)", "1700000000"},
      {"end_time", "2023-11-14T22:13:20.144Z"},
      {"method", "GET"},
      {"path", "/new?q=1&team=a%20b&empty=&flag&team=c"},
      {"path_only", "/new"},
      {"original_path", "/old/../x?q=1"},
      {"original_path_only", "/old/../x"},
      {"query", "q=1&team=a%20b&empty=&flag&team=c"},
      {"query_param(team)", "a%20b"},
      {"query_param(empty)", ""},
      {"query_param(flag)", ""},
      {"query_param(tea)", "-"},
      {"scheme", "http"},
      {"host", "a.example:8080"},
      {"authority", "a.example:8080"},
      {"protocol", "HTTP/1.1"},
      {"upstream_protocol", "HTTP/1.1"},
      {"header(X-Team)", "blue"},
      {"header(x-none?user-agent)", "curl/8"},
      {"header(x-none?x-team)", "blue"},
      {"header(x-empty?x-team)", ""},
      {"header(x-none)", "-"},
      {"response_header(content-type)", "text/html"},
      {"response_header(x-none?x-up)", "1"},
      {"trailer(grpc-status)", "0"},
      {"user_agent", "curl/8"},
      {"referer", "http://b.example/"},
      {"forwarded_for", "192.0.2.1"},
      {"status", "503"},
      {"response_flags", "UF,URX"},
      {"response_flags_long", "UpstreamConnectionFailure,UpstreamRetryLimitExceeded"},
      {"response_code_details", "via_upstream"},
      {"connection_termination_details", "closed"},
      {"local_reply_body", "no"},
      {"bytes_received", "10"},
      {"bytes_sent", "20"},
      {"request_headers_bytes", "30"},
      {"response_headers_bytes", "40"},
      {"duration", "21"},
      {"request_duration", "1"},
      {"request_tx_duration", "5"},
      {"response_duration", "9"},
      {"response_tx_duration", "12"},
      {"pool_ready_duration", "2"},
      {"upstream_time", "6"},
      {"upstream_response_time", "17"},
      {"common_duration(start:end:us)", "21500"},
      {"common_duration(end:start:ns)", "0"},
      {"client_ip", "192.0.2.1"},
      {"remote_address", "[2001:db8::1]:40000"},
      {"remote_ip", "2001:db8::1"},
      {"remote_port", "40000"},
      {"direct_remote_address", "10.0.0.1:5000"},
      {"direct_remote_ip", "10.0.0.1"},
      {"direct_remote_port", "5000"},
      {"local_address", "192.0.2.80:8080"},
      {"local_ip", "192.0.2.80"},
      {"local_port", "8080"},
      {"listener", "web"},
      {"connection_id", "7"},
      {"stream_id", "11"},
      {"request_id", "id-1"},
      {"route", "r"},
      {"virtual_host", "v"},
      {"cluster", "c"},
      {"upstream", "127.0.0.1:9001"},
      {"upstream_ip", "127.0.0.1"},
      {"upstream_port", "9001"},
      {"upstream_local", "[::1]:33000"},
      {"upstream_local_ip", "::1"},
      {"upstream_local_port", "33000"},
      {"upstream_connection_id", "99"},
      {"upstream_failure", "refused"},
      {"attempts", "2"},
      {"priority", "normal"},
      {"metadata(jwt:sub)", "joe"},
      {"metadata(jwt:iss)", "-"},
      {"hostname", hostname},
      {"environment(SLUICE_VARIABLES_TEST)", "from environment"},
      {"environment(SLUICE_NO_SUCH_VARIABLE)", "-"},
  };
  std::vector<std::string_view> seen;
  for (const auto& [name, text] : kExpected) {
    EXPECT_EQ(Text("%" + std::string(name) + "%"), text) << name;
    seen.push_back(name.substr(0, name.find('(')));
  }
  for (const VariableDescription& variable : AllVariables()) {
    EXPECT_THAT(seen, ::testing::Contains(variable.name));
    EXPECT_FALSE(variable.text.empty());
  }
}

TEST_F(VariablesTest, NothingIsKnownOfAStreamThatHasNotBegun) {
  const ConnectionInfo none;
  const StreamInfo empty(arena, none);
  for (const VariableDescription& variable : AllVariables()) {
    std::string text = "%" + std::string(variable.name);
    if (variable.argument == "x?y" || variable.argument == "name") text += "(x)";
    if (variable.argument == "space:key") text += "(x:y)";
    if (variable.argument == "from:to:unit") text += "(start:end:ms)";
    if (variable.argument == "NAME") text += "(SLUICE_NO_SUCH_VARIABLE)";
    text += "%";
    SCOPED_TRACE(text);
    const auto compiled = VariableText::Compile(text);
    ASSERT_TRUE(compiled) << compiled.error().detail;
    ASSERT_TRUE(compiled->is_single());
    std::string out;
    compiled->AppendTo(out, empty, "none");
    EXPECT_EQ(out != "none", compiled->HasValue(empty));
    if (compiled->type() == VariableType::kNumber && out != "none") {
      EXPECT_EQ(out, "0");
    }
  }
}

TEST_F(VariablesTest, TextAroundVariablesAndPercentSigns) {
  EXPECT_EQ(Text("a %method% b %status%c"), "a GET b 503c");
  EXPECT_EQ(Text("100%% of %method%%%"), "100% of GET%");
  EXPECT_EQ(Text(""), "");
  EXPECT_EQ(Text("[%header(x-none)%]", "?"), "[?]");
}

TEST_F(VariablesTest, ValuesAreCut) {
  EXPECT_EQ(Text("%path:4%"), "/new");
  EXPECT_EQ(Text("%status:2%!"), "50!");
  EXPECT_EQ(Text("%start_time:10%"), "2023-11-14");
  EXPECT_EQ(Text("%header(x-team):2%/%header(x-none?x-team):1%"), "bl/b");
  EXPECT_EQ(Text("%path:1000%"), request.path);
}

TEST_F(VariablesTest, TimeFormats) {
  EXPECT_EQ(Text("%start_time(%Y-%m-%dT%H:%M:%S.%3fZ)%"), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(Text("%start_time(%d/%b/%Y:%T %z)%"), "14/Nov/2023:22:13:20 +0000");
  EXPECT_EQ(Text("%start_time(%s.%6f)%"), "1700000000.123456");
  EXPECT_EQ(Text("%start_time(%f|%1f|%9f)%"), "123456789|1|123456789");
  EXPECT_EQ(Text("%start_time(%a %A %b %B %e %j %I %p %y %D %F %R %%)%"),
            "Tue Tuesday Nov November 14 318 10 PM 23 11/14/23 2023-11-14 22:13 %");
  // The second that is remembered does not stand in for another.
  const auto text = VariableText::Compile("%start_time(%S.%3f)%");
  ASSERT_TRUE(text);
  for (const auto& [wall, expected] :
       {std::pair{Nanos{5} * kSecond, "05.000"},
        std::pair{Nanos{5} * kSecond + 7 * kMillisecond, "05.007"},
        std::pair{Nanos{6} * kSecond, "06.000"}, std::pair{Nanos{5} * kSecond, "05.000"}}) {
    info.wall_start = wall;
    std::string out;
    text->AppendTo(out, info);
    EXPECT_EQ(out, expected);
  }
}

TEST_F(VariablesTest, LocalTime) {
  const char* const before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TZ", "XYZ-5:30", 1);  // POSIX: 5:30 east
  tzset();
  EXPECT_EQ(Text("%start_time_local(%F %T %z %Z)%"), "2023-11-15 03:43:20 +0530 XYZ");
  EXPECT_EQ(Text("%start_time_local%"), "2023-11-15T03:43:20.123+0530");
  setenv("TZ", kept.c_str(), 1);
  if (before == nullptr) unsetenv("TZ");
  tzset();
}

TEST_F(VariablesTest, Errors) {
  const std::pair<std::string_view, std::string_view> kErrors[] = {
      {"%stauts%", "no variable \"stauts\" (did you mean \"status\"?)"},
      {"%REQ(user-agent)%", "no variable \"REQ\" (did you mean \"header\"?)"},
      {"%RESPONSE_FLAGS%", "no variable \"RESPONSE_FLAGS\" (did you mean \"response_flags\"?)"},
      {"%RESPONSE_CODE%", "(did you mean \"status\"?)"},
      {"%zzzzzzzzzzzz%", "no variable \"zzzzzzzzzzzz\""},
      {"50% off", "a percent sign alone is written %%"},
      {"100%", "a percent sign alone is written %%"},
      {"%status", "a percent sign alone is written %%"},
      {"%header(x", "a percent sign alone is written %%"},
      {"%header%", "%header%: it needs brackets: %header(x?y)%"},
      {"%header()%", "%header%: expected a header field's name, or two as x?y"},
      {"%header(a b)%", "%header%: expected a header field's name"},
      {"%header(a?)%", "%header%: expected a header field's name"},
      {"%status(x)%", "%status%: it takes nothing in brackets"},
      {"%metadata(x)%", "%metadata%: expected space:key"},
      {"%common_duration(start:end)%", "expected from:to:unit"},
      {"%common_duration(strat:end:ms)%", "no time point \"strat\" (did you mean \"start\"?)"},
      {"%common_duration(start:end:min)%", "no unit \"min\""},
      {"%start_time(%Q)%", "the time format has no \"%Q\""},
      {"%start_time(%3S)%", "the time format has no \"%3S\""},
      {"%path:0%", "a variable's length"},
      {"%path:x%", "a variable's length"},
  };
  for (const auto& [text, error] : kErrors) {
    const auto compiled = VariableText::Compile(text);
    ASSERT_FALSE(compiled) << text;
    EXPECT_THAT(compiled.error().detail, HasSubstr(error)) << text;
  }
  EXPECT_FALSE(VariableText::Compile("%start_time(" + std::string(500, 'x') + ")%"));
}

TEST_F(VariablesTest, ConstantsAndSingles) {
  const auto constant = VariableText::Compile("100%%");
  ASSERT_TRUE(constant);
  EXPECT_TRUE(constant->is_constant());
  EXPECT_FALSE(constant->is_single());
  EXPECT_EQ(constant->constant(), "100%");
  const auto empty = VariableText::Compile("");
  EXPECT_TRUE(empty->is_constant());
  EXPECT_EQ(empty->constant(), "");
  EXPECT_EQ(empty->Render(info, arena), "");
  const auto number = VariableText::Compile("%status%");
  EXPECT_TRUE(number->is_single());
  EXPECT_EQ(number->type(), VariableType::kNumber);
  EXPECT_EQ(VariableText::Compile("%status%.")->type(), VariableType::kText);
  EXPECT_EQ(VariableText::Compile("%path%")->type(), VariableType::kText);
  // Straight into the stream: no copy.
  EXPECT_EQ(VariableText::Compile("%path%")->Render(info, arena).data(), request.path.data());
}

std::string Escaped(std::string_view text, VariableEscape escape) {
  VariableWriter writer;
  writer.AppendEscaped(text, escape);
  return std::string(writer.view());
}

TEST(VariableWriterTest, Json) {
  const std::pair<std::string_view, std::string_view> kCases[] = {
      {"", ""},
      {"plain text that is longer than a word", "plain text that is longer than a word"},
      {"say \"hi\"", R"(say \"hi\")"},
      {R"(back\slash)", R"(back\\slash)"},
      {"line\r\nend\ttab", R"(line\r\nend\ttab)"},
      {std::string_view("nul\0\x1f\x7f.", 7), R"(nul\u0000\u001f\u007f.)"},
      {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
       "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
      {"bad \xff end", "bad \xef\xbf\xbd end"},
      {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
      {"overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd"},
      {"surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"beyond \xf4\x90\x80\x80", "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
  };
  for (const auto& [text, json] : kCases) EXPECT_EQ(Escaped(text, VariableEscape::kJson), json);
}

TEST(VariableWriterTest, TextStaysOneLine) {
  EXPECT_EQ(Escaped("a\"b\\c\r\nd\x1b[31m\xc3\xbc", VariableEscape::kText),
            R"(a\x22b\x5cc\x0d\x0ad\x1b[31m\xc3\xbc)");
  EXPECT_EQ(Escaped("a\"b\n", VariableEscape::kNone), "a\"b\n");
}

// What is copied by words is escaped wherever it stands.
TEST(VariableWriterTest, EveryByteAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (size_t place = 0; place < 18; ++place) {
      std::string text(18, 'x');
      text[place] = static_cast<char>(byte);
      const std::string one(1, static_cast<char>(byte));
      const bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
      for (const VariableEscape escape : {VariableEscape::kText, VariableEscape::kJson}) {
        const std::string expected =
            std::string(place, 'x') + Escaped(one, escape) + std::string(17 - place, 'x');
        ASSERT_EQ(Escaped(text, escape), expected) << byte << " at " << place;
        ASSERT_EQ(Escaped(one, escape) == one, plain) << byte;
      }
    }
  }
}

}  // namespace
}  // namespace sluice
