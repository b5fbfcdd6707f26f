// header.cpp -- the public header compiles alone as C++17 and is usable from it.
#include <pith.h>

int main()
{
    pith_options opt{};
    return opt.threads;
}
