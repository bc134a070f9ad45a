#include "core/proxy/mirror.h"

#include <utility>

#include "core/base/arena.h"
#include "core/event/loop.h"
#include "core/proxy/listener_runtime.h"
#include "core/upstream/breaker/breaker.h"
#include "core/upstream/try_meter.h"
#include "core/upstream/upstream_request.h"
#include "core/upstream/worker_cluster.h"

namespace sluice {
namespace {
// A copy that lags by more than this is given up.
constexpr size_t kMaxBacklog = 256 * 1024;
constexpr Nanos kTimeout = 15 * kSecond;
}  // namespace

// One copy. It lives on the heap by itself, since it may outlive its stream; it ends with its
// answer, a failure or its time-out, and then retires.
class MirrorCopy final : public Retirable, public ListNode<>, private UpstreamEvents {
 public:
  MirrorCopy(Mirror& mirror, ListenerRuntime& runtime, WorkerCluster& cluster,
             WorkerEndpoint& endpoint, const RequestHead& head, bool end)
      : mirror_(&mirror),
        copies_(runtime.worker.mirrors),
        loop_(runtime.worker.loop),
        generation_(runtime.generation),
        cluster_(cluster),
        head_(arena_),
        response_(arena_),
        end_(end),
        upstream_(*this),
        timer_(loop_, Callback::To<&MirrorCopy::OnTimeout>(this)) {
    copies_.Add(*this);
    generation_.Hold();
    CopyHead(head);
    if (head_.authority.empty()) head_.authority = arena_.Copy(endpoint.Authority(arena_));
    timer_.Start(kTimeout);
    cluster_.stats().requests.Inc();
    endpoint.stats.requests.Inc();
    start_ = loop_.now();
    meter_.Begin(cluster_, endpoint);
    if (upstream_.TryStart(endpoint.pool)) {
      OnUpstreamReady();
    } else {
      upstream_.Start(endpoint.pool, nullptr, nullptr, false);
    }
  }

  ~MirrorCopy() override { generation_.Drop(); }

  void SendBody(const Buffer& data, bool end, const Headers* trailers) {
    backlog_.Append(data.Share());
    end_ = end;
    if (trailers != nullptr && end) {
      trailers_ = arena_.Make<Headers>(arena_).release();
      trailers->ForEach(
          [this](const Headers::Entry& entry) { trailers_->Add(entry.name, entry.value); });
    }
    if (backlog_.size() > kMaxBacklog) return GiveUp();
    Flush();
  }

  // The stream is over.
  void Detach() {
    mirror_ = nullptr;
    if (!end_) GiveUp();
  }

  void GiveUp() { End(TryOutcome::kCancelled); }

 private:
  void OnTimeout() { End(TryOutcome::kTimedOut); }

  void End(TryOutcome outcome) {
    if (std::exchange(done_, true)) return;
    const Nanos now = loop_.now();
    meter_.Judge(VerdictOf(outcome, answered_ ? response_.status : 0, now - answered_at_),
                 now - start_, now);
    meter_.End();
    if (!answered_) cluster_.stats().responses[0].Inc();
    if (mirror_ != nullptr) mirror_->copy_ = nullptr;
    upstream_.Cancel();
    timer_.Cancel();
    copies_.Remove(*this);
    loop_.Retire(std::unique_ptr<Retirable>(this));
  }

  void CopyHead(const RequestHead& head) {
    head_.protocol = head.protocol;
    head_.SetMethod(arena_.Copy(head.method_name()));
    head_.scheme = arena_.Copy(head.scheme);
    head_.authority = arena_.Copy(head.authority);
    head_.path = arena_.Copy(head.path);
    head_.content_length = head.content_length;
    head.headers.ForEach([this](const Headers::Entry& entry) {
      if (entry.id != HeaderId::kUpgrade) head_.headers.Add(entry.name, entry.value);
    });
  }

  void Flush() {
    if (!head_sent_ || (backlog_.empty() && !end_) || sent_end_ || !upstream_.ready()) return;
    if (!upstream_.writable()) return;
    sent_end_ = end_;
    if (!upstream_.SendBody(backlog_, end_, trailers_)) GiveUp();
  }

  void OnUpstreamReady() override {
    const bool no_body = end_ && backlog_.empty() && trailers_ == nullptr;
    upstream_.SendHead(head_, no_body);
    head_sent_ = true;
    sent_end_ = no_body;
    Flush();
  }
  ResponseHead& OnUpstreamBegin() override {
    response_.headers.Clear();
    return response_;
  }
  void OnUpstreamInformational() override {}
  void OnUpstreamHead(bool) override {
    answered_ = true;
    answered_at_ = loop_.now();
    meter_.OnHead(response_.status, response_.headers, loop_.now() - start_, loop_.now());
    cluster_.stats().responses[response_.status / 100 < 6 ? response_.status / 100 : 5].Inc();
  }
  void OnUpstreamBody(Slice data) override { upstream_.Consumed(data.size()); }
  void OnUpstreamTrailers(Headers&) override {}
  void OnUpstreamEnd() override { End(TryOutcome::kAnswered); }
  void OnUpstreamFailed(const Error& error) override { End(OutcomeOf(error, head_sent_)); }
  void OnUpstreamWritable() override { Flush(); }

  Mirror* mirror_;  // null: its stream is over
  MirrorCopies& copies_;
  Loop& loop_;
  ProxyGeneration& generation_;  // held: its cluster is used
  WorkerCluster& cluster_;
  Arena arena_;
  RequestHead head_;
  ResponseHead response_;
  Headers* trailers_ = nullptr;
  Buffer backlog_;
  bool end_;
  bool head_sent_ = false;
  bool sent_end_ = false;
  bool answered_ = false;
  bool done_ = false;
  Nanos start_ = 0;
  Nanos answered_at_ = 0;
  TryMeter meter_;
  UpstreamRequest upstream_;
  Timer timer_;
};

Mirror::~Mirror() {
  if (copy_ != nullptr) std::exchange(copy_, nullptr)->Detach();
}

void Mirror::Start(const Route& route, ListenerRuntime& runtime, const RequestHead& head,
                   bool end) {
  const RouteMirror* mirror = route.mirror();
  if (mirror == nullptr || !head.upgrade.empty()) return;
  if (!mirror->fraction.Draw(runtime.worker.random)) return;
  WorkerCluster* cluster = runtime.generation.cluster(mirror->cluster_index);
  if (cluster == nullptr) return;
  // Copies pass no breaker, and count in none; one that is not closed has enough with what does.
  const Breaker* breaker = cluster->breaker();
  if (breaker != nullptr && !breaker->lets_pass(runtime.worker.loop.now())) return;
  WorkerEndpoint* endpoint = cluster->Pick();
  if (endpoint == nullptr) return;
  if (runtime.worker.mirrors.full()) {
    cluster->stats().requests.Inc();
    cluster->stats().responses[0].Inc();
    return;
  }
  copy_ = new MirrorCopy(*this, runtime, *cluster, *endpoint, head, end);
}

MirrorCopies::MirrorCopies() = default;

MirrorCopies::~MirrorCopies() { GiveUp(); }

void MirrorCopies::GiveUp() {
  while (!copies_.empty()) copies_.front().GiveUp();
}

void MirrorCopies::Add(MirrorCopy& copy) {
  copies_.PushBack(copy);
  ++count_;
}

void MirrorCopies::Remove(MirrorCopy& copy) {
  copy.Unlink();
  --count_;
}

void Mirror::SendBody(const Buffer& data, bool end, const Headers* trailers) {
  if (copy_ != nullptr) copy_->SendBody(data, end, trailers);
}

}  // namespace sluice
