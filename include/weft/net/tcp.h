// TCP: connections and the listeners that take them.
#pragma once

#include <weft/net/select_cases.h>
#include <weft/net/tcp_listener.h>
#include <weft/net/tcp_stream.h>
