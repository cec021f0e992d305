#include "api/promotion.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "ops/registry.h"

namespace addax {
namespace {

OperandType strong(DType dtype) { return {dtype, false}; }
OperandType weak(DType dtype) { return {dtype, true}; }

std::vector<DType> promoted(std::string_view op, std::vector<OperandType> operands) {
  return promoted_dtypes(OpRegistry::instance().at(op), operands);
}

TEST(Promotion, StrongOperandsMeetInTheWiderDType) {
  EXPECT_EQ(promoted("add", {strong(DType::Float32), strong(DType::Float64)}),
            std::vector<DType>(2, DType::Float64));
  EXPECT_EQ(promoted("add", {strong(DType::Int64), strong(DType::Float32)}),
            std::vector<DType>(2, DType::Float32));
}

TEST(Promotion, ANumberTakesTheTensorsWidth) {
  EXPECT_EQ(promoted("multiply", {strong(DType::BFloat16), weak(DType::Float32)}),
            std::vector<DType>(2, DType::BFloat16));
  EXPECT_EQ(promoted("multiply", {weak(DType::Int32), strong(DType::UInt8)}),
            std::vector<DType>(2, DType::UInt8));
  EXPECT_EQ(promoted("multiply", {weak(DType::Int32), strong(DType::Float16)}),
            std::vector<DType>(2, DType::Float16));
}

TEST(Promotion, ANumberOfAGreaterKindWins) {
  EXPECT_EQ(promoted("add", {strong(DType::Int64), weak(DType::Float32)}),
            std::vector<DType>(2, DType::Float32));
  EXPECT_EQ(promoted("add", {strong(DType::Bool), weak(DType::Int32)}),
            std::vector<DType>(2, DType::Int32));
}

TEST(Promotion, FloatingOpsTurnIntegersIntoFloat32) {
  EXPECT_EQ(promoted("divide", {strong(DType::Int64), weak(DType::Int32)}),
            std::vector<DType>(2, DType::Float32));
  EXPECT_EQ(promoted("exp", {strong(DType::Float64)}), std::vector{DType::Float64});
}

TEST(Promotion, ConditionsAreBool) {
  EXPECT_EQ(promoted("where", {strong(DType::Int32), strong(DType::Float32), weak(DType::Int32)}),
            (std::vector{DType::Bool, DType::Float32, DType::Float32}));
  EXPECT_EQ(promoted("logical_and", {strong(DType::Float32), strong(DType::Bool)}),
            std::vector<DType>(2, DType::Bool));
}

TEST(Promotion, DefaultDTypes) {
  EXPECT_EQ(default_dtype(true), DType::Bool);
  EXPECT_EQ(default_dtype(2.5), DType::Float32);
  EXPECT_EQ(default_dtype(int64_t{7}), DType::Int32);
  EXPECT_EQ(default_dtype(int64_t{1} << 31), DType::Int64);
}

TEST(Promotion, IntegersMustFit) {
  EXPECT_THROW(scalar_literal(Scalar(int64_t{256}), DType::UInt8), OutOfRangeError);
  EXPECT_THROW(scalar_literal(Scalar(int64_t{-1}), DType::UInt8), OutOfRangeError);
  EXPECT_EQ(scalar_literal(Scalar(int64_t{255}), DType::UInt8).data[0], std::byte{255});
}

TEST(Promotion, WideIntegersKeepEveryBit) {
  const int64_t wide = (int64_t{1} << 62) + 1;
  const Literal literal = scalar_literal(Scalar(wide), DType::Int64);
  int64_t stored = 0;
  std::memcpy(&stored, literal.data.data(), sizeof(stored));
  EXPECT_EQ(stored, wide);
}

}  // namespace
}  // namespace addax
