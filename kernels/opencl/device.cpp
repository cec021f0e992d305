#include "opencl/device.h"

#include <algorithm>
#include <bit>

#include "addax/device.hpp"
#include "opencl/driver/error.h"

namespace addax::opencl {
namespace {

constexpr uint64_t kAlignment = 128;
constexpr int64_t kLargestWorkGroup = 256;

template <class T>
T info(cl_device_id id, cl_uint what) {
  T value{};
  check(api().clGetDeviceInfo(id, what, sizeof value, &value, nullptr), "clGetDeviceInfo");
  return value;
}

template <class T>
std::vector<T> infos(cl_device_id id, cl_uint what) {
  size_t size = 0;
  check(api().clGetDeviceInfo(id, what, 0, nullptr, &size), "clGetDeviceInfo");
  std::vector<T> values(size / sizeof(T));
  check(api().clGetDeviceInfo(id, what, size, values.data(), nullptr), "clGetDeviceInfo");
  return values;
}

std::string text_info(cl_device_id id, cl_uint what) {
  const std::vector<char> text = infos<char>(id, what);
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

template <class T>
T info(cl_device_id id, cl_kernel kernel, cl_uint what) {
  T value{};
  check(api().clGetKernelWorkGroupInfo(kernel, id, what, sizeof value, &value, nullptr),
        "clGetKernelWorkGroupInfo");
  return value;
}

// Devices of OpenCL 1.2 and later that have a compiler and the host's order of bytes.
bool is_usable(cl_device_id id) {
  const std::string version = text_info(id, CL_DEVICE_VERSION);  // "OpenCL 1.2 ..."
  return info<cl_bool>(id, CL_DEVICE_AVAILABLE) != 0 &&
         info<cl_bool>(id, CL_DEVICE_COMPILER_AVAILABLE) != 0 &&
         info<cl_bool>(id, CL_DEVICE_ENDIAN_LITTLE) != 0 && version.substr(7, 3) >= "1.2";
}

bool is_gpu(cl_device_id id) {
  return (info<cl_bitfield>(id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_GPU) != 0;
}

bool is_cpu(cl_device_id id) {
  return (info<cl_bitfield>(id, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
}

Limits limits_of(cl_device_id id) {
  Limits limits;
  limits.has_double = info<cl_bitfield>(id, CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
  limits.divides_exactly = (info<cl_bitfield>(id, CL_DEVICE_SINGLE_FP_CONFIG) &
                            CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
  const auto largest =
      static_cast<int64_t>(std::bit_floor(info<size_t>(id, CL_DEVICE_MAX_WORK_GROUP_SIZE)));
  limits.work_group = std::min(largest, kLargestWorkGroup);
  const auto items = infos<size_t>(id, CL_DEVICE_MAX_WORK_ITEM_SIZES);
  std::copy_n(items.begin(), std::min(items.size(), limits.axis_items.size()),
              limits.axis_items.begin());
  limits.local_bytes = info<cl_ulong>(id, CL_DEVICE_LOCAL_MEM_SIZE);
  limits.largest_allocation = info<cl_ulong>(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  limits.parameter_bytes = info<size_t>(id, CL_DEVICE_MAX_PARAMETER_SIZE);
  limits.is_cpu = is_cpu(id);
  limits.compute_units = info<cl_uint>(id, CL_DEVICE_MAX_COMPUTE_UNITS);
  const auto floats = info<cl_uint>(id, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT);
  limits.vector_bytes = std::max<int64_t>(floats, 1) * static_cast<int64_t>(sizeof(float));
  return limits;
}

std::string build_log(cl_program program, cl_device_id id) {
  size_t size = 0;
  api().clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  api().clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  std::replace(log.begin(), log.end(), '\n', ' ');
  return log.substr(0, log.find('\0'));
}

}  // namespace

std::vector<cl_device_id> find_devices() {
  const Api& cl = api();
  cl_uint count = 0;
  cl.clGetPlatformIDs(0, nullptr, &count);  // an error where there is none
  std::vector<cl_platform_id> platforms(count);
  if (count > 0) cl.clGetPlatformIDs(count, platforms.data(), nullptr);
  std::vector<cl_device_id> devices;
  for (cl_platform_id platform : platforms) {
    if (cl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &count) != CL_SUCCESS) continue;
    std::vector<cl_device_id> found(count);
    cl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, found.data(), nullptr);
    std::copy_if(found.begin(), found.end(), std::back_inserter(devices), is_usable);
  }
  if (devices.empty()) {
    throw plugin::Failure{ADX_DEVICE,
                          "OpenCL knows no device of version 1.2 or later on this machine; install "
                          "the driver of your GPU, or pocl-opencl-icd"};
  }
  std::stable_partition(devices.begin(), devices.end(), is_gpu);
  return devices;
}

Device::Device(cl_device_id id, const adx_host& host)
    : id_(id),
      host_(host),
      limits_(limits_of(id)),
      options_(limits_.divides_exactly ? "-cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt"
                                       : "-cl-std=CL1.2"),
      context_(checked("clCreateContext",
                       [&](cl_int* code) {
                         return api().clCreateContext(nullptr, 1, &id, nullptr, nullptr, code);
                       })),
      tiles_(text_info(id, CL_DEVICE_NAME) + "; " + text_info(id, CL_DEVICE_VERSION) + "; " +
             text_info(id, CL_DRIVER_VERSION)) {}

KernelLimits Device::kernel_limits(cl_kernel kernel) const {
  return {info<size_t>(id_, kernel, CL_KERNEL_WORK_GROUP_SIZE),
          info<cl_ulong>(id_, kernel, CL_KERNEL_LOCAL_MEM_SIZE)};
}

std::string Device::name() const { return text_info(id_, CL_DEVICE_NAME); }

void Device::describe(adx_properties& out) const {
  uint32_t dtypes = (1u << (ADX_FLOAT64 + 1)) - 1;
  if (!limits_.has_double) dtypes &= ~(1u << ADX_FLOAT64);
  out.flags = ADX_ASYNCHRONOUS | ADX_OPAQUE_BUFFERS | ADX_DETERMINISTIC;
  plugin::set_text(out.kind, "opencl");
  plugin::set_text(out.name, name());
  plugin::set_text(out.vendor, text_info(id_, CL_DEVICE_VENDOR));
  plugin::set_text(out.details, "version=" + text_info(id_, CL_DEVICE_VERSION) +
                                    " driver=" + text_info(id_, CL_DRIVER_VERSION) +
                                    " work_group=" + std::to_string(limits_.work_group) +
                                    " local=" + std::to_string(limits_.local_bytes) +
                                    (limits_.has_double ? " float64" : ""));
  out.total_memory = info<cl_ulong>(id_, CL_DEVICE_GLOBAL_MEM_SIZE);
  out.largest_allocation = limits_.largest_allocation;
  out.alignment = kAlignment;
  out.units = info<cl_uint>(id_, CL_DEVICE_MAX_COMPUTE_UNITS);
  out.storage_dtypes = dtypes;
  out.compute_dtypes = dtypes;
  out.score = is_gpu(id_) ? 10 : -1;
}

Memory Device::allocate(uint64_t bytes) const {
  return Memory(checked("clCreateBuffer", [&](cl_int* code) {
    return api().clCreateBuffer(context_.get(), CL_MEM_READ_WRITE, bytes, nullptr, code);
  }));
}

Memory Device::constants(const std::vector<std::byte>& content) const {
  if (content.empty()) return allocate(1);
  return Memory(checked("clCreateBuffer", [&](cl_int* code) {
    return api().clCreateBuffer(context_.get(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                                content.size(), const_cast<std::byte*>(content.data()), code);
  }));
}

Queue Device::make_queue() const {
  return Queue(checked("clCreateCommandQueue", [&](cl_int* code) {
    return api().clCreateCommandQueue(context_.get(), id_, CL_QUEUE_PROFILING_ENABLE, code);
  }));
}

Kernel Device::kernel(const std::string& source, const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto found = programs_.find(source);
  if (found == programs_.end()) found = programs_.emplace(source, program(source)).first;
  return Kernel(checked("clCreateKernel", [&](cl_int* code) {
    return api().clCreateKernel(found->second.get(), name.c_str(), code);
  }));
}

ClProgram Device::program(const std::string& source) const {
  const std::string key = name() + "\n" + text_info(id_, CL_DEVICE_VERSION) + "\n" +
                          text_info(id_, CL_DRIVER_VERSION) + "\n" + options_ + "\n" + source;
  if (ClProgram found = cached(key); found.get() != nullptr) return found;
  host_.log(ADX_LOG_INFO, "opencl: compiles a program");
  ClProgram made(checked("clCreateProgramWithSource", [&](cl_int* code) {
    const char* text = source.data();
    const size_t length = source.size();
    return api().clCreateProgramWithSource(context_.get(), 1, &text, &length, code);
  }));
  const cl_int code = build(made);
  if (code != CL_SUCCESS) check(code, "clBuildProgram", build_log(made.get(), id_));
  keep(key, made);
  return made;
}

ClProgram Device::cached(const std::string& key) const {
  const auto binary = cache_.load(key);
  if (!binary) return {};
  const size_t size = binary->size();
  const unsigned char* bytes = binary->data();
  cl_int code = CL_SUCCESS;
  ClProgram found(
      api().clCreateProgramWithBinary(context_.get(), 1, &id_, &size, &bytes, nullptr, &code));
  const bool works = code == CL_SUCCESS && build(found) == CL_SUCCESS;
  return works ? std::move(found) : ClProgram();
}

void Device::keep(const std::string& key, const ClProgram& program) const {
  size_t size = 0;
  if (api().clGetProgramInfo(program.get(), CL_PROGRAM_BINARY_SIZES, sizeof size, &size, nullptr) !=
          CL_SUCCESS ||
      size == 0) {
    return;
  }
  std::vector<unsigned char> binary(size);
  unsigned char* bytes = binary.data();
  if (api().clGetProgramInfo(program.get(), CL_PROGRAM_BINARIES, sizeof bytes,
                             reinterpret_cast<void*>(&bytes), nullptr) == CL_SUCCESS) {
    cache_.store(key, binary);
  }
}

cl_int Device::build(const ClProgram& program) const {
  return api().clBuildProgram(program.get(), 1, &id_, options_.c_str(), nullptr, nullptr);
}

}  // namespace addax::opencl
