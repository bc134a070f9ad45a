#include "tests/support/proxy_fixture.h"

#include <utility>

#include "core/base/strings.h"
#include "core/filter/filter.h"

namespace sluice::test {
namespace {

class NoteTaker;

class NoteTakerFactory final : public BasicFilterFactory<NoteTaker, NoteTakerFactory> {
 public:
  explicit NoteTakerFactory(std::vector<EndedRequest>& out) : notes(out) {}
  std::vector<EndedRequest>& notes;
};

class NoteTaker final : public Filter {
 public:
  explicit NoteTaker(NoteTakerFactory& factory) : factory_(factory) {}
  void OnComplete(const StreamInfo& info) override {
    factory_.notes.push_back({info.status, info.flags.ToString(), std::string(info.details),
                              std::string(info.client_ip), std::string(info.cluster),
                              std::string(info.upstream_host), info.attempts});
  }

 private:
  NoteTakerFactory& factory_;
};

// In front of the listener's own filters: it sees every request.
void PutFirst(ListenerSettings& settings, const FilterKind& kind) {
  settings.filters.insert(settings.filters.begin(), {&kind, std::make_unique<FilterSettings>()});
  ++settings.filter_count;
  for (RouteExtras& route : settings.route_extras) {
    for (uint32_t& filter : route.filters) ++filter;
    route.filters.insert(route.filters.begin(), 0);
  }
}

std::string Replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string After(const std::string& fields) { return fields.empty() ? "" : ", " + fields; }

}  // namespace

ProxyFixture::ProxyFixture()
    : loop_(std::move(*Loop::Create(clock_))),
      driver_(loop_.get()),
      note_taker_("note_taker", [this] { return std::make_unique<NoteTakerFactory>(ended_); }) {}

ProxyFixture::~ProxyFixture() = default;

void ProxyFixture::TearDown() {
  if (rig_ == nullptr) return;
  for (ScriptedUpstream* upstream : {&upstream_, &other_}) {
    for (size_t i = 0; i < upstream->connection_count(); ++i) upstream->connection(i).Close();
  }
  driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
  EXPECT_EQ(rig_->NotQuiet(), "");
}

ProxyRig& ProxyFixture::Start() { return Start(Fields{}); }

ProxyRig& ProxyFixture::Start(const Fields& fields) {
  return StartYaml(
      StrCat({"listeners:\n"
              "  - { name: web, listen: \"127.0.0.1:0\"",
              After(fields.listener), ", routes: [{ match: { prefix: / }, cluster: api",
              After(fields.route),
              "}] }\n"
              "clusters:\n"
              "  - { name: api, endpoints: [\"$UP\"]",
              After(fields.cluster), " }\n"}));
}

ProxyRig& ProxyFixture::StartTo(const Address& endpoint) {
  return StartYaml(StrCat(
      {"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
       "clusters: [{ name: api, endpoints: ['",
       endpoint.ToString(), "'] }]\n"}));
}

void ProxyFixture::WaitForUpstream(std::string_view text) {
  driver_.RunUntil(
      [&] {
        return upstream_.connection_count() > 0 &&
               upstream_.connection(0).received().find(text) != std::string::npos;
      },
      text);
}

void ProxyFixture::WaitForUpstreamEnd() {
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
}

ProxyRig& ProxyFixture::StartYaml(std::string_view yaml) {
  const std::string text =
      Replaced(Replaced(std::string(yaml), "$UP", upstream_.text()), "$OTHER", other_.text());
  ProxyRig::Seams seams;
  seams.listener = [this](ListenerSettings& settings) {
    PutFirst(settings, note_taker_);
    for (const FilterKind* kind : added_) {
      settings.filters.push_back({kind, std::make_unique<FilterSettings>()});
      ++settings.filter_count;
    }
  };
  rig_ = std::make_unique<ProxyRig>(*loop_, clock_, text, seams);
  return *rig_;
}

std::string ProxyFixture::Get(std::string_view target, std::string_view fields) {
  return StrCat({"GET ", target, " HTTP/1.1\r\nHost: a.test\r\n", fields, "\r\n"});
}

std::string ProxyFixture::Post(std::string_view target, std::string_view body,
                               std::string_view fields) {
  return StrCat({"POST ", target, " HTTP/1.1\r\nHost: a.test\r\nContent-Length: ",
                 Decimal(body.size()).view(), "\r\n", fields, "\r\n", body});
}

HttpText ProxyFixture::Ask(std::string_view request, HttpTextKind kind) {
  RawClient client(driver_, port());
  client.Send(request);
  return client.ReadResponse(kind);
}

const HttpText& ProxyFixture::LastRequest(ScriptedUpstream& upstream) const {
  static const HttpText kNothing;
  for (size_t i = upstream.connection_count(); i > 0; --i) {
    const auto& requests = upstream.connection(i - 1).requests();
    if (!requests.empty()) return requests.back();
  }
  ADD_FAILURE() << "the upstream got no request";
  return kNothing;
}

void ProxyFixture::Advance(Nanos by) {
  clock_.Advance(by);
  driver_.RunRounds(10);
}

EndedRequest ProxyFixture::Ended(size_t count) {
  if (!driver_.RunUntil([&] { return ended_.size() >= count; }, "the end of a request")) return {};
  return ended_[count - 1];
}

}  // namespace sluice::test
