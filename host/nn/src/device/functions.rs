// The functions of CUDA's libraries that this program calls, by way of candle and cudarc. One that is missing here shows
// in the program's list of needed libraries (`readelf -d`), which must name none of CUDA's.

libraries! {
    DRIVER: ["libcuda.so.1"],
        "a GPU needs NVIDIA's driver; where there is none use `cpu` or `auto`",
        [
            cuCtxDestroy_v2
            cuCtxGetCurrent
            cuCtxSetCurrent
            cuCtxSynchronize
            cuDeviceGet
            cuDeviceGetAttribute
            cuDeviceGetCount
            cuDeviceGetDefaultMemPool
            cuDeviceGetName
            cuDevicePrimaryCtxRelease_v2
            cuDevicePrimaryCtxRetain
            cuDeviceTotalMem_v2
            cuDriverGetVersion
            cuEventCreate
            cuEventDestroy_v2
            cuEventRecord
            cuGetErrorString
            cuInit
            cuLaunchKernel
            cuMemAllocAsync
            cuMemAlloc_v2
            cuMemFreeAsync
            cuMemFree_v2
            cuMemPoolGetAttribute
            cuMemPoolSetAttribute
            cuMemcpyDtoDAsync_v2
            cuMemcpyDtoHAsync_v2
            cuMemcpyHtoDAsync_v2
            cuMemcpyPeerAsync
            cuMemsetD8Async
            cuModuleGetFunction
            cuModuleLoad
            cuModuleLoadData
            cuModuleUnload
            cuStreamCreate
            cuStreamDestroy_v2
            cuStreamIsCapturing
            cuStreamSynchronize
            cuStreamWaitEvent
        ];
    CUBLAS: ["libcublas.so.13", "libcublas.so.12", "libcublas.so"],
        "install the CUDA toolkit, or add the folder of its libraries to LD_LIBRARY_PATH; with PyTorch they are in \
         `site-packages/nvidia`",
        [
            cublasCreate_v2
            cublasDestroy_v2
            cublasDgemmStridedBatched
            cublasGemmStridedBatchedEx
            cublasSetStream_v2
        ];
    CURAND: ["libcurand.so.10", "libcurand.so"],
        "install the CUDA toolkit, or add the folder of its libraries to LD_LIBRARY_PATH; with PyTorch they are in \
         `site-packages/nvidia`",
        [
            curandCreateGenerator
            curandDestroyGenerator
            curandGenerateNormal
            curandGenerateNormalDouble
            curandGenerateUniform
            curandGenerateUniformDouble
            curandSetPseudoRandomGeneratorSeed
            curandSetStream
        ];
    // What candle's kernels for experts and for GGUF's own formats call, some of it before `main`. Nothing here runs these
    // kernels, and so nobody looks for this library: that they are absent is all that they find.
    RUNTIME: [], "",
        [
            __cudaGetKernel
            __cudaLaunchKernel
            __cudaPopCallConfiguration
            __cudaPushCallConfiguration
            __cudaRegisterFatBinary
            __cudaRegisterFatBinaryEnd
            __cudaRegisterFunction
            __cudaRegisterVar
            __cudaUnregisterFatBinary
            cudaDeviceGetAttribute
            cudaFree
            cudaFreeAsync
            cudaFuncGetAttributes
            cudaFuncSetAttribute
            cudaGetDevice
            cudaGetDeviceCount
            cudaGetErrorName
            cudaGetErrorString
            cudaGetLastError
            cudaLaunchKernel
            cudaMalloc
            cudaMallocAsync
            cudaMemsetAsync
            cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags
            cudaPeekAtLastError
            cudaSetDevice
            cudaStreamSynchronize
        ];
}
