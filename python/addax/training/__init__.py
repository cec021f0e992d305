"""How models are trained: data, compiled steps, objective, progress."""
