#!/usr/bin/env bash
# gpu.sh cuda|vulkan|metal -- check that an engine for that kind of GPU can be built here,
# and print what engine.sh is to pass to ggml (PITH_GGML_FLAGS).
#
#   make PITH_GPU=vulkan                  the engine and pith for it
#   cmake -B build -DPITH_GPU=vulkan      the same, by CMake alone
set -euo pipefail

die() { printf '%s\n' "gpu: $*" >&2; exit 1; }
# needs PROGRAM WHAT: a program that the build runs, and where it comes from.
needs() { command -v "$1" > /dev/null || die "$1 is absent: $2"; }

case ${1:-} in
    cuda)
        needs nvcc "install NVIDIA's CUDA toolkit, and put nvcc into PATH"
        echo -DGGML_CUDA=ON ;;
    vulkan)
        needs glslc 'install glslc and libvulkan-dev (Debian), or the Vulkan SDK'
        [ -n "${VULKAN_SDK:-}" ] || [ -f /usr/include/vulkan/vulkan.h ] \
            || die 'vulkan/vulkan.h is absent: install libvulkan-dev, or set VULKAN_SDK'
        [ -n "${VULKAN_SDK:-}" ] || [ -d /usr/include/spirv ] \
            || die 'the headers of SPIR-V are absent: install spirv-headers'
        # Of 1.3.239, in Debian 12, ggml's back end cannot be compiled.
        [ -n "${VULKAN_SDK:-}" ] \
            || grep -q VK_EXT_layer_settings /usr/include/vulkan/vulkan_core.h \
            || die 'the Vulkan headers are too old: take the SDK and set VULKAN_SDK'
        echo -DGGML_VULKAN=ON ;;
    metal)
        [ "$(uname -s)" = Darwin ] || die 'Metal is there on macOS alone'
        echo -DGGML_METAL=ON ;;
    *) die "'${1:-}' is no kind of GPU: cuda, vulkan or metal" ;;
esac
