# `make install`: programs, manual page, shell completions and documentation, all below CMAKE_INSTALL_PREFIX. The program itself
# prints the manual page and the completions, so they always match it.
include(GNUInstallDirs)

set(printed ${CMAKE_BINARY_DIR}/printed)
file(MAKE_DIRECTORY ${printed})
set(outputs)
macro(athanor_print file)
  add_custom_command(OUTPUT ${printed}/${file} COMMAND athanor ${ARGN} > ${printed}/${file} DEPENDS athanor VERBATIM)
  list(APPEND outputs ${printed}/${file})
endmacro()
athanor_print(athanor.1 man)
athanor_print(athanor.bash completion bash)
athanor_print(athanor.zsh completion zsh)
athanor_print(athanor.fish completion fish)
add_custom_target(athanor_printed ALL DEPENDS ${outputs})

install(TARGETS athanor athanor-operator RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${printed}/athanor.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${printed}/athanor.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME athanor)
install(FILES ${printed}/athanor.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions RENAME _athanor)
install(FILES ${printed}/athanor.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
