// What the plug-in uses of OpenCL 1.2, declared here: it is built without OpenCL's headers, and
// finds the library at run time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace addax::opencl {

using cl_int = int32_t;
using cl_uint = uint32_t;
using cl_ulong = uint64_t;
using cl_bool = cl_uint;
using cl_bitfield = cl_ulong;
using cl_properties = intptr_t;

using cl_platform_id = struct Platform_*;
using cl_device_id = struct Device_*;
using cl_context = struct Context_*;
using cl_command_queue = struct Queue_*;
using cl_mem = struct Memory_*;
using cl_program = struct Program_*;
using cl_kernel = struct Kernel_*;
using cl_event = struct Event_*;

// Errors that are told apart; error.cpp has the names of the others.
inline constexpr cl_int CL_SUCCESS = 0;
inline constexpr cl_int CL_DEVICE_NOT_FOUND = -1;
inline constexpr cl_int CL_MEM_OBJECT_ALLOCATION_FAILURE = -4;
inline constexpr cl_int CL_OUT_OF_RESOURCES = -5;
inline constexpr cl_int CL_OUT_OF_HOST_MEMORY = -6;
inline constexpr cl_int CL_INVALID_BUFFER_SIZE = -61;

inline constexpr cl_int CL_COMPLETE = 0;  // of an event; what is below it are failures

inline constexpr cl_bitfield CL_DEVICE_TYPE_CPU = 1 << 1;
inline constexpr cl_bitfield CL_DEVICE_TYPE_GPU = 1 << 2;
inline constexpr cl_bitfield CL_DEVICE_TYPE_ALL = 0xFFFFFFFF;

inline constexpr cl_uint CL_DEVICE_TYPE = 0x1000;
inline constexpr cl_uint CL_DEVICE_MAX_COMPUTE_UNITS = 0x1002;
inline constexpr cl_uint CL_DEVICE_MAX_WORK_GROUP_SIZE = 0x1004;
inline constexpr cl_uint CL_DEVICE_MAX_WORK_ITEM_SIZES = 0x1005;
inline constexpr cl_uint CL_DEVICE_MAX_MEM_ALLOC_SIZE = 0x1010;
inline constexpr cl_uint CL_DEVICE_MAX_PARAMETER_SIZE = 0x1017;
inline constexpr cl_uint CL_DEVICE_SINGLE_FP_CONFIG = 0x101B;
inline constexpr cl_uint CL_DEVICE_GLOBAL_MEM_SIZE = 0x101F;
inline constexpr cl_uint CL_DEVICE_LOCAL_MEM_SIZE = 0x1023;
inline constexpr cl_uint CL_DEVICE_ENDIAN_LITTLE = 0x1026;
inline constexpr cl_uint CL_DEVICE_AVAILABLE = 0x1027;
inline constexpr cl_uint CL_DEVICE_COMPILER_AVAILABLE = 0x1028;
inline constexpr cl_uint CL_DEVICE_NAME = 0x102B;
inline constexpr cl_uint CL_DEVICE_VENDOR = 0x102C;
inline constexpr cl_uint CL_DRIVER_VERSION = 0x102D;
inline constexpr cl_uint CL_DEVICE_VERSION = 0x102F;
inline constexpr cl_uint CL_DEVICE_DOUBLE_FP_CONFIG = 0x1032;
inline constexpr cl_uint CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT = 0x103A;
inline constexpr cl_bitfield CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT = 1 << 7;

inline constexpr cl_bitfield CL_MEM_READ_WRITE = 1 << 0;
inline constexpr cl_bitfield CL_MEM_READ_ONLY = 1 << 2;
inline constexpr cl_bitfield CL_MEM_COPY_HOST_PTR = 1 << 5;

inline constexpr cl_bitfield CL_QUEUE_PROFILING_ENABLE = 1 << 1;
inline constexpr cl_uint CL_EVENT_COMMAND_EXECUTION_STATUS = 0x11D3;
inline constexpr cl_uint CL_PROFILING_COMMAND_QUEUED = 0x1280;
inline constexpr cl_uint CL_PROFILING_COMMAND_START = 0x1282;
inline constexpr cl_uint CL_PROFILING_COMMAND_END = 0x1283;

inline constexpr cl_uint CL_PROGRAM_BINARY_SIZES = 0x1165;
inline constexpr cl_uint CL_PROGRAM_BINARIES = 0x1166;
inline constexpr cl_uint CL_PROGRAM_BUILD_LOG = 0x1183;
inline constexpr cl_uint CL_KERNEL_WORK_GROUP_SIZE = 0x11B0;
inline constexpr cl_uint CL_KERNEL_LOCAL_MEM_SIZE = 0x11B2;

// The functions, by their names in the library.
struct Api {
  cl_int (*clGetPlatformIDs)(cl_uint, cl_platform_id*, cl_uint*);
  cl_int (*clGetDeviceIDs)(cl_platform_id, cl_bitfield, cl_uint, cl_device_id*, cl_uint*);
  cl_int (*clGetDeviceInfo)(cl_device_id, cl_uint, size_t, void*, size_t*);

  cl_context (*clCreateContext)(const cl_properties*, cl_uint, const cl_device_id*,
                                void (*)(const char*, const void*, size_t, void*), void*, cl_int*);
  cl_int (*clReleaseContext)(cl_context);

  cl_mem (*clCreateBuffer)(cl_context, cl_bitfield, size_t, void*, cl_int*);
  cl_int (*clReleaseMemObject)(cl_mem);

  cl_command_queue (*clCreateCommandQueue)(cl_context, cl_device_id, cl_bitfield, cl_int*);
  cl_int (*clReleaseCommandQueue)(cl_command_queue);
  cl_int (*clFlush)(cl_command_queue);
  cl_int (*clFinish)(cl_command_queue);
  cl_int (*clEnqueueReadBuffer)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void*, cl_uint,
                                const cl_event*, cl_event*);
  cl_int (*clEnqueueWriteBuffer)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void*,
                                 cl_uint, const cl_event*, cl_event*);
  cl_int (*clEnqueueCopyBuffer)(cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, cl_uint,
                                const cl_event*, cl_event*);
  cl_int (*clEnqueueFillBuffer)(cl_command_queue, cl_mem, const void*, size_t, size_t, size_t,
                                cl_uint, const cl_event*, cl_event*);
  cl_int (*clEnqueueNDRangeKernel)(cl_command_queue, cl_kernel, cl_uint, const size_t*,
                                   const size_t*, const size_t*, cl_uint, const cl_event*,
                                   cl_event*);

  cl_int (*clEnqueueMarkerWithWaitList)(cl_command_queue, cl_uint, const cl_event*, cl_event*);
  cl_int (*clEnqueueBarrierWithWaitList)(cl_command_queue, cl_uint, const cl_event*, cl_event*);

  cl_int (*clWaitForEvents)(cl_uint, const cl_event*);
  cl_int (*clGetEventInfo)(cl_event, cl_uint, size_t, void*, size_t*);
  cl_int (*clGetEventProfilingInfo)(cl_event, cl_uint, size_t, void*, size_t*);
  cl_int (*clReleaseEvent)(cl_event);

  cl_program (*clCreateProgramWithSource)(cl_context, cl_uint, const char**, const size_t*,
                                          cl_int*);
  cl_program (*clCreateProgramWithBinary)(cl_context, cl_uint, const cl_device_id*, const size_t*,
                                          const unsigned char**, cl_int*, cl_int*);
  cl_int (*clGetProgramInfo)(cl_program, cl_uint, size_t, void*, size_t*);
  cl_int (*clBuildProgram)(cl_program, cl_uint, const cl_device_id*, const char*,
                           void (*)(cl_program, void*), void*);
  cl_int (*clGetProgramBuildInfo)(cl_program, cl_device_id, cl_uint, size_t, void*, size_t*);
  cl_int (*clReleaseProgram)(cl_program);

  cl_kernel (*clCreateKernel)(cl_program, const char*, cl_int*);
  cl_int (*clSetKernelArg)(cl_kernel, cl_uint, size_t, const void*);
  cl_int (*clGetKernelWorkGroupInfo)(cl_kernel, cl_device_id, cl_uint, size_t, void*, size_t*);
  cl_int (*clReleaseKernel)(cl_kernel);
};

// The library's functions. Throws plugin::Failure where the machine has no OpenCL; the library is
// opened once and stays open.
const Api& api();

}  // namespace addax::opencl
