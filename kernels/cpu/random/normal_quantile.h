#pragma once

namespace addax::cpu {

// The z below which a standard normal number falls with probability p, 0 < p < 1, to a relative
// error of about 1e-15: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal
// distribution", Applied Statistics 37 (1988).
double normal_quantile(double p);

}  // namespace addax::cpu
