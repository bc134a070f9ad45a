// Fd is core/base's; the rooms that deal in sockets know it from here.
#ifndef SLUICE_CORE_NET_FD_H_
#define SLUICE_CORE_NET_FD_H_

#include "core/base/fd.h"  // IWYU pragma: export

#endif  // SLUICE_CORE_NET_FD_H_
