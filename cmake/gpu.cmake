# gpu.cmake -- an engine for the kind of GPU that PITH_GPU names, by scripts/gpu.sh and
# scripts/engine.sh; PITH_ENGINE is its prefix then.
execute_process(COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/scripts/gpu.sh ${PITH_GPU}
                OUTPUT_VARIABLE gpu_flags OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} -E env "PITH_GGML_FLAGS=${gpu_flags}"
                        ${CMAKE_CURRENT_SOURCE_DIR}/scripts/engine.sh
                OUTPUT_VARIABLE gpu_engine OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
set(PITH_ENGINE ${gpu_engine} CACHE PATH "prefix of llama.cpp" FORCE)
