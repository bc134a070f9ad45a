#include "core/server/listening.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/net/socket.h"

namespace sluice {
namespace {

bool IsAnyPort(const Address& address) { return address.is_ip() && address.port() == 0; }

}  // namespace

Listening::~Listening() { RemoveFiles(); }

Listening::Slot* Listening::Find(std::string_view name, const Address& address) const {
  const auto found = std::find_if(slots_.begin(), slots_.end(), [&](const auto& slot) {
    return slot->name == name && slot->place.address == address;
  });
  return found == slots_.end() ? nullptr : found->get();
}

Result<void> Listening::Open(const Generation& generation) {
  std::vector<std::unique_ptr<Slot>> opened;
  for (const Generation::Listener& listener : generation.listeners()) {
    const std::string& name = listener.settings->name;
    if (Find(name, listener.place.address) != nullptr) continue;
    Result<std::unique_ptr<Slot>> slot = OpenSlot(name, listener.place, workers_);
    if (!slot) {
      for (const auto& each : opened) Close(*each);
      return Fail(slot.error().code, StrCat({"listener \"", name, "\": ", slot.error().detail}));
    }
    opened.push_back(std::move(*slot));
  }
  if (admin_.empty()) {
    std::vector<std::unique_ptr<Slot>> admin;
    for (const ListenPlace& place : generation.admin()) {
      Result<std::unique_ptr<Slot>> slot = OpenSlot({}, place, 1);
      if (!slot) {
        for (const auto& each : opened) Close(*each);
        for (const auto& each : admin) Close(*each);
        return Fail(slot.error().code, StrCat({"admin: ", slot.error().detail}));
      }
      admin.push_back(std::move(*slot));
    }
    admin_ = std::move(admin);
    for (const auto& slot : admin_) {
      Log(LogLevel::kInfo, "listener", StrCat({"admin on ", slot->sockets.address.ToString()}));
    }
  }
  for (auto& slot : opened) {
    Log(LogLevel::kInfo, "listener",
        StrCat({slot->name, " on ", slot->sockets.address.ToString()}));
    slots_.push_back(std::move(slot));
  }
  return {};
}

Result<std::unique_ptr<Listening::Slot>> Listening::OpenSlot(const std::string& name,
                                                             const ListenPlace& place,
                                                             size_t count) {
  auto slot = std::make_unique<Slot>();
  slot->name = name;
  slot->place = place;
  slot->limit = std::make_unique<ConnectionLimit>(0);
  slot->sockets.fds = TakeInherited(name, place.address);
  slot->file_is_ours = slot->sockets.fds.empty();
  if (slot->sockets.fds.empty()) slot->sockets.fds = Share(place.address);
  if (!slot->sockets.fds.empty()) {
    slot->sockets.address = LocalAddress(slot->sockets.fds[0].get());
    if (place.address.is_unix() || slot->sockets.fds.size() >= count) return slot;
    SLUICE_TRY(AddListenSockets(slot->sockets, count, place.options));
    return slot;
  }
  Result<ListenSockets> sockets = OpenListenSockets(place.address, count, place.options);
  if (!sockets) return Fail(std::move(sockets).error());
  slot->sockets = std::move(*sockets);
  return slot;
}

std::vector<Fd> Listening::TakeInherited(const std::string& name, const Address& address) {
  std::vector<Fd> fds;
  const std::string text = address.ToString();
  for (InheritedSocket& socket : inherited_) {
    // Several may have let the kernel choose their port.
    if (!socket.fd || socket.address != text || (IsAnyPort(address) && socket.listener != name)) {
      continue;
    }
    fds.push_back(std::move(socket.fd));
  }
  return fds;
}

// A listener that takes the place of one with another name has the same sockets: at no moment are
// clients refused.
std::vector<Fd> Listening::Share(const Address& address) const {
  std::vector<Fd> fds;
  if (IsAnyPort(address)) return fds;
  for (const auto& slot : slots_) {
    if (slot->place.address != address) continue;
    for (const Fd& fd : slot->sockets.fds) {
      fds.emplace_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
      if (!fds.back()) return {};
    }
    return fds;
  }
  return fds;
}

void Listening::Keep(const Generation& generation) {
  const auto& listeners = generation.listeners();
  for (size_t i = 0; i < slots_.size();) {
    Slot& slot = *slots_[i];
    const auto wanted =
        std::find_if(listeners.begin(), listeners.end(), [&slot](const auto& listener) {
          return listener.settings->name == slot.name &&
                 listener.place.address == slot.place.address;
        });
    if (wanted != listeners.end()) {
      slot.limit->set_most(wanted->settings->connections);
      ++i;
      continue;
    }
    Close(slot);
    leaving_limits_.push_back(std::move(slot.limit));
    slots_.erase(slots_.begin() + static_cast<ptrdiff_t>(i));
  }
  for (const InheritedSocket& socket : inherited_) {
    const Result<Address> address = Address::Parse(socket.address);
    if (socket.fd && address && address->is_unix()) unclaimed_.push_back(*address);
  }
  inherited_.clear();
}

std::vector<WorkerListener> Listening::ForWorker(const Generation& generation,
                                                 uint32_t worker) const {
  std::vector<WorkerListener> all;
  for (const Generation::Listener& listener : generation.listeners()) {
    const Slot* slot = Find(listener.settings->name, listener.place.address);
    CHECK(slot != nullptr);
    WorkerListener own{slot->limit.get(), {}};
    const std::vector<Fd>& fds = slot->sockets.fds;
    if (slot->place.address.is_unix()) {
      own.sockets.push_back(fds[0].get());
    } else {
      for (size_t i = worker; i < fds.size(); i += workers_) own.sockets.push_back(fds[i].get());
    }
    all.push_back(std::move(own));
  }
  return all;
}

std::vector<OfferedSocket> Listening::Offer() const {
  std::vector<OfferedSocket> all;
  const auto add = [&all](const Slot& slot) {
    for (const Fd& fd : slot.sockets.fds) {
      all.push_back({slot.place.address.ToString(), slot.name, fd.get()});
    }
  };
  for (const auto& slot : slots_) add(*slot);
  for (const auto& slot : admin_) add(*slot);
  return all;
}

std::vector<ListeningSocket> Listening::Sockets() const {
  std::vector<ListeningSocket> all;
  for (const auto& slot : slots_) {
    for (const Fd& fd : slot->sockets.fds) all.push_back({slot->name, fd.get()});
  }
  return all;
}

std::vector<int> Listening::admin_fds() const {
  std::vector<int> fds;
  for (const auto& slot : admin_) fds.push_back(slot->sockets.fds[0].get());
  return fds;
}

std::vector<Address> Listening::AdminAddresses() const {
  std::vector<Address> addresses;
  for (const auto& slot : admin_) addresses.push_back(slot->sockets.address);
  return addresses;
}

const Address& Listening::AddressOf(const std::string& listener) const {
  const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                 [&listener](const auto& each) { return each->name == listener; });
  CHECK(slot != slots_.end());
  return (*slot)->sockets.address;
}

void Listening::CloseAll() {
  for (const auto& slot : slots_) slot->sockets.fds.clear();
}

void Listening::Close(Slot& slot) {
  slot.sockets.fds.clear();
  const bool shared = std::any_of(slots_.begin(), slots_.end(), [&slot](const auto& other) {
    return other.get() != &slot && other->place.address == slot.place.address;
  });
  if (slot.file_is_ours && !shared) RemoveSocketFile(slot.sockets.address);
}

void Listening::SetFilesOurs(bool ours) {
  for (const auto& slot : slots_) slot->file_is_ours = ours;
  for (const auto& slot : admin_) slot->file_is_ours = ours;
}

void Listening::RemoveUnclaimedFiles() {
  for (const Address& address : std::exchange(unclaimed_, {})) {
    // A reload may have it again meanwhile, with a file of its own.
    const bool used = std::any_of(slots_.begin(), slots_.end(), [&address](const auto& slot) {
      return slot->place.address == address;
    });
    if (!used) RemoveSocketFile(address);
  }
}

void Listening::RemoveFiles() {
  for (const auto& slot : slots_) {
    if (slot->file_is_ours) RemoveSocketFile(slot->sockets.address);
  }
  for (const auto& slot : admin_) {
    if (slot->file_is_ours) RemoveSocketFile(slot->sockets.address);
  }
}

}  // namespace sluice
