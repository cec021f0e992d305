#include "cpu/map_reduce/map_reduce.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/runtime/scratch.h"

namespace addax::cpu {
namespace {

// Elements that a chunk should have.
constexpr int64_t kGrain = 8192;
constexpr int64_t kReduceGrain = 32768;
// Columns are added up in runs of this many evaluations, runs in runs of as many, and those to the
// total.
constexpr int64_t kRun = 32;
constexpr int64_t kLevels = 3;

template <class T>
void fill_identity(ReduceKind kind, std::byte* to, int64_t n) {
  using Limits = std::numeric_limits<T>;
  T value = 0;
  if (kind == ReduceKind::Prod) value = 1;
  if (kind == ReduceKind::Max) value = Limits::has_infinity ? -Limits::infinity() : Limits::min();
  if (kind == ReduceKind::Min) value = Limits::has_infinity ? Limits::infinity() : Limits::max();
  std::fill_n(reinterpret_cast<T*>(to), n, value);
}

class MapReduce : public Kernel {
 public:
  explicit MapReduce(MapReduceSpec spec)
      : spec_(std::move(spec)),
        tape_(spec_.expr, spec_.compute, active_isa(), spec_.inputs, outputs_of(spec_)),
        item_(size_of(spec_.compute)),
        block_(block_size(spec_.compute)) {
    for (size_t i = 0; i < spec_.outputs.size(); ++i) {
      const ReduceKind kind = spec_.reductions[i];
      if (kind == ReduceKind::None) continue;
      const ClassOps& ops = tape_.kernels();
      reductions_.push_back({i, kind, ops.fold[static_cast<size_t>(kind)],
                             ops.fold_columns[static_cast<size_t>(kind)], spec_.outputs[i],
                             ops.store[static_cast<size_t>(spec_.outputs[i].dtype)]});
    }
    plan();
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const override {
    switch (spec_.form) {
      case MapReduceSpec::Form::Map:
        return run_map(context, chunk);
      case MapReduceSpec::Form::Rows:
        return stage == 0 ? run_rows(context, chunk) : join_rows(context);
      case MapReduceSpec::Form::Columns:
        return stage == 0 ? run_columns(context, chunk) : join_columns(context, chunk);
    }
  }

 private:
  struct Reduction {
    size_t output;
    ReduceKind kind;
    FoldFn fold;
    FoldColumnsFn fold_columns;
    Tensor tensor;
    ConvertFn store;
  };

  static std::vector<TapeOutput> outputs_of(const MapReduceSpec& spec) {
    using Kind = TapeOutput::Kind;
    const Kind reduced =
        spec.form == MapReduceSpec::Form::Columns ? Kind::Accumulated : Kind::Values;
    std::vector<TapeOutput> outputs;
    for (size_t i = 0; i < spec.outputs.size(); ++i) {
      const ReduceKind kind = spec.reductions[i];
      outputs.push_back({kind == ReduceKind::None ? Kind::Tensor : reduced, spec.outputs[i], kind});
    }
    return outputs;
  }

  double total_cost() const {
    const auto elements = static_cast<double>(spec_.batch * spec_.rows * spec_.cols);
    double cost =
        elements * (tape_.cost_per_element() + 2.0 * static_cast<double>(reductions_.size()));
    for (const TapeInput& input : spec_.inputs) cost += bytes_cost(input.tensor.bytes());
    for (const Tensor& output : spec_.outputs) cost += bytes_cost(output.bytes());
    return cost;
  }

  void plan() {
    const int64_t elements = spec_.batch * spec_.rows * spec_.cols;
    const auto num_reductions = static_cast<int64_t>(reductions_.size());
    const int64_t sets = std::max<int64_t>(num_reductions, 1);
    scratch_.add(Scratch::Tape, tape_.frame_bytes());
    if (spec_.form == MapReduceSpec::Form::Map) {
      add_stage(chunks_for(elements, kGrain), total_cost());
    } else if (spec_.form == MapReduceSpec::Form::Rows) {
      const int64_t most = std::max<int64_t>(1, 256 / std::max<int64_t>(spec_.rows, 1));
      parts_ = spec_.rows < 64 ? chunks_for(spec_.cols, kReduceGrain, most) : 1;
      row_chunks_ = std::min(chunks_for(elements, kGrain), std::max<int64_t>(spec_.rows, 1));
      add_stage(parts_ > 1 ? spec_.rows * parts_ : row_chunks_, total_cost());
      const int64_t blocks_of_part = ceil_div(ceil_div(spec_.cols, block_), parts_);
      scratch_.add(Scratch::Rows, item_ * std::max(rows_at_once(), blocks_of_part * sets));
      if (parts_ > 1) {
        add_stage(1, static_cast<double>(spec_.rows * parts_ * num_reductions) * 4);
        workspace_bytes_ = static_cast<size_t>(num_reductions * spec_.rows * parts_ * item_);
      }
    } else {
      col_blocks_ = std::max<int64_t>(1, (spec_.cols + block_ - 1) / block_);
      const int64_t units = spec_.batch * col_blocks_;
      const int64_t width = std::min(spec_.cols, block_);
      const int64_t most = std::clamp<int64_t>(256 / std::max<int64_t>(units, 1), 1,
                                               std::max<int64_t>(spec_.rows, 1));
      parts_ = chunks_for(spec_.rows * width, kReduceGrain, most);
      unit_chunks_ = parts_ > 1 ? units : std::min<int64_t>(units, chunks_for(elements, kGrain));
      if (col_blocks_ == 1) {
        const int64_t whole_rows = block_ / std::max<int64_t>(width, 1);
        rows_at_once_ = floor_pow2(static_cast<double>(whole_rows));
      }
      part_stride_ = (width * item_ + 2 * kMaxVectorBytes - 1) / kMaxVectorBytes * kMaxVectorBytes;
      add_stage(unit_chunks_ * parts_, total_cost());
      scratch_.add(Scratch::Rows, sums_bytes() * sets);
      if (parts_ > 1) {
        add_stage(units, static_cast<double>(units * parts_ * width * num_reductions) * 6);
        workspace_bytes_ = static_cast<size_t>(num_reductions * units * parts_ * part_stride_);
      }
    }
  }

  void run_map(const RunContext& context, int64_t chunk) const {
    const int64_t unit = tape_.unit();
    const Range range = even_share(ceil_div(spec_.cols, unit), stages_[0].chunks, chunk);
    if (range.size() == 0) return;
    TapeRun tape(tape_, context);
    const int64_t end = std::min(range.end * unit, spec_.cols);
    for (int64_t begin = range.begin * unit; begin < end; begin += tape_.most()) {
      tape.evaluate(begin, std::min(tape_.most(), end - begin));
    }
  }

  // ---- Rows ----

  std::byte* part(const RunContext& context, size_t reduction, int64_t row, int64_t index) const {
    const auto r = static_cast<int64_t>(reduction);
    return context.workspace + ((r * spec_.rows + row) * parts_ + index) * item_;
  }

  // Writes n results of `reduction` from `first` on.
  void finish(const RunContext& context, const Reduction& reduction, int64_t first, int64_t n,
              const std::byte* values) const {
    const auto item = static_cast<int64_t>(addax::size_of(reduction.tensor.dtype));
    reduction.store(values, context.data<std::byte>(reduction.tensor) + first * item, n);
  }

  void run_rows(const RunContext& context, int64_t chunk) const {
    const Range rows = parts_ > 1 ? Range{chunk / parts_, chunk / parts_ + 1}
                                  : even_share(spec_.rows, row_chunks_, chunk);
    if (rows.size() == 0) return;
    TapeRun tape(tape_, context);
    if (spec_.cols <= block_) {
      reduce_short_rows(context, tape, rows);
    } else {
      for (int64_t row = rows.begin; row < rows.end; ++row) {
        reduce_long_row(context, tape, row, chunk % parts_);
      }
    }
  }

  // Of at most one block, so many are evaluated at once.
  int64_t rows_at_once() const {
    const int64_t fitting = block_ / std::max<int64_t>(spec_.cols, 1);
    return fitting >= 16 ? fitting / 16 * 16 : fitting;  // whole vectors
  }

  void reduce_short_rows(const RunContext& context, TapeRun& tape, Range rows) const {
    const int64_t group = rows_at_once();
    auto* results = thread_scratch<std::byte>(Scratch::Rows, static_cast<size_t>(group * item_));
    for (int64_t row = rows.begin; row < rows.end; row += group) {
      const int64_t n = std::min(group, rows.end - row);
      tape.evaluate(row * spec_.cols, n * spec_.cols);
      for (const Reduction& reduction : reductions_) {
        const std::byte* values = tape.values(reduction.output);
        for (int64_t i = 0; i < n; ++i) {
          reduction.fold(values + i * spec_.cols * item_, spec_.cols, results + i * item_);
        }
        finish(context, reduction, row, n, results);
      }
    }
  }

  // Part `index` of a row of several blocks; their results meet in a fold.
  void reduce_long_row(const RunContext& context, TapeRun& tape, int64_t row, int64_t index) const {
    const int64_t blocks = (spec_.cols + block_ - 1) / block_;
    const Range range = even_share(blocks, parts_, index);
    const int64_t stride = range.size() * item_;
    auto* results = thread_scratch<std::byte>(
        Scratch::Rows, static_cast<size_t>(stride) * std::max<size_t>(reductions_.size(), 1));
    for (int64_t block = range.begin; block < range.end; ++block) {
      const int64_t begin = block * block_;
      const int64_t n = std::min(block_, spec_.cols - begin);
      tape.evaluate(row * spec_.cols + begin, n);
      std::byte* result = results + (block - range.begin) * item_;
      for (const Reduction& reduction : reductions_) {
        reduction.fold(tape.values(reduction.output), n, result);
        result += stride;
      }
    }
    for (size_t r = 0; r < reductions_.size(); ++r) {
      std::byte* of_blocks = results + static_cast<int64_t>(r) * stride;
      if (parts_ > 1) {
        reductions_[r].fold(of_blocks, range.size(), part(context, r, row, index));
      } else {
        reductions_[r].fold(of_blocks, range.size(), of_blocks);
        finish(context, reductions_[r], row, 1, of_blocks);
      }
    }
  }

  void join_rows(const RunContext& context) const {
    for (size_t r = 0; r < reductions_.size(); ++r) {
      for (int64_t row = 0; row < spec_.rows; ++row) {
        alignas(8) std::byte result[8];
        reductions_[r].fold(part(context, r, row, 0), parts_, result);
        finish(context, reductions_[r], row, 1, result);
      }
    }
  }

  // ---- Columns: a unit is a block of columns of one batch index ----

  struct Unit {
    int64_t batch;
    int64_t begin;  // columns [begin, begin + width)
    int64_t width;
  };
  Unit unit_at(int64_t index) const {
    const int64_t begin = index % col_blocks_ * block_;
    return {index / col_blocks_, begin, std::min(block_, spec_.cols - begin)};
  }

  std::byte* column_part(const RunContext& context, size_t reduction, int64_t unit,
                         int64_t index) const {
    const auto r = static_cast<int64_t>(reduction);
    const int64_t units = spec_.batch * col_blocks_;
    return context.workspace + ((r * units + unit) * parts_ + index) * part_stride_;
  }

  void run_columns(const RunContext& context, int64_t chunk) const {
    const Range units = even_share(spec_.batch * col_blocks_, unit_chunks_, chunk / parts_);
    if (units.size() == 0 || spec_.cols == 0) return;
    const int64_t index = chunk % parts_;
    const Range rows = even_share(spec_.rows, parts_, index);
    TapeRun tape(tape_, context);
    auto* sums = thread_scratch<std::byte>(
        Scratch::Rows, static_cast<size_t>(sums_bytes()) * std::max<size_t>(reductions_.size(), 1));
    for (int64_t u = units.begin; u < units.end; ++u) {
      const Unit unit = unit_at(u);
      sum_columns(tape, unit, rows, sums);
      for (size_t r = 0; r < reductions_.size(); ++r) {
        const std::byte* total = sum(sums, r, kLevels - 1);
        if (parts_ > 1) {
          std::memcpy(column_part(context, r, u, index), total,
                      static_cast<size_t>(unit.width * item_));
        } else {
          finish(context, reductions_[r], unit.batch * spec_.cols + unit.begin, unit.width, total);
        }
      }
    }
  }

  // Of a reduction: the sums of level 0, of as many values as an evaluation has, and the others'.
  int64_t sums_bytes() const { return rows_at_once_ * part_stride_ + (kLevels - 1) * part_stride_; }
  std::byte* sum(std::byte* sums, size_t reduction, int64_t level) const {
    sums += static_cast<int64_t>(reduction) * sums_bytes();
    return level == 0 ? sums : sums + (rows_at_once_ + level - 1) * part_stride_;
  }

  void fill_identities(const Reduction& reduction, std::byte* to, int64_t n) const {
    if (spec_.compute == ComputeClass::F32) fill_identity<float>(reduction.kind, to, n);
    if (spec_.compute == ComputeClass::F64) fill_identity<double>(reduction.kind, to, n);
    if (spec_.compute == ComputeClass::I64) fill_identity<int64_t>(reduction.kind, to, n);
  }

  void sum_columns(TapeRun& tape, const Unit& unit, Range rows, std::byte* sums) const {
    const auto clear = [&](int64_t level) {
      const int64_t count = level == 0 ? rows_at_once_ * unit.width : unit.width;
      for (size_t r = 0; r < reductions_.size(); ++r) {
        fill_identities(reductions_[r], sum(sums, r, level), count);
      }
    };
    const auto add_to_next = [&](int64_t level) {
      for (size_t r = 0; r < reductions_.size(); ++r) {
        const FoldColumnsFn fold = reductions_[r].fold_columns;
        std::byte* from = sum(sums, r, level);
        for (int64_t half = level == 0 ? rows_at_once_ / 2 : 0; half > 0; half /= 2) {
          fold(from + half * unit.width * item_, 1, half * unit.width, from);
        }
        fold(from, 1, unit.width, sum(sums, r, level + 1));
      }
    };
    for (size_t r = 0; r < reductions_.size(); ++r) {
      tape.accumulate_into(reductions_[r].output, sum(sums, r, 0));
    }
    clear(1);
    clear(2);
    // One evaluation takes a whole run where its rows fill blocks that follow each other.
    const bool whole_runs = unit.width == spec_.cols && rows_at_once_ * unit.width == block_ &&
                            tape_.most() >= kRun * block_;
    const int64_t run_rows = kRun * rows_at_once_;
    const int64_t step = whole_runs ? run_rows : rows_at_once_;
    for (int64_t run = rows.begin; run < rows.end; run += run_rows) {
      clear(0);
      const int64_t end = std::min(run + run_rows, rows.end);
      for (int64_t row = run; row < end; row += step) {
        const int64_t first = (unit.batch * spec_.rows + row) * spec_.cols + unit.begin;
        tape.evaluate(first, std::min(step, end - row) * unit.width);
      }
      add_to_next(0);
      if ((run + run_rows - rows.begin) % (kRun * run_rows) == 0) {
        add_to_next(1);
        clear(1);
      }
    }
    add_to_next(1);
  }

  void join_columns(const RunContext& context, int64_t index) const {
    const Unit unit = unit_at(index);
    for (size_t r = 0; r < reductions_.size(); ++r) {
      for (int64_t reach = 1; reach < parts_; reach *= 2) {
        for (int64_t i = 0; i + reach < parts_; i += 2 * reach) {
          reductions_[r].fold_columns(column_part(context, r, index, i + reach), 1, unit.width,
                                      column_part(context, r, index, i));
        }
      }
      finish(context, reductions_[r], unit.batch * spec_.cols + unit.begin, unit.width,
             column_part(context, r, index, 0));
    }
  }

  MapReduceSpec spec_;
  Tape tape_;
  int64_t item_;
  int64_t block_;
  std::vector<Reduction> reductions_;
  int64_t parts_ = 1;  // of a row, or of the rows, whose results a second stage joins
  int64_t row_chunks_ = 1;
  int64_t col_blocks_ = 1;
  int64_t unit_chunks_ = 1;
  int64_t rows_at_once_ = 1;  // of an evaluation
  int64_t part_stride_ = 0;   // bytes of one block of columns, with room for whole vectors
};

}  // namespace

KernelPtr make_map_reduce(MapReduceSpec spec) {
  return std::make_unique<MapReduce>(std::move(spec));
}

}  // namespace addax::cpu
