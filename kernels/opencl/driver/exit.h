#pragma once

namespace addax::opencl {

// Whether the process exits. A host may keep programs as long as that, when the driver's own static
// objects may be gone: what is left is not released.
bool is_exiting();

// To be called before a program is handed out: functions for the exit run in reverse order, so that
// this one runs before the destructor of whatever has been waiting for the program.
void watch_for_exit();

}  // namespace addax::opencl
