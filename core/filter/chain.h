// FilterChain: takes one stream's messages through its filters, the request in order, the response
// in reverse, and does what their verdicts say. Owned by the stream; of the stream's worker.
//
// Each direction is a Flow: the head travels first, then the body piece by piece, each piece
// through all filters before the next is asked for. A piece stands at one filter at a time; a
// filter that pauses stops its direction there and nowhere else.
#ifndef SLUICE_CORE_FILTER_CHAIN_H_
#define SLUICE_CORE_FILTER_CHAIN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/arena.h"
#include "core/filter/factory.h"
#include "core/filter/filter.h"

namespace sluice {

// The filters of a route (or listener), resolved when the configuration was loaded. Of one worker.
struct ChainPlan {
  struct Entry {
    FilterFactory* factory;  // the worker's generation owns it
    uint8_t hooks;
  };
  std::vector<Entry> entries;
  uint8_t hooks = 0;  // of all entries

  void Add(FilterFactory& factory) {
    entries.push_back({&factory, factory.hooks()});
    hooks = static_cast<uint8_t>(hooks | factory.hooks());
  }
};

enum class Direction : uint8_t { kRequest, kResponse };

// Where messages go to when they passed the filters, and what filters see of their stream.
class ChainOwner {
 public:
  virtual void OnHeadersPassed(Direction direction, bool end) = 0;
  // One piece, never empty but for the end. `trailers` may be null; only with `end`. Takes the
  // data.
  virtual void OnBodyPassed(Direction direction, Buffer& data, bool end, Headers* trailers) = 0;
  // The next piece is wanted, by a filter that collects or that kept a piece to itself: the one
  // that the chain Holds, or else the source's. Not from inside this call.
  virtual void Pull(Direction direction) = 0;
  // A filter answered. The response's way through the filters is set already: the owner builds the
  // head and calls Headers(kResponse).
  virtual void OnFilterReply(LocalReply reply) = 0;
  virtual void OnFilterAbort(Error error) = 0;

  virtual RequestHead& request_head() = 0;
  virtual ResponseHead& response_head() = 0;
  virtual StreamInfo& stream_info() = 0;
  virtual Arena& stream_arena() = 0;
  virtual Loop& stream_loop() = 0;
  virtual Random& stream_random() = 0;
  virtual void Reroute() = 0;

 protected:
  ~ChainOwner() = default;
};

class FilterChain {
 public:
  explicit FilterChain(ChainOwner& owner) : owner_(owner) {}
  FilterChain(const FilterChain&) = delete;
  FilterChain& operator=(const FilterChain&) = delete;
  ~FilterChain() { DestroyFilters(); }

  // Makes the filters. `plan` outlives the chain. Once.
  void Create(const ChainPlan& plan);

  // The head, once in each direction. The response's passes the filters that saw the request.
  void HeadersArrived(Direction direction, bool end);
  // A piece of the body, when it was pulled. REQUIRES: CanTake(direction).
  void BodyArrived(Direction direction, Buffer&& data, bool end, Headers* trailers);
  // May the next piece come in? No while one is on its way or held, or while a filter waits with
  // the head, unless that filter collects.
  bool CanTake(Direction direction) const;

  // The chain has the next piece without asking the source: one that was collected, or the rest
  // that a filter put back.
  bool Holds(Direction direction) const;
  // Lets it go on. REQUIRES: Holds(direction).
  void ReleaseHeld(Direction direction);

  // Has the head come?
  bool Begun(Direction direction) const { return flow(direction).stage != Stage::kIdle; }
  // Does a filter hold the direction until it resumes?
  bool IsPaused(Direction direction) const {
    return flow(direction).stage != Stage::kDone &&
           (flow(direction).head_waits || flow(direction).piece_waits);
  }

  // The request goes no further; the response may begin. For an answer that comes from elsewhere
  // than a filter.
  void StopRequest() { flow(Direction::kRequest).stage = Stage::kDone; }
  // Nothing goes anywhere any more.
  void Stop();

  // OnComplete of each, once.
  void Complete(const StreamInfo& info);
  void DestroyFilters();
  bool head_end(Direction direction) const { return flow(direction).head_end; }
  bool HasHook(FilterHook hook) const { return (hooks_ & hook) != 0; }

 private:
  friend class FilterContext;

  enum class Stage : uint8_t { kIdle, kHeaders, kBody, kDone };

  struct Slot {
    Filter* filter;
    uint8_t hooks;
    bool has_rest[2];  // by direction
    bool rest_end[2];
    Buffer* rest[2];  // in the arena, made when first needed
    Headers* rest_trailers[2];
  };

  // Positions count in the direction of travel: filter 0 is the first to see the message.
  struct Flow {
    Stage stage = Stage::kIdle;
    uint8_t count = 0;          // filters on the way
    bool count_is_set = false;  // by a filter that answered
    uint8_t head_position = 0;  // the filter that the head stands at, or comes to next
    uint8_t body_position = 0;  // the same of the piece
    bool head_end = false;
    bool head_waits = false;  // the filter at head_position paused
    bool collecting = false;  // the filter at head_position wants the whole body
    bool collected = false;   // `data` is the whole body, at body_position
    bool piece_on_way = false;
    bool piece_waits = false;  // the filter at body_position paused on the piece
    bool at_trailers = false;  // it is the trailers that are on their way through the filters
    bool data_end = false;
    size_t collect_limit = 0;
    Headers* trailers = nullptr;
    Buffer data;
    Buffer gathered;
  };

  Flow& flow(Direction direction) { return flows_[static_cast<size_t>(direction)]; }
  const Flow& flow(Direction direction) const { return flows_[static_cast<size_t>(direction)]; }
  Slot& SlotAt(Direction direction, uint8_t position);
  uint8_t IndexAt(Direction direction, uint8_t position) const;

  void Resume(uint8_t index, Verdict verdict);
  void ResumeIn(Direction direction, uint8_t index, Verdict verdict);
  void Unread(uint8_t index, Direction direction, Buffer&& rest);
  bool Waits(Direction direction, uint8_t index) const;
  bool HasRest(Direction direction) const;
  // After a body hook of the filter at `slot`: if it put back a rest, the end and the trailers wait
  // for that.
  void KeepRest(Direction direction, Slot& slot);
  void DropRests(Direction direction);
  uint64_t DeclaredLength(Direction direction) const;
  void RunHeaders(Direction direction);
  void RunBody(Direction direction);
  void RunTrailers(Direction direction);
  void Collect(Direction direction);
  // The collector wants more than its limit: answers for it.
  void RefuseBody(Direction direction);
  void PassBody(Direction direction);
  // What to do with a verdict of the filter at `position`. True: go on.
  bool Obey(Direction direction, uint8_t position, Verdict& verdict, bool in_headers);
  Verdict CallHeaders(Direction direction, Slot& slot, bool end);
  Verdict CallBody(Direction direction, Slot& slot, Buffer& data, bool end);
  Verdict CallTrailers(Direction direction, Slot& slot, Headers& trailers);

  ChainOwner& owner_;
  Slot* slots_ = nullptr;
  uint8_t count_ = 0;
  uint8_t hooks_ = 0;
  bool completed_ = false;
  bool rests_ = false;  // some filter put back a rest once
  Flow flows_[2];
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_CHAIN_H_
