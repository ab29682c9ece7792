/* Paths as text: nothing here asks the file system. */
#ifndef OG_PATH_H
#define OG_PATH_H

#include <stdbool.h>

#include "span.h"

/* Whether the path is absolute and in the form in which the kernel would write it: no empty, "." or
 * ".." part, no slash at the end. "/" alone is not. */
bool path_is_normal(struct span path);

#endif
