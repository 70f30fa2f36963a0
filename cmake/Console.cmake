# SPDX-License-Identifier: Apache-2.0
# console_source(VARIABLE): the generated C++ file that holds the console's files. Built by npm from
# console/package-lock.json alone; again only when a source of it changes.
option(MUSTER_CONSOLE "Build the web console and embed it in musterd (needs node 18 and npm)" ON)

function(console_source variable)
  set(source ${CMAKE_SOURCE_DIR}/console)
  set(work ${CMAKE_BINARY_DIR}/console)
  set(generated ${CMAKE_BINARY_DIR}/console_files.cpp)
  set(embed ${CMAKE_SOURCE_DIR}/tools/embed_console.py)
  set(${variable} ${generated} PARENT_SCOPE)

  set(with_console ${MUSTER_CONSOLE})
  if(with_console)
    find_program(NODE node)
    find_program(NPM npm)
    if(NOT NODE OR NOT NPM)
      message(WARNING "node and npm are missing (Debian: nodejs, npm): musterd is built WITHOUT the web "
                      "console. Install them, or say so with -DMUSTER_CONSOLE=OFF.")
      set(with_console OFF)
    endif()
  endif()
  if(NOT with_console)
    message(STATUS "Web console: off")
    add_custom_command(OUTPUT ${generated} COMMAND python3 ${embed} - ${generated}
      DEPENDS ${embed} VERBATIM)
    return()
  endif()
  message(STATUS "Web console: on (${NODE})")

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source}/src/* ${source}/public/*)
  set(settings ${source}/index.html ${source}/vite.config.ts ${source}/tsconfig.json)
  set(packages ${source}/package.json ${source}/package-lock.json)
  # A copy, so that builds of several trees do not meet, and the source tree stays clean.
  set(installed ${work}/node_modules/.package-lock.json)
  add_custom_command(OUTPUT ${installed}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${work}
    COMMAND ${CMAKE_COMMAND} -E copy ${packages} ${work}
    COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    DEPENDS ${packages} COMMENT "Installing the console's packages" VERBATIM)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${work}/src ${work}/public ${work}/dist
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/src ${work}/src
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/public ${work}/public
    COMMAND ${CMAKE_COMMAND} -E copy ${settings} ${work}
    COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${NPM} run --silent build
    COMMAND python3 ${embed} ${work}/dist ${generated}
    DEPENDS ${installed} ${sources} ${settings} ${embed} COMMENT "Building the console" VERBATIM)
endfunction()
