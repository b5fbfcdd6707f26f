# dependencies.cmake -- every library pith stands on, gathered in `pith_dependencies`.
# ARCHITECTURE.md says why each is here and under which licence.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
add_library(pith_dependencies INTERFACE)

pkg_check_modules(pith_pkg REQUIRED IMPORTED_TARGET
    sqlite3>=3.40 icu-uc>=72 icu-i18n>=72 libarchive libcurl jansson>=2.14 libsodium)
target_link_libraries(pith_dependencies INTERFACE PkgConfig::pith_pkg Threads::Threads m)

# Parsers of foreign bytes, and the walls around them: pith-extract alone is linked to
# them.
pkg_check_modules(parsers_pkg REQUIRED IMPORTED_TARGET libxml-2.0 md4c)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp>=2.5)
add_library(pith_parsers INTERFACE)
target_link_libraries(pith_parsers INTERFACE PkgConfig::parsers_pkg)

# The service alone is linked to it.
pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd>=0.9.75)

# Snowball ships no pkg-config file.
find_library(STEMMER_LIBRARY stemmer REQUIRED)
find_path(STEMMER_INCLUDE libstemmer.h REQUIRED)
target_link_libraries(pith_dependencies INTERFACE ${STEMMER_LIBRARY})
target_include_directories(pith_dependencies INTERFACE ${STEMMER_INCLUDE})

# llama.cpp: the prefix that was named, else the system's.
if(PITH_ENGINE)
    find_package(llama REQUIRED PATHS ${PITH_ENGINE} NO_DEFAULT_PATH)
    set(CMAKE_BUILD_RPATH ${PITH_ENGINE}/lib)
else()
    find_package(llama QUIET)
    if(NOT llama_FOUND)
        message(FATAL_ERROR "llama.cpp is not here: run `make`, or pass "
                "-DPITH_ENGINE=\"$(scripts/engine.sh)\"")
    endif()
endif()
target_link_libraries(pith_dependencies INTERFACE llama)

# oneDNN: our encoder. Absent, libllama encodes. (Debian's CMake package asks for OpenCL's
# headers, which the CPU engine does not need: look for the library itself.)
find_library(DNNL_LIBRARY dnnl)
find_path(DNNL_INCLUDE dnnl.h)
if(DNNL_LIBRARY AND DNNL_INCLUDE)
    # Its threads are OpenMP's, of GCC's runtime whatever our own compiler is.
    find_library(GOMP_LIBRARY NAMES libgomp.so.1 gomp REQUIRED)
    target_link_libraries(pith_dependencies INTERFACE ${DNNL_LIBRARY} ${GOMP_LIBRARY})
    target_include_directories(pith_dependencies INTERFACE ${DNNL_INCLUDE})
    target_compile_definitions(pith_dependencies INTERFACE PITH_ONEDNN=1)
else()
    message(STATUS "oneDNN is not here: embedding and reranking will run on libllama")
endif()

# PDFium: the prefix that was named. Absent, pith reads no PDF and says so.
if(PITH_PDFIUM)
    add_library(pdfium SHARED IMPORTED)
    set_target_properties(pdfium PROPERTIES
        IMPORTED_LOCATION ${PITH_PDFIUM}/lib/libpdfium.so
        IMPORTED_SONAME libpdfium.so)
    target_link_libraries(pith_parsers INTERFACE pdfium)
    list(APPEND CMAKE_BUILD_RPATH ${PITH_PDFIUM}/lib)
else()
    message(STATUS "PDFium is not here: this build will read no PDF")
endif()
