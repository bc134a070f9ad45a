#include "core/http/http1/body_reader.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/base/check.h"
#include "core/http/http1/field_line.h"
#include "core/http/http1/head_reader.h"

namespace sluice::http1 {
namespace {

// Of one chunk; they are dropped.
constexpr uint32_t kMaxExtension = 1024;

// One call of llhttp_execute over a part of a chunked body.
struct ChunkRun {
  const Slice& slice;
  const BodySink& sink;
  uint32_t& extension;
  bool last = false;
};

ChunkRun& RunOf(llhttp_t* parser) { return *static_cast<ChunkRun*>(parser->data); }

int OnChunkHeader(llhttp_t* parser) {
  ChunkRun& run = RunOf(parser);
  run.extension = 0;
  if (parser->content_length != 0) return 0;
  run.last = true;
  return HPE_PAUSED;
}

int OnChunkData(llhttp_t* parser, const char* at, size_t size) {
  ChunkRun& run = RunOf(parser);
  if (size == 0) return 0;
  run.sink.events.OnBody(run.sink.id,
                         run.slice.Share(static_cast<size_t>(at - run.slice.data()), size));
  return run.sink.stop ? HPE_USER : 0;
}

int OnExtension(llhttp_t* parser, const char*, size_t size) {
  ChunkRun& run = RunOf(parser);
  run.extension += static_cast<uint32_t>(std::min<size_t>(size, kMaxExtension));
  return run.extension >= kMaxExtension ? HPE_USER : 0;
}

// Stops behind a value, for ContinueExtensions.
int OnExtensionValueEnd(llhttp_t*) { return HPE_PAUSED; }

// llhttp 8.1 forgets, behind an unquoted value, that the semicolon it has just read begins another
// extension. It is shown the semicolon once more. Returns where to go on.
const char* ContinueExtensions(llhttp_t& parser) {
  llhttp_resume(&parser);
  const char* at = parser.error_pos;
  if (at[-1] == ';') {
    const int error = llhttp_execute(&parser, ";", 1);
    CHECK(error == HPE_OK);
  }
  return at;
}

constexpr llhttp_settings_t kChunkCallbacks = [] {
  llhttp_settings_t settings{};
  settings.on_chunk_header = OnChunkHeader;
  settings.on_body = OnChunkData;
  settings.on_chunk_extension_name = OnExtension;
  settings.on_chunk_extension_value = OnExtension;
  settings.on_chunk_extension_value_complete = OnExtensionValueEnd;
  return settings;
}();

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

void BodyReader::BeginChunked(llhttp_t& parser) {
  mode_ = Mode::kChunked;
  extension_ = 0;
  parser.settings = const_cast<llhttp_settings_t*>(&kChunkCallbacks);
  // The fields of the head were not shown to llhttp. This is what they came to.
  constexpr std::string_view kFields = "Transfer-Encoding: chunked\r\n\r\n";
  const int error = llhttp_execute(&parser, kFields.data(), kFields.size());
  CHECK(error == HPE_OK);
}

bool BodyReader::Read(Buffer& in, llhttp_t& parser, const BodySink& sink, const Fault*& fault) {
  if (mode_ == Mode::kChunked && !ReadChunks(in, parser, sink, fault)) return false;
  if (mode_ == Mode::kTrailers) return ReadTrailers(in, sink, fault);
  while (!in.empty() && !sink.stop && (mode_ == Mode::kUntilClose || left_ > 0)) {
    Slice& front = in.front();
    if (mode_ == Mode::kUntilClose || front.size() <= left_) {
      left_ -= front.size();
      sink.events.OnBody(sink.id, in.PopFront());
    } else {
      Slice part = front.Share(0, left_);
      in.Consume(left_);
      left_ = 0;
      sink.events.OnBody(sink.id, std::move(part));
    }
  }
  return mode_ != Mode::kUntilClose && left_ == 0;
}

// True when the last chunk was read; the trailer section is next.
bool BodyReader::ReadChunks(Buffer& in, llhttp_t& parser, const BodySink& sink,
                            const Fault*& fault) {
  while (!in.empty()) {
    // The slice is held here: an event may do with the buffer what it likes.
    const Slice slice = in.PopFront();
    ChunkRun run{slice, sink, extension_};
    parser.data = &run;
    const char* at = slice.data();
    const char* end = at + slice.size();
    int error = llhttp_execute(&parser, at, slice.size());
    while (error == HPE_PAUSED && !run.last) {
      at = ContinueExtensions(parser);
      error = llhttp_execute(&parser, at, static_cast<size_t>(end - at));
    }
    parser.data = nullptr;
    if (sink.stop) return false;
    if (error == HPE_OK) continue;
    if (error != HPE_PAUSED) {
      fault = &kCodecError;
      return false;
    }
    const size_t used = static_cast<size_t>(parser.error_pos - slice.data());
    if (used < slice.size()) in.Prepend(slice.Share(used, slice.size() - used));
    mode_ = Mode::kTrailers;
    trailers_ = nullptr;
    left_ = 0;
    extension_ = 0;
    return true;
  }
  return false;
}

bool BodyReader::ReadTrailers(Buffer& in, const BodySink& sink, const Fault*& fault) {
  uint32_t& searched = extension_;
  while (!in.empty()) {
    const std::string_view front =
        in.front().view().substr(0, static_cast<size_t>(max_size_ - left_));
    const char* end = front.data() + front.size();
    FieldLine line{FieldLine::Kind::kIncomplete, nullptr, nullptr, {}, {}};
    if (front.find('\n', searched) != std::string_view::npos) {
      line = ReadFieldLine(front.data(), end);
    }
    if (line.kind == FieldLine::Kind::kFault) {
      fault = line.fault;
      return false;
    }
    if (line.kind == FieldLine::Kind::kIncomplete) {
      searched = static_cast<uint32_t>(front.size());
      if (left_ + front.size() >= max_size_) {
        fault = &kHeadTooLarge;
        return false;
      }
      if (in.slice_count() < 2) return false;
      JoinFront(in, max_size_);
      continue;
    }
    searched = 0;
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
