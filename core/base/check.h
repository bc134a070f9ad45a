// CHECK(x): for what cannot happen. It stays on in release. Nothing that comes from a peer, a file
// or a dependency may reach one: outside faults travel as Result<T>.
#ifndef SLUICE_CORE_BASE_CHECK_H_
#define SLUICE_CORE_BASE_CHECK_H_

namespace sluice {

// Prints the place and the expression to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);

}  // namespace sluice

#define CHECK(x)                                     \
  do {                                               \
    if (!(x)) [[unlikely]]                           \
      ::sluice::CheckFailed(__FILE__, __LINE__, #x); \
  } while (false)

#endif  // SLUICE_CORE_BASE_CHECK_H_
