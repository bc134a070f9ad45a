#include "core/http/http1/body_reader.h"

#include <string_view>
#include <utility>

#include "core/http/http1/field_line.h"
#include "core/http/http1/head_reader.h"

namespace sluice::http1 {
namespace {

// Fields that mean nothing, or harm, behind a body (RFC 9110 6.5.1).
bool IsForbiddenTrailer(HeaderId id) {
  switch (id) {
    case HeaderId::kAuthorization:
    case HeaderId::kConnection:
    case HeaderId::kContentEncoding:
    case HeaderId::kContentLength:
    case HeaderId::kContentType:
    case HeaderId::kCookie:
    case HeaderId::kExpect:
    case HeaderId::kHost:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyAuthorization:
    case HeaderId::kProxyConnection:
    case HeaderId::kSetCookie:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool BodyReader::Read(Buffer& in, const BodySink& sink, const Fault*& fault) {
  if (mode_ == Mode::kChunked && !ReadChunks(in, sink, fault)) return false;
  if (mode_ == Mode::kTrailers) return ReadTrailers(in, sink, fault);
  PassData(in, sink);
  return left_ == 0;
}

// Gives on what there is of the `left_` bytes.
void BodyReader::PassData(Buffer& in, const BodySink& sink) {
  while (!in.empty() && !sink.stop && left_ > 0) {
    Slice& front = in.front();
    if (front.size() <= left_) {
      left_ -= front.size();
      sink.events.OnBody(sink.id, in.PopFront());
    } else {
      Slice part = front.Share(0, left_);
      in.Consume(left_);
      left_ = 0;
      sink.events.OnBody(sink.id, std::move(part));
    }
  }
}

// True when the last chunk was read; the trailer section is next.
bool BodyReader::ReadChunks(Buffer& in, const BodySink& sink, const Fault*& fault) {
  while (!in.empty()) {
    if (left_ > 0) {
      PassData(in, sink);
      if (sink.stop || left_ > 0) return false;
      chunk_line_.BeginNext();
      continue;
    }
    const char* begin = in.front().data();
    const char* at = begin;
    const ChunkLine::Result result = chunk_line_.Read(at, begin + in.front().size());
    in.Consume(static_cast<size_t>(at - begin));
    if (result == ChunkLine::Result::kMore) continue;
    if (result == ChunkLine::Result::kFault) {
      fault = &kCodecError;
      return false;
    }
    left_ = chunk_line_.size();
    if (left_ > 0) continue;
    mode_ = Mode::kTrailers;
    trailers_ = nullptr;
    searched_ = 0;
    return true;
  }
  return false;
}

bool BodyReader::ReadTrailers(Buffer& in, const BodySink& sink, const Fault*& fault) {
  while (!in.empty()) {
    const std::string_view front =
        in.front().view().substr(0, static_cast<size_t>(max_size_ - left_));
    const char* end = front.data() + front.size();
    FieldLine line{FieldLine::Kind::kIncomplete, nullptr, nullptr, {}, {}};
    if (front.find('\n', searched_) != std::string_view::npos) {
      line = ReadFieldLine(front.data(), end);
    }
    if (line.kind == FieldLine::Kind::kFault) {
      fault = line.fault;
      return false;
    }
    if (line.kind == FieldLine::Kind::kIncomplete) {
      searched_ = static_cast<uint32_t>(front.size());
      if (left_ + front.size() >= max_size_) {
        fault = &kHeadTooLarge;
        return false;
      }
      if (in.slice_count() < 2) return false;
      JoinFront(in, max_size_);
      continue;
    }
    searched_ = 0;
    const size_t size = static_cast<size_t>(line.next - front.data());
    left_ += size;
    if (line.kind == FieldLine::Kind::kEmpty) {
      in.Consume(size);
      mode_ = Mode::kNone;
      if (trailers_ != nullptr && !trailers_->empty()) {
        sink.events.OnTrailers(sink.id, *trailers_);
      }
      return !sink.stop;
    }
    if (trailers_ == nullptr) trailers_ = sink.arena.Make<Headers>(sink.arena).release();
    if (trailers_->raw_count() >= max_count_) {
      fault = &kTooManyHeaders;
      return false;
    }
    const HeaderId id = FindHeaderId(line.name);
    if (!IsForbiddenTrailer(id)) {
      trailers_->AddView(sink.arena.Copy(line.name), sink.arena.Copy(line.value), id);
    }
    in.Consume(size);
  }
  return false;
}

}  // namespace sluice::http1
