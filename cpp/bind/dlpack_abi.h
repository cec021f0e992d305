#pragma once

#include <cstdint>

// The structs of the DLPack protocol, versions 0 and 1, as its specification lays them out.
namespace addax::bind::dlpack {

inline constexpr int32_t kHostDevice = 1;
inline constexpr int32_t kPinnedHostDevice = 3;

enum TypeCode : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kBool = 6 };

inline constexpr uint64_t kReadOnly = 1;
inline constexpr uint64_t kIsCopied = 2;

struct Device {
  int32_t type;
  int32_t id;
};

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct Array {
  void* data;
  Device device;
  int32_t ndim;
  DataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: dense row-major
  uint64_t byte_offset;
};

struct Version {
  uint32_t major;
  uint32_t minor;
};

struct ManagedArray {
  Array array;
  void* context;
  void (*deleter)(ManagedArray* self);
};

struct ManagedArrayVersioned {
  Version version;
  void* context;
  void (*deleter)(ManagedArrayVersioned* self);
  uint64_t flags;
  Array array;
};

inline constexpr const char* kName = "dltensor";
inline constexpr const char* kUsedName = "used_dltensor";
inline constexpr const char* kVersionedName = "dltensor_versioned";
inline constexpr const char* kUsedVersionedName = "used_dltensor_versioned";

}  // namespace addax::bind::dlpack
