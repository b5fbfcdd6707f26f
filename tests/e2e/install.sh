# What `make install` installs runs from any prefix, and programs build against it: with
# pkg-config, with CMake, and without a compiler from Python.
. "$(dirname "$0")/lib.sh"

cmake --install "$PITH_BUILD" --prefix "$work/root" > install.log || die 'cmake --install'
libdir=$(dirname "$(find "$work/root" -name 'libpith.so.0')")
export PKG_CONFIG_PATH=$libdir/pkgconfig
for file in bin/pith include/pith.h share/man/man1/pith.1 \
            share/bash-completion/completions/pith; do
    [ -f "root/$file" ] || die "$file was not installed"
done

run 0 root/bin/pith --version
if ldd "$libdir/libpith.so.0" | grep 'not found'; then die 'a library is missing'; fi
# Sanitized builds want their runtime loaded first; foreign programs do not do that.
if ldd "$libdir/libpith.so.0" | grep -Eq 'lib[atu]b?san'; then exit 0; fi

mkdir docs
echo 'The lighthouse lamp burns 40 litres of oil each night.' > docs/lamp.txt
question='How many litres of oil does the lamp burn?'

read -r -a flags <<< "$(pkg-config --cflags --libs pith)"
cc "$PITH_SOURCE/examples/c/ask.c" "${flags[@]}" "-Wl,-rpath,$libdir" -o ask || die 'cc ask.c'
run 0 ./ask docs "$question"
has out '40 litres' 'lamp.txt'

rm -f "$PITH_STORE"*
export LD_LIBRARY_PATH=$libdir
run 0 python3 "$PITH_SOURCE/examples/python/ask.py" docs "$question"
has out '40 litres' 'lamp.txt'

mkdir client
cat > client/CMakeLists.txt <<CMAKE
cmake_minimum_required(VERSION 3.25)
project(client C)
find_package(pith 0.1 REQUIRED)
add_executable(ask $PITH_SOURCE/examples/c/ask.c)
target_link_libraries(ask pith::pith)
CMAKE
cmake -S client -B client/build -DCMAKE_PREFIX_PATH="$work/root" > cmake.log 2>&1 \
    || { cat cmake.log >&2; die 'find_package(pith)'; }
cmake --build client/build >> cmake.log 2>&1 || { cat cmake.log >&2; die 'the CMake client'; }
run 0 client/build/ask docs "$question"
