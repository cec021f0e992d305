// b of a contraction, whose rows lie first, turned so that its columns do.

__kernel void pack(RECORD, const int n_extent, const int k_extent, const Geometry geometry,
                   TENSOR(b), TENSOR(packed)) {
  RETURN_IF_FAILED;
  const int n = get_global_id(0), k = get_global_id(1), batch = get_global_id(2);
  if (n >= n_extent) return;
  ((__global T*)ADDRESS(packed))[(batch * k_extent + k) * n_extent + n] =
      (T)LOAD_B(ADDRESS(b), find_b(geometry, batch, k, n));
}
