# wormhole_room(NAME [LINK rooms or targets...] [PRIVATE targets...]): the static library wh_NAME of
# src/NAME/*.cpp. A room may include only headers of rooms that it links.
function(wormhole_room name)
  cmake_parse_arguments(ROOM "" "" "LINK;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/${name}/*.cpp)
  add_library(wh_${name} STATIC ${sources})
  target_include_directories(wh_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include
                                        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  foreach(item ${ROOM_LINK})
    if(TARGET wh_${item})
      target_link_libraries(wh_${name} PUBLIC wh_${item})
    else()
      target_link_libraries(wh_${name} PUBLIC ${item})
    endif()
  endforeach()
  target_link_libraries(wh_${name} PRIVATE wormhole_flags ${ROOM_PRIVATE})
endfunction()
