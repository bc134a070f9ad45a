#include "core/net/connection.h"

#include <sys/socket.h>

#include <cerrno>

#include "core/net/socket.h"

namespace sluice {
namespace {

constexpr int kMaxVectors = 32;
// Less room than this behind the last byte read, and a new block is taken.
constexpr size_t kMinRead = 2048;
// One connection reads so much before the others have their turn.
constexpr size_t kReadBudget = 1024 * 1024;

}  // namespace

Connection::Connection(Loop& loop, ConnectionHandler& handler, std::unique_ptr<Transport> transport,
                       Side side)
    : loop_(loop),
      handler_(handler),
      transport_(std::move(transport)),
      watch_(loop, *this),
      write_task_(Callback::To<&Connection::WriteNow>(this)),
      read_task_(Callback::To<&Connection::ReadLoop>(this)),
      side_(side) {}

Connection::~Connection() { Close(); }

Result<void> Connection::Start(bool connecting) {
  connecting_ = connecting;
  if (connecting) write_wait_ = Wait::kWritable;
  return watch_.Start(transport_->fd(), connecting);
}

void Connection::Close(bool reset) {
  if (closed()) return;
  write_task_.Cancel();
  read_task_.Cancel();
  watch_.StopBeforeClose();
  if (reset) {
    // What has been produced leaves first, as far as the kernel takes it.
    if (!out_.empty() && !write_failed_ && !connecting_ && write_wait_ == Wait::kNothing) {
      struct iovec vectors[kMaxVectors];
      transport_->Write(vectors, out_.FillVectors(vectors, kMaxVectors));
    }
    transport_->ResetOnClose();
  }
  transport_.reset();
  in_.Clear();
  out_.Clear();
}

void Connection::OnReady(uint32_t events) {
  if (connecting_) return FinishConnect(events);
  if ((events & (FdWatch::kPeerClosed | FdWatch::kFailed)) != 0) hangup_seen_ = true;
  const bool readable = (events & ~FdWatch::kWritable) != 0;
  const bool writable = (events & (FdWatch::kWritable | FdWatch::kFailed)) != 0;
  if ((readable && read_wait_ == Wait::kReadable) || (writable && read_wait_ == Wait::kWritable)) {
    read_wait_ = Wait::kNothing;
  }
  if ((writable && write_wait_ == Wait::kWritable) ||
      (readable && write_wait_ == Wait::kReadable)) {
    write_reads_ = write_wait_ == Wait::kReadable;
    write_wait_ = Wait::kNothing;
    if (!out_.empty() || notify_written_) Write();
  }
  // Where no read would show the failure. An upstream's last words may wait for a slow client: they
  // are read first, whatever comes behind them.
  const bool unseen = peer_closed_ || (!reading_ && side_ != Side::kUpstream);
  if ((events & FdWatch::kFailed) != 0 && unseen) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(transport_->fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    // Without an error it is only closed both ways: what came before can still be read.
    if (error != 0) return FailWith(error, "connection", false);
  }
  ReadLoop();
}

void Connection::FinishConnect(uint32_t events) {
  if ((events & (FdWatch::kWritable | FdWatch::kFailed)) == 0) return;
  if (const Result<void> finished = sluice::FinishConnect(transport_->fd()); !finished) {
    peer_closed_ = true;
    write_failed_ = true;
    return handler_.OnFailed(finished.error());
  }
  connecting_ = false;
  write_wait_ = Wait::kNothing;
  if ((events & FdWatch::kReadable) != 0) read_wait_ = Wait::kNothing;
  if ((events & FdWatch::kPeerClosed) != 0) hangup_seen_ = true;
  if (!out_.empty()) Write();
  handler_.OnConnected();
  if (!closed() && read_wait_ == Wait::kNothing) loop_.Defer(read_task_);
}

void Connection::SetReading(bool reading) {
  if (reading_ == reading) return;
  reading_ = reading;
  if (reading && read_wait_ == Wait::kNothing && !in_read_loop_ && !closed() && !connecting_) {
    loop_.Defer(read_task_);
  }
}

void Connection::ReadLoop() {
  if (in_read_loop_) return;
  in_read_loop_ = true;
  const uint64_t stop = bytes_read_ + kReadBudget;
  while (!closed() && reading_ && !peer_closed_ && read_wait_ == Wait::kNothing) {
    if (bytes_read_ >= stop) {
      loop_.DeferToNextTurn(read_task_);
      break;
    }
    if (!ReadOnce()) break;
    // What the data caused is written before more is read.
    loop_.RunDeferred();
  }
  in_read_loop_ = false;
}

bool Connection::ReadOnce() {
  const Buffer::Room room = in_.Reserve(kMinRead, large_reads_ ? Block::kLarge : Block::kSmall);
  const IoResult result = transport_->Read(room.data, room.size);
  switch (result.status) {
    case IoResult::Status::kOk:
      in_.Commit(result.bytes);
      bytes_read_ += result.bytes;
      large_reads_ = result.bytes >= Block::kSmall - kMinRead;
      if (result.drained && !hangup_seen_) read_wait_ = Wait::kReadable;
      handler_.OnData(in_);
      return true;
    case IoResult::Status::kEnd:
      in_.DropReserve();
      if (write_reset_) {  // the write was told of it, so that the read was not
        FailWith(ECONNRESET, "read", false);
        return false;
      }
      peer_closed_ = true;
      handler_.OnPeerClosed();
      return false;
    case IoResult::Status::kFailed:
      in_.DropReserve();
      FailWith(result.error, "read", false);
      return false;
    default:
      in_.DropReserve();
      read_wait_ = WaitOf(result.status);
      if (read_wait_ == Wait::kWritable) watch_.WatchWritable();
      return false;
  }
}

void Connection::WriteNow() {
  if (closed() || connecting_) return;
  if (write_failed_) out_.Clear();
  bool read_too = std::exchange(write_reads_, false);
  while (!out_.empty() && write_wait_ == Wait::kNothing) {
    struct iovec vectors[kMaxVectors];
    const int count = out_.FillVectors(vectors, kMaxVectors);
    const IoResult result = transport_->Write(vectors, count);
    if (result.status == IoResult::Status::kOk) {
      out_.Consume(result.bytes);
      bytes_written_ += result.bytes;
      last_written_ = loop_.now();
      if (result.drained) write_wait_ = Wait::kWritable;
    } else if (result.status == IoResult::Status::kFailed) {
      return FailWith(result.error, "write", true);
    } else {
      write_wait_ = WaitOf(result.status);
      if (write_wait_ == Wait::kReadable) read_too = true;
    }
  }
  if (read_too && read_wait_ == Wait::kReadable) {
    // The transport has read in order to write. What came along will not show on the fd again.
    read_wait_ = Wait::kNothing;
    if (reading_) loop_.Defer(read_task_);
  }
  if (!out_.empty()) {
    notify_written_ = true;
    watch_.WatchWritable();
    return;
  }
  if (std::exchange(end_when_written_, false)) transport_->ShutdownWrite();
  if (std::exchange(notify_written_, false)) handler_.OnWritten();
}

void Connection::FailWith(int error, const char* what, bool while_writing) {
  if (while_writing) {
    write_failed_ = true;
    // EPIPE instead says that the peer's end came in order, before its reset.
    write_reset_ = error == ECONNRESET;
    out_.Clear();
    // The peer's last words may wait to be read, before its reset shows.
    hangup_seen_ = true;
    read_wait_ = Wait::kNothing;
    loop_.Defer(read_task_);
  } else {
    peer_closed_ = true;
    write_failed_ = true;
  }
  Error failure = SystemError(what, error, side_);
  handler_.OnFailed(failure);
}

}  // namespace sluice
