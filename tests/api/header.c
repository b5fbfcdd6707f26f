/* header.c -- the public header compiles alone, as C99 and C11; header.cpp says C++17. */
#include <pith.h>

int main(void)
{
    pith_options opt = { 0 };
    return opt.threads;
}
