#include "core/net/dns.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/net/fd.h"
#include "core/net/listen_socket.h"
#include "core/net/listener.h"
#include "core/net/socket.h"

namespace sluice {
namespace {

constexpr int kA = 1;
constexpr int kCname = 5;
constexpr int kAaaa = 28;

std::string Number(size_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes) & 0xff);
  return text;
}

std::string WireName(std::string_view name) {
  std::string wire;
  while (!name.empty()) {
    const size_t dot = std::min(name.find('.'), name.size());
    wire += static_cast<char>(dot);
    wire += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return wire + '\0';
}

struct Question {
  std::string id;
  std::string bytes;  // name, type and class as they came
  std::string name;
  int type = 0;

  static std::optional<Question> Parse(std::string_view query) {
    if (query.size() < 17) return {};
    Question question;
    question.id = query.substr(0, 2);
    size_t place = 12;
    while (place < query.size() && query[place] != 0) {
      const size_t size = static_cast<size_t>(query[place]);
      if (!question.name.empty()) question.name += '.';
      question.name += query.substr(place + 1, size);
      place += size + 1;
    }
    if (place + 5 > query.size()) return {};
    question.type = query[place + 2];
    question.bytes = query.substr(12, place + 5 - 12);
    return question;
  }
};

std::string Record(std::string_view name, int type, uint32_t ttl, const std::string& data) {
  return WireName(name) + Number(static_cast<size_t>(type), 2) + Number(1, 2) + Number(ttl, 4) +
         Number(data.size(), 2) + data;
}

// The record of an IP address, named as it was asked for.
std::string IpRecord(const Question& question, std::string_view ip, uint32_t ttl) {
  const Address address = Address::ParseIp(ip).value();
  return Record(question.name, address.family() == Address::Family::kIpv4 ? kA : kAaaa, ttl,
                std::string(address.ip_bytes()));
}

std::string Response(const Question& question, int rcode, const std::vector<std::string>& records,
                     bool truncated = false) {
  std::string response = question.id;
  response += truncated ? '\x83' : '\x81';  // a response, recursion desired
  response += static_cast<char>(0x80 | rcode);
  response += Number(1, 2) + Number(records.size(), 2) + Number(0, 4) + question.bytes;
  for (const std::string& record : records) response += record;
  return response;
}

// A name server on a loopback port, over UDP and TCP, on the test's own loop.
class NameServer final : private FdWatch::Handler, private Listener::Handler {
 public:
  using Answer = std::function<std::string(const Question&)>;  // "" gives no response

  explicit NameServer(Loop& loop) : loop_(loop), watch_(loop, *this), listener_(loop, *this) {
    // A port that is free for both.
    for (int i = 0; i < 100 && !watch_.started(); ++i) {
      tcp_ = OpenListenSockets(Address::Parse("127.0.0.1:0").value(), 1).value();
      udp_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      sockaddr_storage storage;
      const socklen_t size = tcp_.address.ToSockaddr(storage);
      if (bind(udp_.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) continue;
      EXPECT_TRUE(watch_.Start(udp_.get(), false));
      EXPECT_TRUE(listener_.Start(tcp_.fds[0].get()));
    }
    EXPECT_TRUE(watch_.started());
  }
  ~NameServer() {
    watch_.Stop();
    listener_.Close();
  }
  const Address& address() const { return tcp_.address; }

  Answer answer;                   // over UDP
  Answer tcp_answer;               // over TCP
  size_t tcp_piece = SIZE_MAX;     // bytes of a TCP answer a turn
  std::vector<std::string> asked;  // "udp NAME TYPE"

 private:
  // A TCP connection; its answers leave in pieces.
  class Stream final : private FdWatch::Handler {
   public:
    Stream(NameServer& server, Fd fd)
        : server_(server),
          fd_(std::move(fd)),
          watch_(server.loop_, *this),
          write_(Callback::To<&Stream::Write>(this)) {
      EXPECT_TRUE(watch_.Start(fd_.get(), false));
    }

   private:
    void OnReady(uint32_t) override {
      char bytes[4096];
      const ssize_t n = recv(fd_.get(), bytes, sizeof(bytes), 0);
      if (n <= 0) return watch_.Stop();
      in_.append(bytes, static_cast<size_t>(n));
      const bool writing = !out_.empty();
      while (in_.size() >= 2) {
        const size_t size = static_cast<size_t>(static_cast<unsigned char>(in_[0]) << 8 |
                                                static_cast<unsigned char>(in_[1]));
        if (in_.size() < 2 + size) break;
        const std::optional<Question> question = Question::Parse(in_.substr(2, size));
        ASSERT_TRUE(question);
        in_.erase(0, 2 + size);
        const std::string response = server_.Ask("tcp", *question, server_.tcp_answer);
        out_ += Number(response.size(), 2) + response;
      }
      if (!writing && !out_.empty()) Write();
    }
    void Write() {
      const size_t n = std::min(server_.tcp_piece, out_.size());
      EXPECT_EQ(send(fd_.get(), out_.data(), n, MSG_NOSIGNAL), static_cast<ssize_t>(n));
      out_.erase(0, n);
      if (!out_.empty()) server_.loop_.DeferToNextTurn(write_);
    }

    NameServer& server_;
    Fd fd_;
    FdWatch watch_;
    Task write_;
    std::string in_;
    std::string out_;
  };

  std::string Ask(std::string_view protocol, const Question& question, const Answer& from) {
    asked.push_back(std::string(protocol) + " " + question.name + " " +
                    std::to_string(question.type));
    return from ? from(question) : "";
  }

  void OnReady(uint32_t) override {
    for (;;) {
      char bytes[4096];
      sockaddr_storage peer;
      socklen_t size = sizeof(peer);
      const ssize_t n =
          recvfrom(udp_.get(), bytes, sizeof(bytes), 0, reinterpret_cast<sockaddr*>(&peer), &size);
      if (n < 0) return;
      const std::optional<Question> question =
          Question::Parse(std::string_view(bytes, static_cast<size_t>(n)));
      ASSERT_TRUE(question);
      const std::string response = Ask("udp", *question, answer);
      if (response.empty()) continue;
      sendto(udp_.get(), response.data(), response.size(), 0,
             reinterpret_cast<const sockaddr*>(&peer), size);
    }
  }
  void OnAccept(Fd fd, const Address&) override {
    streams_.push_back(std::make_unique<Stream>(*this, std::move(fd)));
  }
  void OnAcceptPaused(int) override { ADD_FAILURE(); }

  Loop& loop_;
  ListenSockets tcp_;
  Fd udp_;
  FdWatch watch_;
  Listener listener_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

// A query and what came of it.
class Waiter {
 public:
  explicit Waiter(Resolver& resolver) : query(resolver, Callback::To<&Waiter::OnAnswer>(this)) {}

  std::string Text() const {
    if (!query.result()) {
      return std::string(CodeName(query.result().error().code)) + ": " +
             query.result().error().detail;
    }
    std::string text;
    for (const DnsAddress& found : *query.result()) {
      if (!text.empty()) text += ", ";
      text += found.address.ToString();
      text += found.ttl == DnsAddress::kForever ? " forever"
                                                : " " + std::to_string(found.ttl / kSecond) + "s";
    }
    return text;
  }

  DnsQuery query;
  int answers = 0;

 private:
  void OnAnswer() {
    ++answers;
    EXPECT_FALSE(query.pending());
  }
};

// The loop's clock stands still: only what the test advances by can time out, but for repetitions
// to a name server, which c-ares times by itself.
class DnsTest : public testing::Test {
 protected:
  DnsTest() {
    Serve([](const Question&) { return ""; });
  }

  void Serve(NameServer::Answer answer) { server.answer = std::move(answer); }
  static NameServer::Answer Ip(std::string_view ip, uint32_t ttl) {
    return [ip = std::string(ip), ttl](const Question& question) {
      const bool v4 = ip.find(':') == std::string::npos;
      if (question.type != (v4 ? kA : kAaaa)) return Response(question, 0, {});
      return Response(question, 0, {IpRecord(question, ip, ttl)});
    };
  }
  bool RunUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 2'000 && !done(); ++i) loop->RunOnce(10);
    return done();
  }
  std::string Resolve(std::string_view host, DnsFamily family = DnsFamily::kAll) {
    Waiter waiter(*resolver);
    waiter.query.Start(host, 80, family);
    EXPECT_EQ(waiter.answers, 0);
    EXPECT_TRUE(waiter.query.pending());
    EXPECT_TRUE(RunUntil([&] { return waiter.answers > 0; }));
    for (int i = 0; i < 3; ++i) loop->RunOnce(0);
    EXPECT_EQ(waiter.answers, 1);
    return waiter.Text();
  }

  FakeClock clock;
  std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  NameServer server{*loop};
  std::unique_ptr<Resolver> resolver =
      Resolver::Create(*loop, {.servers = {server.address()}, .timeout = 3500 * kMillisecond})
          .value();
};

TEST_F(DnsTest, IpAddressesAnswerByThemselves) {
  EXPECT_EQ(Resolve("10.0.0.1"), "10.0.0.1:80 forever");
  EXPECT_EQ(Resolve("::1"), "[::1]:80 forever");
  EXPECT_EQ(Resolve("::1", DnsFamily::kV6), "[::1]:80 forever");
  EXPECT_EQ(Resolve("::1", DnsFamily::kV4), "not-found: resolve ::1: the name has no such address");
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(DnsTest, AddressWithItsTtl) {
  Serve(Ip("10.0.0.7", 33));
  EXPECT_EQ(Resolve("api.test."), "10.0.0.7:80 33s");
  EXPECT_EQ(Resolve("api.test.", DnsFamily::kV4), "10.0.0.7:80 33s");
  EXPECT_EQ(server.asked.back(), "udp api.test 1");
}

TEST_F(DnsTest, FamilyChoosesWhatIsAskedAndKept) {
  Serve([](const Question& question) {
    const char* ip = question.type == kA ? "10.0.0.1" : "2001:db8::1";
    return Response(question, 0, {IpRecord(question, ip, 60)});
  });
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV4), "10.0.0.1:80 60s");
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV6), "[2001:db8::1]:80 60s");
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kAuto), "[2001:db8::1]:80 60s");
  const std::string all = Resolve("a.test.", DnsFamily::kAll);
  EXPECT_NE(all.find("10.0.0.1:80 60s"), std::string::npos) << all;
  EXPECT_NE(all.find("[2001:db8::1]:80 60s"), std::string::npos) << all;
  Serve(Ip("10.0.0.7", 5));
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kAuto), "10.0.0.7:80 5s");
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV6),
            "not-found: resolve a.test.: the name has no such address");
}

TEST_F(DnsTest, SeveralAddressesEachOnce) {
  Serve([](const Question& question) {
    return Response(question, 0,
                    {IpRecord(question, "10.0.0.1", 10), IpRecord(question, "10.0.0.2", 20),
                     IpRecord(question, "10.0.0.1", 10)});
  });
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV4), "10.0.0.1:80 10s, 10.0.0.2:80 20s");
}

TEST_F(DnsTest, AnAliasLimitsTheTtl) {
  Serve([](const Question& question) {
    const std::string data(Address::ParseIp("10.0.0.1")->ip_bytes());
    return Response(
        question, 0,
        {Record(question.name, kCname, 7, WireName("b.test")), Record("b.test", kA, 300, data)});
  });
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV4), "10.0.0.1:80 7s");
}

TEST_F(DnsTest, AHugeTtlIsZero) {
  Serve(Ip("10.0.0.7", 0xffffffff));  // RFC 2181 8
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV4), "10.0.0.7:80 0s");
}

TEST_F(DnsTest, NoSuchName) {
  Serve([](const Question& question) { return Response(question, 3, {}); });
  EXPECT_EQ(Resolve("a.test."), "not-found: resolve a.test.: there is no such name");
}

TEST_F(DnsTest, AServerThatFails) {
  Serve([](const Question& question) { return Response(question, 2, {}); });
  const std::string text = Resolve("a.test.", DnsFamily::kV4);
  EXPECT_TRUE(text.starts_with("unavailable: resolve a.test.: ")) << text;
}

TEST_F(DnsTest, NamesThatAreNone) {
  EXPECT_TRUE(Resolve("").starts_with("invalid-argument: "));
  EXPECT_TRUE(Resolve(std::string(255, 'a')).starts_with("invalid-argument: "));
  EXPECT_TRUE(Resolve(std::string_view("a\0b", 3)).starts_with("invalid-argument: "));
  const std::string text = Resolve(std::string(64, 'a') + ".test.");  // a label has at most 63
  EXPECT_TRUE(text.starts_with("invalid-argument: ")) << text;
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(DnsTest, TheHostsFileIsReadFirst) {
  const std::string text = Resolve("localhost", DnsFamily::kV4);
  EXPECT_EQ(text, "127.0.0.1:80 0s");
  EXPECT_TRUE(server.asked.empty());
}

TEST_F(DnsTest, GarbageIsNoAnswer) {
  // Each has the right id, so that it is looked at. Some are an error, others are passed over until
  // the query times out; none gives an address.
  const NameServer::Answer garbage[] = {
      [](const Question& question) { return question.id; },
      [](const Question& question) { return question.id + std::string(40, '\xff'); },
      [](const Question& question) { return question.id + std::string(40, '\0'); },
      [](const Question& question) {  // a record that is cut short
        const std::string response = Response(question, 0, {IpRecord(question, "10.0.0.1", 60)});
        return response.substr(0, response.size() - 2);
      },
      [](const Question& question) {  // a record whose name points to itself
        std::string response = Response(question, 0, {});
        response[7] = 1;
        return response + '\xc0' + static_cast<char>(response.size()) +
               std::string("\0\1\0\1\0\0\0\1\0\4abcd", 14);
      },
      [](const Question& question) {  // an address of three bytes
        return Response(question, 0, {Record(question.name, kA, 60, "abc")});
      }};
  for (const NameServer::Answer& answer : garbage) {
    Serve(answer);
    server.asked.clear();
    Waiter waiter(*resolver);
    waiter.query.Start("a.test.", 80, DnsFamily::kV4);
    ASSERT_TRUE(RunUntil([&] { return !server.asked.empty(); }));
    for (int i = 0; i < 5; ++i) loop->RunOnce(1);
    clock.Advance(4 * kSecond);
    loop->RunOnce(0);
    EXPECT_EQ(waiter.answers, 1);
    EXPECT_FALSE(waiter.query.result()) << waiter.Text();
  }
  Serve(Ip("10.0.0.7", 60));
  EXPECT_EQ(Resolve("a.test.", DnsFamily::kV4), "10.0.0.7:80 60s");
}

TEST_F(DnsTest, AnAnswerToAnotherQuestionIsNotTaken) {
  Waiter waiter(*resolver);
  Serve([](const Question& question) {
    Question other = question;
    other.id[0] = static_cast<char>(other.id[0] ^ 1);
    return Response(other, 0, {IpRecord(question, "10.6.6.6", 60)});
  });
  waiter.query.Start("a.test.", 80, DnsFamily::kV4);
  ASSERT_TRUE(RunUntil([&] { return !server.asked.empty(); }));
  for (int i = 0; i < 10; ++i) loop->RunOnce(1);
  EXPECT_EQ(waiter.answers, 0);
}

TEST_F(DnsTest, ATruncatedAnswerIsAskedForOverTcp) {
  Serve([](const Question& question) { return Response(question, 0, {}, true); });
  std::vector<std::string> ips;
  for (int i = 0; i < 100; ++i) ips.push_back("10.0.1." + std::to_string(i));
  server.tcp_answer = [&ips](const Question& question) {
    std::vector<std::string> records;
    for (const std::string& ip : ips) records.push_back(IpRecord(question, ip, 60));
    return Response(question, 0, records);
  };
  for (const size_t piece : {SIZE_MAX, size_t{1000}, size_t{50}, size_t{3}}) {
    server.tcp_piece = piece;
    Waiter waiter(*resolver);
    waiter.query.Start("big.test.", 80, DnsFamily::kV4);
    ASSERT_TRUE(RunUntil([&] { return waiter.answers > 0; })) << piece;
    ASSERT_TRUE(waiter.query.result()) << waiter.Text();
    EXPECT_EQ(waiter.query.result()->size(), ips.size());
    EXPECT_EQ(server.asked.back(), "tcp big.test 1");
  }
}

TEST_F(DnsTest, SeveralQueriesAtOnceOverTcp) {
  Serve([](const Question& question) { return Response(question, 0, {}, true); });
  server.tcp_answer = Ip("10.0.0.7", 60);
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 10; ++i) {
    waiters.push_back(std::make_unique<Waiter>(*resolver));
    waiters.back()->query.Start("n" + std::to_string(i) + ".test.", 80, DnsFamily::kAll);
    // The later ones find the connection writable already: no edge tells it.
    if (i >= 5) loop->RunOnce(1);
  }
  for (const auto& waiter : waiters) {
    ASSERT_TRUE(RunUntil([&] { return waiter->answers > 0; }));
    EXPECT_EQ(waiter->Text(), "10.0.0.7:80 60s");
  }
}

TEST_F(DnsTest, NoAnswerIsATimeout) {
  Waiter waiter(*resolver);
  waiter.query.Start("a.test.", 80, DnsFamily::kV4);
  ASSERT_TRUE(RunUntil([&] { return !server.asked.empty(); }));
  clock.Advance(3499 * kMillisecond);
  loop->RunOnce(0);
  EXPECT_EQ(waiter.answers, 0);
  clock.Advance(2 * kMillisecond);
  loop->RunOnce(0);
  EXPECT_EQ(waiter.answers, 1);
  EXPECT_EQ(waiter.Text(), "timeout: resolve a.test.: the name servers did not answer in time");
}

TEST_F(DnsTest, ALostAnswerIsAskedForAgain) {
  SystemClock system;
  std::unique_ptr<Loop> real_loop = Loop::Create(system).value();
  NameServer real_server(*real_loop);
  // c-ares repeats after a seventh of it; the rest is slack.
  std::unique_ptr<Resolver> real_resolver =
      Resolver::Create(*real_loop,
                       {.servers = {real_server.address()}, .timeout = 1400 * kMillisecond})
          .value();
  const NameServer::Answer ip = Ip("10.0.0.7", 60);
  real_server.answer = [&](const Question& question) {
    return real_server.asked.size() < 2 ? std::string() : ip(question);
  };
  // If the machine stalls for longer than the timeout, once more.
  for (int attempt = 0; attempt < 20; ++attempt) {
    real_server.asked.clear();
    Waiter waiter(*real_resolver);
    waiter.query.Start("a.test.", 80, DnsFamily::kV4);
    while (waiter.answers == 0) real_loop->RunOnce(-1);
    if (!waiter.query.result() && waiter.query.result().error().code == Code::kTimeout) continue;
    EXPECT_EQ(waiter.Text(), "10.0.0.7:80 60s");
    EXPECT_GE(real_server.asked.size(), 2u);
    return;
  }
  ADD_FAILURE() << "never answered";
}

TEST_F(DnsTest, NobodyAtTheServersPort) {
  // Bound by us, so that nobody else answers there, and closed for queries: they are refused.
  const Fd holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const socklen_t size = Address::Parse("127.0.0.1:0")->ToSockaddr(storage);
  ASSERT_EQ(bind(holder.get(), reinterpret_cast<const sockaddr*>(&storage), size), 0);
  resolver = Resolver::Create(*loop, {.servers = {LocalAddress(holder.get())}}).value();
  const std::string text = Resolve("a.test.", DnsFamily::kV4);
  EXPECT_TRUE(text.starts_with("unavailable: ")) << text;
}

TEST_F(DnsTest, ManyQueriesAtOnce) {
  Serve([](const Question& question) {
    if (question.type == kAaaa) return Response(question, 0, {});
    return Response(question, 0, {IpRecord(question, "10.0.0." + question.name.substr(1, 2), 1)});
  });
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 10; i < 60; ++i) {
    waiters.push_back(std::make_unique<Waiter>(*resolver));
    waiters.back()->query.Start("n" + std::to_string(i) + ".test.", 80, DnsFamily::kAll);
  }
  int i = 10;
  for (const auto& waiter : waiters) {
    ASSERT_TRUE(RunUntil([&] { return waiter->answers > 0; }));
    EXPECT_EQ(waiter->Text(), "10.0.0." + std::to_string(i++) + ":80 1s");
  }
}

TEST_F(DnsTest, ANewStartReplacesTheQuestion) {
  Serve([](const Question& question) {
    return Response(question, 0,
                    {IpRecord(question, question.name == "a.test" ? "10.0.0.1" : "10.0.0.2", 60)});
  });
  Waiter waiter(*resolver);
  waiter.query.Start("a.test.", 80, DnsFamily::kV4);
  waiter.query.Start("b.test.", 81, DnsFamily::kV4);
  ASSERT_TRUE(RunUntil([&] { return waiter.answers > 0; }));
  EXPECT_EQ(waiter.Text(), "10.0.0.2:81 60s");
  for (int i = 0; i < 5; ++i) loop->RunOnce(1);
  EXPECT_EQ(waiter.answers, 1);
}

TEST_F(DnsTest, CanceledAtAnyTurnItStaysSilent) {
  const NameServer::Answer truncated = [](const Question& question) {
    return Response(question, 0, {}, true);
  };
  for (const bool tcp : {false, true}) {
    Serve(tcp ? truncated : Ip("10.0.0.7", 60));
    server.tcp_answer = Ip("10.0.0.7", 60);
    server.tcp_piece = 20;
    bool finished = false;
    for (int turns = 0; !finished; ++turns) {
      ASSERT_LT(turns, 1000);
      auto waiter = std::make_unique<Waiter>(*resolver);
      waiter->query.Start("a.test.", 80, DnsFamily::kAll);
      for (int i = 0; i < turns && waiter->answers == 0; ++i) loop->RunOnce(1);
      finished = waiter->answers > 0;
      waiter.reset();
      for (int i = 0; i < 5; ++i) loop->RunOnce(1);
    }
    server.asked.clear();
    EXPECT_EQ(Resolve("a.test."), "10.0.0.7:80 60s");  // as if nothing had been
  }
}

TEST_F(DnsTest, TheResolverMayEndWithQueriesUnderWay) {
  for (int turns = 0; turns < 10; ++turns) {
    Serve([](const Question& question) { return Response(question, 0, {}, true); });
    server.tcp_answer = Ip("10.0.0.7", 60);
    auto ends = Resolver::Create(*loop, {.servers = {server.address()}}).value();
    auto waiter = std::make_unique<Waiter>(*ends);
    waiter->query.Start("a.test.", 80, DnsFamily::kAll);
    for (int i = 0; i < turns; ++i) loop->RunOnce(1);
    waiter.reset();
    ends.reset();
    for (int i = 0; i < 3; ++i) loop->RunOnce(1);
  }
}

TEST_F(DnsTest, AQueryMayBeDestroyedInItsCallback) {
  struct Suicidal {
    explicit Suicidal(Resolver& resolver)
        : query(std::make_unique<DnsQuery>(resolver, Callback::To<&Suicidal::OnAnswer>(this))) {}
    void OnAnswer() {
      query.reset();
      ++answers;
    }
    std::unique_ptr<DnsQuery> query;
    int answers = 0;
  };
  Serve(Ip("10.0.0.7", 60));
  Suicidal answered(*resolver);
  answered.query->Start("a.test.", 80, DnsFamily::kV4);
  EXPECT_TRUE(RunUntil([&] { return answered.answers > 0; }));
  Serve([](const Question&) { return ""; });
  Suicidal timed_out(*resolver);
  timed_out.query->Start("b.test.", 80, DnsFamily::kV4);
  clock.Advance(4 * kSecond);
  EXPECT_TRUE(RunUntil([&] { return timed_out.answers > 0; }));
}

TEST_F(DnsTest, ServersMustBeIpAddresses) {
  EXPECT_FALSE(Resolver::Create(*loop, {.servers = {Address::Parse("unix:/a").value()}}));
}

}  // namespace
}  // namespace sluice
