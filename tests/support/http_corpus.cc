#include "tests/support/http_corpus.h"

namespace sluice::test {
namespace {

using namespace std::string_literals;

constexpr char kCodec[] = "http1.codec_error";
constexpr char kCharacters[] = "http1.invalid_characters";
constexpr char kUrl[] = "http1.invalid_url";
constexpr char kHost[] = "http1.invalid_host";
constexpr char kLength[] = "http1.invalid_content_length";
constexpr char kCoding[] = "http1.invalid_transfer_encoding";
constexpr char kBoth[] = "http1.content_length_and_chunked_not_allowed";
constexpr char kMethod[] = "http1.unknown_method";
constexpr char kVersion[] = "http1.unsupported_version";

// A request with these field lines behind Host.
std::string Get(const std::string& fields) {
  return "GET / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n\r\n";
}
std::string Post(const std::string& fields, const std::string& body = "") {
  return "POST / HTTP/1.1\r\nHost: a.test\r\n" + fields + "\r\n\r\n" + body;
}
std::string Target(const std::string& target, const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
}
std::string Host(const std::string& host) { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"; }
std::string Chunks(const std::string& body) { return Post("Transfer-Encoding: chunked", body); }

std::string ManyFields(int count) {
  std::string fields;
  for (int i = 0; i < count; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
  return fields;
}

void AddFraming(std::vector<BadRequest>& all) {
  const std::string smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
  all.insert(
      all.end(),
      {
          {"length and chunked", Post("Content-Length: 5\r\nTransfer-Encoding: chunked", smuggled),
           400, kBoth},
          {"chunked and length", Post("Transfer-Encoding: chunked\r\nContent-Length: 5", smuggled),
           400, kBoth},
          {"chunked and length 0",
           Post("Transfer-Encoding: chunked\r\nContent-Length: 0", smuggled), 400, kBoth},
          {"two lengths", Post("Content-Length: 5\r\nContent-Length: 6", "helloo"), 400, kLength},
          {"list of lengths", Post("Content-Length: 5, 6", "helloo"), 400, kLength},
          {"list with an empty length", Post("Content-Length: 5,", "hello"), 400, kLength},
          {"empty length", Post("Content-Length:", "hello"), 400, kLength},
          {"signed length", Post("Content-Length: +5", "hello"), 400, kLength},
          {"negative length", Post("Content-Length: -5", "hello"), 400, kLength},
          {"hexadecimal length", Post("Content-Length: 0x5", "hello"), 400, kLength},
          {"fractional length", Post("Content-Length: 5.0", "hello"), 400, kLength},
          {"length with a space", Post("Content-Length: 1 2", "hello"), 400, kLength},
          {"word for a length", Post("Content-Length: five", "hello"), 400, kLength},
          {"length too large for 63 bits", Post("Content-Length: 9223372036854775808"), 400,
           kLength},
          {"length too large for 64 bits", Post("Content-Length: 18446744073709551616"), 400,
           kLength},
          {"gzip", Post("Transfer-Encoding: gzip", "x"), 501, kCoding},
          {"gzip then chunked", Post("Transfer-Encoding: gzip, chunked", smuggled), 501, kCoding},
          {"chunked then gzip", Post("Transfer-Encoding: chunked, gzip", smuggled), 501, kCoding},
          {"gzip and chunked on two lines",
           Post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", smuggled), 501, kCoding},
          {"chunked and identity on two lines",
           Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", smuggled), 501,
           kCoding},
          {"identity", Post("Transfer-Encoding: identity", "x"), 501, kCoding},
          {"empty coding", Post("Transfer-Encoding:", "x"), 501, kCoding},
          {"chunked twice", Post("Transfer-Encoding: chunked, chunked", smuggled), 400, kCoding},
          {"chunked on two lines",
           Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", smuggled), 400,
           kCoding},
          {"chunked with a comma", Post("Transfer-Encoding: ,chunked", smuggled), 400, kCoding},
          {"quoted chunked", Post("Transfer-Encoding: \"chunked\"", smuggled), 501, kCoding},
          {"chunked with a parameter", Post("Transfer-Encoding: chunked;q=1", smuggled), 501,
           kCoding},
          {"xchunked", Post("Transfer-Encoding: xchunked", smuggled), 501, kCoding},
          {"chunked with a vertical tab",
           Post("Transfer-Encoding: \x0b"
                "chunked",
                smuggled),
           400, kCharacters},
          {"chunked in HTTP/1.0",
           "POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled, 400,
           kCoding},
          {"Connection that names Content-Length and a chunked body",
           Post("Connection: content-length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
                smuggled),
           400, kBoth},
          {"body on CONNECT",
           "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello", 400,
           "http1.body_disallowed"},
          {"chunked body on CONNECT",
           "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n" +
               smuggled,
           400, "http1.body_disallowed"},
          {"endless Connection",
           Get("Connection: a" + std::string(200, ',') +
               [] {
                 std::string options;
                 for (int i = 0; i < 100; ++i) options += "x" + std::to_string(i) + ",";
                 return options;
               }()),
           400, "http1.connection_header_rejected"},
      });
}

void AddLines(std::vector<BadRequest>& all) {
  all.insert(
      all.end(),
      {
          {"bare LF in the request line", "GET / HTTP/1.1\nHost: a.test\r\n\r\n", 400, kCodec},
          {"bare LF behind a field", "GET / HTTP/1.1\r\nHost: a.test\nX: y\r\n\r\n", 400, kCodec},
          {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a.test\r\n\nrest\n", 400, kCodec},
          {"LF LF at the end", "GET / HTTP/1.1\nHost: a.test\n\n", 400, kCodec},
          {"bare CR in the request line", "GET / HTTP/1.1\rHost: a.test\r\n\r\n", 400, kCodec},
          {"bare CR in a value", Get("X: a\rb"), 400, kCodec},
          {"bare CR before CRLF", Get("X: a\r"), 400, kCodec},
          {"bare CR that hides a field", Get("X: a\rTransfer-Encoding: chunked"), 400, kCodec},
          {"bare CR at the end", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\r\n", 400, kCodec},
          {"space before the colon", Get("X : y"), 400, kCodec},
          {"tab before the colon", Get("X\t: y"), 400, kCodec},
          {"space before Host's colon", "GET / HTTP/1.1\r\nHost : a.test\r\n\r\n", 400, kCodec},
          {"space before the length's colon", Post("Content-Length : 5", "hello"), 400, kCodec},
          {"space in a name", Get("X Y: z"), 400, kCodec},
          {"space before the first name", "GET / HTTP/1.1\r\n Host: a.test\r\n\r\n", 400, kCodec},
          {"folded line", Get("X: a\r\n b"), 400, kCodec},
          {"folded line with a tab", Get("X: a\r\n\tb"), 400, kCodec},
          {"folded empty line", Get("X: a\r\n \r\nY: b"), 400, kCodec},
          {"folded first value", Get("X:\r\n b"), 400, kCodec},
          {"folded coding", Post("Transfer-Encoding:\r\n chunked", "0\r\n\r\n"), 400, kCodec},
          {"empty name", Get(": y"), 400, kCodec},
          {"no colon", Get("X"), 400, kCodec},
          {"NUL in a value", Get("X: a\0b"s), 400, kCharacters},
          {"NUL in a name", Get("X\0Y: a"s), 400, kCharacters},
          {"NUL at the start of a name", Get("\0X: a"s), 400, kCharacters},
          {"control byte in a value", Get("X: a\x01"), 400, kCharacters},
          {"escape byte in a value", Get("X: \x1b[0m"), 400, kCharacters},
          {"DEL in a value", Get("X: a\x7f"), 400, kCharacters},
          {"control byte in a name", Get("X\x02: a"), 400, kCharacters},
          {"high byte in a name", Get("X\xe9: a"), 400, kCharacters},
          {"parenthesis in a name", Get("X(): a"), 400, kCharacters},
          {"slash in a name", Get("X/Y: a"), 400, kCharacters},
          {"quote in a name", Get("\"X\": a"), 400, kCharacters},
          {"101 fields", Get(ManyFields(100) + "Last: v"), 431, "http1.too_many_headers"},
          {"head too large", Get("X: " + std::string(60 * 1024, 'x')), 431,
           "http1.headers_too_large"},
          {"head too large in many fields", Get([] {
             std::string fields;
             for (int i = 0; i < 70; ++i) fields += "X: " + std::string(1000, 'x') + "\r\n";
             return fields + "Y: z";
           }()),
           431, "http1.headers_too_large"},
          {"endless line", "GET / HTTP/1.1\r\nHost: a.test\r\nX: " + std::string(64 * 1024, 'x'),
           431, "http1.headers_too_large"},
      });
}

void AddRequestLines(std::vector<BadRequest>& all) {
  all.insert(
      all.end(),
      {
          {"HTTP/0.9", "GET /\r\n", 400, kCodec},
          {"HTTP/0.9 with its version", "GET / HTTP/0.9\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a.test\r\n\r\n", 505, kVersion},
          {"HTTP/1.11", "GET / HTTP/1.11\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a.test\r\n\r\n", 505, kVersion},
          {"HTTP/3.0", "GET / HTTP/3.0\r\nHost: a.test\r\n\r\n", 505, kVersion},
          {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, kVersion},
          {"http in small letters", "GET / http/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"version without a number", "GET / HTTP/\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"version without a minor", "GET / HTTP/1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"letter for a version", "GET / HTTP/x.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"space behind the version", "GET / HTTP/1.1 \r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"RTSP", "OPTIONS rtsp://a.test/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, kCodec},
          {"RTSP's own method", "DESCRIBE rtsp://a.test/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400, kCodec},
          {"RTSP with GET", "GET / RTSP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"ICE", "GET / ICE/1.0\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"ICE's own method", "SOURCE / ICE/1.0\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"ICE's method in HTTP", "SOURCE / HTTP/1.1\r\nHost: a.test\r\n\r\n", 501, kMethod},
          {"RTSP's method in HTTP", "DESCRIBE / HTTP/1.1\r\nHost: a.test\r\n\r\n", 501, kMethod},
          {"unknown method", "BREW / HTTP/1.1\r\nHost: a.test\r\n\r\n", 501, kMethod},
          {"unknown method that begins like a known one", "GETS / HTTP/1.1\r\nHost: a\r\n\r\n", 501,
           kMethod},
          {"method in small letters", "get / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, kCodec},
          {"garbage", "<html>\r\n\r\n", 400, kCodec},
          {"endless method", std::string(200, 'A') + " / HTTP/1.1\r\n\r\n", 400, kCodec},
          {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"two spaces behind the target", "GET /  HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"tab before the target", "GET\t/ HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"tab behind the target", "GET /\tHTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kUrl},
          {"space before the method", " GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"bare LF before the method", "\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"bare CR before the method", "\rGET / HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kCodec},
          {"too many empty lines", "\r\n\r\n\r\n\r\n\r\n\r\n" + Get("X: y"), 400, kCodec},
          {"no target", "GET HTTP/1.1\r\nHost: a.test\r\n\r\n", 400, kUrl},
          {"space in the target", Target("/a b"), 400, kCodec},
          {"fragment", Target("/a#b"), 400, kUrl},
          {"fragment in the query", Target("/a?b#c"), 400, kUrl},
          {"NUL in the target", Target("/a\0b"s), 400, kUrl},
          {"control byte in the target", Target("/a\x01"), 400, kUrl},
          {"DEL in the target", Target("/a\x7f"), 400, kUrl},
          {"high byte in the target", Target("/\xc3\xa4"), 400, kUrl},
          {"bare CR in the target", Target("/a\rb"), 400, kUrl},
          {"relative target", Target("index.html"), 400, kUrl},
          {"asterisk with GET", Target("*"), 400, kUrl},
          {"asterisk and more", Target("*/a", "OPTIONS"), 400, kUrl},
          {"unknown scheme", Target("ftp://a.test/"), 400, kUrl},
          {"scheme without a host", Target("http:///a"), 400, kUrl},
          {"scheme alone", Target("http://"), 400, kUrl},
          {"user information", Target("http://user@a.test/"), 400, kUrl},
          {"user and password", Target("http://user:secret@a.test/"), 400, kUrl},
          {"port that is none", Target("http://a.test:port/"), 400, kUrl},
          {"port too large", Target("http://a.test:65536/"), 400, kUrl},
          {"authority with GET", Target("a.test:80"), 400, kUrl},
          {"CONNECT without a port", Target("a.test", "CONNECT"), 400, kUrl},
          {"CONNECT to a path", Target("/", "CONNECT"), 400, kUrl},
          {"CONNECT to a URL", Target("http://a.test:80/", "CONNECT"), 400, kUrl},
          {"CONNECT to an empty port", Target("a.test:", "CONNECT"), 400, kUrl},
          {"CONNECT to no host", Target(":443", "CONNECT"), 400, kUrl},
          {"target too long", Target("/" + std::string(8 * 1024, 'x')), 414, "http1.url_too_long"},
          {"endless target", "GET /" + std::string(9 * 1024, 'x'), 414, "http1.url_too_long"},
      });
}

void AddHosts(std::vector<BadRequest>& all) {
  all.insert(all.end(),
             {
                 {"no Host", "GET / HTTP/1.1\r\nX: y\r\n\r\n", 400, "missing_host_header"},
                 {"no field at all", "GET / HTTP/1.1\r\n\r\n", 400, "missing_host_header"},
                 {"no Host beside absolute-form", "GET http://a.test/ HTTP/1.1\r\nX: y\r\n\r\n",
                  400, "missing_host_header"},
                 {"two Hosts", Get("Host: b.test"), 400, kHost},
                 {"the same Host twice", Get("Host: a.test"), 400, kHost},
                 {"empty Host", Host(""), 400, kHost},
                 {"Host with a path", Host("a.test/x"), 400, kHost},
                 {"Host with user information", Host("user@a.test"), 400, kHost},
                 {"Host with a comma", Host("a.test, b.test"), 400, kHost},
                 {"Host with a space", Host("a.test b.test"), 400, kHost},
                 {"Host with a backslash", Host("a.test\\x"), 400, kHost},
                 {"Host with a question mark", Host("a.test?x"), 400, kHost},
                 {"Host with a fragment", Host("a.test#x"), 400, kHost},
                 {"Host with a bad port", Host("a.test:x"), 400, kHost},
                 {"Host with an empty port", Host("a.test:"), 400, kHost},
                 {"Host with two ports", Host("a.test:80:81"), 400, kHost},
                 {"Host of a port alone", Host(":80"), 400, kHost},
                 {"Host with an open bracket", Host("[::1"), 400, kHost},
                 {"Host with letters in brackets", Host("[a.test]"), 400, kHost},
                 {"Host with a high byte", Host("\xc3\xa4.test"), 400, kHost},
                 {"bad Host beside absolute-form",
                  "GET http://a.test/ HTTP/1.1\r\nHost: a b\r\n\r\n", 400, kHost},
             });
}

void AddBodies(std::vector<BadRequest>& all) {
  const auto chunks = [&](const char* name, const std::string& body) {
    all.push_back({name, Chunks(body), 400, kCodec, true});
  };
  chunks("empty chunk size", "\r\nhello\r\n0\r\n\r\n");
  chunks("chunk size of a letter", "g\r\nhello\r\n0\r\n\r\n");
  chunks("chunk size with 0x", "0x5\r\nhello\r\n0\r\n\r\n");
  chunks("negative chunk size", "-5\r\nhello\r\n0\r\n\r\n");
  chunks("signed chunk size", "+5\r\nhello\r\n0\r\n\r\n");
  chunks("chunk size too large for 64 bits", "10000000000000005\r\nhello\r\n0\r\n\r\n");
  chunks("space behind a chunk size", "5 \r\nhello\r\n0\r\n\r\n");
  chunks("space before a chunk size", " 5\r\nhello\r\n0\r\n\r\n");
  chunks("chunk size ended by LF", "5\nhello\r\n0\r\n\r\n");
  chunks("chunk size ended by CR", "5\rhello\r\n0\r\n\r\n");
  chunks("chunk ended by LF", "5\r\nhello\n0\r\n\r\n");
  chunks("chunk ended by CR", "5\r\nhello\r0\r\n\r\n");
  chunks("chunk not ended", "5\r\nhello0\r\n\r\n");
  chunks("chunk longer than its size", "5\r\nhello!\r\n0\r\n\r\n");
  chunks("LF in a chunk extension", "5;a\nhello\r\n0\r\n\r\n");
  chunks("CR in a chunk extension", "5;a\rb\r\nhello\r\n0\r\n\r\n");
  chunks("NUL in a chunk extension", "5;a\0\r\nhello\r\n0\r\n\r\n"s);
  chunks("endless chunk extension", "5;" + std::string(4096, 'a') + "\r\nhello\r\n0\r\n\r\n");
  chunks("trailers ended by LF", "5\r\nhello\r\n0\r\n\n");
  chunks("trailer line ended by LF", "0\r\nX: y\nZ: z\r\n\r\n");
  chunks("space before a trailer's colon", "0\r\nX : y\r\n\r\n");
  chunks("folded trailer", "0\r\nX: y\r\n z\r\n\r\n");
  chunks("trailer without a name", "0\r\n: y\r\n\r\n");
  all.push_back({"NUL in a trailer", Chunks("0\r\nX: \0\r\n\r\n"s), 400, kCharacters, true});
  all.push_back({"101 trailers", Chunks("0\r\n" + ManyFields(101) + "\r\n"), 431,
                 "http1.too_many_headers", true});
  all.push_back({"trailers too large", Chunks("0\r\nX: " + std::string(62 * 1024, 'x')), 431,
                 "http1.headers_too_large", true});
}

std::vector<BadRequest> MakeBadRequests() {
  std::vector<BadRequest> all;
  AddFraming(all);
  AddLines(all);
  AddRequestLines(all);
  AddHosts(all);
  AddBodies(all);
  return all;
}

std::vector<BadResponse> MakeBadResponses() {
  const auto ok = [](const std::string& fields, const std::string& body = "") {
    return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" + body;
  };
  const std::string chunks = "2\r\nhi\r\n0\r\n\r\n";
  std::vector<BadResponse> all = {
      {"length and chunked", ok("Content-Length: 2\r\nTransfer-Encoding: chunked", chunks), kBoth},
      {"two lengths", ok("Content-Length: 2\r\nContent-Length: 3", "hii"), kLength},
      {"bad length", ok("Content-Length: two", "hi"), kLength},
      {"negative length", ok("Content-Length: -1", "hi"), kLength},
      {"unknown coding", ok("Transfer-Encoding: gzip", "hi"), kCoding},
      {"unknown coding before chunked", ok("Transfer-Encoding: gzip, chunked", chunks), kCoding},
      {"unknown coding on a line of its own",
       ok("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", chunks), kCoding},
      {"chunked twice", ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", chunks),
       kCoding},
      {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
       kCoding},
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", kCodec},
      {"bare LF behind a field", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"bare CR", "HTTP/1.1 200 OK\rContent-Length: 2\r\n\r\nhi", kCodec},
      {"bare CR in a value", ok("X: a\rb\r\nContent-Length: 2", "hi"), kCodec},
      {"space before the colon", ok("Content-Length : 2", "hi"), kCodec},
      {"folded line", ok("X: a\r\n b\r\nContent-Length: 2", "hi"), kCodec},
      {"empty name", ok(": a\r\nContent-Length: 2", "hi"), kCodec},
      {"NUL in a value", ok("X: \0\r\nContent-Length: 2"s, "hi"), kCharacters},
      {"control byte in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nhi",
       kCharacters},
      {"HTTP/0.9", "<html>hi</html>", kCodec},
      {"HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"ICY", "ICY 200 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"two digits", "HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"status 099", "HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"two spaces", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", kCodec},
      {"101 that nobody asked for",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", kCodec},
      {"endless informational responses",
       [] {
         std::string bytes;
         for (int i = 0; i < 100; ++i) bytes += "HTTP/1.1 103 Early Hints\r\n\r\n";
         return bytes;
       }(),
       "http1.too_many_informational"},
      {"101 fields", ok(ManyFields(101) + "Content-Length: 2", "hi"), "http1.too_many_headers"},
      {"head too large", ok("X: " + std::string(61 * 1024, 'x'), "hi"), "http1.headers_too_large"},
      {"cut off in the head", "HTTP/1.1 200 OK\r\nContent-Le", "connection_termination"},
      {"cut off behind an informational response", "HTTP/1.1 100 Continue\r\n\r\n",
       "connection_termination"},
      {"cut off in the body", ok("Content-Length: 3", "hi"), "connection_termination", true},
      {"cut off in a chunk", ok("Transfer-Encoding: chunked", "5\r\nhi"), "connection_termination",
       true},
      {"cut off before the last chunk", ok("Transfer-Encoding: chunked", "2\r\nhi\r\n"),
       "connection_termination", true},
      {"cut off in the trailers", ok("Transfer-Encoding: chunked", "0\r\nX: y\r\n"),
       "connection_termination", true},
      {"bad chunk size", ok("Transfer-Encoding: chunked", "x\r\nhi\r\n0\r\n\r\n"), kCodec, true},
      {"chunk not ended by CRLF", ok("Transfer-Encoding: chunked", "2\r\nhi\n0\r\n\r\n"), kCodec,
       true},
  };
  return all;
}

}  // namespace

const std::vector<BadRequest>& BadRequests() {
  static const std::vector<BadRequest> all = MakeBadRequests();
  return all;
}

const std::vector<BadResponse>& BadResponses() {
  static const std::vector<BadResponse> all = MakeBadResponses();
  return all;
}

}  // namespace sluice::test
