// Which parser was linked? The loose one takes each of these; ours must be the strict one. llhttp
// is asked directly, since the codec would refuse most of them whichever it is.
#include <gtest/gtest.h>
#include <llhttp/llhttp.h>

#include <string_view>

namespace sluice {
namespace {

llhttp_errno_t Parse(std::string_view bytes) {
  const llhttp_settings_t settings{};
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  return llhttp_execute(&parser, bytes.data(), bytes.size());
}

TEST(StrictBuildTest, LlhttpIsStrict) {
  EXPECT_EQ(Parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HPE_OK);
  EXPECT_NE(Parse("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), HPE_OK);
  EXPECT_NE(Parse("GET / HTTP/1.1\r\nHo st: a\r\n\r\n"), HPE_OK);
  EXPECT_NE(Parse("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"), HPE_OK);
  EXPECT_NE(Parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n"),
            HPE_OK);
}

}  // namespace
}  // namespace sluice
