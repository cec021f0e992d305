#pragma once

#include <string>

namespace addax {

// Gives plug-ins the runtime's threads and profiler, and checks that the oneTBB of this process is
// usable (another package may have loaded its own first): DeviceError otherwise. Call it once
// before devices are used; further calls do nothing.
void start_runtime();

// "2022.3" style version of the oneTBB that is loaded, for reports.
std::string tbb_version();

}  // namespace addax
