#pragma once

#include "addax/device.h"

extern "C" {

// The built-in CPU device: the same entry point as a plug-in's, under a name of its own because it
// is linked in. The first call's host serves for the life of the process; later calls return the
// same table.
const adx_plugin* adx_cpu_plugin(const adx_host* host, adx_status* status);
}
