#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "cpu/gemm/gradient_product.h"
#include "cpu/lowering/kernels.h"
#include "cpu/update/update_kernels.h"
#include "ops/registry.h"
#include "ops/update_groups.h"

namespace addax::cpu {

const UpdateKernels& update_kernels(Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::Avx512) return avx512::kUpdateKernels;
  if (isa == Isa::Avx2) return avx2::kUpdateKernels;
#endif
  static_cast<void>(isa);
  return portable::kUpdateKernels;
}

namespace {

UpdateGroups groups_of(const Node& node) {
  return update_groups(OpRegistry::instance().at(node.op()), node.integer("count"),
                       node.inputs().size());
}

// Elements that chunks are multiples of, within a parameter.
constexpr int64_t kUnit = 256;
// Units in a chunk, where there are enough of them.
constexpr int64_t kGrainUnits = 8;

// All parameters of one update, one after the other, cut into units. A chunk is a run of units: one
// that lies as far into the parameters as a row of the largest one lies into that one's rows.
class ParameterChunks {
 public:
  ParameterChunks() = default;
  explicit ParameterChunks(std::span<const Tensor> parameters) {
    for (const Tensor& parameter : parameters) {
      begins_.push_back(units_);
      sizes_.push_back(parameter.size());
      units_ += (parameter.size() + kUnit - 1) / kUnit;
    }
  }

  int64_t count() const { return units_ == 0 ? 0 : chunks_for(units_, kGrainUnits); }

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

// First what absorbed products need is prepared. Then chunks are first those of the products, then
// those of what is left.
class Optimizer : public Kernel {
 public:
  explicit Optimizer(const Node& node)
      : groups_(groups_of(node)),
        learning_rate_(node.input(0)),
        inputs_(node.inputs().begin(), node.inputs().end()),
        outputs_(node.outputs().begin(), node.outputs().end()),
        kernels_(update_kernels(active_isa())) {
    for (size_t i = 0; i < groups_.count; ++i) plain_.push_back(i);
    bytes_ = node.bytes();
    int64_t chunks = 0;
    double flops = 0;
    Stage preparation;
    for (AbsorbedGradient& gradient : absorbed_gradients(node, groups_)) {
      const size_t i = gradient.parameter;
      const GradientProduct& product = *gradient.product;
      std::erase(plain_, i);
      chunks += product.chunks();
      flops += product.flops();
      preparation.chunks += product.preparation().chunks;
      preparation.cost += product.preparation().cost;
      bytes_ += static_cast<double>(product.operand_bytes() - gradient_of(i).bytes());
      absorbed_.push_back(gradient.node);
      title_ = {title_of(node).op + "+gradients", title_of(node).label};
      products_.push_back({i, workspace_bytes_, std::move(gradient.product)});
      workspace_bytes_ += aligned(product.workspace_bytes());
      scratch_.add(product.scratch());
    }
    std::vector<Tensor> parameters;
    for (size_t i : plain_) parameters.push_back(parameter(i));
    chunks_ = ParameterChunks(parameters);
    if (preparation.chunks > 0) stages_.push_back(preparation);
    add_stage(chunks + chunks_.count(), flops + kFlopsPerByte * bytes_);
  }

  void run(const RunContext& context, size_t stage, int64_t chunk) const final {
    if (stage + 1 == stages_.size()) {
      update(context, chunk);
      return;
    }
    for (const Absorbed& absorbed : products_) {
      const int64_t chunks = absorbed.product->preparation().chunks;
      if (chunk < chunks) {
        absorbed.product->prepare(context, chunk, context.workspace + absorbed.workspace);
        return;
      }
      chunk -= chunks;
    }
  }

 protected:
  virtual void update(const RunContext& context, int64_t chunk) const = 0;

  // Gives a body the gradient of a parameter.
  template <class Body>
  class Taker : public GradientProduct::Taker {
   public:
    Taker(const Optimizer& optimizer, const RunContext& context, size_t parameter, const Body& body)
        : optimizer_(optimizer), context_(context), parameter_(parameter), body_(body) {}

    Ahead ahead(int64_t first, int64_t count) const override {
      Ahead result;
      const UpdateGroups& groups = optimizer_.groups_;
      for (size_t group = 0; group < groups.groups; ++group) {
        if (group == UpdateGroups::kGradients) continue;
        result.add(optimizer_.in<float>(context_, group, parameter_, first),
                   count * int64_t{sizeof(float)});
      }
      return result;
    }
    void take(int64_t first, int64_t count, const float* gradient) const override {
      body_(parameter_, first, count, gradient);
    }

   private:
    const Optimizer& optimizer_;
    const RunContext& context_;
    size_t parameter_;
    const Body& body_;
  };

  // Calls body(parameter, first element, number of elements, their gradient) for what belongs to a
  // chunk.
  template <class Body>
  void visit(const RunContext& context, int64_t chunk, const Body& body) const {
    for (const Absorbed& absorbed : products_) {
      const int64_t chunks = absorbed.product->chunks();
      if (chunk < chunks) {
        const Taker taker(*this, context, absorbed.parameter, body);
        absorbed.product->visit(context, chunk, context.workspace + absorbed.workspace, taker);
        return;
      }
      chunk -= chunks;
    }
    chunks_.visit(chunk, [&](size_t index, int64_t first, int64_t n) {
      const size_t i = plain_[index];
      const Tensor& gradient = gradient_of(i);
      const auto item = static_cast<int64_t>(addax::size_of(gradient.dtype));
      body(i, first, n, context.data<const std::byte>(gradient) + first * item);
    });
  }

  template <class T>
  const T* in(const RunContext& context, size_t group, size_t i, int64_t first) const {
    return context.data<const T>(inputs_[groups_.input(group, i)]) + first;
  }
  template <class T>
  T* out(const RunContext& context, size_t group, size_t i, int64_t first) const {
    return context.data<T>(outputs_[groups_.output(group, i)]) + first;
  }
  bool is_double(size_t i) const { return parameter(i).dtype == DType::Float64; }

  // A gradient computed here, and where in the workspace it keeps what it prepares.
  struct Absorbed {
    size_t parameter;
    size_t workspace;
    std::unique_ptr<GradientProduct> product;
  };

  const Tensor& parameter(size_t i) const {
    return inputs_[groups_.input(UpdateGroups::kParameters, i)];
  }
  const Tensor& gradient_of(size_t i) const {
    return inputs_[groups_.input(UpdateGroups::kGradients, i)];
  }

  UpdateGroups groups_;
  Tensor learning_rate_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<Absorbed> products_;
  std::vector<size_t> plain_;
  ParameterChunks chunks_;
  const UpdateKernels& kernels_;
};

class Adam : public Optimizer {
 public:
  explicit Adam(const Node& node)
      : Optimizer(node),
        step_(node.input(1)),
        keep_1_(1 - node.number("beta_1", 0.9)),
        keep_2_(1 - node.number("beta_2", 0.999)),
        log_beta_1_(std::log(node.number("beta_1", 0.9))),
        log_beta_2_(std::log(node.number("beta_2", 0.999))),
        epsilon_(node.number("epsilon", 1e-7)),
        weight_decay_(node.number("weight_decay", 0)) {}

  void update(const RunContext& context, int64_t chunk) const override {
    const auto t = static_cast<double>(*context.data<const int64_t>(step_) + 1);
    const double lr = *context.data<const float>(learning_rate_);
    // 1 - beta^t as -expm1(t log(beta)), exact while beta^t is close to 1.
    const double rate = lr * std::sqrt(-std::expm1(t * log_beta_2_)) / -std::expm1(t * log_beta_1_);
    const AdamNumbers<double> numbers = {keep_1_, keep_2_, rate, epsilon_, lr * weight_decay_};
    const AdamNumbers<float> narrow = {
        static_cast<float>(numbers.keep_1), static_cast<float>(numbers.keep_2),
        static_cast<float>(numbers.rate), static_cast<float>(numbers.epsilon),
        static_cast<float>(numbers.decay)};
    visit(context, chunk, [&](size_t i, int64_t first, int64_t n, const void* gradient) {
      if (is_double(i)) {
        kernels_.adam_f64(run_of<double>(context, i, first, n, gradient), numbers);
      } else {
        kernels_.adam_f32(run_of<float>(context, i, first, n, gradient), narrow);
      }
    });
  }

 private:
  template <class T>
  AdamRun<T> run_of(const RunContext& context, size_t i, int64_t first, int64_t n,
                    const void* gradient) const {
    return {in<T>(context, 0, i, first),  static_cast<const T*>(gradient),
            in<T>(context, 2, i, first),  in<T>(context, 3, i, first),
            out<T>(context, 0, i, first), out<T>(context, 2, i, first),
            out<T>(context, 3, i, first), n};
  }

  Tensor step_;
  double keep_1_, keep_2_, log_beta_1_, log_beta_2_, epsilon_, weight_decay_;
};

class Sgd : public Optimizer {
 public:
  explicit Sgd(const Node& node)
      : Optimizer(node),
        momentum_(node.number("momentum", 0)),
        nesterov_(node.flag("nesterov", false)),
        weight_decay_(node.number("weight_decay", 0)) {}

  void update(const RunContext& context, int64_t chunk) const override {
    const float rate = *context.data<const float>(learning_rate_);
    const SgdNumbers<double> wide = {rate, momentum_, rate * weight_decay_,
                                     nesterov_ && momentum_ != 0};
    const SgdNumbers<float> narrow = {rate, static_cast<float>(momentum_),
                                      static_cast<float>(wide.decay), wide.nesterov};
    visit(context, chunk, [&](size_t i, int64_t first, int64_t n, const void* gradient) {
      if (is_double(i)) {
        kernels_.sgd_f64(run_of<double>(context, i, first, n, gradient), wide);
      } else {
        kernels_.sgd_f32(run_of<float>(context, i, first, n, gradient), narrow);
      }
    });
  }

 private:
  template <class T>
  SgdRun<T> run_of(const RunContext& context, size_t i, int64_t first, int64_t n,
                   const void* gradient) const {
    const bool slots = momentum_ != 0;
    return {in<T>(context, 0, i, first),
            static_cast<const T*>(gradient),
            slots ? in<T>(context, 2, i, first) : nullptr,
            out<T>(context, 0, i, first),
            slots ? out<T>(context, 2, i, first) : nullptr,
            n};
  }

  double momentum_;
  bool nesterov_;
  double weight_decay_;
};

}  // namespace

bool accepts_optimizer(const Node& node) {
  for (const Tensor& tensor : node.inputs().subspan(groups_of(node).scalars)) {
    if (tensor.dtype != DType::Float32 && tensor.dtype != DType::Float64) return false;
  }
  return true;
}

KernelPtr make_adam(const Node& node) { return std::make_unique<Adam>(node); }
KernelPtr make_sgd(const Node& node) { return std::make_unique<Sgd>(node); }

}  // namespace addax::cpu
