// The parts of the soak that use sockets.
#pragma once

#include "soak/parts.h"

namespace weft_soak {

// Clients send pieces of random sizes to a server and compare what comes back.
void echo(random_numbers& random);

// Connections that are closed, reset or cancelled in the middle of everything.
void broken_connections(random_numbers& random);

}  // namespace weft_soak
