#include "api/eager.h"

#include <array>

#include "api/api_fixture.h"
#include "core/error.h"
#include "ops/registry.h"

namespace addax {
namespace {

class Eager : public ApiTest {};

TEST_F(Eager, RunsAnOp) {
  const Tensor sum = apply("add", {floats({1, 2}), floats({10, 20})});
  EXPECT_EQ(read(sum), (std::vector<float>{11, 22}));
}

TEST_F(Eager, MixesTensorsVariablesAndNumbers) {
  const auto v = variable({1, 2});
  EXPECT_EQ(read(apply("multiply", {v, Scalar(3.0)})), (std::vector<float>{3, 6}));
  EXPECT_EQ(read(apply("add", {ints({1, 2}), floats({0.5F, 0.5F})})),
            (std::vector<float>{1.5F, 2.5F}));
  EXPECT_EQ(read(apply("add", {v, v})), (std::vector<float>{2, 4}));
}

TEST_F(Eager, CachesAProgramPerSignature) {
  const Tensor x = floats({1, 2, 3, 4, 5});
  apply("subtract", {x, Scalar(1.0)});
  const ProgramCacheInfo before = program_cache().info();
  apply("subtract", {x, Scalar(2.0)});  // another number: the same program
  apply("subtract", {floats({7, 7, 7, 7, 7}), Scalar(2.0)});
  EXPECT_EQ(program_cache().info().hits, before.hits + 2);
  EXPECT_EQ(program_cache().info().misses, before.misses);
  apply("subtract", {floats({7}), Scalar(2.0)});
  EXPECT_EQ(program_cache().info().misses, before.misses + 1);
}

TEST_F(Eager, AttributesArePartOfTheSignature) {
  const Tensor x = floats({1, 2, 3, 4}, {2, 2});
  EXPECT_EQ(read(apply("sum", {x}, {{"axes", Ints{0}}})), (std::vector<float>{4, 6}));
  EXPECT_EQ(read(apply("sum", {x}, {{"axes", Ints{1}}})), (std::vector<float>{3, 7}));
}

TEST_F(Eager, ReshapeSharesTheBuffer) {
  const Tensor x = floats({1, 2, 3, 4});
  const Tensor y = reshape(x, {2, -1});
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  EXPECT_EQ(y.buffer(), x.buffer());
  EXPECT_THROW(reshape(x, {3, 2}), ShapeError);
}

TEST_F(Eager, DecompositionsAgree) {
  const OpDef& op = OpRegistry::instance().at("softmax");
  const std::array inputs{Operand(floats({1, 2, 3}))};
  const std::vector<float> direct = read(addax::apply(op, inputs));
  const std::vector<float> composed = read(apply_decomposed(op, inputs, {}).front());
  for (size_t i = 0; i < direct.size(); ++i) EXPECT_NEAR(direct[i], composed[i], 1e-6F);
}

TEST_F(Eager, CountsFlops) {
  const OpDef& op = OpRegistry::instance().at("matmul");
  const std::array inputs{Operand(floats({1, 2, 3, 4, 5, 6}, {2, 3})),
                          Operand(floats({1, 2, 3}, {3, 1}))};
  EXPECT_EQ(op_flops(op, inputs, {}), 2.0 * 2 * 3 * 1);
}

TEST_F(Eager, ErrorsBeginWithTheOp) {
  try {
    apply("add", {floats({1, 2}), floats({1, 2, 3})});
    FAIL() << "no error";
  } catch (const ShapeError& error) {
    EXPECT_TRUE(std::string_view(error.what()).starts_with("[add]")) << error.what();
  }
}

}  // namespace
}  // namespace addax
