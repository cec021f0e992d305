// A plug-in whose function lets THROWN out, which must not cross the ABI.
#include <addax/device.h>

#include <stdexcept>

const adx_plugin* adx_plugin_v1(const adx_host*, adx_status*) { throw THROWN; }
