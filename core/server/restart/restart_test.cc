#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/server/restart/predecessor.h"
#include "core/server/restart/restart.pb.h"
#include "core/server/restart/restart_host.h"
#include "core/server/restart/successor.h"
#include "tests/support/driver.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// One end of a packet socket, for what no channel would send.
Fd ConnectRaw(const std::string& path) {
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

ino_t InodeOf(int fd) {
  struct stat status {};
  EXPECT_EQ(fstat(fd, &status), 0);
  return status.st_ino;
}

// Both processes in one: the old one's host and successor, the new one's predecessor.
class RestartTest : public testing::Test,
                    public RestartHostOwner,
                    public SuccessorOwner,
                    public PredecessorOwner {
 protected:
  RestartTest() : loop_(Loop::Create(clock_).value()), driver_(loop_.get()) {
    RestartHostOwner& owner = *this;
    host_.emplace(*loop_, owner);
    EXPECT_TRUE(host_->Open(path_, static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
  }
  ~RestartTest() override {
    host_.reset();
    loop_->RunOnce(0);
  }

  // RestartHostOwner
  void OnSuccessor(Fd fd, bool force) override {
    forced_ = force;
    if (dies_in_offer_) return OfferAndDie(std::move(fd));
    if (says_nothing_) return OfferAndStop(std::move(fd));
    SuccessorOwner& owner = *this;
    successor_ = std::make_unique<Successor>(*loop_, owner, std::move(fd), 30 * kSecond);
    if (!refusal_.empty()) return successor_->Refuse(refusal_);
    EXPECT_TRUE(successor_->Offer(offered_));
    if (dies_after_offer_) successor_->Close();
  }
  // As a process that is stopped.
  void OfferAndStop(Fd fd) {
    restart::Message message;
    message.mutable_offer()->set_last(true);
    const std::string bytes = message.SerializeAsString();
    EXPECT_GT(send(fd.get(), bytes.data(), bytes.size(), 0), 0);
    silent_ = std::move(fd);
  }
  // As a process that is killed behind its first packet.
  void OfferAndDie(Fd fd) {
    struct Nobody final : RestartChannelHandler {
      void OnRestartMessage(const restart::Message&, std::vector<Fd>&) override {}
      void OnRestartChannelClosed(std::string_view) override {}
    } nobody;
    RestartChannel channel(*loop_, nobody, std::move(fd));
    restart::Message message;
    if (!offered_.empty()) {
      message.mutable_offer()->add_sockets()->set_address(offered_[0].address);
      channel.Send(message, {offered_[0].fd});
    }
  }
  void OnCommand(std::string_view name, const std::vector<std::string>& arguments,
                 RestartCommand& command) override {
    command_ = name;
    for (const std::string& argument : arguments) command_ += " " + argument;
    waiting_ = &command;
  }
  void OnStartFailed(pid_t pid, std::string_view reason) override {
    EXPECT_EQ(pid, getpid());
    start_failure_ = reason;
  }
  void OnCommandGone(RestartCommand& command) override {
    EXPECT_EQ(waiting_, &command);
    waiting_ = nullptr;
  }
  // SuccessorOwner
  Nanos OnSuccessorReady() override {
    told_ += "ready ";
    return 7 * kSecond;
  }
  void OnSuccessorLost(bool was_ready, std::string_view why) override {
    told_ += std::string(was_ready ? "lost, ready: " : "lost: ") + std::string(why);
  }
  void OnReopenLogsAsked() override { told_ += "reopen "; }
  void OnEndAsked() override { told_ += "end "; }
  void OnLastAsked() override { told_ += "last "; }
  // PredecessorOwner
  void OnPredecessorDraining(Nanos longest) override { draining_ = longest; }
  void OnPredecessorGone() override { gone_ = true; }
  void OnPredecessorSilent() override { ++silences_; }
  void OnGivenUp(std::string_view why) override { given_up_ = why; }

  std::unique_ptr<Predecessor> Find() {
    PredecessorOwner& owner = *this;
    auto found = Predecessor::Find(*loop_, owner, path_);
    EXPECT_TRUE(found && *found != nullptr);
    return std::move(*found);
  }
  // A predecessor that has handed over.
  std::unique_ptr<Predecessor> TakeOver() {
    auto predecessor = Find();
    EXPECT_TRUE(predecessor->Receive(false));
    predecessor->SayReady();
    EXPECT_TRUE(driver_.RunUntil([this] { return draining_ > 0; }, "draining"));
    return predecessor;
  }
  // Time passes for both, in small steps.
  void Pass(Nanos time) {
    for (Nanos passed = 0; passed < time; passed += 100 * kMillisecond) {
      clock_.Advance(100 * kMillisecond);
      driver_.RunRounds(2);
    }
  }

  test::TempFolder folder_;
  const std::string path_ = folder_.Path("restart.sock");
  FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  test::Driver driver_;
  std::optional<RestartHost> host_;
  std::unique_ptr<Successor> successor_;
  std::vector<OfferedSocket> offered_;
  std::string refusal_;
  bool dies_in_offer_ = false;
  bool dies_after_offer_ = false;
  bool says_nothing_ = false;
  Fd silent_;
  bool forced_ = false;
  std::string command_;
  RestartCommand* waiting_ = nullptr;
  std::string start_failure_;
  std::string told_;
  Nanos draining_ = 0;
  bool gone_ = false;
  int silences_ = 0;
  std::string given_up_;
};

TEST_F(RestartTest, NobodyIsFoundWhereNobodyListens) {
  PredecessorOwner& owner = *this;
  const auto found = Predecessor::Find(*loop_, owner, folder_.Path("other.sock"));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, nullptr);
}

TEST_F(RestartTest, SocketsArriveInOrderHoweverMany) {
  std::vector<Fd> files;
  for (int i = 0; i < 150; ++i) {
    files.emplace_back(open(folder_.Path(std::to_string(i)).c_str(), O_CREAT | O_RDWR, 0600));
    offered_.push_back({"unix:/" + std::to_string(i), "web", files.back().get()});
  }
  auto predecessor = Find();
  const auto sockets = predecessor->Receive(true);
  ASSERT_TRUE(sockets) << sockets.error().detail;
  EXPECT_TRUE(forced_);
  ASSERT_EQ(sockets->size(), files.size());
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ((*sockets)[i].address, offered_[i].address);
    EXPECT_EQ((*sockets)[i].listener, "web");
    EXPECT_EQ(InodeOf((*sockets)[i].fd.get()), InodeOf(files[i].get()));
    EXPECT_EQ(fcntl((*sockets)[i].fd.get(), F_GETFD), FD_CLOEXEC);
  }
}

TEST_F(RestartTest, AReadySuccessorMakesTheProcessDrain) {
  auto predecessor = TakeOver();
  EXPECT_EQ(draining_, 7 * kSecond);
  EXPECT_EQ(told_, "ready ");
  Pass(10 * kSecond);  // both hear each other
  EXPECT_EQ(told_, "ready ");
  EXPECT_FALSE(gone_);
  predecessor->AskReopenLogs();
  predecessor->AskEnd(true);
  predecessor->AskEnd(false);
  driver_.RunUntil([this] { return told_ == "ready reopen last end "; }, "what was asked");
  successor_->Close();
  driver_.RunUntil([this] { return gone_; }, "the predecessor's end");
  EXPECT_TRUE(predecessor->gone());
  EXPECT_EQ(told_, "ready reopen last end ");
}

TEST_F(RestartTest, ARefusalSaysWhy) {
  refusal_ = "process 7 still drains";
  const auto sockets = Find()->Receive(false);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().detail, "process 7 still drains");
}

TEST_F(RestartTest, ASuccessorThatGivesUpSaysWhy) {
  auto predecessor = Find();
  ASSERT_TRUE(predecessor->Receive(false));
  predecessor->SayFailed("conf.yaml:1:1: no");
  predecessor.reset();
  driver_.RunUntil([this] { return !told_.empty(); }, "the failure");
  EXPECT_EQ(told_, "lost: conf.yaml:1:1: no");
}

TEST_F(RestartTest, ASuccessorThatDiesIsNoticed) {
  auto predecessor = TakeOver();
  predecessor.reset();
  driver_.RunUntil([this] { return told_ != "ready "; }, "its death");
  EXPECT_EQ(told_, "ready lost, ready: it is gone");
}

TEST_F(RestartTest, AProcessThatDiesWhenItHasOfferedLeavesItsSockets) {
  const Fd file(open(folder_.Path("a").c_str(), O_CREAT | O_RDWR, 0600));
  offered_ = {{"unix:/a", "a", file.get()}};
  dies_after_offer_ = true;
  auto predecessor = Find();
  const auto sockets = predecessor->Receive(false);
  ASSERT_TRUE(sockets) << sockets.error().detail;
  EXPECT_EQ(sockets->size(), 1U);
  // Its end may have come with the offer, or comes now; said once in any case.
  driver_.RunUntil([&] { return predecessor->gone(); }, "its end");
  predecessor->SayReady();
}

TEST_F(RestartTest, AProcessThatDiesInMidOfferLeavesWhatItHasPassedOn) {
  const Fd file(open(folder_.Path("a").c_str(), O_CREAT | O_RDWR, 0600));
  offered_ = {{"unix:/a", "a", file.get()}, {"unix:/b", "b", file.get()}};
  dies_in_offer_ = true;
  auto predecessor = Find();
  const auto sockets = predecessor->Receive(false);
  ASSERT_TRUE(sockets) << sockets.error().detail;
  ASSERT_EQ(sockets->size(), 1U);
  EXPECT_EQ((*sockets)[0].address, "unix:/a");
  EXPECT_TRUE(predecessor->gone());
  EXPECT_FALSE(gone_);  // not from inside of Receive
}

TEST_F(RestartTest, AProcessThatDiesBeforeItOffersIsNotFound) {
  dies_in_offer_ = true;
  const auto sockets = Find()->Receive(false);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().code, Code::kNotFound);
}

// A process that was stopped, and a machine that slept: the silence was its own.
TEST_F(RestartTest, WhoWasStoppedDoesNotCallTheOtherSilent) {
  auto predecessor = TakeOver();
  clock_.Advance(3600 * kSecond);
  driver_.RunRounds(10);
  Pass(10 * kSecond);
  EXPECT_EQ(told_, "ready ");
  EXPECT_EQ(given_up_, "");
  EXPECT_EQ(silences_, 0);
}

// One that is about to compile a large configuration says so.
TEST_F(RestartTest, APauseThatWasAnnouncedIsNoSilence) {
  const Fd raw = ConnectRaw(path_);
  const auto say = [&raw](const restart::Message& message) {
    const std::string bytes = message.SerializeAsString();
    ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
  };
  restart::Message message;
  message.mutable_hello()->set_protocol(kRestartProtocol);
  say(message);
  driver_.RunUntil([this] { return successor_ != nullptr; }, "hello");
  message.mutable_ready();
  say(message);
  driver_.RunUntil([this] { return !told_.empty(); }, "ready");
  message.mutable_heartbeat()->set_pause_ms(10000);
  say(message);
  driver_.RunRounds(5);
  Pass(9 * kSecond);
  EXPECT_EQ(told_, "ready ");
  Pass(2 * kSecond);
  EXPECT_EQ(told_, "ready lost, ready: it is silent");
}

TEST_F(RestartTest, WhoDoesNotComeToSayHelloMaySayWhy) {
  const Fd raw = ConnectRaw(path_);
  restart::Message message;
  message.mutable_failure()->set_reason("the file is bad");
  const std::string bytes = message.SerializeAsString();
  ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
  driver_.RunUntil([this] { return !start_failure_.empty(); }, "the reason");
  EXPECT_EQ(start_failure_, "the file is bad");
}

TEST_F(RestartTest, ASilentPredecessorIsToldOfOnce) {
  says_nothing_ = true;
  auto predecessor = Find();
  ASSERT_TRUE(predecessor->Receive(false));
  Pass(10 * kSecond);
  EXPECT_EQ(silences_, 1);
  EXPECT_FALSE(gone_);
}

TEST_F(RestartTest, ASuccessorThatIsAskedToEndBeforeItWasReadyIsLost) {
  auto predecessor = Find();
  ASSERT_TRUE(predecessor->Receive(false));
  predecessor->AskEnd(true);
  driver_.RunUntil([this] { return !told_.empty(); }, "its end");
  EXPECT_EQ(told_, "lost: it was asked to end");
}

// What a later version may say: a message of an unknown kind, and unknown fields in a known one.
TEST_F(RestartTest, WhatALaterVersionSaysIsNoFault) {
  const Fd raw = ConnectRaw(path_);
  const std::string later("\xFA\x3E\x03new", 6);  // field 1007, length-delimited
  restart::Message hello;
  hello.mutable_hello()->set_protocol(kRestartProtocol + 1);
  hello.mutable_hello()->set_version("99.0.0");
  std::string bytes = hello.SerializeAsString();
  bytes[1] = static_cast<char>(bytes[1] + static_cast<char>(later.size()));  // a longer Hello
  bytes += later;
  ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
  ASSERT_TRUE(driver_.RunUntil([this] { return successor_ != nullptr; }, "hello"));
  ASSERT_GT(send(raw.get(), later.data(), later.size(), 0), 0);
  restart::Message ready;
  ready.mutable_ready();
  bytes = ready.SerializeAsString() + later;
  ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
  driver_.RunUntil([this] { return !told_.empty(); }, "ready");
  EXPECT_EQ(told_, "ready ");
}

// The kernel reports first that the peer left something unread.
TEST_F(RestartTest, WhatAPeerSaidBeforeItClosedIsHeard) {
  auto predecessor = Find();
  ASSERT_TRUE(predecessor->Receive(false));
  clock_.Advance(kSecond);
  predecessor->SayReady();  // nobody reads it
  successor_->Refuse("no more");
  driver_.RunUntil([this] { return gone_; }, "its end");
  EXPECT_EQ(given_up_, "no more");
}

TEST_F(RestartTest, SilenceCountsOnlyOnceItWasReady) {
  const Fd raw = ConnectRaw(path_);
  restart::Message hello;
  hello.mutable_hello()->set_protocol(kRestartProtocol);
  const std::string bytes = hello.SerializeAsString();
  ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
  driver_.RunUntil([this] { return successor_ != nullptr; }, "hello");
  Pass(29 * kSecond);
  EXPECT_EQ(told_, "");
  restart::Message ready;
  ready.mutable_ready();
  const std::string more = ready.SerializeAsString();
  ASSERT_GT(send(raw.get(), more.data(), more.size(), 0), 0);
  driver_.RunUntil([this] { return told_ == "ready "; }, "ready");
  Pass(1500 * kMillisecond);
  EXPECT_EQ(told_, "ready ");
  Pass(kSecond);
  EXPECT_EQ(told_, "ready lost, ready: it is silent");
}

TEST_F(RestartTest, ASuccessorThatIsNeverReadyIsGivenUp) {
  auto predecessor = Find();
  ASSERT_TRUE(predecessor->Receive(false));
  Pass(31 * kSecond);
  EXPECT_EQ(told_, "lost: it was not ready within 30 s");
  EXPECT_EQ(given_up_, "it was not ready within 30 s");
}

TEST_F(RestartTest, ACommandHasItsOutcome) {
  struct Asker final : RestartChannelHandler {
    void OnRestartMessage(const restart::Message& message, std::vector<Fd>&) override {
      answer = message.outcome().text() + (message.outcome().ok() ? " ok" : " not ok");
    }
    void OnRestartChannelClosed(std::string_view) override { closed = true; }
    std::string answer;
    bool closed = false;
  } asker;
  auto connected = RestartChannel::Connect(path_);
  ASSERT_TRUE(connected);
  RestartChannel channel(*loop_, asker, std::move(*connected));
  ASSERT_TRUE(channel.Start());
  restart::Message message;
  message.mutable_command()->set_name("stop");
  message.mutable_command()->add_arguments("now");
  channel.Send(message);
  driver_.RunUntil([this] { return waiting_ != nullptr; }, "the command");
  EXPECT_EQ(command_, "stop now");
  Pass(60 * kSecond);  // it may take its time
  ASSERT_NE(waiting_, nullptr);
  waiting_->Finish(true, "it ended");
  driver_.RunUntil([&] { return asker.closed; }, "the outcome");
  EXPECT_EQ(asker.answer, "it ended ok");
}

TEST_F(RestartTest, ACommandWhoseCallerLeavesIsGone) {
  {
    const Fd raw = ConnectRaw(path_);
    restart::Message message;
    message.mutable_command()->set_name("restart");
    const std::string bytes = message.SerializeAsString();
    ASSERT_GT(send(raw.get(), bytes.data(), bytes.size(), 0), 0);
    driver_.RunUntil([this] { return waiting_ != nullptr; }, "the command");
  }
  driver_.RunUntil([this] { return waiting_ == nullptr; }, "its end");
}

TEST_F(RestartTest, CallersThatSayNothingLeaveAgain) {
  std::vector<Fd> silent;
  for (size_t i = 0; i < RestartHost::kMostCallers + 3; ++i) {
    silent.push_back(ConnectRaw(path_));
    driver_.RunRounds(2);
  }
  Pass(6 * kSecond);
  EXPECT_TRUE(Find()->Receive(false));  // there is room
}

TEST_F(RestartTest, TenThousandMalformedPacketsChangeNothing) {
  Random random(7);
  std::string bytes;
  for (int i = 0; i < 10000; ++i) {
    const Fd raw = ConnectRaw(path_);
    bytes.resize(1 + random.Below(200));
    for (char& byte : bytes) byte = static_cast<char>(random.Below(256));
    if (i % 3 == 0) bytes[0] = static_cast<char>(0x0A + 8 * random.Below(11));  // a known field
    send(raw.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    driver_.RunRounds(3);
    if (successor_ != nullptr) successor_.reset();
  }
  EXPECT_TRUE(Find()->Receive(false));
}

TEST_F(RestartTest, TheDoorIsPrivateAndNeverMissing) {
  struct stat status {};
  ASSERT_EQ(lstat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, mode_t{0600});
  RestartHostOwner& owner = *this;
  RestartHost next(*loop_, owner);
  ASSERT_TRUE(next.Open(path_, static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
  host_->Close();  // it is another's by now
  EXPECT_TRUE(Find()->Receive(false));
  next.Close();
  EXPECT_NE(lstat(path_.c_str(), &status), 0);
}

TEST_F(RestartTest, APathThatIsTooLongIsAnError) {
  RestartHostOwner& owner = *this;
  RestartHost next(*loop_, owner);
  const auto opened = next.Open("/tmp/" + std::string(200, 'x'), 0, 0);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().detail.find("too long"), std::string::npos);
}

}  // namespace
}  // namespace sluice
