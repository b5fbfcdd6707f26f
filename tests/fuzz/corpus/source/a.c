/* a */
#include <b>

int
f(int a)
{
    """x
}
"""
class X {
  int y;

  void z() {
  }
}
