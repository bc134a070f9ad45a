#include "filters/access_log/line_format.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "filters/access_log/access_log.pb.h"

namespace sluice::access_log {
namespace {

class LineFormatTest : public ::testing::Test {
 protected:
  LineFormatTest() : info(arena, connection), request(arena) {
    request.SetMethod("GET");
    request.authority = "a.example";
    request.headers.Add("user-agent", "curl/8");
    info.request = &request;
    info.original_path = "/x?y=1";
    info.client_ip = "192.0.2.1";
    info.request_id = "id-1";
    info.status = 200;
    info.details = "via_upstream";
    info.response_body_bytes = 12;
    info.start = 1 * kSecond;
    info.end = 1 * kSecond + 7 * kMillisecond;
    info.wall_start = 1'700'000'000 * kSecond;
  }
  void Field(std::string name, std::string value) {
    JsonField* field = config.add_json();
    field->set_name(std::move(name));
    field->set_value(std::move(value));
  }
  std::string Line() {
    const auto format = LineFormat::Compile(config);
    if (!format) return "error: " + format.error().detail;
    VariableWriter out;
    format->Write(out, info);
    return std::string(out.view());
  }

  Arena arena;
  ConnectionInfo connection;
  StreamInfo info;
  RequestHead request;
  AccessLogConfig config;
};

TEST_F(LineFormatTest, TheDefaultText) {
  const std::string_view expected =
      "[2023-11-14T22:13:20.000Z] \"GET /x?y=1 HTTP/1.1\" 200 - 0 12 7 - \"-\" \"curl/8\" "
      "\"id-1\" \"a.example\" \"-\"\n";
  EXPECT_EQ(Line(), expected);
  config.set_format(AccessLogConfig::TEXT);
  EXPECT_EQ(Line(), expected);
}

TEST_F(LineFormatTest, TheDefaultJson) {
  config.set_format(AccessLogConfig::JSON);
  EXPECT_EQ(Line(),
            R"({"time":"2023-11-14T22:13:20.000Z","client_ip":"192.0.2.1","method":"GET",)"
            R"("host":"a.example","path":"/x?y=1","protocol":"HTTP/1.1","status":200,)"
            R"("response_flags":null,"response_code_details":"via_upstream","bytes_received":0,)"
            R"("bytes_sent":12,"duration":7,"upstream_time":null,"route":null,"cluster":null,)"
            R"("upstream":null,"user_agent":"curl/8","request_id":"id-1"})"
            "\n");
}

TEST_F(LineFormatTest, OmitEmptyLeavesOutWhatHasNoValue) {
  config.set_format(AccessLogConfig::JSON);
  config.set_omit_empty(true);
  EXPECT_EQ(Line(), R"({"time":"2023-11-14T22:13:20.000Z","client_ip":"192.0.2.1","method":"GET",)"
                    R"("host":"a.example","path":"/x?y=1","protocol":"HTTP/1.1","status":200,)"
                    R"("response_code_details":"via_upstream","bytes_received":0,)"
                    R"("bytes_sent":12,"duration":7,"user_agent":"curl/8","request_id":"id-1"})"
                    "\n");
  config.clear_format();
  Field("first", "%route%");
  Field("empty", "");
  Field("status", "%status%");
  EXPECT_EQ(Line(), "{\"status\":200}\n");
  config.clear_json();
  Field("route", "%route%");
  EXPECT_EQ(Line(), "{}\n");
}

TEST_F(LineFormatTest, JsonOfOnesOwn) {
  Field("status", "%status%");
  Field("line", "%method% \"%original_path%\" 100%%");
  Field("env", "prod");
  Field("quo\"te", "%route%");
  Field("cut", "%status:1%");
  EXPECT_EQ(Line(),
            R"({"status":200,"line":"GET \"/x?y=1\" 100%","env":"prod","quo\"te":null,"cut":2})"
            "\n");
}

TEST_F(LineFormatTest, TextOfOnesOwn) {
  config.set_text("%method% %status% \"%user_agent%\" 100%% %route%");
  EXPECT_EQ(Line(), "GET 200 \"curl/8\" 100% -\n");
}

// Whatever a client sends: one line, and in JSON the same value again.
TEST_F(LineFormatTest, NoValueForgesALine) {
  const std::string evil = std::string("a\"\n{\"status\":200}\r\n\\ \x1b[2J \xff") + '\0';
  request.headers.Set("user-agent", evil);
  config.set_format(AccessLogConfig::JSON);
  const std::string json = Line();
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  const auto parsed = nlohmann::json::parse(json);
  EXPECT_EQ(parsed["user_agent"],
            std::string("a\"\n{\"status\":200}\r\n\\ \x1b[2J \xef\xbf\xbd") + '\0');
  EXPECT_EQ(parsed["status"], 200);

  config.set_format(AccessLogConfig::TEXT);
  const std::string text = Line();
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  for (const char c : text.substr(0, text.size() - 1)) {
    EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  }
  EXPECT_NE(text.find(R"("a\x22\x0a{\x22status\x22:200})"), std::string::npos) << text;
}

TEST_F(LineFormatTest, EveryVariableMakesValidJson) {
  for (const VariableDescription& variable : AllVariables()) {
    std::string text = "%" + std::string(variable.name);
    if (variable.argument == "x?y" || variable.argument == "name") text += "(x)";
    if (variable.argument == "space:key") text += "(x:y)";
    if (variable.argument == "from:to:unit") text += "(start:end:ms)";
    if (variable.argument == "NAME") text += "(PATH)";
    Field(std::string(variable.name), text + "%");
  }
  const auto parsed = nlohmann::json::parse(Line());
  EXPECT_EQ(parsed.size(), AllVariables().size());
  EXPECT_TRUE(parsed["duration"].is_number());
  EXPECT_TRUE(parsed["method"].is_string());
  EXPECT_TRUE(parsed["cluster"].is_null());
}

TEST(ReadmeTest, ListsEveryVariable) {
  std::ifstream file(SLUICE_SOURCE_DIR "/filters/access_log/README.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const VariableDescription& variable : AllVariables()) {
    std::string row = "| `%" + std::string(variable.name);
    if (!variable.argument.empty()) row += "(" + std::string(variable.argument) + ")";
    row += "%` | ";
    EXPECT_NE(text.str().find(row), std::string::npos) << row;
    EXPECT_NE(text.str().find(" | " + std::string(variable.text) + " |\n"), std::string::npos)
        << variable.text;
  }
}

TEST_F(LineFormatTest, Errors) {
  config.set_text("%stauts%");
  EXPECT_EQ(Line(), "error: text: no variable \"stauts\" (did you mean \"status\"?)");
  config.set_text("a\nb");
  EXPECT_EQ(Line(), "error: text: a control character; the line's end is added");
  config.set_text("x");
  config.set_omit_empty(true);
  EXPECT_EQ(Line(), "error: omit_empty: only for JSON");
  config.set_format(AccessLogConfig::JSON);
  EXPECT_EQ(Line(), "error: format is for the standard formats: leave it out beside text");
  Field("a", "%status");
  EXPECT_EQ(Line(), "error: text and json exclude each other: write only one");
  config.clear_text();
  EXPECT_EQ(Line(), "error: format is for the standard formats: leave it out beside json");
  config.clear_format();
  EXPECT_EQ(Line().substr(0, 22), "error: json.a: \"%statu");
  config.clear_json();
  Field("a", "1");
  Field("a", "2");
  EXPECT_EQ(Line(), "error: json: \"a\" stands twice");
}

}  // namespace
}  // namespace sluice::access_log
