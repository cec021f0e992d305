#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/update_kernels.h"

namespace addax::cpu {

const UpdateKernels& update_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa == Isa::Avx512) return avx512::kUpdateKernels;
  if (isa == Isa::Avx2) return avx2::kUpdateKernels;
#endif
  static_cast<void>(isa);
  return portable::kUpdateKernels;
}

namespace {

// Elements that chunks are multiples of, within a parameter.
constexpr int64_t kUnit = 256;
// Units in a chunk, where there are enough of them.
constexpr int64_t kGrainUnits = 8;

// All parameters of one update, one after the other, cut into units. A chunk is a run of units: one
// that lies as far into the parameters as a row of the largest one lies into that one's rows.
class ParameterChunks {
 public:
  explicit ParameterChunks(std::span<const Tensor> parameters) {
    for (const Tensor& parameter : parameters) {
      begins_.push_back(units_);
      sizes_.push_back(parameter.size());
      units_ += (parameter.size() + kUnit - 1) / kUnit;
    }
  }

  int64_t count() const { return chunks_for(units_, kGrainUnits); }

  // Calls body(parameter, first element, number of elements) for what belongs to a chunk.
  template <class Body>
  void visit(int64_t chunk, const Body& body) const {
    const Range range = even_share(units_, count(), chunk);
    size_t parameter = static_cast<size_t>(
        std::upper_bound(begins_.begin(), begins_.end(), range.begin) - begins_.begin() - 1);
    for (; parameter < begins_.size() && begins_[parameter] < range.end; ++parameter) {
      const int64_t first = std::max<int64_t>(range.begin - begins_[parameter], 0) * kUnit;
      const int64_t end = std::min((range.end - begins_[parameter]) * kUnit, sizes_[parameter]);
      if (first < end) body(parameter, first, end - first);
    }
  }

 private:
  std::vector<int64_t> begins_;
  std::vector<int64_t> sizes_;
  int64_t units_ = 0;
};

// Tensors of a node in groups of `count_` behind its scalars: parameters, gradients, slots.
class Optimizer : public Kernel {
 public:
  Optimizer(const Node& node, int scalars, int in_groups, int out_groups)
      : learning_rate_(node.input(0)),
        inputs_(node.inputs().begin() + scalars, node.inputs().end()),
        outputs_(node.outputs().begin(), node.outputs().end()),
        count_(inputs_.size() / static_cast<size_t>(in_groups)),
        chunks_(std::span(inputs_).first(count_)),
        kernels_(update_kernels(active_isa())) {
    int64_t bytes = 0;
    for (size_t i = 0; i < count_; ++i) bytes += (in_groups + out_groups) * inputs_[i].bytes();
    add_stage(chunks_.count(), bytes_cost(bytes));
  }

 protected:
  template <class T>
  const T* in(const RunContext& context, size_t group, size_t i, int64_t first) const {
    return context.data<const T>(inputs_[group * count_ + i]) + first;
  }
  template <class T>
  T* out(const RunContext& context, size_t group, size_t i, int64_t first) const {
    return context.data<T>(outputs_[group * count_ + i]) + first;
  }
  bool is_double(size_t i) const { return inputs_[i].dtype == DType::Float64; }

  Tensor learning_rate_;
  std::vector<Tensor> inputs_, outputs_;
  size_t count_;
  ParameterChunks chunks_;
  const UpdateKernels& kernels_;
};

class Adam : public Optimizer {
 public:
  explicit Adam(const Node& node)
      : Optimizer(node, 2, 4, 3),
        step_(node.input(1)),
        beta_1_(node.number("beta_1", 0.9)),
        beta_2_(node.number("beta_2", 0.999)),
        epsilon_(node.number("epsilon", 1e-7)) {}

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const auto t = static_cast<double>(*context.data<const int64_t>(step_) + 1);
    const double lr = *context.data<const float>(learning_rate_);
    // 1 - beta^t as -expm1(t log(beta)), exact while beta^t is close to 1.
    const double rate =
        lr * std::sqrt(-std::expm1(t * std::log(beta_2_))) / -std::expm1(t * std::log(beta_1_));
    const AdamNumbers<double> numbers = {1 - beta_1_, 1 - beta_2_, rate, epsilon_};
    const AdamNumbers<float> narrow = {
        static_cast<float>(numbers.keep_1), static_cast<float>(numbers.keep_2),
        static_cast<float>(numbers.rate), static_cast<float>(numbers.epsilon)};
    chunks_.visit(chunk, [&](size_t i, int64_t first, int64_t n) {
      if (is_double(i)) {
        kernels_.adam_f64(run_of<double>(context, i, first, n), numbers);
      } else {
        kernels_.adam_f32(run_of<float>(context, i, first, n), narrow);
      }
    });
  }

 private:
  template <class T>
  AdamRun<T> run_of(const RunContext& context, size_t i, int64_t first, int64_t n) const {
    return {in<T>(context, 0, i, first),  in<T>(context, 1, i, first),
            in<T>(context, 2, i, first),  in<T>(context, 3, i, first),
            out<T>(context, 0, i, first), out<T>(context, 1, i, first),
            out<T>(context, 2, i, first), n};
  }

  Tensor step_;
  double beta_1_, beta_2_, epsilon_;
};

class Sgd : public Optimizer {
 public:
  explicit Sgd(const Node& node)
      : Optimizer(node, 1, node.number("momentum", 0) != 0 ? 3 : 2,
                  node.number("momentum", 0) != 0 ? 2 : 1),
        momentum_(node.number("momentum", 0)),
        nesterov_(node.flag("nesterov", false)) {}

  void run(const RunContext& context, size_t, int64_t chunk) const override {
    const float rate = *context.data<const float>(learning_rate_);
    const SgdNumbers<double> wide = {rate, momentum_, nesterov_ && momentum_ != 0};
    const SgdNumbers<float> narrow = {rate, static_cast<float>(momentum_), wide.nesterov};
    chunks_.visit(chunk, [&](size_t i, int64_t first, int64_t n) {
      if (is_double(i)) {
        kernels_.sgd_f64(run_of<double>(context, i, first, n), wide);
      } else {
        kernels_.sgd_f32(run_of<float>(context, i, first, n), narrow);
      }
    });
  }

 private:
  template <class T>
  SgdRun<T> run_of(const RunContext& context, size_t i, int64_t first, int64_t n) const {
    const bool slots = momentum_ != 0;
    return {in<T>(context, 0, i, first),
            in<T>(context, 1, i, first),
            slots ? in<T>(context, 2, i, first) : nullptr,
            out<T>(context, 0, i, first),
            slots ? out<T>(context, 1, i, first) : nullptr,
            n};
  }

  double momentum_;
  bool nesterov_;
};

}  // namespace

bool accepts_optimizer(const Node& node) {
  const size_t scalars = node.op() == "adam" ? 2 : 1;
  for (const Tensor& tensor : node.inputs().subspan(scalars)) {
    if (tensor.dtype != DType::Float32 && tensor.dtype != DType::Float64) return false;
  }
  return true;
}

KernelPtr make_adam(const Node& node) { return std::make_unique<Adam>(node); }
KernelPtr make_sgd(const Node& node) { return std::make_unique<Sgd>(node); }

}  // namespace addax::cpu
