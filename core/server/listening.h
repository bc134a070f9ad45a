// Listening: the listening sockets of the process, by listener. A listener that a new configuration
// leaves at its place keeps its sockets; sockets that a predecessor passed on are used before new
// ones are opened. Owned by the server; of the main thread.
#ifndef SLUICE_CORE_SERVER_LISTENING_H_
#define SLUICE_CORE_SERVER_LISTENING_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/net/listen_socket.h"
#include "core/server/connection_limit.h"
#include "core/server/generation.h"
#include "core/server/restart/predecessor.h"
#include "core/server/restart/successor.h"
#include "core/server/serving.h"
#include "core/server/system/accept_queues.h"

namespace sluice {

class Listening {
 public:
  // TCP listeners have a socket for each of `workers`, or more if more were inherited.
  explicit Listening(uint32_t workers) : workers_(workers) {}
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // Sockets for Open to use. They are listening.
  void Inherit(std::vector<InheritedSocket> sockets) { inherited_ = std::move(sockets); }

  // Opens what the generation's listeners need and is not there, and its admin listener if there is
  // none yet: another place of it takes a restart. After an error nothing has changed.
  Result<void> Open(const Generation& generation);
  // Sets the limits of `generation`, which was opened, and closes what it does not need: no worker
  // looks at that any more. Inherited sockets that nobody asked for are closed too.
  void Keep(const Generation& generation);

  // No generation but that of the last Keep is used any more.
  void ForgetLeaving() { leaving_limits_.clear(); }

  // For a worker: what it accepts from. Each socket has a worker; with more sockets than workers,
  // several sockets have the same.
  std::vector<WorkerListener> ForWorker(const Generation& generation, uint32_t worker) const;
  // Everything, for a successor.
  std::vector<OfferedSocket> Offer() const;

  // Those of listeners.
  std::vector<ListeningSocket> Sockets() const;

  // With the real port. REQUIRES: the listener is the generation's, and open.
  const Address& AddressOf(const std::string& listener) const;
  // Empty: there is no admin listener.
  std::vector<int> admin_fds() const;
  std::vector<Address> AdminAddresses() const;

  // Nobody accepts any more, here or elsewhere: new clients are refused.
  void CloseAll();
  // The files of unix sockets are those of the process that serves: a successor's, ours. Those that
  // came from a predecessor are its own until then.
  void LeaveFiles() { SetFilesOurs(false); }
  void OwnFiles() { SetFilesOurs(true); }
  // Those that are ours.
  void RemoveFiles();
  // The predecessor is gone: of the unix sockets that it passed on, the files of those that this
  // configuration does not have lead nowhere.
  void RemoveUnclaimedFiles();

 private:
  struct Slot {
    std::string name;  // empty: the admin API's
    ListenPlace place;
    ListenSockets sockets;
    std::unique_ptr<ConnectionLimit> limit;
    bool file_is_ours = true;
  };

  Slot* Find(std::string_view name, const Address& address) const;
  Result<std::unique_ptr<Slot>> OpenSlot(const std::string& name, const ListenPlace& place,
                                         size_t count);
  std::vector<Fd> TakeInherited(const std::string& name, const Address& address);
  std::vector<Fd> Share(const Address& address) const;
  void Close(Slot& slot);
  void SetFilesOurs(bool ours);

  const uint32_t workers_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<std::unique_ptr<Slot>> admin_;
  // Of listeners that are no more: connections that they accepted count in them still.
  std::vector<std::unique_ptr<ConnectionLimit>> leaving_limits_;
  std::vector<InheritedSocket> inherited_;
  std::vector<Address> unclaimed_;  // that nobody asked for
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_LISTENING_H_
