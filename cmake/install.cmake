# install.cmake -- what lands where. The engine's libraries go to a private folder that
# libpith finds relative to itself, so that the tree runs from any prefix.
include(CMakePackageConfigHelpers)
set(PITH_PRIVATE_LIBDIR ${CMAKE_INSTALL_LIBDIR}/pith)
file(RELATIVE_PATH bin_to_lib /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})

set_target_properties(pith PROPERTIES INSTALL_RPATH "$ORIGIN/pith")
install(TARGETS pith EXPORT pith
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set_target_properties(pith_app PROPERTIES
    INSTALL_RPATH "$ORIGIN/${bin_to_lib};$ORIGIN/${bin_to_lib}/pith")
install(TARGETS pith_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Not for a shell: libpith finds it in its private folder.
set_target_properties(pith_extract PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS pith_extract RUNTIME DESTINATION ${PITH_PRIVATE_LIBDIR})

if(PITH_ENGINE)
    install(DIRECTORY ${PITH_ENGINE}/lib/ DESTINATION ${PITH_PRIVATE_LIBDIR}
            FILES_MATCHING PATTERN "lib*.so.*"
            PATTERN "cmake" EXCLUDE PATTERN "pkgconfig" EXCLUDE)
    # The kernels of a portable build, one for each kind of CPU; ggml has them in bin.
    file(GLOB kernels ${PITH_ENGINE}/bin/libggml-*.so)
    install(FILES ${kernels} DESTINATION ${PITH_PRIVATE_LIBDIR}
            PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    install(DIRECTORY ${PITH_ENGINE}/share/licenses/llama.cpp/
            DESTINATION ${CMAKE_INSTALL_DOCDIR}/licenses/llama.cpp)
endif()

if(PITH_PDFIUM)
    install(FILES ${PITH_PDFIUM}/lib/libpdfium.so DESTINATION ${PITH_PRIVATE_LIBDIR}
            PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    install(DIRECTORY ${PITH_PDFIUM}/share/licenses/pdfium/
            DESTINATION ${CMAKE_INSTALL_DOCDIR}/licenses/pdfium)
endif()

file(RELATIVE_PATH pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" pc_to_prefix "${pc_to_prefix}")
configure_file(cmake/pith.pc.in pith.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pith.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pith)
install(EXPORT pith NAMESPACE pith:: FILE pithTargets.cmake DESTINATION ${config_dir})
configure_package_config_file(cmake/pithConfig.cmake.in pithConfig.cmake
                              INSTALL_DESTINATION ${config_dir})
write_basic_package_version_file(pithConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/pithConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/pithConfigVersion.cmake
        DESTINATION ${config_dir})

install(DIRECTORY packaging/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        FILES_MATCHING PATTERN "*.1")
install(FILES packaging/systemd/pith.service DESTINATION lib/systemd/system)
install(FILES packaging/systemd/pith-watch.service DESTINATION lib/systemd/user)
install(FILES packaging/sysusers/pith.conf DESTINATION lib/sysusers.d)
install(FILES packaging/completion/pith.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pith)
install(FILES packaging/completion/_pith
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES packaging/completion/pith.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES LICENSE NOTICE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        PATTERN "CMakeLists.txt" EXCLUDE PATTERN "__pycache__" EXCLUDE)
