# With LIMN_UNITY, the sources of a folder are compiled as one: most of what compiling a small file
# takes is reading headers, which its neighbours read too. A build from nothing is quicker, one after
# a change slower, so that CI has it and whoever works on limn does not.
#
#   compile_by_folder(target [APART source...])
#
# Files compiled as one see each other's anonymous namespaces. Those that give a name to different
# things therefore come into different groups: a file goes into the first one of its folder in which
# nobody has any of its names. APART are those that do not go together with others for reasons that
# are not to be seen from their names.

# The names that a file gives at the beginning of a line, more or less: too many do no harm.
function(names_given_by source result)
  file(READ ${source} text)
  string(REGEX REPLACE "[][;]" " " text "\n${text}")
  set(name "[A-Za-z0-9_]+")
  string(REGEX MATCHALL "\n(struct|class|enum|enum class) ${name}" types "${text}")
  string(REGEX MATCHALL "\n(inline |static )?const(expr)? [^\n=({]+" constants "${text}")
  string(REGEX MATCHALL "\n[A-Za-z][^\n=(]*[ *&]${name}[(]" functions "${text}")
  set(names ${types} ${constants} ${functions})
  list(TRANSFORM names REPLACE "[ (]+$" "")
  list(TRANSFORM names REPLACE "^.*[ \n*&]" "")
  list(REMOVE_DUPLICATES names)
  set(${result} ${names} PARENT_SCOPE)
endfunction()

function(compile_by_folder target)
  if(NOT LIMN_UNITY)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 given "" "" "APART")
  get_target_property(sources ${target} SOURCES)
  list(REMOVE_ITEM sources ${given_APART})
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
    if(NOT EXISTS ${path})  # it will be made
      continue()
    endif()
    cmake_path(GET path PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    names_given_by(${path} names)
    foreach(number RANGE 1 100)
      set(group ${folder}_${number})
      set(shared ${names})
      list(REMOVE_ITEM shared ${${group}} "")
      list(LENGTH names given_names)
      list(LENGTH shared new_names)
      if(given_names EQUAL new_names)
        break()
      endif()
    endforeach()
    list(APPEND ${group} ${names})
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
