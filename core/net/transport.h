// Transport: an fd that can be read and written, plain or TLS. Never blocks. Owned by its
// Connection, the only one that calls it.
#ifndef SLUICE_CORE_NET_TRANSPORT_H_
#define SLUICE_CORE_NET_TRANSPORT_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice {

struct IoResult {
  enum class Status : uint8_t {
    kOk,            // `bytes` were moved, at least one
    kWaitReadable,  // nothing was: try again when the fd is readable
    kWaitWritable,  // likewise writable; TLS may want either for both
    kEnd,           // reading: the peer sends no more
    kFailed,        // `error` is an errno value
  };
  Status status = Status::kOk;
  // After kOk: another call now would surely wait, so that it can be spared.
  bool drained = false;
  int error = 0;
  size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;  // closes the fd
  virtual int fd() const = 0;
  virtual IoResult Read(char* data, size_t size) = 0;
  virtual IoResult Write(const struct iovec* vectors, int count) = 0;
  // Tells the peer that nothing more will be written.
  virtual void ShutdownWrite() = 0;
  // Makes closing send a reset, where the peer must not take what it got for the whole.
  virtual void ResetOnClose() = 0;
};

// Takes the socket over.
std::unique_ptr<Transport> NewPlainTransport(int fd);

}  // namespace sluice

#endif  // SLUICE_CORE_NET_TRANSPORT_H_
