// A device in name only: its memory is the host's, its arithmetic the CPU's. What it refuses is what a GPU refuses: an
// operation on tensors of two devices (numbers of no dimension excepted); and float64, as Apple's refuses it.

#include <ATen/EmptyTensor.h>
#include <ATen/autocast_mode.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/ops/_copy_from_and_resize_native.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/set_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_as_complex_native.h>
#include <ATen/ops/view_as_real_native.h>
#include <ATen/ops/view_native.h>
#include <torch/library.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <string>

namespace {

struct HostMemory final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* start = bytes ? std::malloc(bytes) : nullptr;
    return {start, start, &std::free, c10::Device(c10::DeviceType::PrivateUse1, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &std::free; }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
};

HostMemory memory;
REGISTER_ALLOCATOR(c10::DeviceType::PrivateUse1, &memory)

const c10::DispatchKeySet keys(c10::DispatchKey::PrivateUse1);

void no_float64(std::optional<c10::ScalarType> dtype) {
  TORCH_CHECK_TYPE(c10::dtype_or_default(dtype) != c10::kDouble, "pretend knows no float64, as Apple's GPU does not");
}

at::Tensor empty(c10::IntArrayRef size, std::optional<c10::ScalarType> dtype, std::optional<c10::Layout>,
                 std::optional<c10::Device>, std::optional<bool>, std::optional<c10::MemoryFormat> format) {
  no_float64(dtype);
  return at::detail::empty_generic(size, &memory, keys, c10::dtype_or_default(dtype), format);
}

at::Tensor empty_strided(c10::IntArrayRef size, c10::IntArrayRef stride, std::optional<c10::ScalarType> dtype,
                         std::optional<c10::Layout>, std::optional<c10::Device>, std::optional<bool>) {
  no_float64(dtype);
  return at::detail::empty_strided_generic(size, stride, &memory, keys, c10::dtype_or_default(dtype));
}

// The same numbers, as a tensor of the CPU.
at::Tensor on_host(const at::Tensor& one) {
  if (!one.is_privateuseone()) return one;
  const at::Tensor same = at::from_blob(const_cast<void*>(one.const_data_ptr()), one.sizes(), one.strides(),
                                        at::TensorOptions().dtype(one.scalar_type()).device(c10::kCPU));
  same._set_conj(one.is_conj());
  same._set_neg(one.is_neg());
  return same;
}

at::Tensor on_device(const at::Tensor& one) {
  return one.defined() ? one.to(c10::Device(c10::DeviceType::PrivateUse1, 0)) : one;
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to, bool) {
  on_host(to).copy_(on_host(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar number(const at::Tensor& one) { return on_host(one).item(); }

void same_device(const c10::OperatorHandle& op, const at::Tensor& one) {
  TORCH_CHECK(!one.defined() || one.is_privateuseone() || one.dim() == 0,
              "Expected all tensors to be on the same device, but found at least two devices, pretend:0 and ",
              one.device(), " (", op.schema(), ")");
}

void on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto n = op.schema().arguments().size();
  static const std::set<std::string> may_mix = {"aten::index.Tensor", "aten::index_put_", "aten::_index_put_impl_"};
  for (const auto& value : torch::jit::last(stack, n)) {
    if (may_mix.count(op.schema().name())) break;  // an index may stay on the host, as on a GPU
    if (value.isTensor()) same_device(op, value.toTensor());
    else if (value.isTensorList()) for (const at::Tensor& one : value.toTensorList()) same_device(op, one);
  }
  at::native::cpu_fallback(op, stack, true);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       c10::IntArrayRef stride, c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed,
                       c10::IntArrayRef more, int64_t groups) {
  const std::optional<at::Tensor> added = bias && bias->defined() ? std::optional(on_host(*bias)) : std::nullopt;
  return on_device(at::convolution(on_host(x), on_host(weight), added, stride, padding, dilation, transposed, more,
                                   groups));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& slope, const at::Tensor& x, const at::Tensor& weight, c10::IntArrayRef stride,
    c10::IntArrayRef padding, c10::IntArrayRef dilation, bool transposed, c10::IntArrayRef more, int64_t groups,
    std::array<bool, 3> wanted) {
  const auto [of_x, of_weight, of_bias] =
      at::convolution_backward(on_host(slope), on_host(x), on_host(weight), c10::IntArrayRef{weight.size(0)}, stride,
                               padding, dilation, transposed, more, groups, wanted);
  return {on_device(of_x), on_device(of_weight), on_device(of_bias)};
}

// The CPU counts no whole numbers, as GPUs do.
at::Tensor histogram(const at::Tensor& one, int64_t bins, const at::Scalar& low, const at::Scalar& high) {
  return on_device(at::histc(on_host(one).to(c10::kFloat), bins, low, high).to(one.scalar_type()));
}

int64_t plain_attention(const at::Tensor&, const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                        double, bool, std::optional<double>, bool) {
  return 0;  // sdp::SDPBackend::math
}

}  // namespace

namespace at::native {
REGISTER_PRIVATEUSE1_DISPATCH(_fused_sdp_choice_stub, &plain_attention)
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("_local_scalar_dense", number);
  m.impl("as_strided", at::native::as_strided_tensorimpl);
  m.impl("view", at::native::view);
  m.impl("_reshape_alias", at::native::_reshape_alias);
  m.impl("unfold", at::native::unfold);
  m.impl("view_as_complex", at::native::view_as_complex);
  m.impl("view_as_real", at::native::view_as_real);
  m.impl("resize_", at::native::resize_);
  m.impl("histc", histogram);
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolution_backward);
  m.impl("set_.source_Tensor", at::native::set_tensor_);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) { m.fallback(torch::CppFunction::makeFromBoxedFunction<&on_cpu>()); }

// A copy does what these bits ask for; by itself torch would ask for a copy first.
TORCH_LIBRARY_IMPL(aten, Conjugate, m) { m.impl("_copy_from", torch::CppFunction::makeFallthrough()); }
TORCH_LIBRARY_IMPL(aten, Negative, m) { m.impl("_copy_from", torch::CppFunction::makeFallthrough()); }

TORCH_LIBRARY_IMPL(_, AutocastPrivateUse1, m) { m.fallback(torch::CppFunction::makeFallthrough()); }

TORCH_LIBRARY_IMPL(aten, AutocastPrivateUse1, m) {
  KERNEL_PRIVATEUSEONE(linear, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(matmul, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(mm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(bmm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(addmm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(baddbmm, lower_precision_fp)
  KERNEL_PRIVATEUSEONE(scaled_dot_product_attention, lower_precision_fp)
}
