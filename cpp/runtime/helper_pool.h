#pragma once

namespace addax {

// The only place that touches oneTBB: threads for a team's helpers. It is compiled without thread
// sanitizer, which cannot see oneTBB's own synchronisation; nothing but the slot number crosses it.
class HelperPool {
 public:
  // `help(slot)` is run on up to `threads - 1` threads at once, each with a slot of its own in
  // [1, threads), mostly the same one from time to time.
  using Help = void (*)(int slot);

  // Takes effect for helpers summoned from now on.
  static void resize(int threads);
  // Starts helpers; returns how many it could ask for.
  static int summon(int helpers, Help help) noexcept;

  // Processors that this process may run on.
  static int default_threads();
};

}  // namespace addax
