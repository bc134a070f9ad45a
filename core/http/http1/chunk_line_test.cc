#include "core/http/http1/chunk_line.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice::http1 {
namespace {

// The size, and what is left behind the line; "more" or "fault".
std::string Read(std::string_view text, bool by_byte) {
  ChunkLine line;
  const char* at = text.data();
  const char* end = at + text.size();
  ChunkLine::Result result = ChunkLine::Result::kMore;
  while (at < end && result == ChunkLine::Result::kMore) {
    result = line.Read(at, by_byte ? at + 1 : end);
  }
  if (result == ChunkLine::Result::kMore) return "more";
  if (result == ChunkLine::Result::kFault) return "fault";
  return std::to_string(line.size()) + "|" + std::string(at, end);
}
std::string Read(std::string_view text) {
  const std::string whole = Read(text, false);
  EXPECT_EQ(Read(text, true), whole) << text;
  return whole;
}

TEST(ChunkLineTest, Sizes) {
  EXPECT_EQ(Read("0\r\n\r\n"), "0|\r\n");
  EXPECT_EQ(Read("aF\r\nx"), "175|x");
  EXPECT_EQ(Read("0000000000000000000000005\r\n"), "5|");
  EXPECT_EQ(Read("7fffffffffffffff\r\n"), "9223372036854775807|");
  EXPECT_EQ(Read("8000000000000000\r\n"), "fault");
  EXPECT_EQ(Read(std::string(33, '0') + "\r\n"), "fault");
  EXPECT_EQ(Read("5"), "more");
  EXPECT_EQ(Read("5\r"), "more");
  for (const char* bad : {"\r\n", "g\r\n", "0x5\r\n", "-5\r\n", "+5\r\n", " 5\r\n", "5 \r\n", "5\n",
                          "5\rx", "5,\r\n", "5_0\r\n"}) {
    EXPECT_EQ(Read(bad), "fault") << bad;
  }
}

TEST(ChunkLineTest, ExtensionsAsTheGrammarHasThem) {
  for (const char* good :
       {"5;a\r\n", "5;a=b\r\n", "5;a;b=c;d\r\n", "5 ; a = b ; c\t=\t\"d\"\r\n", "5;a=\"\"\r\n",
        "5;a=\"b;c=d\"\r\n", "5;a=\"b c\tD\"\r\n", "5;a=\"b\\\"c\\\\\"\r\n", "5;a=\"\\ \"\r\n",
        "5;a=\"\xc3\xa4\";b\r\n", "5;a=\"1\" ;b=\"2\"\r\n", "5;!#$%&'*+-.^_`|~=1\r\n"}) {
    EXPECT_EQ(Read(good), "5|") << good;
  }
}

TEST(ChunkLineTest, ExtensionsThatAreRefused) {
  for (const char* bad : {"5;\r\n",
                          "5; \r\n",
                          "5;;a\r\n",
                          "5;=b\r\n",
                          "5;a=\r\n",
                          "5;a= \r\n",
                          "5;a b\r\n",
                          "5;a \r\n",
                          "5;a=b c\r\n",
                          "5;a=b \r\n",
                          "5;a=\"b\"c\r\n",
                          "5;a=\"b\" \r\n",
                          "5;a\n",
                          "5;a=b\n",
                          "5;a\rb\r\n",
                          "5;a=\"\r\n\"\r\n",
                          "5;a=\"\n\"\r\n",
                          "5;a=\"\\\r\n\"\r\n",
                          "5;a=\"\x01\"\r\n",
                          "5;a=\"\\\x7f\"\r\n",
                          "5;\xc3=b\r\n",
                          "5;a=\"b\"\n",
                          "5;a=b\"c\"\r\n"}) {
    EXPECT_EQ(Read(bad), "fault") << bad;
  }
  EXPECT_EQ(Read(std::string_view("5;a=\"\0\"\r\n", 9)), "fault");
  EXPECT_EQ(Read("5;a=\"" + std::string(900, 'x') + "\"\r\n"), "5|");
  EXPECT_EQ(Read("5;a=\"" + std::string(1100, 'x')), "fault");
  EXPECT_EQ(Read("5" + std::string(1100, ' ')), "fault");
}

TEST(ChunkLineTest, TheEndOfAChunkStandsBeforeTheNextLine) {
  const auto read = [](std::string_view text) {
    ChunkLine line;
    line.BeginNext();
    const char* at = text.data();
    return line.Read(at, at + text.size());
  };
  EXPECT_EQ(read("\r\n5\r\n"), ChunkLine::Result::kDone);
  EXPECT_EQ(read("\r"), ChunkLine::Result::kMore);
  EXPECT_EQ(read("5\r\n"), ChunkLine::Result::kFault);
  EXPECT_EQ(read("\n5\r\n"), ChunkLine::Result::kFault);
  EXPECT_EQ(read("\r5\r\n"), ChunkLine::Result::kFault);
}

}  // namespace
}  // namespace sluice::http1
